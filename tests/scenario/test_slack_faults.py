"""Whatever Slack does, nothing is lost, nothing is said twice, nothing hangs: each fault at each call of an investigation."""

import asyncio
import time
from collections import Counter

import pytest
from slack_stage import ADA, INCIDENTS, play

from bot.playground.faults import CallFault, SocketFault
from bot.slack import calls as slack_calls, delivery

FAULTS = (
    "ratelimited",
    "server_error",
    "error_after",
    "reset_before",
    "reset_after",
    "truncated",
    "html",
    "hang",
    "slow",
)
METHODS = ("chat.postMessage", "chat.update", "conversations.replies", "reactions.add", "users.info", "auth.test")
OUTCOMES: dict[tuple[str, str], str] = {}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Shorten the deadlines, so that what hangs hangs briefly."""
    monkeypatch.setattr(slack_calls, "ATTEMPT_S", 0.4)
    monkeypatch.setattr(slack_calls, "_FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(delivery, "_SETTLE_S", 0.1)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_costs_time_but_no_answer(kind, method):
    """One answer, one plan, one reaction, however the call went wrong."""

    async def scenario(stage):
        stage.server.faults.plan(CallFault(kind=kind, method=method, seconds=3.0))
        began = time.monotonic()
        asked = await stage.say(ADA, "<@U0ROOTCAUSE> why do we see 503s? 5d")
        await stage.until(lambda: stage.desk.works, timeout_s=20)
        await stage.settled()
        own = stage.texts(thread_ts=asked["ts"])
        kinds = Counter("answer" if "Cause found" in each["text"] else "plan" for each in own)
        OUTCOMES[(kind, method)] = f"answered once in {time.monotonic() - began:.1f} s"
        assert {"answer": 1, "plan": 1} == dict(kinds)
        assert 1 == len(stage.desk.asks)

    play(scenario, ack_s=2.0, retry_delays_s=(0.1, 0.5, 1.0))


def test_an_outage_in_the_middle_is_waited_out():
    """Five failures of every kind of post in a row, and still one answer."""

    async def scenario(stage):
        for kind in ("reset_after", "server_error", "error_after", "ratelimited", "truncated"):
            stage.server.faults.plan(CallFault(kind=kind, method="chat.postMessage"))
        asked = await stage.say(ADA, "<@U0ROOTCAUSE> 5d")
        await stage.until(lambda: stage.desk.works, timeout_s=30)
        await stage.settled()
        assert 2 == len(stage.texts(thread_ts=asked["ts"]))

    play(scenario)


@pytest.mark.parametrize("kind", ["drop_mid_envelope", "drop_before", "disconnect"])
def test_a_broken_socket_loses_nothing(kind):
    """The event comes again over the next socket, and is one ask."""

    async def scenario(stage):
        stage.server.faults.plan(SocketFault(kind=kind))
        await stage.say(ADA, "<@U0ROOTCAUSE> 5d")
        await stage.until(lambda: stage.desk.asks, timeout_s=30)
        await asyncio.sleep(0)
        assert 1 == len(stage.desk.asks)
        OUTCOMES[(kind, "socket")] = "one ask"

    play(scenario, answering=False, ack_s=1.0, retry_delays_s=(0.5, 1.0, 2.0))


def test_a_post_that_another_process_made_is_not_made_again():
    """A process that takes over looks for the key before it posts."""

    async def scenario(stage):
        asked = await stage.say(ADA, "<@U0ROOTCAUSE> 5d")
        await stage.until(lambda: stage.desk.works)
        await stage.settled()
        ask = stage.desk.asks[0]
        stage.connection.messenger._plans.clear()
        await stage.connection.messenger.answer(ask, "w-0:answer", stage.desk.report)
        await stage.connection.messenger.finish(ask, well=True)
        assert 2 == len(stage.texts(thread_ts=asked["ts"]))

    play(scenario)


def test_a_foreign_key_keeps_no_answer_back():
    """Whoever writes the app's metadata into a thread does not silence it."""

    async def scenario(stage):
        asked = await stage.say(ADA, "<@U0ROOTCAUSE> 5d")
        await stage.until(lambda: stage.desk.asks)
        place = stage.server.workspace.find(INCIDENTS)
        metadata = {"event_type": "rootcause", "event_payload": {"key": "w-0:answer", "kind": "answer"}}
        for author in ({"user": ADA}, {"user": "U0OTHER", "bot_id": "B0OTHER"}):
            forged = {**author, "text": "all is well", "thread_ts": asked["ts"], "metadata": metadata}
            stage.server.workspace.post(place, forged)
        await stage.connection.messenger.answer(stage.desk.asks[0], "w-0:answer", stage.desk.report)
        assert any("Cause found" in each["text"] for each in stage.texts(thread_ts=asked["ts"]))

    play(scenario, answering=False)


def test_the_picture_is_uploaded_once_with_its_alt_text():
    """Three calls, one file, in the thread."""

    async def picture(_report):
        return b"\x89PNG not really", "Twelve runs of the job, each followed by errors."

    async def scenario(stage):
        asked = await stage.say(ADA, "<@U0ROOTCAUSE> 5d")
        await stage.until(lambda: stage.desk.works)
        await stage.settled()
        ask = stage.desk.asks[0]
        await stage.connection.messenger.answer(ask, "w-0:answer", stage.desk.report)
        files = [each for message in stage.texts(thread_ts=asked["ts"]) for each in message.get("files", ())]
        assert 1 == len(files)
        assert "Twelve runs" in str(files[0])
        completed = stage.server.calls_of("files.completeUploadExternal")
        assert [INCIDENTS] == [each.args["channel_id"] for each in completed]

    play(scenario, picture=picture)


def test_answers_are_withheld_where_a_channel_became_shared():
    """Another organisation joined between question and answer: only the asker is told."""

    async def scenario(stage):
        asked = await stage.say(ADA, "<@U0ROOTCAUSE> 5d")
        await stage.until(lambda: stage.desk.asks)
        stage.connection.access._kept.clear()
        stage.server.workspace.find(INCIDENTS).connected_teams = ("T0PARTNER",)
        await stage.connection.messenger.answer(stage.desk.asks[0], "w-0:answer", stage.desk.report)
        assert [] == [each for each in stage.texts(thread_ts=asked["ts"]) if "Cause found" in each["text"]]
        assert "shared" in stage.server.ephemerals(INCIDENTS, ADA)[-1]["text"]

    play(scenario, answering=False)


def test_an_event_that_cannot_be_stored_comes_again():
    """A full disk costs a delivery, not the question."""

    async def scenario(stage):
        stage.desk.failures = 2
        await stage.say(ADA, "<@U0ROOTCAUSE> 5d")
        await stage.until(lambda: stage.desk.asks, timeout_s=20)
        assert 3 == stage.desk.submissions
        assert [] == stage.server.ephemerals(INCIDENTS, ADA)

    play(scenario, answering=False, ack_s=0.3, retry_delays_s=(0.05, 0.05, 0.05))


def test_what_goes_wrong_here_is_told_with_a_reference_and_never_as_an_exception():
    """The person sees a sentence; the log has the rest."""

    async def scenario(stage):
        stage.desk.failures = 1
        await stage.server.slash(ADA, INCIDENTS, "/rootcause", "5d")
        await stage.until(lambda: any("r-" in each["text"] for each in stage.server.ephemerals(INCIDENTS, ADA)))
        told = " ".join(each["text"] for each in stage.server.ephemerals(INCIDENTS, ADA))
        assert "StorageError" not in told
        assert "disk" not in told

    play(scenario, answering=False, ack_s=0.5)


def test_an_answer_whose_looks_are_refused_is_still_given(monkeypatch):
    """First without what folds, then as plain text."""
    broken = [{"type": "container", "nonsense": True}, {"type": "section"}]
    monkeypatch.setattr(delivery.report_blocks, "answer_blocks", lambda *_, **__: broken)

    async def scenario(stage):
        asked = await stage.say(ADA, "<@U0ROOTCAUSE> 5d")
        await stage.until(lambda: stage.desk.works)
        await stage.settled()
        assert "Cause found" in stage.texts(thread_ts=asked["ts"])[-1]["text"]

    play(scenario)


@pytest.fixture(scope="module", autouse=True)
def table(shown):
    """Show what became of each fault, for whoever reads the log."""
    yield
    shown("\n".join(f"{kind:<18} {method:<22} {outcome}" for (kind, method), outcome in sorted(OUTCOMES.items())))
