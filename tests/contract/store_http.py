"""The log stores and Jira for the server of faults and the situations: how to make each for an address, and good answers."""

import json
import time
from datetime import UTC, datetime

from fault_server import answer
from log_stores import NS, Line, PlayedElasticsearch, PlayedLoki, PlayedVictoriaLogs

from bot.domain.scope import Scope
from bot.domain.window import Window
from bot.settings import JiraSettings
from bot.sources.elasticsearch import ElasticsearchSource
from bot.sources.jira import JiraSource
from bot.sources.loki import LokiSource
from bot.sources.victorialogs import VictoriaLogsSource
from bot.stores.address import StoreAddress
from bot.wire import Login

START = 1_795_305_600
WINDOW = Window(start=datetime.fromtimestamp(START, UTC), end=datetime.fromtimestamp(START + 3600, UTC), asked="1h")
LINES = [Line((START + 60 * n) * NS, f"line {n}") for n in range(60)]
MANY = [Line((START + n // 4) * NS + n, f"line {n}") for n in range(14_000)]


def store(kind):
    """Give the way to make a store's source."""

    def make(url, deadline_s, **more):
        address = StoreAddress(url=url, login=Login(token="t0ken-of-a-test"), deadline_s=deadline_s, **more)
        return kind(address, Scope(window=WINDOW, namespaces=("shop",)))

    return make


def jira_source(url, deadline_s, **_more):
    """Make the source of a Data Center's Jira."""
    settings = JiraSettings(url=url, deployment="datacenter", projects=("OPS",), deadline_s=deadline_s)
    return JiraSource(settings, Scope(window=WINDOW))


def sooner(make):
    """Give a source less time than it is asked to have: four kinds wait under twenty faults."""
    return lambda url, deadline_s: make(url, deadline_s * 0.4)


class PlayedJira:
    """Answers a search with issues, two a page."""

    def __init__(self, count=6):
        self.count = count

    def __call__(self, request):
        """Answer one request."""
        if "/myself" in request:
            return answer(json.dumps({"name": "rootcause"}))
        start = int(request.partition("startAt=")[2].partition("&")[0].split(" ")[0] or 0)
        at = time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime(START + 60))
        issues = [
            {"key": f"OPS-{n + 1}", "fields": {"summary": f"issue {n}", "created": at, "comment": {"comments": []}}}
            for n in range(start, min(start + 2, self.count))
        ]
        return answer(json.dumps({"issues": issues, "startAt": start, "maxResults": 2, "total": self.count}))


STORES = {
    "loki": (store(LokiSource), PlayedLoki),
    "victorialogs": (store(VictoriaLogsSource), PlayedVictoriaLogs),
    "elasticsearch": (store(ElasticsearchSource), PlayedElasticsearch),
}
