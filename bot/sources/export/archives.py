"""Find every file of an export in folders and archives, and read each as a stream, without trusting any of them.

Nothing is unpacked under a name that an archive chose. Members are read as streams; only what cannot be read in
place (an archive in an archive, a compressed tar, standard input) is spooled to a private folder under a number,
within a budget. Refused with UnsafeArchiveError: names that climb out, links that lead out, devices, more than a
budget of bytes (declared or counted), absurd compression ratios, too many entries, too much nesting.
"""

import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from bot.errors import StorageError, UnsafeArchiveError
from bot.sources.export.compressed import CHUNK, CutError, compression_of, inflated

HEAD_BYTES = 64 * 1024
"""Enough to recognise a file by; a first item cut at this length is still recognised."""

Tick = Callable[[int], None]
_LINE_END_WITHIN = 1024
"""Bytes behind a chunk in which its last line may end; nearly all lines are shorter"""
_BLOCK_SIZE = 512
_TAR_MAGIC_AT = 257


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an archive may hold before it is taken for an attack.

    ``ratio`` counts only above ``ratio_floor_bytes``: repetitive logs reach 100 : 1, deflate's ceiling is 1032 : 1.
    """

    total_bytes: int = 64 * 1024**3
    entries: int = 200_000
    ratio: int = 250
    ratio_floor_bytes: int = 64 * 1024**2
    nesting: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of the export: its path in the export, its stored size, and how to read its stored bytes."""

    path: str
    size: int
    open: Callable[[], IO[bytes]]
    file: Path | None = None
    """Where it stands on disk, if it does"""
    modified_s: float | None = None
    compression: str | None = None

    def guarded(self, limits: Limits, tick: Tick | None = None, first: int = 0) -> Iterator[bytes]:
        """Give the content in chunks, unpacked; raise CutError at a cut after all that came before it.

        ``first``: stored bytes to be read at first, where no more may be wanted than they hold.
        """
        given = 0
        chunks: Iterable[bytes] = self._stored(tick, first)
        if self.compression:
            chunks = inflated(self.compression, chunks)
        ceiling = max(limits.ratio_floor_bytes, limits.ratio * self.size)
        for chunk in chunks:
            given += len(chunk)
            if self.compression and given > ceiling:
                raise UnsafeArchiveError(
                    f"{shown(self.path)} unpacks to more than {limits.ratio} times its size: it was not read. "
                    "Remove it from the export, or unpack it yourself and try again."
                )
            yield chunk

    def _stored(self, tick: Tick | None, first: int) -> Iterator[bytes]:
        try:
            with self.open() as stored:
                read = 0
                while chunk := stored.read((not read and first) or self._next_size(stored, read)):
                    read += len(chunk)
                    if tick:
                        tick(len(chunk))
                    yield chunk
        except (zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
            raise CutError("the archive is damaged here") from error
        except (RuntimeError, NotImplementedError) as error:  # what zipfile raises for passwords and rare methods
            raise CutError("it is encrypted or packed in a way that cannot be read") from error

    def _next_size(self, stored: IO[bytes], read: int) -> int:
        """Give how much to read next: of a plain file up to a line's end where one is near, so that no line has to be put together."""
        if self.file is None or self.compression:
            return CHUNK
        return CHUNK + os.pread(stored.fileno(), _LINE_END_WITHIN, read + CHUNK).find(b"\n") + 1


def shown(name: str) -> str:
    """Make a name from an archive fit to print."""
    return repr(name[:200])[1:-1]


def head_of(member: Member, limits: Limits, size: int = HEAD_BYTES) -> bytes:
    """Give the first bytes of a member's content, or as many as can be read."""
    head = b""
    try:
        for chunk in member.guarded(limits, first=size):
            head += chunk
            if len(head) >= size:
                break
    except CutError:
        pass
    return head[:size]


class Inventory:
    """Lists the members of a folder, an archive or a stream; owns what it had to spool until it is closed.

    ``skipped`` is called with a path, a reason, and whether something was lost by it.
    """

    def __init__(self, stack: ExitStack, limits: Limits, skipped: Callable[[str, str, bool], None]) -> None:
        self._stack = stack
        self._limits = limits
        self._skipped = skipped
        self._folder: Path | None = None
        self._spooled = 0
        self._spooled_bytes = 0
        self._entries = 0
        self._declared = 0

    def of_path(self, path: Path) -> Iterator[Member]:
        """Walk a folder in a fixed order, or take a lone file or archive."""
        if not path.is_dir():
            yield from self._unpacked(on_disk(path, path.name), 0, lone=True)
            return
        root = path.resolve()
        for place in sorted(path.rglob("*")):
            name = place.relative_to(path).as_posix()
            if _is_clutter(name) or place.is_dir():
                continue
            if place.is_symlink() and not place.resolve().is_relative_to(root):
                self._skipped(name, "a link that leads out of the export", True)
            elif not place.is_file():
                self._skipped(name, "not a regular file", True)
            else:
                yield from self._unpacked(on_disk(place, name), 0)

    def of_stream(self, stream: BinaryIO) -> Iterator[Member]:
        """Spool a stream, which cannot be read twice, and take it for a file."""
        spooled = self._spool("standard input", iter(lambda: stream.read(CHUNK), b""))
        yield from self._unpacked(replace(on_disk(spooled, "standard input"), modified_s=None), 0, lone=True)

    def _unpacked(self, member: Member, depth: int, *, lone: bool = False) -> Iterator[Member]:
        if depth > self._limits.nesting:
            raise UnsafeArchiveError(
                f"{shown(member.path)} is an archive inside {self._limits.nesting} others: it was not read. "
                "Unpack the inner ones yourself and try again."
            )
        try:
            head = head_of(member, self._limits)
        except OSError as error:
            self._skipped(member.path, f"could not be read: {error.strerror or error}", True)
            return
        if head[:4] in {b"PK\x03\x04", b"PK\x05\x06"}:
            yield from self._zip(member, depth, lone=lone)
        elif head[_TAR_MAGIC_AT : _TAR_MAGIC_AT + 5] == b"ustar":
            yield from self._tar(member, depth, lone=lone)
        elif (packed := compression_of(head)) is not None:
            yield from self._compressed(member, packed, depth, lone=lone)
        else:
            yield member

    def _compressed(self, member: Member, packed: str, depth: int, *, lone: bool) -> Iterator[Member]:
        inner = (
            replace(member, compression=packed)
            if member.compression is None
            else replace(self._on_disk(member), compression=packed)
        )
        head = head_of(inner, self._limits)
        archive = head[:4] == b"PK\x03\x04" or head[_TAR_MAGIC_AT : _TAR_MAGIC_AT + 5] == b"ustar"
        if archive:  # .tar.gz is one layer, as people think of it
            yield from self._unpacked(self._on_disk(inner), depth, lone=lone)
        elif compression_of(head) is not None:
            yield from self._unpacked(inner, depth + 1, lone=lone)
        else:
            yield inner

    def _zip(self, member: Member, depth: int, *, lone: bool) -> Iterator[Member]:
        member = self._on_disk(member)
        assert member.file is not None
        try:
            archive = self._stack.enter_context(zipfile.ZipFile(member.file))
        except (zipfile.BadZipFile, ValueError, OSError):
            self._skipped(member.path, "a zip archive that is cut or damaged", True)
            return
        entries = sorted(archive.infolist(), key=lambda entry: entry.filename)
        if sum(entry.compress_size for entry in entries) > member.size:
            raise UnsafeArchiveError(
                f"{shown(member.path)} is a zip whose entries overlap, as in a zip bomb: it was not read."
            )
        for entry in entries:
            self._admit(member.path, entry.filename, entry.file_size, packed=entry.compress_size)
        for entry in entries:
            mode = entry.external_attr >> 16
            if entry.is_dir() or _is_clutter(entry.filename):
                continue
            if stat.S_ISLNK(mode):
                target = archive.read(entry)[:4096].decode("utf-8", "replace") if entry.file_size <= 4096 else "/"
                self._link(member.path, entry.filename, target)
                continue
            yield from self._unpacked(
                Member(
                    path=_joined(member.path, entry.filename, lone=lone),
                    size=entry.file_size,
                    open=lambda archive=archive, entry=entry: archive.open(entry),  # type: ignore[misc] # - bound early
                    modified_s=_zip_time(entry),
                ),
                depth + 1,
            )

    def _tar(self, member: Member, depth: int, *, lone: bool) -> Iterator[Member]:
        member = self._on_disk(member)
        assert member.file is not None
        try:
            archive = self._stack.enter_context(tarfile.open(member.file, "r:"))  # noqa: SIM115 - the stack closes it
        except (tarfile.TarError, EOFError, ValueError):
            self._skipped(member.path, "a tar archive that is damaged from its start", True)
            return
        entries = self._tar_entries(member, archive)
        if not _ends_in_zeros(member.file, archive):
            self._skipped(member.path, f"a tar archive damaged after {len(entries)} entries; the rest is missing", True)
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.issym() or entry.islnk():
                # a hard link's target counts from the archive's root, a symbolic one's from its own folder
                self._link(member.path, entry.name if entry.issym() else PurePosixPath(entry.name).name, entry.linkname)
            elif entry.isreg() and not _is_clutter(entry.name):
                yield from self._unpacked(
                    Member(
                        path=_joined(member.path, entry.name, lone=lone),
                        size=entry.size,
                        open=lambda entry=entry: _tar_reader(archive, entry),  # type: ignore[misc] # - bound early
                        modified_s=float(entry.mtime) or None,
                    ),
                    depth + 1,
                )

    def _tar_entries(self, member: Member, archive: tarfile.TarFile) -> list[tarfile.TarInfo]:
        entries: list[tarfile.TarInfo] = []
        try:
            for entry in archive:
                self._admit(member.path, entry.name, entry.size if entry.isreg() else 0)
                if entry.isdev():
                    raise UnsafeArchiveError(
                        f"{shown(member.path)} holds a device or pipe named {shown(entry.name)}: it was not read."
                    )
                if entry.issparse() and entry.size > self._limits.ratio_floor_bytes:
                    raise UnsafeArchiveError(
                        f"{shown(member.path)} holds a sparse file, {shown(entry.name)}, as in a bomb: it was not read."
                    )
                entries.append(entry)
        except (tarfile.TarError, EOFError, ValueError):  # a torn header may hold any number
            self._skipped(member.path, f"a tar archive cut after {len(entries)} entries; the rest is missing", True)
        return entries

    def _admit(self, archive: str, name: str, size: int, packed: int | None = None) -> None:
        """Check one declared entry before anything of it is read."""
        self._entries += 1
        self._declared += size
        if self._entries > self._limits.entries:
            raise UnsafeArchiveError(
                f"{shown(archive)} holds more than {self._limits.entries} entries: it was not read."
            )
        if self._declared > self._limits.total_bytes:
            raise UnsafeArchiveError(
                f"{shown(archive)} would unpack to more than {self._limits.total_bytes} bytes: it was not read."
            )
        if packed is not None and size > self._limits.ratio_floor_bytes and size > self._limits.ratio * max(1, packed):
            raise UnsafeArchiveError(
                f"{shown(archive)} holds {shown(name)}, which unpacks to more than {self._limits.ratio} times its "
                "size, as in a zip bomb: it was not read."
            )
        if climbs_out(name):
            raise UnsafeArchiveError(
                f"{shown(archive)} holds an entry named {shown(name)}, which points outside of it: it was not read. "
                "Pack the folder again with plain relative names."
            )

    def _link(self, archive: str, name: str, target: str) -> None:
        parent = PurePosixPath(name.replace("\\", "/")).parent
        if target.startswith("/") or climbs_out(_collapsed(f"{parent}/{target}")):
            raise UnsafeArchiveError(
                f"{shown(archive)} holds a link, {shown(name)}, that leads outside of it: it was not read."
            )
        self._skipped(f"{archive}/{name}", "links inside an archive, whose targets are read themselves", False)

    def _on_disk(self, member: Member) -> Member:
        if member.file is not None and member.compression is None:
            return member
        spooled = self._spool(member.path, member.guarded(self._limits))
        return replace(on_disk(spooled, member.path), modified_s=member.modified_s)

    def _spool(self, name: str, chunks: Iterator[bytes]) -> Path:
        if self._folder is None:
            self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="rootcause-")))
        self._spooled += 1
        place = self._folder / str(self._spooled)
        try:
            with place.open("wb") as out:
                for chunk in chunks:
                    self._spooled_bytes += len(chunk)
                    if self._spooled_bytes > self._limits.total_bytes:
                        raise UnsafeArchiveError(
                            f"{shown(name)} unpacks to more than {self._limits.total_bytes} bytes: it was not read."
                        )
                    out.write(chunk)
        except CutError as cut:
            self._skipped(name, f"{cut}; what came before the cut was read", True)
        except OSError as error:
            free = shutil.disk_usage(self._folder).free
            raise StorageError(
                f"{shown(name)} could not be unpacked into {self._folder} ({error.strerror}; {free} bytes free). "
                "Make room there, or unpack it yourself and give the folder."
            ) from error
        return place


def on_disk(file: Path, path: str) -> Member:
    """Describe a file on disk as a member of an export."""
    info = file.stat()
    return Member(path=path, size=info.st_size, open=lambda: file.open("rb"), file=file, modified_s=info.st_mtime)


def climbs_out(name: str) -> bool:
    """Tell whether a name from an archive is absolute or leaves its folder, in the spelling of any system."""
    name = name.replace("\\", "/")
    return name.startswith("/") or name[1:2] == ":" or "\0" in name or ".." in name.split("/")


def _collapsed(name: str) -> str:
    """Resolve ``..`` as far as it stays inside; what climbs out keeps its ``..``."""
    parts: list[str] = []
    for part in name.replace("\\", "/").split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


def _joined(archive: str, name: str, *, lone: bool) -> str:
    """Name a member: inside a lone archive by its own path, else below the archive's."""
    name = name.replace("\\", "/").removeprefix("./").encode("utf-8", "replace").decode()
    return name if lone else f"{archive}/{name}"


def _is_clutter(name: str) -> bool:
    """Tell what file managers and version control leave behind: no part of an export, not worth a row."""
    parts = name.split("/")
    return (
        parts[-1] in {".DS_Store", "Thumbs.db", "desktop.ini"}
        or parts[-1].startswith("._")
        or bool({"__MACOSX", ".git"} & set(parts))
    )


def _zip_time(entry: zipfile.ZipInfo) -> float | None:
    try:
        return datetime(*entry.date_time, tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _ends_in_zeros(file: Path, archive: tarfile.TarFile) -> bool:
    """Tell whether reading stopped at the end mark: the library takes a torn header for the end, and says nothing."""
    with file.open("rb") as raw:
        raw.seek(archive.offset)
        return not raw.read(_BLOCK_SIZE).strip(b"\0")


def _tar_reader(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    reader = archive.extractfile(entry)
    assert reader is not None  # only regular files are opened
    return reader
