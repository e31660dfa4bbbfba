"""How fast Slack may be asked: one pace for everything that reads with the same app.

Slack counts calls per method, workspace and app, so investigations that run side by side must share one ``Pace``. It
only computes waits; who asks does the waiting. Safe to use from several threads.

Source: Slack's "Rate limits" and the tier on each method's page.
"""

import time
from collections.abc import Callable, Mapping
from threading import Lock

PER_MINUTE: Mapping[str, int] = {
    "auth.test": 100,
    "conversations.history": 50,
    "conversations.info": 50,
    "conversations.replies": 50,
    "users.info": 100,
    "users.list": 20,
}
"""Calls a minute that each method's tier allows (tier 2: 20, tier 3: 50, tier 4: 100; https://docs.slack.dev/apis/web-api/rate-limits).
A minute's worth may be used at once: Slack lets bursts pass, and says so when it does not."""


class Pace:
    """A token bucket a method, and the pauses that Slack asked for.

    ``now``: monotonic seconds. ``per_minute``: calls allowed by method; a method without a row is not limited here.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic, per_minute: Mapping[str, int] = PER_MINUTE) -> None:
        self._now = now
        self._per_minute = per_minute
        self._lock = Lock()
        self._free: dict[str, tuple[float, float]] = {}
        self._held: dict[str, float] = {}

    def take(self, method: str) -> float:
        """Reserve one call and give the seconds to wait before it may be made; 0 at once."""
        allowed = self._per_minute.get(method)
        with self._lock:
            now = self._now()
            held = max(self._held.get(method, now) - now, 0.0)
            if allowed is None:
                return held
            tokens, at = self._free.get(method, (float(allowed), now))
            tokens = min(tokens + (now - at) * allowed / 60, float(allowed)) - 1
            self._free[method] = (tokens, now)
            return max(held, -tokens * 60 / allowed)

    def hold(self, method: str, seconds: float) -> None:
        """Let nobody call a method for so long: Slack answered with ``Retry-After``."""
        with self._lock:
            self._held[method] = max(self._held.get(method, 0.0), self._now() + seconds)

    def held(self, method: str) -> float:
        """Give the seconds for which a method is still held; 0 where it is not."""
        with self._lock:
            return max(self._held.get(method, 0.0) - self._now(), 0.0)
