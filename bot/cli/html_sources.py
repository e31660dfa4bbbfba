"""The HTML page's ground: what was read, what could not be seen, and every quote with its place."""

from urllib.parse import urlsplit

from bot.charts.markup import Markup, element, joined, web_address
from bot.cli import words
from bot.cli.html_parts import anchor, pill, section
from bot.domain.items import SourceCoverage
from bot.domain.report import Evidence, Report

_TONES = {"complete": "good", "partial": "warn", "missing": "bad"}
_MOST_GAPS = 40
_LONGEST_QUOTE = 4_000
"""Characters; a longer one says how much was cut, and the JSON report has it all."""


def not_seen(report: Report) -> Markup | None:
    """Say what could not be seen; nothing where everything was."""
    lost = [gap for row in report.coverage for gap in row.gaps if gap.lost]
    if not lost:
        return None
    items = [
        element(
            "li",
            element("span", words.visible(gap.source), class_="name"),
            f": {gap.count:,}× " if gap.count > 1 else ": ",
            words.visible(gap.what),
            element("span", f" ({words.visible(gap.path)})", class_="soft") if gap.path else None,
        )
        for gap in lost[:_MOST_GAPS]
    ]
    more = f"{len(lost) - _MOST_GAPS} more stand in the JSON report." if len(lost) > _MOST_GAPS else ""
    return section("unseen", "What was not seen", more, element("ul", items, class_="rows"))


def coverage(report: Report) -> Markup | None:
    """Tabulate what every source gave."""
    if not report.coverage:
        return None
    heads = (("source", ""), ("status", ""), ("items", "num"), ("size", "num"), ("from", ""), ("to", ""), ("notes", ""))
    head = element("tr", [element("th", name, scope="col", class_=kind or None) for name, kind in heads])
    table = element(
        "table",
        element("thead", head),
        element("tbody", [_row(each) for each in report.coverage]),
        class_="coverage",
    )
    return section("coverage", "What was read", "", element("div", element("div", table, class_="wide"), class_="card"))


def _row(row: SourceCoverage) -> Markup:
    odd = [f"{gap.count:,}× {words.visible(gap.what)}" for gap in row.gaps if not gap.lost]
    lost = sum(gap.lost for gap in row.gaps)
    notes = [words.visible(row.detail), f"read: {words.visible(row.read)}" if row.read else ""]
    notes += [words.plural(lost, "gap") if lost else "", *odd]
    first, last = (words.short_moment(at) if at else "" for at in (row.first_at, row.last_at))
    return element(
        "tr",
        element("td", element("b", words.visible(row.source))),
        element("td", pill(row.status.replace("_", " "), _TONES.get(row.status, ""))),
        element("td", f"{row.items:,}", class_="num"),
        element("td", words.size(row.bytes), class_="num"),
        element("td", first, class_="day"),
        element("td", last, class_="day"),
        element("td", "; ".join(note for note in notes if note), class_="soft"),
    )


def evidence(report: Report) -> Markup | None:
    """List every citation once: its id, time, whom it speaks of, its words as stored, and its place."""
    if not report.evidence:
        return None
    items = [_entry(name, each) for name, each in report.evidence.items()]
    told = element("summary", f"All {words.plural(len(items), 'quote')}")
    shelf = element("details", told, element("ol", items, class_="evidence"), open=True)
    return section("evidence", "Evidence", "Words as stored in the case.", shelf)


def _entry(name: str, each: Evidence) -> Markup:
    quote = each.quote
    if len(quote) > _LONGEST_QUOTE:
        quote = f"{quote[:_LONGEST_QUOTE]} … +{len(quote) - _LONGEST_QUOTE:,} characters"
    when = (
        element("time", words.moment(each.at), datetime=each.at.isoformat()) if each.at else element("span", "as read")
    )
    return element(
        "li",
        element(
            "div",
            element("span", name, class_="ev-id"),
            when,
            element("span", words.short(str(each.entity)), class_="name"),
            class_="ev-head",
        ),
        element("pre", element("code", quote, dir="auto")) if quote else None,
        element("p", joined(words.visible(each.locator), _link(each.url)), class_="where"),
        id=anchor(name),
        class_="ev",
    )


def _link(url: str | None) -> Markup | None:
    address = web_address(url)
    if address is None:
        return None
    host = urlsplit(address).hostname or ""
    return joined(" · ", element("a", f"open at {host} ↗", href=address, rel="noopener noreferrer", target="_blank"))
