"""One shared limiter for everything the app sends: a rate for each method, a distance for each channel, pauses on request.

Slack counts per method, workspace and app (https://docs.slack.dev/apis/web-api/rate-limits), so one instance serves all
investigations of a workspace. It only says when a call may go; it neither calls nor retries. Time is the event loop's.
"""

import asyncio
from bisect import bisect_right, insort
from collections import defaultdict

from bot.slack.surface import METHODS

_PERIOD_S = 60.0

_BURST = 2
"""Messages that may go at once into a quiet channel: a thread's root and its plan. Slack allows "short bursts" unmeasured."""


class Limiter:
    """Hands out turns. ``scale`` stretches or shrinks all rates: 1.0 is Slack's."""

    def __init__(self, scale: float = 1.0) -> None:
        self._scale = scale
        self._taken: defaultdict[str, list[float]] = defaultdict(list)
        self._channel_next: dict[tuple[str, str], float] = {}
        self._paused_until: dict[str, float] = {}

    async def turn(self, method: str, channel: str | None, deadline_at: float) -> bool:
        """Wait for a turn; False, without waiting, where it would come only after ``deadline_at`` (loop time)."""
        at = self._reserve(method, channel, now=_now(), latest=deadline_at)
        if at is None:
            return False
        await asyncio.sleep(max(at - _now(), 0))
        return True

    def turn_now(self, method: str, channel: str | None) -> bool:
        """Take a turn only if it is free at once, and leave half of the rate to what cannot be left out."""
        now = _now()
        if len(self._recent(method, now)) * 2 >= self._rate(method):
            return False
        return self._reserve(method, channel, now=now, latest=now) is not None

    def pause(self, method: str, seconds: float) -> None:
        """Let nobody call a method for a while, because Slack said so."""
        self._paused_until[method] = max(self._paused_until.get(method, 0.0), _now() + seconds)

    def _reserve(self, method: str, channel: str | None, *, now: float, latest: float) -> float | None:
        taken = self._recent(method, now)
        at = max(now, self._paused_until.get(method, 0.0))
        rate = self._rate(method)
        if len(taken) >= rate:
            at = max(at, taken[-rate] + _PERIOD_S)
        distance = METHODS[method].per_channel_s / self._scale
        if channel is not None and distance:
            at = max(at, self._channel_next.get((method, channel), 0.0) - (_BURST - 1) * distance)
        if at > latest + 1e-6:
            return None
        insort(taken, at)
        if channel is not None and distance:
            self._forget_channels(now)
            self._channel_next[(method, channel)] = max(self._channel_next.get((method, channel), 0.0), at) + distance
        return at

    def _recent(self, method: str, now: float) -> list[float]:
        taken = self._taken[method]
        del taken[: bisect_right(taken, now - _PERIOD_S)]
        return taken

    def _rate(self, method: str) -> int:
        return max(int(METHODS[method].per_minute * self._scale), 1)

    def _forget_channels(self, now: float) -> None:
        if len(self._channel_next) > 1000:
            self._channel_next = {key: at for key, at in self._channel_next.items() if at > now}


def _now() -> float:
    return asyncio.get_running_loop().time()
