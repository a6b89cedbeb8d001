"""The smaller fields of a demand: whose data it is about, under which law, when, and until when.

All of them stand as the article writes them.
"""

from __future__ import annotations

import re

_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December|"
    r"(?:Jan|Feb|Mar|Apr|Aug|Sept?|Oct|Nov|Dec)\.)"
)
_DAY = r"(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"
_DATE = (
    rf"(?:{_MONTH} \d{{1,2}}(?:, \d{{4}})?|\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}(?: \d{{4}})?|"
    rf"{_MONTH}(?:,? \d{{4}})?|\d{{4}}-\d{{2}}-\d{{2}})"
)

_STATUTE = re.compile(
    r"\b(?:(?:[Ss]ections?|§+|[Aa]rticles?) \d[\w.()]*(?:(?:, | and |"
    r" or )\d[\w.()]*)*(?: of (?:the )?(?:[A-Z][\w'’.&-]*|of|and|on|the|\d{4}|"
    r"\([A-Z]+\))(?: (?:[A-Z][\w'’.&-]*|of|and|on|\d{4}|\([A-Z]+\)))*)?"
    r"|\d+ U\.?S\.?C\.?(?: §+)? ?\d[\w()]*"
    r"|(?:[A-Z][\w'’.-]* (?:(?:and|of|on|to|for|the) )*)+(?:Act|Code|Regulation|Ordinance|"
    r"Bill)(?: of \d{4}| \d{4})?(?: \([A-Z]+\))?)"
)
_NOT_A_BASIS = re.compile(r"\b(?:Amendment|Freedom of Information|FOIA)\b")
_DATED = re.compile(rf"\b(?:[Oo]n|of|[Ii]n|dated|[Ll]ast|since) ({_DATE}|{_DAY}|week|month|year)\b")
_DEADLINE = re.compile(
    rf"\b((?:within|in) (?:\d+|one|two|three|four|five|six|seven|ten|fourteen|fifteen|twenty|"
    rf"thirty) (?:hours|days|weeks|months)|(?:until|by|no later than|"
    rf"before) (?:the end of (?:the )?\w+|{_DATE}|{_DAY}|midnight)"
    rf"|(?:\d+|one|two|three|five|six|seven|ten|fourteen|fifteen|twenty-one|thirty) (?:hours|"
    rf"days|weeks) to (?:comply|respond|answer|object|remove|hand|turn|produce|challenge|give|"
    rf"appeal))\b"
)
_TARGET = re.compile(
    r"\b(?:(?i:the |an? |its |several |two |three |four |five |six |eight |ten |\d[\d,.]* |some |many |"
    r"all |dozens of |hundreds of |thousands of |millions of |anonymous |pseudonymous )+)?"
    r"(?:[\w'’-]+ ){0,2}?"
    r"((?:anonymous |pseudonymous |former |climate |protest |political |"
    r"[A-Z][\w'’]+ )*(?:users?|customers?|subscribers?|visitors?|account ?holders?|accounts?|"
    r"critics?|activists?|journalists?|reporters?|protesters?|reviewers?|bloggers?|posters?|"
    r"commenters?|whistle-?blowers?|suspects?|gunm[ae]n|shooters?|attackers?|members|"
    r"(?<!plate )(?<!card )readers|"
    r"patients|travell?ers|migrants|author|website|page)(?![\w-])"
    r"(?: (?:of|to|behind|critical of|on|opposed to|at)"
    r"(?: (?!(?:is|are|was|were|has|had|have|did|saw|said|after|that|who|which|on|in|to|from|and|with|as|"
    r"when)\b)"
    r"[\w'’@/-]+){1,5})?)"
)

_ANYBODY = frozenset(("user", "customer", "subscriber", "account", "member"))
"""What says nothing of whom it is about: "to give out user data"."""


def _first(pattern: re.Pattern[str], sentences: list[str]) -> str | None:
    for sentence in sentences:
        match = pattern.search(sentence[:1_200])
        if match:
            return match.group(1) if pattern.groups else match.group()
    return None


def statute_in(sentences: list[str]) -> str | None:
    """Name the law on which a demand rests, as the article names it; None when it names none."""
    for sentence in sentences:
        for match in _STATUTE.finditer(sentence[:1_200]):
            if not _NOT_A_BASIS.search(match.group()):
                return match.group()
    return None


def instant_in(sentences: list[str]) -> str | None:
    """Say when the demand was made, as the article says it."""
    return _first(_DATED, sentences)


def deadline_in(sentences: list[str]) -> str | None:
    """Say until when an answer is due, as the article says it."""
    return _first(_DEADLINE, sentences)


def targets_in(sentences: list[str]) -> tuple[str, ...]:
    """Find the people whose data is asked for where no name is given ("critics of ICE")."""
    for sentence in sentences:
        for match in _TARGET.finditer(sentence[:1_200]):
            who = match.group(1).strip()
            if who.casefold() not in _ANYBODY:
                return (who,)
    return ()
