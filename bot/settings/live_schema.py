"""The JSON schema of ``rootcause.yaml``, made from the classes that read it, for editors that complete and check.

``manifests/rootcause.schema.json`` holds what this gives; a test sees that it does. Run this module to write it anew.
"""
# ruff: noqa: ANN401 - types are handled as values here

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from bot.settings.live import LiveSettings, Name, Url
from bot.settings.secret import Secret

_SECRET = {
    "type": "object",
    "description": "Where a secret lies, never the secret itself.",
    "oneOf": [
        {"properties": {"env": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}}, "required": ["env"]},
        {"properties": {"file": {"type": "string", "minLength": 1}}, "required": ["file"]},
    ],
    "maxProperties": 1,
}
_TEXT = {"type": "string", "pattern": r"\S"}
_SCALARS: Mapping[Any, Mapping[str, Any]] = {
    Url: {"type": "string", "pattern": "^https?://[^@/?#]+([/?#].*)?$"},
    Name: {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$"},
    str: _TEXT,
    Path: _TEXT,
    bool: {"type": "boolean"},
    int: {"type": "integer", "exclusiveMinimum": 0},
    float: {"type": "number", "exclusiveMinimum": 0},
}


def live_schema() -> dict[str, Any]:
    """Give the schema (JSON Schema 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "rootcause.yaml",
        **_part(LiveSettings),
    }


def _of(kind: Any) -> dict[str, Any]:  # noqa: PLR0911 - one return a kind of value
    if isinstance(kind, UnionType) or get_origin(kind) is Union:
        others = [each for each in get_args(kind) if each is not NoneType]
        return {"anyOf": [_of(others[0]), {"type": "null"}]}
    if kind is Secret:
        return dict(_SECRET)
    if is_dataclass(kind):
        return _part(kind)
    if get_origin(kind) is tuple:
        return {"type": "array", "items": _of(get_args(kind)[0])}
    if get_origin(kind) is Literal:
        return {"enum": list(get_args(kind))}
    if get_origin(kind) is Mapping:
        return {"type": "object", "additionalProperties": _of(get_args(kind)[1])}
    return dict(_SCALARS[kind])


def _part(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    required = [each.name for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING]
    told: dict[str, Any] = {
        "type": "object",
        "description": " ".join((kind.__doc__ or "").replace("``", "").split()),
        "properties": {each.name: _of(hints[each.name]) for each in fields(kind)},
        "additionalProperties": False,
    }
    return told | ({"required": required} if required else {})


def page() -> str:
    """Give the schema as the file holds it."""
    return json.dumps(live_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (Path(__file__).parents[2] / "manifests" / "rootcause.schema.json").write_text(page(), encoding="utf-8")
