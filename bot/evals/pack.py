"""Packs an export folder into one ``.tar.zst`` whose bytes depend on the files' names and contents alone."""

import tarfile
from pathlib import Path

import zstandard


def pack(folder: Path, target: Path, *, level: int = 19) -> Path:
    """Write ``target`` with sorted names, no owners, and the modification time zero."""
    target.parent.mkdir(parents=True, exist_ok=True)
    compressor = zstandard.ZstdCompressor(level=level, threads=0)
    with (
        target.open("wb") as raw,
        compressor.stream_writer(raw) as packed,
        tarfile.open(mode="w|", fileobj=packed, format=tarfile.USTAR_FORMAT) as tar,
    ):
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = tarfile.TarInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}")
            entry.size, entry.mode = path.stat().st_size, 0o644
            with path.open("rb") as content:
                tar.addfile(entry, content)
    return target
