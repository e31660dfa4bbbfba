"""Which events are digested where there are too many."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from bot.casefile.home import CaseHome
from bot.casefile.known_events import KnownEvents
from bot.domain.entity import Entity
from bot.domain.items import ClusterEvent
from bot.investigation.event_share import shared_events
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
    with CaseHome(folder).create(mask) as writer:
        for one in events:
            writer.add_event(one)
        return shared_events(writer.reader(), most)


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
    known.add(event("Killing", 6), 3)
    known.add(event("Killing", 7), 4)
    assert 3 == known.find(event("Killing", 6))
    assert known.find(event("Killing", 7)) is None
