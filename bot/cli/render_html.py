"""The HTML face: one file for a browser, a ticket's attachment or an archive; it asks no server for anything.

The answer stands first, the proof below it, every quote a click away. The page's policy lets it run its own script and style
and nothing else, and ``bot.charts.markup`` sees to it that words from the incident stay words.
"""

import base64
import hashlib
import re
from datetime import UTC
from importlib import resources

from bot.charts.markup import Markup, element, joined, raw
from bot.cli import words
from bot.cli.html_cascade import cascade, window_timeline
from bot.cli.html_judged import (
    changes,
    claims,
    contributing,
    control_questions,
    predictions,
    reading,
    ruled_out,
    undecided,
)
from bot.cli.html_parts import command, name_of, pill, sentence, told
from bot.cli.html_sources import coverage, evidence, not_seen
from bot.domain.reading_words import analyst_words
from bot.domain.report import Report
from bot.domain.spelling import length

_VERDICTS = {
    "cause_found": ("Cause found", "good"),
    "inconclusive": ("Inconclusive", "warn"),
    "no_incident": ("No incident", "good"),
}
_TONES = {"high": "good", "medium": "warn", "low": "bad"}
_NAVIGATION = (
    ("cascade", "How"),
    ("timeline", "When"),
    ("changes", "What to change"),
    ("next", "Next"),
    ("worse", "Made it worse"),
    ("ruled-out", "Ruled out"),
    ("undecided", "Not ruled out"),
    ("controls", "Control questions"),
    ("people", "People"),
    ("model", "Model"),
    ("unseen", "Not seen"),
    ("coverage", "Read"),
    ("evidence", "Evidence"),
)


_P_VALUE = re.compile(r"\bp (=|&lt;) (\d(?:\.\d+)?)e-(\d+)")


def render_html(report: Report) -> str:
    """Write a report as one self-contained HTML page, in UTF-8."""
    style, script = (
        resources.files("bot.cli").joinpath("static", name).read_text(encoding="utf-8")
        for name in ("report.css", "report.js")
    )
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="robots", content="noindex"),
        element(
            "title", f"{_VERDICTS[report.verdict][0]}: {words.visible(report.question)} ({words.visible(report.case)})"
        ),
        raw("style", style),
    )
    body = element("body", element("div", _page(report), class_="page"), raw("script", script))
    return f"<!DOCTYPE html>\n{_unbroken(element('html', head, body, lang='en').text)}\n"


def _unbroken(page: str) -> str:
    """Keep ``p = 7e-4`` in one line: a narrow screen breaks behind its hyphen, and what is left reads as another number."""
    return _P_VALUE.sub("p\u00a0\\1\u00a0\\2e\u2011\\3", page)


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def _page(report: Report) -> Markup:
    made = {
        "cascade": cascade(report),
        "timeline": window_timeline(report),
        "changes": changes(report),
        "next": predictions(report),
        "worse": contributing(report),
        "ruled-out": ruled_out(report),
        "undecided": undecided(report),
        "controls": control_questions(report),
        "people": claims(report),
        "model": reading(report),
        "unseen": not_seen(report),
        "coverage": coverage(report),
        "evidence": evidence(report),
    }
    there = [element("li", element("a", label, href=f"#{key}")) for key, label in _NAVIGATION if made[key] is not None]
    return joined(
        element("a", "Skip to how it came about", class_="skip", href="#proof"),
        _top(report),
        element("nav", element("ul", there), aria_label="Sections") if there else None,
        element("main", list(made.values()), id="proof"),
        _footer(report),
    )


def _top(report: Report) -> Markup:
    word, tone = _VERDICTS[report.verdict]
    start, end = words.short_moment(report.window.start), words.short_moment(report.window.end)
    confidence = pill(f"{report.confidence} confidence", _TONES[report.confidence])
    reasons = [element("li", words.short(each)) for each in report.unsaid_reasons]
    why = element("ul", reasons, class_="reasons", aria_label="What holds the confidence down") if reasons else None
    return element(
        "header",
        element(
            "p",
            element("span", f"rootcause · case {report.case}"),
            element("span", f"{start} – {end} UTC"),
            class_="meta",
        ),
        element("h1", element("span", word, class_=f"word-{tone}"), confidence),
        element("p", f"Asked: {words.visible(report.question)}", class_="asked"),
        element("p", words.short(report.summary), class_="lead"),
        why,
        _glance(report),
        class_="top",
    )


def _glance(report: Report) -> Markup | None:
    cards: list[Markup] = []

    def card(title: str, *inside: Markup | str | None) -> None:
        cards.append(
            element(
                "div",
                element("dt", title),
                element("dd", *inside),
                class_="card broad" if title == "First fix" else "card",
            )
        )

    if report.root_cause is not None:
        card("Root cause", told(report.root_cause.entity, report.root_cause.summary, " "))
    if report.symptom is not None:
        felt, total = report.symptom, report.symptom.explained + report.symptom.unexplained
        explained = f"{felt.explained} of {words.plural(total, 'episode')} explained" if report.cascade.steps else ""
        card("What was felt", sentence(felt.summary), element("p", explained, class_="sub") if explained else None)
    if report.recommendations:
        first = report.recommendations[0]
        spared = element("p", sentence(first.effect), class_="sub effect") if first.effect else None
        card("First fix", words.short(first.summary), spared)
    if report.predictions:
        each = report.predictions[0]
        begin, end = (f"{at.astimezone(UTC):%H:%M}" for at in each.window)
        between = f"between {begin} and {end}, if nothing changes"
        card("Next time", f"{words.short_moment(each.at)} UTC", element("p", between, class_="sub"))
    return element("dl", cards, class_="glance") if cards else None


def _footer(report: Report) -> Markup:
    total = sum(report.usage.seconds.values())
    analyst = words.visible(analyst_words(report.usage, report.reading))
    took = f", {length(total)}" if total else ""
    beside = (*report.undecided, *report.ruled_out)
    name = words.visible(name_of(beside[0].entity)).replace('"', "") if beside else ""
    asked = f"was {name} related?" if name and not set(name) & set("`$\\!'") else "how sure are you?"
    return element(
        "footer",
        element(
            "p",
            f"Case {report.case}: {analyst}{took}. Window {words.moment(report.window.start)} to {words.moment(report.window.end)}.",
        ),
        element("p", "Ask on, where the case is kept:"),
        command(f'rootcause ask {report.case} "{asked}"', "the command that asks a follow-up question"),
    )
