"""Whatever the real command is handed: a sentence that says what to do, exit code 1 or 2, no traceback, no half-written case."""

import io
import os
import sqlite3
import tarfile
import zipfile
from contextlib import closing

import pytest
from command import copied, kept, refused, rootcause, small_export


def events(export):
    """Give the bytes of the small export's events."""
    return (export / "kubernetes" / "shop" / "events.json").read_bytes()


def archive(path, **members):
    """Write a zip of members by name."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return path


# What is no export


def test_an_empty_folder(home, tmp_path):
    """It says that the folder is empty and what was expected."""
    (tmp_path / "empty").mkdir()
    refused(rootcause(home, "analyze", tmp_path / "empty"), 2, "is an empty folder", "kubectl")
    assert [] == kept(home)


@pytest.mark.parametrize("path", ["nowhere", "", "   "])
def test_a_path_to_nothing(home, path):
    """A path that does not exist, or none at all, is a wrong call; the current folder is not read in its stead."""
    refused(rootcause(home, "analyze", path), 2, "Give the path" if path == "nowhere" else "PATH is empty")
    assert [] == kept(home)


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02" * 999, b"dear diary\n", b'{"hello": "world"}', b"[]"])
def test_a_file_that_is_no_export(home, tmp_path, content):
    """Whatever the bytes, the file is named and what was expected is said; an empty list carries no time."""
    path = tmp_path / "file"
    path.write_bytes(content)
    refused(rootcause(home, "analyze", path), 2)
    assert [] == kept(home)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_half_a_json_alone(home, tmp_path, export, share):
    """Where nothing whole is there, it is said that the file is cut; beside whole files it would be a gap."""
    whole = events(export)
    (tmp_path / "events.json").write_bytes(whole[: int(len(whole) * share)])
    refused(rootcause(home, "analyze", tmp_path / "events.json"), 2, "cut off or damaged", "again")
    assert [] == kept(home)


def test_half_a_json_beside_whole_files(home, tmp_path, export):
    """One torn file is listed as a gap and stops nothing."""
    torn = small_export(tmp_path / "torn")
    path = torn / "kubernetes" / "shop" / "events.json"
    path.write_bytes(events(export)[:2000])
    ran = rootcause(home, "analyze", torn, "--quiet", "--format", "json")
    assert ran.code in {0, 3, 4}
    assert [True] == [
        gap["lost"] for row in ran.json["coverage"] for gap in row["gaps"] if "ends in the middle" in gap["what"]
    ]


# Archives


def test_archives_that_climb_out_or_explode(home, tmp_path):
    """Zip slip, zip bombs, links that lead out and absurd nesting are refused, and nothing is written beside the archive."""
    archive(tmp_path / "slip.zip", **{"../../evil.log": "2026-11-22T06:28:01Z hi\n"})
    archive(tmp_path / "bomb.zip", **{"a.log": b"0" * 100_000_000})
    inner = (tmp_path / "slip.zip").read_bytes()
    for depth in range(8):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as outer:
            outer.writestr(f"{depth}.zip", inner)
        inner = packed.getvalue()
    (tmp_path / "nested.zip").write_bytes(inner)
    with tarfile.open(tmp_path / "link.tar", "w") as tar:
        entry = tarfile.TarInfo("a.log")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(entry)
    for name, words in (("slip.zip", "outside"), ("bomb.zip", "bomb"), ("nested.zip", "archive"), ("link.tar", "link")):
        refused(rootcause(home, "analyze", tmp_path / name), 1, words, "not read")
    assert [] == kept(home)
    assert [] == list(tmp_path.rglob("evil.log"))


def test_a_torn_zip(home, tmp_path):
    """A zip's table of contents stands at its end: without it nothing can be read, and that is said."""
    whole = archive(tmp_path / "whole.zip", **{"a.log": "2026-11-22T06:28:01Z hi\n" * 5000}).read_bytes()
    (tmp_path / "torn.zip").write_bytes(whole[: len(whole) // 2])
    refused(rootcause(home, "analyze", tmp_path / "torn.zip"), 2, "cut or damaged")


# A tar on standard input


def tarred(folder):
    """Give the bytes of a tar of a folder."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(folder, arcname="incident")
    return packed.getvalue()


def test_a_tar_on_standard_input(home, export):
    """- reads a tar, and what it concludes is what the folder gives."""
    ran = rootcause(home, "analyze", "-", "--quiet", "--format", "json", stdin=tarred(export))
    folder = rootcause(home, "analyze", export, "--quiet", "--format", "json")
    assert (folder.code, folder.json["verdict"], folder.json["summary"]) == (
        ran.code,
        ran.json["verdict"],
        ran.json["summary"],
    )


def test_a_torn_tar_is_never_called_quiet(home, export):
    """What came before the cut is read; that the rest is missing is said, and it is no proof that nothing happened."""
    whole = tarred(export)
    ran = rootcause(home, "analyze", "-", "--quiet", "--format", "json", stdin=whole[: len(whole) * 2 // 3])
    assert (3, "inconclusive") == (ran.code, ran.json["verdict"])
    assert any("cut after" in gap["what"] for row in ran.json["coverage"] for gap in row["gaps"])


@pytest.mark.parametrize("stdin", [b"", b"garbage\n", b"\x00" * 5000])
def test_standard_input_that_is_no_tar(home, stdin):
    """Nothing, text, or zeros."""
    refused(rootcause(home, "analyze", "-", stdin=stdin), 2, "Standard input")


def test_no_standard_input_at_all(home):
    """A closed standard input is a wrong call, not a fault."""
    refused(rootcause(home, "analyze", "-", shell="exec <&-;"), 2, "tar c")


# Windows and options


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ("2020-01-01..2020-01-02", "outside the material"),
        ("nonsense", "not understood"),
        ("", "not understood"),
        ("-5d", "not understood"),
        ("0d", "is empty"),
        ("99999999999d", ""),
        ("2026-11-06..2026-11-01", "ends before it begins"),
    ],
)
def test_a_window_that_cannot_be(home, export, window, words):
    """The words are repeated, and what would be understood is shown."""
    refused(rootcause(home, "analyze", export, f"--window={window}", "--quiet"), 2, words)
    assert [] == kept(home)


@pytest.mark.parametrize(
    "arguments",
    [
        ["analyze"],
        ["analyze", "x", "--format", "pdf"],
        ["analyze", "x", "--bogus"],
        ["analyze", "x", "--out", "no/such/folder/report.txt"],
        ["analyze", "x", "y"],
        ["search", "CASE", "x", "--limit", "0"],
        ["search", "CASE", "x", "--since", "tomorrow-ish"],
        ["search", "CASE", ""],
        ["search", "CASE", "   "],
        ["ask", "CASE", ""],
        ["ask", "CASE", " ", " "],
        ["simulate", "nonsense", "OUT"],
        ["simulate", "story", "OUT", "--days", "0"],
        ["simulate", "story", "OUT", "--scale", "-1"],
        ["simulate", "story", "OUT", "--seed", "x"],
    ],
    ids=" ".join,
)
def test_a_wrong_call(case, tmp_path, arguments):
    """Every wrong option value is code 2, and nothing is written."""
    known = {"CASE": case.stem, "OUT": str(tmp_path / "out")}
    refused(rootcause(case.parent, *(known.get(each, each) for each in arguments)), 2)
    assert not (tmp_path / "out").exists()


# Cases that cannot be opened


@pytest.fixture
def broken(case, tmp_path):
    """A folder with a case cut in half, one of a newer schema, one garbled, one empty and one that is something else."""
    folder = tmp_path / "broken"
    folder.mkdir()
    whole = folder / "whole.case"
    whole.write_bytes(case.read_bytes())
    with copied(whole, "cut").open("r+b") as file:
        file.truncate(whole.stat().st_size // 2)
    with closing(sqlite3.connect(copied(whole, "newer"))) as connection:
        connection.execute("PRAGMA user_version = 99")
    garbled = bytearray(whole.read_bytes())
    garbled[200:] = b"Z" * (len(garbled) - 200)
    (folder / "garbled.case").write_bytes(garbled)
    (folder / "empty.case").touch()
    (folder / "noise.case").write_bytes(b"\x07" * 5000)
    return folder


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cut", "cut off"),
        ("newer", "newer rootcause"),
        ("garbled", "damaged"),
        ("empty", "not a case file"),
        ("noise", "not a case file"),
        ("unknown", "rootcause cases"),
    ],
)
def test_a_case_that_cannot_be_opened(broken, name, words):
    """show, ask and search say the same and change nothing."""
    for arguments in (["show", name], ["ask", name, "when", "next?"], ["search", name, "served"]):
        refused(rootcause(broken, *arguments), 1, words)


def test_a_list_goes_on_past_broken_cases(broken):
    """Every case is listed; a broken one says why."""
    ran = rootcause(broken, "cases", "--format", "json")
    assert 0 == ran.code
    assert {"whole": False, "cut": True, "newer": True, "garbled": True, "empty": True, "noise": True} == {
        each["case"]: each["broken"] is not None for each in ran.json
    }


def test_no_case_yet(home):
    """The list is empty without being an error; the last case is asked for in vain."""
    assert (0, "No cases yet: rootcause analyze PATH makes one.\n") == (
        (ran := rootcause(home, "cases")).code,
        ran.out,
    )
    refused(rootcause(home, "show", "last"), 1, "rootcause analyze")


# Disks


@pytest.mark.skipif(os.name != "posix", reason="ulimit is a POSIX shell's")
def test_a_full_disk(home, export):
    """The limit of a file's size stands in for a full disk: the half-written case is gone afterwards."""
    refused(rootcause(home, "analyze", export, "--quiet", shell="ulimit -f 16;"), 1, "full", "ROOTCAUSE_HOME")
    assert [] == kept(home)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux only")  # noqa: PTH110 - a device, not a file
def test_a_full_disk_under_the_report(home, export):
    """A report that cannot be written is an error; the case is kept."""
    refused(rootcause(home, "analyze", export, "--quiet", "--out", "/dev/full"), 1, "cannot be written")
    piped = rootcause(home, "analyze", export, "--quiet", shell="exec >/dev/full;")
    refused(piped, 1, "Standard output takes no more")


def test_a_home_that_is_a_file(tmp_path, export):
    """It says that the home is no folder, instead of blaming the disk."""
    (tmp_path / "file").touch()
    for arguments in (["analyze", export, "--quiet"], ["cases"]):
        refused(rootcause(tmp_path / "file", *arguments), 2, "ROOTCAUSE_HOME")
