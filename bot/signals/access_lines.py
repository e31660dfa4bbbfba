"""Reads what an access log line says of one request: status, method, and a proxy's own reason for failing.

Knows the common, combined and ingress-nginx formats, Envoy's default format and its response flags, short or long, HAProxy's HTTP
and TCP logs and their termination states, AWS's load balancers, Traefik, Caddy, Gin, Rails, Serilog, morgan, uvicorn, and JSON or
logfmt request logs by their usual field names. Works on masked templates.
"""

import re
from dataclasses import dataclass

from bot.domain.signal import Kind

_METHOD = r"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|PROPFIND)"
_ANY_METHOD = re.compile(rf"(?<![A-Za-z])(?P<method>{_METHOD})(?![A-Za-z])")
_QUOTED = re.compile(
    r'HTTP/(?:\d(?:\.\d)?|<\*>)"? (?:(?P<status>[0-5]\d\d|0)(?!\d)|(?P<masked><\*>))(?P<rest>.{0,120})'
)
_STATE = r"[-CSPLRIDUKcs][-RQCHDLT]"
_HAPROXY = re.compile(rf" (?P<status>[1-5]\d\d) (?:\d+|<\*>|-\d+) \S+ \S+ (?P<state>{_STATE})[-NIDVEOU][-NIUPRD] ")
_HAPROXY_TCP = re.compile(
    rf"\] \S+ \S+/\S+ (?:<\*>|-?\d\S*)(?: (?:<\*>|\d+))? (?P<state>{_STATE}) (?:<\*>|\d+/\S+)(?: <\*>| \d+/\d+)?$"
)
_BAD_REQUEST = '"<BADREQ>"'
"""What HAProxy writes for a request that it could not read."""
_BALANCER = re.compile(rf' (?P<status>[1-5]\d\d) (?:(?:-|\d+|<\*>) ){{1,3}}"(?={_METHOD})')
_GIN = re.compile(r"\[GIN\].{0,60}?\| +(?P<status>[1-5]\d\d) +\|")
_RAILS = re.compile(r"Completed (?P<status>[1-5]\d\d) ")
_MORGAN = re.compile(rf"(?<![A-Za-z]){_METHOD} /\S* (?:responded )?(?P<status>[1-5]\d\d)(?: |$)")
_STATUS = r"[\"']?\s*[=:]\s*[\"']?(?P<status>[1-5]\d\d)(?![\d.])"
_FIELD = re.compile(
    r"(?<![A-Za-z])(?<!upstream[_-])(?<!upstream_response_)(?<!backend_)(?<!target_)(?<!origin_)(?:http[._]?|sc-)?(?:res(?:ponse)?[._])?"
    rf"(?:[sS]tatus(?:_?code|Code)?|DownstreamStatus|response_code|code){_STATUS}"
)
_ANY_FIELD = re.compile(rf"(?<![A-Za-z])\w{{0,20}}status(?:_?code|Code)?{_STATUS}")
"""Of an attempt behind the proxy, where the line holds no other."""
_REQUEST_FIELD = re.compile(
    r"(?<![A-Za-z])(?:request_?)?(?:method|path|uri|url|route|endpoint|verb|RequestPath|request_uri|http_method)[\"']?\s*[=:]",
    re.IGNORECASE,
)

ENVOY_LONG: dict[str, str] = {
    "UpstreamConnectionTermination": "UC",
    "UpstreamRemoteReset": "UR",
    "LocalReset": "LR",
    "UpstreamProtocolError": "UPE",
    "UpstreamConnectionFailure": "UF",
    "UpstreamOverflow": "UO",
    "OverloadManagerTerminated": "OM",
    "UpstreamRequestTimeout": "UT",
    "StreamIdleTimeout": "SI",
    "DurationTimeout": "DT",
    "UpstreamMaxStreamDurationReached": "UMSDR",
    "UpstreamRetryLimitExceeded": "URX",
    "NoHealthyUpstream": "UH",
    "FailedLocalHealthCheck": "LH",
    "NoRouteFound": "NR",
    "NoClusterFound": "NC",
    "DnsResolutionFailed": "DF",
    "RateLimited": "RL",
    "RateLimitServiceError": "RLSE",
    "UnauthorizedExternalService": "UAEX",
    "DownstreamConnectionTermination": "DC",
    "DownstreamRemoteReset": "DR",
    "DownstreamProtocolError": "DPE",
    "InvalidEnvoyRequestHeaders": "IH",
    "DropOverload": "DO",
    "DelayInjected": "DI",
    "FaultInjected": "FI",
}
"""Envoy's long response flags (``%RESPONSE_FLAGS_LONG%``) by their short names."""
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
    "DO": Kind.CIRCUIT_OPEN,
    "DC": Kind.CLIENT_ERROR,
    "DR": Kind.CLIENT_ERROR,
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
    "sQ": Kind.QUEUE_GROWTH,
}
"""How HAProxy's termination states begin, and what they say went wrong (its manual, "Session state at disconnection")."""
NO_SERVER = "/<NOSRV> "
"""What HAProxy writes for a server where none was left to ask."""


_SHORT = "|".join(sorted({*ENVOY_FLAGS, *ENVOY_LONG.values()}, key=lambda flag: (-len(flag), flag)))
_FLAG = rf"(?:{_SHORT}|{'|'.join(ENVOY_LONG)})"
_FLAGS = re.compile(rf"(?:^|[\s\"=,])(?P<flags>{_FLAG}(?:,{_FLAG})*)(?=$|[\s\",}}])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One request, or connection, as its access line tells it; ``status`` is 0 where the line masks or lacks it."""

    status: int
    method: str = ""
    flags: str = ""
    """Of Envoy, in short, or HAProxy's termination state; empty where nothing went wrong"""
    cause: Kind | None = None
    """What the proxy says went wrong on its way, None where it says nothing"""

    @property
    def kind(self) -> Kind | None:
        """What the status means: 5xx failed for the server's reasons, 4xx for the client's; others are no failure."""
        if self.status >= 500:
            return Kind.SERVER_ERROR
        if self.status >= 400 or "DC" in self.flags.split(","):
            return Kind.CLIENT_ERROR
        return None


def access(template: str) -> Access | None:
    """Read an access line, None where the text is no such line."""
    method = _ANY_METHOD.search(template)
    named = method["method"] if method else ""
    if (found := _QUOTED.search(template)) is not None:
        return _by_envoy(int(found["status"] or 0), named, found["rest"])
    if (named or _BAD_REQUEST in template) and (found := _HAPROXY.search(template)) is not None:
        return _by_haproxy(int(found["status"]), named, found["state"], template)
    found = next((found for known in (_GIN, _MORGAN, _BALANCER) if named and (found := known.search(template))), None)
    if (found := found or _RAILS.search(template)) is not None:
        return Access(status=int(found["status"]), method=named)
    return _by_field(template, named)


def _by_field(template: str, method: str) -> Access | None:
    if method or _REQUEST_FIELD.search(template):
        found = _FIELD.search(template) or _ANY_FIELD.search(template)
        if found is not None:
            return _by_envoy(int(found["status"]), method, template if "response_flags" in template else "")
    found = _HAPROXY_TCP.search(template)
    return _by_haproxy(0, "", found["state"], template) if found else None


def _by_envoy(status: int, method: str, rest: str) -> Access:
    told = _FLAGS.search(rest)
    flags = [ENVOY_LONG.get(flag, flag) for flag in told["flags"].split(",")] if told else []
    cause = next((ENVOY_FLAGS[flag] for flag in flags if flag in ENVOY_FLAGS), None)
    return Access(status=status, method=method, flags=",".join(flags), cause=cause)


def _by_haproxy(status: int, method: str, state: str, template: str) -> Access:
    none_left = state == "SC" and NO_SERVER in template
    cause = Kind.UNAVAILABLE if none_left else HAPROXY_STATES.get(state)
    return Access(status=status, method=method, flags=state.strip("-") and state, cause=cause)
