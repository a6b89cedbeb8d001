"""What people read, in their language: English as written in the code, others by gettext catalogues.

`say("… {name} …", name=…)` gives a text in the language that is spoken at the moment; `speaking` sets it for
what happens inside, per task (a context variable), so that no function has to hand it along. Catalogues are
`bot/locale/LANGUAGE.po`, read at the first use; `tools/words.py` keeps them in step with the code. What an
article says is never translated.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib import resources

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


def say(text: str, /, **values: object) -> str:
    """Give a text in the language that is spoken, with the values filled in."""
    if not text:
        return ""  # gettext keeps a catalogue's header there
    return _filled(text, catalogue(spoken()).gettext(text), values)


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


@cache
def catalogue(language: str) -> NullTranslations:
    """Read a language's catalogue. Babel comes with the first one that is needed."""
    if language == "en" or language not in LANGUAGES:
        return NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    with (resources.files("bot") / "locale" / f"{language}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)
