"""Secrets that only their name gives away: ``password=…``, ``"api_key": "…"``, ``--token …``, ``user:…@host``.

A name alone is not enough: people write about passwords and tokens all day. What stands behind the name must look like a
value, by how strictly the name is used for secrets. Bounded like the rules of ``rules``.
"""

import re
from collections.abc import Iterator

from bot.redaction.rules import Rule

Span = tuple[int, int, str]
"""Start, end and kind of what must go."""

_NAMES = (
    r"(?:pass(?:word|wd|phrase|code)|passwort|secret(?:[_-]?(?:access[_-]?)?key)?|private[_-]?key|apikey"
    r"|(?:api|access|auth|account|app|admin|master|encryption|signing|session|shared|storage|license|service|deploy|webhook)"
    r"[_-]?(?:key|token|secret|pass)|connection[_-]?string|one[_-]?time[_-]?code|token|credentials?|jsessionid|phpsessid"
    r"|(?<![a-z])(?:pwd|auth|session[_-]?id|sessid|sid|otp|pin|cvv|cvc|nonce|csrf|xsrf|sas|signature))"
)
_PAIR = re.compile(
    rf"(?P<key>{_NAMES})(?P<sep>\\?[\"']?\]?(?:[ ]?(?:=>|[:=])[ ]?|%3d))"
    r"(?P<open>\\?[\"'])?(?P<v>(?(open)[^\"'\\]{1,2000}|[^\s\"'\\,;&<>{}\[\]()]{1,2000}))",
    re.IGNORECASE,
)
_PROBES = (
    "pass", "pwd", "secret", "key", "token", "credential", "auth", "sess", "sid", "otp", "code", "pin", "cv", "csrf",
    "xsrf", "sas", "connection", "signature", "nonce",
)  # fmt: skip
_SURE = re.compile(
    r"(?i)(?:pass(?:word|wd|phrase|code)|passwort|pwd|secret|private[_-]?key|cvv|cvc|otp|one[_-]?time[_-]?code)"
)
"""Names that nothing else is called by."""

_NOT_A_VALUE = re.compile(
    r"(?i)(?:\*+|x{3,}|<[^>]*>?|\$\{?\w*\}?|%\w*%?|\{\{?.*|\[?(?:redacted|filtered|masked|hidden|removed|secret)\]?|null|nil|none|true"
    r"|false|yes|no|on|off|empty|undefined|unset|missing|invalid|expired|required|incorrect|wrong|unknown|not|is|was|must"
    r"|cannot|could|failed|failure|error|authentication|changed|rotated|reset|refreshed|mismatch|denied|accepted|ok|n/?a"
    r"|file|env|vault|basic|bearer|token|string|bytes?|int|text|publickey|password|keyboard-interactive\S*|/\S*)[.!?)]*"
)
_HASH_OR_ID = re.compile(
    r"\d{1,7}|[a-z]+(?:[-_.][a-z]+)*|[A-Z][a-z]+(?:[A-Z][a-z]+)*|[A-Z_]+|0x[0-9a-fA-F]{1,16}"
    r"|[A-Za-z$_]+(?:\.[A-Za-z$_]+){1,20}(?:[@/:][0-9a-fA-F]{1,16}:?)?"
)
"""A number, words, a class or an object of one: what a loosely named key usually holds."""

NAMED_RULES: tuple[Rule, ...] = (
    Rule(
        "url_password",
        ("://",),
        re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@\"'<>]{0,100}:(?P<v>[^\s/@\"'<>]{1,200})@(?=[A-Za-z0-9\[])"),
    ),
    Rule(
        "option_secret",
        ("--", " -u ", "-p ", "sshpass"),
        re.compile(
            r"(?:--(?:password|passwd|pass|token|secret|api-key|apikey|secret-key|access-key|client-secret|auth-token)[ =]"
            r"|sshpass -p ?)[\"']?(?P<v>[^\s\"'<>]{3,400})"
        ),
    ),
    Rule("curl_user", (" -u ", "--user "), re.compile(r"(?: -u|--user) [\"']?[A-Za-z0-9_.@-]{1,80}:(?P<v>[^\s\"'@]{3,200})")),
    Rule("sql_password", ("DENTIFIED", "dentified", "ASSWORD '", "assword '"), re.compile(r"(?i)(?:identified (?:with \S{1,40} )?(?:by|as)|with password|password) '(?P<v>[^']{1,200})'")),
    Rule("redis_auth", ("AUTH", "requirepass"), re.compile(r"(?:^|[\s\"'])(?:AUTH|requirepass)[\"']? [\"']?(?P<v>[^\s\"']{6,200})(?=[\"'\s]|$)")),
    Rule("netrc_password", (" password ",), re.compile(r"(?:machine|login) \S{1,100} (?:login \S{1,100} )?password (?P<v>\S{3,200})")),
    Rule("query_secret", ("?", "&"), re.compile(r"(?i)[?&](?:code|state|id_token|refresh_token|access_token|assertion|ticket|samlresponse|password|pwd|secret|token|apikey|api_key|key|auth|signature|hash)=(?P<v>[A-Za-z0-9._~%+/=-]{12,4000})")),
    Rule("aws_secret_key", ("ecret", "ECRET"), re.compile(r"(?i)(?:aws[_-]?secret[_-]?(?:access[_-]?)?key|secretaccesskey)[\"']?\s{0,2}[:=>]{1,2}\s{0,2}[\"']?(?P<v>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])")),
    Rule("docker_auth", ('"auth"', '"auths"'), re.compile(r"\"auth\":\s?\"(?P<v>[A-Za-z0-9+/]{8,400}={0,2})\"")),
)  # fmt: skip


def named_spans(text: str, lowered: str) -> Iterator[Span]:
    """Find values behind names of secrets; ``lowered`` is the text in small letters."""
    if not any(probe in lowered for probe in _PROBES):
        return
    start = 0
    while (found := _PAIR.search(text, start)) is not None:
        # a value that is none may hold the next pair
        start = found.start("v")
        kind = _kind(found)
        if kind is not None:
            yield found.start("v"), found.end("v"), kind
            start = found.end("v")


def _kind(found: re.Match[str]) -> str | None:
    """Say what sort of secret a pair holds, None where the value does not look like one."""
    key, value = found["key"], found["v"].rstrip(".:")
    if not value or _NOT_A_VALUE.fullmatch(value):
        return None
    sure = _SURE.search(key) is not None
    spaced = found["sep"].endswith(" ") and not found["open"]
    strong = looks_random(value)
    if sure and not (spaced and value.isalpha() and value.islower()):
        return "password" if re.search(r"(?i)pass|pwd", key) else "secret_value"
    if not strong:
        return None
    lowered = key.lower()
    if "sess" in lowered or lowered.endswith("sid"):
        return "session_id"
    if "key" in lowered:
        return "api_key"
    return "named_token"


def looks_random(value: str) -> bool:
    """Tell whether a value looks drawn, not worded or counted: long enough, with letters and digits mixed."""
    if len(value) < 12 or _HASH_OR_ID.fullmatch(value):
        return False
    letters = sum(sign.isalpha() for sign in value)
    digits = sum(sign.isdigit() for sign in value)
    return (letters >= 3 and digits >= 2 and len(set(value)) >= 8) or (len(value) >= 24 and len(set(value)) >= 14)
