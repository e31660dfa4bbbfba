"""Renders log entries as several real loggers print them; one function a format, no knowledge of incidents.

Formats: pino (Node), zap (Go), logback and log4j2 layouts (Java), Python ``logging``, logfmt (Go kit), klog (Kubernetes),
nginx access and error, Envoy's default access log, PostgreSQL's ``log_line_prefix = '%m [%p] %q%u@%d '``. Of many lines
alike (``multitude``) the text of one is printed, with tokens where they differ.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.evals.multitude import Many, Token

LEVELS = {"pino": {"debug": 20, "info": 30, "warn": 40, "error": 50, "fatal": 60}}
Fields = Mapping[str, object]


def iso(at_s: float, *, comma: bool = False, zulu: bool = True) -> str:
    """Print milliseconds, with a comma as Java and Python like them, or ISO 8601 with Z."""
    if isinstance(at_s, Many):
        return str(Token.ISO_COMMA if comma else Token.ISO if zulu else Token.ISO_BARE)
    moment = datetime.fromtimestamp(at_s, tz=UTC)
    millis = moment.microsecond // 1000
    if comma:
        return f"{moment:%Y-%m-%d %H:%M:%S},{millis:03d}"
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{millis:03d}{'Z' if zulu else ''}"


def counted(at_s: float, factor: float, most: int, token: Token) -> int:
    """Count on with time, as numbers of threads and connections do, below ``most``; ``token`` stands for many of them."""
    return token if isinstance(at_s, Many) else int(at_s * factor) % most


def entry(
    style: str, at_s: float, level: str, logger: str, message: str, fields: Fields | None = None, trace: str = ""
) -> str:
    """Render one application log entry in a style; ``trace`` goes where the logger puts a stack."""
    return FORMATS[style](at_s, level, logger, message, fields or {}, trace)


def _pino(at_s: float, level: str, logger: str, message: str, fields: Fields, trace: str) -> str:
    body: dict[str, object] = {
        "level": LEVELS["pino"][level],
        "time": Token.EPOCH_MS if isinstance(at_s, Many) else int(at_s * 1000),
        "pid": 1,
        "name": logger,
        **fields,
        "msg": message,
    }
    if trace:
        kind, _, text = trace.split("\n", maxsplit=1)[0].partition(": ")
        body["err"] = {"type": kind, "message": text or kind, "stack": trace}
    return json.dumps(body, separators=(",", ":"))


def _zap(at_s: float, level: str, logger: str, message: str, fields: Fields, trace: str) -> str:
    body: dict[str, object] = {
        "level": level,
        "ts": Token.EPOCH_S if isinstance(at_s, Many) else round(at_s, 4),
        "logger": logger,
        "caller": f"{logger}/server.go:{120 + len(message) % 90}",
        "msg": message,
        **fields,
    }
    if trace:
        body["error"] = trace
    return json.dumps(body, separators=(",", ":"))


def _logback(at_s: float, level: str, logger: str, message: str, fields: Fields, trace: str) -> str:
    thread = f"http-nio-8080-exec-{counted(at_s, 7, 10, Token.TO_TEN) + (not isinstance(at_s, Many))}"
    tail = "".join(f" {key}={value}" for key, value in fields.items())
    text = f"{iso(at_s, comma=True)} {level.upper():<5} [{thread}] c.e.{logger.replace('-', '.')} - {message}{tail}"
    return f"{text}\n{trace}" if trace else text


def _log4j(at_s: float, level: str, logger: str, message: str, fields: Fields, trace: str) -> str:
    name = "".join(part.capitalize() for part in logger.split("-"))
    tail = f" {{{', '.join(f'{key}={value}' for key, value in fields.items())}}}" if fields else ""
    text = f"{iso(at_s, zulu=False)}  {level.upper():<5} 1 --- [worker-{counted(at_s, 3, 16, Token.TO_SIXTEEN)}] com.{logger.split('-', maxsplit=1)[0]}.{name}Service : {message}{tail}"
    return f"{text}\n{trace}" if trace else text


def _python(at_s: float, level: str, logger: str, message: str, fields: Fields, trace: str) -> str:
    word = {"warn": "WARNING", "fatal": "CRITICAL"}.get(level, level.upper())
    tail = "".join(f" {key}={value}" for key, value in fields.items())
    text = f"{iso(at_s, comma=True)} {word} {logger.replace('-', '_')}.api {message}{tail}"
    return f"{text}\n{trace}" if trace else text


def _logfmt(at_s: float, level: str, logger: str, message: str, fields: Fields, trace: str) -> str:
    quoted = json.dumps(message) if " " in message else message
    tail = "".join(f" {key}={json.dumps(value) if ' ' in str(value) else value}" for key, value in fields.items())
    error = f" err={json.dumps(trace)}" if trace else ""
    return f"time={iso(at_s)} level={level} svc={logger} msg={quoted}{tail}{error}"


def _klog(at_s: float, level: str, logger: str, message: str, fields: Fields, trace: str) -> str:
    moment = datetime.fromtimestamp(at_s, tz=UTC)
    when = Token.KLOG if isinstance(at_s, Many) else f"{moment:%m%d %H:%M:%S}.{moment.microsecond:06d}"
    tail = "".join(f' {key}="{value}"' for key, value in fields.items())
    error = f" err={json.dumps(trace)}" if trace else ""
    letter = {"warn": "W", "error": "E", "fatal": "F"}.get(level, "I")
    return f'{letter}{when}       1 {logger}.go:{90 + len(message)}] "{message}"{error}{tail}'


FORMATS = {
    "pino": _pino, "zap": _zap, "logback": _logback, "log4j": _log4j, "python": _python, "logfmt": _logfmt, "klog": _klog,
}  # fmt: skip


def nginx_access(at_s: float, client: str, line: str, status: int, size: int, seconds: float, upstream: str) -> str:
    """Print nginx's combined format with request and upstream times."""
    when = (
        Token.NGINX
        if isinstance(at_s, Many)
        else datetime.fromtimestamp(at_s, tz=UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    )
    took = Token.TOOK_S if isinstance(at_s, Many) else f"{seconds:.3f}"
    return f'{client} - - [{when}] "{line} HTTP/1.1" {status} {size} "-" "{agent(client)}" rt={took} ua="{upstream}" us="{status}"'


def nginx_error(at_s: float, level: str, text: str, client: str, line: str, upstream: str) -> str:
    """Print an nginx error log line."""
    when = (
        Token.NGINX_ERROR
        if isinstance(at_s, Many)
        else datetime.fromtimestamp(at_s, tz=UTC).strftime("%Y/%m/%d %H:%M:%S")
    )
    number = counted(at_s, 13, 9_000_000, Token.TO_MILLIONS)
    target = f', upstream: "http://{upstream}{line.split(" ")[1]}"' if upstream else ""
    return f'{when} [{level}] 31#31: *{number} {text}, client: {client}, server: _, request: "{line} HTTP/1.1"{target}, host: "api.internal"'


def envoy_access(at_s: float, line: str, status: int, flags: str, size: int, seconds: float, upstream: str) -> str:
    """Print Envoy's default access log format."""
    seed = int(at_s * 1e6)
    many = isinstance(at_s, Many)
    request = (
        str(Token.REQUEST)
        if many
        else f"{seed & 0xFFFFFFFF:08x}-{seed >> 7 & 0xFFFF:04x}-4{seed >> 3 & 0xFFF:03x}-9{seed >> 5 & 0xFFF:03x}-{seed & 0xFFFFFFFFFFFF:012x}"
    )
    millis = Token.TOOK_MS if many else int(seconds * 1000)
    before = Token.TOOK_LESS if many else max(0, millis - 1)
    return f'[{iso(at_s)}] "{line} HTTP/1.1" {status} {flags} 0 {size} {millis} {before} "-" "{agent(line)}" "{request}" "api.internal" "{upstream}"'


def postgres(at_s: float, pid: int, level: str, text: str, who: str = "app@app") -> str:
    """Print a PostgreSQL server log line (``%m [%p] %q%u@%d``)."""
    moment = datetime.fromtimestamp(at_s, tz=UTC)
    when = Token.STAMP if isinstance(at_s, Many) else f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"
    return f"{when} UTC [{pid}] {who} {level}:  {text}"


AGENTS = ("Mozilla/5.0", "okhttp/4.12.0", "python-requests/2.32.3", "axios/1.7.7", "Dart/3.5 (dart:io)")


def agent(key: str) -> str:
    """Choose a user agent that stays the same for a client."""
    if str(Token.CLIENT) in key or str(Token.PATH_ID) in key:
        return str(Token.AGENT)
    return AGENTS[sum(key.encode()) % len(AGENTS)]


@dataclass(slots=True, kw_only=True)
class Access:
    """One request as an edge's access log knows it."""

    at_s: float
    client: str
    line: str
    status: int
    flags: str
    size: int
    seconds: float
    upstream: str
    service: str


def edge_access(style: str, a: Access) -> str:
    """Print an access line in the edge's own format."""
    if style == "nginx":
        return nginx_access(a.at_s, a.client, a.line, a.status, a.size, a.seconds, a.upstream)
    if style == "envoy":
        flags = "UT" if a.status == 504 and a.flags == "-" else a.flags
        return envoy_access(a.at_s, a.line, a.status, flags, a.size, a.seconds, a.upstream)
    method, _, path = a.line.partition(" ")
    fields = {
        "method": method, "path": path, "status": a.status, "duration_ms": Token.TOOK_MS if isinstance(a.at_s, Many) else int(a.seconds * 1000), "upstream": a.upstream, "service": a.service,
    }  # fmt: skip
    level = "error" if a.status >= 500 else "warn" if a.status >= 400 else "info"
    return entry(style, a.at_s, level, "access", "request completed", fields)
