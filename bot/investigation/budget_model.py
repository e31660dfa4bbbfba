"""A model that asks its budget first: what the analysis is handed in place of the model itself."""

import hashlib
import json
import math
from collections.abc import Iterable

from bot.domain.model import (
    Heard,
    LanguageModel,
    ModelFacts,
    ModelProgress,
    ModelReply,
    ModelRequest,
    Part,
    Spend,
    TextBlock,
    ToolCall,
    ToolResult,
    Turn,
    cost_usd,
    ignore,
)
from bot.errors import ModelCutError, ModelError, ModelTimeoutError
from bot.investigation.budget import Ledger, Payer, Worst

LEAST_CHARS_PER_TOKEN = 1.5
"""Logs have 1.6 characters a token and more in every tokenizer measured."""
CALLERS_ERROR = 1.1
"""What a caller expects of a prompt's size may be off by some percent."""
CACHE_MARGIN_S = 300.0
"""A prefix is taken for kept only while it has this long to live, or half its life where that is shorter."""


class Metered:
    """A model whose every call is reserved in a ledger before it is made, and settled after."""

    def __init__(self, model: LanguageModel, ledger: Ledger, payer: Payer) -> None:
        """Let ``payer`` pay for what ``model`` is asked."""
        self._model = model
        self._ledger = ledger
        self._payer = payer

    @property
    def facts(self) -> ModelFacts:
        """What is known of the model."""
        return self._model.facts

    def count_tokens(self, request: ModelRequest) -> int | None:
        """Let the endpoint count, which costs nothing."""
        return self._model.count_tokens(request)

    def reply(self, request: ModelRequest, progress: ModelProgress = ignore) -> ModelReply:
        """Ask, where the budget allows the most that it could cost; raises BudgetError before anything is sent."""
        prefix = digest(self.facts, request)
        life = self.facts.cache_s
        kept = self._ledger.keeps(prefix, life - min(CACHE_MARGIN_S, life / 2))
        most = worst(self.facts, request, kept=kept)
        entry = self._ledger.reserve(self._payer, most, model=self.facts.name, prefix=prefix)
        known = Spend()

        def listen(heard: Heard) -> None:
            nonlocal known
            known = heard.spend
            if heard.stage == "retrying":
                self._ledger.extend(entry, self._payer, known, most)
            progress(heard)

        try:
            reply = self._model.reply(request, listen)
        except (ModelTimeoutError, ModelCutError):
            # what broke off before it began may have been read all the same, and be on the bill
            read = Spend(tokens_in=most.tokens - request.max_output_tokens)
            unsaid = read + Spend(cost_usd=cost_usd(self.facts.price, read))
            self._ledger.settle(entry, known if known.tokens else unsaid)
            raise
        except ModelError:
            self._ledger.settle(entry, known)
            raise
        self._ledger.settle(entry, reply.spend)
        return reply


def worst(facts: ModelFacts, request: ModelRequest, *, kept: bool = False) -> Worst:
    """Give the most that one try can cost; ``kept``: the model said that it keeps the prefix, and is taken at its word."""
    whole = sum(map(len, _texts(request)))
    if request.expected_tokens is not None:
        prompt = math.ceil(request.expected_tokens * CALLERS_ERROR)
    else:
        prompt = math.ceil(whole / LEAST_CHARS_PER_TOKEN)
    head = sum(len(block.text) for block in request.prefix) if any(b.cacheable for b in request.prefix) else 0
    cacheable = math.ceil(prompt * head / max(1, whole)) if facts.caches else 0
    out = min(request.max_output_tokens, facts.max_output_tokens)
    spend = Spend(
        tokens_in=prompt - cacheable,
        tokens_cached=cacheable if kept else 0,
        tokens_written=0 if kept else cacheable,
        tokens_out=out,
    )
    return Worst(tokens=spend.tokens, cost_usd=cost_usd(facts.price, spend))


def digest(facts: ModelFacts, request: ModelRequest) -> str:
    """Name what a model may keep of a prompt: all up to the prefix's end. Empty where there is nothing to keep."""
    if not facts.caches or not any(block.cacheable for block in request.prefix):
        return ""
    told = hashlib.sha256(f"{facts.name}\0{request.system}\0".encode())
    for tool in request.tools:
        told.update(json.dumps([tool.name, tool.description, tool.schema], sort_keys=True, default=str).encode())
    for block in request.prefix:
        told.update(f"\0{block.text}".encode())
    return told.hexdigest()


def said_chars(turns: Iterable[Turn]) -> int:
    """Count the characters of turns."""
    return sum(len(_text(part)) for turn in turns for part in turn.parts)


def _texts(request: ModelRequest) -> list[str]:
    parts = (*request.prefix, *(part for turn in request.turns for part in turn.parts))
    tools = [f"{tool.name}{tool.description}{json.dumps(tool.schema, default=str)}" for tool in request.tools]
    return [request.system, *tools, *map(_text, parts)]


def _text(part: Part) -> str:
    match part:
        case TextBlock(text=text) | ToolResult(text=text):
            return text
        case ToolCall(raw=raw, arguments=arguments):
            return raw or json.dumps(arguments, default=str)
    return part.content
