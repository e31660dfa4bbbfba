"""Read JSON of any size one item at a time, each with the exact text it was read from.

``json.load`` needs the whole document at once and forgets where an item stood. Here a window slides over the
document and ``json.JSONDecoder.raw_decode`` does the decoding. What came whole before a cut has already been handed
out when the cut is noticed. No knowledge of any particular document lives here.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from bot.domain.crowding import crowded

ITEM_LIMIT_CHARS = 64 * 1024 * 1024
"""Larger than the largest object etcd stores (1.5 MiB) and than a month of one series at 15 s (5 MiB)."""

CROWD_CHARS = 4 * 1024 * 1024
"""A smaller item fits, whatever it holds."""

NESTING_LIMIT = 200
"""Deeper than any manifest; far from where the decoder runs out of stack."""

_BLANK = " \t\r\n"


class JsonCutError(Exception):
    """The document ends, or stops being JSON, before it is complete; the message is for a person."""


class JsonStream:
    """A cursor over JSON text that arrives in pieces."""

    def __init__(self, chunks: Iterable[str]) -> None:
        self._chunks = iter(chunks)
        self._decoder = json.JSONDecoder()
        self._text = ""
        self._at = 0
        self._dropped = 0
        self._ended = False
        self._tape: list[str] | None = None
        self._taped_from = 0

    def record(self) -> None:
        """Begin to keep the exact text from the next character on."""
        self.peek()
        self._tape, self._taped_from = [], self._at

    def forget(self) -> None:
        """Stop keeping text: it belongs to something too large to keep."""
        self._tape = None

    def recorded(self) -> str | None:
        """Give the exact text since ``record``; None where it was forgotten."""
        if self._tape is None:
            return None
        return "".join(self._tape) + self._text[self._taped_from : self._at]

    def _more(self) -> bool:
        """Read at least as much again as is waiting, so that a retried item costs linear time in all."""
        waiting = self._text[self._at :]
        if self._tape is not None:
            self._tape.append(self._text[self._taped_from : self._at])
            self._taped_from = 0
        pieces, got = [waiting], 0
        wanted = max(1, len(waiting))
        while got < wanted and (piece := next(self._chunks, None)) is not None:
            pieces.append(piece)
            got += len(piece)
        self._ended = got < wanted
        self._dropped += self._at
        self._at = 0
        if got:
            self._text = "".join(pieces)
            return True
        self._text = waiting
        return False

    def peek(self) -> str:
        """Give the next character that is not blank without consuming it; empty at the end."""
        while True:
            while self._at < len(self._text):
                char = self._text[self._at]
                if char not in _BLANK and char != "\ufeff":
                    return char
                self._at += 1
            if self._ended or not self._more():
                return ""

    def take(self, wanted: str) -> None:
        """Consume one given character; raise JsonCutError where something else stands."""
        found = self.peek()
        if found != wanted:
            raise self._cut(f"expected {wanted!r}")
        self._at += 1

    def _cut(self, why: str) -> JsonCutError:
        where = self._dropped + self._at
        if not self.peek():
            return JsonCutError(f"the JSON ends in the middle, after {where} characters")
        return JsonCutError(f"not JSON from character {where} on: {why}")

    def value(self) -> tuple[Any, str]:
        """Decode the next value whole and give it with its exact text."""
        if not self.peek():
            raise self._cut("nothing left")
        while True:
            try:
                found, end = self._decoder.raw_decode(self._text, self._at)
            except RecursionError as error:
                raise JsonCutError("JSON nested too deep to be an export") from error
            except ValueError as error:
                self._refuse_crowds()
                if self._ended or len(self._text) - self._at > ITEM_LIMIT_CHARS or not self._more():
                    why = str(error)
                    self._at = len(self._text) if self._ended else self._at
                    raise self._cut(why) from error
                continue
            # a number at the edge of the window may go on behind it
            if end >= len(self._text) - 3 and not isinstance(found, (str, list, dict)) and not self._ended:
                self._more()
                continue
            text = self._text[self._at : end]
            if _too_deep(found, text):
                raise JsonCutError("JSON nested too deep to be an export")
            self._at = end
            return found, text

    def _refuse_crowds(self) -> None:
        """Refuse an item of which so much waits already that decoding it would take many times its size."""
        waiting = len(self._text) - self._at
        if waiting > CROWD_CHARS and crowded(self._text, self._at):
            raise JsonCutError(f"an item holds more values than are decoded at once, within its {waiting} characters")

    def elements(self) -> Iterator[tuple[Any, str]]:
        """Give each element of the array that begins here, with its exact text."""
        for _ in self.positions():
            yield self.value()

    def positions(self) -> Iterator[None]:
        """Stop before each element of the array that begins here; the caller must consume it."""
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        while True:
            yield None
            if self.peek() == ",":
                self.take(",")
                continue
            self.take("]")
            return

    def members(self) -> Iterator[str]:
        """Give each key of the object that begins here, standing before its value; the caller must consume it."""
        self.take("{")
        if self.peek() == "}":
            self.take("}")
            return
        while True:
            if self.peek() != '"':
                raise self._cut("expected a key")
            key, _ = self.value()
            self.take(":")
            yield str(key)
            if self.peek() == ",":
                self.take(",")
                continue
            self.take("}")
            return


_NESTS = {dict, list}


def _too_deep(value: Any, text: str) -> bool:  # noqa: ANN401 - whatever the document holds
    """Tell what would exhaust the stack of whoever walks it later; few brackets need no look."""
    if text.count("{") + text.count("[") < NESTING_LIMIT:
        return False
    level, depth = [value] if type(value) in _NESTS else [], 0
    while level and depth <= NESTING_LIMIT:
        depth += 1
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if type(child) in _NESTS
        ]
    return depth > NESTING_LIMIT


def as_bytes(text: str) -> bytes:
    """Give back the bytes that were decoded with ``surrogateescape``."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def needs_cleaning(text: str) -> bool:
    """Tell whether a JSON text may decode to strings that cannot be stored."""
    if "\\u" in text and ("\\ud" in text or "\\uD" in text):
        return True
    if text.isascii():
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def decoded_start(text: str) -> Any:  # noqa: ANN401 - whatever the document begins with
    """Decode the beginning of a JSON document as if every open bracket closed where the text was cut.

    Raises ValueError where the beginning is not JSON. A member or element that was cut is left out.
    """
    try:
        value, _ = json.JSONDecoder().raw_decode(text, len(text) - len(text.lstrip(_BLANK + "\ufeff")))
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    except ValueError:
        return _closed_and_decoded(text.lstrip(_BLANK + "\ufeff"))
    return value


def _closed_and_decoded(text: str) -> Any:  # noqa: ANN401 - whatever the document begins with
    closers: list[str] = []
    safe: tuple[int, str] | None = None
    at, size = 0, len(text)
    while at < size:
        char = text[at]
        if char == '"':
            at = _string_end(text, at + 1)
        elif char in "{[":
            closers.append("}" if char == "{" else "]")
            if len(closers) > NESTING_LIMIT:
                raise ValueError("nested too deep")
            safe = (at + 1, "".join(reversed(closers)))
        elif char in "}]":
            if not closers or closers.pop() != char:
                raise ValueError("brackets do not match")
            safe = (at + 1, "".join(reversed(closers)))
        elif char == ",":
            safe = (at, "".join(reversed(closers)))
        at += 1
    if safe is None:
        raise ValueError("no bracket at all")
    return json.loads(text[: safe[0]] + safe[1])


def _string_end(text: str, at: int) -> int:
    while (end := text.find('"', at)) >= 0:
        back = end - 1
        while back >= 0 and text[back] == "\\":
            back -= 1
        if (end - back) % 2 == 1:
            return end
        at = end + 1
    return len(text)
