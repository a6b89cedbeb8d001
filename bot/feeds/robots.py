"""robots.txt (RFC 9309): whether a page may be fetched by this program. Pure; `articles` does the asking."""

from __future__ import annotations

from dataclasses import dataclass

from yarl import URL

# The name that sites address us by in their robots.txt.
PRODUCT = "quash"
MOST_BYTES = 500 * 1024  # RFC 9309 section 2.5: what lies beyond may be ignored
_MOST_RULES = 5000


@dataclass(frozen=True, slots=True)
class Rule:
    """One allow or disallow line: a path's start, with `*` for anything and `$` for the end."""

    path: str
    allow: bool


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules that hold for us. No rules: all is allowed."""

    rules: tuple[Rule, ...] = ()

    def allows(self, url: str) -> bool:
        """Tell whether an address may be fetched: the longest rule that fits decides, of two the allow."""
        path = URL(url).raw_path_qs or "/"
        if path == "/robots.txt":
            return True
        fitting = [rule for rule in self.rules if fits(rule.path, path)]
        if not fitting:
            return True
        return max(fitting, key=lambda rule: (len(rule.path), rule.allow)).allow


ALL = Robots()


def fits(pattern: str, path: str) -> bool:
    """Tell whether a path begins as the pattern says. Linear: no backtracking over strangers' patterns."""
    anchored = pattern.endswith("$")
    pieces = pattern.removesuffix("$").split("*")
    if not path.startswith(pieces[0]):
        return False
    position = len(pieces[0])
    for piece in pieces[1:-1]:
        position = path.find(piece, position)
        if position < 0:
            return False
        position += len(piece)
    if len(pieces) == 1:
        return not anchored or position == len(path)
    last = pieces[-1]
    if anchored:
        return path.endswith(last) and len(path) - len(last) >= position
    return path.find(last, position) >= 0


def parse_robots(content: bytes, product: str = PRODUCT) -> Robots:
    """Read the rules for a product; where none of its groups is named, those for everybody ("*")."""
    ours: list[Rule] = []
    everybodys: list[Rule] = []
    named = False
    agents: set[str] = set()
    in_rules = False
    text = content[:MOST_BYTES].decode("utf-8", "replace").removeprefix("\ufeff")
    for line in text.splitlines():
        key, mark, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if not mark:
            continue
        if key == "user-agent":
            if in_rules:
                agents, in_rules = set(), False
            agents.add(value.lower())
            named = named or value.lower() == product
        elif key in ("allow", "disallow"):
            in_rules = True
            if not value:
                continue  # "Disallow:" with nothing behind it forbids nothing
            rule = Rule(_folded(value), key == "allow")
            if product in agents and len(ours) < _MOST_RULES:
                ours.append(rule)
            elif "*" in agents and len(everybodys) < _MOST_RULES:
                everybodys.append(rule)
    return Robots(tuple(ours if named else everybodys))


def _folded(pattern: str) -> str:
    """Write a pattern the way addresses are written, so that "/ä" and "/%c3%a4" are the same."""
    if not pattern.startswith(("/", "*")):
        pattern = f"/{pattern}"
    path, mark, query = pattern.partition("?")
    try:
        return URL(f"http://host{path}").raw_path + mark + query if path.startswith("/") else pattern
    except ValueError:
        return pattern
