"""Holds a model's answer to a follow-up against the case, sentence by sentence: what cites nothing that stands is not said.

A number must stand in what is cited, in what a tool gave, or in the report. Whether two things are tied is for the test to
say; where the program's own answer and the model's differ on that, the program's stands and the difference is told.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from bot.analyst.answers import AnswerVerdict
from bot.analyst.citations import Citations, sample_meant
from bot.analyst.model_answer import SaidQuote, UnreadableAnswerError, json_object, said_quote, unchanged
from bot.analyst.model_tools import Asked
from bot.analyst.model_words import plain, unfit
from bot.analyst.proofs import quotes
from bot.domain.ports import Evidenced
from bot.domain.report import Answer, AnswerTest, Evidence, Report
from bot.domain.window import rfc3339

MOST_SENTENCES = 5
MOST_QUOTES = 4
LEAST_QUOTE = 6
"""Characters of a quote that shows something; shorter ones stand everywhere."""
_VERDICTS = ("related", "unrelated", "answered", "unknown")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidSentence:
    """One sentence and the quotes that are to show it."""

    says: str
    quotes: tuple[SaidQuote, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidAnswer:
    """A model's answer to a follow-up, as it was read."""

    verdict: str
    sentences: tuple[SaidSentence, ...]


def read_follow_up(text: str, restore: Callable[[str], str] = unchanged) -> SaidAnswer:
    """Read the answer; raise UnreadableAnswerError with what is wrong."""
    document = json_object(text, "verdict", restore)
    if document.get("verdict") not in _VERDICTS:
        raise UnreadableAnswerError([f"verdict: is none of {', '.join(_VERDICTS)}"])
    rows = document.get("sentences")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnreadableAnswerError(["sentences: is no list of objects"])
    sentences = []
    for row in rows[:MOST_SENTENCES]:
        listed = row.get("quotes") or []
        given = [said_quote(each) for each in listed[:MOST_QUOTES]] if isinstance(listed, list) else []
        kept = tuple(quote for quote in given if quote is not None)
        sentences.append(SaidSentence(says=plain(str(row.get("says") or "")), quotes=kept))
    return SaidAnswer(verdict=str(document["verdict"]), sentences=tuple(s for s in sentences if s.says))


def report_digest(report: Report) -> str:
    """Tell a report's result as JSON, for the model that is asked about it."""
    return json.dumps(
        {
            "verdict": report.verdict,
            "confidence": report.confidence,
            "summary": report.summary,
            "steps": [{"id": s.id, "says": s.summary, "first_at": rfc3339(s.first_at)} for s in report.cascade.steps],
            "links": [
                {"cause": k.cause, "effect": k.effect, "status": k.status, "hits": k.hits, "misses": k.misses}
                for k in report.cascade.links
            ],
            "ruled_out": [{"says": r.summary, "of": str(r.entity), "reason": r.reason} for r in report.ruled_out],
            "undecided": [{"says": r.summary, "of": str(r.entity), "reason": r.reason} for r in report.undecided],
            "held_down_by": list(report.reasons),
        },
        ensure_ascii=False,
    )


def judged(
    said: SaidAnswer,
    own: Answer,
    asked: Asked,
    evidence: Evidenced,
    known: Sequence[str],
    written: Callable[[str], bool],
) -> Answer:
    """Give the answer that stands: the model's sentences that hold, or the program's own where none does.

    ``known`` are the texts whose numbers may be repeated: the report, what the tools gave, the program's own answer.
    """
    verdict, test, note = _tie(said, own, asked)
    if note and own.verdict in ("related", "unrelated"):
        return replace(own, notes=(*own.notes, note))
    citations = Citations(evidence)
    kept, dropped = [], []
    for sentence in said.sentences:
        keys, texts = _cited(sentence, citations, evidence)
        wrong = _wrong(sentence, keys, [*known, *texts], written)
        if wrong:
            dropped.append(wrong)
        else:
            kept.append(
                f"{sentence.says.rstrip('.')}{'' if sentence.says.endswith(('?', '!')) else '.'} [{', '.join(keys)}]"
            )
    notes = [*([note] if note else []), *_told(dropped)]
    if not kept:
        why = "no sentence of the model's answer stands in the case" if said.sentences else "the model had no answer"
        return replace(own, notes=(*own.notes, f"This is the offline answer: {why}.", *notes))
    used = {
        key: entry
        for key, entry in citations.entries.items()
        if any(f"{key}]" in one or f"{key}," in one for one in kept)
    }
    notes += live_notes(used, asked)
    return Answer(
        question=own.question,
        answer=" ".join(kept),
        verdict=verdict if used or verdict in ("related", "unrelated") else "unknown",
        evidence=used,
        test=test,
        case=own.case,
        notes=tuple(notes),
    )


def _tie(said: SaidAnswer, own: Answer, asked: Asked) -> tuple[AnswerVerdict, AnswerTest | None, str]:
    """Say which verdict stands, by which test, and what is to be told of a difference."""
    if said.verdict not in ("related", "unrelated"):
        differs = own.verdict in ("related", "unrelated") and said.verdict == "unknown"
        note = f"The model cannot tell; the test says: {own.verdict}." if differs else ""
        return cast("AnswerVerdict", own.verdict if differs else said.verdict), asked.last_test() or own.test, note
    if own.verdict in ("related", "unrelated"):
        note = "" if own.verdict == said.verdict else f"The model says: {said.verdict}; the test does not bear it out."
        return cast("AnswerVerdict", own.verdict), own.test, note
    status = asked.tests[-1][2].status if asked.tests else "untested"
    if (status, said.verdict) in (("supported", "related"), ("refuted", "unrelated")):
        return cast("AnswerVerdict", said.verdict), asked.last_test(), ""
    return "unknown", asked.last_test(), f"The model says: {said.verdict}; no test bears it out, so it stays open."


def _cited(sentence: SaidSentence, citations: Citations, evidence: Evidenced) -> tuple[list[str], list[str]]:
    keys, texts = [], []
    for quote in sentence.quotes:
        stored = evidence.item(quote.item)
        if stored is None or len(quote.text.strip()) < LEAST_QUOTE:
            continue
        sample = sample_meant(quote.text, stored) if stored.source == "prometheus" else None
        if sample is None and not quotes(stored, quote.text):
            continue
        key = citations.cite(quote.item, quote=quote.text if sample is None else None, at_s=sample)
        if key is not None and key not in keys:
            keys.append(key)
            texts += [quote.text, stored.text, rfc3339(stored.at) if stored.at else ""]
    return keys, texts


def live_notes(used: Mapping[str, Evidence], asked: Asked) -> list[str]:
    """Say which of the evidence was read after the investigation, and what could not be read now."""
    live = [key for key, entry in used.items() if entry.locator.startswith("F")]
    said = (
        f"{', '.join(live)} {'was' if len(live) == 1 else 'were'} read live for this question and kept with the case."
    )
    return [*([said] if live else []), *(f"Not read live: {gap}." for gap in asked.gaps)]


def _wrong(
    sentence: SaidSentence, keys: Sequence[str], known: Sequence[str], written: Callable[[str], bool]
) -> str | None:
    if not keys:
        return "cited nothing that stands in the case"
    if (finding := unfit(sentence.says, "answer", written)) is not None:
        return finding.detail
    numbers = set(_NUMBER.findall(sentence.says))
    have = {number for text in known for number in _NUMBER.findall(text)}
    have |= {part for number in have for part in (number.replace(",", ""), ":".join(number.split(":")[:2]))}
    loose = sorted(number for number in numbers if number.replace(",", "") not in have and len(number) > 1)
    return f"told a number ({loose[0]}) that nothing cited holds" if loose else None


def _told(dropped: Sequence[str]) -> list[str]:
    counts: Mapping[str, int] = {what: dropped.count(what) for what in dict.fromkeys(dropped)}
    return [f"{count} sentence(s) of the model were dropped: {what}." for what, count in counts.items()]
