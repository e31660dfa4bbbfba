"""Adds scores up: a row a scenario and variant, how reliable each level of confidence was, and the totals."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bot.evals.runner import PLAIN, Result
from bot.evals.scorer import Part, Score

LEVELS = ("high", "medium", "low")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The runs of one scenario in one variant, or of all."""

    scenario: str
    variant: str
    right: Part
    honest: Part
    """Right, or inconclusive."""
    invented_causes: int
    steps: Part
    timed: Part
    ordered: Part
    invented: int
    controls: Part
    strict: Part
    ruled_out: Part
    blamed: int
    quotes: Part
    outcomes: dict[str, int]
    seconds: float
    """Median."""
    peak_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How often causes named with one level of confidence were right."""

    confidence: str
    right: Part


def rows(results: Sequence[Result]) -> list[Row]:
    """Give a row a scenario and variant, in the order they were run."""
    keys = dict.fromkeys((each.case.scenario, each.case.variant) for each in results)
    return [
        _row(name, variant, [r for r in results if (r.case.scenario, r.case.variant) == (name, variant)])
        for name, variant in keys
    ]


def totals(results: Sequence[Result]) -> list[Row]:
    """Give the total of the plain runs and that of the degraded ones, where there are any."""
    plain = [each for each in results if each.case.variant == PLAIN]
    spoilt = [each for each in results if each.case.variant != PLAIN]
    return [_row("all", name, some) for name, some in ((PLAIN, plain), ("degraded", spoilt)) if some]


def reliability(results: Sequence[Result]) -> list[Level]:
    """Count, for each level of confidence, how many of the causes named with it were right."""
    named = [each.score for each in results if each.score and each.score.verdict == "cause_found"]
    return [
        Level(
            confidence=level,
            right=Part(
                good=sum(s.outcome == "right" for s in named if s.confidence == level),
                total=sum(s.confidence == level for s in named),
            ),
        )
        for level in LEVELS
    ]


def _row(name: str, variant: str, results: Sequence[Result]) -> Row:
    scores = [each.score for each in results if each.score is not None]
    outcomes = [each.score.outcome if each.score else "failed" for each in results]

    def part(of: Callable[[Score], Part]) -> Part:
        return Part(good=sum(of(s).good for s in scores), total=sum(of(s).total for s in scores))

    return Row(
        scenario=name,
        variant=variant,
        right=Part(good=outcomes.count("right"), total=len(results)),
        honest=Part(good=outcomes.count("right") + outcomes.count("inconclusive"), total=len(results)),
        invented_causes=outcomes.count("invented"),
        steps=part(lambda s: s.steps),
        timed=part(lambda s: s.timed),
        ordered=part(lambda s: s.ordered),
        invented=sum(s.invented for s in scores),
        controls=part(lambda s: s.controls),
        strict=part(lambda s: s.strict),
        ruled_out=part(lambda s: s.ruled_out),
        blamed=sum(s.blamed for s in scores),
        quotes=part(lambda s: s.quotes),
        outcomes={one: outcomes.count(one) for one in sorted(set(outcomes))},
        seconds=round(median(each.seconds for each in results), 2),
        peak_mb=max(each.peak_mb for each in results),
    )


def document(results: Sequence[Result]) -> dict[str, Any]:
    """Give everything as plain JSON values."""
    return {
        "schema": "rootcause.eval/1",
        "scenarios": [asdict(row) for row in rows(results)],
        "totals": [asdict(row) for row in totals(results)],
        "reliability": [asdict(level) for level in reliability(results)],
        "cases": [asdict(each) for each in results],
    }
