"""Workers that an investigation starts itself, on its own machine, and that never outlive it.

Each is the ordinary ``rootcause worker`` in a session of its own, so that Ctrl-C reaches the investigation alone. It holds the
reading end of a pipe whose writing end the investigation keeps: however the investigation ends, ``kill -9`` included, the pipe
ends, and the worker with it.
"""

import logging
import subprocess
import sys
from contextlib import suppress

from bot.settings import SpreadSettings

log = logging.getLogger("rootcause.spread")

TERM_S = 5.0
"""Seconds a worker gets to leave; nothing that it holds is wanted any more."""


class LocalWorkers:
    """So many workers of this machine; ``start`` and ``close`` once each."""

    def __init__(self, settings: SpreadSettings) -> None:
        self._settings = settings
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start them; they take part once they have said that they are there."""
        try:
            for _ in range(self._settings.local):
                self.processes.append(self._started())
        except OSError as error:
            log.warning("no local worker could be started", extra={"why": str(error)})
        log.info("local workers were started", extra={"workers": [each.pid for each in self.processes]})

    def close(self) -> None:
        """End them all and wait until they are gone."""
        for each in self.processes:
            if each.poll() is not None:
                log.warning("a local worker had ended", extra={"worker": each.pid, "code": each.returncode})
            each.terminate()
            if each.stdin is not None:
                with suppress(OSError):  # the worker has closed its end already
                    each.stdin.close()
        for each in self.processes:
            try:
                each.wait(TERM_S)
            except subprocess.TimeoutExpired:
                each.kill()
                each.wait()
        self.processes.clear()

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            # -P: a folder called bot where the investigation was started is no part of the program
            [sys.executable, "-P", "-m", "bot", "worker", "--until-eof"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._settings.for_a_child(),
            start_new_session=True,
        )
