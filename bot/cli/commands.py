"""The commands: each reads its arguments, calls one use case and prints one rendering.

Everything heavy is imported inside a command, so that ``--help`` answers at once.
"""

from datetime import UTC, datetime
from pathlib import Path

import click

from bot.cli.analyst_options import of_analyst
from bot.cli.application import application_of
from bot.cli.model_commands import COMMANDS as MODEL_COMMANDS
from bot.cli.pack_commands import COMMANDS as PACK_COMMANDS
from bot.cli.serve_commands import COMMANDS as SERVE_COMMANDS
from bot.domain.choice import AnalystChoice
from bot.errors import RootcauseError, UsageError

EXIT_CODES = """\b
Exit codes:
  0  a cause was found, or the question was answered
  1  an error: the sentence on standard error says what to do
  2  a wrong call: a path, a window, an option
  3  inconclusive: too little to name a cause, or to answer
  4  no incident in the window
"""
_BY_VERDICT = {"cause_found": 0, "inconclusive": 3, "no_incident": 4}

_FORMATS = click.Choice(["text", "json", "markdown"])
_REPORT_FORMATS = click.Choice(["text", "json", "markdown", "html"])
_TEXT_OR_JSON = click.Choice(["text", "json"])


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="rootcause-bot", message="rootcause %(version)s")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of a fault of this program.")
def rootcause() -> None:
    """Read a whole incident export, offline, and print the tested causal cascade behind it."""


@rootcause.command(epilog=EXIT_CODES)
@click.argument("path", metavar="PATH", required=False)
@click.option("--live", is_flag=True, help="Read what rootcause.yaml names, as it is now; PATH may be left away.")
@click.option("--namespace", "-n", "namespaces", multiple=True, help="With --live: only this namespace; repeatable.")
@click.option("--question", "-q", help="What to explain, as you would ask a colleague. Default: whatever went wrong.")
@click.option(
    "--window",
    "--since",
    "-w",
    metavar="WINDOW",
    help="5d, 36h, or 2026-11-01..2026-11-06. Default: the whole export; with --live the last day.",
)
@click.option(
    "--format", "form", type=_REPORT_FORMATS, default="text", show_default=True, help="How to print the report."
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the report to a file instead.")
@click.option("--quiet", is_flag=True, help="No progress on standard error.")
@of_analyst
@click.pass_context
def analyze(  # noqa: PLR0913, PLR0917 - click hands every option over
    context: click.Context,
    path: str | None,
    live: bool,
    namespaces: tuple[str, ...],
    question: str | None,
    window: str | None,
    form: str,
    out: Path | None,
    quiet: bool,
    choice: AnalystChoice,
) -> int:
    """Investigate the incident export at PATH, or the live services, and keep the case.

    PATH is a folder of kubectl, Prometheus, Slack and Jira files, a .zip, .tar.gz or .tar.zst of one, or - for a tar on
    standard input.
    """
    from bot.cli import output, progress  # noqa: PLC0415 - --help must not wait for rich

    if path is None and not live:
        raise click.UsageError("Missing argument 'PATH'.")
    if path is not None and not path.strip():
        raise UsageError("PATH is empty: give the folder or archive of an incident export.")
    if out is not None and not out.parent.is_dir():
        raise UsageError(f"The folder {out.parent} does not exist: make it, or give --out another place.")
    with progress.reporter(quiet) as told:
        application = application_of(context)
        if live:
            report = application.analyze_live(
                path, question=question, window=window, namespaces=namespaces, progress=told, choice=choice
            )
        else:
            report = application.analyze(path or "", question=question, window=window, progress=told, choice=choice)
    try:
        output.emit(output.report_page(report, form, to_file=out is not None), out)
    except KeyboardInterrupt:
        raise RootcauseError(f"stopped; the case is whole and kept: rootcause show {report.case}") from None
    return _BY_VERDICT[report.verdict]


@rootcause.command(epilog=EXIT_CODES)
@click.argument("case", metavar="CASE")
@click.argument("question", nargs=-1, required=True, metavar="QUESTION")
@click.option("--format", "form", type=_FORMATS, default="text", show_default=True, help="How to print the answer.")
@of_analyst
@click.pass_context
def ask(
    context: click.Context,
    case: str,
    question: tuple[str, ...],
    form: str,
    choice: AnalystChoice,
) -> int:
    """Ask a follow-up question about a case.

    Was X related? What happened on day 3? When next? What would fix it? How sure are you? What did you not see?
    """
    from bot.cli import output  # noqa: PLC0415 - --help must not wait for rich

    asked = " ".join(question).strip()
    if not asked:
        raise UsageError("The question is empty: ask, for example, “was the restart on day 3 related?”")
    answer = application_of(context).ask(case, asked, choice)
    output.emit(output.answer_page(answer, form), None)
    return 3 if answer.verdict == "unknown" else 0


@rootcause.command()
@click.option("--format", "form", type=_TEXT_OR_JSON, default="text", show_default=True, help="How to print the list.")
@click.pass_context
def cases(context: click.Context, form: str) -> int:
    """List the cases kept on this machine, the newest first."""
    from bot.cli import output  # noqa: PLC0415 - --help must not wait for rich

    output.emit(output.cases_page(list(application_of(context).cases()), form), None)
    return 0


@rootcause.command()
@click.argument("case", metavar="CASE")
@click.option(
    "--format", "form", type=_REPORT_FORMATS, default="text", show_default=True, help="How to print the report."
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the report to a file instead.")
@click.pass_context
def show(context: click.Context, case: str, form: str, out: Path | None) -> int:
    """Print the report of a case again."""
    from bot.cli import output  # noqa: PLC0415 - --help must not wait for rich

    report = application_of(context).report(case)
    output.emit(output.report_page(report, form, to_file=out is not None), out)
    return 0


@rootcause.command()
@click.argument("case", metavar="CASE")
@click.argument("text", metavar="TEXT")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Show at most so many.")
@click.option("--since", metavar="TIME", help="From this time on, ISO 8601; UTC where it names no zone.")
@click.option("--until", metavar="TIME", help="Before this time.")
@click.option("--format", "form", type=_TEXT_OR_JSON, default="text", show_default=True, help="How to print the hits.")
@click.pass_context
def search(
    context: click.Context, case: str, text: str, limit: int, since: str | None, until: str | None, form: str
) -> int:
    """Search a case's logs, events, objects, chat and tickets for TEXT."""
    from bot.cli import output  # noqa: PLC0415 - --help must not wait for rich

    if not text.strip():
        raise UsageError("TEXT is empty: give words to search for.")
    found = application_of(context).search(case, text, _instant(since), _instant(until), limit)
    output.emit(output.search_page(found, form), None)
    return 0


@rootcause.command()
@click.argument("scenario", metavar="SCENARIO")
@click.argument("out", type=click.Path(file_okay=False, path_type=Path), metavar="OUT")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same export.")
@click.option("--days", type=click.FloatRange(min=0, min_open=True), default=5.0, show_default=True, help="Length.")
@click.option("--scale", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True, help="Traffic.")
@click.option("--degrade", metavar="MODES", default="", help="Ways to spoil the evidence, comma-separated.")
def simulate(scenario: str, out: Path, seed: int, days: float, scale: float, degrade: str) -> int:
    """Simulate an incident of the kind SCENARIO and write its export to OUT, its truth beside it."""
    from bot.evals.simulate import simulate as run_simulation  # noqa: PLC0415 - --help must not wait for numpy

    modes = [mode.strip() for mode in degrade.split(",") if mode.strip()]
    truth = run_simulation(scenario, out, seed=seed, days=days, scale=scale, degrade=modes)
    click.echo(f"Wrote {out}, and what really happened to {truth}. Try: rootcause analyze {out}", err=True)
    return 0


for _each in (*PACK_COMMANDS, *MODEL_COMMANDS, *SERVE_COMMANDS):
    rootcause.add_command(_each)


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is not a time: write 2026-11-22T06:28:01Z, or 2026-11-22.") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
