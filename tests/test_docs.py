"""What the documents say is what the program does."""

import re
import shlex
from pathlib import Path

import pytest
from readme import FIXTURE, README, ROOT, demo, example, excerpt

from bot.cli.commands import EXIT_CODES
from bot.cli.frame import rootcause

DOCUMENTS = sorted(ROOT.glob("*.md"))


def text():
    """Read the README."""
    return README.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Run the demo once."""
    if not (ROOT / FIXTURE).exists():
        pytest.skip(f"{FIXTURE} is not there: make fixture")
    return demo(str(tmp_path_factory.mktemp("home")))


def test_the_demo_finds_a_cause_and_says_nothing_on_standard_error(ran):
    """The command of the first page works as it stands there."""
    assert (0, "") == (ran.returncode, ran.stderr)


def test_the_readme_shows_what_the_demo_prints(ran):
    """The example is the program's own output; ``make readme`` refreshes it."""
    assert excerpt(ran.stdout) == example(text())


def test_a_result_is_in_view_at_once():
    """The example begins within the first 25 lines."""
    assert any(line.startswith("CAUSE FOUND") for line in text().splitlines()[:25])


def test_the_answer_is_complete_on_the_first_screen():
    """Verdict, fix, next time and the whole chain down to what was felt stand within 25 lines."""
    screen = example(text()).splitlines()[:25]
    assert [True] * 3 == [any(line.startswith(word) for line in screen) for word in ("First fix:", "Next time:", "How")]
    assert any("■" in line for line in screen)


def test_every_make_target_in_the_documents_exists():
    """No document sends anybody to a target that is not there."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {
        each
        for path in DOCUMENTS
        for each in re.findall(r"`make ([a-z-]+)|^make ([a-z-]+)", path.read_text("utf-8"), re.MULTILINE)
    }
    assert set() == {first or second for first, second in named} - targets


def test_every_command_and_option_in_the_documents_exists():
    """Each ``rootcause …`` line names a real command with real options."""
    wrong = []
    for path in DOCUMENTS:
        for line in re.findall(
            r"^(?:\$ )?rootcause (.+)$|`rootcause ([a-z]+ [^`]*)`", path.read_text("utf-8"), re.MULTILINE
        ):
            words = shlex.split((line[0] or line[1]).replace("…", ""), comments=True)
            command = rootcause.commands.get(words[0])
            if command is None and not words[0].startswith("-"):
                wrong.append(words)
            elif command is not None:
                known = {option for each in command.params for option in each.opts} | {"--help"}
                wrong += [word for word in words[1:] if word.startswith("--") and word not in known]
    assert [] == wrong


def test_the_readme_lists_the_same_exit_codes_as_the_help():
    """One table, in two places."""
    in_help = re.findall(r"^  (\d)  (.+)$", EXIT_CODES, re.MULTILINE)
    in_readme = re.findall(r"^\| (\d) \| (.+?) \|$", text(), re.MULTILINE)
    assert in_help == in_readme


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path):
    """A relative link points to a file that exists."""
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)", path.read_text("utf-8"))
    assert [] == [link for link in links if not (Path(ROOT) / link).exists()]
