"""One conversation with a model about one case: the same rules and evidence before every question, so that they are read once.

Every text passes the gate, and every call ends within what is left of the deadline. Leaves out what is asked.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Protocol, TypeVar

from bot.analyst.model_answer import UnreadableAnswerError
from bot.analyst.model_prompt import LAST_ROUND, mend
from bot.analyst.model_tools import Asked, Lookup, answered, tools_for
from bot.domain.model import (
    Heard,
    LanguageModel,
    ModelReply,
    ModelRequest,
    Part,
    Spend,
    TextBlock,
    ToolCall,
    ToolResult,
    Turn,
    says,
)
from bot.errors import ModelCutError, ModelTimeoutError, RedactionError
from bot.investigation.budget_model import LEAST_CHARS_PER_TOKEN, said_chars

ANSWER_TOKENS = 16_000
"""Room for an answer and the thinking before it."""
_Read = TypeVar("_Read")
LEAST_S = 1.0
"""Less of the deadline than this is not worth a call."""


class Gate(Protocol):
    """What text passes on its way to a model, and back."""

    def clean(self, text: str) -> str:
        """Take out what must not leave."""
        ...

    def restore(self, text: str) -> str:
        """Put back the names that stand behind pseudonyms, for what is shown here."""
        ...


@dataclass(slots=True)
class Deadline:
    """A total of wall clock, counted from the first look at it."""

    total_s: float
    now: Callable[[], float] = monotonic
    begun: float = field(init=False)

    def __post_init__(self) -> None:
        self.begun = self.now()

    def left_s(self) -> float:
        """Give the seconds left; raises ModelTimeoutError where there is no time for a call."""
        left = self.total_s - (self.now() - self.begun)
        if left < LEAST_S:
            raise ModelTimeoutError(
                f"The model had {self.total_s:.0f} s for all of its answers, and they are over: "
                "ask for a shorter window, or set ROOTCAUSE_MODEL_DEADLINE higher."
            )
        return left


@dataclass(slots=True, kw_only=True)
class Talk:
    """The conversation so far; ``fork`` begins another from the same evidence."""

    model: LanguageModel
    system: str
    prefix: tuple[TextBlock, ...]
    gate: Gate
    deadline: Deadline
    heard: Callable[[Heard], None]
    lookup: Lookup
    rounds: int
    counted: int | None = None
    """Tokens of the rules, the tools and the evidence, where the endpoint counted them."""
    spent: list[Spend] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    asked: Asked = field(default_factory=Asked)
    given: list[str] = field(default_factory=list)
    """What the tools gave, before the gate."""
    withheld: int = 0
    """Rows of what the tools gave that could not be searched for secrets."""

    def fork(self, prefix: tuple[TextBlock, ...] | None = None) -> "Talk":
        """Begin anew with the same evidence, or the same in another order; what is spent counts together."""
        return replace(self, prefix=self.prefix if prefix is None else prefix, turns=[], asked=Asked(), given=[])

    @property
    def spend(self) -> Spend:
        """What the whole conversation, its forks included, has used."""
        return sum(self.spent, Spend())

    def say(self, text: str) -> str:
        """Say something; carry out what the model looks up on the way, so many rounds; give its answer."""
        turn = says(self.gate.clean(text))
        for left in range(self.rounds, -2, -1):
            reply = self._reply(turn)
            if not reply.calls:
                return reply.text
            results = [self._passed(call, left) for call in reply.calls]
            # the last round's results come with the word that it was the last
            last: list[Part] = [TextBlock(text=LAST_ROUND)] if left <= 1 else []
            turn = Turn(role="asker", parts=(*results, *last))
        raise UnreadableAnswerError(["it went on calling tools where it was to answer"])

    def _passed(self, call: ToolCall, left: int) -> ToolResult:
        if left <= 0:
            return ToolResult(call=call.id, text="There are no more calls.", failed=True)
        result = answered(call, self.lookup, self.asked)
        self.given.append(result.text)
        return replace(result, text=self._cleaned(result.text))

    def _cleaned(self, text: str) -> str:
        """Take out what must not leave; a row that cannot be searched does not leave at all."""
        try:
            return self.gate.clean(text)
        except RedactionError:
            rows = []
        for row in text.split("\n"):
            try:
                rows.append(self.gate.clean(row))
            except RedactionError:
                self.withheld += 1
                rows.append('{"withheld": "it could not be searched for secrets"}')
        return "\n".join(rows)

    def _reply(self, turn: Turn) -> ModelReply:
        request = ModelRequest(
            system=self.system,
            prefix=self.prefix,
            turns=(*self.turns, turn),
            tools=tools_for(self.lookup),
            max_output_tokens=min(ANSWER_TOKENS, self.model.facts.max_output_tokens),
            deadline_s=self.deadline.left_s(),
            expected_tokens=self._expected(turn),
        )
        reply = self._paid(request)
        self.turns += [turn, reply.turn]
        if not reply.complete:
            raise ModelCutError("The model's answer was cut before its end: it wrote more than it may.")
        return reply

    def _expected(self, turn: Turn) -> int | None:
        """Give what the endpoint counted and, estimated, what was said since; None where it counted nothing."""
        if self.counted is None:
            return None
        return self.counted + math.ceil(said_chars((*self.turns, turn)) / LEAST_CHARS_PER_TOKEN)

    def _paid(self, request: ModelRequest) -> ModelReply:
        """Ask, and count what it cost however it ended: a call that fails has been paid as far as it came."""
        cost = Spend()

        def heard(so_far: Heard) -> None:
            nonlocal cost
            cost = so_far.spend
            self.heard(so_far)

        try:
            reply = self.model.reply(request, heard)
            cost = reply.spend
        finally:
            self.spent.append(cost)
        return reply


def read_or_mended(talk: Talk, text: str, read: Callable[[str], _Read]) -> _Read:
    """Read an answer; ask once to mend one that cannot be read. Raises UnreadableAnswerError where that fails too."""
    try:
        return read(text)
    except UnreadableAnswerError as error:
        return read(talk.say(mend(error.problems)))
