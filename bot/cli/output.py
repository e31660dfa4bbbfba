"""From a result to a page, and from a page to where it goes: the terminal, a pipe or a file."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from bot.analyst.packing_material import Packed
from bot.casefile.home import CaseSummary
from bot.casefile.search import SearchResult
from bot.cli import words
from bot.cli.render_json import as_json, render_json
from bot.cli.render_text import DEFAULT_WIDTH, Palette, plain_characters, render_answer, render_text
from bot.domain.report import Answer, Report, to_json
from bot.domain.window import rfc3339
from bot.errors import StorageError
from bot.pages.markdown import render_answer_markdown, render_markdown

_PALETTES: dict[str, Palette] = {"standard": "standard", "256": "256", "truecolor": "truecolor", "windows": "standard"}
_WIDEST = 120


def report_page(report: Report, form: str, to_file: bool = False) -> str:
    """Render a report in the form asked for; text fits the terminal, and a file gets neither colour nor its width."""
    if form == "json":
        return render_json(report)
    if form == "markdown":
        return render_markdown(report)
    if form == "html":
        from bot.cli.render_html import render_html  # noqa: PLC0415 - no other face waits for its drawings

        page = render_html(report)
        # the page says that it is UTF-8: where the pipe is not, references in ASCII mean the same
        told = to_file or (sys.stdout.encoding or "utf-8").lower().replace("-", "") == "utf8"
        return page if told else page.encode("ascii", "xmlcharrefreplace").decode("ascii")
    return render_text(report) if to_file else render_text(report, *_screen())


def answer_page(answer: Answer, form: str) -> str:
    """Render the answer to a follow-up."""
    if form == "json":
        return render_json(answer)
    return render_answer_markdown(answer) if form == "markdown" else render_answer(answer, *_screen())


def cases_page(found: Sequence[CaseSummary], form: str) -> str:
    """Render the list of cases."""
    if form == "json":
        return as_json([_case_document(each) for each in found])
    if not found:
        return "No cases yet: rootcause analyze PATH makes one.\n"
    width, _ = _screen()
    lines: list[str] = []
    for each in found:
        state = "broken" if each.broken else (each.verdict or "no report").replace("_", " ")
        asked = f"  {words.visible(each.window.asked)}" if each.window else ""
        lines.append(f"{each.id}  {words.moment(each.created_at)}  {state}{asked}  {words.size(each.size)}")
        lines.append(f"    {words.clip(each.broken or each.summary or each.question, width - 4)}")
    return "\n".join(lines) + "\n"


def _case_document(each: CaseSummary) -> dict[str, object]:
    return {
        "case": each.id,
        "created_at": rfc3339(each.created_at),
        "window": to_json(each.window),
        "question": each.question,
        "verdict": each.verdict,
        "summary": each.summary,
        "bytes": each.size,
        "broken": each.broken,
    }


def search_page(found: SearchResult, form: str) -> str:
    """Render what a search found, and say how much of it is shown."""
    if form == "json":
        hits = [
            {
                "id": each.id,
                "at": rfc3339(each.at) if each.at else None,
                "source": each.source,
                "entity": each.entity,
                "text": each.text,
                "locator": each.locator,
            }
            for each in found.hits
        ]
        return as_json({"total": found.total, "hits": hits})
    if not found.hits:
        return "Nothing in this case matches: try fewer or shorter words, or a wider time.\n"
    width, _ = _screen()
    lines: list[str] = []
    for each in found.hits:
        lines.append(f"{each.id}  {words.moment(each.at)}  {words.visible(each.entity)}  {words.visible(each.locator)}")
        lines.append(f"    {words.clip(each.text, 2 * (width - 4) - 8)}")
    if found.total > len(found.hits):
        lines.append(f"{len(found.hits)} of {found.total:,} hits; --limit shows more.")
    return "\n".join(lines) + "\n"


def packed_note(packed: Packed) -> str:
    """Say how large a packed case is, and what is not in it."""
    whole = "all of the case" if packed.whole else "not all of it fits; the section ledger says what is missing"
    withheld = "".join(f"\n{each.source}: {each.words}" for each in packed.withheld)
    return f"About {packed.tokens:,} tokens, {whole}.{withheld}"


def emit(page: str, out: Path | None) -> None:
    """Print a page, or write it to a file; raise StorageError where the file cannot be written."""
    if out is None:
        _print(plain_characters(page, sys.stdout.encoding or "utf-8"))
        return
    try:
        out.write_text(page, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise StorageError(f"{out} cannot be written ({error.strerror}): give --out another place.") from error
    click.echo(f"Wrote {out}", err=True)


def _print(page: str) -> None:
    try:
        click.echo(page, nl=False, color=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StorageError(
            f"Standard output takes no more ({error.strerror}): make room, or send it somewhere else."
        ) from error


def _screen() -> tuple[int, Palette | None]:
    console = Console(file=sys.stdout)
    if not console.is_terminal:
        return DEFAULT_WIDTH, None
    palette = None if console.no_color or console.color_system is None else _PALETTES[console.color_system]
    return min(console.width, _WIDEST), palette
