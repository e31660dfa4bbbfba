"""The report: one document behind every face. Field names are the JSON contract's; order is the print order.

Times are aware UTC ``datetime``; ``to_json`` prints them as RFC 3339. Durations are seconds.
"""

from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from typing import Any, Literal

from bot.domain.entity import Entity
from bot.domain.items import SourceCoverage
from bot.domain.link import Lag
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
    control_questions: tuple[ControlQuestion, ...] = ()
    claims: tuple[Claim, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    recommendations: tuple[Recommendation, ...] = ()
    reasons: tuple[str, ...] = ()
    coverage: tuple[SourceCoverage, ...] = ()
    evidence: dict[str, Evidence] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    schema: str = SCHEMA


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
