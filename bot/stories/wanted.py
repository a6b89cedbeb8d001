"""Which of many regular expressions can match a text at all, told by the words of the text.

Most expressions ask for some words ("quash", one of "refused" and "declined"), and most sentences hold none
of them. `Wanted` reads from each expression what must stand in a text for it to match, and by looking up the
text's words, each once, gives the few that are worth trying. It never leaves out one that would match.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

Clause = frozenset[str]
"""Pieces of words of which at least one must stand in the text."""

_KNOWN_WORDS = 20_000  # how many distinct words are remembered; a bound on memory
_SIGNS = re.compile("[\ua4d0-\ua4fd\ue000-\ue5ff]")  # what bot.stories.marks writes for parties and things
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")
_COUNT = re.compile(r"(?:([?*+])|\{(\d*)(?:,\d*)?\})[?+]?")
_HEX = re.compile(r"\\x([0-9a-f]{2})")
_LOOKS = re.compile(r"\(\?<?[=!]")
_OPENS = re.compile(r"\((?:\?(?:<?[=!]|:|P<\w+>)|(?!\?))")
_SIGN_CHANCE = 0.2  # how often a sign stands in a sentence, about; a letter counts a third of that each


def _chance(clause: Clause) -> float:
    """Roughly how often a clause is met: the smaller, the better it rules out."""
    return sum(_SIGN_CHANCE if _SIGNS.match(piece) else 0.35 ** len(piece) for piece in clause)


@dataclass(slots=True)
class _Reader:
    """Reads an expression in lower case from left to right."""

    source: str
    at: int = 0

    def choice(self) -> list[Clause]:
        """Read alternatives up to a closing bracket or the end; what one of them needs, all must offer."""
        branches = [self.sequence()]
        while self.source[self.at : self.at + 1] == "|":
            self.at += 1
            branches.append(self.sequence())
        if len(branches) == 1:
            return branches[0]
        if not all(branches):
            return []
        return [frozenset[str]().union(*(min(branch, key=_chance) for branch in branches))]

    def sequence(self) -> list[Clause]:
        """Read one alternative: everything in it must stand there."""
        clauses: list[Clause] = []
        run = ""  # letters that stand side by side

        def flush() -> None:
            nonlocal run
            if len(run) > 1 or _SIGNS.match(run):
                clauses.append(frozenset((run,)))
            run = ""

        while self.at < len(self.source) and self.source[self.at] not in "|)":
            letter, inner = self._next()
            least = self._least()
            if letter and least == 1:
                run += letter
                continue
            if letter and least > 1:  # "a+" and its like
                run += letter
            flush()
            if least:
                clauses += inner
        flush()
        return clauses

    def _next(self) -> tuple[str, list[Clause]]:
        """Read one item: a letter of a word, or the clauses of what is not a letter."""
        char = self.source[self.at]
        if char == "(":
            return "", self._group()
        if char == "[":
            found = _CLASS.match(self.source, self.at)
            if found is None:
                raise ValueError(f"a class without an end in {self.source!r}")
            self.at = found.end()
            return "", _signs_of(found.group())
        if char == "\\":
            code = _HEX.match(self.source, self.at)
            self.at = code.end() if code else self.at + 2
            return (chr(int(code.group(1), 16)), []) if code else ("", [])
        self.at += 1
        if char.isalnum() or char in "'-":
            return char, []
        return "", [frozenset((_sign(char),))] if _SIGNS.match(char) else []

    def _group(self) -> list[Clause]:
        looks = _LOOKS.match(self.source, self.at)
        opening = _OPENS.match(self.source, self.at)
        if opening is None:
            raise ValueError(f"a kind of group that is not read: {self.source[self.at :][:20]!r}")
        self.at = opening.end()
        inner = self.choice()
        self.at += 1  # the closing bracket
        return [] if looks else inner

    def _least(self) -> int:
        """How often the item just read must stand there at least: 2 stands for once, and perhaps more."""
        found = _COUNT.match(self.source, self.at)
        if found is None:
            return 1
        self.at = found.end()
        sign, number = found.groups()
        if sign:
            return 2 if sign == "+" else 0
        return 2 if int(number or 0) else 0


def _sign(char: str) -> str:
    """A sign as a piece: of a party its kind alone, told by the first of its 256 signs."""
    return chr(ord(char) & 0xFF00) if char >= "\ue000" else char


def _signs_of(bracket: str) -> list[Clause]:
    """The signs that a class of signs alone allows."""
    body = bracket[1:-1]
    found: set[str] = set()
    while body:
        if not _SIGNS.match(body[0]):
            return []
        if body[1:2] == "-":
            found.update(map(_sign, map(chr, range(ord(body[0]), ord(body[2]) + 1))))
            body = body[3:]
        else:
            found.add(_sign(body[0]))
            body = body[1:]
    return [frozenset(found)]


def needs_of(pattern: str) -> list[Clause]:
    """Give what must stand in a lower-case text for `pattern` to match; nothing where it does not tell.

    Raises ValueError for groups other than plain, named and looking ones.
    """
    reader = _Reader(pattern)
    needs = reader.choice()
    if reader.at < len(pattern):
        raise ValueError(f"a bracket too many in {pattern!r}")
    return needs


class Wanted:
    """Many expressions in lower case, made ready for `among`."""

    def __init__(self, patterns: Sequence[str]) -> None:
        needs = [needs_of(pattern) for pattern in patterns]
        self._pieces = sorted({piece for clauses in needs for clause in clauses for piece in clause})
        bit = {piece: 1 << order for order, piece in enumerate(self._pieces)}
        self._masks = [tuple({sum(bit[piece] for piece in clause) for clause in each}) for each in needs]
        self._always = [number for number, each in enumerate(needs) if not each]
        self._keyed: dict[str, list[int]] = {}
        for number, each in enumerate(needs):
            for piece in min(each, key=_chance) if each else ():
                self._keyed.setdefault(piece, []).append(number)
        self._known: dict[str, tuple[int, tuple[int, ...]] | None] = {}

    def among(self, words: list[str]) -> list[int]:
        """Give, in order, the numbers of the expressions that may match a text; `words` is its `split()`."""
        known = self._known
        there, found = 0, set(self._always)
        for word in words:
            entry = known[word] if word in known else self._read(word)
            if entry is not None:
                there |= entry[0]
                found.update(entry[1])
        return [n for n in sorted(found) if all(map(there.__and__, self._masks[n]))]

    def _read(self, word: str) -> tuple[int, tuple[int, ...]] | None:
        """Which pieces a word holds, as bits, and the expressions that they may be the choosiest need of."""
        folded = word + "".join(map(_sign, _SIGNS.findall(word)))
        here = [order for order, piece in enumerate(self._pieces) if piece in folded]
        numbers = {number for order in here for number in self._keyed.get(self._pieces[order], ())}
        if len(self._known) >= _KNOWN_WORDS:
            self._known.clear()
        entry = (sum(1 << order for order in here), tuple(numbers)) if here else None
        self._known[word] = entry
        return entry
