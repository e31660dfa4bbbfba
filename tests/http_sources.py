"""Sources that read over HTTP, each as a way to make it for an address; a new one adds its row here.

Every row is struck by every fault of ``fault_server`` at once and midway, and the table of what came of it is printed.
``situations`` uses the same ways to make sources.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from fault_server import answer
from kubernetes_http import cluster_reply, kubernetes_source
from store_http import LINES, STORES, PlayedJira, jira_source, sooner

from bot.domain.ports import LiveSource
from bot.domain.scope import Scope
from bot.domain.window import Window
from bot.sources.grafana import GrafanaSource
from bot.sources.prometheus import PrometheusAddress, PrometheusSource
from bot.sources.slack import SlackSource
from bot.wire import Login

START = 1_795_305_600
TOKEN = "t0ken-of-a-test"
SCOPE = Scope(
    window=Window(start=datetime.fromtimestamp(START, UTC), end=datetime.fromtimestamp(START + 3600, UTC), asked="1h")
)


@dataclass(frozen=True, kw_only=True)
class HttpSource:
    """``make`` takes the address and a deadline in seconds; ``reply`` answers its requests well (see ``FaultServer``)."""

    name: str
    make: Callable[[str, float], LiveSource]
    reply: Callable[[str], bytes]
    midway: int = 2
    """So many requests are answered before a fault strikes midway; 0 where the source makes only one"""

    def __str__(self):
        return self.name


def prometheus_source(url, deadline_s, *, scope=SCOPE, **more):
    """Make the source of a Prometheus."""
    return PrometheusSource(PrometheusAddress(url=url, login=Login(token=TOKEN), deadline_s=deadline_s, **more), scope)


NOTES = [
    {"id": 2, "time": (START + 60) * 1000, "timeEnd": 0, "text": "<b>api</b> 1.4.2", "tags": ["deployment:api", "namespace:shop"], "login": "ci"},
    {"id": 1, "time": START * 1000, "timeEnd": START * 1000, "text": "raised the limit", "tags": [], "login": "ada"},
]  # fmt: skip
"""What Grafana has of two changes, the newest first."""


def grafana_source(url, deadline_s, **more):
    """Make the source of a Grafana."""
    return GrafanaSource(url, Login(token=TOKEN), SCOPE.window, deadline_s=deadline_s, **more)


class PlayedPrometheus:
    """Answers as Prometheus does, for a few series of an hour; ``per_metric`` series of each metric, ``told`` beside them."""

    METRICS = ("container_memory_working_set_bytes", "up", "http_requests_total")

    def __init__(self, *, per_metric=2, warnings=(), spoil=None):
        self.per_metric = per_metric
        self.warnings = list(warnings)
        self.spoil = spoil or (lambda _path, result: result)
        self.queries = []

    def __call__(self, request):
        """Answer one request."""
        target = urlsplit(request.split("\n", 1)[0].split(" ")[1])
        asked = {name: values[0] for name, values in parse_qs(target.query).items()}
        self.queries.append((target.path, asked))
        told = self.spoil(target.path, self._told(target.path, asked))
        body = {"status": "success", "data": told} | ({"warnings": self.warnings} if self.warnings else {})
        return answer(json.dumps(body))

    def _told(self, path, asked):
        if path.endswith("/values"):
            return list(self.METRICS) if self.per_metric else []
        if path.endswith("/series"):
            return list(self._labels(asked["match[]"]))
        if path.endswith("/query"):
            return {"result": [{"metric": {}, "value": [START, "60"]} for _ in self._labels(asked["query"])]}
        if path.endswith("/query_range"):
            return {"result": [self._element(labels, asked) for labels in self._labels(asked["query"])]}
        return []

    def _labels(self, which):
        for name in self.METRICS:
            if name in which:
                for n in range(self.per_metric):
                    yield {"__name__": name, "namespace": "shop", "pod": f"api-{n}", "code": "200"}

    def _element(self, labels, asked):
        start, end, step = (int(float(asked[key].removesuffix("s"))) for key in ("start", "end", "step"))
        return {"metric": labels, "values": [[at, str(at % 7)] for at in range(start, end + 1, step)]}


def slack_source(url, deadline_s):
    """Make the source of a channel."""
    return SlackSource(token=TOKEN, channel="C1", window=SCOPE.window, base_url=f"{url}/api/", deadline_s=deadline_s)


def played_slack(request):
    """Answer as Slack does of a channel with three messages, one a page."""
    method = urlsplit(request.split("\n", 1)[0].split(" ")[1]).path.rpartition("/")[2]
    if method != "conversations.history":
        return answer(
            json.dumps({"ok": True, "team_id": "T1", "url": "https://t.slack.com/", "user_id": "U1", "bot_id": "B1"})
        )
    page = int(request.partition("cursor=")[2][:1] or 0)
    message = {"type": "message", "user": "U2", "text": f"it is down {page}", "ts": f"{START + 60 - page}.000100"}
    more = {"has_more": True, "response_metadata": {"next_cursor": str(page + 1)}} if page < 2 else {"has_more": False}
    return answer(json.dumps({"ok": True, "messages": [message]} | more))


HTTP_SOURCES: tuple[HttpSource, ...] = (
    HttpSource(name="kubernetes", make=kubernetes_source, reply=cluster_reply),
    HttpSource(name="grafana", make=grafana_source, reply=lambda _request: answer(json.dumps(NOTES)), midway=0),
    HttpSource(name="prometheus", make=prometheus_source, reply=PlayedPrometheus()),
    *(HttpSource(name=name, make=sooner(make), reply=played(LINES)) for name, (make, played) in STORES.items()),
    HttpSource(name="slack", make=slack_source, reply=played_slack),
    HttpSource(name="jira", make=sooner(jira_source), reply=PlayedJira()),
)
