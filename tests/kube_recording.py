"""A recorder of a cluster on loopback, run in a thread, and waiting for what it should have done."""

import asyncio
import threading
import time
from contextlib import contextmanager

from bot.archive.keeping import Keeper
from bot.cluster.access import ClusterAccess, connected
from bot.cluster.api import ClusterApi
from bot.recorder import CONNECTIONS, Recorder, RecorderPlan

WAIT_S = 30


@contextmanager
def recording(api, folder, *, now=time.time, **plan):
    """Run a recorder of a cluster in a thread, and stop it as SIGTERM would; ``now`` is its clock."""
    ready, loop = threading.Event(), asyncio.new_event_loop()
    found = {}

    async def run():
        client = await connected(ClusterAccess(kubeconfig=api.kubeconfig(folder)), CONNECTIONS)
        async with client:
            keeper = Keeper(folder / "archive.sqlite")
            recorder = Recorder(
                api=ClusterApi(client=client, ends_at=float("inf"), request_s=5),
                keeper=keeper,
                plan=RecorderPlan(pause_s=0.02, flush_s=0.02, **plan),
                now=now,
            )
            found.update(recorder=recorder, task=asyncio.current_task())
            ready.set()
            try:
                await recorder.run()
            except asyncio.CancelledError:
                pass
            finally:
                keeper.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    assert ready.wait(WAIT_S)
    try:
        yield found["recorder"]
    finally:
        loop.call_soon_threadsafe(found["task"].cancel)
        thread.join(WAIT_S)
        loop.close()


def unconnected(keeper, now, **plan):
    """Make a recorder without a cluster: it hears what a test tells it."""
    return Recorder(
        api=ClusterApi(client=None, ends_at=float("inf")), keeper=keeper, plan=RecorderPlan(**plan), now=now
    )


def until(holds):
    """Wait for a condition."""
    ends = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.02)
