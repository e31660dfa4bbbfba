"""A log line's masked form: what stays equal while ids, times, sizes and addresses change.

Masking is the first half of template mining: it makes millions of lines into hundreds of distinct forms, which
``templates`` then merges. Numbers that *mean* something stay: HTTP status codes, exit codes, signals, SQLSTATEs, log
level letters. Left out: any knowledge of one product's log format, and everything behind the first ``SPAN`` bytes.
"""

import re

SPAN = 4096
"""Only this many bytes of a line are masked: the head of a line tells its kind, and hostile lines stay cheap."""

BOUND = 2 * SPAN
"""No masked form is longer (a one-digit token grows to the three bytes of a wildcard)."""

WILD = b"<*>"

_LONG_UNIT = 256
_CACHE_ENTRIES = 60_000

# Words after which a number of up to five characters is a code, not a measure. Spelled out rather than matched
# without case, because the regular expression engine skips literal branches fast.
_CODE_WORDS = (
    rb"(?:[sS]tatus(?:[ _-]?[cC]ode)?|STATUS|[cC]ode|CODE|[eE]xit(?:ed)?(?: with)?[ _-]?(?:[cC]ode|status)|exitCode"
    rb"|returncode|rc|http(?:_status|Status)|statusCode|DownstreamStatus|response_code|upstream_status|[eE]rrno|[sS]ignal"
    rb"|SQLSTATE|SQLState|sqlstate|level|severity|HTTP|[rR]eturned|[rR]esponded(?: with)?|[gG]ot|[aA]nswered)"
)
_REASON_WORDS = (
    rb"(?:OK|Created|Accepted|No|Moved|Found|Bad|Unauthorized|Forbidden|Not|Method|Request|Conflict|Gone|Too|Unprocess"
    rb"|Client|Internal|Service|Gateway)(?![^\s,;\"')\]}.])"
)
_NUMBER = rb"(?:<\*>|\+?\d{1,15})"
_STATUS_RESTS = (
    _NUMBER + rb" \S+ \S+ [-CSPLRIDUKcs][-RQCHDLT][-NIDVEOU][-NIUPRD] (?:<\*>|\d)"
    rb"|(?:<\*>|-|[1-5]\d\d) " + _NUMBER + rb" " + _NUMBER + rb" \"[A-Z]"
    rb"|\| {1,12}(?:<\*>|\d\S{0,20}s) \|"
)
"""What stands behind the status in HAProxy's HTTP log (size, captured cookies, termination state: its manual, "Logging"), in those of
AWS's load balancers (the target's status, sizes, the request line: "Access logs for your Application Load Balancer"), in Gin's."""
_UNIT = re.compile(
    rb"HTTP/[0-9.]{1,3}\"? [1-5]\d\d(?![^\s,;)\]}])"  # access logs: the status behind the request line
    rb"|Completed [1-5]\d\d(?= [A-Zi])"  # Rails
    rb"|[\"']?" + _CODE_WORDS + rb"[\"']?[ :=]{1,3}[\"'\[(]?(?:\d{1,3}|[0-9A-Z]{5})(?![^\s,;\"')\]}])"
    rb"|(?:GET|POST|PUT|HEAD|PATCH|DELETE|OPTIONS) /[^\s\"]{0,400} [1-5]\d\d(?!\S)"
    rb"|\([1-9]\d{0,2}: (?=[A-Z<])"  # nginx and libc: "(111: Connection refused)"
    rb"|[1-5]\d\d (?=" + _REASON_WORDS + rb"|" + _STATUS_RESTS + rb")"
    rb"|[^\s,;()\[\]{}]++"
    rb"|[\s,;)\[\]{}]++"
    rb"|\("
)
_DELIMITERS = re.compile(rb"[\s,;()\[\]{}]")
_HELD_UNIT = re.compile(
    rb"(?:HTTP/[0-9.]{1,3}\"?|Completed) \d{3}"
    rb"|[\"']?" + _CODE_WORDS + rb"[\"']?[ :=]{1,3}[\"'\[(]?(?:\d{1,3}|[0-9A-Z]{5})"
    rb"|\(\d{1,3}: "
    rb"|\d{3} "
)
_HELD_KEY = re.compile(
    rb"[\"']?(?:[a-zA-Z_.-]*[sS]tatus(?:[_-]?[cC]ode)?|STATUS|[a-zA-Z_.-]*[cC]ode|err(?:or)?_?no|signal|sqlstate|level"
    rb"|severity|rc)[\"']?[=:][\"']?(?:\d{1,3}|[0-9A-Z]{5}|-1)[\"']?"
)
_HELD_WORD = re.compile(
    rb"v\d{1,2}(?:(?:alpha|beta)\d{1,2})?|HTTP|[1-5]xx|[hH]2c?|http2|HTTP2|ipv[46]|IPv[46]|[sS]3|k8s|K8s|k3s|utf8|utf-8|UTF-8"
    rb"|sha(?:1|256|512)|SHA(?:1|256|512)|md5|MD5|base64|x509|X509|oauth2|OAuth2|p\d\d|e2e|log4j2?|ext4|lz4|gzip"
    rb"|SIG[A-Z0-9]+|TLSv1(?:\.\d)?|EC2|ec2|I18n|i18n|HTTP/\d(?:\.\d)?"
)
_LEVELED = re.compile(rb"([IWEF])\d{4}")
_SEGMENT = re.compile(rb"HTTP/\d(?:\.\d)?(?![\w.])|[^=:\"'/|<>@&?!#*`]++")
_DIGIT = re.compile(rb"\d")
_HEX_ONLY = re.compile(rb"(?:[0-9a-fA-F]{2,}-)*[0-9a-fA-F]{8,}")
_WILD_RUN = re.compile(rb"<\*>(?:[:/.@&|'!#-]?<\*>)+")
_REQUEST = re.compile(rb"([A-Z]+ )(/\S*)( \d{3})")
_QUERY = re.compile(rb"(/[^?\"'\s]*)\?[^\"'\s]*")
_ANSI = re.compile(rb"\x1b\[[0-9;]{0,16}[A-Za-z]")
_NAMED_DATE = re.compile(rb"<\*>[/-](?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[/-]<\*>")


def mask(text: bytes) -> bytes:
    """Give the masked form of one log line: at most ``BOUND`` bytes, the same for every line of its kind.

    Masking a masked form changes nothing. Time is linear in ``SPAN``, whatever the line holds.
    """
    if len(text) > SPAN:
        text = _cut(text, SPAN)
    if b"\x1b" in text:
        text = _ANSI.sub(b"", text)
    masked = b"".join(map(_MASKED.__getitem__, _UNIT.findall(text)))
    return masked if len(masked) <= SPAN else _cut(masked, SPAN)


def _cut(text: bytes, limit: int) -> bytes:
    """Shorten at a blank, so that no unit is torn; a line without one is a single blob."""
    end = text.rfind(b" ", 0, limit)
    return text[:end] if end > 0 else WILD


class _MaskedUnits(dict[bytes, bytes]):
    """Remembers what each unit of text is masked to; words repeat, ids do not and are not kept."""

    def __missing__(self, unit: bytes) -> bytes:
        masked = _mask_unit(unit)
        if masked == unit or len(unit) < 12:
            if len(self) >= _CACHE_ENTRIES:
                self.clear()
            self[unit] = masked
        return masked


def _mask_unit(unit: bytes) -> bytes:
    """Mask one unit: a token between blanks and brackets, a delimiter run, or a code with the words that hold it."""
    if len(unit) > _LONG_UNIT:
        return unit if _DELIMITERS.match(unit) else WILD  # a wildcard never stands for blanks
    if _HELD_UNIT.fullmatch(unit) or _HELD_KEY.fullmatch(unit):
        return unit
    request = _REQUEST.fullmatch(unit)
    if request:
        return request[1] + _mask_unit(request[2]) + request[3]
    if b"?" in unit:
        unit = _QUERY.sub(rb"\1?<*>", unit)
    masked = _SEGMENT.sub(_mask_segment, unit)
    if masked.count(WILD) > 1:
        masked = _WILD_RUN.sub(WILD, _NAMED_DATE.sub(WILD, masked))
    return masked


def _mask_segment(found: re.Match[bytes]) -> bytes:
    segment = found[0]
    if _DIGIT.search(segment):
        if _HELD_WORD.fullmatch(segment):
            return segment
        leveled = _LEVELED.fullmatch(segment)
        return leveled[1] + WILD if leveled else WILD
    return WILD if len(segment) >= 8 and _HEX_ONLY.fullmatch(segment) else segment


_MASKED = _MaskedUnits()
