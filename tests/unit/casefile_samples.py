"""Items to put into a case file, small and of every kind."""

from array import array
from datetime import UTC, datetime, timedelta

from bot.domain.entity import Entity
from bot.domain.items import ChatMessage, ClusterEvent, LogStream, ObjectVersion, Series, TicketEntry

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)


def at(minutes):
    return NOON + timedelta(minutes=minutes)


def at_ns(minutes):
    return int(at(minutes).timestamp()) * 1_000_000_000


def stream(pod="api-7d9f-x2x4z", **changes):
    named = {"namespace": "shop", "pod": pod, "container": "api", "path": f"kubernetes/shop/{pod}/api.log"}
    return LogStream(**{**named, "labels": {"app": "api"}, "node": "node-1", **changes})


def event(minutes=0, **changes):
    named = {
        "at": at(minutes),
        "first_at": at(minutes - 5),
        "count": 3,
        "type": "Warning",
        "reason": "BackOff",
        "message": "Back-off restarting failed container api",
        "entity": Entity("Pod", "api-7d9f-x2x4z", "shop"),
        "component": "kubelet",
        "node": None,
        "raw": b'{"kind": "Event", "reason": "BackOff"}',
    }
    return ClusterEvent(**{**named, **changes})


def version(minutes=None, **changes):
    named = {
        "entity": Entity("Deployment", "api", "shop"),
        "uid": "2f6f",
        "observed_at": None if minutes is None else at(minutes),
        "manifest": {"spec": {"replicas": 3, "template": {"spec": {"terminationGracePeriodSeconds": 15}}}},
        "raw": b'{"spec": {"replicas": 3}}' + b" " * 400,
    }
    return ObjectVersion(**{**named, **changes})


def series(minutes=0, **changes):
    start = at(minutes).timestamp()
    named = {
        "metric": "container_memory_working_set_bytes",
        "labels": {"pod": "api-7d9f-x2x4z", "namespace": "shop"},
        "times_s": array("d", [start, start + 30, start + 60]),
        "values": array("d", [1.5, float("inf"), 3.25]),
        "raw": b'[[1,"1.5"]]',
    }
    return Series(**{**named, **changes})


def message(minutes=0, **changes):
    named = {
        "at": at(minutes),
        "channel": "incident-502",
        "author": "maria",
        "is_bot": False,
        "text": "I think the gateway is to blame",
        "ts": "1762171200.000100",
        "thread_ts": None,
        "permalink": "https://example.slack.com/archives/C1/p1762171200000100",
        "raw": b'{"text": "I think the gateway is to blame"}',
    }
    return ChatMessage(**{**named, **changes})


def ticket(minutes=0, **changes):
    named = {
        "at": at(minutes),
        "key": "OPS-7",
        "part": "comment",
        "author": "Ken",
        "text": "Rolled the API back",
        "url": "https://example.atlassian.net/browse/OPS-7",
        "raw": b'{"body": "Rolled the API back"}',
    }
    return TicketEntry(**{**named, **changes})
