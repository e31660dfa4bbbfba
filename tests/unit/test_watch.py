"""Coming back when a prediction was due: what is kept for later, what is looked at, and what the thread hears."""

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sample_report import REPORT

from bot.analyst.outcome import outcome
from bot.casefile.home import CaseHome
from bot.domain.chat import Ask, Asker, Place
from bot.domain.report import Episode, Prediction
from bot.errors import ChatBusyError, UsageError
from bot.investigation.desk_inbox import Inbox, desk_url
from bot.investigation.investigate import investigate
from bot.investigation.outbox import Outbox
from bot.investigation.watch import LOOKS, SETTLE, Watch, Watches, again, watchable
from bot.investigation.workflow_process import window_words
from bot.settings import DeskSettings
from bot.sources.export import ExportSource

STORY = Path(__file__).parents[2] / "fixtures" / "incidents" / "story.tar.zst"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
AT = NOW + timedelta(hours=2)
PREDICTED = Prediction(summary="again", at=AT, window=(AT - timedelta(minutes=10), AT + timedelta(minutes=10)))
BEFORE = replace(REPORT, predictions=(PREDICTED,))
ASK = Ask(
    kind="investigate",
    keys=("event:1",),
    place=Place(enterprise=None, team="T1", channel="C1", thread_ts="1.1"),
    asker=Asker(user="U1", name="Ann"),
    question="why?",
    window="5d",
    namespaces=(),
    message_ts="1.1",
    asked_at=NOW,
)


def seen(at, *, until=AT + timedelta(hours=1), count=7):
    """Give the report of a second look: the symptom at some times, evidence until a time."""
    episodes = tuple(Episode(start=each, end=each + timedelta(minutes=1), count=count, explained=True) for each in at)
    coverage = tuple(replace(row, last_at=until) for row in REPORT.coverage)
    symptom = replace(REPORT.symptom, episodes=episodes) if at is not None and episodes else None
    return replace(REPORT, case="later", symptom=symptom, coverage=coverage)


class Engine:
    """Gives one report before, one after, and remembers what it was asked and told."""

    def __init__(self, after):
        self.after = after
        self.asked = []
        self.noted = []

    async def investigate(self, ask, tell):
        """Look again, or fail as told."""
        self.asked.append(ask)
        if isinstance(self.after, Exception):
            raise self.after
        return self.after.case

    async def report(self, case):
        """Give a report."""
        return BEFORE if case == BEFORE.case else self.after

    async def note_outcome(self, case, number, status):
        """Remember it."""
        self.noted.append((case, number, status))


class Messenger:
    """Remembers what was said; fails as often as told."""

    def __init__(self, failures=0):
        self.said = []
        self.failures = failures

    async def follow_up(self, ask, key, answer):
        """Say it."""
        if self.failures:
            self.failures -= 1
            raise ChatBusyError("busy")
        self.said.append((ask.place, key, answer.answer))


@contextlib.asynccontextmanager
async def watching(tmp_path, engine, messenger):
    """Open an inbox in which an investigation was answered, with a watch over it and a clock to turn."""
    limits = DeskSettings()
    inbox = Inbox(desk_url(tmp_path, limits), limits)
    await inbox.open()
    time = [NOW]
    watches = Watches(inbox)
    try:
        work = (await inbox.take(ASK, NOW)).work
        await watches.note(work, BEFORE, NOW)
        await watches.note(work, BEFORE, NOW)
        yield (
            Watch(
                inbox=inbox,
                watches=watches,
                outbox=Outbox(inbox, lambda: time[0]),
                messenger=messenger,
                engine=engine,
                clock=lambda: time[0],
            ),
            time,
        )
    finally:
        await inbox.close()


def watched(tmp_path, after, *, hours=(0, 3), failures=0):
    """Look at some hours after the answer; gives what the engine and the thread heard."""
    engine, messenger = Engine(after), Messenger(failures)

    async def run():
        async with watching(tmp_path, engine, messenger) as (watch, time):
            for each in hours:
                time[0] = NOW + timedelta(hours=each)
                await watch.look()

    asyncio.run(run())
    return engine, messenger


def test_nothing_is_said_before_the_time_has_come(tmp_path):
    """Before the predicted time, and while evidence settles, nobody looks."""
    engine, messenger = watched(tmp_path, seen([AT]), hours=(0, 1, 2.2))
    assert ([], []) == (engine.asked, messenger.said)


def test_a_prediction_that_came_true_is_said_once(tmp_path):
    """However often is looked, the thread hears it once, and the case keeps it."""
    engine, messenger = watched(tmp_path, seen([AT]), hours=(3, 4, 50))
    assert [(BEFORE.case, 0, "confirmed")] == engine.noted
    assert 1 == len(messenger.said)
    place, _, sentence = messenger.said[0]
    assert ASK.place == place
    assert sentence.startswith("It came as predicted")
    assert "(7 times)" in sentence


@pytest.mark.parametrize("at", [[], [AT - timedelta(hours=6)]], ids=["nothing at all", "only before"])
def test_a_prediction_that_failed_is_admitted(tmp_path, at):
    """The bot says that it was wrong, and that it may be wrong about the cause."""
    engine, messenger = watched(tmp_path, seen(at))
    assert [(BEFORE.case, 0, "refuted")] == engine.noted
    assert "did not come true" in messenger.said[0][2]
    assert str(BEFORE.root_cause.entity) in messenger.said[0][2]


@pytest.mark.parametrize(
    "after", [seen([], until=AT), UsageError("outside the material")], ids=["evidence ends too early", "not readable"]
)
def test_what_could_not_be_seen_is_no_failure_of_the_prediction(tmp_path, after):
    """It is looked at some times more, and then dropped in silence."""
    engine, messenger = watched(tmp_path, after, hours=range(3, 20))
    assert LOOKS == len(engine.asked)
    assert ([], []) == (engine.noted, messenger.said)


def test_another_symptom_may_hide_this_one(tmp_path):
    """Where something else is felt now, nothing is claimed."""
    other = seen([AT])
    other = replace(other, symptom=replace(other.symptom, entity=replace(other.symptom.entity, name="elsewhere")))
    engine, messenger = watched(tmp_path, other)
    assert ([], []) == (engine.noted, messenger.said)


def test_a_thread_that_could_not_be_told_is_told_later(tmp_path):
    """Slack's faults cost time, not the word."""
    _, messenger = watched(tmp_path, seen([AT]), hours=(3, 4, 5), failures=1)
    assert 1 == len(messenger.said)


def test_the_second_look_is_as_long_and_ends_behind_the_predicted_time():
    """Its window is read back as it was meant, whatever the clock says."""
    span = window_words(again(ASK, BEFORE, PREDICTED)).window
    assert PREDICTED.window[1] + SETTLE == span.end
    assert abs((BEFORE.window.end - BEFORE.window.start).total_seconds() - span.length_s) <= 1


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, 0),
        ({"status": "refuted"}, None),
        ({"window": (NOW - timedelta(hours=2), NOW - timedelta(hours=1))}, None),
        ({"window": (NOW + timedelta(days=20), NOW + timedelta(days=21))}, None),
    ],
    ids=["due soon", "known already", "past", "too far"],
)
def test_only_the_near_future_is_watched(changes, wanted):
    """What has passed in old evidence, and what lies beyond the thread's life, is left alone."""
    assert wanted == watchable(replace(BEFORE, predictions=(replace(PREDICTED, **changes),)), NOW)


def test_on_real_evidence_the_prediction_of_a_morning_is_found_at_noon(tmp_path):
    """The story up to a morning predicts the next episode; the story up to noon shows it, and the case keeps it."""
    home = CaseHome(tmp_path)

    def read(window):
        return investigate([ExportSource(STORY)], home, question=None, window=window, progress=lambda *_: None)

    before = read("2026-11-17T00:00:00Z..2026-11-21T09:00:00Z")
    prediction = before.predictions[0]
    after = read(f"2026-11-17T00:00:00Z..{prediction.window[1] + SETTLE:%Y-%m-%dT%H:%M:%SZ}")
    assert "confirmed" == outcome(prediction, before, after).status
    early = replace(prediction, window=tuple(each - timedelta(hours=2) for each in prediction.window))
    assert "refuted" == outcome(early, before, after).status
    with home.open(before.case) as case:
        case.note_outcome(0, "confirmed")
    with home.open(before.case) as case:
        assert "confirmed" == case.report()["predictions"][0]["status"]
