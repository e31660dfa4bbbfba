"""What a log line means, judged by its template: a kind from the wordings of real software, and how bad it is.

The words stand in ``wordings``, request lines are read by ``access_lines``. Meant for templates, of which a case has
hundreds, not for millions of lines. A line that nothing fits has no kind; its severity still counts.
"""

import errno
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

from bot.domain.signal import Kind
from bot.signals.access_lines import Access, access
from bot.signals.wordings import WORDINGS

__all__ = ["Access", "Classification", "Severity", "access", "classify", "severity_of"]

Severity = Literal["debug", "info", "warning", "error", "fatal"]

SPAN: Final = 2000
"""Characters of a template that are looked at: what went wrong stands at the head, a dumped payload behind it."""

_LEVELS: Final[dict[str, Severity]] = {
    **dict.fromkeys(("trace", "debug", "verbose", "fine", "finer", "finest", "dbg", "debug1", "t", "d"), "debug"),
    **dict.fromkeys(("info", "information", "informational", "notice", "log", "inf", "statement", "note", "system", "i"), "info"),
    **dict.fromkeys(("warn", "warning", "wrn", "w"), "warning"),
    **dict.fromkeys(("error", "err", "severe", "eror", "e", "failure"), "error"),
    **dict.fromkeys(("fatal", "panic", "critical", "crit", "alert", "emerg", "emergency", "dpanic", "ftl", "f"), "fatal"),
}  # fmt: skip
_NUMBERS: Final[dict[str, Severity]] = {
    "10": "debug",
    "20": "debug",
    "30": "info",
    "40": "warning",
    "50": "error",
    "60": "fatal",
}
"""Levels of bunyan and pino."""

_KEYED = re.compile(
    r"(?:^|[\s{,\"'])(?:log\.?)?(?:level(?:name)?|severity(?:_?text)?|lvl|loglevel|@l|s)[\"']?\s?[=:]\s?[\"']?(?P<level>[A-Za-z]+|[1-6]0)(?![\w.])",
    re.IGNORECASE,
)
_KLOG = re.compile(r"(?P<level>[IWEF])(?:\d{4}|<\*>)[ :]")
_MARKED = re.compile(
    r"[\[<(](?P<boxed>(?i:trace|debug|info|notice|note|warn|warning|error|err|crit|critical|alert|emerg|fatal|severe|system))[\]>)]"
    r"|(?<![\w/.-])(?P<upper>TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|SEVERE|PANIC)(?![\w/.-])"
    r"|(?<![\w/.-])(?P<short>DBG|INF|WRN|ERR|FTL)(?![\w/.-])"
    r"|(?<!\w)(?P<colon>LOG|ERROR|WARNING|FATAL|PANIC|info|warn|error|fail|crit|panic|fatal):(?=\s)",
)
_BROKEN = re.compile(
    r"^(?:Traceback \(most recent|panic: |fatal error: )|^(?:Caused by: |[\w$.]+(?:Exception|Error)(?::|$))|(?:Unhandled|Uncaught) (?:\w+ )?[Ee]xception"
)

_NO_FAILURE = re.compile(
    r"\b(?:no|without|0|zero) (?:errors?|timeouts?|deadlocks?|failures?|retries)\b|\bretries[\"']?[=:] ?0\b|\b(?:errors?|timeouts?)[\"']?[=:] ?0\b",
    re.IGNORECASE,
)
_STATUS = re.compile(
    r"(?<![\w])(?:status(?:[ _-]?code)?|http(?:/\d(?:\.\d)?)?(?: error)?|code|returned|responded(?: with)?|got|answered|response)"
    r"[\"']?[ :=]{1,3}(?:an? )?[\"'\[(]?(?:HTTP )?(?P<status>5\d\d|429)(?!\d)|(?<!\d)(?P<phrase>50[0-4]) (?:Internal Server|Bad Gateway|Service Unav|Gateway Time|Not Impl)",
    re.IGNORECASE,
)
_GRPC = re.compile(
    r"(?:grpc[._-]?(?:status[._-]?)?code|code|StatusCode|status)[\"']?\s?[.=:]\s?[\"']?"
    r"(?P<code>Unavailable|DeadlineExceeded|ResourceExhausted|Unauthenticated|PermissionDenied|Internal|Unknown|DataLoss|Aborted)(?![A-Za-z])",
    re.IGNORECASE,
)
_GRPC_KINDS: Final[dict[str, Kind]] = {
    "unavailable": Kind.UNAVAILABLE,
    "deadlineexceeded": Kind.TIMEOUT,
    "resourceexhausted": Kind.RATE_LIMITED,
    "unauthenticated": Kind.AUTH_FAILURE,
    "permissiondenied": Kind.AUTH_FAILURE,
    "internal": Kind.SERVER_ERROR,
    "unknown": Kind.SERVER_ERROR,
    "dataloss": Kind.SERVER_ERROR,
    "aborted": Kind.SERVER_ERROR,
}
_HARMLESS_WHEN_CALM: Final = frozenset(
    {
        Kind.TIMEOUT,
        Kind.AUTH_FAILURE,
        Kind.QUEUE_GROWTH,
        Kind.RATE_LIMITED,
        Kind.BAD_CONFIG,
        Kind.TLS_FAILURE,
        Kind.PROBE_FAILURE,
    }
)
_SETTING = re.compile(
    r"\b(?:set to|defaults? to|using|configured|enabled|loaded|initiali[sz]ed|settings?|starting)\b", re.IGNORECASE
)

_NO_SUCH_NAME = re.compile(r"no such host|NXDOMAIN|ENOTFOUND|name or service not known", re.IGNORECASE)
"""Go, resolvers, Node and the C library: the resolver did answer, that there is no such name (RFC 8020)."""

_ENDED = re.compile(
    r"certificate has expired|certificate expired|CERT_HAS_EXPIRED|CertificateExpiredException|validity check failed",
    re.IGNORECASE,
)
"""OpenSSL and Go, Node, Java: the certificate that the other side showed is past its end (RFC 5280, section 4.1.2.5)."""

_ERRNO: Final = frozenset(name.lower() for name in errno.errorcode.values()) | {
    "enotfound",
    "eai_again",
    "esockettimedout",
}
"""Names of system errors, with those of c-ares and Node: words of their own, for ``PriceNotFound`` is no ENOTFOUND."""

_PHRASES: Final = tuple(
    (kind, note, tuple(part.strip(" ") if "…" in phrase else part for part in phrase.split("…")))
    for kind, note, phrases in WORDINGS
    for phrase in phrases
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """What a template means; ``software`` names whose wording it was recognised by.

    ``attributes`` may hold ``status`` and ``method`` of a request, ``flags`` of a proxy, and ``cause``: the kind of
    failure that a request line gives as the reason of its status.
    """

    kind: Kind | None
    severity: Severity
    software: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


def classify(template: str) -> Classification:
    """Tell what lines of this template mean."""
    return _classified(template[:SPAN])


@lru_cache(maxsize=1 << 12)  # templates are asked for what they mean, and for how long requests took
def _classified(text: str) -> Classification:
    severity = severity_of(text)
    request = access(text)
    if request is not None:
        return _request(request, text, severity)
    found = _worded(text, severity)
    if found is not None:
        return Classification(kind=found[0], severity=severity, software=found[1], attributes=_theirs(found[0], text))
    if (code := _GRPC.search(text)) is not None:
        return Classification(
            kind=_GRPC_KINDS[code["code"].lower()],
            severity=severity,
            software="gRPC",
            attributes={"code": code["code"]},
        )
    if (status := _STATUS.search(text)) is not None:
        number = status["status"] or status["phrase"]
        kind = Kind.RATE_LIMITED if number == "429" else Kind.SERVER_ERROR
        return Classification(kind=kind, severity=severity, software="HTTP", attributes={"status": number})
    return Classification(kind=None, severity=severity)


def _theirs(kind: Kind, text: str) -> dict[str, str]:
    """Say what a failure tells of the other side: its name is not there, its certificate is past its end."""
    if kind is Kind.NAME_RESOLUTION_FAILURE and _NO_SUCH_NAME.search(text):
        return {"name": "absent"}
    return {"certificate": "ended"} if kind is Kind.TLS_FAILURE and _ENDED.search(text) else {}


def _request(request: Access, text: str, severity: Severity) -> Classification:
    attributes = {"status": str(request.status)} if request.status else {}
    if request.method:
        attributes["method"] = request.method
    if request.flags:
        attributes["flags"] = request.flags
    kind, cause = request.kind, request.cause
    if not request.status and not request.method:  # a connection: how it ended is all there is
        kind = kind or cause
    if severity in ("warning", "error", "fatal") and (kind is None or cause is None):
        worded = _worded(text, severity)
        cause = cause or (worded[0] if worded else None)
        kind = kind or cause
    if cause is not None and cause is not kind:
        attributes["cause"] = str(cause)
    return Classification(kind=kind, severity=severity, software="HTTP", attributes=attributes)


def _worded(text: str, severity: Severity) -> tuple[Kind, str] | None:
    lowered = f" {text.lower()} "
    for kind, note, pieces in _PHRASES:
        if pieces[0] in lowered and _fits(pieces, lowered):
            calm = severity in ("debug", "info")
            if calm and kind in _HARMLESS_WHEN_CALM and (_SETTING.search(text) or _NO_FAILURE.search(text)):
                continue  # "read timeout set to 30s" tells a setting, not a failure
            if calm and _NO_FAILURE.search(text):
                continue
            return kind, note
    return None


def _fits(pieces: tuple[str, ...], lowered: str) -> bool:
    at = 0
    for piece in pieces:
        at = lowered.find(piece, at)
        while piece in _ERRNO and at > 0 and lowered[at - 1].isalnum():
            at = lowered.find(piece, at + 1)
        if at < 0:
            return False
        at += len(piece)
    return True


def severity_of(text: str) -> Severity:
    """Read how bad a line says it is, from its level field or word; ``info`` where it says nothing."""
    if (klog := _KLOG.match(text)) is not None:
        return _LEVELS[klog["level"].lower()]
    if (keyed := _KEYED.search(text)) is not None:
        level = keyed["level"].lower()
        if (found := _LEVELS.get(level) or _NUMBERS.get(level)) is not None:
            return found
    if _BROKEN.search(text):
        return "error"
    marked = _MARKED.search(text[:400])
    if marked is None:
        return "info"
    word = next(filter(None, marked.groups())).lower()
    return "error" if word == "fail" else _LEVELS[word]
