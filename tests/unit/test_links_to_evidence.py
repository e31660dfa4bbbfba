"""Deep links made from templates: encoded for where they stand, absent where they would mislead."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given, settings, strategies as st

from bot.domain.entity import Entity
from bot.domain.links import (
    LinkTemplates,
    evidence_url,
    grafana_explore,
    jira_browse,
    kibana_discover,
    link_templates,
    prometheus_graph,
    victorialogs_select,
)
from bot.domain.report import Evidence
from bot.errors import UsageError

AT = datetime(2026, 3, 2, 8, 0, 30, tzinfo=UTC)
LINE = Evidence(
    source="kubernetes/logs",
    at=AT,
    entity=Entity("Deployment", "pay.api", "shop"),
    quote='level=error msg="pool \\ full" {50% & rising}\nnext',
    url=None,
    locator="L7 shop/pay.log:7",
)
SERIES = replace(
    LINE,
    source="prometheus",
    quote='{"metric":{"__name__":"up","pod":"a\\"b","1bad":"x","job":"j"},"values":[[1,"2"]',
    locator="M3 series of 2 samples",
)
TEMPLATES = LinkTemplates(
    logs=grafana_explore("https://grafana.example/g/", "uid-l", "loki"),
    metrics=prometheus_graph("http://prom:9090"),
    tickets=jira_browse("https://acme.atlassian.net"),
    chat="https://acme.slack.com/archives/{channel}/p{ts_digits}",
    events="https://console.example/{namespace}/{kind}/{name}?t={at_ms}",
)


def test_grafana_opens_the_log_line():
    """Explore gets valid JSON whose query finds the line's beginning in the workload's streams."""
    parts = urlsplit(evidence_url(LINE, TEMPLATES))
    (panes,) = parse_qs(parts.query)["panes"]
    (pane,) = json.loads(panes).values()
    assert ("grafana.example", "/g/explore", "uid-l") == (parts.hostname, parts.path, pane["datasource"])
    assert {"from": "1772437530000", "to": "1772439330000"} == pane["range"]
    assert (
        '{namespace="shop",pod=~"pay\\\\.api-.*"} |= "level=error msg=\\"pool \\\\ full\\" {50% & rising}"'
        == (pane["queries"][0]["expr"])
    )


def test_prometheus_draws_the_series():
    """The selector is taken from the quoted result, also where the quote was cut; impossible labels are left out."""
    asked = parse_qs(urlsplit(evidence_url(SERIES, TEMPLATES)).query)
    assert {
        "g0.expr": ['up{job="j",pod="a\\"b"}'],
        "g0.tab": ["0"],
        "g0.range_input": ["30m"],
        "g0.end_input": ["2026-03-02 08:15:30"],
    } == asked


@pytest.mark.parametrize(
    ("named", "query"),
    [
        ('cpu{a="b",c="d\\"e,f"}', '{__name__=~"cpu.*",a="b",c="d\\"e,f"}'),
        ("up", '{__name__=~"up.*"}'),
        ('cpu{a="b"} or vector(1){x="y"}', None),
        ('cpu{a="b",}}{', None),
    ],
)
def test_a_sample_is_drawn_by_the_series_its_place_names(named, query):
    """Where the quote is one sample, the locator names the series; what is no plain selector is no link."""
    sample = replace(SERIES, quote='[1772438400,"0.7"]', locator=f"M3 1440 samples of {named}")
    url = evidence_url(sample, TEMPLATES)
    assert query == (url and parse_qs(urlsplit(url).query)["g0.expr"][0])


def test_tickets_messages_and_objects():
    """A ticket by its key, a message by its place, an event by what it happened to."""
    ticket = replace(LINE, source="jira", entity=Entity("Ticket", "OPS-1"), locator="J2 OPS-1 comment by Ada")
    message = replace(LINE, source="slack", entity=Entity("Person", "ada"), locator="C16 #ops 1772438400.000100")
    event = replace(LINE, source="kubernetes/events")
    assert "https://acme.atlassian.net/browse/OPS-1" == evidence_url(ticket, TEMPLATES)
    assert "https://acme.slack.com/archives/ops/p1772438400000100" == evidence_url(message, TEMPLATES)
    assert "https://console.example/shop/Deployment/pay.api?t=1772438430000" == evidence_url(event, TEMPLATES)


@pytest.mark.parametrize(
    "evidence",
    [
        replace(LINE, at=None),
        replace(LINE, entity=Entity("Deployment", "api")),
        replace(SERIES, quote="not a result"),
        replace(SERIES, quote='{"metric":{"__na'),
        replace(SERIES, quote='{"metric":{},"values":[]}'),
        replace(LINE, source="kubernetes/objects"),
        replace(LINE, source="unheard of"),
    ],
)
def test_what_cannot_be_filled_is_no_link(evidence):
    """A missing moment, namespace, series or template gives None."""
    assert evidence_url(evidence, TEMPLATES) is None


def test_a_link_that_came_with_the_evidence_stays():
    """A permalink is better than anything built."""
    assert "https://own.example/" == evidence_url(replace(LINE, url="https://own.example/"), TEMPLATES)


@pytest.mark.parametrize(
    "template",
    ["https://x/{secret}", "javascript:{query}", "https://{namespace}.example/", "//x/{query}", "https://a@b/"],
)
def test_a_bad_template_is_refused(template):
    """Unknown blanks and hosts that an incident could choose are errors at the start."""
    with pytest.raises(UsageError, match="link template for logs"):
        LinkTemplates(logs=template)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_foreign_text_never_leaves_its_blank(quote, name, namespace):
    """Whatever an incident holds, the link has the template's host, path and parameters, and is plain ASCII."""
    evidence = replace(LINE, quote=quote, entity=Entity("Deployment", name, namespace))
    event = replace(evidence, source="kubernetes/events")
    found = urlsplit(evidence_url(evidence, TEMPLATES))
    assert ("grafana.example", "/g/explore", "") == (found.hostname, found.path, found.fragment)
    assert {"schemaVersion", "orgId", "panes"} == set(parse_qs(found.query))
    json.loads(parse_qs(found.query)["panes"][0])
    linked = evidence_url(event, TEMPLATES)
    assert linked.isascii()
    assert 5 == linked.removeprefix("https://").count("/") + 2
    assert not set(linked) & set(' "<>|\n')


def test_settings_choose_the_templates():
    """An own template wins over Grafana, Grafana over Prometheus; nothing set links nothing."""
    own = link_templates(grafana_url="https://g", grafana_logs="l", grafana_metrics="m", prometheus_url="http://p", logs="https://own/{query}")  # fmt: skip
    assert "https://own/{query}" == own.logs
    assert own.metrics == grafana_explore("https://g", "m", "prometheus")
    assert link_templates(prometheus_url="http://p", jira_url="https://j/") == LinkTemplates(
        metrics=prometheus_graph("http://p"), tickets="https://j/browse/{key}"
    )
    assert LinkTemplates() == link_templates()


def test_kibana_finds_the_line():
    """The query is a phrase whose quotes and exclamation marks end neither KQL's nor Rison's string."""
    line = replace(LINE, source="elasticsearch", quote='it\'s "full"! (really) & more\nnext')
    url = evidence_url(line, LinkTemplates(logs=kibana_discover("https://kibana.example/")))
    assert url.startswith("https://kibana.example/app/discover#/?_g=(time:(from:'2026-03-02T07%3A45%3A30Z',to:")
    asked = url.partition("query:'")[2].removesuffix("'))")
    assert not set(asked) & set("'()&# ")
    assert unquote(asked) == '"it!\'s \\"full\\"!! (really) & more"'


def test_victorialogs_finds_the_line():
    """Its web UI is asked for the line's beginning as a phrase, around the moment."""
    line = replace(LINE, source="victorialogs")
    url = evidence_url(line, LinkTemplates(logs=victorialogs_select("http://logs:9428")))
    place, _, query = url.partition("#/?")
    assert place == "http://logs:9428/select/vmui/"
    asked = parse_qs(query)
    assert ['"level=error msg=\\"pool \\\\ full\\" {50% & rising}"'] == asked["query"]
    assert (["30m"], ["2026-03-02T08:15:30Z"]) == (asked["g0.range_input"], asked["g0.end_input"])


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=60))
def test_foreign_lines_never_leave_their_blank_in_a_fragment(quote):
    """Kibana and VictoriaLogs keep their state behind a hash, where quotes and brackets are structure."""
    line = replace(LINE, source="elasticsearch", quote=quote)
    for template in (kibana_discover("https://kibana.example"), victorialogs_select("https://logs.example")):
        url = evidence_url(line, LinkTemplates(logs=template))
        if url is None:
            assert not quote.split("\n", 1)[0].strip()
            continue
        filler = evidence_url(replace(line, quote="x"), LinkTemplates(logs=template))
        begin, end = filler.split("%22x%22")
        assert url.isascii()
        assert url.startswith(begin + "%22")
        assert url.endswith("%22" + end)
        assert not set(url.removeprefix(begin).removesuffix(end)) & set(" \"<>'()&#")


def test_a_clusters_name_is_not_asked_of_its_store():
    """In a fleet a namespace carries its cluster's name, which Loki does not know."""
    line = replace(LINE, entity=Entity("Deployment", "api", "east/shop"))
    (panes,) = parse_qs(urlsplit(evidence_url(line, TEMPLATES)).query)["panes"]
    assert '{namespace=\\"shop\\",' in panes


def test_a_log_stores_count_is_looked_for_in_no_line():
    """Loki shows the workload's streams; a template that needs a line gives no link."""
    counted = replace(LINE, source="loki", quote='log_lines{pattern="<_> ok"}', locator='M3 240 samples of log_lines{pattern="<_> ok"}')  # fmt: skip
    (panes,) = parse_qs(urlsplit(evidence_url(counted, TEMPLATES)).query)["panes"]
    (pane,) = json.loads(panes).values()
    assert '{namespace="shop",pod=~"pay\\\\.api-.*"}' == pane["queries"][0]["expr"]
    assert evidence_url(replace(counted, source="victorialogs"), LinkTemplates(logs=victorialogs_select("http://v:9428"))) is None  # fmt: skip
