"""When trouble began of which lines tell at its end."""

from dataclasses import replace

import pytest
from engine_parts import signal, window

from bot.casefile.conclusions import json_signal, signal_json
from bot.domain.entity import Entity
from bot.domain.items import ItemId
from bot.domain.signal import Kind
from bot.signals.links import measure
from bot.signals.trains import Range, train_of
from bot.signals.waits import dated_back

CALLER, CALLED, BYSTANDER = (Entity("Deployment", name, "web") for name in ("front", "seats", "badges"))
FIRST = 24.0 + 30.5 / 3600
"""Hours at which the first line stands: what it tells of waited for thirty seconds, from half a second after ``CAUSE``."""
CAUSE, DECOY = 24.0, 24.0 + 20 / 3600
LINE = "request timed out after 30000ms"


def read(found, texts):
    """Date signals back by the texts of their first lines, numbered from 1."""
    kept = tuple(replace(one, refs=(ItemId(f"L{n}"),)) for n, one in enumerate(found.occurrences, 1))
    texts_of = lambda numbers: ((n, texts[n - 1]) for n in numbers)  # noqa: E731 - read beside its use
    (told,) = dated_back([replace(found, occurrences=kept)], texts_of)
    return told


def timeouts(kind=Kind.TIMEOUT, **attributes):
    return signal(kind, CALLER, [FIRST, 60.0], source="kubernetes/logs", attributes=attributes)


@pytest.mark.parametrize(
    ("found", "waited"),
    [
        (timeouts(), 30.0),
        (timeouts(Kind.SERVER_ERROR, status="504"), 30.0),
        (timeouts(Kind.SERVER_ERROR, status="502"), 0.0),
        (timeouts(Kind.SERVER_ERROR, status="502", cause="timeout"), 30.0),
        (timeouts(Kind.CONNECTION_RESET), 0.0),
    ],
)
def test_what_waited_in_vain_began_when_it_began_to_wait(found, waited):
    """A timeout is dated back by its wait; what was cut off in the middle of its work is not."""
    assert [waited, waited] == [one.waited_s for one in read(found, [LINE, LINE]).occurrences]


@pytest.mark.parametrize(
    ("texts", "waited"),
    [
        ((LINE, "context deadline exceeded"), [30.0, 0.0]),
        ((LINE, "request timed out after 100ms", LINE), [30.0, 0.1, 30.0]),
        ((LINE, "request timed out after 500s", LINE), [30.0, 0.0, 30.0]),
        (("session timed out after 7200s",), [0.0]),
    ],
)
def test_only_a_usual_wait_that_is_told_counts(texts, waited):
    """Where a line says nothing, or far more than the others, nothing is made up."""
    hours = [24.0 + 12.0 * number for number in range(len(texts))]
    found = signal(Kind.TIMEOUT, CALLER, hours, source="kubernetes/logs")
    assert waited == [one.waited_s for one in read(found, texts).occurrences]


def test_a_change_in_the_midst_of_the_wait_is_no_cause():
    """Seconds after the cause something else is rolled out, before the first timeout is written: order tells them apart."""
    told = replace(read(timeouts(), [LINE, LINE]), attributes={"behind_s": "2.0"})
    told = replace(told, occurrences=told.occurrences[:1])
    lag = Range(low_s=0.0, high_s=600.0)
    cause, decoy = (
        measure(train_of(signal(Kind.ROLLOUT, who, [at]), window()), train_of(told, window()), lag, window())
        for who, at in ((CALLED, CAUSE), (BYSTANDER, DECOY))
    )
    assert (1, 0.5) == (cause.hits, pytest.approx(cause.lag.median))
    assert 0 == decoy.hits


def test_the_report_keeps_the_time_of_the_line_and_the_case_the_wait():
    """What is cited is dated as it is stored; how long it had waited is kept beside it, and read back."""
    told = read(timeouts(), [LINE, LINE])
    assert [one.start_s for one in timeouts().occurrences] == [one.start_s for one in told.occurrences]
    assert told == json_signal(signal_json(told))
