"""A request in the words of the Messages protocol. Pure: what a model takes beyond the portable subset is handed in."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.domain.model import (
    Effort,
    ModelFacts,
    ModelRequest,
    Part,
    SealedBlock,
    TextBlock,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)
from bot.models.catalogue import Features

MARKS = 4
"""Prefixes that one request may mark for the cache: https://platform.claude.com/docs/en/build-with-claude/prompt-caching"""

Block = dict[str, Any]


def parameters(request: ModelRequest, facts: ModelFacts, features: Features, effort: Effort | None) -> dict[str, Any]:
    """Give the body of a request, the model's name included."""
    told = prompt(request, facts, features)
    told["max_tokens"] = min(request.max_output_tokens, facts.max_output_tokens)
    if features.thinking:
        told["thinking"] = {"type": "adaptive", "display": "summarized"}
    output: dict[str, Any] = {"effort": effort} if effort else {}
    schema = _held_to(request.answer_schema) if features.schema and request.answer_schema else None
    if schema is not None:
        output["format"] = {"type": "json_schema", "schema": schema}
    if output:
        told["output_config"] = output
    return told


def prompt(request: ModelRequest, facts: ModelFacts, features: Features) -> dict[str, Any]:
    """Give what of a request is read, and counted: the model, the instructions, the tools, the messages."""
    told: dict[str, Any] = {"model": facts.name, "messages": list(_messages(request))}
    if request.system.strip():
        told["system"] = [{"type": "text", "text": request.system}]
    if request.tools:
        told["tools"] = [_tool(tool) for tool in request.tools]
        told["tool_choice"] = {"type": "auto"}
    _mark(told["messages"], features.cache)
    return told


def _messages(request: ModelRequest) -> Iterator[Block]:
    if not request.turns or request.turns[0].role != "asker" or request.turns[-1].role != "asker":
        raise ValueError("a conversation begins and ends with the asker")
    first = Turn(role="asker", parts=(*request.prefix, *request.turns[0].parts))
    for turn in (first, *request.turns[1:]):
        # results of tools stand first, whatever else is said: the protocol wants it so
        parts = sorted(turn.parts, key=lambda part: not isinstance(part, ToolResult))
        content = [block for part in parts for block in _blocks(part)]
        yield {"role": "user" if turn.role == "asker" else "assistant", "content": content}


def _blocks(part: Part) -> Iterator[Block]:
    match part:
        case TextBlock(text=text, cacheable=cacheable):
            if text.strip():  # an empty one is refused
                yield {"type": "text", "text": _sent(text), "cache_control": cacheable}
        case ToolCall(id=name, name=tool, arguments=arguments):
            yield {"type": "tool_use", "id": name, "name": tool, "input": dict(arguments or {})}
        case ToolResult(call=call, text=text, failed=failed):
            told: Block = {"type": "tool_result", "tool_use_id": call}
            told["content"] = [{"type": "text", "text": _sent(text) if text.strip() else "(nothing)"}]
            yield told | ({"is_error": True} if failed else {})
        case SealedBlock(content=content):
            yield json.loads(content)


def _sent(text: str) -> str:
    """Give a text as it can be sent: what bytes of a log left that are no characters cannot."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _mark(messages: Sequence[Block], life: str | None) -> None:
    """Turn the wish to be cached into the protocol's mark, on the last blocks that want it, where the model caches."""
    wanting = [block for message in messages for block in message["content"] if block.get("cache_control") is True]
    kept = {id(block) for block in wanting[-MARKS:]} if life else set()
    for message in messages:
        for block in message["content"]:
            if block.get("cache_control") in (True, False):
                del block["cache_control"]
                if id(block) in kept:
                    block["cache_control"] = {"type": "ephemeral"} | ({"ttl": life} if life == "1h" else {})


def _tool(tool: Tool) -> Block:
    return {"name": tool.name, "description": tool.description, "input_schema": dict(tool.schema)}


def _held_to(schema: Mapping[str, object]) -> dict[str, Any] | None:
    """Give a schema as answers can be held to; None where it says more than that."""
    from anthropic import transform_schema  # noqa: PLC0415 - nobody waits for the library who asks no model

    try:
        return transform_schema(dict(schema))
    except (ValueError, TypeError):
        return None
