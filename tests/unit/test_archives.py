"""Archives: every packing is read in place, and what is hostile is refused in a sentence."""

import gzip
import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
import zstandard
from export_sink import gathered, written

from bot.errors import UnsafeArchiveError
from bot.sources.export import Limits

LINE = b"2026-11-22T06:28:01.123456789Z hello\n"
NAME = "kubernetes/shop/api-0/app.log"
SMALL = Limits(ratio_floor_bytes=1000, total_bytes=100_000, entries=20)


def tar_of(files: dict[str, bytes], *, extra: list[tarfile.TarInfo] | None = None) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for entry in extra or []:
            archive.addfile(entry)
    return out.getvalue()


def zip_of(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def at(tmp_path: Path, name: str, content: bytes) -> Path:
    place = tmp_path / name
    place.write_bytes(content)
    return place


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("e.zip", zip_of({NAME: LINE})),
        ("e.tar", tar_of({NAME: LINE})),
        ("e.tar.gz", gzip.compress(tar_of({NAME: LINE}))),
        ("e.tar.zst", zstandard.compress(tar_of({NAME: LINE}))),
        ("no-ending", gzip.compress(tar_of({"./" + NAME: LINE}))),
        ("e.tar.gz", gzip.compress(tar_of({NAME + ".gz": gzip.compress(LINE)}))),
        ("e.zip", zip_of({NAME + ".zst": zstandard.compress(LINE)})),
        ("outer.zip", zip_of({"inner.tar.gz": gzip.compress(tar_of({NAME: LINE}))})),
    ],
)
def test_every_packing_gives_the_same_line(tmp_path, name, packed):
    """Zip, tar, gzip, zstd and archives in archives give the same place and line, recognised by content."""
    sink = gathered(at(tmp_path, name, packed))
    assert [("shop", "api-0", "app")] == [(s.namespace, s.pod, s.container) for s in sink.streams]
    assert [[(1_795_328_881_123_456_789, LINE[:-1], 31)]] == sink.lines


def test_a_stream_is_read_as_an_archive():
    """A tar on a pipe, compressed or not, is an export."""
    for packed in (tar_of({NAME: LINE}), gzip.compress(tar_of({NAME: LINE}))):
        assert len(gathered(io.BytesIO(packed)).lines[0]) == 1


@pytest.mark.parametrize("name", ["../evil.log", "/etc/evil.log", "a/../../evil.log", "C:\\evil.log", "..\\evil.log"])
def test_names_that_climb_out_are_refused(tmp_path, name):
    """Zip-slip and absolute names, in any system's spelling, refuse the archive by name."""
    for packed in (zip_of({NAME: LINE, name: LINE}), gzip.compress(tar_of({NAME: LINE, name: LINE}))):
        with pytest.raises(UnsafeArchiveError, match="points outside"):
            gathered(at(tmp_path, "e", packed))


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


@pytest.mark.parametrize(
    "entry",
    [
        link("a/x.log", "../../etc/passwd"),
        link("x.log", "/etc/passwd"),
        link("x.log", "../y", tarfile.LNKTYPE),
    ],
)
def test_links_that_lead_out_are_refused(tmp_path, entry):
    """Symbolic and hard links may not leave the archive."""
    with pytest.raises(UnsafeArchiveError, match="leads outside"):
        gathered(at(tmp_path, "e.tar", tar_of({NAME: LINE}, extra=[entry])))


def test_links_inside_are_counted(tmp_path):
    """A link to another member is no danger and no loss."""
    sink = gathered(at(tmp_path, "e.tar", tar_of({NAME: LINE}, extra=[link("kubernetes/x.log", "shop/api-0/app.log")])))
    assert sink.odd("links inside") == 1
    assert len(sink.streams) == 1


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices_are_refused(tmp_path, kind):
    """Devices and pipes have no business in an export."""
    with pytest.raises(UnsafeArchiveError, match="device or pipe"):
        gathered(at(tmp_path, "e.tar", tar_of({NAME: LINE}, extra=[link("x", "", kind)])))


def test_a_zip_link_that_leads_out_is_refused(tmp_path):
    """Zips carry links too, as files with a mode."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(NAME, LINE)
        entry = zipfile.ZipInfo("x.log")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "../../etc/passwd")
    with pytest.raises(UnsafeArchiveError, match="leads outside"):
        gathered(at(tmp_path, "e.zip", out.getvalue()))


@pytest.mark.parametrize(
    ("name", "packed", "words"),
    [
        ("ratio.zip", zip_of({NAME: b"\0" * 90_000}), "times its size"),
        ("ratio.log.gz", gzip.compress(b"\0" * 90_000), "times its size"),
        ("ratio.log.zst", zstandard.compress(b"a" * 90_000), "times its size"),
        ("ratio.tar.gz", gzip.compress(tar_of({NAME: b"\0" * 90_000})), "times its size"),
        ("size.zip", zip_of({f"{at}.log": os.urandom(15_000) for at in range(8)}), "more than 100000 bytes"),
        ("size.tar.gz", gzip.compress(tar_of({f"{at}.log": os.urandom(15_000) for at in range(8)})), "more than"),
        ("entries.zip", zip_of({f"{at}.log": b"" for at in range(21)}), "more than 20 entries"),
        ("entries.tar", tar_of({f"{at}.log": b"" for at in range(21)}), "more than 20 entries"),
    ],
)
def test_bombs_are_refused(tmp_path, name, packed, words):
    """Ratio, total size and entry count are bounded, declared and counted."""
    with pytest.raises(UnsafeArchiveError, match=words):
        gathered(at(tmp_path, name, packed), SMALL)


def test_unpacked_files_count_together(tmp_path):
    """Many compressed files, each within bounds, may not pass the total either."""
    body = "".join(f"2026-11-22T06:28:01Z {at * 7919 % 9973}\n" for at in range(1000)).encode()
    root = written(tmp_path, {f"shop/api-{at}/app.log.gz": gzip.compress(body) for at in range(8)})
    with pytest.raises(UnsafeArchiveError, match="more than 100000 bytes"):
        gathered(root, Limits(total_bytes=100_000))


def test_absurd_nesting_is_refused(tmp_path):
    """An archive in an archive in an archive … ends in a refusal, not in a search."""
    packed = LINE
    for _ in range(8):
        packed = gzip.compress(packed)
    with pytest.raises(UnsafeArchiveError, match="inside 4 others"):
        gathered(at(tmp_path, "x.log.gz", packed))


def test_overlapping_zip_entries_are_refused(tmp_path):
    """Entries that share their bytes, as in the bombs that beat a ratio check, refuse the archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(NAME, LINE * 50)
        archive.filelist += [archive.filelist[0]] * 5
    with pytest.raises(UnsafeArchiveError, match="overlap"):
        gathered(at(tmp_path, "e.zip", out.getvalue()))


def test_a_cut_tar_gives_what_came_before(tmp_path):
    """Half a .tar.gz gives the whole members of its first half, and a loss."""
    files = {f"shop/api-{at}/app.log": LINE + os.urandom(9000).hex().encode() for at in range(20)}
    packed = gzip.compress(tar_of(files))
    sink = gathered(at(tmp_path, "e.tar.gz", packed[: len(packed) // 2]))
    assert 5 <= len(sink.streams) <= 15
    assert sink.lost("cut")


def test_a_cut_zip_in_a_folder_is_a_loss_only(tmp_path):
    """A zip without its directory cannot be read; the files beside it are."""
    root = written(tmp_path, {"slack.zip": zip_of({"a.json": b"[]" * 500})[:100], NAME: LINE})
    sink = gathered(root)
    assert len(sink.streams) == 1
    assert ["slack.zip"] == [gap.path for gap in sink.lost("zip")]


def test_a_link_out_of_a_folder_is_not_followed(tmp_path):
    """A folder that was unpacked elsewhere may hold a link to anything; it is named, not read."""
    root = written(tmp_path / "e", {NAME: LINE})
    (tmp_path / "secret.log").write_bytes(LINE)
    (root / "x.log").symlink_to(tmp_path / "secret.log")
    sink = gathered(root)
    assert len(sink.streams) == 1
    assert ["x.log"] == [gap.path for gap in sink.lost("leads out")]


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    """What had to be spooled is gone afterwards, also after a refusal."""
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spool))
    gathered(at(tmp_path, "e.tar.gz", gzip.compress(tar_of({NAME: LINE}))))
    with pytest.raises(UnsafeArchiveError):
        gathered(at(tmp_path, "f.tar.gz", gzip.compress(tar_of({"../x": LINE}))))
    assert [] == list(spool.iterdir())
