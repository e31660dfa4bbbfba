"""Buffers that were freed are used again: the system is not asked for each anew."""

import subprocess
import sys

import pytest

_PROGRAM = """
import resource, sys
from bot.native.memory import give_back, keep_buffers
if "keep" in sys.argv:
    keep_buffers()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(40):
    held = [bytearray(b"x") * (700 * 1024) for _ in range(4)]
    del held
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
give_back()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_kept_buffers_are_filled_in_by_the_system_once() -> None:
    """40 rounds of 2.8 MB are 28,000 pages where each buffer is asked for anew, and 700 where they are used again."""

    def faults(*arguments: str) -> int:
        done = subprocess.run([sys.executable, "-c", _PROGRAM, *arguments], capture_output=True, text=True, check=True)
        return int(done.stdout)

    assert faults("keep") < faults() / 4
