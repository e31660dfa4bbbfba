"""A worker that dies, hangs or is another version's; run by the tests, never by hand.

``dying_worker.py die 2`` ends as ``kill -9`` does when it has taken its second run, ``hang 2`` stops there for ever, and ``other``
takes part as a worker of another version does. Nothing of the product knows of this.
"""

import asyncio
import os
import signal
import sys

from bot import app_worker
from bot.investigation.spread_store import SpreadStore
from bot.settings import WorkerSettings

FATES = {"die": signal.SIGKILL, "hang": signal.SIGSTOP}


def doomed(number, fate):
    """Let the n-th taking be the last."""
    taken, take = [], SpreadStore.take

    def taking(self, key, worker):
        payload = take(self, key, worker)
        taken.append(key)
        if len(taken) == number:
            os.kill(os.getpid(), FATES[fate])
        return payload

    SpreadStore.take = taking


if __name__ == "__main__":
    what, *number = sys.argv[1:]
    if what == "other":
        app_worker.MapWorker = lambda settings, form_of, real=app_worker.MapWorker: real(settings, form_of, "0.0-other")
    else:
        doomed(int(number[0]), what)
    sys.exit(asyncio.run(app_worker.work(WorkerSettings.from_environment())))
