"""The HTML page's drawings: the cascade as boxes joined by measured arrows, and the window as lanes of time."""

from collections.abc import Iterator
from datetime import datetime

from bot.analyst.words import lane
from bot.charts.markup import Markup, element, joined
from bot.charts.timeline_svg import Span, SvgLane, timeline_svg
from bot.cli import words
from bot.cli.html_parts import name_of, refs, section, told
from bot.domain.report import Report, Step, StepLink
from bot.domain.spelling import lag_words
from bot.pages.tie_words import tie_rows

_BUTTONS = (
    ("+", "+", "Zoom in"),
    ("-", "\u2212", "Zoom out"),
    ("ArrowLeft", "◂", "Earlier"),
    ("ArrowRight", "▸", "Later"),
    ("p", "← Episode", "Show the episode before"),
    ("n", "Episode →", "Show the next episode"),
    ("0", "Whole window", "Show the whole window"),
)
_BY_EPISODE = frozenset("np")
_MOST_LANES = 12
"""Of what was ruled out; further ones stand in its list."""
_CAPTION = 140
_LANE_NAME = 20
"""Characters of a name before a lane, which has room for about 27 with what happened to it."""


def cascade(report: Report) -> Markup | None:
    """Draw the steps, root cause first, with what was measured between neighbours; nothing where there are none."""
    steps = report.cascade.steps
    if not steps:
        return None
    title = "How it came about" if report.verdict == "cause_found" else "What may have come about, unproven"
    by_pair = {(each.cause, each.effect): each for each in report.cascade.links}
    items: list[Markup] = []
    seen: set[str] = set()
    drawn: set[tuple[str, str]] = set()
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        part = "felt" if last else "root" if number == 0 and report.root_cause is not None else ""
        parts = [_step(report, step, part, seen)]
        if not last:
            pair = (step.id, steps[number + 1].id)
            drawn.add(pair)
            parts.append(_arrow(by_pair.get(pair)))
        items.append(element("li", parts))
    beside = [each for each in report.cascade.links if (each.cause, each.effect) not in drawn]
    return section(
        "cascade",
        title,
        "Cause above, effect below; on an arrow, what was measured between the two.",
        element("ol", items, class_="chain"),
        _beside(beside),
        _asked(report),
        hint="Open a mark such as E1 to read the evidence.",
    )


def _step(report: Report, step: Step, part: str, seen: set[str]) -> Markup:
    mark = {"root": " root cause", "felt": " what was felt"}.get(part, "")
    facts = [each for each in step.facts if each not in seen]
    seen.update(facts)
    said = {1: "once", 2: "twice"}.get(step.count, f"{words.number(step.count)} times")
    often = "" if step.count == 1 or said in step.summary else f"{words.number(step.count)}×, "
    first = "first " if step.count > 1 else ""
    box = element(
        "div",
        element("p", f"{step.id}{mark}", class_="tag"),
        element("p", told(step.entity, step.summary, " "), class_="told"),
        element(
            "p",
            f"{often}{first}{words.short_moment(step.first_at)} UTC ",
            refs(step.evidence, report.evidence),
            class_="sub",
        ),
        class_="box",
    )
    whose = f"{step.entity}: "
    settings = element("ul", [element("li", words.short(each.removeprefix(whose))) for each in facts], class_="why")
    shape = f"step {part}" if facts else f"step plain {part}"
    return element("div", element("div", box, settings if facts else None, class_=shape.strip()), class_="cites")


def _arrow(link: StepLink | None) -> Markup:
    status = link.status if link is not None else "untested"
    drawing = element(
        "svg",
        element("line", x1=7, y1=1, x2=7, y2=33),
        element("path", d="M2 28l5 6l5 -6"),
        viewBox="0 0 14 38",
        aria_hidden="true",
    )
    said = element("span", _numbers(link)) if link is not None else element("span", "not tested")
    return element("div", drawing, said, class_=f"arrow {status}")


def _numbers(link: StepLink) -> Markup:
    lag = lag_words(link.lag, link.resolution_s) if link.lag is not None else ""
    parts = [
        f"{words.number(link.hits)} of {words.plural(link.hits + link.misses, 'time')}"
        if link.hits + link.misses
        else "",
        f"{words.number(link.unexplained)} without it" if link.unexplained else "",
        words.p_value(link.p_value) if link.p_value is not None else "",
        words.visible(link.test) if link.status != "supported" else "",
    ]
    rest = " · ".join(part for part in parts if part)
    mark = "" if link.status == "supported" else f"{link.status}: "
    return joined(mark, element("b", lag) if lag else None, " · " if lag and rest else "", rest)


def _beside(links: list[StepLink]) -> Markup | None:
    if not links:
        return None
    head = element("tr", element("th", "Also measured", scope="colgroup", colspan=2))
    rows = [
        element("tr", element("td", f"{each.cause} → {each.effect}", class_="day"), element("td", _numbers(each)))
        for each in links
    ]
    return element("div", element("table", element("thead", head), element("tbody", rows)), class_="beside wide")


def _asked(report: Report) -> Markup | None:
    """Say how the ties stood up to what could explain them otherwise."""
    told = tie_rows(report)
    if not told:
        return None
    head = element("tr", element("th", "Held against other explanations", scope="colgroup", colspan=2))
    rows = [
        element("tr", element("td", label, class_="day"), element("td", words.visible(text))) for label, text in told
    ]
    return element("div", element("table", element("thead", head), element("tbody", rows)), class_="beside wide")


def window_timeline(report: Report) -> Markup | None:
    """Draw the symptom's episodes above the steps, what was ruled out and what people said; nothing where nothing has times."""
    lanes = [each for each in (*_felt(report), *_steps(report), *_ruled_out(report), *_people(report)) if each.spans]
    if not lanes:
        return None
    episodes = any(each.role == "symptom" for each in lanes)
    tools = [
        element("button", label, type="button", data_act=act, title=title, aria_label=title)
        for act, label, title in _BUTTONS
        if episodes or act not in _BY_EPISODE
    ]
    how = "Pinch, Ctrl + wheel or + and - zoom; drag or arrow keys move"
    how += "; n and p go from episode to episode." if episodes else "."
    return section(
        "timeline",
        "When",
        "All times UTC.",
        element(
            "div",
            element("div", tools, class_="tools", role="toolbar", aria_label="Timeline"),
            timeline_svg(report.window.start, report.window.end, lanes),
            element("p", class_="readout", aria_live="polite"),
            class_="card when",
        ),
        hint=how,
    )


def _felt(report: Report) -> Iterator[SvgLane]:
    if report.symptom is None:
        return
    steps = report.cascade.steps
    spans = tuple(
        Span(
            start=each.start,
            end=each.end,
            size=float(each.count),
            caption=f"{words.number(each.count)} counted"
            + (", not explained by the cascade" if steps and not each.explained else ""),
            faint=bool(steps) and not each.explained,
        )
        for each in report.symptom.episodes
    )
    title = f"Symptom: {words.short(report.symptom.summary)}"
    yield SvgLane(
        name=steps[-1].id if steps else "", act="symptom", title=title, role="symptom", spans=spans, sized=True
    )


def _steps(report: Report) -> Iterator[SvgLane]:
    steps = report.cascade.steps
    for step in steps[:-1] if report.symptom is not None else steps:
        yield SvgLane(
            name=step.id,
            act=f"{_both_ends(words.visible(step.entity.name))} {lane(step.mechanism)}",
            title=f"{step.id}: {words.short(step.summary)}",
            role="step",
            spans=_spans(step.times),
        )


def _ruled_out(report: Report) -> Iterator[SvgLane]:
    for out in report.ruled_out[:_MOST_LANES]:
        what = words.short(out.summary).partition(",")[0].partition(":")[0]
        yield SvgLane(
            name=_both_ends(words.visible(out.entity.name)),
            act=what,
            title=f"Ruled out: {name_of(out.entity)}, {words.short(out.summary)}",
            role="ruled",
            spans=_spans(out.times),
        )


def _people(report: Report) -> Iterator[SvgLane]:
    said = sorted(
        (
            (at, f"{words.visible(claim.author)}: “{_cut(words.visible(claim.quote))}” {claim.status}")
            for claim in report.claims
            for at in [next((report.evidence[each].at for each in claim.evidence if each in report.evidence), None)]
            if at is not None and report.window.start <= at < report.window.end
        ),
    )
    spans = tuple(Span(start=at, end=at, caption=caption) for at, caption in said)
    yield SvgLane(name="people", act="said what caused it", title="What people said", role="people", spans=spans)


def _spans(times: tuple[tuple[datetime, datetime], ...]) -> tuple[Span, ...]:
    return tuple(Span(start=begin, end=finish) for begin, finish in times)


def _both_ends(name: str) -> str:
    """Leave out the middle of a long name: what tells one node from another stands at its end."""
    return name if len(name) <= _LANE_NAME else f"{name[: _LANE_NAME // 2 - 1]}…{name[-_LANE_NAME // 2 :]}"


def _cut(text: str) -> str:
    return text if len(text) <= _CAPTION else f"{text[:_CAPTION]}…"
