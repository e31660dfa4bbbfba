"""How failures of a call read in the logs of the program that made it, by language.

Wordings are those of the named libraries: Go net/http and pgx, Java (JDK, HikariCP, PgJDBC), Python (requests, SQLAlchemy,
psycopg), Node (undici, pg, knex). Each answer is ``(message, trace)``.
"""

from collections.abc import Callable

from bot.evals.export import stamp
from bot.evals.multitude import Many, Token

GO, JAVA, PYTHON, NODE = "go", "java", "python", "node"
LANGUAGE = {"zap": GO, "logfmt": GO, "klog": GO, "logback": JAVA, "log4j": JAVA, "python": PYTHON, "pino": NODE}


class Fault:
    """What went wrong on a call, with what a message needs to say it."""

    __slots__ = ("at_s", "expired_at", "host", "ip", "kind", "op", "pool", "port", "seconds")

    def __init__(self, kind: str, host: str, port: int, op: str, seconds: float, ip: str, at_s: float) -> None:
        self.kind, self.host, self.port, self.op, self.seconds, self.ip, self.at_s = (
            kind,
            host,
            port,
            op,
            seconds,
            ip,
            at_s,
        )
        self.expired_at = 0.0
        self.pool = 10


def describe(style: str, fault: Fault) -> tuple[str, str]:
    """Word a failure in the caller's language."""
    language = LANGUAGE[style]
    return _WORDS[language][fault.kind](fault)


def _java_stack(head: str, cause: str, where: str) -> str:
    return (
        f"{head}\n\tat {where}\n\tat java.base/jdk.internal.reflect.DirectMethodHandleAccessor.invoke(DirectMethodHandleAccessor.java:103)\n"
        f"\tat org.springframework.web.servlet.FrameworkServlet.service(FrameworkServlet.java:885)"
        + (f"\nCaused by: {cause}" if cause else "")
    )


def _python_stack(head: str, where: str, code: str) -> str:
    return f'Traceback (most recent call last):\n  File "/app/{where}", line {len(head) % 80 + 40}, in call\n    {code}\n{head}'


def _node_stack(head: str, where: str) -> str:
    return f"{head}\n    at {where}\n    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)"


_JAVA_CALL = "org.springframework.web.client.RestTemplate.doExecute(RestTemplate.java:902)"
_JAVA_POOL = "com.zaxxer.hikari.pool.HikariPool.createTimeoutException(HikariPool.java:696)"
_JAVA_PG = "org.postgresql.core.v3.QueryExecutorImpl.receiveErrorResponse(QueryExecutorImpl.java:2733)"


def _url(f: Fault) -> str:
    method, _, path = f.op.partition(" ")
    return (
        f'{method.capitalize()} "https://{f.host}{path}"'
        if f.port in {443, 8443}
        else f'{method.capitalize()} "http://{f.host}:{f.port}{path}"'
    )


def _user(f: Fault) -> str:
    return f.op.partition(" ")[2] or "app"


def _now(f: Fault) -> str:
    return str(Token.ISO_SECOND) if isinstance(f.at_s, Many) else stamp(f.at_s)


def _port(f: Fault) -> int:
    return Token.TO_PORTS if isinstance(f.at_s, Many) else 40000 + int(f.at_s) % 20000


def _waiting(f: Fault) -> int:
    return Token.TO_SIXTEEN if isinstance(f.at_s, Many) else 8 + int(f.at_s) % 23


Words = Callable[[Fault], tuple[str, str]]
_CANCELLED = "canceling statement due to statement timeout"

_GO: dict[str, Words] = {
    "timeout": lambda f: (f"call to {f.host} failed", f"{_url(f)}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)"),
    "refused": lambda f: (f"call to {f.host} failed", f"{_url(f)}: dial tcp {f.ip}:{f.port}: connect: connection refused"),
    "reset": lambda f: (f"call to {f.host} failed", f"{_url(f)}: read tcp {f.ip}:{f.port}: read: connection reset by peer"),
    "http503": lambda f: (f"call to {f.host} failed", f"{f.op}: unexpected status 503 Service Unavailable"),
    "tls": lambda f: (f"call to {f.host} failed", f"{_url(f)}: tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time {_now(f)} is after {stamp(f.expired_at)}"),
    "pool": lambda _f: ("query failed", "failed to acquire connection from pool: context deadline exceeded"),
    "statement": lambda _f: ("query failed", f"ERROR: {_CANCELLED} (SQLSTATE 57014)"),
    "dns": lambda f: (f"call to {f.host} failed", f"{_url(f)}: dial tcp: lookup {f.host} on 172.20.0.10:53: read udp {f.ip}:{_port(f)}->172.20.0.10:53: i/o timeout"),
    "nohost": lambda f: (f"call to {f.host} failed", f"{_url(f)}: dial tcp: lookup {f.host} on 172.20.0.10:53: no such host"),
    "auth": lambda f: ("query failed", f'failed to connect to `user={_user(f)} database=app`: {f.ip}:{f.port} ({f.host}): failed SASL auth: FATAL: password authentication failed for user "{_user(f)}" (SQLSTATE 28P01)'),
    "bug": lambda f: (f"panic recovered in {f.op}", "runtime error: invalid memory address or nil pointer dereference"),
}  # fmt: skip
_JAVA: dict[str, Words] = {
    "timeout": lambda f: (f"Request to {f.host} failed", _java_stack(f'org.springframework.web.client.ResourceAccessException: I/O error on POST request for "https://{f.host}{f.op.partition(" ")[2]}": Read timed out', "java.net.SocketTimeoutException: Read timed out", _JAVA_CALL)),
    "refused": lambda f: (f"Request to {f.host} failed", _java_stack(f"java.net.ConnectException: Connect to {f.host}:{f.port} [{f.host}/{f.ip}] failed: Connection refused", "", _JAVA_CALL)),
    "reset": lambda f: (f"Request to {f.host} failed", _java_stack("java.net.SocketException: Connection reset", "", _JAVA_CALL)),
    "http503": lambda f: (f"Request to {f.host} failed", _java_stack(f'org.springframework.web.client.HttpServerErrorException$ServiceUnavailable: 503 Service Unavailable on POST request for "https://{f.host}{f.op.partition(" ")[2]}"', "", _JAVA_CALL)),
    "tls": lambda f: (f"Request to {f.host} failed", _java_stack("javax.net.ssl.SSLHandshakeException: PKIX path validation failed: java.security.cert.CertPathValidatorException: validity check failed", f"java.security.cert.CertificateExpiredException: NotAfter: {stamp(f.expired_at)}", _JAVA_CALL)),
    "pool": lambda f: ("SQL Error: 0, SQLState: null", _java_stack(f"java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available, request timed out after {int(f.seconds * 1000) + 3}ms (total={f.pool}, active={f.pool}, idle=0, waiting={_waiting(f)})", "", _JAVA_POOL)),
    "statement": lambda _f: ("SQL Error: 0, SQLState: 57014", _java_stack(f"org.postgresql.util.PSQLException: ERROR: {_CANCELLED}", "", _JAVA_PG)),
    "dns": lambda f: (f"Request to {f.host} failed", _java_stack(f'org.springframework.web.client.ResourceAccessException: I/O error on POST request for "https://{f.host}{f.op.partition(" ")[2]}": {f.host}: Temporary failure in name resolution', f"java.net.UnknownHostException: {f.host}: Temporary failure in name resolution", _JAVA_CALL)),
    "nohost": lambda f: (f"Request to {f.host} failed", _java_stack(f'org.springframework.web.client.ResourceAccessException: I/O error on GET request for "http://{f.host}:{f.port}{f.op.partition(" ")[2]}": {f.host}', f"java.net.UnknownHostException: {f.host}", _JAVA_CALL)),
    "auth": lambda f: ("HikariPool-1 - Exception during pool initialization.", _java_stack(f'org.postgresql.util.PSQLException: FATAL: password authentication failed for user "{_user(f)}"', "", _JAVA_PG)),
    "bug": lambda f: (f"Servlet.service() for servlet [dispatcherServlet] threw exception in {f.op}", _java_stack('java.lang.NullPointerException: Cannot invoke "java.util.Map.get(Object)" because the return value of "com.example.rules.RuleSet.entries()" is null', "", "com.example.rules.RuleEngine.apply(RuleEngine.java:88)")),
}  # fmt: skip
_PYTHON: dict[str, Words] = {
    "timeout": lambda f: (f"upstream {f.host} did not answer", _python_stack(f"requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='{f.host}', port={f.port}): Read timed out. (read timeout={f.seconds:g})", "clients/http.py", "response = self.session.post(url, json=body, timeout=self.timeout)")),
    "refused": lambda f: (f"upstream {f.host} unreachable", _python_stack(f"requests.exceptions.ConnectionError: HTTPConnectionPool(host='{f.host}', port={f.port}): Max retries exceeded with url: {f.op.partition(' ')[2]} (Caused by NewConnectionError('<urllib3.connection.HTTPConnection object>: Failed to establish a new connection: [Errno 111] Connection refused'))", "clients/http.py", "response = self.session.get(url, timeout=self.timeout)")),
    "reset": lambda f: (f"upstream {f.host} failed", _python_stack("requests.exceptions.ConnectionError: ('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))", "clients/http.py", "response = self.session.get(url, timeout=self.timeout)")),
    "http503": lambda f: (f"upstream {f.host} failed", _python_stack(f"requests.exceptions.HTTPError: 503 Server Error: Service Unavailable for url: https://{f.host}{f.op.partition(' ')[2]}", "clients/http.py", "response.raise_for_status()")),
    "tls": lambda f: (f"upstream {f.host} failed", _python_stack(f"requests.exceptions.SSLError: HTTPSConnectionPool(host='{f.host}', port={f.port}): Max retries exceeded with url: {f.op.partition(' ')[2]} (Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1000)')))", "clients/http.py", "response = self.session.post(url, json=body, timeout=self.timeout)")),
    "pool": lambda f: ("database error", _python_stack(f"sqlalchemy.exc.TimeoutError: QueuePool limit of size {f.pool} overflow 0 reached, connection timed out, timeout {f.seconds:.2f} (Background on this error at: https://sqlalche.me/e/20/3o7r)", "db/session.py", "with engine.connect() as connection:")),
    "statement": lambda _f: ("database error", _python_stack(f"psycopg.errors.QueryCanceled: {_CANCELLED}", "db/session.py", "cursor.execute(statement, parameters)")),
    "dns": lambda f: (f"upstream {f.host} unreachable", _python_stack(f"requests.exceptions.ConnectionError: HTTPSConnectionPool(host='{f.host}', port={f.port}): Max retries exceeded with url: {f.op.partition(' ')[2]} (Caused by NameResolutionError(\"<urllib3.connection.HTTPSConnection object>: Failed to resolve '{f.host}' ([Errno -3] Temporary failure in name resolution)\"))", "clients/http.py", "response = self.session.post(url, json=body, timeout=self.timeout)")),
    "nohost": lambda f: (f"upstream {f.host} unreachable", _python_stack(f"requests.exceptions.ConnectionError: HTTPConnectionPool(host='{f.host}', port={f.port}): Max retries exceeded with url: {f.op.partition(' ')[2]} (Caused by NameResolutionError(\"<urllib3.connection.HTTPConnection object>: Failed to resolve '{f.host}' ([Errno -2] Name or service not known)\"))", "clients/http.py", "response = self.session.get(url, timeout=self.timeout)")),
    "auth": lambda f: ("database error", _python_stack(f'psycopg.OperationalError: connection failed: connection to server at "{f.ip}", port {f.port} failed: FATAL:  password authentication failed for user "{_user(f)}"', "db/session.py", "with engine.connect() as connection:")),
    "bug": lambda f: (f"Internal Server Error: {f.op.partition(' ')[2]}", _python_stack("AttributeError: 'NoneType' object has no attribute 'items'", "rules/engine.py", "for key, rule in ruleset.entries.items():")),
}  # fmt: skip
_NODE: dict[str, Words] = {
    "timeout": lambda f: (f"{f.op} {f.host} failed", _node_stack(f"AxiosError: timeout of {int(f.seconds * 1000)}ms exceeded", "RedirectableRequest.handleRequestTimeout (/app/node_modules/axios/dist/node/axios.cjs:3169:16)")),
    "refused": lambda f: (f"{f.op} {f.host} failed", _node_stack(f"Error: connect ECONNREFUSED {f.ip}:{f.port}", "TCPConnectWrap.afterConnect [as oncomplete] (node:net:1611:16)")),
    "reset": lambda f: (f"{f.op} {f.host} failed", _node_stack("Error: socket hang up", "Socket.socketOnEnd (node:_http_client:524:23)")),
    "http503": lambda f: (f"{f.op} {f.host} failed", _node_stack("AxiosError: Request failed with status code 503", "settle (/app/node_modules/axios/dist/node/axios.cjs:2019:12)")),
    "tls": lambda f: (f"{f.op} {f.host} failed", _node_stack("Error: certificate has expired", "TLSSocket.onConnectSecure (node:_tls_wrap:1674:34)")),
    "pool": lambda _f: ("query failed", _node_stack("KnexTimeoutError: Knex: Timeout acquiring a connection. The pool is probably full. Are you missing a .transacting(trx) call?", "Client_PG.acquireConnection (/app/node_modules/knex/lib/client.js:332:26)")),
    "statement": lambda _f: ("query failed", _node_stack(f"error: {_CANCELLED}", "Parser.parseErrorMessage (/app/node_modules/pg-protocol/dist/parser.js:283:98)")),
    "dns": lambda f: (f"{f.op} {f.host} failed", _node_stack(f"Error: getaddrinfo EAI_AGAIN {f.host}", "GetAddrInfoReqWrap.onlookup [as oncomplete] (node:dns:120:26)")),
    "nohost": lambda f: (f"{f.op} {f.host} failed", _node_stack(f"Error: getaddrinfo ENOTFOUND {f.host}", "GetAddrInfoReqWrap.onlookup [as oncomplete] (node:dns:120:26)")),
    "auth": lambda f: ("query failed", _node_stack(f'error: password authentication failed for user "{_user(f)}"', "Parser.parseErrorMessage (/app/node_modules/pg-protocol/dist/parser.js:283:98)")),
    "bug": lambda f: (f"unhandled error in {f.op}", _node_stack("TypeError: Cannot read properties of undefined (reading 'entries')", "RuleEngine.apply (/app/dist/rules/engine.js:61:34)")),
}  # fmt: skip
_WORDS: dict[str, dict[str, Words]] = {GO: _GO, JAVA: _JAVA, PYTHON: _PYTHON, NODE: _NODE}
