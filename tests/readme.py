"""Keeps the README's example true: takes the first screen of the demo's real output and puts it between two marks.

Run by ``make readme``; ``test_docs`` fails where the README shows something else.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
FIXTURE = "fixtures/incidents/story.tar.zst"
BEGIN = "<!-- the demo's output; `make readme` refreshes it -->\n```text\n"
END = "```\n<!-- end of the demo's output -->\n"
LAST_SECTION = "\nWhat to change"
"""The excerpt ends before this heading: the answer, the chain and the timeline."""


def excerpt(page: str) -> str:
    """Take the first screen of a report."""
    return page.split(LAST_SECTION, maxsplit=1)[0].rstrip() + "\n"


def example(readme: str) -> str:
    """Give what the README shows now."""
    return readme.split(BEGIN, maxsplit=1)[1].split(END, maxsplit=1)[0]


def refreshed(readme: str, page: str) -> str:
    """Put the first screen of ``page`` into the README."""
    before, rest = readme.split(BEGIN, maxsplit=1)
    _, after = rest.split(END, maxsplit=1)
    return f"{before}{BEGIN}{excerpt(page)}{END}{after}"


def demo(home: str) -> subprocess.CompletedProcess[str]:
    """Run the demo's command with its cases kept under ``home``."""
    return subprocess.run(
        [sys.executable, "-m", "bot", "analyze", FIXTURE, "--quiet"],
        cwd=ROOT,
        env={"ROOTCAUSE_HOME": home, "PATH": os.defpath, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        ran = demo(scratch)
    if ran.returncode:
        sys.exit(f"The demo ended with code {ran.returncode}: {ran.stderr}")
    README.write_text(refreshed(README.read_text(encoding="utf-8"), ran.stdout), encoding="utf-8")
