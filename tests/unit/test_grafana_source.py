"""Grafana's annotations as changes."""

import json

from fault_server import FaultServer, answer
from http_sources import NOTES, SCOPE, grafana_source
from unit.export_sink import RecordingSink

from bot.domain.entity import Entity
from bot.domain.items import ItemId
from bot.domain.signal import Kind, Topology
from bot.signals.event_signals import event_signals


def read(**more):
    """Read the two notes of a played Grafana; give the sink and what was asked."""
    sink = RecordingSink()
    with FaultServer(None, reply=lambda _request: answer(json.dumps(NOTES))) as server:
        grafana_source(server.url, 8.0, **more).gather(sink, lambda *_: None)
        return sink, server.requests


def test_an_annotation_is_a_change_to_whom_its_tags_name_or_by_its_author():
    """In the order of time, without markup."""
    sink, _ = read()
    assert [("raised the limit", Entity("Person", "ada")), ("api 1.4.2 [deployment:api, namespace:shop]", Entity("Deployment", "api", "shop"))] == [(event.message, event.entity) for event in sink.events]  # fmt: skip


def test_only_what_people_and_pipelines_noted_in_the_window_is_asked_for():
    """The window in milliseconds, no alerts, and the tags that are configured."""
    _, (asked,) = read(tags=("deploy", "a&b"))
    start, end = int(SCOPE.window.start_s * 1000), int(SCOPE.window.end_s * 1000)
    line = asked.splitlines()[0]
    assert f"/api/annotations?from={start}&to={end}&limit=2000&type=annotation&tags=deploy&tags=a%26b" in line


def test_an_annotation_becomes_a_signal_of_a_change():
    """A cause may begin with it."""
    sink, _ = read()
    pairs = [(ItemId(f"V{n}"), event) for n, event in enumerate(sink.events, 1)]
    signals = event_signals(pairs, SCOPE.window, Topology())
    assert {Kind.HUMAN_CHANGE} == {signal.kind for signal in signals}
    assert len(signals) == 2
