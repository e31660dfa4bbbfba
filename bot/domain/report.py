"""The report: one document behind every face. Field names are the JSON contract's; order is the print order.

Times are aware UTC ``datetime``; ``to_json`` prints them as RFC 3339. Durations are seconds.
"""

from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from typing import Any, Literal

from bot.domain.entity import Entity
from bot.domain.items import SourceCoverage
from bot.domain.link import Lag
from bot.domain.what_if import WhatIf
from bot.domain.window import rfc3339

SCHEMA = "rootcause.report/1"

Verdict = Literal["cause_found", "inconclusive", "no_incident"]
Confidence = Literal["high", "medium", "low"]
PredictionStatus = Literal["pending", "confirmed", "refuted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A citation: ``quote`` stands verbatim in the stored item; ``locator`` is ``<item id> <place>``."""

    source: str
    at: datetime | None
    entity: Entity
    quote: str
    url: str | None
    locator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedWindow:
    """The half-open window and the words used for it."""

    start: datetime
    end: datetime
    asked: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A stretch of time in which the symptom was felt, and how much."""

    start: datetime
    end: datetime
    count: int
    explained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """What people felt."""

    summary: str
    entity: Entity
    episodes: tuple[Episode, ...]
    explained: int
    """Episodes the cascade accounts for."""
    unexplained: int
    """Episodes it does not."""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RootCause:
    """What started it."""

    summary: str
    entity: Entity
    mechanism: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the cascade."""

    id: str
    summary: str
    entity: Entity
    mechanism: str
    first_at: datetime
    count: int
    evidence: tuple[str, ...]
    facts: tuple[str, ...] = ()
    """Settings that make this step possible, each as a sentence."""
    times: tuple[tuple[datetime, datetime], ...] = ()
    """Start and end of every occurrence, for timelines; at most some hundred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldFixed:
    """A tie asked again with something else held fixed.

    ``given``: what that was, a step's id, a phrase for something outside of the cascade, ``time of day`` or a beat; ``verdict``:
    whether the tie stays, is explained by it, or the data cannot tell; ``p_value`` is None where they cannot.
    """

    given: str
    verdict: Literal["stays", "explained", "cannot_tell"]
    p_value: float | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLink:
    """The measured tie between two steps."""

    cause: str
    effect: str
    status: Literal["supported", "refuted", "untested"]
    lag: Lag | None
    hits: int
    misses: int
    unexplained: int
    p_value: float | None
    test: str
    mechanism: str = ""
    resolution_s: float = 0.0
    """Step of the coarsest series that either end was seen in; a shorter lag tells no order. 0 where both are exact."""
    route: Literal["direct", "indirect", "cannot_tell"] | None = None
    """Whether the cause acts on the effect itself or by way of what ``given`` names; None where it was not asked."""
    given: HeldFixed | None = None
    """The tie with another step held fixed: one that precedes both ends, or one between them."""
    time_of_day: HeldFixed | None = None
    """The tie with the time of day held fixed; None where both do not come on several days."""
    rhythm: HeldFixed | None = None
    """The tie with the beat held fixed that both keep, named by ``given`` (``the hour``); None where they keep none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascade:
    """Steps in causal order, root cause first, symptom last."""

    steps: tuple[Step, ...] = ()
    links: tuple[StepLink, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributing:
    """Made it worse, did not start it."""

    entity: Entity
    summary: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuledOut:
    """Stood near, did not cause it."""

    entity: Entity
    summary: str
    reason: str
    test: str
    evidence: tuple[str, ...]
    times: tuple[tuple[datetime, datetime], ...] = ()
    """Start and end of every occurrence, for timelines; at most some hundred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlQuestion:
    """Asked by the program of itself; ``verdict`` is ``passed`` or ``failed``."""

    question: str
    answer: str
    verdict: Literal["passed", "failed"]
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a person said caused it, held against telemetry."""

    author: str
    quote: str
    status: Literal["supported", "refuted", "untested"]
    reason: str
    permalink: str | None
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Falsifiable: the symptom at ``at``, give or take ``window`` (``start``, ``end``)."""

    summary: str
    at: datetime
    window: tuple[datetime, datetime]
    status: PredictionStatus = "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """What to change, why, and what it would have spared, counted in the window."""

    summary: str
    rationale: str
    change: str | None
    effect: str
    spared: int | None = None
    what_if: tuple[WhatIf, ...] = ()
    """What this and other values of the setting would have spared, the recommended one first; empty where none has a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """How many pairs of things were tested, how many hold, and what keeps chance from passing for a tie."""

    pairs: int
    supported: int
    rate: float
    """Level of the false discovery rate within each family of pairs."""
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the answer cost; ``seconds`` by stage."""

    analyst: str = "offline"
    tokens_in: int = 0
    tokens_cached: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """Something in a model's answer that did not hold: the kind of mistake, where it stood, and the detail."""

    kind: str
    where: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmeasured:
    """A step that a model reads in the evidence and that nothing measured; always untested."""

    summary: str
    entity: Entity
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """How many of several readings, each with the evidence in another order, tie the same two things together."""

    cause: str
    effect: str
    agree: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a model read, and how its answer stood up to the measurements.

    ``agrees``: the model names the root cause that the report names; ``words``: its own summary, shown as its own;
    ``differences``: where model and measurements disagree; ``failure``: why there is no answer of a model, empty else.
    """

    model: str
    mode: Literal["whole", "digest"] = "whole"
    agrees: bool = False
    words: str = ""
    differences: tuple[str, ...] = ()
    unmeasured: tuple[Unmeasured, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    votes: tuple[Vote, ...] = ()
    requests: int = 0
    """Things the model looked up in the case beside what it was handed."""
    handed: dict[str, str] = field(default_factory=dict)
    """By source, how much of it the model was handed, in words: ``all 7,665 lines``."""
    redacted: dict[str, int] = field(default_factory=dict)
    """Secrets and personal data that did not leave, counted by kind."""
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole answer. ``reasons`` says what capped the confidence."""

    case: str
    window: AskedWindow
    question: str
    verdict: Verdict
    confidence: Confidence
    summary: str
    symptom: Symptom | None = None
    root_cause: RootCause | None = None
    cascade: Cascade = field(default_factory=Cascade)
    contributing: tuple[Contributing, ...] = ()
    ruled_out: tuple[RuledOut, ...] = ()
    undecided: tuple[RuledOut, ...] = ()
    """What stood near and the tests could not tell of; ``reason`` says why."""
    control_questions: tuple[ControlQuestion, ...] = ()
    claims: tuple[Claim, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    recommendations: tuple[Recommendation, ...] = ()
    reasons: tuple[str, ...] = ()
    coverage: tuple[SourceCoverage, ...] = ()
    evidence: dict[str, Evidence] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    reading: Reading | None = None
    tested: Tested | None = None
    schema: str = SCHEMA

    @property
    def unsaid_reasons(self) -> tuple[str, ...]:
        """The reasons that the summary does not give already."""
        said = self.summary.lower()
        return tuple(reason for reason in self.reasons if reason.lower() not in said)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTest:
    """The numbers behind a ``related`` or ``unrelated``."""

    hits: int
    misses: int
    lag: Lag | None
    p_value: float | None
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to a follow-up."""

    question: str
    answer: str
    verdict: Literal["related", "unrelated", "unknown", "answered"]
    evidence: dict[str, Evidence] = field(default_factory=dict)
    test: AnswerTest | None = None
    case: str = ""
    usage: Usage = field(default_factory=Usage)
    notes: tuple[str, ...] = ()
    """What a person should know of how it was answered: a model that failed, words that were dropped."""


def to_json(value: Any) -> Any:  # noqa: ANN401 - any report part goes in, any JSON value comes out
    """Turn a report, or any part of one, into plain JSON values; times as RFC 3339 UTC, ``schema`` first."""
    if is_dataclass(value) and not isinstance(value, type):
        named = {part.name: to_json(getattr(value, part.name)) for part in fields(value)}
        return {"schema": named.pop("schema"), **named} if "schema" in named else named
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, dict):
        return {str(key): to_json(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(part) for part in value]
    return value
