"""Reads an export's files anew, without any importer, so that quotes are checked against what really lies there."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.evals.scorer import Corpus

_MENTION = re.compile(r"<!(channel|here|everyone)>")


def corpus_of(folder: Path) -> Corpus:
    """Read every file of an export, and the strings of its JSON files."""
    raw: list[bytes] = []
    texts: list[str] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        raw.append(content)
        if path.suffix == ".json":
            texts.extend(_as_read(path, each) for each in _strings(json.loads(content)))
    return Corpus(raw, texts)


def _as_read(path: Path, text: str) -> str:
    """Give a text as its reader sees it: chat writes ``&amp;`` for an ampersand and ``<!channel>`` for @channel."""
    return _MENTION.sub(r"@\1", html.unescape(text)) if "slack" in path.parts else text


def _strings(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)
