"""Find whom a log line speaks of: hosts, addresses, URLs; and when a certificate it complains about ran out.

Leaves out what the names stand for (``directory``).
"""

import re
from datetime import UTC, datetime
from functools import lru_cache

LONGEST = 4000
"""Characters of a line that are looked at."""

_HOST = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,12}://(?:[^\s/@\"']{0,80}@)?)?"
    r"(?P<host>"
    r"(?:\d{1,3}\.){3}\d{1,3}(?::\d{2,5})?"
    r"|[a-z0-9](?:[a-z0-9-]{0,62})(?:\.[a-z0-9](?:[a-z0-9-]{0,62})){1,6}(?::\d{2,5})?"
    r"|(?<=://)[a-z0-9](?:[a-z0-9-]{0,62})(?::\d{2,5})?"
    r"|[a-z](?:[a-z0-9-]{1,62}):\d{4,5}"
    r")"
)
_ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}")
_SPACES = str.maketrans(dict.fromkeys("\"',{}", " "))
"""What parts words, beside blanks"""
_SHAPES = str.maketrans({**dict.fromkeys("\"',{}", " "), **dict.fromkeys("123456789", "0")})
_KEYED = re.compile(
    r"(?:host|hostname|server|upstream|upstream_cluster|cluster|target|service|peer|dependency|provider|remote|"
    r"authority|backend)[\"']?\s{0,2}[=:]\s{0,2}[\"']?(?P<host>[a-z0-9][a-z0-9.-]{1,80})(?![a-z0-9.-]|://)"
)
_KEYS = (
    *("host", "server", "upstream", "cluster", "target", "service", "peer", "dependency", "provider", "remote"),
    *("authority", "backend"),
)
"""One of these stands in whatever ``_KEYED`` finds"""
_CALLER_WORDS = (
    "client",
    "remote_addr",
    "remote_ip",
    "remoteip",
    "forwarded-for",
    "forwarded_for",
    "peer_addr",
    "downstream",
)
_INCOMING_WORDS = ("remote", "forwarded", "refer", "agent", "downstream_", "client", "requesthost")
_OWN_WORDS = (", server: ", ", host: ", ", referrer: ", "[hostname ")
_CALLER_FIRST = re.compile(r"^\s{0,4}(?:\d{1,3}\.){3}\d{1,3}\b")
_CALLER_LOGGED = re.compile(
    r"(?:\d{1,3}\.){3}\d{1,3}(?:(?= \S{1,80} \S{1,80} \[\d\d/[a-z]{3}/\d{4}:)|:\d{1,5}(?= \[\d\d/[a-z]{3}/\d{4}:))"
)
_CALLER = re.compile(
    rf"{_CALLER_FIRST.pattern}|{_CALLER_LOGGED.pattern}"
    r"|(?:client(?:_?addr)?|remote_addr|remote_?ip|x[-_]forwarded[-_]for|client_ip|peer_addr|downstream\w{0,30})"
    r"[\"']?\s{0,2}[=:]\s{0,2}[\"']?[0-9a-f.:]{7,45}|\[client [0-9a-f.:]{7,45}\]"
)
_FILE_LIKE = re.compile(
    r"\.(?:java|py|go|js|ts|rb|rs|c|cc|cpp|h|kt|scala|json|yaml|yml|log|sql|html?|css|conf|cnf|so|jar|lock|pem|crt|key|"
    r"tmp|txt|gz|png|jpe?g|svg|php|xml|properties|lang|util|io\.\w+|sh)$|^\w+\.net$",
    re.IGNORECASE,
)
_FQDN_TAIL = re.compile(
    r"\.(?:com|net|org|io|dev|cloud|app|co|eu|de|uk|us|ai|fr|nl|ch|at|pl|es|it|jp|cn|in|br|ca|au|se|no|dk|fi|info|biz|"
    r"xyz|tech|online|site|systems|services|example|test|invalid|internal|local|svc|lan|corp|amazonaws)$",
    re.IGNORECASE,
)
"""Ends of dotted names that are hosts even without a scheme or port; class, logger and file names have others."""
_OWN = re.compile(r", (?:server|host|referrer): [^,]{1,200}|\[hostname \"[^\"]{1,200}\"\]")
"""nginx's error log and ModSecurity name the request's own host and server, not whom the call went to."""
_CLIENT_TOLD = re.compile(
    r"(http/\d(?:\.\d)?\" \d{3} \S{1,120}(?: \d{1,12} \d{1,12} \d{1,12} (?:\d{1,12}|-))?) \"[^\"]{0,600}\" \"[^\"]{0,600}\""
)
"""Referrer and user agent of the combined log format, who called and user agent of Envoy's: what the client says of itself is no call."""
_INCOMING = re.compile(
    r"remote_?(?:addr|ip)|x_?forwarded|(?:http_?)?referr?er|user_?agent|downstream_|client_?(?:ip|addr|host)|requesthost"
)
_ASKED_FOR = re.compile(
    r"(?:http_|request_?|re[qs]\.)?(?:v?host|server_name|authority|referr?er|user_?agent|origin)[\"']?\s?[=:]\s?"
    r"(?:\"[^\"]{0,600}\"|[^\s,}]{1,300})"
)
"""A log of incoming requests names the host that was asked for, which is the writer itself."""
_CLUSTER = re.compile(r"(?P<way>outbound|inbound)\|\d{0,5}\|[^|\s]{0,80}\|(?P<host>[a-z0-9.-]{0,200})")
"""Istio's names of Envoy clusters: they say whom a request went to, all other hosts of the line say whose it was."""
_PROXY_SERVICE = re.compile(
    r"(?<= \[)[a-z0-9-]{3,160}-[a-z0-9]{1,15}(?=\] \[[^\]]{0,160}\] \S)|(?<![\w-])[a-z0-9-]{3,160}-[a-z0-9]{1,15}(?=@kubernetes\b)"
)
"""``namespace-service-port``, as ingress-nginx and Traefik write the service they pass a request on to."""
_CONTOUR = re.compile(
    r"\bupstream_cluster\"?[=:]\s?\"(?P<namespace>[a-z0-9-]{1,63})/(?P<service>[a-z0-9-]{1,63})/\d{1,5}/[0-9a-f]{10}\""
)
"""Contour's names of Envoy clusters: namespace, service, port and a hash."""
_BACKEND = re.compile(r" (?P<backend>[a-z0-9][a-z0-9._-]{1,160})/\S{1,80} (?:-?\d{1,10}/){4}\+?\d{1,10} [1-5]\d\d ")
"""HAProxy's backend before its server and timers; its ingress controllers join namespace, service and port with ``_``."""
_VERSION = re.compile(r"^v?\d+(?:\.\d+)*[a-z0-9-]*$")
_PACKAGE = re.compile(
    r"^(?:com|org|io|net|java|javax|jdk|sun|kotlin|scala|reactor|okhttp3|ch|de)\.[a-z0-9_.]+", re.IGNORECASE
)
_ENDS = (
    re.compile(r"is after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"),
    re.compile(r"not[ _]?after[\"']?\s{0,2}[=:]\s{0,2}[\"']?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)", re.IGNORECASE),
    re.compile(r"(?:expired|expiry|expires)(?: (?:on|at))?[\"']?\s{0,2}[=:]?\s{0,2}[\"']?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)", re.IGNORECASE),
    re.compile(r"NotAfter: ((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \w{3} +\d{1,2} \d\d:\d\d:\d\d \w+ \d{4})"),
)  # fmt: skip


def hosts_in(text: str) -> list[str]:
    """Give the host names and addresses (with port where written) that a line names, in order, each once."""
    # lower case once: patterns that ignore the case are several times slower
    text = text[:LONGEST].lower()
    if "bound|" in text and (clusters := list(_CLUSTER.finditer(text))):
        return list(dict.fromkeys(one["host"] for one in clusters if one["way"] == "outbound" and one["host"]))
    if "upstream_cluster" in text and (passed := _CONTOUR.search(text)):
        return [f"{passed['service']}.{passed['namespace']}"]
    if "] " in text and (passed := _BACKEND.search(text)):
        return [
            passed["backend"].replace("_svc_", "-").replace("_", "-")
        ]  # beside it stand captured headers, of the client
    text = _called(text)
    found = _hosts_by_shape(text)
    if "] [" in text or "@kubernetes" in text:
        for match in _PROXY_SERVICE.finditer(text):
            found.setdefault(match.group(0))
    if _holds(text, _KEYS):
        for match in _KEYED.finditer(text):
            host = match["host"].rstrip(".-")
            if not _VERSION.match(host) and not _FILE_LIKE.search(host):
                found.setdefault(host)
    return list(found)


def _hosts_by_shape(text: str) -> dict[str, None]:
    found: dict[str, None] = {}
    for word, shape in zip(text.translate(_SPACES).split(), text.translate(_SHAPES).split(), strict=True):
        if "." in word or ":" in word:  # no host stands in a word without
            for first, last, url in _hosts_at(shape):
                if _plausible(host := word[first:last], url=url):
                    found.setdefault(host)
    return found


def _called(text: str) -> str:
    """Take from a line who called, and as what: that is not whom the line calls."""
    if _holds(text, _INCOMING_WORDS) and _INCOMING.search(text):
        text = _ASKED_FOR.sub(" ", text)
    # a plain search for what must stand there is many times faster than the patterns
    if _holds(text, _CALLER_WORDS):
        text = _CALLER.sub(" ", text)
    else:
        if first := _CALLER_FIRST.match(text):
            text = f" {text[first.end() :]}"
        if "." in text[: max(0, text.rfind(" ["))]:
            text = _CALLER_LOGGED.sub(" ", text)
    if _holds(text, _OWN_WORDS):
        text = _OWN.sub(" ", text)
    if '" "' in text and "http/" in text:
        text = _CLIENT_TOLD.sub(_without_client, text)
    return text


def _without_client(told: re.Match[str]) -> str:
    return f"{told[1]} "


def _holds(text: str, words: tuple[str, ...]) -> bool:
    return any(map(text.__contains__, words))


@lru_cache(maxsize=20_000)
def _hosts_at(shape: str) -> tuple[tuple[int, int, bool], ...]:
    """Tell where hosts may stand in a word of this shape (every digit is 0 in it), and whether each is a URL's.

    Words with times, sizes and line numbers have few shapes and no hosts: what the pattern finds of a time is a version.
    """
    found = []
    for match in _HOST.finditer(shape):
        host = match["host"]
        bare = host.rsplit(":", 1)[0]
        if _ADDRESS.fullmatch(bare) or not (_VERSION.match(bare) or _FILE_LIKE.search(bare)):
            url = "://" in match.group(0) or shape.startswith("://", max(0, match.start("host") - 3))
            found.append((*match.span("host"), url))
    return tuple(found)


def certificate_end(text: str) -> str | None:
    """Give the RFC 3339 time at which a certificate ran out, where a line says it (Go's, OpenSSL's and Java's words)."""
    for pattern in _ENDS:
        match = pattern.search(text[:LONGEST])
        if match is None:
            continue
        words = match[1]
        try:
            if words[0].isdigit():
                return datetime.fromisoformat(words.replace(" ", "T").rstrip("Z")).replace(tzinfo=UTC).isoformat()
            parts = words.split()
            plain = " ".join([*parts[1:4], parts[5]])
            return datetime.strptime(plain, "%b %d %H:%M:%S %Y").replace(tzinfo=UTC).isoformat()
        except ValueError:
            continue
    return None


@lru_cache(maxsize=1 << 12)
def _plausible(host: str, *, url: bool) -> bool:
    bare = host.rsplit(":", 1)[0]
    if _ADDRESS.fullmatch(bare):
        return True
    if url or _VERSION.match(bare):
        return not _VERSION.match(bare)  # what stands behind a scheme is a host, whatever it ends in
    if _FILE_LIKE.search(bare):
        return False
    if "." not in bare:
        return ":" in host
    if _PACKAGE.match(bare):
        return False
    return bool(_FQDN_TAIL.search(bare)) and any(c.isalpha() for c in bare)
