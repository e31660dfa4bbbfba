"""Let a model answer a follow-up from the same reading of the case, with tools to look further, and hold it to its quotes.

The program's own answer is at hand: where the model fails, or says nothing that stands, it is given, and says why.
"""

from dataclasses import replace

from bot.analyst.model_follow_up import SaidAnswer, judged, read_follow_up, report_digest
from bot.analyst.model_prompt import follow_up
from bot.analyst.packing_parts import UNSEARCHED
from bot.analyst.subjects import FollowUpContext
from bot.casefile.case import Case
from bot.domain.model import Spend
from bot.domain.report import Answer
from bot.investigation.model_analyst import (
    FAILURES,
    ModelAnalyst,
    failure_words,
    opened,
    used,
    writable_words,
)
from bot.investigation.model_lookup import lookup_in
from bot.investigation.model_talk import Talk, read_or_mended


def asked_model(analyst: ModelAnalyst, case: Case, context: FollowUpContext, own: Answer) -> Answer:
    """Give the answer that stands: the model's, as far as it is shown, or the program's own with the reason."""
    talk: Talk | None = None
    try:
        session = analyst.session(case)
        talk, handed = opened(analyst, session, lookup_in(case, context, session.live), analyst.follow_up_deadline_s)
        said = _said(analyst, talk, context, own.question)
    except FAILURES as error:
        note = f"This is the offline answer: {failure_words(error)}"
        return replace(own, notes=(note,), usage=used(talk.spend if talk else Spend(), "offline"))
    known = [report_digest(context.report), own.answer, own.question, *talk.given]
    given = judged(said, own, talk.asked, case, known, writable_words(case, talk.asked.live))
    offline = given.answer == own.answer
    notes = [f"Of {each.source} the model was not shown all: {each.words}." for each in handed.withheld]
    if talk.withheld:
        notes.append(f"Of what it looked up, {talk.withheld:,} rows were withheld: {UNSEARCHED}.")
    given = replace(given, notes=(*given.notes, *notes))
    return replace(given, usage=used(talk.spend, "offline" if offline else analyst.facts.name))


def _said(analyst: ModelAnalyst, talk: Talk, context: FollowUpContext, question: str) -> SaidAnswer:
    text = talk.say(follow_up(question, report_digest(context.report), analyst.rounds))
    return read_or_mended(talk, text, lambda said: read_follow_up(said, talk.gate.restore))
