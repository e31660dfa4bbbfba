"""The log stores and Jira in every situation they can be in; ``over_http`` opens a source at a server of faults."""

import re
from urllib.parse import unquote_plus

from fault_server import answer
from store_http import LINES, MANY, NS, START, STORES, PlayedJira, jira_source

from bot.stores.times import nanoseconds

MIDDLE = (START + 1800) * NS
SLICE = 75 * NS
"""A part of the hour as it is asked for, with two lines."""
_BEGINS = re.compile(r'[?&]start=(\d{19})|start=(\d[\dT:.-]+Z)|"gte": ?(\d{13})')
STRANGE = answer('{"status": "success", "data": 3, "hits": "none", "issues": {}}')
"""JSON, and no store's"""
MISREAD = {
    "loki": "holds no streams",
    "victorialogs": "without a time",
    "elasticsearch": "holds no hits",
    "jira": "holds no issues",
}


def begins(request):
    """Give the nanosecond at which the span of a request begins; 0 where it has none."""
    found = _BEGINS.search(unquote_plus(request))
    loki, victorialogs, elasticsearch = found.groups() if found else ("0", None, None)
    return nanoseconds(victorialogs) if victorialogs else int(loki or 0) or int(elasticsearch or 0) * 1_000_000


def in_second_half(request):
    """Tell whether a request is for later lines, or for a later page of issues."""
    return begins(request) >= MIDDLE or "startAt=4" in request


def in_one_slice(request):
    """Tell whether a request is for two lines in the middle, or for the last page of issues."""
    return MIDDLE <= begins(request) < MIDDLE + SLICE or "startAt=4" in request


def strange(reply):
    """Answer one slice with JSON of somebody else."""
    return lambda request: STRANGE if in_one_slice(request) else reply(request)


def rows(situation, over_http, failing_first, busy, slowed):
    """Give the rows, made of what ``situations`` makes its own of."""
    made = {name: (make, lambda lines, played=played: played(lines)) for name, (make, played) in STORES.items()}
    made["jira"] = (jira_source, lambda lines: PlayedJira(len(lines)))
    for name, (make, played) in made.items():
        few, half, most = (LINES[:6], 4, 4) if name == "jira" else (LINES, 30, 58)

        def row(case, items, reply=None, fault=None, *, make=make, name=name, played=played, few=few, **more):
            struck = {key: more.pop(key) for key in ("where", "deadline_s") if key in more}
            opened = over_http(make, reply or played(few), fault, **struck)
            return situation(source=name, name=case, opened=opened, items=items, **more)

        yield row("happy", len(few))
        yield row("empty", 0, reply=played([]))
        yield row("partial", most, fault="500", where=in_one_slice, lost=True, words="HTTP 500")
        yield row(
            "slow",
            half,
            fault="slow-body",
            where=in_second_half,
            deadline_s=1.5,
            lost=True,
            words="ran out",
            within_s=4.0,
        )
        yield row("429", len(few), reply=failing_first(played(few), slowed, slowed))
        yield row("5xx", len(few), reply=failing_first(played(few), busy, busy))
        yield row(
            "auth-lost-midway",
            half,
            fault="401",
            where=in_second_half,
            lost=True,
            words="does not accept the credentials",
        )
        yield row("malformed", most, reply=strange(played(few)), lost=True, words=MISREAD[name])
        huge = MANY[:200] if name == "jira" else MANY
        yield row("huge", len(huge), reply=played(huge), within_s=20.0)
