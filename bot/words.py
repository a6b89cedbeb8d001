"""What people read, in their language: English as written in the code, others by gettext catalogues.

`say("… {name} …", name=…)` gives a text in the language that is spoken at the moment; `speaking` sets it for
what happens inside, per task (a context variable), so that no function has to hand it along. Catalogues are
`bot/locale/LANGUAGE.po`, read at the first use; `tools/words.py` keeps them in step with the code. What an
article says is never translated.

Errors, and reasons that are stored, are written in English, for logs and the command line as well
(`bot.errors.told`); `retell` says such a sentence where somebody reads it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

LANGUAGES: tuple[str, ...] = ("en", "de", "fr", "es", "pt")

_language: ContextVar[str] = ContextVar("language", default="en")


def language_for(locale: object) -> str:
    """Give the language that is spoken with somebody whose Discord has this locale ("pt-BR", "es-419")."""
    language = str(locale or "").split("-")[0].casefold()
    return language if language in LANGUAGES else "en"


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak a language of `LANGUAGES` inside; any other is English."""
    before = _language.set(language_for(language))
    try:
        yield
    finally:
        _language.reset(before)


def speak(language: str) -> None:
    """Speak a language from here to the end of the task."""
    _language.set(language_for(language))


def spoken() -> str:
    """Tell which language is spoken."""
    return _language.get()


def language_name(code: str) -> str:
    """Name a language (ISO 639 code) in the one that is spoken; one that has no name there by its code."""
    from babel import Locale

    return str(Locale.parse(spoken()).languages.get(code, code))


def say(text: str, /, **values: object) -> str:
    """Give a text in the language that is spoken, with the values filled in."""
    if not text:
        return ""  # gettext keeps a catalogue's header there
    return _filled(text, catalogue(spoken()).gettext(text), values)


def say_name(name: str) -> str:
    """Give the name of a command or an option as Discord shows it to who speaks the language."""
    return catalogue(spoken()).pgettext("name", name)


def labelled(label: str, value: object) -> str:
    """Give "label: value", as the language that is spoken sets a colon (French: with a space before it)."""
    return say("{label}: {value}", label=label, value=value)


def say_number(one: str, many: str, number: int, /, **values: object) -> str:
    """Give the text that goes with a number, which fills `{number}`, by the language's plural rules."""
    given = values | {"number": number}
    plain = one if number == 1 else many
    return _filled(plain, catalogue(spoken()).ngettext(one, many, number), given)


def mark(text: str, /) -> str:
    """Mark a text for translation that is said later: `say(NAME)`."""
    return text


def _filled(plain: str, text: str, values: dict[str, object]) -> str:
    """Fill in the values, if any; a translation that does not take them is not worth failing for."""
    if not values:
        return text
    try:
        return text.format(**values)
    except (KeyError, IndexError, ValueError):
        return plain.format(**values)


_OFTEN = ("hourly", "daily", "weekly")  # how often digests come, as reasons name it
_BREAKS = 12  # in a stored reason that are looked at: a stranger's text in it may have hundreds


def retell(sentence: str) -> str:
    """Say a sentence that was written by `told` in the language that is spoken; any other stays as it is.

    It is known again by its text: the words around its `{names}`. What stands for a name may be such a
    sentence too, and several may stand in a row, after a full stop or a semicolon.
    """
    if spoken() == LANGUAGES[0] or not sentence:
        return sentence
    plain = catalogue(spoken()).pgettext(TOLD, sentence)
    if plain != sentence:
        return plain
    for break_ in reversed(list(re.finditer(r"(?<=\.) |; ", sentence))[-_BREAKS:]):
        # Not where the rest could be anything: what begins with a name may begin earlier.
        last = _retold(sentence[break_.end() :], anchored=True)
        if last is not None:
            return f"{retell(sentence[: break_.start()])}{break_[0]}{last}"
    return _retold(sentence) or sentence


def _retold(sentence: str, *, anchored: bool = False) -> str | None:
    """Say a single sentence; None for one that is not known. `anchored`: it begins with words of its text."""
    known = catalogue(spoken())
    plain = known.pgettext(TOLD, sentence) if sentence else ""
    if plain != sentence:
        return plain
    for pattern, text in _told(spoken()):
        if anchored and text.startswith("{"):
            continue
        if found := pattern.fullmatch(sentence):
            values = {name: _value(name, value) for name, value in found.groupdict().items()}
            return _filled(text, known.pgettext(TOLD, text), values)
    return None


def _value(name: str, value: str) -> object:
    """Say what stands in a sentence for a name: topics, statuses, permissions and rhythms are words of closed
    lists."""
    if name.rstrip("2") in ("topics", "status", "lacks"):
        return ", ".join(retell(word) if word == "none" else say(word) for word in value.split(", "))
    if name == "when" and value in _OFTEN:
        return say(value)
    if name.rstrip("2") == "time":
        return say_duration(value)
    return retell(value)


def say_duration(shown: str) -> str:
    """Say a length of time as it is written in English ("2.5 d"); anything else stays as it is."""
    found = _DURATION.fullmatch(shown)
    if found is None or spoken() == LANGUAGES[0]:
        return shown
    from babel.numbers import format_decimal

    return f"{format_decimal(found[1], locale=spoken())} {say(found[2])}"


_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) (d|h|min|s)")

TOLD = "told"  # the context of such sentences in the catalogues


@cache
def _told(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Give the texts that hold values, as patterns; those with the most words of their own first."""
    texts = [str(message.id) for message in _read(language) if message.context == TOLD]
    made = []
    for text in texts:
        parts = re.split(r"\{(\w+)\}", text)
        if len(parts) > 1:
            body = "".join(
                f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts)
            )
            made.append((sum(map(len, parts[::2])), re.compile(body, re.DOTALL), text))
    return tuple((pattern, text) for _, pattern, text in sorted(made, key=lambda one: -one[0]))


@cache
def _read(language: str) -> Catalog:
    """Read a language's file. Babel comes with the first one that is needed."""
    from babel.messages.pofile import read_po

    with (resources.files("bot") / "locale" / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


@cache
def catalogue(language: str) -> NullTranslations:
    """Give a language's catalogue."""
    if language == LANGUAGES[0] or language not in LANGUAGES:
        return NullTranslations()
    from babel.messages.mofile import write_mo

    compiled = io.BytesIO()
    write_mo(compiled, _read(language))
    compiled.seek(0)
    return GNUTranslations(compiled)
