"""An archive of the recorder in every situation it can be in."""

import json
from datetime import timedelta

from kubernetes_situations import NOW, START, WINDOW, event, lines, pod
from situations import Situation

from bot.archive.keeping import Keeper, LogPiece
from bot.sources.recorder import RecorderSource

FIRST_NS = int(START.timestamp()) * 1_000_000_000


def filled(keeper, *, until_s=3600, repeat=1):
    """Record an hour: a pod in two states, four events, twenty lines of a log."""
    for what in ("pods", "events", "logs"):
        keeper.begin(what, START.timestamp(), continued=False)
        keeper.beat(what, START.timestamp() + until_s)
    for number in range(4):
        raw = json.dumps(event(number)).encode()
        keeper.event(f"e{number}", START.timestamp() + number, START.timestamp() + number, "web", raw)
    for number, restarts in enumerate((0, 1)):
        raw = json.dumps(pod("a", restarts=restarts)).encode()
        keeper.version(("u", "Pod", "web"), START.timestamp() + number, raw, raw)
    for part in range(repeat):
        raw = lines(20, 20 * part).encode()
        keeper.log(
            LogPiece(
                namespace="web", pod="a", container="app", node="n1", previous=False,
                first_ns=FIRST_NS + 20 * part * 10**9, last_ns=FIRST_NS + (20 * part + 20) * 10**9, raw=raw,
            )
        )  # fmt: skip


def archive(fill=filled, *, spoil=None, deadline_s=8.0, namespaces=(), **filling):
    """Open an archive; ``spoil`` changes the file afterwards."""

    def opened(folder):
        path = folder / "recorder.sqlite"
        keeper = Keeper(path)
        if fill:
            fill(keeper, **filling)
        keeper.close()
        if spoil:
            spoil(path)
        yield RecorderSource(path=path, window=WINDOW, namespaces=namespaces, deadline_s=deadline_s)

    return opened


def halved(path):
    """Cut the file in half."""
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])


def row(name, items, *, lost=False, words="", **opened):
    """Give a situation of an archive."""
    return Situation(source="recorder", name=name, opened=archive(**opened), items=items, lost=lost, words=words)


def quiet(keeper):
    """Record an hour in which nothing happened."""
    keeper.begin("events", START.timestamp(), continued=False)
    keeper.beat("events", NOW.timestamp() + timedelta(seconds=1).total_seconds())


RECORDER = (
    row("happy", 26),
    row("empty", 0, fill=quiet),
    row("partial", 26, until_s=1800, lost=True, words="nobody watched events, logs, pods from 2026-11-22T00:30:00Z"),
    row("other-namespace", 0, namespaces=("shop",)),
    row("huge", 6 + 20 * 150, repeat=150),
    row("nothing-recorded", 0, fill=None, lost=True, words="nothing has been recorded yet"),
    row("not-there", 0, spoil=lambda path: path.unlink(), lost=True, words="`rootcause record`"),
    row("malformed", 0, spoil=lambda path: path.write_text("hello"), lost=True, words="cannot be read"),
    row("cut", 0, spoil=halved, lost=True, words=""),
    row("slow", 1, deadline_s=0.0, lost=True, words="ran out"),
)  # fmt: skip
"""What an archive holds and what it cannot give."""
