"""Lets the C library keep large buffers that were freed, for the next ones, while gigabytes pass through a few megabytes.

A block of logs lives in buffers of half a megabyte and more. As glibc has it, each is asked of the system anew and handed
back at once, and the system fills it with zeros page by page: a second of work a gigabyte. No result depends on it, and
where the C library is another one, nothing happens.
"""

import ctypes
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of <malloc.h>
_LARGEST_KEPT = 4 * 1024 * 1024
"""Bytes of a buffer: those of a block are smaller; what is larger than a few of them still goes back at once"""
_KEPT = 64 * 1024 * 1024
"""Bytes that are free at the end of a heap before they are handed back"""


def keep_buffers() -> None:
    """Keep what is freed from now on, within bounds; for the rest of the process's life."""
    library = _library()
    if library is not None:
        library.mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT)
        library.mallopt(_TRIM_THRESHOLD, _KEPT)


def give_back() -> None:
    """Hand back to the system what is free now."""
    library = _library()
    if library is not None:
        library.malloc_trim(0)


@cache
def _library() -> ctypes.CDLL | None:
    """Give glibc; None where the program runs on another C library."""
    try:
        library = ctypes.CDLL(None)
        library.mallopt.argtypes = [ctypes.c_int, ctypes.c_int]
        library.malloc_trim.argtypes = [ctypes.c_size_t]
    except (OSError, TypeError, AttributeError):
        return None
    return library
