"""The access lines of gateways, as their manuals print them: what failed, how long it took and whom it was for."""

import pytest

from bot.domain.signal import Kind
from bot.signals.durations import request_duration_s
from bot.signals.lexicon import classify
from bot.signals.masking import mask
from bot.signals.mentions import hosts_in

TRAEFIK = (
    '{"ClientAddr":"10.42.0.1:45678","ClientHost":"10.42.0.1","DownstreamContentSize":503,"DownstreamStatus":%s,"Duration":1503000000,'
    '"OriginStatus":0,"RequestMethod":"GET","RequestPath":"/find","RouterName":"docs@file","ServiceName":"shop-find-80@kubernetes","level":"info","msg":""}'
)
TEXT = '10.42.0.1 - - [04/Mar/2026:10:00:00 +0000] "GET /find HTTP/1.1" %s 503 "-" "curl/8.5" 503 "find" "http://10.42.1.17:8080" 3002ms'
HAPROXY = '10.0.1.2:33317 [06/Feb/2026:12:14:14.655] https~ shop_svc_find_http/%s 0/0/1/-1/50003 %s 503 - - %s 1/1/1/1/0 0/0 "GET /find HTTP/1.1"'
ENVOY = '[2026-03-04T10:00:00.123Z] "POST /api HTTP/2" %s %s 154 503 15000 - "10.0.35.28" "nsq2http" "cc21d9b0" "locations" "10.2.0.5:80"'
ENVOY_JSON = '{"bytes_sent":503,"duration":1503,"method":"GET","path":"/api","response_code":%s,"response_flags":"%s","upstream_host":"10.2.0.5:80"}'
CADDY = (
    '{"level":"info","ts":1700000000.123,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"10.0.3.7","remote_port":"503",'
    '"proto":"HTTP/2.0","method":"GET","host":"shop.example.com","uri":"/cart"},"bytes_read":0,"duration":3.001503,"size":503,"status":%s}'
)


@pytest.mark.parametrize(
    ("line", "cause", "seconds", "hosts"),
    [
        (TRAEFIK % 503, None, 1.503, ["shop-find-80"]),
        (TEXT % 503, None, 3.002, ["10.42.1.17:8080"]),
        (HAPROXY % ("<NOSRV>", 503, "SC--"), Kind.UNAVAILABLE, 50.003, ["shop-find-http"]),
        (HAPROXY % ("SRV_1", 503, "SC--"), Kind.CONNECTION_REFUSED, 50.003, ["shop-find-http"]),
        (HAPROXY % ("SRV_1", 504, "sH--"), Kind.TIMEOUT, 50.003, ["shop-find-http"]),
        (ENVOY % (503, "UF,URX"), Kind.CONNECTION_REFUSED, 15.0, ["10.2.0.5:80"]),
        (ENVOY % (503, "UH"), Kind.UNAVAILABLE, 15.0, ["10.2.0.5:80"]),
        (ENVOY_JSON % (504, "UT"), Kind.TIMEOUT, 1.503, ["10.2.0.5:80"]),
        (CADDY % 502, None, 3.001503, []),
    ],
)
def test_a_failed_request_is_one(line, cause, seconds, hosts):
    """The status survives masking, the proxy's reason is read, and callers are not whom the line calls."""
    meaning = classify(mask(line.encode()).decode())
    assert meaning.kind is Kind.SERVER_ERROR
    assert meaning.attributes.get("cause") == cause
    assert request_duration_s(line) == pytest.approx(seconds)
    assert hosts_in(line) == hosts


@pytest.mark.parametrize(
    "line",
    [
        TRAEFIK % 200,
        TEXT % 200,
        HAPROXY % ("SRV_1", 200, "----"),
        ENVOY % (200, "-"),
        ENVOY_JSON % (200, "-"),
        CADDY % 200,
    ],
)
def test_a_size_or_a_port_is_no_status(line):
    """Of requests that were answered nothing failed, whatever else is 503."""
    meaning = classify(mask(line.encode()).decode())
    assert meaning.kind is None
    assert meaning.attributes["status"] == "200"


@pytest.mark.parametrize("line", ["waited 503 217 - - then 1/1", "read 503 217 - - SC-x 1/1/1/1/0"])
def test_a_number_without_a_termination_state_is_masked(line):
    """What stands where HAProxy has its status is one only with the rest of its line."""
    assert b"503" not in mask(line.encode())
