"""Answers "what would a grace period of 60 s have changed?" from the steps that the report keeps of each recommended setting.

A value, its unit and the setting are read from the question; what other settings would have changed was never counted and is said
to be unknown. Leaves out the counting.
"""

import re
from dataclasses import dataclass

from bot.analyst.answers import give
from bot.analyst.questions import Question
from bot.analyst.subjects import FollowUpContext
from bot.domain.quantities import number_of
from bot.domain.report import Answer
from bot.domain.what_if import WhatIf

_ASKS = re.compile(
    r"(?i)\bwhat if\b|\bwhat (?:would|will|could|might|does|difference)\b|\bwould (?:a|an|the|it|that|raising|setting|more|fewer|having)\b|\bhow (?:many|much|far)\b.*"
    r"\b(?:would|spared?|saved?|help(?:ed)?)\b|\bhad (?:we|it|there|the)\b|\bsuppose\b|\bif (?:we|it|the|there)\b|\bcounterfactual"
)
"""How people ask for what would have been."""
_PLAINLY = re.compile(
    r"(?i)\bwhat (?:would|if|will)\b.*\b(?:chang|spare|sav|help|prevent|made a difference|make a difference|been)\w*"
)
_VALUE = re.compile(
    r"(?<![\w.:-])(?P<number>\d+(?:[.,]\d+)*)\s?(?P<unit>milliseconds?|ms|seconds?|secs?|minutes?|mins?|hours?|hrs?|h|s|m|millicores?|cores?|cpus?|[KMGT]i?B?|/s|qps)?(?![\w])",
    re.IGNORECASE,
)
_WORDS: tuple[tuple[str, str], ...] = (
    (r"terminationGracePeriodSeconds", r"\bgrace|terminationgrace"),
    (r"scaleDown\.stabilizationWindowSeconds", r"stabili[sz]ation|scale[- ]?down window"),
    (r"limits\.memory", r"\bmemory\b|\bmem limit"),
    (r"limits\.cpu", r"\bcpu\b|\bcores?\b|millicores?"),
    (r"limits\.ephemeral-storage", r"ephemeral|\bdisk (?:limit|space)|storage limit"),
    (r"hard\..*", r"\bquota"),
    (r"livenessProbe\.failureThreshold", r"failure ?threshold|failed probes|\bthreshold|liveness"),
    (r"livenessProbe\.timeoutSeconds", r"probe'?s? timeout|liveness.*timeout|timeout.*(?:probe|liveness)|timeoutseconds"),
    (r"pool size", r"\bpool|\bconnections?\b"),
    (r"retries a call", r"\bretr(?:y|ies)\b|\battempts?\b"),
    (r"queries answered a second", r"\bquer(?:y|ies)\b|\bdns\b|\bresolver"),
    (r"more nodes of this size", r"\bnodes?\b"),
    (r"maxUnavailable", r"\bmaxunavailable|disruption budget|\bpdb\b"),
    (r"time until it is undone", r"roll(?:ed|ing)? ?back|\brevert|\bundo(?:ne|ing)?\b|put(?:ting)? (?:it )?back|\brestart(?:ed|ing)?\b|\brenew|\bremov(?:ed|ing)\b|\bfix(?:ed|ing)? (?:it )?(?:after|within|in)\b"),
)  # fmt: skip
"""Which setting → how people name it; of several the one whose words stand first in this table and whose unit fits."""
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_BYTES = frozenset("KMGT")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A number of a question, and its unit as it stands there, empty where there is none."""

    number: float
    unit: str


def what_if(question: Question, context: FollowUpContext) -> Answer | None:
    """Tell what a value of a setting would have spared; None where the question asks for no such thing."""
    if not _ASKS.search(question.text) or not (values := _values(question.text)):
        return None
    known = [one for advice in context.report.recommendations for one in advice.what_if]
    fitting = [
        (one, value)
        for one in known
        if _named(one, question.text)
        for asked in values
        if (value := _value(asked, one)) is not None
    ]
    if not fitting:
        return _uncounted(question, context, known)
    return give(question, context, _told(*fitting[0]), "answered")


def _uncounted(question: Question, context: FollowUpContext, known: list[WhatIf]) -> Answer | None:
    """Say that what a setting would have changed was not counted; None where the question may ask for something else."""
    if not _PLAINLY.search(question.text) or not any(re.search(f"(?i){words}", question.text) for _, words in _WORDS):
        return None
    counted = ", ".join(f"{one.setting} of {one.entity}" for one in known)
    words = f"What that would have changed was not counted in this case. Counted: {counted or 'nothing'}."
    return give(question, context, words, "unknown")


def _named(one: WhatIf, text: str) -> bool:
    """Tell whether a text names a setting, by its own name or by how people call it."""
    if one.setting.lower() in text.lower():
        return True
    return any(re.fullmatch(setting, one.setting) and re.search(f"(?i){words}", text) for setting, words in _WORDS)


def _values(text: str) -> list[_Asked]:
    found = [
        _Asked(float(each["number"].replace(",", "")), (each["unit"] or "").lower())
        for each in _VALUE.finditer(text)
        if each["number"].replace(",", "").count(".") <= 1
    ]
    return sorted(found, key=lambda one: not one.unit)


def _value(asked: _Asked, one: WhatIf) -> float | None:
    """Read a number in a setting's unit; None where its unit is another's."""
    unit, number = asked.unit, asked.number
    if one.unit == "s":
        short = "ms" if unit == "ms" or unit.startswith("millisec") else unit[:1] or "s"
        return number * _SECONDS[short] if short in _SECONDS and not unit.startswith("millicore") else None
    if one.unit == "cores":
        if unit == "m" or unit.startswith("millicore"):
            return number / 1000
        return number if unit == "" or unit.startswith(("core", "cpu")) else None
    if one.unit == "bytes":
        return number_of(f"{number:g}{unit[:1].upper()}i") if unit[:1].upper() in _BYTES and unit[:1] else None
    if one.unit == "/s":
        return number if unit in ("", "/s", "qps") else None
    return number if unit == "" else None


def _told(one: WhatIf, value: float) -> str:
    shown = one.value_words(value)
    now = f" It was {one.value_words(one.present)}." if one.present is not None else ""
    lead = f"{one.setting} of {one.entity} at {shown} would have spared {one.words(value)} in this window, if {one.assumption}.{now}"
    if value == one.proposed:
        return lead
    if not one.spared(one.proposed)[1]:
        return lead
    return f"{lead} Recommended: {one.value_words(one.proposed)}, which would have spared {one.words()}."
