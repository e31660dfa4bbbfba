"""How long requests took, read from the lines that say so: access logs and "took", "elapsed", "duration" of any format.

How long something had waited when a line gave it up. Leaves out whose requests they were; units are taken from the value, then from the key, then from custom (nginx counts
seconds, a bare whole number under a ``duration`` key milliseconds).
"""

import re

LONGEST = 4000
MOST_S = 86_400.0
MILLISECONDS_FROM = 1000.0
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "seconds": 1.0, "m": 60.0}
_KEYED = re.compile(
    r"(?P<key>duration|elapsed|latency|took|time[_-]?taken|t(?:ime(?=_ms)|otal(?=_ns))|response_?time|request_?time|elapsed_time|process_time|"
    r"processing_time|service_time|(?<![a-z0-9])(?:rt|urt|uht))"
    r"(?P<suffix>_?(?:ms|millis|milliseconds|seconds|secs|sec|s|us|micros|ns|nanos))?"
    r"[\"']?\s{0,2}[=: ]\s{0,2}[\"']?(?P<value>\d{1,12}(?:\.\d{1,12})?)\s?(?P<unit>ns|us|µs|μs|ms|seconds|sec|s|m)?"
    r"(?:(?P<rest>\d{1,2}(?:\.\d{1,9})?)s)?(?![\w./:]|-\d)"
)
"""Any word may stand before a key (``upstream_response_time``) but the shortest: ``port=8080`` is no round trip."""
_PHRASE = re.compile(
    r"\b(?:in|after|took|within|for)\s(?P<value>\d{1,9}(?:\.\d{1,9})?)\s?(?P<unit>ns|us|µs|ms|seconds|sec|s)\b"
)
_REQUEST = re.compile(
    r"\b(?:get|post|put|patch|delete|head|options)\b|\brequest\b|\bhttp/\d|\bpath\b|\broute\b|\bg?rpc\b|\bcompleted [1-5<]"
)
_COLOUR = re.compile(r"\x1b\[[\d;]{0,16}m")
_ENVOY = re.compile(
    r"\"\s(?P<status>\d{3})\s\S{1,120}\s(?:\S{1,60}\s-\s\"[^\"]{0,200}\"\s)?\d{1,12}\s\d{1,12}\s(?P<ms>\d{1,9})\s(?:\d{1,9}|-)\s\""
)
_BEHIND_SIZE = re.compile(r"\"\s\d{3}\s(?:\d{1,12}|-)\s(?P<s>\d{1,6}\.\d{3,6})(?:\s|$)")
_BALANCER = re.compile(r"(?P<s>(?:\s\d{1,6}\.\d{3,6}){3})\s(?:\d{3}|-)\s(?:\d{3}|-)\s\d{1,12}\s\d{1,12}\s\"")
"""AWS's load balancers: the times until the target was asked, until it answered, and until that was passed on."""
_WHOLE = re.compile(r"\"latencies\":\s?\{[^{}]{0,200}?\"request\":\s?(?P<ms>\d{1,9})(?=\s?[,}])")
"""Kong's, milliseconds."""
_HUMAN = re.compile(r"\"latency_human\":\s?\"(?P<value>\d{1,12}(?:\.\d{1,12})?)(?P<unit>ns|µs|ms|s)\"")
"""Echo's, which counts nanoseconds beside it."""
_NGINX_TAIL = re.compile(r"\"\s\d{3}\s\d{1,12}\s.{0,600}\"\s(?:\d{1,9}\s)?(?P<s>\d{1,6}\.\d{3,6})(?:\s|$)")
_HAPROXY = re.compile(
    r"\s(?:-?\d{1,10}/){0,4}\+?(?P<ms>\d{1,10}(?:\.\d)?)\s[1-5]\d\d\s\S{1,16}\s\S{1,256}\s\S{1,256}\s[-a-z]{4}\s"
)
# of the timers before the status the last is the whole time; captured cookies stand behind the size
_NANOSECONDS = re.compile(r"\"duration\":\s?(?P<ns>\d{1,15}(?:\.\d)?)(?![\d.])")
_MILLISECONDS = re.compile(r"\s(?P<ms>\d{1,9}(?:\.\d{1,9})?)(?:ms\s{0,2}$|\sms(?:\s-|\s{0,2}$))")
"""At the end, with the unit: Traefik, ASP.NET Core; morgan writes the size behind it."""
_GIN = re.compile(r"\|\s{1,12}(?P<value>\d{1,9}(?:\.\d{1,9})?)(?P<unit>ns|µs|ms|s)\s\|")
_WAITED = re.compile(
    r"(?:\bafter|\btook|\btime(?:d ?)?out(?: of)?|\bwait(?:ed|ing)(?: for)?|\bduration|\belapsed|query_time|\bwithin|\bexceeded)"
    r"[\s:=\"'(]{1,3}(?P<value>\d{1,9}(?:\.\d{1,12})?)\s?(?P<unit>ns|us|µs|μs|milliseconds?|ms|seconds?|secs?|s|minutes?|m)?(?![\w.:])"
)
_SPELT = {"millisecond": "ms", "milliseconds": "ms", "second": "s", "secs": "s", "minute": "m", "minutes": "m"}
_SUFFIXES = {
    "ms": 1e-3,
    "millis": 1e-3,
    "milliseconds": 1e-3,
    "seconds": 1.0,
    "secs": 1.0,
    "sec": 1.0,
    "s": 1.0,
    "us": 1e-6,
    "micros": 1e-6,
    "ns": 1e-9,
    "nanos": 1e-9,
}


def request_duration_s(line: str) -> float | None:
    """Give how many seconds the request of a line took, None where the line says nothing of one."""
    line = line[:LONGEST].lower()  # patterns that ignore the case are several times slower
    if "\x1b" in line:
        line = _COLOUR.sub("", line)
    if _REQUEST.search(line) is None:
        return None
    if '"downstreamstatus":' in line:  # Traefik's, which counts nanoseconds
        traefik = _NANOSECONDS.search(line)
        return _bounded(float(traefik["ns"]) * 1e-9) if traefik else None
    told = (_ENVOY.search(line) if '" ' in line else None) or ('"latencies"' in line and _WHOLE.search(line)) or None
    if told is not None:
        return _bounded(float(told["ms"]) * 1e-3)
    if '"latency_human"' in line and (told := _HUMAN.search(line)) is not None:
        return _bounded(float(told["value"]) * _UNITS[told["unit"]])
    values = [found for match in _KEYED.finditer(line) if (found := _keyed(match)) is not None]
    return _bounded(max(values)) if values else _placed(line)


def _placed(line: str) -> float | None:
    """Read what only its place in the line tells, or a phrase; a plain search for what must stand there spares most patterns."""
    if '" ' in line and (tail := _BEHIND_SIZE.search(line) or _NGINX_TAIL.search(line)) is not None:
        return _bounded(float(tail["s"]))
    if ' "' in line and (times := _BALANCER.search(line)) is not None:
        return _bounded(sum(map(float, times["s"].split())))
    proxy = (_HAPROXY.search(line) if "] " in line else None) or (_MILLISECONDS.search(line) if "ms" in line else None)
    if proxy is not None:
        return _bounded(float(proxy["ms"]) * 1e-3)
    phrase = (_GIN.search(line) if "[gin]" in line else None) or _PHRASE.search(line)
    return _bounded(float(phrase["value"]) * _UNITS[phrase["unit"]]) if phrase else None


def waited_s(line: str) -> float | None:
    """Give how many seconds had passed when a line was written that tells of something slow or given up; None if it says nothing.

    A bare number is seconds up to a thousand and milliseconds from there on, as clients' settings are written.
    """
    whole = request_duration_s(line)
    if whole is not None:
        return whole
    values = [
        float(match["value"]) * (_UNITS[_SPELT.get(match["unit"], match["unit"])] if match["unit"] else _bare(match))
        for match in _WAITED.finditer(line[:LONGEST].lower())
    ]
    return _bounded(max(values)) if values else None


def _bare(match: re.Match[str]) -> float:
    return 1.0 if float(match["value"]) < MILLISECONDS_FROM else 1e-3


def _keyed(match: re.Match[str]) -> float | None:
    value = float(match["value"])
    unit = match["unit"] or ""
    if unit == "m" and match["rest"]:
        return value * 60.0 + float(match["rest"])
    if unit:
        return value * _UNITS[unit]
    suffix = (match["suffix"] or "").strip("_")
    if suffix:
        return value * _SUFFIXES[suffix]
    if match["key"].endswith("ms"):
        return value * 1e-3
    # a point means seconds, as nginx and most Python and Go loggers write them; a whole number means milliseconds
    return value if "." in match["value"] and value < 600 else value * 1e-3


def _bounded(seconds: float) -> float | None:
    return seconds if 0.0 <= seconds <= MOST_S else None
