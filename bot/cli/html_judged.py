"""The HTML page's judgements: what to change, what comes next, what it was not, and what people believed."""

from collections.abc import Sequence

from bot.charts.markup import Markup, element, joined
from bot.cli import words
from bot.cli.html_parts import command, pill, refs, section, sentence, told
from bot.domain.reading_words import reading_rows
from bot.domain.report import Claim, Recommendation, Report, RuledOut

_TONES = {"supported": "good", "refuted": "bad", "untested": "warn", "pending": "", "confirmed": "good"}


def changes(report: Report) -> Markup | None:
    """Say what to change, why, what it would have spared, and the command to review."""
    if not report.recommendations:
        return None
    return section(
        "changes",
        "What to change",
        "Commands are there to be reviewed; nothing has been run.",
        element("ol", [_change(each) for each in report.recommendations], class_="list fixes"),
    )


def _change(each: Recommendation) -> Markup:
    effect = words.short(each.effect) or (f"would have spared {each.spared:,} in this window" if each.spared else "")
    return element(
        "li",
        element("h3", words.short(each.summary)),
        element("p", sentence(each.rationale), class_="small") if each.rationale else None,
        element("p", sentence(effect), class_="small effect") if effect else None,
        command(each.change, f"the change: {words.short(each.summary)}") if each.change else None,
        class_="card fix",
    )


def predictions(report: Report) -> Markup | None:
    """Say when it comes again, if nothing changes."""
    if not report.predictions:
        return None
    items = [
        element(
            "li",
            element(
                "h3",
                element("time", words.moment(each.at), datetime=each.at.isoformat()),
                " ",
                pill(each.status, _TONES.get(each.status, "")),
            ),
            element(
                "p",
                f"between {words.short_moment(each.window[0])} and {words.short_moment(each.window[1])} UTC",
                class_="sub",
            ),
            element("p", sentence(each.summary), class_="small"),
        )
        for each in report.predictions
    ]
    return section(
        "next", "Next, if nothing changes", "This can be proved wrong: look then.", element("ul", items, class_="rows")
    )


def contributing(report: Report) -> Markup | None:
    """List what made it worse."""
    if not report.contributing:
        return None
    items = [
        element("li", told(each.entity, each.summary), " ", refs(each.evidence, report.evidence), class_="cites")
        for each in report.contributing
    ]
    return section("worse", "Made it worse, did not start it", "", element("ul", items, class_="rows"))


def ruled_out(report: Report) -> Markup | None:
    """List what stood near and did not cause it, with the reason and the test."""
    if not report.ruled_out:
        return None
    return section("ruled-out", "Ruled out", "Near the incident, and not its cause.", _beside(report.ruled_out, report))


def undecided(report: Report) -> Markup | None:
    """List what stood near and the tests could not tell of, with the reason and the test."""
    if not report.undecided:
        return None
    aside = "Near the incident; the tests cannot tell whether it had a part in it."
    return section("undecided", "Not ruled out", aside, _beside(report.undecided, report))


def _beside(parts: Sequence[RuledOut], report: Report) -> Markup:
    items = [
        element(
            "li",
            element("h3", told(each.entity, each.summary)),
            element("p", sentence(each.reason), " ", refs(each.evidence, report.evidence)),
            element("p", f"Test: {words.visible(each.test)}", class_="sub") if each.test else None,
            class_="cites",
        )
        for each in parts
    ]
    return element("ul", items, class_="rows out")


def control_questions(report: Report) -> Markup | None:
    """List what the program asked itself before it answered."""
    if not report.control_questions:
        return None
    passed = sum(each.verdict == "passed" for each in report.control_questions)
    items = [
        element(
            "li",
            element(
                "div",
                element(
                    "span",
                    "✓" if each.verdict == "passed" else "✗",
                    class_="tick" if each.verdict == "passed" else "tick cross",
                    role="img",
                    aria_label=each.verdict,
                ),
                element(
                    "div",
                    element("h3", words.short(each.question)),
                    element("p", words.short(each.answer), " ", refs(each.evidence, report.evidence)),
                ),
                class_="verdict",
            ),
            class_="cites",
        )
        for each in report.control_questions
    ]
    aside = f"Asked by the program of itself before it answered: {passed} of {len(items)} passed."
    return section("controls", "Control questions", aside, element("ul", items, class_="rows"))


def claims(report: Report) -> Markup | None:
    """Hold what people said against the telemetry: one entry a judgement, everybody it holds for under it."""
    if not report.claims:
        return None
    judged: dict[tuple[str, str], list[Claim]] = {}
    for each in report.claims:
        judged.setdefault((each.status, words.short(each.reason)), []).append(each)
    items = [
        element(
            "li",
            element("p", pill(status, _TONES[status]), " ", reason),
            [_said(each, report) for each in said],
            class_="cites",
        )
        for (status, reason), said in judged.items()
    ]
    return section("people", "What people said", "Held against the telemetry.", element("ul", items, class_="rows"))


def reading(report: Report) -> Markup | None:
    """Say how a model's answer stood up."""
    if report.reading is None:
        return None
    items = [element("li", element("p", words.short(row))) for row in reading_rows(report.reading)]
    return section(
        "model", "What the model read", "Held against the measurements.", element("ul", items, class_="rows")
    )


def _said(claim: Claim, report: Report) -> Markup:
    by = joined(
        " ", element("span", words.visible(claim.author), class_="name"), " ", refs(claim.evidence, report.evidence)
    )
    return element("blockquote", f"“{words.visible(claim.quote)}”", by)
