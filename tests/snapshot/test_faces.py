"""What the faces print, kept as files that a reviewer can look at; run this file to write them anew."""

from pathlib import Path

import pytest
from sample_report import ANSWER, INCONCLUSIVE, QUIET, REPORT

from bot.cli.render_text import render_answer, render_text
from bot.pages.markdown import render_answer_markdown, render_markdown

FOLDER = Path(__file__).parent
PAGES = {
    "found-100.txt": lambda: render_text(REPORT, 100),
    "found-60.txt": lambda: render_text(REPORT, 60),
    "inconclusive-100.txt": lambda: render_text(INCONCLUSIVE, 100),
    "no-incident-100.txt": lambda: render_text(QUIET, 100),
    "answer-100.txt": lambda: render_answer(ANSWER, 100),
    "found.md": lambda: render_markdown(REPORT),
    "answer.md": lambda: render_answer_markdown(ANSWER),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_as_it_was(name):
    """A change of a face is a change somebody has looked at."""
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name]()


if __name__ == "__main__":
    for file, page in PAGES.items():
        (FOLDER / file).write_text(page(), encoding="utf-8")
