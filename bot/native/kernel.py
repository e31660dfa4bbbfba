"""Loads the compiled loops of ``scan.c``; without them everything works the same, several times slower.

The library is built once, at install (``build_kernel``): nothing is compiled when the program starts. A library that was
built from another ``scan.c`` than the one beside it is not used. Calls through ctypes let other threads run.
"""

import ctypes
import zlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
SOURCE = FOLDER / "scan.c"
LIBRARY = FOLDER / "scan.so"

_AT = ctypes.c_void_p
_TEXT = ctypes.c_char_p
_COUNT = ctypes.c_int64

_FUNCTIONS: dict[str, tuple[type[ctypes.c_int64] | None, list[object]]] = {
    "rootcause_lines": (_COUNT, [_TEXT, _COUNT, _COUNT, _AT, _AT, _AT]),
    "rootcause_prefixes": (None, [_TEXT, _COUNT, _AT, _AT, _AT, _AT]),
    "rootcause_own_times": (None, [_TEXT, _COUNT, _AT, _AT, _AT]),
    "rootcause_keys": (None, [_TEXT, _COUNT, _AT, _AT, _AT, _AT]),
    "rootcause_join": (None, [_TEXT, _COUNT, _AT, _AT, _AT]),
    "rootcause_minimizers": (_COUNT, [_TEXT, _COUNT, _AT, _COUNT]),
}


def source_mark() -> int:
    """Give the number that a library carries to say which source it was built from."""
    return zlib.crc32(SOURCE.read_bytes())


@cache
def kernel() -> ctypes.CDLL | None:
    """Give the compiled loops, or None where there are none for this source and machine."""
    try:
        library = ctypes.CDLL(str(LIBRARY))
        mark = library.rootcause_mark
        mark.restype = ctypes.c_uint32
        if mark() != source_mark():
            return None
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError):
        return None
    return library
