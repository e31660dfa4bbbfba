"""Which mapping this program does: a worker of another one must not take part, for its forms or filters could differ."""

import hashlib
from functools import cache
from pathlib import Path

from bot import __version__
from bot.casefile import blocks, cells, mapping, parcels, tokens
from bot.native import batch, kernel
from bot.signals import masking

_MODULES = (blocks, cells, mapping, parcels, tokens, batch, kernel, masking)
"""All that a run's way from its bytes to its forms and filters leads through, beside the loops in C."""


@cache
def mapping_version() -> str:
    """Give the version: this program's, and a hash of the sources that the mapping consists of."""
    told = hashlib.sha256()
    for path in (*(Path(str(module.__file__)) for module in _MODULES), *kernel.SOURCES):
        told.update(hashlib.sha256(path.read_bytes()).digest())
    return f"{__version__}-{told.hexdigest()[:16]}"
