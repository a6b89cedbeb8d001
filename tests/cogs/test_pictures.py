"""The pictures of answers: each stands in a page of the documentation, with words for who cannot see it."""

from __future__ import annotations

import re

from tests.conftest import ROOT

_SHOWN = re.compile(r"!\[([^\]]*)\]\((?:docs/)?pictures/([a-z-]+)\.png\)")


def test_every_picture_is_shown_with_words_and_there_is_none_missing() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    shown = [found for page in pages for found in _SHOWN.findall(page.read_text("utf-8"))]
    assert all(len(words) > 5 for words, _ in shown)
    there = {picture.stem for picture in (ROOT / "docs" / "pictures").glob("*.png")}
    named = {name for _, name in shown}
    assert named <= there, "pages name what is not there"
    wide = {name for name in there if not name.endswith(("-narrow", "-light"))}
    assert wide <= named, "pictures that no page shows"
    assert {f"{name}-narrow" for name in wide} <= there, "each is drawn for a phone, too"
