"""Dating of log lines in every form that common software writes."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings, strategies as st

from bot.domain.ports import UNDATED
from bot.native.batch import Oddities, lines_of
from bot.sources.export.lines import dating_of
from bot.sources.export.timestamps import ANCHORED, epoch_ns, iso, iso_anywhere, klog, moment, rfc3339_second, syslog

NOV_22 = 1_795_328_881  # 2026-11-22T06:28:01Z
REFERENCE = float(NOV_22 + 3600)


@pytest.mark.parametrize(
    ("line", "expected_ns"),
    [
        (b"2026-11-22T06:28:01.123456789Z text", NOV_22 * 10**9 + 123456789),
        (b"2026-11-22T06:28:01Z text", NOV_22 * 10**9),
        (b"2026-11-22T08:28:01.5+02:00 text", NOV_22 * 10**9 + 500_000_000),
        (b"2026-11-22 06:28:01,123 INFO [main] c.e.App - up", NOV_22 * 10**9 + 123_000_000),
        (b"2026-11-22 06:28:01.123 UTC [77] LOG:  checkpoint starting: time", NOV_22 * 10**9 + 123_000_000),
        (b"2026-11-22 07:28:01.123 CET [77] ERROR:  deadlock detected", NOV_22 * 10**9 + 123_000_000),
        (b"2026-11-22 01:28:01 -0500 worker up", NOV_22 * 10**9),
        (b"2026/11/22 06:28:01 listening on :8080", NOV_22 * 10**9),
        (b"2026/11/22 06:28:01 [error] 7#7: *1 upstream timed out", NOV_22 * 10**9),
        (b"[2026-11-22 06:28:01 +0000] [7] [INFO] Booting worker", NOV_22 * 10**9),
        (b'[2026-11-22T06:28:01.123Z] "GET / HTTP/1.1" 503 UF', NOV_22 * 10**9 + 123_000_000),
        (b"\x1b[32mINFO\x1b[0m 2026-11-22T06:28:01Z up", NOV_22 * 10**9),
        (b"E, [2026-11-22T06:28:01.000001 #1] ERROR -- : x", NOV_22 * 10**9 + 1000),
        (b"I1122 06:28:01.123456       1 leaderelection.go:250] x", NOV_22 * 10**9 + 123_456_000),
        (b"I20261122 06:28:01.123456 1 a.cc:1] x", NOV_22 * 10**9 + 123_456_000),
        (b'10.0.0.1 - - [22/Nov/2026:06:28:01 +0000] "GET / HTTP/1.1" 502 157', NOV_22 * 10**9),
        (b'10.0.0.1 - - [22/Nov/2026:11:58:01 +0530] "GET / HTTP/1.1" 502 157', NOV_22 * 10**9),
        (b'time="2026-11-22T06:28:01Z" level=info msg=x', NOV_22 * 10**9),
        (b"level=info ts=2026-11-22T06:28:01.123Z caller=main.go", NOV_22 * 10**9 + 123_000_000),
        (b"<34>Nov 22 06:28:01 node-1 kubelet[1]: x", NOV_22 * 10**9),
        (b"Nov 22 06:28:01 node-1 kernel: x", NOV_22 * 10**9),
        (b"[Sun Nov 22 06:28:01.123456 2026] [core:notice] x", NOV_22 * 10**9 + 123_456_000),
        (b"1:M 22 Nov 2026 06:28:01.123 * Ready to accept connections", NOV_22 * 10**9 + 123_000_000),
        (b"22-Nov-2026 06:28:01.123 INFO [main] org.apache.catalina x", NOV_22 * 10**9 + 123_000_000),
        (b"Nov 22, 2026 6:28:01 AM com.example.App run", NOV_22 * 10**9),
        (b"26/11/22 06:28:01 INFO executor: x", NOV_22 * 10**9),
        (b'{"level":"info","ts":1795328881.123,"msg":"x"}', NOV_22 * 10**9 + 123_000_000),
        (b'{"time":"2026-11-22T06:28:01.123456789Z"}', NOV_22 * 10**9 + 123_456_789),
        (b'{"@timestamp":"2026-11-22T06:28:01,123+0000"}', NOV_22 * 10**9 + 123_000_000),
        (b'{"timestamp":1795328881123}', NOV_22 * 10**9 + 123_000_000),
        (b'{"timestamp":"1795328881123456"}', NOV_22 * 10**9 + 123_456_000),
        (b'{"ts":1795328881123456789}', NOV_22 * 10**9 + 123_456_789),
        (b'{"ts":1.795328881e9,"m":1}', NOV_22 * 10**9),
        (b'{"t":{"$date":"2026-11-22T06:28:01.000+00:00"},"s":"I"}', NOV_22 * 10**9),
        (b'{"msg":"\\"ts\\":\\"2001-01-01T00:00:00Z\\"","time":"2026-11-22T06:28:01Z"}', NOV_22 * 10**9),
    ],
)
def test_every_spelling_means_its_instant(line, expected_ns):
    """Each common spelling is dated exactly by one of the anchored daters."""
    dated = next(at for dater in ANCHORED if (at := dater(line, REFERENCE)) is not None)
    assert expected_ns == dated


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"Caused by: java.net.SocketTimeoutException: Read timed out",
        b"    at com.example.Main.run(Main.java:42)",
        b"2026-13-45T06:28:01Z",
        b"2026-02-30 06:28:01",
        b"I9999 99:99:99.000000 x",
        b'{"duration":0.123,"time":"06:28:01"}',
        b"retry 3 of 2026-11-22",
        b'{"ts":null}',
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_time_dates_nothing(line):
    """Text, impossible dates and durations are not taken for a time."""
    assert [None] * len(ANCHORED) == [dater(line, REFERENCE) for dater in ANCHORED]


@given(
    at=st.integers(631_152_000, 5_600_000_000).map(lambda at: datetime.fromtimestamp(at, tz=UTC)),
    micros=st.integers(0, 999_999),
    minutes=st.integers(-14 * 60, 14 * 60),
    nanos=st.integers(0, 999),
)
@settings(max_examples=150)
def test_iso_agrees_with_the_standard_library(at, micros, minutes, nanos):
    """Any RFC 3339 time with any offset means what datetime says, to the nanosecond."""
    aware = at.replace(microsecond=micros, tzinfo=timezone(timedelta(minutes=minutes)))
    sign, whole = ("-" if minutes < 0 else "+"), abs(minutes)
    text = f"{at:%Y-%m-%dT%H:%M:%S}.{micros:06}{nanos:03}{sign}{whole // 60:02}:{whole % 60:02}"
    since = aware - datetime(1970, 1, 1, tzinfo=UTC)
    expected = (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000 + nanos
    assert expected == iso(text.encode())


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_no_bytes_break_a_dater(line):
    """Whatever a line holds, a dater gives an instant or None."""
    for dater in (*ANCHORED, iso_anywhere):
        at = dater(line, REFERENCE)
        assert at is None or at > 0
    rfc3339_second(line[:19])


@given(st.integers(40_000_000, 7_000_000_000), st.integers(0, 999_999_999))
@settings(max_examples=100)
def test_epoch_units_are_told_apart(seconds, nanos):
    """Seconds, milli-, micro- and nanoseconds since the epoch are told apart by their size."""
    if seconds < 100_000_000:
        seconds += 1_000_000_000
    assert seconds * 10**9 + nanos == epoch_ns(b"%d.%09d" % (seconds, nanos))
    assert seconds * 10**9 + nanos == epoch_ns(b"%d%09d" % (seconds, nanos))
    assert seconds * 10**9 + nanos // 10**6 * 10**6 == epoch_ns(b"%d%03d" % (seconds, nanos // 10**6))


def test_a_date_without_a_year_is_not_put_into_the_future():
    """December lines in an export from January belong to the year before."""
    january = datetime(2027, 1, 3, tzinfo=UTC).timestamp()
    expected = int(datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()) * 10**9
    assert expected == klog(b"I1231 23:59:59.000000 x", january)
    assert expected == syslog(b"Dec 31 23:59:59 host x", january)


def test_a_leap_day_finds_a_leap_year():
    """29 February is dated in the last year that had one, or not at all."""
    reference = datetime(2028, 3, 2, tzinfo=UTC).timestamp()
    assert int(datetime(2028, 2, 29, 1, tzinfo=UTC).timestamp()) * 10**9 == syslog(b"Feb 29 01:00:00 x", reference)


def test_api_times_are_read_as_utc():
    """Jira's and Kubernetes' spellings give aware UTC; nothing gives None."""
    assert datetime(2026, 11, 22, 5, 28, 1, tzinfo=UTC) == moment("2026-11-22T06:28:01.000+0100")
    assert datetime(2026, 11, 22, 6, 28, 1, 123456, tzinfo=UTC) == moment("2026-11-22T06:28:01.123456Z")
    assert moment(None) is None
    assert moment("soon") is None


def stamped(dating, lines):
    """Date lines as a file's text, and give them one by one."""
    text = b"\n".join(lines)
    return list(dating.stamp(text, *lines_of(text, 1 << 20, Oddities())))


def test_a_stack_trace_gets_the_time_of_the_line_before():
    """Continuations are dated by their neighbour, even where they quote another date."""
    lines = [
        b"2026-11-22 06:28:01,000 ERROR x",
        b"java.lang.IllegalStateException: since 2001-01-01 00:00:00",
        b"\tat a.B.c(B.java:1) 2001-01-01 00:00:00",
        b"2026-11-22 06:28:02,000 INFO y",
    ]
    dating = dating_of(lines, REFERENCE)
    first, last = NOV_22 * 10**9, (NOV_22 + 1) * 10**9
    assert [first, first, first, last] == [at for at, _, _ in stamped(dating, lines)]
    assert dating.carried == 2


def test_kubectls_prefix_is_cut_off_by_offset_only():
    """The prefix of --timestamps dates the line; the raw bytes stay whole and the text begins behind it."""
    lines = [
        b"2026-11-22T06:28:01.123456789Z 2020-01-01T00:00:00Z inner",
        b"2026-11-22T06:28:01.1Z short fraction",
        b"2026-11-22T07:28:01.123456789+01:00 zone",
        b"2026-11-22T06:28:02.000000000Z",
        b"unable to retrieve container logs",
    ]
    timed = stamped(dating_of(lines, REFERENCE), lines)
    assert lines == [raw for _, raw, _ in timed]
    assert [b"2020-01-01T00:00:00Z inner", b"short fraction", b"zone", b"", lines[4]] == [
        raw[at:] for _, raw, at in timed
    ]
    base = NOV_22 * 10**9
    expected = [base + 123456789, base + 10**8, base + 123456789, base + 10**9, base + 10**9]
    assert expected == [at for at, _, _ in timed]


def test_a_carriers_time_before_the_programs_own_is_cut_off_whatever_its_fraction():
    """Collectors write milliseconds or microseconds; a program's own fixed fraction stays part of its line."""
    access = b'1.2.3.4 - - [22/Nov/2026:06:28:01 +0000] "GET / HTTP/1.1" 502 1'
    lines = [b"2026-11-22T06:28:01.123456Z " + access, b"2026-11-22T06:28:02.123456Z " + access]
    assert [access, access] == [raw[at:] for _, raw, at in stamped(dating_of(lines, REFERENCE), lines)]
    own = [b"2026-11-22T06:28:01.123456Z INFO up", b"2026-11-22T06:28:02.123456Z INFO down"]
    assert own == [raw[at:] for _, raw, at in stamped(dating_of(own, REFERENCE), own)]


def test_a_file_without_any_time_stays_undated():
    """Lines that nothing dates are kept with no time, and counted."""
    dating = dating_of([b"hello", b"world"], REFERENCE)
    assert [(UNDATED, b"hello", 0), (UNDATED, b"world", 0)] == stamped(dating, [b"hello", b"world"])
    assert dating.undated == 2
