"""The report's page in Jira's two languages: nothing foreign comes alive, nothing is lost on the way."""

import json
import re
from dataclasses import replace

from hypothesis import given, settings, strategies as st
from sample_report import QUIET, REPORT

from bot.domain.tickets import document_text, keys_in, likely_keys, ticket_key
from bot.pages.adf import document
from bot.pages.markdown import render_markdown
from bot.pages.markup import Code, Heading, Items, Paragraph, Span, Table, blocks, spans
from bot.pages.ticket import adf_comment, wiki_comment
from bot.pages.wiki import escaped, wiki_block

LIVE = re.compile(r"(?<!\\)[\[\]{}|!]|@|<|>|(?:https?|ftp|file|mailto):(?!&)//|(?<!\\)\[~")


def test_the_page_is_read_back_as_blocks():
    """Headings, lists with what is inside, tables and code keep their places."""
    page = "# A\n\ntext **b** *c* `d`\n\n1. one\n   - in\n2. two\n\n   ```\n   kubectl x\n     y\n   ```\n\n- z\n\n| h | i |\n|---|---:|\n| 1 \\| 2 |  |\n"
    read = list(blocks(page))
    assert Heading(1, (Span("A"),)) == read[0]
    assert (Span("text "), Span("b", "strong"), Span(" "), Span("c", "em"), Span(" "), Span("d", "code")) == read[
        1
    ].spans
    assert isinstance(read[2], Items)
    assert read[2].ordered
    assert ((Span("in"),),) == read[2].items[0].inner
    assert ("kubectl x\n  y",) == read[2].items[1].code
    assert isinstance(read[3], Items)
    assert Table((((Span("h"),), (Span("i"),)), ((Span("1 | 2"),), ()))) == read[4]
    assert 5 == len(read)


def test_every_word_of_a_report_comes_through():
    """The text of the document holds what the Markdown page says, mark by mark."""
    for report in (REPORT, QUIET):
        told = document_text(adf_comment(report, "rc-1"))
        for word in re.findall(
            r"[A-Za-z]{4,}", report.summary + " ".join(step.summary for step in report.cascade.steps)
        ):
            assert word in told
        assert not re.search(r"\\[\[\]*_|]", told)


def test_foreign_markup_stays_text_in_a_document():
    """Only a page's own nodes are made: no mention, no card, no link, no macro."""
    kinds, marks, waiting = set(), set(), [adf_comment(REPORT, "rc-1")]
    while waiting:
        node = waiting.pop()
        kinds.add(node["type"])
        marks.update(mark["type"] for mark in node.get("marks", ()))
        waiting += node.get("content", ())
    assert {"strong", "em", "code"} >= marks
    assert kinds <= {"doc", "heading", "paragraph", "text", "bulletList", "orderedList", "listItem", "table", "tableRow", "tableHeader", "tableCell", "codeBlock"}  # fmt: skip
    assert "[roll back](http://evil.example)" in document_text(adf_comment(REPORT, "rc-1"))


HOSTILE = [
    "[~admin] {color:red}x{color} !http://evil/x.png!",
    "see http://evil.example/a?b=1 and mailto:a@b.c",
    "[Runbook|http://evil.example]",
    "{code}x{code} {noformat} {html}<script>{html}",
    "h1. big",
    "a || b | c",
    "*bold* _it_ -gone- +new+ ^up^ ~down~ ??cite??",
    "----",
    "@channel \\\\ new line",
    "(!) (x) :) ;) (on)",
]


def test_foreign_markup_stays_text_in_wiki_text():
    """Mentions, links, images, macros, rules, emoticons and table edges are escaped."""
    for text in HOSTILE:
        told = escaped(text)
        assert not LIVE.search(told), told
    assert "\\*bold\\* \\_it\\_ \\-gone\\-" in escaped(HOSTILE[6])
    assert "\\(!" not in escaped("f(x)y")
    assert "a-b_c: d" == escaped("a-b_c: d")


@settings(max_examples=200)
@given(st.text(alphabet="ab [~]{}|!@:/\\<>&*_-#;h1.(x)\n", max_size=60))
def test_no_text_makes_live_wiki_markup(text):
    """Whatever stands in a quote, nothing of it begins a link, a macro or a mention."""
    assert not LIVE.search(escaped(text.replace("\n", " ")))


@settings(max_examples=200)
@given(st.text(alphabet="ab*`\\_|[]~ ", min_size=1, max_size=40))
def test_spans_never_lose_a_letter(text):
    """Whatever is escaped or not, letters stay in order."""
    assert re.findall("[ab]", text) == re.findall("[ab]", "".join(span.text for span in spans(text)))


def test_code_cannot_end_itself():
    """A command that holds the end of a macro stays inside."""
    assert 2 == wiki_block(Code("a {noformat} b")).count("{noformat}")
    assert wiki_block(Paragraph((Span("h1. not a headline"),))).startswith("h1&#46;")


def test_a_document_has_no_empty_text():
    """Jira refuses a text node without text."""
    assert '"text": ""' not in json.dumps(document(blocks(render_markdown(REPORT))))
    assert wiki_comment(REPORT, "rc-1").rstrip().endswith("mark rc-1.")


def test_keys_are_found_and_read():
    """Keys in text, typed keys, addresses; what is none is None."""
    assert ["OPS-7", "AB2-10"] == keys_in("see OPS-7, AB2-10; not ops-7, X-0, a-OPS-7x or OPS-7-b")
    for typed in (
        "OPS-7",
        " ops-7 ",
        "https://x.example/browse/OPS-7?focusedCommentId=3",
        "http://h/jira/browse/ops-7#a",
    ):
        assert "OPS-7" == ticket_key(typed)
    for typed in ("", "OPS", "7", "OPS-7 PAY-8", "OPS-", "../OPS-7/../x y"):
        assert ticket_key(typed) is None
    assert ["AA-1", "CC-1", "BB-2"] == likely_keys(["AA-1"], ["CC-1", "BB-2 CC-1"])


def test_a_secret_does_not_reach_the_ticket():
    """A quote, a command and a fact lose their secrets in both languages; names of people stay."""
    key = "AKIA" + "Q7RM4W2XN5ZKT3PV"
    cited = replace(REPORT.evidence["E1"], quote=f"login of ada@example.com with {key} failed")
    advice = replace(REPORT.recommendations[0], change=f"export AWS_ACCESS_KEY_ID={key}")
    report = replace(REPORT, evidence=REPORT.evidence | {"E1": cited}, recommendations=(advice,))
    for told in (document_text(adf_comment(report, "rc-1")), wiki_comment(report, "rc-1")):
        assert key not in told
        assert "failed" in told
        assert "example.com" in told
