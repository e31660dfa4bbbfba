"""Reading over HTTP that ends: deadlines, caps, few retries, nothing hidden."""

import threading
import time

import pytest
import requests
from fault_server import FAULTS, FaultServer, answer
from prometheus_api_client import PrometheusConnect

from bot.wire import (
    BusyError,
    Deadline,
    LateError,
    Limits,
    Login,
    RefusedError,
    TooLargeError,
    WireError,
    WireSession,
    json_of,
)

DEADLINE_S = 0.6


def got(url, path="/", limits=None, seconds=DEADLINE_S):
    """Read a path through a session of its own."""
    with Deadline(seconds) as deadline, WireSession(deadline, limits=limits) as session:
        return json_of(session.get(url + path))


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_ends_within_the_deadline(fault):
    """Whatever the server does, reading ends with a WireError, and no thread or connection stays behind."""
    before = set(threading.enumerate())
    begun = time.monotonic()
    with FaultServer(fault) as server:
        with pytest.raises(WireError) as caught:
            got(server.url, limits=Limits(answer_bytes=4_000_000))
        took = time.monotonic() - begun
        assert "127.0.0.1" not in str(caught.value)
    assert set(threading.enumerate()) <= before
    assert took < DEADLINE_S + 2


def test_a_hang_and_a_slow_answer_are_late():
    """What does not come in time is said to be late, not broken."""
    for fault in ("hang", "slow-loris", "slow-body"):
        with FaultServer(fault) as server, pytest.raises(LateError):
            got(server.url)


def test_a_client_library_cannot_bring_its_own_retries():
    """The official Prometheus client retries four times and sleeps as long as it is told: not through this session."""
    with FaultServer("429 for an hour") as server, Deadline(5) as deadline, WireSession(deadline) as session:
        client = PrometheusConnect(url=server.url, session=session)
        with pytest.raises(BusyError):
            client.custom_query("up")
        assert len(server.requests) == 1


def test_a_passing_failure_is_tried_again():
    """Two failures and then an answer give the answer."""
    told = iter([answer("{}", status="503 Service Unavailable")] * 2 + [answer('{"a":1}')])
    with FaultServer(None, reply=lambda _request: next(told)) as server:
        assert got(server.url, seconds=20) == {"a": 1}
        assert len(server.requests) == 3


def test_a_pause_that_the_server_asks_for_is_kept_within_the_deadline():
    """Retry-After is a wish: kept where the time allows, else the call has failed."""
    told = iter([answer("{}", status="429 Too Many", more="Retry-After: 0\r\n"), answer("[]")])
    with FaultServer(None, reply=lambda _request: next(told)) as server:
        assert got(server.url, seconds=20) == []


def test_credentials_are_not_repeated_and_not_sent_elsewhere(monkeypatch, tmp_path):
    """401 is final, .netrc is not read, and a redirect is not followed."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else")
    monkeypatch.setenv("NETRC", str(netrc))
    with FaultServer("401") as server, pytest.raises(RefusedError):
        got(server.url)
    assert len(server.requests) == 1
    moved = answer("", status="302 Found", more="Location: http://127.0.0.1:1/login\r\n")
    with (
        FaultServer(None, reply=lambda _request: moved) as server,
        Deadline(5) as deadline,
        WireSession(deadline, login=Login(token="t0ken")) as session,
        pytest.raises(WireError, match="redirects"),
    ):
        session.get(server.url)


def test_what_may_be_read_is_bounded_in_sum_too():
    """Many small answers are as much as a large one."""
    reply = answer(b"[" + b" " * 10_000 + b"]")
    limits = Limits(total_bytes=35_000)
    with (
        FaultServer(None, reply=lambda _request: reply) as server,
        Deadline(20) as deadline,
        WireSession(deadline, limits=limits) as session,
    ):
        for _ in range(3):
            session.get(server.url)
        with pytest.raises(TooLargeError):
            session.get(server.url)


def test_a_stream_ends_with_the_deadline_too():
    """Parts are handed on as they come, until the time is over."""
    with (
        FaultServer("slow-body") as server,
        Deadline(DEADLINE_S) as deadline,
        WireSession(deadline) as session,
        pytest.raises(LateError),
        session.streamed("GET", server.url) as chunks,
    ):
        list(chunks)


def test_an_end_from_outside_breaks_reading_off():
    """Whoever has no more use for the answer need not wait for the deadline."""
    with FaultServer("hang") as server, Deadline(60) as deadline, WireSession(deadline) as session:
        threading.Timer(0.2, deadline.end).start()
        begun = time.monotonic()
        with pytest.raises(LateError):
            session.get(server.url)
        assert time.monotonic() - begun < 10


def test_the_services_clock_is_compared_with_ours():
    """A Date header an hour off is seen."""
    at = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3600))
    reply = answer("{}", more=f"Date: {at}\r\n")
    with (
        FaultServer(None, reply=lambda _request: reply) as server,
        Deadline(20) as deadline,
        WireSession(deadline) as session,
    ):
        session.get(server.url)
        assert abs((session.clock_offset_s or 0) - 3600) < 60


def test_an_answer_is_whole_when_it_is_handed_on():
    """A client library reads content, text and JSON as of any requests session."""
    with FaultServer(None) as server, Deadline(20) as deadline, WireSession(deadline) as session:
        told = session.get(server.url)
    assert isinstance(told, requests.Response)
    assert (told.content, told.json(), told.ok) == (b"{}", {}, True)
