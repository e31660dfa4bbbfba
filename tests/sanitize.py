"""Runs the compiled loops under AddressSanitizer and UBSan: their tests, those of the case file, and the demo's incident whole.

``make sanitize``; needs gcc with its two libraries. The loops are built into a folder of their own and the installed ones are
left alone. Ends with what pytest or the command ended with; a fault in the loops aborts the process and prints where it is.
Leaks are not looked for: the loops allocate what they free in the same call, and Python's own memory would drown them.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bot.native import kernel as kernels
from bot.native.build_kernel import FOLDER, build, compiler

ROOT = Path(__file__).parents[1]
FLAGS = ("-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
PRELOADED = ("libasan.so", "libubsan.so")
"""Python itself is built without them, so they must be there before anything else."""
TESTS = (
    "native_scan",
    "mapping",
    "blocks",
    "bursts",
    "masking",
    "parcels",
    "casefile",
    "casefile_search",
    "log_signals",
)
STORY = ROOT / "fixtures" / "incidents" / "story.tar.zst"


def main() -> int:
    """Build the loops and check them in a process that begins with the sanitizers."""
    command = compiler() or []
    found = [_library(command, name) for name in PRELOADED]
    if not command or not all(found):
        print(f"{' and '.join(PRELOADED)} are needed, which gcc brings along", file=sys.stderr)  # noqa: T201 - its output
        return 2
    with tempfile.TemporaryDirectory(prefix="rootcause-sanitize-") as folder:
        library = Path(folder) / "scan.so"
        if hindered := build(FOLDER, library, *FLAGS):
            print(hindered, file=sys.stderr)  # noqa: T201 - see above
            return 2
        there = {
            "LD_PRELOAD": ":".join(found),
            "ASAN_OPTIONS": "detect_leaks=0",
            "UBSAN_OPTIONS": "print_stacktrace=1",
            "PYTHONMALLOC": "malloc",  # so that what lies beside a short text is a red zone, not another object
        }
        environment = {"PATH": os.defpath, **there, "ROOTCAUSE_HOME": f"{folder}/home", "ROOTCAUSE_MODEL": "off"}
        return subprocess.run(
            [sys.executable, __file__, str(library)], env=environment, cwd=ROOT, check=False
        ).returncode


def _library(command: list[str], name: str) -> str:
    """Give a library's path as the compiler knows it; empty where it has none (it then prints the bare name)."""
    if not command:
        return ""
    told = subprocess.run([*command, f"-print-file-name={name}"], capture_output=True, text=True, check=False)
    path = told.stdout.strip()
    return path if Path(path).is_absolute() else ""


def checked(library: Path) -> int:
    """Run everything with this library; ends at the first thing that fails."""
    kernels.LIBRARY = library
    if b"__asan_report" not in library.read_bytes() or kernels.kernel() is None:
        print("the loops were not built with the sanitizers, or cannot be loaded", file=sys.stderr)  # noqa: T201 - see above
        return 2
    files = [f"tests/unit/test_{name}.py" for name in TESTS]
    # by Python only: what the sanitizers write goes past it
    if code := pytest.main(["-m", "full or not full", "-p", "no:cacheprovider", "--capture=sys", *files]):
        return int(code)
    from bot.cli.frame import run  # noqa: PLC0415 - behind the switch of libraries

    return run(["analyze", str(STORY), "--quiet"])


if __name__ == "__main__":
    sys.exit(checked(Path(sys.argv[1])) if len(sys.argv) > 1 else main())
