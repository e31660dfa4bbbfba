"""How the ties of a cascade stood up to what could explain them otherwise, in a few lines that all faces share.

Leaves out how a face sets them; nothing is said of what was not asked.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from bot.domain.report import Report, StepLink, Tested
from bot.pages.words import number, p_value

Row = tuple[str, str]
MOST_NAMED = 3
"""Ties that are named one by one."""


def tie_rows(report: Report) -> tuple[Row, ...]:
    """Give what was asked of the ties and what came of it: a label and a sentence each."""
    held = [link for link in report.cascade.links if link.status == "supported"]
    return tuple(_rows(report, held))


def _rows(report: Report, held: Sequence[StepLink]) -> Iterator[Row]:
    if daily := _daily(held):
        yield "time of day", daily
    if rhythm := _rhythm(held):
        yield "rhythm", rhythm
    direct = [link for link in held if link.route == "direct" and link.given is not None]
    if direct:
        each = (f"{_pair(link)} stays with {_given(link)} held fixed" for link in direct)
        yield "direct", " · ".join(each)
    if indirect := [link for link in held if link.route == "indirect"]:
        yield "indirect", " · ".join(f"{_pair(link)} by way of {_given(link)}" for link in indirect)
    if open_ := [link for link in held if link.route == "cannot_tell" and _neighbours(link, report)]:
        each = (f"{_pair(link)} beside {_given(link)}" for link in open_)
        why = "they come together, so that only a time without the one or the other would tell"
        yield "not told apart", f"{' · '.join(each)}: {why}"
    if report.tested is not None:
        yield "tested", _tested(report.tested)


def _tested(tested: Tested) -> str:
    return (
        f"{number(tested.pairs)} pairs, of which {number(tested.supported)} hold; false discoveries kept to "
        f"{tested.rate:.0%} of each family of pairs (Benjamini-Hochberg)"
    )


def _daily(held: Sequence[StepLink]) -> str:
    asked = [(link, link.time_of_day) for link in held if link.time_of_day is not None]
    stay = [(link, told.p_value) for link, told in asked if told.verdict == "stays" and told.p_value is not None]
    open_ = [link for link, told in asked if told.verdict == "cannot_tell"]
    said = []
    if stay:
        worst = max(p for _, p in stay)
        who = f"{_all_of(len(stay))} stay" if len(stay) == len(asked) > 1 else _stays([link for link, _ in stay])
        said.append(f"{who} with it held fixed, {p_value(worst)}{' at most' if len(stay) > 1 else ''}")
    if open_:
        said.append(
            f"{' · '.join(_pair(link) for link in open_)} cannot be told from the daily cycle: they keep the same hours"
        )
    return "; ".join(said)


def _rhythm(held: Sequence[StepLink]) -> str:
    """Say how the ties hold against the beat that both ends keep: the hour, the week, or their own."""
    asked = [(link, link.rhythm) for link in held if link.rhythm is not None]
    said = []
    for beat in dict.fromkeys(told.given for _, told in asked):
        here = [(link, told) for link, told in asked if told.given == beat]
        stay = [(link, told.p_value or 0.0) for link, told in here if told.verdict == "stays"]
        if stay:
            most = " at most" if len(stay) > 1 else ""
            said.append(
                f"{_who_holds([link for link, _ in stay], len(here))} also against {beat}, {p_value(max(p for _, p in stay))}{most}"
            )
        if open_ := [link for link, told in here if told.verdict == "cannot_tell"]:
            said.append(f"{' · '.join(map(_pair, open_))} cannot be told from a clock: both keep {beat}")
    return "; ".join(said)


def _who_holds(links: Sequence[StepLink], asked: int) -> str:
    if len(links) > MOST_NAMED:
        return f"{_all_of(asked)} hold" if len(links) == asked else f"{len(links)} of {asked} ties asked hold"
    return f"{' · '.join(map(_pair, links))} hold{'s' if len(links) == 1 else ''}"


def _all_of(count: int) -> str:
    return "both ties asked" if count == 2 else f"all {count} ties asked"


def _stays(links: Sequence[StepLink]) -> str:
    return f"{' · '.join(_pair(link) for link in links)} stay{'s' if len(links) == 1 else ''}"


def _neighbours(link: StepLink, report: Report) -> bool:
    return (link.cause, link.effect) in {(one.id, other.id) for one, other in pairwise(report.cascade.steps)}


def _pair(link: StepLink) -> str:
    return f"{link.cause} → {link.effect}"


def _given(link: StepLink) -> str:
    return link.given.given if link.given is not None else ""
