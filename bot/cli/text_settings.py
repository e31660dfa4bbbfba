"""The settings that make a cascade possible, and how its steps were measured, as small tables: one row a thing, each fact once."""

import re
from collections.abc import Iterator, Mapping

from rich.console import RenderableType
from rich.text import Text

from bot.cli import words
from bot.cli.text_layout import MUTED, hang, heading
from bot.domain.report import Report

_SET = re.compile(r"[A-Z]\w+ [^\s:]+(?:: |$)|[\w.-]+ is\b")
"""How a fact begins that tells of a setting: with whose it is, or with its name."""
_SETTING = re.compile(r"(?P<entity>[A-Z]\w+ [^\s:]+): (?P<name>\S+) is (?P<value>.+)")


def settings(report: Report) -> Iterator[RenderableType]:
    """List the settings of all steps, those of one thing in one row, after the steps they belong to."""
    rows: dict[str, tuple[list[str], list[str]]] = {}
    for step in report.cascade.steps:
        for fact in step.facts:
            found = _SETTING.fullmatch(fact)
            place, said = (found["entity"], f"{found['name']} {found['value']}") if found else ("", fact)
            steps, told = rows.setdefault(place or fact, ([], []))
            if step.id not in steps:
                steps.append(step.id)
            if said not in told:
                told.append(said)
    possible = {place: row for place, row in rows.items() if _SET.match(place)}
    yield from _table("What makes it possible", possible)
    yield from _table("How it was measured", {place: row for place, row in rows.items() if place not in possible})


def _table(title: str, rows: Mapping[str, tuple[list[str], list[str]]]) -> Iterator[RenderableType]:
    if not rows:
        return
    yield heading(title)
    wide = max(len(" ".join(steps)) for steps, _ in rows.values())
    for place, (steps, told) in rows.items():
        line = Text("" if told == [place] else f"{words.short(place)}  ", style="bold")
        line.append(" · ".join(words.short(each) for each in told), style="default not bold")
        yield hang(Text(f"  {' '.join(steps):<{wide}}  ", style=MUTED), line)
