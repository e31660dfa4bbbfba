"""What log lines mean, in the wordings of real software."""

import pytest
from hypothesis import given, settings, strategies as st

from bot.domain.signal import Kind
from bot.signals.lexicon import access, classify, severity_of
from bot.signals.wordings import WORDINGS


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("<*> UTC [<*>] LOG:  process <*> still waiting for ShareLock on transaction <*> after <*> ms", Kind.LOCK_WAIT),
        ("<*> UTC [<*>] ERROR:  deadlock detected", Kind.DEADLOCK),
        ('FATAL:  password authentication failed for user "app"', Kind.AUTH_FAILURE),
        ("FATAL:  sorry, too many clients already", Kind.POOL_EXHAUSTION),
        ("FATAL:  the database system is starting up", Kind.UNAVAILABLE),
        ("LOG:  duration: <*> ms  statement: SELECT <*>", Kind.SLOW_QUERY),
        ("LOG:  received fast shutdown request", Kind.SHUTDOWN),
        ("PANIC:  could not write to file: No space left on device", Kind.NO_SPACE),
        ("java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available, request timed out after <*>ms.", Kind.POOL_EXHAUSTION),
        ("sqlalchemy.exc.TimeoutError: QueuePool limit of size <*> overflow <*> reached, connection timed out", Kind.POOL_EXHAUSTION),
        ('Get "http://<*>": dial tcp: lookup db.shop.svc on <*>: no such host', Kind.NAME_RESOLUTION_FAILURE),
        ('Get "https://<*>": x509: certificate has expired or is not yet valid', Kind.TLS_FAILURE),
        ('Post "http://<*>": context deadline exceeded (Client.Timeout exceeded while awaiting headers)', Kind.TIMEOUT),
        ("dial tcp <*>: connect: connection refused", Kind.CONNECTION_REFUSED),
        ("read tcp <*>-><*>: read: connection reset by peer", Kind.CONNECTION_RESET),
        ("Error: socket hang up", Kind.CONNECTION_RESET),
        ("<*> [error] <*>#<*>: *<*> upstream prematurely closed connection while reading response header", Kind.CONNECTION_RESET),
        ("<*> [error] <*>#<*>: *<*> no live upstreams while connecting to upstream", Kind.UNAVAILABLE),
        ("<*> [alert] <*>#<*>: <*> worker_connections are not enough", Kind.POOL_EXHAUSTION),
        ("<*> [error] <*>#<*>: *<*> limiting requests, excess: <*> by zone", Kind.RATE_LIMITED),
        ("CircuitBreaker 'pay' is OPEN and does not permit further calls", Kind.CIRCUIT_OPEN),
        ("java.util.concurrent.RejectedExecutionException: Task <*> rejected from java.util.concurrent.ThreadPoolExecutor", Kind.QUEUE_GROWTH),
        ("java.lang.OutOfMemoryError: Java heap space", Kind.OUT_OF_MEMORY),
        ("java.lang.OutOfMemoryError: unable to create native thread", Kind.POOL_EXHAUSTION),
        ("Memory cgroup out of memory: Killed process <*> (java) total-vm:<*>kB", Kind.OOM_KILL),
        ("[gc][<*>] overhead, spent [<*>] collecting in the last [<*>]", Kind.GC_PAUSE),
        ("[WARNING] Server be/web-<*> is DOWN, reason: Layer4 connection problem", Kind.UNAVAILABLE),
        ("=WARNING REPORT==== memory resource limit alarm set on node rabbit@<*>", Kind.MEMORY_PRESSURE),
        ("OOM command not allowed when used memory > 'maxmemory'.", Kind.OUT_OF_MEMORY),
        ("* Ready to accept connections", Kind.STARTUP),
        ("Started OrdersApplication in <*> seconds (JVM running for <*>)", Kind.STARTUP),
        ("Commencing graceful shutdown. Waiting for active requests to complete", Kind.SHUTDOWN),
        ("rpc error: code = ResourceExhausted desc = <*>", Kind.RATE_LIMITED),
        ("rpc error: code = Internal desc = boom", Kind.SERVER_ERROR),
        ('nginx: [emerg] unknown directive "foo" in /etc/nginx/nginx.conf:<*>', Kind.BAD_CONFIG),
        ("Retrying in <*>s (attempt <*> of <*>)", Kind.RETRY),
        ("task <*>:<*> blocked for more than <*> seconds.", Kind.IO_SATURATION),
        ("request to billing failed: status code 503", Kind.SERVER_ERROR),
        ("charge failed: status code 429", Kind.RATE_LIMITED),
        ("received 429 bytes", None),
        ("order <*> accepted for customer <*>", None),
        ("INFO using read timeout set to <*>s", None),
        ("sync finished with 0 errors, no timeouts", None),
    ],
)  # fmt: skip
def test_wordings_are_known(line, kind):
    """Well-known wordings get their kind, the narrow meaning before the broad one; calm lines get none."""
    assert classify(line).kind is kind


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('<*> - - [<*>] "GET /api/x HTTP/1.1" 502 <*> "-" "curl" <*>', ("502", "GET", Kind.SERVER_ERROR)),
        ('<*> - - [<*>] "GET /timeout HTTP/1.1" 200 <*>', ("200", "GET", None)),
        ('[<*>] "POST /pay HTTP/2" 503 UO <*> <*> <*>', ("503", "POST", Kind.SERVER_ERROR)),
        ('{"level":"info","method":"GET","path":"/x","status":404}', ("404", "GET", Kind.CLIENT_ERROR)),
        ("level=info method=PUT path=/x status=500 dur=<*>", ("500", "PUT", Kind.SERVER_ERROR)),
        ('[GIN] <*> - <*> | 504 |   <*> | <*> | GET  "/x"', ("504", "GET", Kind.SERVER_ERROR)),
        ("Completed 500 Internal Server Error in <*>ms", ("500", None, Kind.SERVER_ERROR)),
        ("GET /x 499 <*> ms", ("499", "GET", Kind.CLIENT_ERROR)),
    ],
)  # fmt: skip
def test_request_lines_tell_their_status(line, expected):
    """The status decides, whatever words stand in the path."""
    found = classify(line)
    assert expected == (found.attributes.get("status"), found.attributes.get("method"), found.kind)


@pytest.mark.parametrize(
    ("flags", "cause"),
    [
        ("UC", Kind.CONNECTION_RESET),
        ("UF,URX", Kind.CONNECTION_REFUSED),
        ("UO", Kind.CIRCUIT_OPEN),
        ("UT", Kind.TIMEOUT),
    ],
)
def test_envoy_flags_tell_the_cause(flags, cause):
    """Envoy's response flags say why it answered 503."""
    found = access(f'[<*>] "GET /x HTTP/1.1" 503 {flags} 0 <*> <*>')
    assert found is not None
    assert (flags, cause) == (found.flags, found.cause)


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ('{"level":"error","msg":"x"}', "error"),
        ('{"level":50,"msg":"x"}', "error"),
        ('{"t":"<*>","s":"W","c":"NETWORK"}', "warning"),
        ("ts=<*> level=warn msg=x", "warning"),
        ("E<*> <*>       1 reflector.go:<*>] x", "error"),
        ("<*> [crit] <*>#<*>: x", "fatal"),
        ("<*> ERROR [main] com.acme.X - x", "error"),
        ("<*> UTC [<*>] FATAL:  x", "fatal"),
        ("Traceback (most recent call last):", "error"),
        ("panic: runtime error: index out of range", "error"),
        ("GET /errors/ERROR-<*>", "info"),
        ("hello", "info"),
    ],
)
def test_severity_is_read_from_every_common_form(line, severity):
    """JSON, logfmt, klog, brackets and plain words say how bad a line is."""
    assert severity_of(line) == severity


@pytest.mark.parametrize("line", ["PriceNotFound: no price for sku <*>", "ThemEmFile opened", "RouteNotFound /v2"])
def test_names_of_system_errors_are_words_of_their_own(line):
    """An exception whose name happens to end like one says nothing of lookups or descriptors."""
    assert classify(line).kind is None
    assert Kind.NAME_RESOLUTION_FAILURE is classify("Error: getaddrinfo ENOTFOUND <*>").kind
    assert Kind.NAME_RESOLUTION_FAILURE is classify('{"code":"ENOTFOUND"}').kind


def test_every_phrase_is_lower_case():
    """Lines are lowered before they are matched, so a capital letter would never fit."""
    assert [phrase for _, _, phrases in WORDINGS for phrase in phrases if phrase != phrase.lower()] == []


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=300))
def test_any_line_is_classified(line):
    """No line, however odd, raises."""
    assert classify(line).severity in {"debug", "info", "warning", "error", "fatal"}


@pytest.mark.parametrize(
    ("line", "ended"),
    [
        ('level=error msg="quote" err="Get https://a.example.com: tls: failed to verify certificate: x509: certificate has expired or is not yet valid"', True),
        ("java.security.cert.CertPathValidatorException: validity check failed: PKIX path validation failed", True),
        ("ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired", True),
        ("x509: certificate signed by unknown authority", False),
        ("tls: bad certificate", False),
    ],
)  # fmt: skip
def test_a_certificate_past_its_end_is_told_of_whoever_showed_it(line, ended):
    """Trust is both sides' affair; that a certificate is past its end is its own."""
    found = classify(line)
    assert Kind.TLS_FAILURE is found.kind
    assert ended == ("certificate" in found.attributes)
