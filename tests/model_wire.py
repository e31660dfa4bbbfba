"""What a Messages endpoint puts on the wire, and what it refuses to take off it.

Written from the published API and from what was seen of it: the order of the events, the empty first piece of a tool's
arguments, counts that accumulate, the sentences of its refusals. Nothing here knows the client.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

VERSIONS = ("2023-06-01", "2026-10-21")
KNOWN_FIELDS = frozenset(
    [
        "cache_control",
        "container",
        "diagnostics",
        "inference_geo",
        "max_tokens",
        "messages",
        "metadata",
        "model",
        "output_config",
        "service_tier",
        "speed",
        "stop_sequences",
        "stream",
        "system",
        "thinking",
        "tool_choice",
        "tools",
    ]
)
PORTABLE_FIELDS = frozenset(["max_tokens", "messages", "model", "stream", "system", "tools", "tool_choice"])
"""What every compatible server understands."""
EFFORTS = ("low", "medium", "high", "xhigh", "max")
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
UNSUPPORTED_IN_SCHEMA = frozenset(
    ["minimum", "maximum", "minLength", "maxLength", "pattern", "maxItems", "multipleOf", "oneOf"]
)
SIGNATURE = "sealed:"


class Refusal(Exception):  # noqa: N818 - an answer of the server, not a fault of it
    """An answer that is no message."""

    def __init__(self, status, kind, message, headers=(), *, body=None):
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.headers = dict(headers)
        self.body = body

    def json(self, request_id):
        """Write the body as the API words it."""
        if self.body is not None:
            return self.body
        error = {"type": self.kind, "message": str(self), "details": None}
        return json.dumps({"type": "error", "error": error, "request_id": request_id}).encode()


def invalid(message):
    """Refuse a request for its form."""
    return Refusal(400, "invalid_request_error", message)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as it came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def system(self):
        """The system prompt's text."""
        given = self.body.get("system", "")
        return given if isinstance(given, str) else "".join(block["text"] for block in given)

    @property
    def texts(self):
        """Every text of the asker in order, results of tools included."""
        return [
            text
            for message in self.body["messages"]
            if message["role"] == "user"
            for block in blocks(message["content"])
            for text in texts_of(block)
        ]

    @property
    def question(self):
        """The last text of the asker."""
        return self.texts[-1]

    @property
    def results(self):
        """The results of tools handed in with the last turn, by the call's id."""
        last = blocks(self.body["messages"][-1]["content"])
        return {b["tool_use_id"]: "".join(texts_of(b)) for b in last if b["type"] == "tool_result"}


def blocks(content):
    """Give a content as blocks, a bare text included."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def texts_of(block):
    """Give the texts in a block."""
    if block["type"] == "text":
        return [block["text"]]
    if block["type"] == "tool_result":
        return [text for inner in blocks(block.get("content", "")) for text in texts_of(inner)]
    return []


def tokens(text):
    """Count tokens as this server does: two characters of a log make one."""
    return -(-len(text) // 2)


def prompt_blocks(body):
    """Give every block of the prompt in the order in which a cache sees it: tools, system, messages."""
    yield from body.get("tools", [])
    yield from blocks(body.get("system", []))
    for message in body["messages"]:
        yield from blocks(message["content"])


def weight(block):
    """Count a block's tokens."""
    return tokens(json.dumps({k: v for k, v in block.items() if k != "cache_control"}, ensure_ascii=False)) + 4


def prompt_tokens(body):
    """Count the prompt."""
    return sum(weight(block) for block in prompt_blocks(body))


@dataclass
class Cache:
    """The prefixes that were read before; one server's memory."""

    known: set[str] = field(default_factory=set)
    least: int = 512

    def usage(self, body):
        """Say what of the prompt is read anew, from the cache, and into it; remember the marked prefixes."""
        seen, cached, written, upto = "", 0, {"5m": 0, "1h": 0}, 0
        model = body["model"]
        for block in prompt_blocks(body):
            mark = block.get("cache_control")
            seen = f"{hash((model, seen, json.dumps({k: v for k, v in block.items() if k != 'cache_control'})))}"
            upto += weight(block)
            if mark is None or upto < self.least:
                continue
            if seen in self.known:
                cached = upto
            else:
                written[mark.get("ttl", "5m")] += upto - cached - sum(written.values())
                self.known.add(seen)
        return {
            "input_tokens": upto - cached - sum(written.values()),
            "cache_creation_input_tokens": sum(written.values()),
            "cache_read_input_tokens": cached,
            "cache_creation": {f"ephemeral_{ttl}_input_tokens": count for ttl, count in written.items()},
            "output_tokens": 1,
            "service_tier": "standard",
            "inference_geo": "global",
        }


def check(asked, *, counting=False):
    """Refuse what the API refuses; raises Refusal."""
    body = asked.body
    if asked.headers.get("anthropic-version") not in VERSIONS:
        raise invalid("anthropic-version: header is required")
    _fields(body, counting)
    _messages(body["messages"])
    _cache_marks(body)
    _tools(body)
    _thinking(body)
    _output(body.get("output_config") or {})


def _fields(body, counting):
    for name in ("temperature", "top_p", "top_k"):
        if name in body:
            raise invalid(f"{name}: this parameter is no longer supported")
    for name in body.keys() - KNOWN_FIELDS:
        raise invalid(f"{name}: Extra inputs are not permitted")
    for name in {"model", "messages"} | (set() if counting else {"max_tokens"}):
        if name not in body:
            raise invalid(f"{name}: Field required")
    if not counting and not 1 <= body["max_tokens"] <= 128_000:
        raise invalid(
            f"max_tokens: {body['max_tokens']} > 128000, which is the maximum allowed number of output tokens"
        )


def _messages(messages):
    if not messages or messages[0]["role"] != "user":
        raise invalid('messages: first message must use the "user" role')
    if messages[-1]["role"] != "user":
        raise invalid(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
    called = set()
    for number, message in enumerate(messages):
        content = blocks(message["content"])
        for block in content:
            _block(block, f"messages.{number}.content")
        answered = {block["tool_use_id"] for block in content if block["type"] == "tool_result"}
        if message["role"] == "user":
            if called - answered:
                ids = ", ".join(sorted(called - answered))
                raise invalid(
                    f"messages.{number - 1}: `tool_use` ids were found without `tool_result` blocks immediately after: {ids}"
                )
            if answered - called:
                ids = ", ".join(sorted(answered - called))
                raise invalid(f"messages.{number}: unexpected `tool_use_id` found in `tool_result` blocks: {ids}")
            if answered and [b["type"] for b in content[: len(answered)]] != ["tool_result"] * len(answered):
                raise invalid(f"messages.{number}: tool_result blocks must come first")
        called = {block["id"] for block in content if block["type"] == "tool_use"}


def _block(block, where):
    if block["type"] == "text" and not block["text"].strip():
        raise invalid(f"{where}: text content blocks must contain non-whitespace text")
    if block["type"] == "thinking" and not block["signature"].startswith(SIGNATURE):
        raise invalid(f"{where}: Invalid `signature` in `thinking` block")
    if block["type"] not in ("text", "thinking", "redacted_thinking", "tool_use", "tool_result", "document"):
        raise invalid(
            f"{where}: Input tag '{block['type']}' found using 'type' does not match any of the expected tags"
        )


def _cache_marks(body):
    marks = [block["cache_control"] for block in prompt_blocks(body) if block.get("cache_control")]
    if len(marks) > 4:
        raise invalid(f"A maximum of 4 blocks with cache_control may be provided. Found {len(marks)}.")
    if any(mark.get("type") != "ephemeral" or mark.get("ttl", "5m") not in ("5m", "1h") for mark in marks):
        raise invalid("cache_control.ttl: Input should be '5m' or '1h'")
    ttls = [mark.get("ttl", "5m") for mark in marks]
    if ttls != sorted(ttls):  # "1h" sorts before "5m"
        raise invalid("a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block")


def _tools(body):
    names = [tool["name"] for tool in body.get("tools", [])]
    if any(not TOOL_NAME.fullmatch(name) for name in names) or len(set(names)) < len(names):
        raise invalid("tools: names must be unique and match '^[a-zA-Z0-9_-]{1,128}$'")
    if any(tool["input_schema"].get("type") != "object" for tool in body.get("tools", [])):
        raise invalid("tools.0.input_schema.type: Input should be 'object'")
    choice = body.get("tool_choice", {}).get("type", "auto")
    if choice in ("any", "tool"):
        raise invalid("tool_choice: forcing tool use is not supported when thinking is on")


def _thinking(body):
    kind = (body.get("thinking") or {}).get("type", "adaptive")
    if kind != "adaptive":
        raise invalid(f'"thinking.type.{kind}" is not supported for this model.')


def _output(config):
    if config.get("effort", "high") not in EFFORTS:
        raise invalid("output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'")
    if config.get("format"):
        _schema(config["format"]["schema"], "output_config.format.schema")


def _schema(schema, where):
    if isinstance(schema, list):
        for each in schema:
            _schema(each, where)
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        raise invalid(f"{where}: For 'object' type, 'additionalProperties' must be explicitly set to false")
    for word in schema.keys() & UNSUPPORTED_IN_SCHEMA:
        if not isinstance(schema[word], dict):  # a property may well be called "pattern"
            raise invalid(f"{where}: For '{schema.get('type')}' type, property '{word}' is not supported")
    for each in schema.values():
        _schema(each, where)


def check_portable(asked):
    """Refuse what some compatible server chokes on, or drops without a word."""
    body = asked.body
    for name in sorted(body.keys() - PORTABLE_FIELDS):
        raise invalid(f"{name} is more than every compatible server understands")
    if body.get("tool_choice", {"type": "auto"}) != {"type": "auto"}:
        raise invalid("tool_choice is more than every compatible server understands")
    _messages(body["messages"])
    for block in prompt_blocks({**body, "tools": []}):
        if block["type"] not in ("text", "tool_use", "tool_result", "thinking") or "cache_control" in block:
            raise invalid(f"{block} is more than every compatible server understands")
