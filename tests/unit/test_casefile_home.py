import os
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from casefile_samples import at_ns, event, stream

from bot.casefile.home import CaseHome
from bot.casefile.writer import CaseWriter
from bot.errors import CaseError, StorageError
from bot.settings import Settings

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path):
    return CaseHome(tmp_path / "cases")


def a_case(home, lines=50):
    with home.create() as writer:
        writer.add_lines(writer.open_stream(stream()), [(at_ns(m), b"line %d" % m, 0) for m in range(lines)])
        writer.add_event(event())
        writer.write_report({"verdict": "inconclusive", "summary": "Too little was given."})
        return writer.finish()


def names(home):
    return sorted(path.suffix for path in home.path.iterdir())


def test_a_case_is_partial_until_it_is_finished(home):
    """While it is written nobody can take it for whole; finished, one file remains."""
    with home.create() as writer:
        assert [".partial"] == names(home)
        with pytest.raises(CaseError, match="not finished"):
            home.open(writer.id[:3])
        assert [] == list(home.list())
        writer.finish()
    assert [".case"] == names(home)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interrupted_write_leaves_nothing(home, error):
    """An exception, Ctrl-C among them, removes the partial file."""
    with pytest.raises(error), home.create():
        raise error
    assert [] == names(home)


def test_leaving_without_finish_leaves_nothing(home):
    """A writer that was never told to finish has written no case."""
    with home.create():
        pass
    assert [] == names(home)


def test_a_killed_writer_leaves_only_a_partial(home, tmp_path):
    """What a killed process leaves is not a case, is cleared once a day old, and not while it is young."""
    code = (
        "import os, signal, sys; from pathlib import Path; from bot.casefile.home import CaseHome\n"
        "CaseHome(Path(sys.argv[1])).create(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, home.path], cwd=REPOSITORY, check=False)
    (partial,) = home.path.iterdir()
    assert ".partial" == partial.suffix
    assert [] == list(home.delete_stale())
    old = time.time() - 25 * 3600
    os.utime(partial, (old, old))
    assert [partial] == list(home.delete_stale())
    assert [] == names(home)


def test_a_partial_that_is_being_written_is_never_cleared(home):
    """However old it looks, a file somebody holds stays."""
    with home.create() as writer:
        partial = home.path / f"{writer.id}.partial"
        old = time.time() - 99 * 3600
        os.utime(partial, (old, old))
        assert [] == list(home.delete_stale())
        assert writer.finish().exists()


def test_a_case_is_found_by_id_prefix_last_and_path(home):
    """Whatever a person has at hand leads to the case."""
    first, second = a_case(home), a_case(home)
    assert first.stem != second.stem
    for asked in (first.stem, first.stem.upper(), first.stem[:6], str(first)):
        with home.open(asked) as case:
            assert first.stem == case.id
    with home.open("last") as case:
        assert second.stem == case.id
    assert [second.stem, first.stem] == [one.id for one in home.list()]
    shown = home.list()[0]
    assert ("inconclusive", "Too little was given.", None) == (shown.verdict, shown.summary, shown.broken)
    assert second.stat().st_size == shown.size


def test_a_case_that_cannot_be_told_is_refused_in_a_sentence(home):
    """None, several, and nothing typed each get an answer that helps."""
    with pytest.raises(CaseError, match=r"no case in .*analyze"):
        home.open("last")
    for name in ("abc1", "abc2"):
        with CaseWriter(home.path / f"{name}.case") as writer:
            writer.finish()
    with pytest.raises(CaseError, match=r"fits 2 cases \(abc1, abc2\)"):
        home.open("abc")
    for asked in ("nothere", "", "../abc1"):
        with pytest.raises(CaseError, match="There is no case"):
            home.open(asked)


def test_ids_are_short_and_cannot_be_misread(home):
    """Seven letters and digits, a letter first, none of i, l, o, u."""
    made = {a_case(home, 1).stem for _ in range(5)}
    assert 5 == len(made)
    assert all(len(name) == 7 and name[0].isalpha() and not set(name) & set("ilou") for name in made)


@pytest.mark.parametrize("lost", [1, 4096, 20_000, 10**9])
def test_a_case_cut_short_is_told(home, lost):
    """However much of the file is missing, it is refused, and listed as broken."""
    path = a_case(home, 3000)
    size = path.stat().st_size
    os.truncate(path, max(0, size - lost))
    with pytest.raises(CaseError, match=r"cut off|not a case file"):
        home.open(path.stem)
    assert [True] == [one.broken is not None for one in home.list()]


def test_other_files_are_not_cases(home, tmp_path):
    """Text, a foreign database and a database of rubbish under a case's header are refused."""
    path = a_case(home)
    header = path.read_bytes()[:100]
    path.write_bytes(b"hello" * 100)
    with pytest.raises(CaseError, match="not a case file"):
        home.open(path.stem)
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE t (x)")
    other.close()
    with pytest.raises(CaseError, match="SQLite database, but not a case"):
        home.open(path.stem)
    path.write_bytes(header + random.Random(3).randbytes(10**6))
    with pytest.raises(CaseError):
        home.open(path.stem)
    assert home.list()[0].broken is not None


def test_damage_behind_a_whole_header_is_said(home):
    """Flipped bytes in the middle are met with a sentence when they are read, or not needed at all."""
    path = a_case(home, 20_000)
    whole = path.read_bytes()
    middle = whole[: len(whole) // 8] + b"\xa5" * (len(whole) * 3 // 4)
    path.write_bytes(middle + whole[len(middle) :])
    assert len(whole) == path.stat().st_size
    with pytest.raises(CaseError, match="damaged"), home.open(path.stem) as case:
        assert 20_000 == len(list(case.lines_of(range(1, 20_001))))


def test_a_newer_schema_asks_for_an_upgrade(home):
    """A case from the future is not touched."""
    path = a_case(home)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(CaseError, match=r"newer rootcause \(schema 99.*upgrade"):
        home.open(path.stem)


def test_two_writers_at_once_do_not_meet(home):
    """Two open writers have their own files, and the same name is given to one only."""
    with home.create() as one, home.create() as two:
        one.add_event(event())
        two.add_event(event())
        two.add_event(event(2))
        with pytest.raises(CaseError, match="already being written"):
            CaseWriter(home.path / f"{one.id}.case")
        one.finish()
        two.finish()
    with pytest.raises(CaseError, match="already there"):
        CaseWriter(one.path)
    with home.open(one.id) as case:
        assert 1 == len(list(case.events()))
    with home.open(two.id) as case:
        assert 2 == len(list(case.events()))
    assert [".case", ".case"] == names(home)


FULL_DISK = """
import random, resource, sys
from pathlib import Path
sys.path.insert(0, "tests/unit")
from casefile_samples import series, stream
from bot.casefile.home import CaseHome
from bot.errors import StorageError
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
home, noise = CaseHome(Path(sys.argv[1])), random.Random(1)
try:
    with home.create() as writer:
        number = writer.open_stream(stream())
        for _ in range(60):
            writer.add_lines(number, [(1, noise.randbytes(1000), 0) for _ in range(1000)])
            writer.add_series(series(raw=noise.randbytes(1000)))
        writer.finish()
except StorageError as error:
    print(error, sorted(home.path.iterdir()))
"""


@pytest.mark.parametrize("limit", [0, 20_000, 1_000_000])
def test_a_full_disk_is_said_and_leaves_nothing(home, limit):
    """Where the disk refuses, at whatever point, one sentence says so and no partial file stays."""
    told = subprocess.run(
        [sys.executable, "-c", FULL_DISK, home.path, str(limit)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("", 0) == (told.stderr, told.returncode)
    assert "full or refuses to write" in told.stdout
    assert told.stdout.endswith("[]\n")


def test_a_home_that_cannot_be_made_is_said(tmp_path):
    """A file where the folder should be is a storage failure with a sentence."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(StorageError, match="ROOTCAUSE_HOME"):
        CaseHome(tmp_path / "taken" / "cases").create()


def test_questions_of_two_at_once_are_both_kept(home):
    """Two people may ask the same case; neither answer is lost."""
    path = a_case(home)
    with home.open(path.stem) as one, home.open(path.stem) as two:
        one.add_question({"question": "a"})
        two.add_question({"question": "b"})
        assert [{"question": "a"}, {"question": "b"}] == one.questions()


def test_the_file_opens_in_any_sqlite_tool(home):
    """Tables and columns read as plain words, and the case passes SQLite's own check."""
    connection = sqlite3.connect(a_case(home))
    assert [("ok",)] == connection.execute("PRAGMA integrity_check").fetchall()
    assert [("BackOff", "Pod")] == connection.execute("SELECT reason, kind FROM events").fetchall()
    steps = ["m001_case", "m002_uneven", "m003_fetched", "m004_counted", "m005_narrow", "m006_unread", "m007_stamps"]
    assert steps == [name for (name,) in connection.execute("SELECT name FROM _sqlite_migrations")]
    connection.close()


def test_the_home_comes_from_the_environment(monkeypatch, tmp_path):
    """ROOTCAUSE_HOME decides; unset or empty, the platform's data folder does."""
    monkeypatch.setenv("ROOTCAUSE_HOME", str(tmp_path))
    assert tmp_path == Settings.from_environment().home
    monkeypatch.setenv("ROOTCAUSE_HOME", " ")
    assert "rootcause" == Settings.from_environment().home.name
