"""Manifests: secrets that only their place gives away, such as an environment variable's value beside its name.

A Secret's values go whatever they look like; so does a literal value whose variable, argument or key is named like one.
References (``valueFrom``) stay: they name a secret and hold none.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

_HIDING = frozenset({"data", "stringData", "binaryData"})
_NAMED = re.compile(
    r"(?i)pass(?:word|wd|phrase)?(?:$|[_.-])|passw|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|conn(?:ection)?[_-]?str"
    r"|[_-](?:dsn|pwd|auth|key|sas|pin)$|^(?:dsn|pwd)$"
)
_REFERENCE = re.compile(r"(?i)(?:name|ref|file|path|dir|ttl|url|endpoint|enabled|type|mount|version)s?$")

Hide = Callable[[str, str], str]
"""Gives the mark of a secret from its kind and value."""


def without_secrets(manifest: Mapping[str, Any], hide: Hide) -> dict[str, Any]:
    """Give a manifest with marks in place of its secrets; the original stays as it is."""
    if manifest.get("kind") == "Secret":
        return {
            key: _hidden_values(value, hide) if key in _HIDING and isinstance(value, Mapping) else _walk(value, hide)
            for key, value in manifest.items()
        }
    told = _walk(manifest, hide)
    return told if isinstance(told, dict) else {}


def _hidden_values(values: Mapping[str, Any], hide: Hide) -> dict[str, str]:
    return {key: hide("kubernetes_secret", str(value)) for key, value in values.items()}


def _walk(value: Any, hide: Hide) -> Any:  # noqa: ANN401 - any JSON value goes in and comes out
    if isinstance(value, list):
        return [_walk(part, hide) for part in value]
    if not isinstance(value, Mapping):
        return value
    told = {key: _leaf(str(key), part, hide) for key, part in value.items()}
    name, literal = value.get("name"), value.get("value")
    if isinstance(name, str) and isinstance(literal, str) and literal and is_secret_name(name):
        told["value"] = hide("environment", literal)
    return told


def _leaf(key: str, value: Any, hide: Hide) -> Any:  # noqa: ANN401 - any JSON value goes in and comes out
    if isinstance(value, str) and value and is_secret_name(key):
        return hide("manifest_value", value)
    return _walk(value, hide)


def is_secret_name(name: str) -> bool:
    """Tell whether a variable or a key of this name holds a secret, not a reference to one."""
    return _NAMED.search(name) is not None and _REFERENCE.search(name) is None
