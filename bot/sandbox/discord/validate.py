"""Checks request bodies against Discord's own description of its API (OpenAPI 3.1).

Needs `jsonschema` (a development dependency); imported only when a description is given.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from bot.sandbox.discord.errors import Json

_URI = "urn:discord-api"
_JSON = "application/json"
_REMEMBERED = 10_000  # bodies of which it is known what is wrong with them

Faults = list[tuple[str, str]]  # JSON pointer, problem


@dataclass(slots=True)
class Description:
    """The description, with a validator for each operation made when it is first needed."""

    document: Json
    _operations: list[tuple[str, re.Pattern[str], str]] = field(default_factory=list)
    _validators: dict[str, Any] = field(default_factory=dict)
    _registry: Any = None
    _known: dict[bytes, Faults] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Description:
        """Read a description from a JSON file; all who load the same file share it."""
        return _load(path, path.stat().st_mtime_ns)

    def _index(self) -> None:
        from referencing import Registry, Resource
        from referencing.jsonschema import DRAFT202012

        resource = Resource.from_contents(self.document, default_specification=DRAFT202012)
        self._registry = Registry().with_resource(_URI, resource)
        for template, methods in self.document["paths"].items():
            pattern = re.compile(re.sub(r"\{\w+\}", "[^/]+", template))
            for method in set(methods) & {"get", "post", "put", "patch", "delete"}:
                self._operations.append((method.upper(), pattern, template))
        self._operations.sort(key=lambda each: each[2].count("{"))

    def problems(self, method: str, path: str, body: Any) -> Iterable[tuple[str, str]]:
        """List what the description does not allow in a request's body, as (JSON pointer, problem)."""
        template = self._template(method, path)
        if template is None:
            return [("", "the description knows no such route")]
        content = self.document["paths"][template][method.lower()].get("requestBody", {}).get("content", {})
        if _JSON not in content:
            return []
        pointer = f"#/paths/{_escape(template)}/{method.lower()}/requestBody/content/{_escape(_JSON)}/schema"
        return self._faults(pointer, body)

    def answer_problems(self, method: str, path: str, status: int, body: Any) -> Iterable[tuple[str, str]]:
        """List what the description does not allow in an answer, for holding the stand-in to it."""
        template = self._template(method, path)
        if template is None:
            return [("", "the description knows no such route")]
        responses = self.document["paths"][template][method.lower()]["responses"]
        if _JSON not in responses.get(str(status), {}).get("content", {}):
            return []
        pointer = (
            f"#/paths/{_escape(template)}/{method.lower()}/responses/{status}/content/{_escape(_JSON)}/schema"
        )
        return self._faults(pointer, body)

    def _template(self, method: str, path: str) -> str | None:
        return next(
            (each[2] for each in self._operations if each[0] == method and each[1].fullmatch(path)), None
        )

    def _faults(self, pointer: str, body: Any) -> Faults:
        """Check a body, unless the same was checked before: a bot sends its commands anew at each start."""
        digest = hashlib.sha256(json.dumps([pointer, body], sort_keys=True).encode()).digest()
        if digest not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[digest] = self._find_faults(pointer, body)
        return self._known[digest]

    def _find_faults(self, pointer: str, body: Any) -> Faults:
        if pointer not in self._validators:
            kind = self._kind_of_validator()
            self._validators[pointer] = kind({"$ref": _URI + pointer}, registry=self._registry)
        found = []
        for error in self._validators[pointer].iter_errors(body):
            told = _innermost(error)
            found.append(("/" + "/".join(str(step) for step in told.absolute_path), told.message[:500]))
        return found

    def _kind_of_validator(self) -> Any:
        """Give a validator that holds a component against the shape of its own `type` alone.

        Against all seven, one within the other, a message takes 20 ms; what the others say is no news.
        """
        from jsonschema import Draft202012Validator, validators  # type: ignore[import-untyped] # no types

        usual = Draft202012Validator.VALIDATORS["oneOf"]

        def one_of(validator: Any, branches: list[Json], instance: Any, schema: Json) -> Iterable[Any]:
            fitting = [branch for branch in branches if self._may_fit(branch, instance)]
            yield from usual(validator, fitting or branches, instance, schema)

        return validators.extend(Draft202012Validator, {"oneOf": one_of})

    def _may_fit(self, branch: Json, instance: Any) -> bool:
        """Tell whether something may be of a shape, as far as the shape names the one `type` it is for."""
        if not isinstance(instance, dict) or "type" not in instance:
            return True
        name = branch.get("$ref", "").rpartition("/")[2]
        shape = self.document["components"]["schemas"].get(name, {})
        types = shape.get("properties", {}).get("type", {}).get("enum")
        return types is None or instance["type"] in types


@lru_cache(maxsize=4)
def _load(path: Path, _changed: int) -> Description:
    made = Description(_loosened(json.loads(path.read_text(encoding="utf-8"))))
    made._index()
    return made


def _innermost(error: Any) -> Any:
    """Find the fault that a person means, below "fits none of these": in the shape of the right `type`."""
    while error.context:
        branches: dict[Any, list[Any]] = {}
        for each in error.context:
            branches.setdefault(each.schema_path[0], []).append(each)
        fitting = [
            branch for branch in branches.values() if not any(_of_another_type(each) for each in branch)
        ]
        if not fitting:
            return error
        error = min(fitting, key=len)[0]
    return error


def _of_another_type(error: Any) -> bool:
    path = list(error.path)
    return error.validator in ("enum", "const", "type", "oneOf") and (path in ([], ["type"]))


def _escape(text: str) -> str:
    pointer = text.replace("~", "~0").replace("/", "~1")
    return pointer.replace("{", "%7B").replace("}", "%7D")


def _loosened(document: Json) -> Json:
    """Allow what Discord takes although its description does not say so.

    Ids may come as numbers (Discord reads both; discord.py sends numbers in several places).
    """
    snowflake = document["components"]["schemas"]["SnowflakeType"]
    snowflake["type"] = ["string", "integer"]
    return document
