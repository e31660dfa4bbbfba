"""Read YAML manifests item by item with the text of each, refusing what makes a small file large.

``kubectl`` writes a List as ``items:`` followed by ``- `` at one column, so a List is split as text and each item
parsed alone. Aliases (which kubectl never writes) and deep nesting are refused before anything is built.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import yaml

from bot.domain.storable import storable
from bot.sources.export.jsonstream import NESTING_LIMIT, as_bytes

DOCUMENT_LIMIT_CHARS = 16 * 1024 * 1024
"""One item larger than this is no Kubernetes object; PyYAML needs some thirty times its size."""

TOO_DEEP = "a YAML document nested too deep to be an export; left out"

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ITEMS = re.compile(r"items\s*:\s*$")

Lost = Callable[[str], None]


class _JsonLikeLoader(_LOADER):  # type: ignore[misc] # - chosen at run time: C where it was built
    """Loads what JSON has: times stay the text that was written."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the attribute PyYAML defines
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in _LOADER.yaml_implicit_resolvers.items()
    }


def yaml_items(texts: Iterable[str], lost: Lost) -> Iterator[tuple[Mapping[str, Any], bytes]]:
    """Give each object of a file of YAML documents, Lists opened, with its exact text."""
    for chunk, in_list in _pieces(_lines(texts), lost):
        if not chunk.strip():
            continue
        value = _loaded(chunk, lost)
        found = value if in_list and isinstance(value, list) else [value]
        for item in found:
            yield from _objects(item, chunk)


def _objects(item: object, chunk: str) -> Iterator[tuple[Mapping[str, Any], bytes]]:
    if not isinstance(item, dict):
        return
    if isinstance(item.get("items"), list):  # a List in flow style: its items have no text of their own
        for inner in item["items"]:
            if isinstance(inner, dict):
                text = yaml.safe_dump(inner, sort_keys=True, allow_unicode=True)
                yield storable(inner), text.encode("utf-8", "replace")
    elif "metadata" in item or "involvedObject" in item:
        yield storable(item), as_bytes(chunk)


def _lines(texts: Iterable[str]) -> Iterator[str]:
    rest = ""
    for text in texts:
        *lines, rest = (rest + text).split("\n")
        for line in lines:
            yield line + "\n"
    if rest:
        yield rest


def _pieces(lines: Iterator[str], lost: Lost) -> Iterator[tuple[str, bool]]:
    """Cut documents at ``---`` and Lists at their dashes; say whether a piece is an element of a List."""
    piece: list[str] = []
    size, dash, too_large = 0, "", False

    def text() -> str:
        if too_large:
            lost("a YAML object over 16 MiB, left out")
            return ""
        return "".join(piece)

    for line in lines:
        starts_document = line.startswith("---") and line[3:4] in {"", " ", "\n", "\r"}
        first_dash = dash == "?" and line.lstrip(" ").startswith("- ")
        if first_dash:
            dash = line[: len(line) - len(line.lstrip(" "))] + "- "
        ends_list = bool(dash) and dash != "?" and line[:1] not in {" ", "-", "\n", "#", "\r"}
        begins = starts_document or ends_list or (dash not in {"", "?"} and line.startswith(dash))
        if begins or (not dash and _ITEMS.match(line)):
            yield text(), dash not in {"", "?"} and not first_dash
            piece, size, too_large = [], 0, False
        if starts_document or ends_list:
            dash = ""
        if not dash and _ITEMS.match(line):
            dash = "?"
            continue
        if starts_document:
            continue
        size += len(line)
        too_large = too_large or size > DOCUMENT_LIMIT_CHARS
        if not too_large:
            piece.append(line)
    yield text(), dash not in {"", "?"}


def _loaded(text: str, lost: Lost) -> Any:  # noqa: ANN401 - any YAML value
    try:
        if (why := _refused(text)) is not None:
            lost(why)
            return None
        return yaml.load(text, Loader=_JsonLikeLoader)  # noqa: S506 - a SafeLoader's subclass
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if "nesting depth" in str(getattr(error, "problem", "")):  # libyaml looks ahead further than its events tell
            lost(TOO_DEEP)
            return None
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1} of it)" if mark else ""
        lost(f"a YAML document that cannot be read{where}")
        return None


def _refused(text: str) -> str | None:
    """Look through the parser's events, which needs no stack, before anything is built from them."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent):
            return "a YAML document with aliases, which can make a small file large; left out"
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > NESTING_LIMIT:
                return TOO_DEEP
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return None
