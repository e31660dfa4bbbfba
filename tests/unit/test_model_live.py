"""A live look takes what the case knows, ends soon, and is cited as what it is."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fault_server import FaultServer
from http_sources import START, PlayedPrometheus
from sample_report import ANSWER

from bot.analyst.model_answer import SaidQuote
from bot.analyst.model_follow_up import LIVE_NOTE, SaidAnswer, SaidSentence, judged
from bot.analyst.model_live import metric_range
from bot.analyst.model_tools import Asked
from bot.domain.items import ItemId
from bot.domain.window import Window
from bot.errors import UsageError
from bot.sources.prometheus import PrometheusAddress, read_range
from bot.wire import Login

BEGIN = datetime.fromtimestamp(START, UTC)
WINDOW = Window(start=BEGIN, end=BEGIN + timedelta(hours=1), asked="1h")
NOW = WINDOW.end + timedelta(days=1)
KNOWN = {"up": frozenset({"shop", "pay"}), "node_load1": frozenset()}


def query(url="http://127.0.0.1:9", deadline_s=3.0):
    """Give the query of a server."""
    address = PrometheusAddress(url=url, login=Login(), deadline_s=deadline_s)
    return metric_range(KNOWN, WINDOW, NOW, lambda *asked: read_range(address, *asked))


def test_a_metric_of_the_case_is_read_in_its_namespaces():
    """The server is asked for a range by a selector that this program wrote, and its samples come as lines."""
    played = PlayedPrometheus()
    with FaultServer(None, reply=played) as server:
        told = query(server.url).run({"metric": "up", "since": "2026-11-22T00:30:00Z", "until": "2026-11-22T00:40:00Z"})
    asked = [dict(each) for path, each in played.queries if path.endswith("/query_range")]
    assert '{__name__="up",namespace=~"pay|shop"}' == asked[0]["query"]
    assert " at 2026-11-22T00:3" in told
    assert len(told) < 16_000
    assert not set('"\\{}') & set(told)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"metric": 7},
        {"metric": "down"},
        {"metric": 'up"} or vector(1) #'},
        {"metric": "up", "namespace": "kube-system"},
        {"metric": "node_load1", "namespace": "shop"},
        {"metric": "up", "namespace": ["shop"]},
        {"metric": "up", "since": "yesterday"},
        {"metric": "up", "until": "0001-01-01T00:00:00+14:00"},
        {"metric": "up", "until": "0001-01-01T00:00:00Z"},
        {"metric": "up", "since": "2020-01-01T00:00:00Z"},
        {"metric": "up", "since": "2026-11-01T00:00:00Z", "until": "2026-11-20T00:00:00Z"},
        {"metric": "up", "since": "2099-01-01T00:00:00Z"},
    ],
    ids=json.dumps,
)
def test_what_the_case_does_not_know_is_not_asked_for(arguments):
    """A sentence for the model, and not a request."""
    with FaultServer(None, reply=PlayedPrometheus()) as server:
        with pytest.raises(UsageError):
            query(server.url).run(arguments)
        assert [] == server.requests


@pytest.mark.parametrize("fault", [None, "refused"])
def test_a_server_that_does_not_answer_is_a_sentence(fault):
    """Whether nobody listens, or what comes is no answer."""
    with FaultServer(None) as server:
        url = server.url if fault is None else "http://127.0.0.1:9"
        with pytest.raises(UsageError, match="The live server gave nothing"):
            query(url).run({"metric": "up"})


class NoItems:
    """A case that holds nothing."""

    def item(self, _item):
        """Give none."""

    def items(self, _items):
        """Give none."""
        return iter(())


def test_what_was_read_live_is_cited_as_live_and_founds_no_verdict():
    """The sentence stands with the query's name; a quote that the query did not give does not."""
    asked = Asked(live=[("live_metric_range", ["up pod=api-0 at 2026-11-22T00:31:00Z is 41"])])
    shown = SaidQuote(item=ItemId("live_metric_range"), text="api-0 at 2026-11-22T00:31:00Z is 41", at=None)
    said = SaidAnswer(
        verdict="answered",
        sentences=(
            SaidSentence(says="It was 41 then", quotes=(shown,)),
            SaidSentence(says="It was 99 then", quotes=(replace(shown, text="api-0 at 00:31 is 99"),)),
        ),
    )
    own = replace(ANSWER, verdict="answered", test=None)
    given = judged(said, own, asked, NoItems(), [], lambda _words: False)
    assert ("It was 41 then. [live_metric_range]", "unknown", {}) == (given.answer, given.verdict, given.evidence)
    assert LIVE_NOTE in given.notes
