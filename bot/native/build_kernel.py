"""Builds the compiled loops when the project is installed; hatchling calls it for wheels and for editable installs.

A machine without a C compiler gets an install without them, not a failed one.
"""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import zlib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path(__file__).parent
SOURCES = ("scan.c", "filter.c", "columns.c")
HEADERS = ("bits.h",)
FLAGS = ("-std=c99", "-O3", "-ffp-contract=off", "-shared", "-fPIC")


def compiler() -> list[str] | None:
    """Give the command of the first C compiler there is: the one Python was built with, or what its users have."""
    named = shlex.split(sysconfig.get_config_var("CC") or "")[:1]
    return next(([each] for each in (*named, "cc", "gcc", "clang") if shutil.which(each)), None)


def build(folder: Path = FOLDER, library: Path | None = None, *flags: str) -> str:
    """Compile the sources, beside themselves unless ``library`` says where; give what hindered it, empty where nothing did."""
    command = compiler()
    if command is None or os.name != "posix":
        return "no C compiler was found"
    sources, library = [folder / name for name in SOURCES], library or folder / "scan.so"
    fresh = library.with_suffix(".fresh")
    marked = [*sources, *(folder / name for name in HEADERS)]
    mark = f"-DSOURCE_MARK={zlib.crc32(b''.join(source.read_bytes() for source in marked))}u"
    whole = [*command, *FLAGS, *flags, mark, *map(str, sources), "-lm", "-o", str(fresh)]
    try:
        done = subprocess.run(whole, capture_output=True, text=True, check=False)  # noqa: S603 - a compiler by its name, and this package's own files
    except OSError as error:
        return str(error)
    if done.returncode != 0:
        return done.stderr.strip() or f"{command[0]} failed"
    fresh.replace(library)
    return ""


class KernelHook(BuildHookInterface[Any]):
    """The hook that pyproject.toml names."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the library, and make the wheel one for this kind of machine."""
        if self.target_name != "wheel":
            return
        hindered = build()
        if hindered:
            print(f"rootcause: logs will be read without compiled loops, more slowly: {hindered}", file=sys.stderr)  # noqa: T201 - an installer's output
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
        if version != "editable":
            build_data["artifacts"].append("/bot/native/scan.so")
