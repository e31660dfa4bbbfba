"""Running a call's event loop in a thread of its own, so that the caller is back in time whatever hangs.

Closing a loop waits for a name lookup that nobody can interrupt; the caller does not. Progress is told in the caller's
thread, where it may use what belongs to that thread, and what it raises ends the call.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from bot.domain.model import Heard, ModelProgress

GRACE_S = 2.0
"""Seconds that a call gets to tidy up behind its deadline."""


@dataclass(frozen=True, slots=True)
class _Over:
    result: object
    error: BaseException | None


@dataclass(frozen=True, slots=True)
class _Asks:
    """Something heard that the call wants to be allowed before it goes on."""

    heard: Heard
    allowed: Callable[[BaseException | None], None]


class Line:
    """What the call says to its caller."""

    def __init__(self) -> None:
        self._told: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def tell(self, heard: Heard) -> None:
        """Say how far it is; does not wait."""
        self._told.put(heard)

    async def ask(self, heard: Heard) -> None:
        """Say it and wait until the caller has heard it; raises what the caller raises."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[None] = loop.create_future()

        def settle(error: BaseException | None) -> None:
            if not answered.done():
                answered.set_exception(error) if error else answered.set_result(None)

        self._told.put(_Asks(heard, lambda error: _soon(loop, settle, error)))
        await answered

    def over(self, result: object, error: BaseException | None) -> None:
        """Say the last word."""
        self._told.put(_Over(result, error))

    def listen(self, progress: ModelProgress, until: float) -> Any:  # noqa: ANN401 - whatever the call gives
        """Tell the progress until the call is over; raises TimeoutError where it never is."""
        while True:
            try:
                told = self._told.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise TimeoutError from None
            match told:
                case _Over(result=result, error=failed):
                    if failed is not None:
                        raise failed
                    return result
                case _Asks(heard=heard, allowed=allowed):
                    try:
                        progress(heard)
                    except BaseException as error:
                        allowed(error)
                        raise
                    allowed(None)
                case _:
                    progress(told)


def run(call: Callable[[Line], Coroutine[Any, Any, object]], progress: ModelProgress, deadline_s: float) -> Any:  # noqa: ANN401
    """Run a call and give its result; raises what it raises, TimeoutError soon after ``deadline_s`` at the latest."""
    line = Line()
    running = _Running(call, line)
    threading.Thread(target=running.run, name="model", daemon=True).start()
    try:
        return line.listen(progress, time.monotonic() + deadline_s + GRACE_S)
    finally:
        running.cancel()


class _Running:
    def __init__(self, call: Callable[[Line], Coroutine[Any, Any, object]], line: Line) -> None:
        self._call = call
        self._line = line
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[object] | None = None
        self._gone = False

    def run(self) -> None:
        result, failed = None, None
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                result = runner.run(self._whole())
        except BaseException as error:  # noqa: BLE001 - handed to the caller, who raises it
            failed = error
        self._line.over(result, failed)

    async def _whole(self) -> object:
        self._task = asyncio.current_task()
        return await self._call(self._line)

    def cancel(self) -> None:
        """End the call where it still runs: its caller has gone."""
        if self._task is not None:
            _soon(self._loop, self._task.cancel)


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[..., object], *arguments: object) -> None:
    try:
        loop.call_soon_threadsafe(call, *arguments)
    except RuntimeError:
        return  # the loop is closed: there is nobody left to tell
