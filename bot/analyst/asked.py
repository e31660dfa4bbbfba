"""How the symptom that was found answers the question: whether it is what was asked about, and what else there is.

Leaves out how the symptom was chosen (``bot.signals.symptom``). Words of the question are repeated only where they name something here.
"""

import re
from collections.abc import Iterable

from bot.analyst.findings import Findings
from bot.analyst.questions import symptom_wish
from bot.analyst.times import find_moments
from bot.analyst.words import capital, felt_as, happened, plural
from bot.domain.link import Chain
from bot.domain.spelling import length

_LEAD = re.compile(r"^(?:since|at|around|about|by|from|on|in)\s+", re.IGNORECASE)
OFF_S = 900.0
"""By how much people are off when they say when something was."""


def asked_words(findings: Findings, chain: Chain | None) -> str:
    """Say where the symptom is not what was asked about, and what users felt beside it; empty where there is nothing to say."""
    return _unlike(findings) + _not_then(findings) + _beside(findings, chain)


def instead_words(findings: Findings) -> str:
    """Say that nothing asked about rises, and what does; empty where nothing else does either."""
    answered, window = findings.answered, length(findings.window.length_s)
    if answered.fit != "absent" or not answered.beside:
        return ""
    other = answered.beside[0]
    return (
        f"You asked about {_asked(findings)}: nothing of it rises above the everyday in these {window}. "
        f"What does is another matter, {felt_as(other)}: ask about that."
    )


def absent_words(findings: Findings) -> str:
    """Say of what the question names that nothing of it rises; empty where it names nothing here, or a suspect."""
    answered = findings.answered
    if answered.fit != "absent" or not answered.words or symptom_wish(findings.question).suspects:
        return ""
    return f" That goes for {_asked(findings)} as well, which you asked about."


def standing_words(findings: Findings) -> str:
    """Say what had been going on when the window began, and went on throughout."""
    if not findings.answered.standing:
        return ""
    first, *rest = findings.answered.standing
    more = f", and {len(rest)} more like it" if rest else ""
    return f" {capital(happened(first))} all along, from before it began{more}: ask about it by its name."


def _unlike(findings: Findings) -> str:
    fit = findings.answered.fit
    if fit == "elsewhere":
        return f" You asked about {_names(findings.answered.words)}, which these failures do not name."
    if fit == "nearest" or (fit == "otherwise" and symptom_wish(findings.question).statuses):
        return f" You asked about {_asked(findings)}: of that nothing rises, and this is what is nearest to it."
    return ""


def _not_then(findings: Findings) -> str:
    symptom, spans = findings.symptom, findings.answered.spans
    if symptom is None or not spans:
        return ""
    if any(
        one.start_s <= end + OFF_S and one.end_s >= start - OFF_S for one in symptom.occurrences for start, end in spans
    ):
        return ""
    window = findings.window
    moments = [one for one in find_moments(findings.question, window) if one.overlaps(window.start_s, window.end_s)]
    if not moments:
        return ""
    return f" You asked about {_LEAD.sub('', moments[0].words)}: nothing of it rose then."


def _beside(findings: Findings, chain: Chain | None) -> str:
    told = chain.signals if chain is not None else ()
    places = {place for one in told for place in (one.entity, *one.mentions)}
    tied = {end for link in findings.links if link.test.status == "supported" for end in (link.cause, link.effect)}
    others = [
        one
        for one in findings.answered.beside
        if one.id not in tied and not (places & ({*one.mentions} or {one.entity}))
    ]
    if not others:
        return ""
    return f" Beside it, and nothing ties them together: {felt_as(others[0])}."


def _asked(findings: Findings) -> str:
    wish, words = symptom_wish(findings.question), findings.answered.words
    what = [wish.status_words] if wish.statuses else []
    if not what and len(wish.kinds) and not words:
        what = [plural(kind) for kind in sorted(wish.kinds)][:1]
    named = _names(words)
    return " of ".join([*what, *([named] if named else [])]) or "something else"


def _names(words: Iterable[str]) -> str:
    return " and ".join(words)
