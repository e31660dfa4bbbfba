"""Holds a report against the truth of a simulated incident; believes nothing the report says of itself.

Entities are compared by kind, namespace and name, times with the moment something happened in the simulation, quotes with
the bytes of the export. Steps whose times the truth only copied from another step count by entity alone.

A control question is right when the answer's verdict is the expected one. Where evidence was taken away, an answer that stays
open is right, too, if and only if it names a source that is gone *and* the simulator found the evidence of the cause gone with
it (``bot.evals.remains``); ``strict`` counts without that, and an answer that is wrong, or open with the evidence there, stays wrong.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]

NEAR_S = 900.0
"""A step is the right one when its first time is this near; rates are sampled every five minutes, bursts have a rim."""
WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Service", "Pod"})
"""Kinds under which people know the same software."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """So many of so many."""

    good: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How one report compares with the truth.

    ``outcome`` is ``right``, ``wrong`` (another cause), ``invented`` (a cause where there is no incident), ``inconclusive``,
    ``missed`` (no incident where there is one).
    """

    outcome: str
    verdict: str
    confidence: str
    named: str
    steps: Part
    timed: Part
    ordered: Part
    invented: int
    controls: Part
    strict: Part
    """Control questions whose verdict is the expected one, whatever was taken away."""
    ruled_out: Part
    blamed: int
    """Events that the truth rules out and the cascade names."""
    quotes: Part
    failed_controls: tuple[str, ...] = ()


def score(report: Json, answers: Sequence[Json], truth: Json, corpus: "Corpus") -> Score:
    """Compare a report and the answers to the truth's control questions with the truth."""
    steps = list(report["cascade"]["steps"]) if report["verdict"] == "cause_found" else []
    found, timed, ordered = _steps(steps, truth["steps"])
    known = [*(step["entity"] for step in truth["steps"]), *truth["accept"], *truth["accept_if"]]
    invented = sum(not any(_kin(step["entity"], one) for one in known) for step in steps)
    outside = [out for out in truth["ruled_out"] if not any(_kin(out["entity"], one) for one in known)]
    said = [out["entity"] for out in report["ruled_out"]]
    wrong = [
        f"{ask['question']} -> {answer['verdict']}, expected {ask['expected']}"
        for ask, answer in zip(truth["control_questions"], answers, strict=True)
        if not (_answered(ask, answer, truth) or _honestly_open(ask, answer))
    ]
    strict = sum(_answered(ask, answer, truth) for ask, answer in zip(truth["control_questions"], answers, strict=True))
    quotes = [entry["quote"] for entry in report["evidence"].values()]
    quotes += [entry["quote"] for answer in answers for entry in answer["evidence"].values()]
    return Score(
        outcome=outcome_of(report, truth),
        verdict=report["verdict"],
        confidence=report["confidence"],
        named=_named(report),
        steps=Part(good=found, total=len(truth["steps"])),
        timed=timed,
        ordered=Part(good=ordered, total=found),
        invented=invented,
        controls=Part(good=len(answers) - len(wrong), total=len(answers)),
        strict=Part(good=strict, total=len(answers)),
        ruled_out=Part(good=sum(any(_kin(out["entity"], one) for one in said) for out in outside), total=len(outside)),
        blamed=sum(any(_kin(out["entity"], step["entity"]) for step in steps) for out in outside),
        quotes=Part(good=sum(corpus.holds(quote) for quote in quotes), total=len(quotes)),
        failed_controls=tuple(wrong),
    )


def outcome_of(report: Json, truth: Json) -> str:
    """Say what became of the root cause."""
    verdict = report["verdict"]
    if truth["verdict"] == "no_incident":
        return {"no_incident": "right", "inconclusive": "inconclusive"}.get(verdict, "invented")
    if verdict != "cause_found" or not report["root_cause"]:
        return "missed" if verdict == "no_incident" else "inconclusive"
    named = report["root_cause"]["entity"]
    if any(_same(named, one) for one in truth["accept"]):
        return "right"
    text = f"{report['summary']} {report['root_cause']['summary']} {report['root_cause']['mechanism']}".lower()
    for one in truth["accept_if"]:
        if _same(named, one) and any(word in text for word in one["words"]):
            return "right"
    return "wrong"


def _named(report: Json) -> str:
    root = report["root_cause"]
    return f"{root['entity']['kind']} {root['entity']['name']} ({root['mechanism']})" if root else ""


def _same(one: Json, other: Json) -> bool:
    spaces = {one.get("namespace"), other.get("namespace")} - {None}
    return bool(one["kind"] == other["kind"] and one["name"] == other["name"] and len(spaces) <= 1)


def _kin(one: Json, other: Json) -> bool:
    """Tell whether two entities are the same thing to a person: a Deployment and its Service, say."""
    if _same(one, other):
        return True
    spaces = {one.get("namespace"), other.get("namespace")} - {None}
    return bool({one["kind"], other["kind"]} <= WORKLOADS and one["name"] == other["name"] and len(spaces) <= 1)


def _near(step: Json, known: Json) -> bool:
    if not known.get("measured", True):
        return True
    gap = datetime.fromisoformat(step["first_at"]) - datetime.fromisoformat(known["first_at"])
    return abs(gap.total_seconds()) <= NEAR_S


def _steps(steps: Sequence[Json], truth: Sequence[Json]) -> tuple[int, Part, int]:
    """Match steps one to one; give how many truth steps were found, how many of those in time, how many in order."""
    kin = [[j for j, step in enumerate(steps) if _kin(step["entity"], known["entity"])] for known in truth]
    near = [[j for j in row if _near(steps[j], known)] for row, known in zip(kin, truth, strict=True)]
    pairs = _matching(
        [near_row + [j for j in row if j not in near_row] for row, near_row in zip(kin, near, strict=True)]
    )
    measured = [i for i in pairs if truth[i].get("measured", True)]
    timed = Part(good=sum(pairs[i] in near[i] for i in measured), total=len(measured))
    return len(pairs), timed, _longest_common(kin, len(steps))


def _matching(choices: Sequence[Sequence[int]]) -> dict[int, int]:
    """Match rows to columns, as many as can be (augmenting paths; Kuhn 1955)."""
    taken: dict[int, int] = {}

    def place(row: int, seen: set[int]) -> bool:
        for column in choices[row]:
            if column in seen:
                continue
            seen.add(column)
            if column not in taken or place(taken[column], seen):
                taken[column] = row
                return True
        return False

    for row in range(len(choices)):
        place(row, set())
    return {row: column for column, row in sorted(taken.items(), key=lambda pair: pair[1])}


def _longest_common(kin: Sequence[Sequence[int]], columns: int) -> int:
    """Give the length of the longest matching that keeps both orders."""
    best = [0] * (columns + 1)
    for row in kin:
        before = list(best)
        for j in range(columns):
            best[j + 1] = max(before[j] + 1 if j in row else 0, before[j + 1], best[j])
    return best[columns]


def _answered(ask: Json, answer: Json, truth: Json) -> bool:
    if ask["expected"] != "answered":
        return bool(answer["verdict"] == ask["expected"])
    if answer["verdict"] not in {"answered", "related", "unrelated"}:
        return False
    due = truth["next_occurrence"]
    if due and ask["question"].startswith("when will"):
        # Day and minute, in whatever form the answer prints them.
        at = datetime.fromisoformat(due)
        return f"{at:%H:%M}" in answer["answer"]
    return True


_SOURCE_WORDS = {"events": ("events",), "logs": ("logs", "loki"), "metrics": ("prometheus", "metrics")}


def _honestly_open(ask: Json, answer: Json) -> bool:
    """Tell an answer that stays open for evidence that is really gone, and says which."""
    said = answer["answer"].lower()
    missing = ("not there", "is missing", "reaches back only", "in part")
    names = any(word in said for source in ask.get("gone", ()) for word in _SOURCE_WORDS[source])
    return answer["verdict"] == "unknown" and names and any(word in said for word in missing)


class Corpus:
    """The bytes of an export, and the texts inside its JSON files, to look for quotes in."""

    def __init__(self, raw: Sequence[bytes], texts: Sequence[str]) -> None:
        self._raw = tuple(raw)
        self._texts = "\n".join(texts)

    def holds(self, quote: str) -> bool:
        """Tell whether a quote stands in the export word by word."""
        wanted = quote.encode("utf-8", "surrogateescape")
        return any(wanted in part for part in self._raw) or quote in self._texts
