"""The three shapes that the terminal page is made of: a heading, a hanging paragraph, a paragraph beside a rail."""

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

MUTED = "dim"


def heading(title: str, note: str = "") -> Text:
    """Open a section: an empty line, then its title in bold."""
    text = Text("\n").append(title, style="bold")
    return text.append(f"  {note}", style=MUTED) if note else text


def hang(mark: str | Text, *paragraphs: Text) -> Table:
    """Set paragraphs beside a mark, so that wrapped lines stay clear of it; ``mark`` carries its own blanks."""
    grid = Table.grid(padding=0, expand=False)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for number, paragraph in enumerate(paragraphs):
        grid.add_row(mark if number == 0 else "", paragraph)
    return grid


@dataclass(frozen=True, slots=True)
class Railed:
    """A paragraph whose first line follows ``first`` and every wrapped line ``rail``; both are equally wide."""

    first: Text
    rail: Text
    paragraph: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Wrap to what the rail leaves of the width."""
        room = max(options.max_width - self.rail.cell_len, 10)
        for number, line in enumerate(self.paragraph.wrap(console, room)):
            line.rstrip()
            yield Text.assemble(self.rail if number else self.first, line)
