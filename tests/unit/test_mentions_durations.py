"""Whom a line speaks of, when a certificate ran out, and how long a request took."""

import pytest
from hypothesis import given, settings, strategies as st

from bot.signals.durations import request_duration_s, waited_s
from bot.signals.mentions import certificate_end, hosts_in


@pytest.mark.parametrize(
    ("line", "hosts"),
    [
        ('upstream: "http://10.2.1.7:8080/v1/x", host: "shop.example.com"', ["10.2.1.7:8080"]),
        ("calls to geo.maps.example failed", ["geo.maps.example"]),
        ("psycopg.errors.QueryCanceled: canceling statement", []),
        ('Post "https://api.pay.example.com/v1/charges": context deadline exceeded', ["api.pay.example.com"]),
        ("dial tcp: lookup db.data.svc.cluster.local: no such host", ["db.data.svc.cluster.local"]),
        ("connect ECONNREFUSED orders:8080", ["orders:8080"]),
        (
            r"Get \"https://acme.idp.example.net/.well-known/jwks.json\": net/http: TLS handshake timeout",
            ["acme.idp.example.net"],
        ),
        ("java.net.SocketException at java.net.Socket", []),
        ("at org.apache.http.impl.Exec.execute(Exec.java:12)", []),
        ('10.9.8.7 - - [22/Nov/2026:06:28:01 +0000] "GET / HTTP/1.1" 200 1', []),
        ("version 1.2.3 took 12.5 ms", []),
        (
            '"GET /a HTTP/1.1" 503 UH no_healthy_upstream - "-" 0 19 0 - "-" "-" "5d1e" "app.example.com" "-" outbound|80||seats.prod.svc.cluster.local - 10.2.0.5:8443 10.1.0.9:51 app.example.com -',
            ["seats.prod.svc.cluster.local"],
        ),
        (
            '10.9.8.7 - - [22/Nov/2026:06:28:01 +0000] "GET / HTTP/1.1" 502 1 "https://shop.example.com/" "Bot (+http://bots.example.com/bot.html)"',
            [],
        ),
        ('{"status":502,"remote_addr":"10.9.8.7","host":"shop.example.com","upstream_addr":"-"}', []),
        (
            '1.2.3.4 - - [22/Nov/2026:06:28:01 +0000] "GET / HTTP/1.1" 502 1 "-" "curl/8" 90 0.1 [shop-my-cart-80] [] - - - - 5d',
            ["shop-my-cart-80"],
        ),
        ('2026-11-22T06:28:01.5Z 1.2.3.4 - ada [22/Nov/2026:06:28:01 +0000] "GET / HTTP/1.1" 502 1 "-" "curl/8"', []),
        (
            'web-1 | 1.2.3.4 - - [22/Nov/2026:06:28:01 +0000] "GET / HTTP/1.1" 502 1 "-" "-" ua="10.0.0.9:80"',
            ["10.0.0.9:80"],
        ),
    ],
)
def test_hosts_are_whom_the_line_calls(line, hosts):
    """URLs, pairs and dotted names count; callers, class names, files and versions do not."""
    assert hosts_in(line) == hosts


def test_the_end_of_a_certificate_is_read_from_the_complaint():
    """Go names the moment the certificate ran out."""
    line = "x509: certificate has expired or is not yet valid: current time 2026-11-19T00:00:05Z is after 2026-11-19T00:00:00Z"
    assert certificate_end(line) == "2026-11-19T00:00:00+00:00"


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ('1.1.1.1 - - [x] "GET /a HTTP/1.1" 200 612 "-" "curl" 0.123', 0.123),
        ('{"method":"GET","path":"/x","status":200,"duration_ms":38211}', 38.211),
        ("level=info msg=request path=/x took=31.2s", 31.2),
        ('"POST /x HTTP/1.1" 502 UC 120 95 31045 - "10.0.0.1" "curl"', 31.045),
        ("GET /x 200 in 1234ms", 1.234),
        ('{"path":"/x","duration":0.512}', 0.512),
        ('{"latency":"1m12.5s","method":"GET"}', 72.5),
        ("GET /x failed: no reply of port=8080", None),
        ('GET /x "upstream_rt":"1.5"', 1.5),
        (
            '1.1.1.1 - - [x] "GET /a HTTP/1.1" 504 167 "-" "curl/8" 512 30.001 [web-a-80] [] 10.0.0.1:80 0 30.000 504 5d1e',
            30.001,
        ),
        ("nothing of the sort", None),
    ],
)
def test_durations_carry_their_units(line, seconds):
    """Units come from the value, the key, or the format's custom."""
    assert request_duration_s(line) == (pytest.approx(seconds) if seconds is not None else None)


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("HikariPool-1 - Connection is not available, request timed out after 30001ms.", 30.001),
        ("process 91 still waiting for ShareLock on transaction 7 after 1000.080 ms", 1.00008),
        ("duration: 15023.113 ms  statement: SELECT 1", 15.023113),
        ("AxiosError: timeout of 5000ms exceeded", 5.0),
        ("HTTPConnectionPool(host='a', port=80): Read timed out. (read timeout=30)", 30.0),
        ("rpc error: code = DeadlineExceeded desc = deadline exceeded after 4.99s", 4.99),
        ("Slow query took 900 milliseconds (12 statements)", 0.9),
        ("# Query_time: 12.5  Lock_time: 0.0 Rows_sent: 1", 12.5),
        ("connect timeout: 2000", 2.0),
        ("upstream timed out (110: Connection timed out) while reading response header", None),
        ("context deadline exceeded", None),
    ],
)
def test_a_wait_that_ended_tells_how_long_it_was(line, seconds):
    """As HikariCP, PostgreSQL, axios, requests, gRPC, Hibernate and MySQL word it; where a line says nothing, nothing is made up."""
    assert waited_s(line) == (pytest.approx(seconds) if seconds is not None else None)


@settings(max_examples=200)
@given(st.text(max_size=600))
def test_any_line_is_survived(line):
    """No line makes the readers fail."""
    hosts_in(line)
    certificate_end(line)
    request_duration_s(line)
    waited_s(line)


@given(
    st.lists(
        st.sampled_from(["a.b", "http://", "x-1", ":8", "0.5", "svc", ".com", "10.1.2.3", " ", "=", '"', "host=", "v2"])
    )
)
def test_other_digits_are_other_hosts_in_the_same_places(pieces):
    """Where hosts stand is looked up by the shape of a word, in which every digit is as good as any."""
    line, shifted = "".join(pieces), str.maketrans("0123456789", "1234567890")
    assert [host.translate(shifted) for host in hosts_in(line)] == hosts_in(line.translate(shifted))


@pytest.mark.parametrize("told", ["1.2.3s", "..ms", "1.s", "1m2.5s", ".5s"])
def test_a_time_that_is_none_is_left_alone(told):
    """Who writes numbers that are none ends no investigation."""
    assert request_duration_s(f'{{"method":"GET","uri":"/find","latency_human":"{told}"}}') is None
