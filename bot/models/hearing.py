"""Putting an answer together from its stream, and knowing whether it was whole.

The library's own accumulation returns a cut stream as if it were complete, so the events are counted here. Servers write
less than the protocol says; whatever is missing is taken for nothing.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.domain.crowding import crowded
from bot.domain.model import ModelFacts, Part, SealedBlock, Spend, Stage, Stop, TextBlock, ToolCall, cost_usd

STOPS: dict[str, Stop] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "tool_use": "tools",
    "max_tokens": "length",
    "model_context_window_exceeded": "context",
}
OWN_CHARS_PER_TOKEN = 3.0
"""Characters of what a model writes, which is prose and JSON; only for an answer that broke off before it was counted."""


@dataclass(slots=True)
class Hearing:
    """What has arrived of one answer."""

    facts: ModelFacts
    model: str = ""
    stop: str | None = None
    category: str = ""
    begun: bool = False
    whole: bool = False
    chars: int = 0
    thought: str = ""
    stage: Stage = "waiting"
    _blocks: dict[int, dict[str, Any]] = field(default_factory=dict)
    _pieces: dict[int, list[str]] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def take(self, event: Any) -> None:  # noqa: ANN401 - the library's union of events, of which a server may send any part
        """Take one event of the stream."""
        match getattr(event, "type", None):
            case "message_start":
                self.begun = True
                self.model = getattr(event.message, "model", None) or self.facts.name
                self._count(getattr(event.message, "usage", None))
            case "content_block_start":
                self._blocks[event.index] = event.content_block.to_dict()
                self._pieces[event.index] = []
            case "content_block_delta":
                self._delta(event.index, event.delta)
            case "message_delta":
                self.stop = getattr(event.delta, "stop_reason", None) or self.stop
                details = getattr(event.delta, "stop_details", None)
                self.category = getattr(details, "category", None) or ""
                self._count(getattr(event, "usage", None))
            case "message_stop":
                self.whole = True
            case _:
                pass  # events are added to the protocol now and then

    @property
    def spend(self) -> Spend:
        """What this answer cost so far; what it wrote is estimated until it was counted."""
        written = self._counts.get("output_tokens", 0)
        if not self.whole:
            written = max(written, round(self.chars / OWN_CHARS_PER_TOKEN))
        spend = Spend(
            tokens_in=self._counts.get("input_tokens", 0),
            tokens_cached=self._counts.get("cache_read_input_tokens", 0),
            tokens_written=self._counts.get("cache_creation_input_tokens", 0),
            tokens_out=written,
        )
        return spend + Spend(cost_usd=cost_usd(self.facts.price, spend))

    @property
    def ended(self) -> Stop:
        """Why it ended; a server that knows fewer words than the protocol is judged by what it wrote."""
        if any(block.get("type") == "tool_use" for block in self._blocks.values()) and self.stop != "max_tokens":
            return "tools"
        return STOPS.get(self.stop or "", "end")

    def parts(self) -> Iterator[Part]:
        """Give the answer's parts in its order."""
        for index, block in sorted(self._blocks.items()):
            said = "".join(self._pieces[index])
            match block.get("type"):
                case "text":
                    if text := (block.get("text") or "") + said:
                        yield TextBlock(text=text)
                case "tool_use":
                    yield _call(block, said)
                case _:
                    yield SealedBlock(content=json.dumps(block, ensure_ascii=False))

    def _delta(self, index: int, delta: Any) -> None:  # noqa: ANN401 - see take
        pieces, block = self._pieces.setdefault(index, []), self._blocks.setdefault(index, {"type": "text", "text": ""})
        match getattr(delta, "type", None):
            case "text_delta":
                self.stage = "writing"
                pieces.append(delta.text)
                self.chars += len(delta.text)
            case "input_json_delta":
                self.stage = "writing"
                pieces.append(delta.partial_json)
                self.chars += len(delta.partial_json)
            case "thinking_delta":
                self.stage = "thinking"
                block["thinking"] = block.get("thinking", "") + delta.thinking
                self.thought = delta.thinking
                self.chars += len(delta.thinking)
            case "signature_delta":
                block["signature"] = delta.signature

    def _count(self, usage: Any) -> None:  # noqa: ANN401 - see take
        # the counts of a stream are totals; one that is left out keeps its value
        for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens"):
            counted = getattr(usage, name, None)
            if isinstance(counted, int):
                self._counts[name] = counted


def _call(block: dict[str, Any], said: str) -> ToolCall:
    arguments = block.get("input") or {}
    if said.strip():
        try:
            arguments = None if crowded(said) else json.loads(said)
        except (ValueError, RecursionError):
            arguments = None
    called = arguments if isinstance(arguments, dict) else None
    return ToolCall(id=str(block.get("id")), name=str(block.get("name")), arguments=called, raw=said)
