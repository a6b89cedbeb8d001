"""What Discord demands of message components and modals, and what it makes of them.

Source: https://docs.discord.com/developers/components/reference
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from bot.sandbox.discord.errors import Form, Json, Path
from bot.sandbox.discord.model import walk

ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT = 5, 6, 7, 8
SECTION, TEXT_DISPLAY, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER = 9, 10, 11, 12, 13, 14, 17
LABEL, FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX = 18, 19, 21, 22, 23

SELECTS = frozenset({STRING_SELECT, USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT})
LEGACY_TOP = frozenset({ROW})
IN_CONTAINER = frozenset({ROW, SECTION, TEXT_DISPLAY, GALLERY, FILE, SEPARATOR})
V2_TOP = IN_CONTAINER | {CONTAINER}
IN_ROW = SELECTS | {BUTTON}
MODAL_TOP = frozenset({ROW, TEXT_DISPLAY, LABEL})
IN_LABEL = SELECTS | {TEXT_INPUT, FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX}

_DEFAULTS: Mapping[int, Json] = {
    CONTAINER: {"accent_color": None, "spoiler": False},
    SEPARATOR: {"spacing": 1, "divider": True},
    THUMBNAIL: {"description": None, "spoiler": False},
    FILE: {"spoiler": False},
    **{select: {"min_values": 1, "max_values": 1} for select in SELECTS},
}

MAX_COMPONENTS = 40
MAX_TEXT = 4000
MAX_ROWS = 5
LINK, PREMIUM = 5, 6


def check_message_components(form: Form, components: object, *, v2: bool) -> None:
    """Note what Discord would refuse in a message's `components`."""
    path: Path = ("components",)
    if not isinstance(components, list):
        form.add(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        return
    if not v2 and len(components) > MAX_ROWS:
        form.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {MAX_ROWS} in length.")
    _check_all(form, path, components, V2_TOP if v2 else LEGACY_TOP)
    if form.errors:
        return  # what has the wrong shape cannot be counted
    everything = walk(components)
    if v2 and len(everything) > MAX_COMPONENTS:
        message = f"The total number of components cannot exceed {MAX_COMPONENTS}"
        form.add(path, "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", message)
    if text_length(components) > MAX_TEXT:
        message = f"The total displayable text size cannot exceed {MAX_TEXT} characters"
        form.add(path, "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", message)
    _check_unique(form, path, everything)


def check_modal(form: Form, modal: object) -> None:
    """Note what Discord would refuse in a modal (the `data` of an interaction answer of type 9)."""
    path: Path = ("data",)
    if not isinstance(modal, dict):
        form.add(path, "BASE_TYPE_REQUIRED", "This field is required")
        return
    form.between((*path, "custom_id"), modal.get("custom_id"), 1, 100)
    form.between((*path, "title"), modal.get("title"), 1, 45)
    components = modal.get("components")
    form.between((*path, "components"), components, 1, 5)
    if isinstance(components, list):
        _check_all(form, (*path, "components"), components, MODAL_TOP)
        _check_unique(form, (*path, "components"), walk(components))


def text_length(components: list[Json]) -> int:
    """Count the characters of all text displays."""
    texts = (each.get("content") for each in walk(components) if each.get("type") == TEXT_DISPLAY)
    return sum(len(text) for text in texts if isinstance(text, str))


def number(components: list[Json]) -> None:
    """Give every component that has no id the next free one, as Discord does."""
    taken = {each["id"] for each in walk(components) if each.get("id")}
    fresh = (n for n in range(1, 10_000) if n not in taken)
    for component in walk(components):
        if not component.get("id"):
            component["id"] = next(fresh)


def complete(components: list[Json]) -> None:
    """Number components and fill in what Discord's answers always hold."""
    number(components)
    for component in walk(components):
        for key, value in _DEFAULTS.get(component["type"], {}).items():
            component.setdefault(key, value)
        for item in component.get("items", ()) if component["type"] == GALLERY else ():
            item |= {"description": None, "spoiler": False} | item


def media_of(components: list[Json]) -> Iterator[Json]:
    """Give every place that names a picture or file (`{"url": ...}`), to be filled in."""
    for component in walk(components):
        if component["type"] == THUMBNAIL:
            yield component["media"]
        elif component["type"] == GALLERY:
            yield from (item["media"] for item in component["items"])
        elif component["type"] == FILE:
            yield component["file"]


def _check_all(form: Form, path: Path, components: list[Json], allowed: frozenset[int]) -> None:
    for index, component in enumerate(components):
        _check_one(form, (*path, index), component, allowed)


def _check_one(form: Form, path: Path, component: object, allowed: frozenset[int]) -> None:
    kind = component.get("type") if isinstance(component, dict) else None
    form.one_of((*path, "type"), kind, allowed)
    if isinstance(component, dict) and kind in allowed:
        _CHECKS[kind](form, path, component)


def _check_unique(form: Form, path: Path, components: list[Json]) -> None:
    for field in ("custom_id", "id"):
        seen: set[object] = set()
        for component in components:
            value = component.get(field)
            if value and value in seen:
                code = f"COMPONENT_{field.upper()}_DUPLICATED"
                form.add((*path, field), code, f"Component {field.replace('_', ' ')} cannot be duplicated")
            seen.add(value)


def _check_row(form: Form, path: Path, row: Json) -> None:
    children = row.get("components")
    form.between((*path, "components"), children, 1, 5)
    if not isinstance(children, list):
        return
    if len(children) > 1 and any(child.get("type") != BUTTON for child in children):
        form.add((*path, "components"), "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The row has no room for this")
    _check_all(form, (*path, "components"), children, IN_ROW | {TEXT_INPUT})


def _check_button(form: Form, path: Path, button: Json) -> None:
    style = button.get("style")
    form.one_of((*path, "style"), style, frozenset({1, 2, 3, 4, LINK, PREMIUM}))
    form.at_most((*path, "label"), button.get("label"), 80)
    if style == LINK:
        form.between((*path, "url"), button.get("url"), 1, 512)
    elif style != PREMIUM:
        form.between((*path, "custom_id"), button.get("custom_id"), 1, 100)
    if button.get("url") and button.get("custom_id"):
        message = "A custom id and url cannot both be specified"
        form.add((*path, "custom_id"), "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", message)
    if style != PREMIUM and not button.get("label") and not button.get("emoji"):
        form.add((*path, "label"), "BUTTON_COMPONENT_INVALID_LABEL", "A label or an emoji is required")


def _check_select(form: Form, path: Path, select: Json) -> None:
    form.between((*path, "custom_id"), select.get("custom_id"), 1, 100)
    form.at_most((*path, "placeholder"), select.get("placeholder"), 150)
    _check_bounds(form, path, select, 25)
    low, high = (1 if select.get(key) is None else select[key] for key in ("min_values", "max_values"))
    if low > high:
        form.add((*path, "max_values"), "NUMBER_TYPE_MIN", f"int value should be at least {low}.")
    if select["type"] == STRING_SELECT:
        _check_options(form, path, select.get("options"), high, 25)
    elif select.get("default_values"):
        form.between((*path, "default_values"), select["default_values"], low, high)


def _check_options(form: Form, path: Path, options: object, least: int, most: int) -> None:
    form.between((*path, "options"), options, least, most)
    seen: set[object] = set()
    for index, option in enumerate(options if isinstance(options, list) else ()):
        place = (*path, "options", index)
        form.between((*place, "label"), option.get("label"), 1, 100)
        form.between((*place, "value"), option.get("value"), 1, 100)
        form.at_most((*place, "description"), option.get("description"), 100)
        if option.get("value") in seen:
            message = "The specified option value is already used"
            form.add((*place, "value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", message)
        seen.add(option.get("value"))


def _check_bounds(form: Form, path: Path, component: Json, most: int) -> None:
    least_chosen, most_chosen = component.get("min_values"), component.get("max_values")
    if least_chosen is not None and not 0 <= least_chosen <= most:
        form.add((*path, "min_values"), "NUMBER_TYPE_MAX", f"int value should be between 0 and {most}.")
    if most_chosen is not None and not max(1, least_chosen or 0) <= most_chosen <= most:
        form.add((*path, "max_values"), "NUMBER_TYPE_MAX", f"int value should be between 1 and {most}.")


def _check_section(form: Form, path: Path, section: Json) -> None:
    texts = section.get("components")
    form.between((*path, "components"), texts, 1, 3)
    if isinstance(texts, list):
        _check_all(form, (*path, "components"), texts, frozenset({TEXT_DISPLAY}))
    _check_one(form, (*path, "accessory"), section.get("accessory"), frozenset({BUTTON, THUMBNAIL}))


def _check_text(form: Form, path: Path, text: Json) -> None:
    form.between((*path, "content"), text.get("content"), 1, MAX_TEXT)


def _check_thumbnail(form: Form, path: Path, thumbnail: Json) -> None:
    _check_media(form, (*path, "media"), thumbnail.get("media"))
    form.at_most((*path, "description"), thumbnail.get("description"), 1024)


def _check_gallery(form: Form, path: Path, gallery: Json) -> None:
    items = gallery.get("items")
    form.between((*path, "items"), items, 1, 10)
    for index, item in enumerate(items if isinstance(items, list) else ()):
        _check_media(form, (*path, "items", index, "media"), item.get("media"))
        form.at_most((*path, "items", index, "description"), item.get("description"), 1024)


def _check_file(form: Form, path: Path, file: Json) -> None:
    _check_media(form, (*path, "file"), file.get("file"), schemes=("attachment://",))


def _check_media(
    form: Form, path: Path, media: object, schemes: tuple[str, ...] = ("attachment://", "http://", "https://")
) -> None:
    url = media.get("url") if isinstance(media, dict) else None
    if not isinstance(url, str) or not url.startswith(schemes) or len(url) > 2048:
        known = ", ".join(scheme.removesuffix("://") for scheme in schemes)
        form.add((*path, "url"), "URL_TYPE_INVALID_SCHEME", f"Scheme must be one of ({known}).")


def _check_separator(form: Form, path: Path, separator: Json) -> None:
    form.one_of((*path, "spacing"), separator.get("spacing", 1), frozenset({1, 2}))


def _check_container(form: Form, path: Path, container: Json) -> None:
    children = container.get("components")
    form.between((*path, "components"), children, 1, MAX_COMPONENTS)
    if isinstance(children, list):
        _check_all(form, (*path, "components"), children, IN_CONTAINER)
    colour = container.get("accent_color")
    if colour is not None and not 0 <= colour <= 0xFFFFFF:
        form.add(
            (*path, "accent_color"), "NUMBER_TYPE_MAX", "int value should be less than or equal to 16777215."
        )


def _check_label(form: Form, path: Path, label: Json) -> None:
    form.between((*path, "label"), label.get("label"), 1, 45)
    form.at_most((*path, "description"), label.get("description"), 100)
    _check_one(form, (*path, "component"), label.get("component"), IN_LABEL)


def _check_text_input(form: Form, path: Path, field: Json) -> None:
    form.between((*path, "custom_id"), field.get("custom_id"), 1, 100)
    form.one_of((*path, "style"), field.get("style"), frozenset({1, 2}))
    form.at_most((*path, "label"), field.get("label"), 45)
    form.at_most((*path, "placeholder"), field.get("placeholder"), 100)
    form.at_most((*path, "value"), field.get("value"), MAX_TEXT)
    for bound in ("min_length", "max_length"):
        value = field.get(bound)
        if value is not None and not 0 <= value <= MAX_TEXT:
            form.add((*path, bound), "NUMBER_TYPE_MAX", f"int value should be between 0 and {MAX_TEXT}.")


def _check_upload(form: Form, path: Path, upload: Json) -> None:
    form.between((*path, "custom_id"), upload.get("custom_id"), 1, 100)
    _check_bounds(form, path, upload, 10)


def _check_choice_group(form: Form, path: Path, group: Json) -> None:
    form.between((*path, "custom_id"), group.get("custom_id"), 1, 100)
    least = 2 if group["type"] == RADIO_GROUP else 1
    _check_options(form, path, group.get("options"), least, 10)
    _check_bounds(form, path, group, 10)


def _check_checkbox(form: Form, path: Path, box: Json) -> None:
    form.between((*path, "custom_id"), box.get("custom_id"), 1, 100)


_CHECKS: Mapping[int, Callable[[Form, Path, Json], None]] = {
    ROW: _check_row,
    BUTTON: _check_button,
    SECTION: _check_section,
    TEXT_DISPLAY: _check_text,
    THUMBNAIL: _check_thumbnail,
    GALLERY: _check_gallery,
    FILE: _check_file,
    SEPARATOR: _check_separator,
    CONTAINER: _check_container,
    LABEL: _check_label,
    TEXT_INPUT: _check_text_input,
    FILE_UPLOAD: _check_upload,
    RADIO_GROUP: _check_choice_group,
    CHECKBOX_GROUP: _check_choice_group,
    CHECKBOX: _check_checkbox,
    **dict.fromkeys(SELECTS, _check_select),
}
