"""Loads the compiled loops of ``scan.c``, ``filter.c`` and ``columns.c``; without them everything works the same, several times slower.

The library is built once, at install (``build_kernel``): nothing is compiled when the program starts. A library that was
built from other sources than those beside it is not used, and that is said. Calls through ctypes let other threads run.
"""

import ctypes
import logging
import zlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
SOURCES = tuple(FOLDER / name for name in ("scan.c", "filter.c", "columns.c", "bits.h"))
LIBRARY = FOLDER / "scan.so"

log = logging.getLogger("rootcause.native")

_AT = ctypes.c_void_p
_TEXT = ctypes.c_char_p
_COUNT = ctypes.c_int64
_REAL = ctypes.c_double

_FUNCTIONS: dict[str, tuple[type[ctypes.c_int64] | None, list[object]]] = {
    "rootcause_lines": (_COUNT, [_TEXT, _COUNT, _COUNT, _COUNT, _AT, _AT, _AT]),
    "rootcause_count": (_COUNT, [_TEXT, _COUNT]),
    "rootcause_begins": (_COUNT, [_TEXT, _COUNT, _TEXT, _COUNT]),
    "rootcause_prefixes": (None, [_TEXT, _COUNT, *[_AT] * 5]),
    "rootcause_own_times": (None, [_TEXT, _COUNT, _AT, _AT, _AT]),
    "rootcause_keys": (None, [_TEXT, _COUNT, _COUNT, _AT, _AT, _AT, _AT]),
    "rootcause_join": (None, [_TEXT, _COUNT, *[_AT] * 4]),
    "rootcause_minimizers": (_COUNT, [_TEXT, _COUNT, _AT, _COUNT]),
    "rootcause_bloom": (_COUNT, [_TEXT, _COUNT, _AT, _COUNT, _COUNT, _AT]),
    "rootcause_number": (_COUNT, [_AT, _COUNT, _AT, _COUNT, _AT, _AT]),
    "rootcause_planes": (_COUNT, [_AT, _COUNT, _COUNT, _COUNT, _AT]),
    "rootcause_numbers": (None, [_TEXT, _COUNT, _COUNT, _COUNT, _COUNT, _AT]),
    "rootcause_hot": (_COUNT, [_AT, _AT, _COUNT, _AT, _AT]),
    "rootcause_may_burst": (
        _COUNT,
        [_AT, _AT, _COUNT, _COUNT, _REAL, _COUNT, _REAL, _COUNT, _AT, _REAL, _COUNT, _COUNT, *[_AT] * 5],
    ),
}

_SHORT = ("rootcause_planes", "rootcause_numbers")
"""Loops over one column of a block, over before another thread could be woken: they keep the interpreter's lock."""

STALE = (
    "The compiled loops (bot/native/scan.so) were built from other sources than those beside them and are not used: logs are "
    "read several times slower. Build them anew: make .venv/.runtime, or pip install --editable . again."
)


def source_mark() -> int:
    """Give the number that a library carries to say which sources it was built from."""
    mark = 0
    for source in SOURCES:
        mark = zlib.crc32(source.read_bytes(), mark)
    return mark


@cache
def kernel() -> ctypes.CDLL | None:
    """Give the compiled loops, or None where there are none for these sources and this machine; warns of a stale library."""
    try:
        library = ctypes.CDLL(str(LIBRARY))
    except OSError:
        if LIBRARY.exists():  # where there is none, the installer has said why
            log.warning(STALE)
        return None
    try:
        mark = library.rootcause_mark
        mark.restype = ctypes.c_uint32
        if mark() != source_mark():
            log.warning(STALE)
            return None
        for name in _SHORT:
            setattr(library, name, getattr(ctypes.PyDLL(str(LIBRARY)), name))
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError):
        log.warning(STALE)
        return None
    return library
