"""A server on loopback in a thread of its own, for whoever asks it may block: what the stand-ins of real servers share."""

import asyncio
import threading


class Loopback:
    """Runs ``serve`` in a fresh event loop from ``with`` to its end.

    ``serve`` opens its socket, calls ``ready`` with it (or ``ready_at``), and ends once ``over`` is set.
    """

    def __init__(self):
        self.port = 0
        self.over: asyncio.Event
        self._listening = threading.Event()
        self._loop = asyncio.new_event_loop()

    def __enter__(self):
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._listening.wait(10)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self.over.set)
        self._thread.join(10)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self):
        self.over = asyncio.Event()
        await self.serve()

    def ready(self, server):
        """Say that the socket of an asyncio server is open."""
        self.ready_at(server.sockets[0].getsockname()[1])

    def ready_at(self, port):
        """Say at which port it listens."""
        self.port = port
        self._listening.set()

    async def serve(self):
        """Serve until it is over."""
        raise NotImplementedError
