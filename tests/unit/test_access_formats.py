"""Access lines of proxies, load balancers and frameworks in their own words: what is a status, what is none, how long it took, for whom.

Every line is full of numbers that look like statuses: sizes, ports, times, queries. Each is read as 200, 404 and 503.
"""

import pytest

from bot.domain.signal import Kind
from bot.signals.durations import request_duration_s
from bot.signals.lexicon import classify
from bot.signals.masking import mask
from bot.signals.mentions import hosts_in
from bot.signals.served import request_of

_HAPROXY = "10.0.1.2:33317 [06/Feb/2026:12:14:14.655] https~ shop_svc_find_http/SRV_1 0/0/1/-1/50003 %s 503"
_ENVOY = '[2026-03-04T10:00:00.123Z] "POST /api HTTP/2" %s FLAGS 154 503 15000 - "10.0.35.28" "nsq2http" "cc21d9b0" "locations" "10.2.0.5:80"'
_ISTIO_JSON = (
    '{"authority": "cart:8080", "bytes_received": 0, "bytes_sent": 503, "duration": 1503, "method": "GET", "path": "/api", "protocol": "HTTP/1.1", '
    '"response_code": %s, "response_code_details": "via_upstream", "response_flags": "FLAGS", "upstream_cluster": '
    '"outbound|8080||cart.shop.svc.cluster.local", "upstream_host": "10.2.0.5:80", "upstream_service_time": "504"}'
)
_INGRESS = (
    '10.42.0.9 - - [04/Mar/2026:10:00:00 +0000] "GET /find?x=502 HTTP/1.1" %s 503 "-" "curl/8.5" 411 5.004 [shop-find-80] [] '
    "10.42.1.17:8080, 10.42.1.18:8080 0, 812 5.000, 0.004 502, %s 0a1b2c3d4e5f60718293a4b5c6d7e8f9"
)
_ALB = (
    "https 2026-03-04T10:00:00.123456Z app/shop/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:503 0.000 3.001 0.002 %s 502 34 504 "
    '"GET https://shop.example.com:443/find HTTP/1.1" "curl/7.46.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 - "Root=1-58337262" "-" "-" 0 '
    '2026-03-04T10:00:00.120000Z "forward" "-" "-" "10.0.0.1:503" "502" "-" "-"'
)
_TRAEFIK = (
    '{"ClientAddr": "10.42.0.1:45678", "DownstreamContentSize": 503, "DownstreamStatus": %s, "Duration": 1503000000, "OriginStatus": 0, '
    '"RequestMethod": "GET", "RequestPath": "/find", "ServiceName": "shop-find-80@kubernetes", "level": "info"}'
)
_COMMON = '10.42.0.9 - - [04/Mar/2026:10:00:00 +0000] "GET /find HTTP/1.1" %s 503'

FORMATS = {
    "traefik, blanks": (_TRAEFIK, 1.503, None, ["shop-find-80"]),
    "traefik, other order": (
        '{"OriginStatus":502,"RequestMethod":"GET","RequestPath":"/find","Duration":1503000000,"DownstreamStatus":%s}',
        *(1.503, None, []),
    ),
    "haproxy, headers": (
        f'{_HAPROXY} - - sH-- 1/1/1/1/0 0/0 {{shop.example.com|Mozilla/5.0 (X11; Linux)|504}} {{}} "GET /find HTTP/1.1"',
        *(50.003, "timeout", ["shop-find-http"]),
    ),
    "haproxy, cookies": (
        f'{_HAPROXY} JSESSIONID=f2a SRV=def SDVN 1/1/1/1/0 0/0 "GET /find HTTP/1.1"',
        *(50.003, "connection_reset", ["shop-find-http"]),
    ),
    "envoy": (_ENVOY.replace("FLAGS", "UF,URX"), 15.0, "connection_refused", ["10.2.0.5:80"]),
    "envoy, long flags": (
        _ENVOY.replace("FLAGS", "UpstreamConnectionFailure,UpstreamRetryLimitExceeded"),
        *(15.0, "connection_refused", ["10.2.0.5:80"]),
    ),
    "istio": (_ISTIO_JSON.replace("FLAGS", "UT"), 1.503, "timeout", ["cart.shop.svc.cluster.local"]),
    "istio, long flags": (
        _ISTIO_JSON.replace("FLAGS", "NoHealthyUpstream"),
        *(1.503, "unavailable", ["cart.shop.svc.cluster.local"]),
    ),
    "contour": (
        ('{"authority":"shop.example.com","bytes_sent":503,"duration":1503,"method":"GET","path":"/find","response_code":%s,"response_flags":"UH",'
        '"upstream_cluster":"shop/find/80/da39a3ee5e","upstream_host":"10.2.0.5:80","x_forwarded_for":"10.0.3.7"}'),
        *(1.503, "unavailable", ["find.shop"]),
    ),
    "ingress-nginx, attempts": (_INGRESS, 5.004, None, ["10.42.1.17:8080", "10.42.1.18:8080", "shop-find-80"]),
    "ingress-nginx, JSON": (
        '{"upstream_status": "502, 200", "method": "GET", "path": "/find", "bytes_sent": 503, "status": %s, "request_time": 5.004}',
        *(5.004, None, []),
    ),
    "kong": (
        ('{"service":{"port":503,"name":"find"},"request":{"method":"GET","uri":"/find","size":"502"},"response":{"status":%s,"size":"503"},'
        '"latencies":{"request":5004,"kong":2,"proxy":5002},"upstream_uri":"/find","upstream_status":"502"}'),
        *(5.004, None, []),
    ),
    "apache, combined": (f'{_COMMON} "https://shop.example.com/" "Mozilla/5.0 (X11)"', None, None, []),
    "tomcat": (f"{_COMMON} 5.004", 5.004, None, []),
    "aws": (_ALB, 3.003, None, None),
    "google": (
        ('{"httpRequest":{"latency":"0.504s","remoteIp":"10.0.3.7","requestMethod":"GET","requestSize":"502","requestUrl":"https://shop.example.com/find",'
        '"responseSize":"503","status":%s},"severity":"INFO"}'),
        *(0.504, None, None),
    ),
    "caddy": (
        ('{"level": "info", "msg": "handled request", "request": {"remote_ip": "10.0.3.7", "remote_port": "503", "method": "GET", "uri": "/cart"}, '
        '"duration": 3.001503, "size": 503, "status": %s}'),
        *(3.001503, None, []),
    ),
    "gunicorn": (f'{_COMMON} "-" "kube-probe/1.27"', None, None, []),
    "uvicorn": ('INFO:     10.42.0.9:50212 - "GET /find?x=502 HTTP/1.1" %s', None, None, None),
    "werkzeug": ('10.42.0.9 - - [04/Mar/2026 10:00:00] "GET /find HTTP/1.1" %s -', None, None, []),
    "morgan, short": ("10.42.0.9 - GET /find HTTP/1.1 %s 503 - 5004.123 ms", 5.004123, None, []),
    "morgan, dev": ("\x1b[0mGET /find \x1b[31m%s\x1b[0m 5004.123 ms - 503\x1b[0m", 5.004123, None, []),
    "gin": ('[GIN] 2026/03/04 - 10:00:00 | %s |  5.004s |       10.42.0.9 | GET      "/find"', 5.004, None, None),
    "echo": (
        '{"remote_ip":"10.42.0.9","method":"GET","uri":"/find","status":%s,"latency":800123,"latency_human":"800.123µs","bytes_out":503}',
        *(0.000800123, None, []),
    ),
    "serilog": ("[10:00:00 INF] HTTP GET /find responded %s in 5004.1234 ms", 5.0041234, None, []),
    "iis, by field": (
        '{"cs-method":"GET","cs-uri-stem":"/find","s-port":"503","c-ip":"10.0.3.7","sc-status":"%s","sc-substatus":"0","time-taken":"5004"}',
        *(5.004, None, None),
    ),
    "linkerd": (
        '{"client.addr":"10.42.0.9:50000","method":"GET","request_bytes":"503","status":%s,"total_ns":"5004000000","uri":"http://shop/find"}',
        *(5.004, None, None),
    ),
}  # fmt: skip


def _meaning(line):
    return classify(mask(line.encode()).decode())


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(("status", "kind"), [("200", None), ("404", Kind.CLIENT_ERROR), ("503", Kind.SERVER_ERROR)])
def test_the_status_is_the_response_s_whatever_else_the_line_counts(name, status, kind):
    """A 502 of an attempt, a size, a port or a time is no status; a reason is one only of a proxy that gives it."""
    line, _seconds, cause, _hosts = FORMATS[name]
    meaning = _meaning(line.replace("%s", status))
    assert meaning.attributes["status"] == status
    assert meaning.kind is kind
    if kind is not None:
        assert meaning.attributes.get("cause") == cause


@pytest.mark.parametrize("name", FORMATS)
def test_how_long_it_took_and_for_whom(name):
    """Durations come in the unit of the software; who called, and what it says of itself, is nobody that was called."""
    line, seconds, _cause, hosts = FORMATS[name]
    line = line.replace("%s", "503")
    assert request_duration_s(line) == (None if seconds is None else pytest.approx(seconds))
    if hosts is not None:
        assert hosts_in(line) == hosts


@pytest.mark.parametrize("name", FORMATS)
def test_what_failed_is_what_succeeded_at_another_time(name):
    """A request is the same whatever came of it: by it recoveries are seen."""
    line = FORMATS[name][0]
    if name.startswith(("envoy", "istio", "contour")):
        line = line.replace("UF,URX", "%f").replace("UpstreamConnectionFailure,UpstreamRetryLimitExceeded", "%f")
    good = mask(line.replace("%s", "200").replace("%f", "-").encode()).decode()
    bad = mask(line.replace("%s", "503").replace("%f", "UF").encode()).decode()
    assert request_of(good, classify(good)) == request_of(bad, classify(bad))


def test_a_bad_request_without_a_line_is_the_client_s():
    """HAProxy could not read it: no method, a status of 4xx."""
    meaning = _meaning('10.0.1.2:33317 [06/Feb/2026:12:14:14.655] https~ https/<NOSRV> -1/-1/-1/-1/30000 408 212 - - cR-- 1/1/0/0/0 0/0 "<BADREQ>"')  # fmt: skip
    assert (meaning.kind, meaning.attributes["status"]) == (Kind.CLIENT_ERROR, "408")


@pytest.mark.parametrize(
    ("server", "state", "kind"),
    [
        ("srv1", "--", None),
        ("srv1", "CD", None),
        ("srv1", "SC", Kind.CONNECTION_REFUSED),
        ("<NOSRV>", "SC", Kind.UNAVAILABLE),
        ("srv1", "sC", Kind.TIMEOUT),
        ("srv1", "sQ", Kind.QUEUE_GROWTH),
    ],
)
def test_a_connection_fails_by_its_termination_state(server, state, kind):
    """HAProxy's TCP log has no status: how the connection ended is all it tells."""
    line = (
        f"haproxy[8]: 10.0.1.2:33313 [06/Feb/2026:12:12:51.443] pg pg_be/{server} 0/-1/5007 503 {state} 504/5/0/0/3 0/4"
    )
    assert _meaning(line).kind is kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [("OK", None), ("NotFound", None), ("Unavailable", Kind.UNAVAILABLE), ("DeadlineExceeded", Kind.TIMEOUT), ("Internal", Kind.SERVER_ERROR)],
)  # fmt: skip
def test_a_finished_call_by_its_code(code, kind):
    """go-grpc-middleware tells the code in words."""
    line = f'{{"level":"info","msg":"finished call","grpc.service":"shop.Cart","grpc.method":"Get","grpc.code":"{code}","grpc.time_ms":504.0}}'
    assert _meaning(line).kind is kind
    assert request_duration_s(line) == pytest.approx(0.504)


@pytest.mark.parametrize(
    "line",
    [
        '{"method":"GET","path":"/find","requestTime":"04/Mar/2026:10:00:00 +0000","status":200}',
        "GET /find request_time=2026-03-04T10:00:00Z",
        f'{_COMMON} "-" "curl/8.5" 5004123',
    ],
)  # fmt: skip
def test_a_time_of_day_or_a_number_without_a_unit_is_no_duration(line):
    """Apache counts microseconds where Tomcat and Jetty count milliseconds: one line does not tell which."""
    assert request_duration_s(line.replace("%s", "200")) is None


@pytest.mark.parametrize(
    "line",
    [
        "| 503 | rows | 12 |",
        "moved 503 502 34 rows",
        "Completed 503 of 504",
        "read 503 217 a b SC-x 1/1",
        "503 217 a b SC-- x",
    ],
)
def test_other_numbers_are_masked(line):
    """What stands where a status would is one only with the rest of such a line."""
    assert b"503" not in mask(line.encode())
