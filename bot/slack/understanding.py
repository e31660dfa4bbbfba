"""What a person means: a verb, a window, namespaces and the question, out of the words they typed.

The words of time belong to ``analyst/times``; here only the stretch of text that names a window is found, with that parser
as the judge. It knows no clock and asks nobody. Where it understands nothing it says so in a sentence with an example
rather than investigating something nobody asked for.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Literal

from bot.analyst.times import parse_window
from bot.errors import UsageError

DEFAULT_QUESTION = "What caused the incident?"
LONGEST_QUESTION = 1000
"""Characters of a question that are read; more is a paste, and pastes belong into the channel."""

Verb = Literal["help", "status", "cancel", "last", "investigate", "steer", "ask", "unclear"]

_COMMANDS: dict[str, Verb] = {
    **dict.fromkeys(("help", "?", "usage", "commands", "hilfe"), "help"),
    **dict.fromkeys(("status", "queue", "list"), "status"),
    **dict.fromkeys(("cancel", "stop", "abort", "halt"), "cancel"),
    **dict.fromkeys(("last", "latest", "recent"), "last"),
}
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
_ENTITY = re.compile(r"<(?:[#@!])?([^|>]*)(?:\|([^>]*))?>")
_WINDOW_START = re.compile(
    r"(?i)(?<![\w./-])(?:(?:in|over|during|for|within|from|of)\s+(?=(?:the\s+)?(?:last|past)\b)|)"
    r"(?P<begin>since|from|between|last|past|the\s+(?:last|past)|yesterday|today|this\s+(?:morning|afternoon|evening)|"
    r"(?:over\s+)?the\s+weekend|tonight|on|\d{4}-\d\d-\d\d|\.\.|"
    r"(?:\d{1,2}\s)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\s\d|\d{1,4}\s?(?:m|min|mins|h|hr|hrs|hours?|d|days?|w|weeks?)\b)"
)
_WINDOW_LIKE = re.compile(
    r"(?i)^(?:\d+[a-z]{1,8}|\S*\d\S*\.\.\S*|\.\.\S+|\d{4}-\d\d?-\d\d?|since|from|between)(?=\s|$)"
)
_WINDOW_WORDS = 9
_A_WHILE = timedelta(minutes=1)
_BEFORE_LAST = re.compile(r"(?i)^(?:for|in|over|within|during|of|from)\s+(?=(?:the\s+)?(?:last|past)\b)")
_DAY_BEHIND = re.compile(
    r"(?i)^(?:between\s+|from\s+)?(\d{1,2}(?::\d\d)?\s?(?:[ap]m)?)\s+(?:and|to|until|till|-)\s+"
    r"(\d{1,2}(?::\d\d)?\s?(?:[ap]m)?)\s+(?:on\s+)?(\S.*)$"
)
"""A day named behind both its clock times belongs to both; before them it is read so."""

_NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_COUNTS = {word: str(count) for count, word in enumerate(_NUMBERS, start=2)}
_COUNT_WORD = re.compile(rf"(?i)(?<=last |past )(?:{'|'.join(_NUMBERS)})\b")

_LOOSE_ENDS = frozenset(
    [
        "in",
        "the",
        "at",
        "on",
        "of",
        "and",
        "from",
        "during",
        "this",
        "last",
        "past",
        "all",
        "around",
        "about",
        "to",
        "until",
        "since",
        "between",
        "a",
        "an",
    ]
)
_BARE_DURATION = re.compile(r"(?i)^\d{1,4}\s?[a-z]+$")
_NAME = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAMES = rf"`?{_NAME}`?(?:\s*(?:,|and|&|or)\s*`?{_NAME}`?)*"
_NAMESPACE_WORD = re.compile(
    rf"(?i)\b(?:in\s+|at\s+|only\s+)?(?:the\s+)?(?P<before>(?!(?:in|at|of|the|this|which|what|only|from|for|-)\b){_NAMES})\s+(?:namespaces?|ns)\b(?!\s*[:=])"
    rf"|\b(?:in\s+)?(?:the\s+)?(?:namespaces?|ns)\s*[:=]?\s+(?P<after>{_NAMES})"
    rf"|(?:^|\s)(?:-n|--namespace)[ =](?P<flag>{_NAMES})"
)
_FLAG = re.compile(rf"(?:^|\s)(?:-n|--namespace)[ =]{_NAMES}")
_IN_NAME = re.compile(
    rf"\bin\s+`?(?P<name>{_NAME})`?(?=\s*(?:[?!.,;]|$|\b(?:since|over|for|from|between|during|last|yesterday|today)\b))"
)
_LOOK_AT = re.compile(rf"\b(?:look|check)\s+(?:at|in|into)?\s*(?:the\s+)?`?(?P<name>{_NAME})`?\s*(?:instead)?\W*$")
_NO_NAMESPACE = frozenset(
    {
        *(
            "the",
            "a",
            "an",
            "our",
            "my",
            "your",
            "this",
            "that",
            "these",
            "those",
            "it",
            "there",
            "here",
            "which",
            "what",
        ),
        *("general", "total", "order", "fact", "particular", "time", "case", "detail", "short", "question", "progress"),
        *(
            "production",
            "prod",
            "staging",
            "cluster",
            "kubernetes",
            "k8s",
            "slack",
            "jira",
            "prometheus",
            "grafana",
            "logs",
        ),
        *("morning", "afternoon", "evening", "night", "day", "days", "week", "weeks", "hours", "minutes", "utc", "gmt"),
        *(
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
            "channel",
            "thread",
            "parallel",
        ),
        *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november"),
        *(
            "december",
            "advance",
            "between",
            "all",
            "one",
            "no",
            "wrong",
            "right",
            "other",
            "same",
            "look",
            "every",
            "any",
        ),
    }
)
_STEER = re.compile(
    r"(?i)^(?:no|nope|nah|wrong|not\s+(?:that|quite|it)|actually|instead|rather|hmm+)\b[,.!;:\s]*"
    r"|^(?:please\s+)?(?:look|check|try|rerun|re-run|run|redo|investigate|search|read|focus|widen|extend)\b"
)
_QUESTION = re.compile(
    r"(?i)\?\s*$|^(?:and\s+|but\s+|so\s+|ok(?:ay)?,?\s+)?(?:why|what|when|where|who|which|how|was|were|is|are|did|does|do|"
    r"could|can|would|will|has|have|show|list|give|explain|tell|prove|compare)\b"
)
_ABOUT_TROUBLE = re.compile(
    r"(?i)\b(?:[45]\d\ds?|[45]xx|errors?|fail\w*|slow\w*|laten\w*|time-?outs?|timed|down|outage\w*|incident\w*|crash\w*|"
    r"restart\w*|oom\w*|spik\w*|drop\w*|broken|degrad\w*|unavailab\w*|unhealthy|investigat\w*|root\s+cause|cause[sd]?|"
    r"behind|wrong|happen\w*|problem\w*|alert\w*|pag(?:ed|ing)|evict\w*|throttl\w*|deadlock\w*|leak\w*)\b"
)
_CHATTER = re.compile(
    r"(?i)^(?:hi|hello|hey|thanks?(?:\s+you)?|thx|ty|ok(?:ay)?|great|nice|cool|lol|\+1|test|ping)\W*$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What was meant; ``sentence`` tells what was not understood, in words that may be foreign.

    ``window`` holds the words used.
    """

    verb: Verb
    question: str = DEFAULT_QUESTION
    window: str | None = None
    namespaces: tuple[str, ...] = ()
    sentence: str = ""


def understand(text: str, *, now: datetime, tz: tzinfo, bot_user: str, thread: bool = False) -> Understood:
    """Read a message or a command's text; ``thread``: it stands in a thread that has an answer already."""
    words = plain_words(text, bot_user)
    if (verb := _COMMANDS.get(words.lower().rstrip("!.").removeprefix("/"))) is not None:
        return Understood(verb=verb)
    if not words:
        return Understood(verb="help") if not thread else _unclear("What would you like to know?")
    if _CHATTER.match(words):
        return _unclear("")
    window, rest = find_window(words, now=now, tz=tz)
    namespaces, beside = find_namespaces(rest, in_thread=thread)
    if thread:
        return _in_thread(words, window, namespaces, beside)
    question = rest if _question(beside) != DEFAULT_QUESTION else DEFAULT_QUESTION
    return _asked(words, window, namespaces, question)


def addresses_bot(text: str) -> bool:
    """Tell whether a reply in an answered thread asks the bot something although it does not name it.

    People talk to each other in such threads; what names a person, or is no question and no request, is left alone.
    """
    if _MENTION.search(text):
        return False
    words = plain_words(text, "")
    if not words or _CHATTER.match(words):
        return False
    if words.lower() in _COMMANDS or words.endswith("?"):
        return True
    return len(words.split()) > 2 and bool(_QUESTION.search(words) or _STEER.match(words))


def plain_words(text: str, bot_user: str) -> str:
    """Undo Slack's spelling: the bot's mention goes, others become ``@name``, links their label, escapes characters."""
    text = _MENTION.sub(lambda match: " " if match[1] == bot_user else match[0], text[: LONGEST_QUESTION * 2])
    text = _ENTITY.sub(lambda match: match[2] or match[1], text)
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return " ".join(text.replace("\u2019", "'").split())[:LONGEST_QUESTION].strip()


def find_window(text: str, *, now: datetime, tz: tzinfo) -> tuple[str | None, str]:
    """Find the first stretch of words that names a window; gives its words, and the text without them."""
    for begin, stop in _stretches(text):
        words = text[begin:stop].strip(" ?!,;:.\"'()").strip()
        counted = _COUNT_WORD.sub(lambda match: _COUNTS[match[0].lower()], words)
        spellings = (
            _DAY_BEHIND.sub(_day_first, words),
            words,
            _BEFORE_LAST.sub("", words),
            _BEFORE_LAST.sub("", counted),
        )
        for spelled in dict.fromkeys(spellings):
            if spelled and _is_window(text, begin, spelled, now=now, tz=tz):
                mark = "?" if text[begin:stop].rstrip().endswith("?") else ""
                return spelled, " ".join(f"{text[:begin].rstrip()}{mark} {text[stop:]}".split())
    return None, text


def find_namespaces(text: str, *, in_thread: bool = False) -> tuple[tuple[str, ...], str]:
    """Find the namespaces a text names; gives them, and what the text says beside naming them."""
    spans, found = [], []
    for match in _NAMESPACE_WORD.finditer(text):
        listed = match["before"] or match["after"] or match["flag"]
        found += [each.strip("`") for each in re.split(r"\s*(?:,|\band\b|&|\bor\b)\s*", listed.lower())]
        spans.append(match.span())
    if not found:
        matches = list(_IN_NAME.finditer(text.lower())) or (list(_LOOK_AT.finditer(text.lower())) if in_thread else [])
        found, spans = [match["name"] for match in matches], [match.span() for match in matches]
    names = tuple(dict.fromkeys(each for each in found if each and each not in _NO_NAMESPACE and not each.isdigit()))
    beside = text if names else ""
    for begin, stop in reversed(spans if names else []):
        beside = f"{beside[:begin]} {beside[stop:]}"
    return names, " ".join(beside.split()) if names else text


def window_mistake(text: str, *, now: datetime, tz: tzinfo) -> str | None:
    """Say what is wrong with a window that stands alone in a field, None where it is understood."""
    try:
        parse_window(text, now=now, first=now.replace(year=now.year - 1) if now.month != 2 else None, tz=tz)
    except UsageError as error:
        return str(error)
    return None


def meant_span(words: str, *, now: datetime, tz: tzinfo) -> tuple[datetime, datetime] | None:
    """Give the instants that a window's words mean, to be said back; None for a mere length, counted from the evidence's end."""
    try:
        span, later = (parse_window(words, now=at, tz=tz) for at in (now, now + _A_WHILE))
    except UsageError:
        return None
    length = later.end - span.end == _A_WHILE and later.start - span.start == _A_WHILE
    return None if length else (span.start, span.end)


def _asked(words: str, window: str | None, namespaces: tuple[str, ...], rest: str) -> Understood:
    if window is None and (odd := _WINDOW_LIKE.match(words)):
        return _unclear(f"I don't understand the window “{odd[0]}”.")
    question = _question(_FLAG.sub(" ", rest).strip())
    if window is None and not namespaces and not _is_question(words):
        return _unclear("I don't understand what to investigate.")
    return Understood(verb="investigate", question=question, window=window, namespaces=namespaces)


def _in_thread(words: str, window: str | None, namespaces: tuple[str, ...], rest: str) -> Understood:
    if _STEER.match(words) and (window or namespaces):
        asked = _question(_STEER.sub("", _STEER.sub("", rest)))
        question = asked if asked != DEFAULT_QUESTION and _ABOUT_TROUBLE.search(asked) else ""
        return Understood(verb="steer", question=question, window=window, namespaces=namespaces)
    return Understood(verb="ask", question=words)


def _unclear(why: str) -> Understood:
    return Understood(verb="unclear", sentence=why)


def _question(rest: str) -> str:
    rest = rest.strip(" ,;:-\u2013").removeprefix("?").strip()
    rest = re.sub(
        r"(?i)^(?:please\s+)?(?:investigate|analy[sz]e|look\s+(?:into|at)|check)\b[\s,:]*(?:this|it|that)?\s*$",
        "",
        rest,
    )
    return rest[:LONGEST_QUESTION] if len(rest.split()) > 1 or _ABOUT_TROUBLE.search(rest) else DEFAULT_QUESTION


def _is_question(words: str) -> bool:
    return bool(_QUESTION.search(words) or _ABOUT_TROUBLE.search(words)) and len(words) > 3


def _day_first(match: re.Match[str]) -> str:
    begin, end = (f"{each}:00" if each.isdigit() else each for each in (match[1], match[2]))
    return f"{match[3]} {begin} to {end}"


def _stretches(text: str) -> Iterator[tuple[int, int]]:
    """Give the stretches of text that may name a window, from each beginning the longest first."""
    words = list(re.finditer(r"\S+", text))
    for match in _WINDOW_START.finditer(text):
        behind = [each for each in words if each.end() > match.start("begin")][:_WINDOW_WORDS]
        for last in behind[::-1]:
            if last[0].lower().strip("?!,;:.") not in _LOOSE_ENDS:
                yield match.start(), last.end()


def _is_window(text: str, begin: int, words: str, *, now: datetime, tz: tzinfo) -> bool:
    if _BARE_DURATION.match(words) and begin > 0:
        # "requests take 30 minutes" tells a length; a length is a window where it leads, or closes a few bare words
        short = len(text.split()) <= 4 and text.rstrip().endswith(words) and " " not in words
        if not (short or re.search(r"(?i)\b(?:window|over|past|last)\W*$", text[:begin])):
            return False
    try:
        parse_window(words, now=now, tz=tz)
    except UsageError:
        return False
    return True
