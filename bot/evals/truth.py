"""What really happened: the answer key that lies beside an export, never in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.evals.export import stamp


def entity(kind: str, name: str, namespace: str | None = None) -> dict[str, Any]:
    """Name a thing as reports do."""
    return {"kind": kind, "namespace": namespace, "name": name}


@dataclass(slots=True, kw_only=True)
class Truth:
    """The answer key of one run, in the words a person would check it by."""

    verdict: str = "cause_found"
    symptom: dict[str, Any] = field(default_factory=dict)
    root_cause: dict[str, Any] | None = None
    accept: list[dict[str, Any]] = field(default_factory=list)
    accept_if: list[dict[str, Any]] = field(default_factory=list)
    """Entities that are right only where the answer also says one of their ``words``."""
    question: str | None = None
    degraded: list[str] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    ruled_out: list[dict[str, Any]] = field(default_factory=list)
    control_questions: list[dict[str, Any]] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    """Evidence without which nobody can tell the cause, and no other shows it (``bot.evals.remains`` says how it is written)."""
    episodes: list[tuple[float, float, int]] = field(default_factory=list)
    next_occurrence: str | None = None
    facts: list[str] = field(default_factory=list)

    def step(self, what: str, who: dict[str, Any], times: Sequence[float], *, measured: bool = True) -> None:
        """Add a step of the cascade, if it happened at all; one whose times are another step's is not ``measured``."""
        if times:
            known = {"count": len(times), "first_at": stamp(min(times)), "measured": measured}
            self.steps.append({"entity": who, "what": what, **known})

    def accept_saying(self, who: dict[str, Any], *words: str) -> None:
        """Accept an entity whose part in it must be named, by one of these words."""
        self.accept_if.append({**who, "words": list(words)})

    def rule_out(self, who: dict[str, Any], at: float, what: str) -> None:
        """Add something that stood near and did not cause it."""
        self.ruled_out.append({"entity": who, "at": stamp(at), "what": what})

    def ask(self, question: str, expected: str) -> None:
        """Add a question a person would ask afterwards; ``expected`` is ``related``, ``unrelated`` or ``answered``.

        What belongs to the cause, what would mend it and when it comes again cannot be told where the cause cannot.
        """
        rests = expected == "related" or question.startswith(("what would fix", "when will"))
        self.control_questions.append({"question": question, "expected": expected, "rests_on_cause": rests, "gone": []})

    def spoilt(self, gone: Sequence[str]) -> None:
        """Note the sources that are gone with every question that rests on them."""
        for each in self.control_questions:
            each["gone"] = list(gone) if each["rests_on_cause"] else []

    def to_json(self, scenario: str, seed: int, start: float, end: float) -> dict[str, Any]:
        """Give the document that is written."""
        return {
            "scenario": scenario,
            "seed": seed,
            "window": {"start": stamp(start), "end": stamp(end)},
            "verdict": self.verdict,
            "symptom": self.symptom,
            "root_cause": self.root_cause,
            "accept": self.accept,
            "accept_if": self.accept_if,
            "question": self.question,
            "degraded": self.degraded,
            "steps": self.steps,
            "ruled_out": self.ruled_out,
            "control_questions": self.control_questions,
            "episodes": [[stamp(first), stamp(last)] for first, last, _ in self.episodes],
            "next_occurrence": self.next_occurrence,
            "facts": self.facts,
        }
