"""The command line: exit codes, sentences instead of tracebacks, and what goes to which stream."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sample_report import ANSWER, INCONCLUSIVE, QUIET, REPORT, START

from bot.analyst.packing_material import Packed, Section
from bot.casefile.home import CaseSummary
from bot.casefile.search import SearchResult
from bot.casefile.stored import StoredItem
from bot.cli.frame import run
from bot.domain.items import ItemId
from bot.domain.window import Window
from bot.errors import CaseError, NotAnExportError, UsageError

HIT = StoredItem(
    id=ItemId("L980"),
    at=START,
    source="kubernetes/logs",
    entity="pod/app",
    text="Connection \x1b[31mreset",
    raw=b"",
    url=None,
    locator="a.log line 3",
)
SUMMARY = CaseSummary(
    id="c-1",
    created_at=START,
    window=Window(start=START, end=START + timedelta(days=3), asked="3d"),
    question="why?",
    verdict="cause_found",
    summary="It was the job.",
    size=1500,
)
BROKEN = CaseSummary(
    id="c-0", created_at=START, window=None, question="", verdict=None, summary="", size=7, broken="It is cut in half."
)


@pytest.fixture(autouse=True)
def scratch(tmp_path_factory, monkeypatch):
    """Keep logs of faults out of the machine's own scratch folder."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path_factory.mktemp("faults")))


@dataclass
class Application:
    """The use cases, answering from what a test hands in; an exception is raised."""

    report_given: object = REPORT
    answer: object = ANSWER
    asked: list = field(default_factory=list)

    def _give(self, value):
        if isinstance(value, BaseException):
            raise value
        return value

    def analyze(self, path, *, question, window, progress, choice):
        """Note the call and give the report."""
        progress("reading", 10, 20)
        self.asked.append((path, question, window))
        return self._give(self.report_given)

    def ask(self, case, question, choice):
        """Note the call and give the answer."""
        self.asked.append((case, question))
        return self._give(self.answer)

    def cases(self):
        """Give one case and a broken one."""
        return [SUMMARY, BROKEN]

    def report(self, case):
        """Give the report."""
        self.asked.append(case)
        return self._give(self.report_given)

    def search(self, case, text, since, until, limit):
        """Note the call and give one hit of three."""
        self.asked.append((case, text, since, until, limit))
        return SearchResult(hits=[HIT], total=3)

    def pack(self, case, *, budget, economy):
        """Note the call and give a packed case of one section."""
        self.asked.append((case, budget, economy))
        section = Section(name="logs", title="Log lines", text="L1 - =one line", tokens=12)
        return Packed(sections=(section,), tokens=12, whole=False)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (REPORT, 0),
        (INCONCLUSIVE, 3),
        (QUIET, 4),
        (CaseError("The case is cut in half: analyze the export again."), 1),
        (UsageError("The window lies outside the data."), 2),
        (NotAnExportError("Nothing here is an export."), 2),
        (KeyboardInterrupt(), 1),
        (ZeroDivisionError("oops"), 1),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, BaseException) else getattr(each, "verdict", each),
)
def test_exit_codes_are_the_documented_ones(given, expected, capsys):
    """Scripts can tell a found cause from an open question, a quiet window, an error and a wrong call."""
    assert expected == run(["analyze", "x", "--quiet"], Application(given))
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["analyze"], ["analyze", "x", "--format", "pdf"], ["nonsense"], ["ask", "c"]]
)
def test_a_wrong_call_is_code_two(arguments, capsys):
    """Click's own complaints keep the same code; no command at all prints the help."""
    assert run(arguments, Application()) == 2
    capsys.readouterr()


def test_an_error_is_one_sentence_on_standard_error(capsys):
    """Nothing reaches standard output."""
    run(["show", "c"], Application(CaseError("The case is cut in half: analyze the export again.")))
    assert capsys.readouterr() == ("", "rootcause: The case is cut in half: analyze the export again.\n")


def test_a_fault_of_the_program_is_kept_in_a_file(capsys, tmp_path, monkeypatch):
    """The screen gets a sentence, the file the traceback."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run(["show", "c"], Application(ZeroDivisionError("oops")))
    said = capsys.readouterr().err
    (log,) = tmp_path.iterdir()
    assert str(log) in said
    assert len(said.splitlines()) == 1
    assert "ZeroDivisionError: oops" in log.read_text()


def test_debug_lets_the_fault_through():
    """Who works on the program sees the traceback."""
    with pytest.raises(ZeroDivisionError):
        run(["--debug", "show", "c"], Application(ZeroDivisionError("oops")))


def test_json_on_standard_output_is_the_report_and_nothing_else(capsys):
    """A pipe into jq works."""
    run(["analyze", "x", "--format", "json", "--quiet"], Application())
    out, err = capsys.readouterr()
    assert (json.loads(out)["schema"], err) == ("rootcause.report/1", "")


def test_question_and_window_reach_the_use_case(capsys):
    """What is asked is handed on as it was said."""
    application = Application()
    run(["analyze", "x", "--question", "why 502s?", "--window", "5d"], application)
    capsys.readouterr()
    assert application.asked == [("x", "why 502s?", "5d")]


def test_a_report_can_go_to_a_file(capsys, tmp_path):
    """--out keeps standard output free."""
    code = run(["analyze", "x", "--format", "markdown", "--out", str(tmp_path / "r.md"), "--quiet"], Application())
    assert (code, capsys.readouterr().out) == (0, "")
    assert (tmp_path / "r.md").read_text(encoding="utf-8").startswith("# Cause found")


def test_a_missing_folder_for_out_is_said_before_the_work(capsys, tmp_path):
    """Nobody waits for a report that cannot be written."""
    application = Application()
    assert run(["analyze", "x", "--out", str(tmp_path / "no" / "r.md")], application) == 2
    assert application.asked == []
    capsys.readouterr()


def test_a_question_may_stand_without_quotes(capsys):
    """Words after the case are the question."""
    application = Application()
    assert run(["ask", "c", "was", "it", "related?"], application) == 0
    assert application.asked == [("c", "was it related?")]
    capsys.readouterr()


def test_an_answer_that_cannot_be_given_is_code_three(capsys):
    """Unknown is not answered."""
    from dataclasses import replace  # noqa: PLC0415 - only here

    assert run(["ask", "c", "why?"], Application(answer=replace(ANSWER, verdict="unknown"))) == 3
    capsys.readouterr()


def test_cases_are_listed(capsys):
    """Id, time, verdict, window, size and summary."""
    assert run(["cases"], Application()) == 0
    expected = (
        "c-1  2026-03-02 00:00:00Z  cause found  3d  1.5 kB\n    It was the job.\n"
        "c-0  2026-03-02 00:00:00Z  broken  7 B\n    It is cut in half.\n"
    )
    assert expected == capsys.readouterr().out


def test_search_says_how_much_it_shows(capsys):
    """Hits are safe to print, and the rest is counted."""
    application = Application()
    run(["search", "c", "reset", "--limit", "1", "--since", "2026-03-02"], application)
    out = capsys.readouterr().out
    assert "L980  2026-03-02 00:00:00Z  pod/app  a.log line 3\n    Connection reset\n1 of 3 hits" in out
    assert [("c", "reset", datetime(2026, 3, 2, tzinfo=UTC), None, 1)] == application.asked


def test_a_time_that_is_none_is_a_wrong_call(capsys):
    """The sentence shows how to write one."""
    assert run(["search", "c", "x", "--since", "teatime"], Application()) == 2
    assert "2026-11-22T06:28:01Z" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["", "analyze", "ask", "cases", "show", "search", "simulate"])
def test_every_command_explains_itself(command, capsys):
    """--help works everywhere, and the exit codes stand in the main one."""
    assert run([command, "--help"] if command else ["--help"]) == 0
    assert "Usage: rootcause" in capsys.readouterr().out


def test_help_waits_for_nothing_heavy():
    """Neither numpy nor rich nor the engine is imported for --help."""
    code = "import sys; from bot.cli.frame import run; run(['--help']); print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = set(out.splitlines()[-1].split())
    assert set() == loaded & {"numpy", "rich", "sqlite3", "yaml", "bot.app", "bot.signals"}


def test_a_reader_that_leaves_is_no_error_message():
    """``rootcause … | head`` ends quietly."""
    code = (
        "import sys; from test_cli import Application; from bot.cli.frame import run;"
        "sys.exit(run(['show', 'c'], Application()))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), said) == (1, b"")


def test_cases_and_hits_as_json(capsys):
    """Programs get the same, whole."""
    run(["cases", "--format", "json"], Application())
    listed = json.loads(capsys.readouterr().out)
    assert [("c-1", "3d"), ("c-0", None)] == [(each["case"], (each["window"] or {}).get("asked")) for each in listed]
    run(["search", "c", "reset", "--format", "json"], Application())
    assert 3 == json.loads(capsys.readouterr().out)["total"]


def test_pack_prints_what_a_model_would_see(capsys):
    """The packed text goes to standard output, its size and whether all of it fits to standard error."""
    application = Application()
    assert run(["pack", "c", "--budget", "5000", "--economy"], application) == 0
    told = capsys.readouterr()
    assert '<rootcause-data section="logs" note="Log lines">\nL1 - =one line\n</rootcause-data>\n' == told.out
    assert "About 12 tokens, not all of it fits" in told.err
    assert [("c", 5000, True)] == application.asked
