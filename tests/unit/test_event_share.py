"""Which events are digested where there are too many."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from bot.casefile.case import Case
from bot.casefile.disk import connect_to_whole
from bot.casefile.event_share import shared_ids
from bot.casefile.home import CaseHome
from bot.casefile.known_events import KnownEvents
from bot.casefile.search import search
from bot.domain.entity import Entity
from bot.domain.items import ClusterEvent
from bot.investigation.investigate import span_of
from bot.signals.masking import mask

START = datetime(2026, 11, 22, tzinfo=UTC)


def event(reason, second):
    """Give an event."""
    at = START + timedelta(seconds=second)
    pod = Entity("Pod", f"api-{second % 5}", "shop")
    return ClusterEvent(
        at=at, first_at=at, entity=pod, reason=reason, message=str(second), type="Warning", count=1, component="kubelet",
        node=None, raw=b"{}",
    )  # fmt: skip


def shared(folder, events, most):
    """Put events into a case and give what is digested of them."""
    with stored(folder, events, most) as case:
        return list(case.events()), case.passed_over("events")


def stored(folder, events, most):
    """Put events into a case and give it, so that it reads that many."""
    with CaseHome(folder).create(mask) as writer:
        for one in events:
            writer.add_event(one)
        path = writer.finish()
    return Case(connect_to_whole(path), path, owned=True, most_events=most)


def test_few_events_are_all_digested(tmp_path):
    """Up to the limit none is passed over, and they come in time order."""
    kept, passed = shared(tmp_path, [event("Killing", at) for at in range(9, -1, -1)], 10)
    assert (10, 0) == (len(kept), passed)
    assert [str(at) for at in range(10)] == [one.message for _, one in kept]


def test_a_frequent_kind_keeps_its_even_share_and_a_rare_one_everything(tmp_path):
    """A flood of failed probes neither hides the one kill nor loses its own beginning and end in time."""
    flood = [event("Unhealthy", at) for at in range(1000)]
    kept, passed = shared(tmp_path, [*flood, event("OOMKilling", 500), event("Killing", 501)], 102)
    reasons = [one.reason for _, one in kept]
    assert (1, 1, 100, 900) == (*(reasons.count(each) for each in ("OOMKilling", "Killing", "Unhealthy")), passed)
    times = [int(one.message) for _, one in kept if one.reason == "Unhealthy"]
    assert times == sorted(times)
    assert {10} == {later - first for first, later in pairwise(times)}


def test_an_event_is_known_again_only_where_nothing_is_new_about_it():
    """The same one, or one folded less far, is known; one that was seen since or oftener is not, nor is one beyond the room."""
    known = KnownEvents(most=2)
    first = event("Killing", 5)
    known.add(first, 1)
    assert 1 == known.find(first)
    assert known.find(replace(first, message="other")) is None
    newer = replace(first, at=first.at + timedelta(seconds=9), count=3)
    assert known.find(newer) is None
    known.add(newer, 2)
    assert 2 == known.find(first) == known.find(newer)
    assert known.add(event("Killing", 6), 3)
    assert not known.add(event("Killing", 7), 4)
    assert 3 == known.find(event("Killing", 6))
    assert known.find(event("Killing", 7)) is None


def test_a_share_comes_in_time_order_and_a_search_finds_what_it_leaves_out(tmp_path):
    """Events that came in no order are told in time's; what is not digested is still in the case."""
    seconds = [at * 7919 % 1000 for at in range(1000)]
    with stored(tmp_path, [event("Unhealthy", at) for at in seconds], 100) as case:
        times = [one.at for _, one in case.events()]
        assert (times, 100, 900) == (sorted(times), len(times), case.passed_over("events"))
        assert 1000 == search(case, "Unhealthy").total == len(list(case.stored("V")))


def test_kinds_without_end_share_one_count(tmp_path):
    """A reason that is never the same twice cannot fill the memory with counts: what comes after many kinds is one kind."""
    with stored(tmp_path, [event(f"R{at}", at) for at in range(50)], 100) as case:
        kept = shared_ids(case._connection, 20, most_kinds=10)
        assert [*range(1, 11)] == kept[:10]
        assert 20 == len(kept)


def test_a_wrong_clock_among_many_events_does_not_stretch_the_window(tmp_path):
    """The window is found by the day in the middle; an event years off counts for nothing."""
    far = replace(event("Killing", 5), at=START - timedelta(days=4000), first_at=START - timedelta(days=4000))
    with stored(tmp_path, [*(event("Killing", at) for at in (7, 90_000, 3)), far], 100) as case:
        assert (START + timedelta(seconds=3), START + timedelta(seconds=90_000)) == span_of(case)
