"""What the fuzzer drives: ``python tests/fuzz/targets.py importer|times [libFuzzer options] [corpus folder]``.

Coverage of our own parsers guides it. A finding is an exception that is not one of the program's own sentences, a text that
cannot be written, or compiled loops that disagree with the Python beside them.
"""

import io
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
sys.path.insert(0, str(Path(__file__).parents[2]))

with atheris.instrument_imports(include=["bot.sources.export", "bot.analyst.times"]):
    from export_sink import gathered

    from bot.analyst.times import parse_window
    from bot.errors import RootcauseError

from bot.native.batch import batch_of
from bot.signals.masking import mask

NOW = datetime(2026, 11, 22, 6, 28, 1, tzinfo=UTC)
NAMES = (
    "shop/api-0/app.log",
    "events.json",
    "prom.json",
    "loki.json",
    "ops/2026-11-22.json",
    "OPS-1.json",
    "a.yaml",
    "m.om",
)


def importer(fuzzed: bytes) -> None:
    """Import an archive of one or two files of any content; the bytes may also be the archive."""
    given = atheris.FuzzedDataProvider(fuzzed)
    if given.ConsumeIntInRange(0, 7) == 0:
        stream = io.BytesIO(given.ConsumeBytes(given.remaining_bytes()))
    else:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr(
                NAMES[given.ConsumeIntInRange(0, len(NAMES) - 1)], given.ConsumeBytes(given.ConsumeIntInRange(0, 4000))
            )
            archive.writestr("known.log", b"2026-11-22T06:28:01.000000000Z ready\n")
        stream.seek(0)
    with suppress(RootcauseError):
        sink = gathered(stream)
        for one in (*sink.messages, *sink.tickets):
            one.text.encode()
        lines = [(0, raw[start:], 0) for kept in sink.lines for _, raw, start in kept]
        _agree([raw for _, raw, _ in lines])


def _agree(raws: list[bytes]) -> None:
    keys = batch_of([(0, raw, 0) for raw in raws]).keys()
    if keys is None:
        return
    forms: dict[int, bytes] = {}
    for key, raw in zip(keys.tolist(), raws, strict=True):
        assert forms.setdefault(key, mask(raw)) == mask(raw), raw


def times(fuzzed: bytes) -> None:
    """Read any words as a window; what is understood is a window forwards in time."""
    words = atheris.FuzzedDataProvider(fuzzed).ConsumeUnicode(80)
    with suppress(RootcauseError):
        window = parse_window(words, now=NOW, first=NOW.replace(day=1), tz=UTC)
        assert window.start < window.end, words


TARGETS: dict[str, Callable[[bytes], None]] = {"importer": importer, "times": times}

if __name__ == "__main__":
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
