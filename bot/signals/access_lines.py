"""Reads what an access log line says of one request: status, method, and a proxy's own reason for failing.

Knows the common, combined and ingress-nginx formats, Envoy's default format and its response flags, HAProxy's HTTP log
and its termination states, Traefik, Caddy, Gin, Rails, morgan, uvicorn, and JSON or logfmt request logs by their usual field names. Works on masked templates.
"""

import re
from dataclasses import dataclass

from bot.domain.signal import Kind

_METHOD = r"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|PROPFIND)"
_ANY_METHOD = re.compile(rf"(?<![A-Za-z])(?P<method>{_METHOD})(?![A-Za-z])")
_QUOTED = re.compile(r'HTTP/(?:\d(?:\.\d)?|<\*>)"? (?:(?P<status>[0-5]\d\d|0)(?!\d)|(?P<masked><\*>))(?P<rest>.{0,60})')
_HAPROXY = re.compile(r" (?P<status>[1-5]\d\d) (?:\d+|<\*>|-\d+) \S+ \S+ (?P<flags>[A-Za-z-]{4}) ")
_STATE = 4
_GIN = re.compile(r"\[GIN\].{0,60}?\| +(?P<status>[1-5]\d\d) +\|")
_RAILS = re.compile(r"Completed (?P<status>[1-5]\d\d) ")
_MORGAN = re.compile(rf"(?<![A-Za-z]){_METHOD} /\S* (?P<status>[1-5]\d\d)(?: |$)")
_FIELD = re.compile(
    r"(?<![A-Za-z])(?:http[._])?(?:res(?:ponse)?[._])?(?:status(?:_?code|Code)?|(?:DownstreamStatus)|response_code|code)"
    r"[\"']?\s*[=:]\s*[\"']?(?P<status>[1-5]\d\d)(?![\d.])"
)
_REQUEST_FIELD = re.compile(
    r"(?<![A-Za-z])(?:request_?)?(?:method|path|uri|url|route|endpoint|verb|RequestPath|request_uri|http_method)[\"']?\s*[=:]",
    re.IGNORECASE,
)
_FLAGS = re.compile(
    r"(?:^|[\s\"=,])(?P<flags>(?:UC|UF|UO|UT|URX|UH|LR|LH|DC|DI|FI|NR|NC|RL|RLSE|UR|UAEX|SI|IH|DPE|UPE|UMSDR|OM|DF|DT)"
    r"(?:,(?:UC|UF|UO|UT|URX|UH|LR|UR|RL|NR|NC|DC|DF))*)(?=$|[\s\",}])"
)

ENVOY_FLAGS: dict[str, Kind] = {
    "UC": Kind.CONNECTION_RESET,
    "UR": Kind.CONNECTION_RESET,
    "LR": Kind.CONNECTION_RESET,
    "UPE": Kind.CONNECTION_RESET,
    "UF": Kind.CONNECTION_REFUSED,
    "UO": Kind.CIRCUIT_OPEN,
    "OM": Kind.MEMORY_PRESSURE,
    "UT": Kind.TIMEOUT,
    "SI": Kind.TIMEOUT,
    "DT": Kind.TIMEOUT,
    "UMSDR": Kind.TIMEOUT,
    "URX": Kind.RETRY,
    "UH": Kind.UNAVAILABLE,
    "LH": Kind.PROBE_FAILURE,
    "NR": Kind.BAD_CONFIG,
    "NC": Kind.BAD_CONFIG,
    "DF": Kind.NAME_RESOLUTION_FAILURE,
    "RL": Kind.RATE_LIMITED,
    "RLSE": Kind.RATE_LIMITED,
    "UAEX": Kind.AUTH_FAILURE,
    "DC": Kind.CLIENT_ERROR,
    "DPE": Kind.CLIENT_ERROR,
    "IH": Kind.CLIENT_ERROR,
}
"""Envoy's response flags (access log ``%RESPONSE_FLAGS%``) and what they say went wrong."""

HAPROXY_STATES: dict[str, Kind] = {
    "SC": Kind.CONNECTION_REFUSED,
    "SH": Kind.CONNECTION_RESET,
    "SD": Kind.CONNECTION_RESET,
    "sC": Kind.TIMEOUT,
    "sH": Kind.TIMEOUT,
    "sD": Kind.TIMEOUT,
    "sQ": Kind.POOL_EXHAUSTION,
}
"""How HAProxy's termination states begin, and what they say went wrong (its manual, "Session state at disconnection")."""
NO_SERVER = "/<NOSRV> "
"""What HAProxy writes for a server where none was left to ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One request as its access line tells it; ``status`` is 0 where the line masks or lacks it."""

    status: int
    method: str = ""
    flags: str = ""
    asked: bool = True
    """Whether the proxy had a server to ask"""

    @property
    def kind(self) -> Kind | None:
        """What the status means: 5xx failed for the server's reasons, 4xx for the client's; others are no failure."""
        if self.status >= 500:
            return Kind.SERVER_ERROR
        if self.status >= 400 or "DC" in self.flags.split(","):
            return Kind.CLIENT_ERROR
        return None

    @property
    def cause(self) -> Kind | None:
        """What the proxy says went wrong on its way, None where it says nothing."""
        if self.flags.startswith("SC") and not self.asked:
            return Kind.UNAVAILABLE
        flags = (*self.flags.split(","), self.flags[:2] if len(self.flags) == _STATE else "")
        return next((known[flag] for flag in flags for known in (ENVOY_FLAGS, HAPROXY_STATES) if flag in known), None)


def access(template: str) -> Access | None:
    """Read an access line, None where the text is no such line."""
    if (found := _QUOTED.search(template)) is not None:
        method = _ANY_METHOD.search(template)
        flags = _FLAGS.search(found["rest"])
        return Access(
            status=int(found["status"] or 0),
            method=method["method"] if method else "",
            flags=flags["flags"] if flags else "",
        )
    method = _ANY_METHOD.search(template)
    named = method["method"] if method else ""
    if named and (found := _HAPROXY.search(template)) is not None:
        state = found["flags"] if found["flags"].strip("-") else ""
        return Access(status=int(found["status"]), method=named, flags=state, asked=NO_SERVER not in template)
    if named and (found := _GIN.search(template) or _MORGAN.search(template)) is not None:
        return Access(status=int(found["status"]), method=named)
    if (found := _RAILS.search(template)) is not None:
        return Access(status=int(found["status"]), method=named)
    found = _FIELD.search(template)
    if found is not None and (named or _REQUEST_FIELD.search(template)):
        flags = _FLAGS.search(template) if "response_flags" in template else None
        return Access(status=int(found["status"]), method=named, flags=flags["flags"] if flags else "")
    return None
