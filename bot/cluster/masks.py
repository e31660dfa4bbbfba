"""What of a manifest may be kept: literals of the environment are masked, ConfigMaps and Secrets keep their names only.

A literal that cannot be a secret and tells how things hang together stays: numbers, durations, yes and no, and the host an
address leads to, without its user, path and query.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from bot.cluster.resources import Resource
from bot.cluster.shapes import SHAPES, shaped
from bot.domain.kubernetes import part

MASK = "(masked)"
_NAMES_ONLY = frozenset({"ConfigMap", "Secret"})
_DROPPED = frozenset({"kubectl.kubernetes.io/last-applied-configuration", "deprecated.daemonset.template.generation"})
_SECRETIVE = re.compile(
    r"pass|secret|token|key|credential|auth|private|salt|signature|dsn|cookie|session|pin\b|code", re.IGNORECASE
)
_HARMLESS = re.compile(r"-?\d{1,9}(\.\d{1,6})?(ns|us|ms|s|m|h|d|%|[KMGT]i?B?)?|true|false|yes|no|on|off", re.IGNORECASE)
_ADDRESS = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]{1,15})://(?:[^/@\s]*@)?(?P<host>[A-Za-z0-9.-]{1,253}(?::\d{1,5})?)")
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*(:\d{1,5})?")
_HOST_KEY = re.compile(r"host|addr|url|uri|endpoint|upstream|server|backend|service$", re.IGNORECASE)
_FLAG = re.compile(r"(?P<flag>--?[A-Za-z0-9][\w.-]*)=(?P<value>.*)", re.DOTALL)
_POD_SPECS = (
    ("spec",),
    ("spec", "template", "spec"),
    ("spec", "jobTemplate", "spec", "template", "spec"),
    ("data", "spec", "template", "spec"),  # a ControllerRevision
)


def kept(item: Mapping[str, Any], resource: Resource) -> dict[str, Any]:
    """Give the part of an object that may be stored, with the kind that a list leaves out."""
    meta = {**part(item, "metadata")}
    if isinstance(annotations := meta.get("annotations"), dict):
        meta["annotations"] = {key: value for key, value in annotations.items() if key not in _DROPPED}
    found: dict[str, Any] = {"apiVersion": resource.api_version, "kind": resource.kind}
    if resource.kind in _NAMES_ONLY:
        meta.pop("annotations", None)
        return {**found, "metadata": meta}
    if (shape := SHAPES.get(resource.group)) is not None:
        return {**found, "metadata": meta, **shaped(item, shape)}
    found |= {key: value for key, value in item.items() if key not in {"apiVersion", "kind", "metadata"}}
    found["metadata"] = meta
    for path in _POD_SPECS:
        found = _with_masked(found, path)
    return found


def encoded(item: Mapping[str, Any]) -> bytes:
    """Give a document's bytes, the same for the same document; lone surrogates become question marks."""
    return json.dumps(item, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def _with_masked(item: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """Replace the pod spec at a path by a masked one, copying only the way to it."""
    inner = item.get(path[0])
    if not isinstance(inner, dict):
        return item
    return {**item, path[0]: _with_masked(inner, path[1:]) if len(path) > 1 else _masked_spec(inner)}


def _masked_spec(spec: dict[str, Any]) -> dict[str, Any]:
    found = {**spec}
    for key in ("containers", "initContainers", "ephemeralContainers"):
        if isinstance(containers := spec.get(key), list):
            found[key] = [_masked_container(each) if isinstance(each, dict) else each for each in containers]
    return found


def _masked_container(container: dict[str, Any]) -> dict[str, Any]:
    found = {**container}
    if isinstance(variables := container.get("env"), list):
        found["env"] = [
            {**each, "value": masked(str(each.get("name")), str(each["value"]))} if _has_value(each) else each
            for each in variables
        ]
    for key in ("args", "command"):
        if isinstance(words := container.get(key), list):
            found[key] = _masked_words(words)
    return found


def _has_value(variable: object) -> bool:
    return isinstance(variable, dict) and bool(variable.get("value"))


def masked(name: str, value: str) -> str:
    """Give what may be kept of a literal."""
    if not _SECRETIVE.search(name):
        if _HARMLESS.fullmatch(value):
            return value
        if _HOST_KEY.search(name) and _HOST.fullmatch(value):
            return value
    hosts = [f"{found['scheme']}://{found['host']}" for found in _ADDRESS.finditer(value)]
    return " ".join([*hosts, MASK]) if hosts else MASK


def _masked_words(words: list[Any]) -> list[Any]:
    """Mask what stands behind flags; words without a flag stay but for secrets in addresses."""
    found: list[Any] = []
    secret_follows = False
    for word in words:
        if not isinstance(word, str):
            found.append(word)
        elif secret_follows and not word.startswith("-"):
            found.append(MASK)
        elif flag := _FLAG.fullmatch(word):
            found.append(f"{flag['flag']}={masked(flag['flag'], flag['value'])}")
        else:
            found.append(_ADDRESS.sub(r"\g<scheme>://\g<host>", word) if not _inline_secret(word) else MASK)
        secret_follows = isinstance(word, str) and word.startswith("-") and bool(_SECRETIVE.search(word))
    return found


def _inline_secret(word: str) -> bool:
    """Tell whether a shell's line sets or names a secret."""
    return bool(re.search(r"(?:pass\w*|secret\w*|token\w*|api_?key)\s*[=:]|bearer\s", word, re.IGNORECASE))
