"""The real command among other processes: Ctrl-C and kills, two runs at once, pipes that close, terminals of any width."""

import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest
from command import PATIENCE_S, ROOT, STORY, environment, kept, line, refused, rootcause

# Interruptions


def interrupted(home, written):
    """Press Ctrl-C in the story's analysis once the half-written case has so many bytes."""
    process = subprocess.Popen(
        line("analyze", STORY, "--quiet"), cwd=ROOT, env=environment(home), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - a test run in the background ignores SIGINT, and so would its children
    )  # fmt: skip
    until = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < until:
        if any(size >= written for size in sizes(home)):
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out, err.decode()


def sizes(home):
    """Give the sizes of the half-written cases."""
    with suppress(FileNotFoundError):
        return [path.stat().st_size for path in Path(home).glob("*.partial*")]
    return []


@pytest.mark.skipif(os.name != "posix", reason="SIGINT is sent as on POSIX")
@pytest.mark.parametrize("written", [1, 50_000, 400_000])
def test_ctrl_c_keeps_nothing(home, written):
    """In the middle of reading or digesting: code 1, one sentence, and no file left."""
    code, out, err = interrupted(home, written)
    if out or "the case is whole and kept" in err:
        pytest.skip("this machine had answered by then")
    assert (1, b"", "rootcause: stopped; nothing was kept\n") == (code, out, err.lstrip("\n"))
    assert [] == kept(home)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_a_killed_run_leaves_no_case(home):
    """What a kill leaves is no case: it is not listed, and it says of itself that it was not finished."""
    process = subprocess.Popen(
        line("analyze", STORY, "--quiet"), cwd=ROOT, env=environment(home), stdout=subprocess.DEVNULL
    )
    until = time.monotonic() + PATIENCE_S
    while not kept(home) and time.monotonic() < until and process.poll() is None:
        time.sleep(0.01)  # until the half-written file is there
    process.kill()
    process.wait()
    left = kept(home)
    if any(name.endswith(".case") for name in left):
        pytest.skip("this machine had finished by then")
    assert [".partial"] == [name[name.index(".") :] for name in left]
    assert [] == rootcause(home, "cases", "--format", "json").json
    refused(rootcause(home, "show", left[0].removesuffix(".partial")), 1, "not finished")


def test_two_runs_at_once(home, export):
    """Two analyses side by side make two cases, and two questions to one case are both kept."""
    runs = [
        subprocess.Popen(
            line("analyze", export, "--quiet"), cwd=ROOT, env=environment(home), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip
    told = [run.communicate(timeout=PATIENCE_S) for run in runs]
    assert [b"", b""] == [err for _, err in told]
    assert 2 == len(kept(home))
    name = kept(home)[0].removesuffix(".case")
    asked = [
        subprocess.Popen(line("ask", name, "how", "sure?"), cwd=ROOT, env=environment(home), stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    for each in asked:
        each.communicate(timeout=PATIENCE_S)
    with closing(sqlite3.connect(home / f"{name}.case")) as connection:
        assert (2,) == connection.execute("SELECT count(*) FROM questions").fetchone()


# Where the output goes


def test_a_pipe_that_closes_early(case):
    """``| head -1`` ends the program without a word."""
    ran = subprocess.run(
        ["sh", "-c", '"$@" | head -1', "sh", *line("show", case.stem)], cwd=ROOT, env=environment(case.parent),
        capture_output=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert (0, b"", 1) == (ran.returncode, ran.stderr, ran.stdout.count(b"\n"))


@pytest.mark.parametrize("columns", ["20", "60", "300"])
def test_pages_fit_the_terminal_and_carry_no_colour_through_a_pipe(case, columns):
    """Neither a narrow terminal nor a pipe breaks the page; escape sequences stay out of a pipe."""
    ran = rootcause(case.parent, "show", case.stem, COLUMNS=columns, TERM="xterm-256color")
    assert 0 == ran.code
    assert "\x1b" not in ran.out


def test_no_colour_on_a_terminal_that_wants_none(case):
    """NO_COLOR holds where standard output is a terminal."""
    pty = pytest.importorskip("pty")
    leader, follower = pty.openpty()
    with os.fdopen(leader, "rb", buffering=0) as screen:
        process = subprocess.Popen(
            line("show", case.stem), cwd=ROOT, stdout=follower, stderr=subprocess.DEVNULL,
            env=environment(case.parent, NO_COLOR="1", TERM="xterm-256color", COLUMNS="60"),
        )  # fmt: skip
        os.close(follower)
        shown = b""
        try:
            while piece := screen.read(65536):
                shown += piece
        except OSError:  # Linux ends a pseudo-terminal with EIO
            pass
        assert 0 == process.wait(timeout=PATIENCE_S)
    assert b"confidence" in shown
    assert b"\x1b[3" not in shown
    assert 62 >= max(map(len, shown.decode().splitlines()))
