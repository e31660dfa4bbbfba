"""The HTML face."""

import base64
import hashlib
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st
from sample_report import INCONCLUSIVE, QUIET, REPORT, START

from bot.charts.markup import VOID, element, joined, raw, shown, web_address
from bot.cli.output import report_page
from bot.cli.render_html import render_html
from bot.domain.entity import Entity
from bot.domain.report import Claim, Episode, Evidence, RuledOut, Step

HOSTILE = (
    "</script><script>alert(1)</script>\"><img src=x onerror='alert(2)'>&lt;b&gt; \u202egnp.exe\u202c\x1b[31m\x00 \ud800"
    "</style></title><!-- ]]> javascript:alert(3)"
)


class Page(HTMLParser):
    """Keeps what a browser would see: elements, attributes and text; fails where tags do not match."""

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.said = [], [], [], []
        self.feed(source)
        self.close()
        assert [] == self.open

    def handle_starttag(self, tag, attrs):
        """Keep a tag and its attributes, each named once."""
        assert len(attrs) == len(dict(attrs)), f"an attribute twice in {tag}"
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Match it with the innermost open tag."""
        assert tag == self.open.pop()

    def handle_data(self, data):
        """Keep text that is read, not run."""
        if not {"script", "style"} & set(self.open):
            self.said.append(data)

    def values(self, name):
        """Give every value of an attribute."""
        return [value for _, each, value in self.attributes if each == name]


def hostile_report():
    """Put hostile words wherever words of an incident or a person can stand."""
    entity = Entity("Deployment", HOSTILE, "shop")
    step = replace(REPORT.cascade.steps[0], summary=HOSTILE, entity=entity, facts=(HOSTILE,), mechanism=HOSTILE)
    return replace(
        REPORT,
        question=HOSTILE,
        summary=HOSTILE,
        reasons=(HOSTILE,),
        symptom=replace(REPORT.symptom, summary=HOSTILE, entity=entity),
        root_cause=replace(REPORT.root_cause, summary=HOSTILE, entity=entity),
        cascade=replace(REPORT.cascade, steps=(step, *REPORT.cascade.steps[1:])),
        ruled_out=(
            RuledOut(
                entity=entity,
                summary=HOSTILE,
                reason=HOSTILE,
                test=HOSTILE,
                evidence=("E6",),
                times=((START, START + timedelta(hours=1)),),
            ),
        ),
        claims=(
            Claim(
                author=HOSTILE,
                quote=HOSTILE,
                status="untested",
                reason=HOSTILE,
                permalink="javascript:alert(4)",
                evidence=("E6",),
            ),
        ),
        recommendations=(replace(REPORT.recommendations[0], summary=HOSTILE, change=HOSTILE, effect=HOSTILE),),
        evidence={
            **REPORT.evidence,
            "E6": Evidence(
                source="x", at=START, entity=entity, quote=HOSTILE, url="javascript:alert(5)", locator=HOSTILE
            ),
        },
    )


@pytest.mark.parametrize("report", [REPORT, INCONCLUSIVE, QUIET], ids=["found", "inconclusive", "quiet"])
def test_the_page_is_well_formed_and_reads_in_order(report):
    """Tags match, ids are unique, there is one h1, and no heading level is jumped."""
    page = Page(render_html(report))
    levels = [int(tag[1]) for tag in page.tags if re.fullmatch("h[1-6]", tag)]
    ids = page.values("id")
    assert 1 == levels.count(1)
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(set(ids)) == len(ids)
    assert set() == {each[1:] for each in page.values("href") if each.startswith("#")} - set(ids)


def test_the_answer_comes_before_its_proof():
    """Verdict, summary, first fix and next time stand above the cascade."""
    said = "\n".join(Page(render_html(REPORT)).said)
    order = [
        said.index(each)
        for each in ("Cause found", REPORT.summary, "First fix", "Next time", "How it came about", "All times UTC")
    ]
    assert sorted(order) == order


def test_every_piece_of_evidence_stands_in_the_page_once():
    """Each id has one entry, with the quote as stored, and marks lead to it."""
    page = Page(render_html(REPORT))
    entries = [each for each in page.values("id") if each.startswith("ev-")]
    assert [f"ev-{each}" for each in REPORT.evidence] == entries
    assert 1 == page.said.count(REPORT.evidence["E2"].quote)


def test_hostile_text_stays_text():
    """No words of an incident become an element, a handler, a style, or a link."""
    plain, hostile = Page(render_html(REPORT)), Page(render_html(hostile_report()))
    assert 1 == hostile.tags.count("script") == hostile.tags.count("style")
    assert set() == set(hostile.tags) - set(plain.tags)
    assert [] == [name for _, name, _ in hostile.attributes if name.startswith("on") or name in {"style", "src"}]
    assert [] == [each for each in hostile.values("href") if not each.startswith(("#", "https://logs.example.com/"))]
    assert "</script><script>alert(1)</script>" in "".join(hostile.said)


def test_what_steers_the_reader_is_written_out():
    """Direction marks, escapes and lone surrogates are shown or gone, never obeyed."""
    source = render_html(hostile_report())
    source.encode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", source)
    assert "⟨U+202E⟩gnp.exe⟨U+202C⟩␛[31m␀" in "".join(Page(source).said)


def test_the_page_asks_nobody_for_anything():
    """The policy forbids every request, and allows the page's own script and style by their hash alone."""
    source = render_html(REPORT)
    page = Page(source)
    [policy] = [value for value in page.values("content") if value.startswith("default-src")]
    for tag in ("script", "style"):
        inside = re.search(f"<{tag}>(.*?)</{tag}>", source, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
        assert inside.isascii()
        assert "url(" not in inside
    assert policy.startswith("default-src 'none';")
    assert set() == {"link", "img", "iframe", "object", "form", "base"} & set(page.tags)


def test_links_to_the_web_open_apart():
    """A deep link names its host and tells that host nothing of this page."""
    source = render_html(REPORT)
    assert 'rel="noopener noreferrer" target="_blank">open at logs.example.com ↗</a>' in source


@pytest.mark.parametrize(
    "url",
    [
        *(None, "", "javascript:alert(1)", "data:text/html,x", "//evil.example", "https:///x", "https://[", "ftp://a/"),
        *("https://good.example@evil.example/", "https://a.example/\u202e", "https://a.example/ b", "java\nscript:x"),
    ],
)
def test_only_web_addresses_become_links(url):
    """What is not plainly http(s) to a host stays unlinked."""
    assert web_address(url) is None


@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=120, deadline=None)
def test_text_reads_back_as_it_was_given(inside, value):
    """Whatever the text, the element has it as text and as an attribute, and nothing else."""
    page = Page(element("p", inside, title=value).text)
    assert (["p"], shown(inside)) == (page.tags, "".join(page.said))
    assert [shown(value)] == page.values("title")


@pytest.mark.parametrize(
    "make",
    [
        lambda: element("script", "alert(1)"),
        lambda: element("p", onclick="alert(1)"),
        lambda: element("p", style="x"),
        lambda: element("a", href="javascript:alert(1)"),
        lambda: raw("script", "</script>"),
        lambda: raw("p", "x"),
    ],
)
def test_what_could_run_cannot_be_said(make):
    """The builder refuses it, whoever asks."""
    with pytest.raises(ValueError, match=r"element|attribute|link"):
        make()


def test_children_keep_their_order():
    """Strings, markup, lists and nothing, side by side."""
    assert "a<br>&lt;c" == joined("a", None, [element("br"), "<c"]).text


def test_a_busy_window_stays_a_small_page():
    """Nine steps of 300 occurrences each fit half a megabyte."""
    at = [(START + timedelta(minutes=14 * each), START + timedelta(minutes=14 * each + 3)) for each in range(300)]
    steps = tuple(
        Step(
            id=f"S{number}",
            summary="happened",
            entity=Entity("Deployment", f"d{number}", "shop"),
            mechanism="server_error",
            first_at=START,
            count=300,
            evidence=(),
            times=tuple(at),
        )
        for number in range(1, 10)
    )
    episodes = tuple(Episode(start=begin, end=end, count=7, explained=True) for begin, end in at)
    busy = replace(
        REPORT,
        cascade=replace(REPORT.cascade, steps=steps, links=()),
        symptom=replace(REPORT.symptom, episodes=episodes),
    )
    source = render_html(busy)
    assert len(source.encode()) < 250_000
    assert 300 * 9 <= len(re.findall(r"M[\d.]+ \d+v-[\d.]+h", source))


def test_a_pipe_that_is_not_utf_8_gets_the_same_page(monkeypatch):
    """Character references stand for what the encoding lacks."""

    class Latin:
        encoding = "cp1252"

    monkeypatch.setattr("sys.stdout", Latin())
    told = report_page(REPORT, "html")
    assert told.isascii()
    assert Page(render_html(REPORT)).said == Page(told).said


def test_without_episodes_nothing_offers_to_go_to_one():
    """Where nothing was felt, the timeline zooms and moves, and has no button for episodes."""
    page = render_html(replace(REPORT, symptom=None))
    assert 'data-act="+"' in page
    assert 'data-act="n"' not in page
    assert "from episode to episode." not in page.partition('id="timeline"')[2].partition('class="lanes"')[0]
    assert 'data-act="n"' in render_html(REPORT)


def test_a_reason_that_the_summary_gives_is_not_repeated_below_it():
    """Every face says a reason once; one episode is no "episodes"."""
    lead = replace(INCONCLUSIVE, summary="No cause: too little was read.", reasons=("too little was read", "no logs"))
    assert ("no logs",) == lead.unsaid_reasons
    page = render_html(lead)
    assert (1, 1) == (page.count("too little was read"), page.count("no logs"))
    one = replace(REPORT.symptom, episodes=REPORT.symptom.episodes[:1], explained=1, unexplained=0)
    assert "1 of 1 episode explained" in render_html(replace(REPORT, symptom=one))


def test_a_step_says_once_how_often_it_came():
    """Its summary counts already; what came once has no first time, and nobody counts "1×"."""
    first, *rest = REPORT.cascade.steps
    for count, told, dated in (
        (1, "Pods got SIGTERM once", ">Mon"),
        (2, "came twice", ">first Mon"),
        (7, "came", ">7×, first Mon"),
    ):
        step = replace(first, summary=told, count=count, first_at=START)
        page = render_html(replace(REPORT, cascade=replace(REPORT.cascade, steps=(step, *rest))))
        assert f"{dated} {START:%d %b %H:%M} UTC" in page


def test_what_was_said_after_the_window_makes_no_empty_lane():
    """A lane without a mark in sight tells nothing."""
    name = next(iter(REPORT.evidence))
    claims = (replace(REPORT.claims[0], evidence=(name,)),)
    for after, lanes in ((timedelta(hours=-1), 1), (timedelta(hours=1), 0)):
        cited = {name: replace(REPORT.evidence[name], at=REPORT.window.end + after)}
        page = render_html(replace(REPORT, claims=claims, evidence=REPORT.evidence | cited))
        assert lanes == page.count("said what caused it</")


def test_a_long_name_keeps_both_ends_before_its_lane():
    """Nodes differ at the end of their names; the lane's title has the whole of it."""
    node = Entity(kind="Node", namespace=None, name="gke-papaya-pool-1-cab13f57")
    out = replace(REPORT.ruled_out[0], entity=node, times=((START, START),))
    page = render_html(replace(REPORT, ruled_out=(out,)))
    assert "<b>gke-papay…1-cab13f57</b>" in page
    assert "Ruled out: Node gke-papaya-pool-1-cab13f57" in page
