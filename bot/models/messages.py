"""The port's adapter: one question asked of an endpoint that speaks the Messages protocol, however often it takes.

Always streamed, for a long answer that is not dies in a proxy. The deadline is the whole call's, and what an endpoint asks
to be waited for is waited for only while it fits. A try that had begun to answer was paid, so it is repeated once at most.
"""

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import Any

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from bot.domain.model import Heard, ModelFacts, ModelProgress, ModelReply, ModelRequest, Spend, Stage, ignore, says
from bot.errors import ModelBusyError, ModelError, ModelUnreachableError
from bot.models import bridge, catalogue, clients, wire
from bot.models.hearing import Hearing
from bot.settings import ModelSettings

COUNT_S = 20.0
"""Seconds for the counting of tokens, without which there is an estimate."""
TELL_EVERY_S = 0.25
PAUSED = "pause_turn"
"""A turn that the endpoint broke off to go on later, for tools of its own: none are asked for here, so it is no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """When to ask again."""

    tries: int = 5
    unreached: int = 3
    """Of them, those at an address where nobody answers."""
    begun: int = 2
    """Of them, those that had begun to answer: their prompt was paid."""
    first_pause_s: float = 1.0
    largest_pause_s: float = 30.0
    least_s: float = 5.0
    """A try with less time than this left is not worth its price."""


@dataclass(slots=True, kw_only=True)
class _Call:
    """One question's state over its tries."""

    ends: float
    line: bridge.Line
    spend: Spend = field(default_factory=Spend)
    tries: int = 0
    begun: int = 0
    _told_at: float = 0.0

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self.ends - time.monotonic()

    def heard(self, stage: Stage, chars: int = 0, thought: str = "", more: Spend | None = None) -> Heard:
        """Say how far the call is."""
        spend = self.spend + more if more else self.spend
        return Heard(stage=stage, spend=spend, chars=chars, thought=thought, tries=self.tries)

    def hear(self, hearing: Hearing) -> None:
        """Pass on how far an answer is, now and then."""
        now = time.monotonic()
        if now - self._told_at >= TELL_EVERY_S:
            self._told_at = now
            self.line.tell(self.heard(hearing.stage, hearing.chars, hearing.thought, hearing.spend))

    def count(self, hearing: Hearing) -> None:
        """Add what a try cost."""
        self.spend = self.spend + hearing.spend
        self.begun += hearing.begun


class MessagesModel:
    """A model behind the Messages protocol."""

    def __init__(self, settings: ModelSettings, patience: Patience | None = None) -> None:
        """Look at the settings; raises UsageError for ones that cannot work. Connects to nothing."""
        self._settings = settings
        self._known = catalogue.configured(settings)
        self._patience = patience or Patience()
        clients.check(settings, self._known)
        self._host = clients.host_of(settings, self._known)

    @property
    def facts(self) -> ModelFacts:
        """What is known of the model."""
        return self._known.facts

    @property
    def host(self) -> str:
        """Where it is asked, for people."""
        return self._host

    def reply(self, request: ModelRequest, progress: ModelProgress = ignore) -> ModelReply:
        """Ask and wait for the whole answer."""
        from bot.models import failures  # noqa: PLC0415 - nobody waits for the library who asks no model

        try:
            reply: ModelReply = bridge.run(lambda line: self._reply(request, line), progress, request.deadline_s)
        except TimeoutError as error:
            raise failures.too_late(self._host, request.deadline_s) from error
        return reply

    def count_tokens(self, request: ModelRequest) -> int | None:
        """Let the endpoint count a request's tokens."""
        if not self._known.features.counts:
            return None
        try:
            counted: int = bridge.run(lambda _line: self._count(request), ignore, min(COUNT_S, request.deadline_s))
        except (ModelError, TimeoutError):
            return None
        return counted

    def check(self, deadline_s: float = COUNT_S) -> None:
        """Find out whether it answers, as cheaply as it goes; raises a ModelError where it does not."""
        from bot.models import failures  # noqa: PLC0415 - see above

        request = ModelRequest(system="", turns=(says("Say ok."),), max_output_tokens=64, deadline_s=deadline_s)
        if not self._known.features.counts:
            self.reply(request)
            return
        try:
            bridge.run(lambda _line: self._count(request), ignore, deadline_s)
        except TimeoutError as error:
            raise failures.too_late(self._host, deadline_s) from error

    async def _reply(self, request: ModelRequest, line: bridge.Line) -> ModelReply:
        effort = catalogue.effort_of(self._known.features, request.effort, self._settings.effort)
        body = wire.parameters(request, self._known.facts, self._known.features, effort)
        call = _Call(ends=time.monotonic() + request.deadline_s, line=line)

        async def allowed(_state: RetryCallState) -> None:
            await line.ask(call.heard("retrying"))

        again = AsyncRetrying(
            stop=stop_after_attempt(self._patience.tries),
            retry=retry_if_exception(lambda error: self._worth_again(error, call)),
            wait=lambda state: self._pause_s(state) * random.uniform(1.0, 1.25),  # noqa: S311 - spreads, hides nothing
            before_sleep=allowed,
            reraise=True,
        )
        async with asyncio.timeout(request.deadline_s), clients.client(self._settings, self._known) as client:
            reply: ModelReply = await again(self._try, client, body, call)
            return reply

    async def _try(self, client: Any, body: dict[str, Any], call: _Call) -> ModelReply:  # noqa: ANN401 - see clients
        from bot.models import failures  # noqa: PLC0415 - nobody waits for the library who asks no model

        hearing = Hearing(facts=self.facts)
        call.tries += 1
        call.line.tell(call.heard("waiting"))
        try:
            async with await client.messages.create(**body, stream=True) as stream:
                async for event in stream:
                    hearing.take(event)
                    call.hear(hearing)
        except failures.foreign() as error:
            raise failures.translate(error, self._host, begun=hearing.begun) from error
        finally:
            # told once more, so that a call that its deadline ends has said what it cost
            call.count(hearing)
            call.line.tell(call.heard(hearing.stage, hearing.chars))
        if hearing.stop == "refusal":
            raise failures.declined(hearing.category)
        if not hearing.whole or hearing.stop == PAUSED:
            raise failures.cut(self._host) if hearing.begun else failures.garbled(self._host)
        parts = tuple(hearing.parts())
        return ModelReply(parts=parts, stop=hearing.ended, spend=call.spend, model=hearing.model, tries=call.tries)

    def _worth_again(self, error: BaseException, call: _Call) -> bool:
        if not isinstance(error, ModelBusyError) or call.begun >= self._patience.begun:
            return False
        if isinstance(error, ModelUnreachableError) and call.tries >= self._patience.unreached:
            return False
        return call.left - self._pause_after(error, call.tries) >= self._patience.least_s

    def _pause_s(self, state: RetryCallState) -> float:
        failed = state.outcome.exception() if state.outcome else None
        return self._pause_after(failed, state.attempt_number)

    def _pause_after(self, error: BaseException | None, tries: int) -> float:
        asked = getattr(error, "wait_s", None) or 0.0
        return float(max(asked, min(self._patience.first_pause_s * 2 ** (tries - 1), self._patience.largest_pause_s)))

    async def _count(self, request: ModelRequest) -> int:
        from bot.models import failures  # noqa: PLC0415 - see above

        body = wire.prompt(request, self.facts, self._known.features)
        async with asyncio.timeout(COUNT_S), clients.client(self._settings, self._known) as client:
            try:
                counted = await client.messages.count_tokens(**body)
            except failures.foreign() as error:
                raise failures.translate(error, self._host) from error
            return int(counted.input_tokens)
