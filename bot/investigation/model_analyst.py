"""What is needed to ask a model: the model, what it may cost, what passes on the way, and how a person wants it asked.

One conversation is opened from it, for an investigation and for a follow-up alike. Leaves out what is asked.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.analyst.model_answer import UnreadableAnswerError
from bot.analyst.model_prompt import SYSTEM
from bot.analyst.model_tools import LiveQuery, Lookup, tools_for
from bot.analyst.packing import ECONOMY_BUDGET
from bot.analyst.packing_material import Withheld
from bot.analyst.proofs import WRITABLE
from bot.casefile.case import Case
from bot.casefile.search import search
from bot.domain.model import Heard, LanguageModel, ModelFacts, ModelRequest, Spend, TextBlock, says
from bot.domain.ports import Progress
from bot.domain.report import Usage
from bot.errors import RootcauseError
from bot.investigation.model_talk import Deadline, Gate, Talk

LOOK_UPS = 6
"""Rounds of calls before an answer where the model was handed all that fits."""
DIGEST_LOOK_UPS = 12
"""Rounds where it was handed a digest."""
ANSWERS_TOKENS = 60_000
"""Room in the context for questions, answers, thinking and what the tools give."""
DIGEST_TOKENS = ECONOMY_BUDGET
"""What a digest may take: a sixteenth of a large context's price."""

COUNTING = 0.2
"""The part of a deadline that may go by until the endpoint has counted."""
SAFE = 0.98
"""What is packed anew is a little smaller than the count asks for: parts of a case differ in tokens by character."""

MARK = "<SECRET:"
"""How the mark of a secret that was taken out begins."""

Mode = Literal["whole", "digest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A case as a model is handed it, redacted: the same bytes for the same case and order.

    ``read`` says in words how much of each source is in it.
    """

    prefix: tuple[TextBlock, ...]
    read: Mapping[str, str]
    tokens: int = 0
    withheld: tuple[Withheld, ...] = ()
    """What could not be searched for secrets, so a mark went in its place."""


class Egress(Gate, Protocol):
    """The way of one case to a model, and back."""

    def pack(self, tokens: int, order: int, *, digest: bool) -> Handed:
        """Pack the case into so many tokens; an ``order`` above 0 gives the same evidence in another one."""
        ...

    @property
    def removed(self) -> Mapping[str, int]:
        """What was taken out so far, by kind."""
        ...

    def verbatim(self, quote: str, original: str) -> str | None:
        """Give the stored words that a quote with marks of secrets in it stands for, without the secrets."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A model that is paid for one case, and the way to it."""

    model: LanguageModel
    egress: Egress
    live: tuple[LiveQuery, ...] = ()
    """Queries of live sources that it may ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnalyst:
    """A model and how a person wants it asked; ``session`` makes what one case needs."""

    facts: ModelFacts
    session: Callable[[Case], Session]
    votes: int = 1
    """Readings in all, each with the evidence in another order."""
    economy: bool = False
    """Hand over a digest and let the model ask for what it needs, instead of all that fits."""
    deadline_s: float = 600.0
    """Wall clock of all calls of one investigation in seconds."""
    follow_up_deadline_s: float = 50.0
    """Of one follow-up: a thread waits a minute."""

    @property
    def mode(self) -> Mode:
        """Whether the model is handed all that fits, or a digest."""
        return "digest" if self.economy else "whole"

    @property
    def rounds(self) -> int:
        """How many rounds of calls it has."""
        return DIGEST_LOOK_UPS if self.economy else LOOK_UPS

    @property
    def tokens(self) -> int:
        """What the evidence may take."""
        room = max(self.facts.context_tokens - ANSWERS_TOKENS, self.facts.context_tokens // 2)
        return min(room, DIGEST_TOKENS) if self.economy else room


def unheard(_stage: str, _done: int, _total: int | None) -> None:
    """Tell nobody."""


FAILURES = (RootcauseError, UnreadableAnswerError)
"""What a model's part may end with; the investigation goes on without it."""


def failure_words(error: Exception) -> str:
    """Say why a model gave no answer that can be used."""
    if not isinstance(error, UnreadableAnswerError):
        return str(error)
    return f"The model's answer could not be read, and not after it was asked again either: {error.problems[0]}."


def used(spend: Spend, analyst: str) -> Usage:
    """Give what was spent as a report carries it."""
    return Usage(
        analyst=analyst,
        tokens_in=spend.tokens_in + spend.tokens_written,
        tokens_cached=spend.tokens_cached,
        tokens_out=spend.tokens_out,
        cost_usd=round(spend.cost_usd, 6),
    )


def opened(
    analyst: ModelAnalyst, session: Session, lookup: Lookup, deadline_s: float, progress: Progress = unheard
) -> tuple[Talk, Handed]:
    """Pack a case and begin a conversation about it; an investigation and its follow-ups begin with the same bytes.

    Where the endpoint counts tokens, its count takes the estimate's place: less is packed if the estimate was too low, and
    the budget reserves what is going to be read. Where it does not answer, the estimate stands.
    """
    handed = session.egress.pack(analyst.tokens, 0, digest=analyst.economy)
    deadline = Deadline(deadline_s)
    counted = _counted(session, handed, lookup, deadline)
    if counted is not None and counted > analyst.tokens:
        smaller = int(analyst.tokens * analyst.tokens / counted * SAFE)
        handed = session.egress.pack(smaller, 0, digest=analyst.economy)
        counted = _counted(session, handed, lookup, deadline)

    def heard(_heard: Heard) -> None:
        progress("model", 0, None)

    talk = Talk(
        model=session.model,
        system=SYSTEM,
        prefix=handed.prefix,
        gate=session.egress,
        deadline=deadline,
        heard=heard,
        lookup=lookup,
        rounds=analyst.rounds,
        counted=counted,
    )
    return talk, handed


def _counted(session: Session, handed: Handed, lookup: Lookup, deadline: Deadline) -> int | None:
    """Let the endpoint count what every question begins with; None where it cannot, or does not in a part of the time."""
    if not session.model.facts.counts_tokens:
        return None
    request = ModelRequest(
        system=SYSTEM,
        prefix=handed.prefix,
        turns=(says("?"),),
        tools=tools_for(lookup),
        deadline_s=deadline.left_s() * COUNTING,
    )
    return session.model.count_tokens(request)


def writable_words(case: Case, live: Sequence[str] = ()) -> Callable[[str], bool]:
    """Tell whether words stand where a user of the system can write, what was read live included."""

    def written(words: str) -> bool:
        if any(words.casefold() in text.casefold() for text in live):
            return True
        return any(hit.source in WRITABLE for hit in search(case, words, limit=5).hits)

    return written
