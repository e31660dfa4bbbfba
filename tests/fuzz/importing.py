"""Imports one export into a sink that keeps nothing, and prints the peak of this process in megabytes, and the losses."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from peak import peak_mb

from bot.domain.items import ItemId
from bot.errors import RootcauseError
from bot.sources.export import ExportSource


class Drain:
    """A sink that counts and forgets."""

    def __init__(self):
        self.count, self.lost = 0, []

    def open_stream(self, _stream):
        """Number every stream alike."""
        return 0

    def add_lines(self, _stream, lines):
        """Count lines."""
        self.count += len(lines)

    def add_gap(self, gap):
        """Keep what was lost."""
        self.lost += [gap.what] if gap.lost else []

    def add_read(self, _source, _path, _size):
        """Forget what was read."""

    def _item(self, _item):
        self.count += 1
        return ItemId("V1")

    add_event = add_object = add_series = add_message = add_ticket = _item


if __name__ == "__main__":
    sink, refused = Drain(), ""
    try:
        ExportSource(Path(sys.argv[1])).gather(sink, lambda _stage, _done, _total: None)
    except RootcauseError as error:
        refused = str(error)
    print(json.dumps({"peak": peak_mb(), "count": sink.count, "lost": sink.lost, "refused": refused}))  # noqa: T201 - its output
