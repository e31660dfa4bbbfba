"""A cluster whose watches and logs have no end, or become more than they were: the recorder lives on, in little memory."""

import asyncio
import gc
import itertools
import json
import re
import time
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import web
from kube_api import KubeApi
from kube_recording import recording, until
from unit.export_sink import RecordingSink

from bot.archive.reading import Archive
from bot.cluster.resources import PODS
from bot.domain.window import Window, instant
from bot.sources.recorder import RecorderSource

MOST_MB = 160
STRUCK_S = 0.7
PIECE = 256 * 1024
POD = {"metadata": {"name": "b", "namespace": "web", "uid": "b", "resourceVersion": "1"}, "spec": {}, "status": {}}


def packed(megabytes):
    """Give so many megabytes of blanks as gzip, a megabyte at a time."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(b" " * 2**20) for _ in range(megabytes)), packer.flush()])


PACKED = packed(512)


def change(item=POD):
    """Spell a change of a watch."""
    return json.dumps({"type": "MODIFIED", "object": item}).encode() + b"\n"


def pods():
    """Give pods without end, each another one."""
    for number in itertools.count():
        yield b"".join(
            change({**POD, "metadata": {**POD["metadata"], "name": f"p{number}-{at}", "uid": f"{number}-{at}"}})
            for at in range(200)
        )


WATCHES = {
    # name: headers, pieces, what the watch says of it
    "a change without end": ({}, lambda: itertools.repeat(b" " * PIECE), "larger than 16 MiB"),
    "a change of empty lists": ({}, lambda: [b'{"type":"ADDED","object":{"a":[', b"[]," * 4_500_000, b"1]}}\n"], "more values than"),
    "a deep change": ({}, lambda: [b"[" * 4_000_000, b"\n"], "no JSON"),
    "changes without end": ({}, pods, "watching"),
    "nothing but ends of lines": ({}, lambda: itertools.repeat(b"\n" * PIECE), "watching"),
    "packed": ({"Content-Encoding": "gzip"}, lambda: [PACKED], "larger than 16 MiB"),
}  # fmt: skip
LOGS = {
    "a line without end": ({}, lambda: itertools.repeat(b"x" * PIECE)),
    "packed": ({"Content-Encoding": "gzip"}, lambda: [PACKED]),
}


class HostileApi(KubeApi):
    """Answers a watch of pods, or a log, with a bomb while there is one."""

    bomb = None
    where = "watch"

    async def _answer(self, request):
        struck = "watch" in request.query if self.where == "watch" else request.path.endswith("/log")
        if self.bomb is None or not struck or "/pods" not in request.path:
            return await super()._answer(request)
        self.calls[self.where] += 1
        headers, pieces = self.bomb
        answer = web.StreamResponse(headers={"Content-Type": "application/json", **headers})
        await answer.prepare(request)
        with suppress(ConnectionError):
            for piece in pieces():
                await answer.write(piece)
                await asyncio.sleep(0)
                if self.bomb is None:
                    break
        return answer


def peak_mb():
    """Give the process's peak since it was last set back."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


def reset_mb():
    """Set the peak back to what the process holds now, and give that."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    return peak_mb()


def recorded(folder):
    """Give the names of the pods of a namespace where nothing hostile happens, as an archive has them."""
    sink, now = RecordingSink(), time.time()
    window = Window(start=instant(now - 600), end=instant(now + 60), asked="")
    RecorderSource(path=folder / "archive.sqlite", window=window, namespaces=["quiet"]).gather(
        sink, lambda _stage, _done, _total: None
    )
    return {version.entity.name for version in sink.objects}


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak is set back as Linux does it")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.full) if name == "changes without end" else name for name in WATCHES]
)
def test_a_watch_without_end_or_measure_is_left_and_begun_again(tmp_path, name):
    """What cannot be read is said and not kept; once the server is well again, it is watched as before."""
    headers, pieces, said = WATCHES[name]
    with HostileApi() as api:
        api.bomb = (headers, pieces)
        before = reset_mb()
        with recording(api, tmp_path, resources=(PODS,)) as recorder:
            (watch,) = recorder.watches
            until(lambda: api.calls["watch"] and said in watch.state)
            ends = time.monotonic() + STRUCK_S
            until(lambda: time.monotonic() > ends)
            assert peak_mb() - before < MOST_MB
            api.bomb = None
            until(lambda: watch.healthy)
            api.put({**POD, "kind": "Pod", "metadata": {"name": "late", "namespace": "quiet"}})
            until(lambda: "late" in recorded(tmp_path))


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak is set back as Linux does it")
@pytest.mark.parametrize("name", LOGS)
def test_a_log_without_end_is_cut_and_that_is_kept(tmp_path, name):
    """The last lines of a pod that goes away: as many as are taken at once, and a gap for the rest."""
    with HostileApi() as api:
        api.bomb, api.where = LOGS[name], "log"
        going = {**POD, "kind": "Pod", "metadata": {**POD["metadata"], "deletionTimestamp": "2026-11-22T06:28:01Z"}}
        ready = {"name": "app", "restartCount": 0, "state": {"running": {"startedAt": "2026-11-22T06:00:00Z"}}}
        before = reset_mb()
        with recording(api, tmp_path, resources=(PODS,)) as recorder:
            api.put({**going, "status": {"containerStatuses": [ready]}})
            until(lambda: api.calls["log"] and not recorder.taker.running)
            assert peak_mb() - before < MOST_MB
        now = time.time()
        losses = Archive(tmp_path / "archive.sqlite").losses(
            Window(start=instant(now - 600), end=instant(now + 60), asked="")
        )
    assert ["longer than is taken at once" in what for _, what, _ in losses] == [True]
