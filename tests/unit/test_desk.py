"""The desk's inbox, its turns, its words and windows: what needs no process and no Slack."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.chat import Ask, Asker, Place, SourceProgress
from bot.domain.items import Gap, LogStream
from bot.errors import CaseError, ChatBusyError, StorageError, UsageError
from bot.investigation.desk_inbox import Inbox, desk_url, flight_of, work_id
from bot.investigation.outbox import Outbox
from bot.investigation.workflow_process import question_of, window_words
from bot.investigation.workflow_progress import Watch, watched
from bot.investigation.workflow_sources import WithoutChat
from bot.investigation.workflow_turns import Turns
from bot.settings import DeskSettings

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PLACE = Place(enterprise=None, team="T1", channel="C1", thread_ts="1.1")
ANN = Asker(user="U1", name="Ann", tz="Europe/Berlin")


def ask(number=1, **changes):
    """Make an ask; another number is another message."""
    named = {
        "kind": "investigate",
        "keys": (f"event:{number}", f"message:C1:{number}"),
        "place": replace(PLACE, thread_ts=f"{number}.1"),
        "asker": ANN,
        "question": f"why {number}?",
        "window": "5d",
        "namespaces": (),
        "message_ts": f"{number}.1",
        "asked_at": NOW,
    }
    return Ask(**{**named, **changes})


def with_inbox(tmp_path, scenario, **limits):
    """Run a scenario on an inbox of its own."""

    async def run():
        settings = DeskSettings(**{"at_once": 1, **limits})
        inbox = Inbox(desk_url(tmp_path, settings), settings)
        await inbox.open()
        try:
            return await scenario(inbox)
        finally:
            await inbox.close()

    return asyncio.run(run())


def test_an_ask_is_read_back_as_it_was_stored(tmp_path):
    """Nothing of it is lost in the database."""
    given = ask(namespaces=("shop", "pay"), place=replace(PLACE, enterprise="E1"))

    async def scenario(inbox):
        accepted = await inbox.take(given, NOW)
        return await inbox.row(accepted.work)

    assert given == with_inbox(tmp_path, scenario).ask


def test_a_delivery_that_shares_any_key_is_a_duplicate(tmp_path):
    """Slack delivers an event up to four times, and a mention also as a message."""

    async def scenario(inbox):
        first = await inbox.take(ask(), NOW)
        again = await inbox.take(ask(keys=("event:other", "message:C1:1")), NOW)
        return first, again

    first, again = with_inbox(tmp_path, scenario)
    assert ("new", "duplicate") == (first.outcome, again.outcome)
    assert first.work == again.work


def test_many_deliveries_at_once_are_taken_once(tmp_path):
    """Whatever order they arrive in, one is new."""

    async def scenario(inbox):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(inbox.take(ask(), NOW)) for _ in range(20)]
        return [task.result().outcome for task in tasks]

    outcomes = with_inbox(tmp_path, scenario)
    assert ["duplicate"] * 19 + ["new"] == sorted(outcomes)


def test_the_same_question_of_a_channel_and_window_is_investigated_once(tmp_path):
    """The second asker is told where it runs."""

    async def scenario(inbox):
        first = await inbox.take(ask(1, question="Why the 502s?"), NOW)
        return first, await inbox.take(ask(2, question="why the  502s"), NOW)

    first, second = with_inbox(tmp_path, scenario)
    assert ("running", first.work, "1.1") == (second.outcome, second.work, second.place.thread_ts)


@pytest.mark.parametrize("changed", [{"window": "12h"}, {"namespaces": ("pay",)}, {"question": "why else?"}])
def test_another_window_namespace_or_question_is_another_investigation(changed):
    """Steering must begin a new run."""
    assert flight_of(ask()) != flight_of(ask(**changed))


def test_positions_are_told_and_the_queue_is_bounded(tmp_path):
    """One runs, two wait, the fourth is refused with a sentence."""

    async def scenario(inbox):
        return [await inbox.take(ask(number), NOW) for number in range(4)]

    taken = with_inbox(tmp_path, scenario, queue=2)
    assert [("new", 0), ("new", 1), ("new", 2), ("refused", 0)] == [(each.outcome, each.position) for each in taken]
    assert "again in some minutes" in taken[3].reason


def test_a_person_and_a_channel_may_start_so_many_an_hour(tmp_path):
    """The limit counts the last hour only."""

    async def scenario(inbox):
        for number in range(2):
            accepted = await inbox.take(ask(number), NOW)
            await inbox.settle(accepted.work, "done", NOW)
        refused = await inbox.take(ask(3), NOW)
        later = NOW + timedelta(hours=2)
        return refused, await inbox.take(ask(4, asked_at=later), later)

    refused, later = with_inbox(tmp_path, scenario, per_user_hour=2)
    assert ("refused", "new") == (refused.outcome, later.outcome)


def test_a_refused_ask_delivered_again_is_a_duplicate(tmp_path):
    """So that the person is told once."""

    async def scenario(inbox):
        given = ask(kind="follow_up")
        return (await inbox.take(given, NOW)).outcome, (await inbox.take(given, NOW)).outcome

    assert ("refused", "duplicate") == with_inbox(tmp_path, scenario)


def test_a_follow_up_needs_a_case_in_its_own_thread(tmp_path):
    """A thread of another workspace with the same ts has none."""

    async def scenario(inbox):
        accepted = await inbox.take(ask(), NOW)
        await inbox.keep_case(accepted.work, "case1", "cause_found", "It was the job.")
        here = await inbox.take(ask(2, kind="follow_up", place=ask().place), NOW)
        elsewhere = await inbox.take(ask(3, kind="follow_up", place=replace(ask().place, team="T2")), NOW)
        return here.outcome, elsewhere.outcome, await inbox.case_of(ask().place)

    assert ("new", "refused", "case1") == with_inbox(tmp_path, scenario)


def test_recent_lists_the_newest_first_with_what_became_of_it(tmp_path):
    """Of one channel, or of all."""

    async def scenario(inbox):
        first = await inbox.take(ask(1), NOW)
        await inbox.keep_case(first.work, "case1", "cause_found", "It was the job.")
        await inbox.settle(first.work, "done", NOW)
        await inbox.take(ask(2, place=replace(PLACE, channel="C2")), NOW)
        return await inbox.recent("T1", None, 10), await inbox.recent("T1", "C1", 10)

    everywhere, here = with_inbox(tmp_path, scenario)
    assert [("queued", None), ("done", "case1")] == [(each.state, each.case) for each in everywhere]
    assert ["It was the job."] == [each.summary for each in here]


def test_what_was_stored_is_there_for_the_next_process(tmp_path):
    """Unfinished work is found again in its order."""

    async def store(inbox):
        for number in (1, 2):
            await inbox.take(ask(number), NOW)

    async def find(inbox):
        return [row.ask.question for row in await inbox.unfinished()]

    with_inbox(tmp_path, store)
    assert ["why 1?", "why 2?"] == with_inbox(tmp_path, find)


def test_a_second_process_on_the_same_home_is_told_so(tmp_path):
    """SQLite is for one at a time."""

    async def scenario(inbox):
        await inbox.counts()
        settings = DeskSettings()
        second = Inbox(desk_url(tmp_path, settings), settings)
        with pytest.raises(StorageError, match="already"):
            await second.open()
        second._thread.shutdown()

    with_inbox(tmp_path, scenario)


def test_only_postgresql_may_be_named(tmp_path):
    """Anything else is refused in a sentence."""
    with pytest.raises(UsageError, match="PostgreSQL"):
        desk_url(tmp_path, DeskSettings(database_url="mysql://localhost/x"))


def test_work_is_named_by_what_was_asked_where():
    """Asking the same twice names it alike; another thread does not."""
    assert work_id(ask()) == work_id(ask())
    assert work_id(ask()) != work_id(ask(place=replace(PLACE, channel="C2")))


def test_what_was_delivered_is_not_posted_again(tmp_path):
    """And what failed on the way is."""
    posted = []

    async def scenario(inbox):
        outbox = Outbox(inbox, lambda: NOW)

        async def fail():
            raise ChatBusyError("Slack is away.")

        async def post():
            posted.append(1)

        with pytest.raises(ChatBusyError):
            await outbox.deliver("k", fail)
        await outbox.deliver("k", post)
        await outbox.deliver("k", post)

    with_inbox(tmp_path, scenario)
    assert [1] == posted


def test_turns_go_in_order_of_arrival_whatever_order_they_come_back_in():
    """After a restart work comes back in any order."""
    order, positions = [], {}

    async def scenario():
        turns = Turns(1)
        opened = asyncio.Event()

        async def take(seq):
            async def told(position):
                positions.setdefault(seq, []).append(position)

            async with turns.turn(seq, told):
                order.append(seq)
                if seq == 1:
                    await opened.wait()

        async with asyncio.TaskGroup() as group:
            group.create_task(take(1))
            await asyncio.sleep(0)
            for seq in (4, 2, 3):
                group.create_task(take(seq))
            while turns.waiting < 3:  # noqa: ASYNC110 - they wait within two rounds of the loop
                await asyncio.sleep(0)
            opened.set()

    asyncio.run(scenario())
    assert [1, 2, 3, 4] == order
    assert 3 == max(positions[4])


def test_waiting_that_is_ended_gives_its_place_up():
    """The next one moves up."""

    async def scenario():
        turns = Turns(1)

        async def calm(_position):
            pass

        async def stopped(_position):
            raise UsageError("stopped")

        async with turns.turn(1, calm):
            with pytest.raises(UsageError):
                async with turns.turn(2, stopped):
                    pass
            return turns.waiting

    assert 0 == asyncio.run(scenario())


@pytest.mark.parametrize("length", ["5d", "12h", "last 5d"])
def test_a_length_stays_one(length):
    """It is counted back from the end of the evidence, which may lie in the past."""
    assert length == window_words(ask(window=length)).words


def test_a_moment_is_read_in_the_askers_time_zone():
    """Nine o'clock in Berlin is eight in UTC."""
    read = window_words(ask(window="since 09:00"))
    assert datetime(2026, 11, 21, 8, 0, tzinfo=UTC) == read.window.start
    assert "2026-11-21T08:00:00Z..2026-11-21T12:00:00Z" == read.words


def test_no_window_is_none():
    """All of the material."""
    assert window_words(ask(window=None)).words is None


def test_namespaces_chosen_in_a_form_become_part_of_the_question():
    """Unless the question names them."""
    assert "why 1? (in pay)" == question_of(ask(namespaces=("pay",)))
    assert "why pay?" == question_of(ask(question="why pay?", namespaces=("pay",)))


class Chatty:
    """A source of everything, or of an error."""

    name = "export"

    def __init__(self, error=None):
        self.error = error

    def gather(self, sink, progress):
        """Put in lines, a gap and a message."""
        if self.error:
            raise self.error
        sink.add_lines(
            sink.open_stream(LogStream(namespace=None, pod="p", container=None, path="p.log")), [(1, b"x", 0)]
        )
        sink.add_gap(Gap(source="slack", what="a day is missing"))
        sink.add_read("slack", "c.json", 5)
        sink.add_read("kubernetes/logs", "p.log", 7)
        sink.add_message(None)
        progress("read", 7, 7)


class Sink:
    """Notes what it is given."""

    def __init__(self):
        self.seen = []

    def __getattr__(self, name):
        def note(*given):
            self.seen.append(name)
            return 0

        return note


def test_the_plan_shows_items_bytes_and_gaps_source_by_source():
    """What the sink was given says enough."""
    told = []
    watch = Watch(told.append)
    for source in watched([Chatty()], watch):
        source.gather(Sink(), watch.progress)
    watch.progress("digest", 0, None)
    logs = SourceProgress(source="kubernetes/logs", state="done", items=1, bytes=7)
    gap = (Gap(source="slack", what="a day is missing"),)
    chat = SourceProgress(source="slack", state="done", items=1, bytes=5, gaps=gap)
    assert ("digest", (logs, chat)) == (told[-1].stage, told[-1].sources)


def test_a_source_that_fails_beside_others_is_a_gap_and_the_cases_own_trouble_is_not():
    """A full disk ends the investigation."""
    watch = Watch(lambda _: None)
    sink = Sink()
    watched([Chatty(ChatBusyError("away")), Chatty()], watch)[0].gather(sink, watch.progress)
    assert ["add_gap"] == sink.seen
    with pytest.raises(CaseError):
        watched([Chatty(CaseError("full")), Chatty()], watch)[0].gather(sink, watch.progress)


def test_an_export_beside_a_live_channel_leaves_chat_to_it():
    """Neither its messages, nor their bytes, nor their gaps."""
    sink = Sink()
    WithoutChat(Chatty()).gather(sink, lambda *_: None)
    assert ["open_stream", "add_lines", "add_read"] == sink.seen
