"""The terminal face: the answer on the first screen, then everything it rests on.

A pure function of the report. Colours are the terminal's own sixteen, never as the only sign of anything, so that it reads
the same on a dark screen, on a light one, in a pipe and with NO_COLOR. What each part looks like is in ``text_parts``.
"""

import io
import re
from collections.abc import Iterator
from typing import Literal

from rich.console import Console, ConsoleRenderable, Group, RenderableType
from rich.text import Text

from bot.cli import text_cascade, text_parts, text_settings, words
from bot.cli.text_layout import hang, heading
from bot.domain.reading_words import analyst_words
from bot.domain.report import Answer, Report
from bot.domain.spelling import lag_words

Palette = Literal["standard", "256", "truecolor"]
DEFAULT_WIDTH = 100
_NARROWEST = 40
_TRAILING = re.compile(r"[ ]+(?=\n|$)")
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("│┊┃", "|"),
        **dict.fromkeys("─━", "-"),
        **dict.fromkeys("◆●■█▇▆▅▄", "#"),
        **dict.fromkeys("▃▂▁", "."),
        "↓": "v",
        "…": "...",
        "·": "-",
        "×": "x",
        "→": "->",
        "✓": "+",
        "✗": "x",
        "—": "-",
    }
)


def render_text(report: Report, width: int = DEFAULT_WIDTH, palette: Palette | None = None) -> str:
    """Draw a report for a terminal of ``width`` cells; without a palette there is no escape sequence in it."""
    return _draw(report_view(report, max(width, _NARROWEST)), width, palette)


def render_answer(answer: Answer, width: int = DEFAULT_WIDTH, palette: Palette | None = None) -> str:
    """Draw the answer to a follow-up."""
    return _draw(Group(*_answer(answer, max(width, _NARROWEST))), width, palette)


def plain_characters(text: str, encoding: str) -> str:
    """Replace drawing characters by ASCII where an encoding lacks them, and what is still foreign by ``?``."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, errors="replace").decode(encoding)
    return text


def report_view(report: Report, width: int) -> ConsoleRenderable:
    """Compose the whole page, the answer first."""
    parts: list[RenderableType] = [
        *text_parts.verdict(report, width),
        *text_cascade.cascade(report),
        *text_cascade.window_timeline(report, width),
        *text_parts.changes(report),
        *text_parts.predictions(report),
        *text_settings.settings(report),
        *text_parts.contributing(report),
        *text_parts.ruled_out(report),
        *text_parts.control_questions(report),
        *text_parts.claims(report),
        *text_parts.reading(report),
        *text_parts.not_seen(report),
        *text_parts.coverage(report),
        *text_parts.evidence(report.evidence, width),
        *text_parts.footer(report),
    ]
    return Group(*parts)


_OPENS_ITSELF = re.compile(r"(?:Yes|No|It|I)\b")
"""An answer that opens with its own yes or no needs no second one before it."""
_LEADS = {"related": "Related. ", "unrelated": "Unrelated. "}


def _answer(answer: Answer, width: int) -> Iterator[RenderableType]:
    told = words.short(answer.answer)
    said = Text("" if _OPENS_ITSELF.match(told) else _LEADS.get(answer.verdict, ""), style="bold")
    yield said.append(told, style="default not bold")
    test = answer.test
    if test is not None and test.hits + test.misses and words.p_value(test.p_value) not in told:
        numbers = [f"{test.hits} of {words.plural(test.hits + test.misses, 'time')}", words.p_value(test.p_value)]
        if test.lag is not None and test.hits:
            numbers.insert(0, lag_words(test.lag))
        yield hang("  ", Text(" · ".join([*numbers, *([words.visible(test.name)] if test.name else [])]), style="dim"))
    if answer.evidence:
        yield heading("Evidence")
        yield from list(text_parts.evidence(answer.evidence, width, lines=4))[1:]
    yield from (hang("  ", Text(words.short(note), style="dim")) for note in answer.notes)
    if answer.usage.tokens_in + answer.usage.tokens_cached:
        yield hang("  ", Text(words.visible(analyst_words(answer.usage)), style="dim"))


def _draw(view: ConsoleRenderable, width: int, palette: Palette | None) -> str:
    page = io.StringIO()
    console = Console(
        file=page,
        width=max(width, _NARROWEST),
        force_terminal=palette is not None,
        color_system=palette,
        no_color=palette is None,
        highlight=False,
        emoji=False,
        markup=False,
        legacy_windows=False,
        _environ={},
    )
    console.print(view, crop=False)
    return _TRAILING.sub("", page.getvalue())
