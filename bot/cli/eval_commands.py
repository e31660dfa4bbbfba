"""The command that measures the engine on simulated incidents, and its table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from bot.cli.application import application_of
from bot.errors import UsageError

if TYPE_CHECKING:  # results bring the simulator along, and --help must not wait for it
    from bot.evals.runner import Result
    from bot.evals.scorer import Part
    from bot.evals.tally import Row

_HEAD = (
    "scenario",
    "variant",
    "right",
    "or open",
    "steps",
    "in time",
    "in order",
    "invented",
    "controls",
    "strict",
    "ruled out",
    "quotes",
    "s",
    "MB",
)


@click.command("eval")
@click.option("--scenarios", metavar="NAMES", default="", help="Comma-separated; default: all of them.")
@click.option("--seeds", metavar="SEEDS", default="", help="Comma-separated numbers or ranges as 7-9; default: three.")
@click.option("--degrade", metavar="MODES", default="", help="plain, or ways to spoil evidence; + joins, all is each.")
@click.option("--days", type=click.FloatRange(min=0.1), default=5.0, show_default=True, help="Length of the windows.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Cases side by side.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Output."
)
@click.pass_context
def evaluate(
    context: click.Context, scenarios: str, seeds: str, degrade: str, days: float, jobs: int, form: str
) -> int:
    """Measure the engine: simulate incidents, analyze each, and compare with what really happened."""
    from bot.cli.render_json import as_json  # noqa: PLC0415 - --help must not wait for the report's types
    from bot.evals import runner, tally  # noqa: PLC0415 - --help must not wait for numpy

    todo = runner.plan(_words(scenarios), _numbers(seeds), _words(degrade), days=days, jobs=jobs)
    results = application_of(context).evaluate(todo, lambda result: click.echo(_line(result), err=True))
    page = as_json(tally.document(results)) if form == "json" else _table(results)
    click.echo(page, nl=False)
    return 0


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _numbers(text: str) -> list[int]:
    found: list[int] = []
    for word in _words(text):
        first, _, last = word.partition("-")
        if not (first.isdigit() and (last.isdigit() or not last)):
            raise UsageError(f"{word!r} is no seed: write numbers or ranges, as in 3,7-9.")
        found.extend(range(int(first), int(last or first) + 1))
    return found


def _line(result: "Result") -> str:
    case, scored = result.case, result.score
    if scored is None:
        return f"{case.scenario} {case.variant} {case.seed}: failed: {result.error}"
    told = f"{case.scenario} {case.variant} {case.seed}: {scored.outcome}, {scored.confidence}, {scored.named or 'no cause'}"
    return "; ".join((told, *scored.failed_controls))


def _table(results: "Sequence[Result]") -> str:
    from bot.evals import tally  # noqa: PLC0415 - --help must not wait for numpy

    lines = [_HEAD, *(_cells(row) for row in [*tally.rows(results), *tally.totals(results)])]
    widths = [max(len(line[i]) for line in lines) for i in range(len(_HEAD))]
    text = [_aligned(line, widths) for line in lines]
    text += ["", "confidence  right"]
    for level in tally.reliability(results):
        text.append(f"{level.confidence:<10}  {_share(level.right)}")
    failed = [_line(each) for each in results if each.score is None]
    return "\n".join([*text, *failed]) + "\n"


def _aligned(cells: "tuple[str, ...]", widths: list[int]) -> str:
    named = [cell.ljust(width) for cell, width in zip(cells[:2], widths[:2], strict=True)]
    counted = [cell.rjust(width) for cell, width in zip(cells[2:], widths[2:], strict=True)]
    return "  ".join([*named, *counted]).rstrip()


def _cells(row: "Row") -> tuple[str, ...]:
    other = ", ".join(f"{count} {name}" for name, count in row.outcomes.items() if name != "right")
    return (
        row.scenario,
        row.variant,
        _of(row.right) + (f" ({other})" if other else ""),
        _of(row.honest),
        _of(row.steps),
        _of(row.timed),
        _of(row.ordered),
        str(row.invented),
        _of(row.controls),
        _of(row.strict),
        _of(row.ruled_out),
        _of(row.quotes),
        f"{row.seconds:.1f}",
        f"{row.peak_mb:.0f}",
    )


def _of(part: "Part") -> str:
    return f"{part.good}/{part.total}"


def _share(part: "Part") -> str:
    return f"{_of(part)} = {part.good / part.total:.0%}" if part.total else "none"
