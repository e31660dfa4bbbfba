"""The settings that make a cascade possible, as a small table: one row a thing, each setting once."""

import re
from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from bot.cli import words
from bot.cli.text_layout import MUTED, hang, heading
from bot.domain.report import Report

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
    if not rows:
        return
    yield heading("Settings that make it possible")
    wide = max(len(" ".join(steps)) for steps, _ in rows.values())
    for place, (steps, told) in rows.items():
        line = Text("" if told == [place] else f"{words.short(place)}  ", style="bold")
        line.append(" · ".join(words.short(each) for each in told), style="default not bold")
        yield hang(Text(f"  {' '.join(steps):<{wide}}  ", style=MUTED), line)
