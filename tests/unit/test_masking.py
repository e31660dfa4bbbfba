import pytest
from hypothesis import given, settings, strategies as st

from bot.signals.masking import BOUND, SPAN, mask

_PIECES = st.sampled_from(
    [b"status=", b'"status":', b"502", b" ", b"<*>", b'HTTP/1.1" ', b"GET /a/1?b=2 ", b"0", b"deadbeef", b"exit code ", b"(111: C",
     b"1.2.3.4:80", b"/", b"?", b":", b"-", b"Nov", b",", b"I1122", b"\x1b[31m", b"\n", b"\xff", b"x" * 300, b"=", b"<", b"*>", b"v1", b"503 217", b" - - SC-- "]
)  # fmt: skip
_LINES = st.one_of(st.binary(max_size=200), st.lists(_PIECES, max_size=30).map(b"".join))


@settings(max_examples=300, deadline=None)
@given(_LINES)
def test_masking_a_masked_form_changes_nothing(line):
    """A form is a fixed point, so that forms of forms never split a template."""
    once = mask(line)
    assert once == mask(once)


@pytest.mark.parametrize(
    "line", [b"1 " * 5000, b"a" * 2_000_000, b"/1" * 100_000, b"(" * 100_000, b"GET /" * 50_000, b"f" * 9000 + b" z"]
)
def test_a_hostile_line_is_bounded(line):
    """Length and time stay bounded whatever stands in the line."""
    assert len(mask(line)) <= BOUND


def test_lines_differing_only_behind_the_span_are_alike():
    """Only the head of a line tells its kind."""
    head = b"word " * (SPAN // 5)
    assert mask(head + b"one two") == mask(head + b"three four")


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (
            b'10.0.0.1 - - [22/Nov/2026:06:28:01 +0000] "GET /orders/17 HTTP/1.1" 502 157 "-" "curl/7.81"',
            b'HTTP/1.1" 502',
        ),
        (b'{"ts":"2026-11-22T06:28:01Z","status":503,"duration_ms":17}', b'"status":503'),
        (b'{"status_code": 504, "took": 3.1}', b'"status_code": 504'),
        (b"upstream_status=502 upstream_time=0.013", b"upstream_status=502"),
        (b"response_code=429 bytes=12", b"response_code=429"),
        (b"upstream returned 502 Bad Gateway for request 17", b"502 Bad Gateway"),
        (b"POST /users/42/cart 500 12ms - 23", b"/cart 500"),
        (b"container exited with code 137", b"code 137"),
        (b"worker 17 terminated on signal 9", b"signal 9"),
        (b"ERROR: deadlock detected (SQLSTATE 40P01)", b"SQLSTATE 40P01"),
        (b"connect() failed (111: Connection refused) while connecting to upstream", b"(111: Connection refused)"),
        (b"E1122 06:28:01.123456       1 leaderelection.go:330] error", b"E<*>"),
        (b'{"level":50,"time":1763792881123,"msg":"boom"}', b'"level":50'),
        (
            b"Back-off restarting failed container api in pod api-7d9f8b6c5d-xkzqw",
            b"Back-off restarting failed container api",
        ),
    ],
)
def test_numbers_that_mean_something_stay(line, kept):
    """Status, exit and error codes, signals and levels survive as constants."""
    assert kept in mask(line)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"took 12ms", b"took 1.75s"),
        (b"peer 10.0.0.1:8080 gone", b"peer 192.168.7.9:443 gone"),
        (b"trace 4bf92f3577b34da6 done", b"trace deadbeefdeadbeef done"),
        (b"id=9b2f7c1e-6c1f-4b0a-8e0d-2f3c4d5e6f70", b"id=00000000-0000-4000-8000-000000000001"),
        (b'"GET /orders/17?page=2 HTTP/1.1" 200 9', b'"GET /orders/99?page=1&x=y HTTP/1.1" 200 1234'),
        (b"[22/Nov/2026:06:28:01 +0000] ok", b"[01/Dec/2026:16:00:59 +0000] ok"),
        (b"\x1b[32mINFO\x1b[0m ready in 3 s", b"INFO ready in 7 s"),
    ],
)
def test_ids_times_sizes_and_addresses_are_alike(one, other):
    """What changes from line to line is masked away."""
    assert mask(one) == mask(other)
