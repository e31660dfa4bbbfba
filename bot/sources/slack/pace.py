"""How fast Slack may be asked: one pace for everything that reads with the same app.

Slack counts calls per method, workspace and app, so investigations that run side by side must share one ``Pace``. It
only computes waits; who asks does the waiting. Safe to use from several threads.

Source: Slack's "Rate limits" and the tier on each method's page.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from threading import Lock

MINUTE_S = 60.0
PER_MINUTE: Mapping[str, int] = {
    "auth.test": 90,
    "conversations.history": 45,
    "conversations.info": 45,
    "conversations.replies": 45,
    "users.info": 90,
    "users.list": 18,
}
"""Calls a minute: nine tenths of what each method's tier allows (tier 2: 20, tier 3: 50, tier 4: 100; see
https://docs.slack.dev/apis/web-api/rate-limits); the rest is for what posts answers. They may all be used at once: Slack
lets bursts pass, and says so when it does not."""


class Pace:
    """A sliding minute for each method, and the pauses that Slack asked for.

    ``now``: monotonic seconds. ``per_minute``: calls allowed by method; a method without a row is not limited here.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic, per_minute: Mapping[str, int] = PER_MINUTE) -> None:
        self._now = now
        self._per_minute = per_minute
        self._lock = Lock()
        self._planned: dict[str, deque[float]] = {}
        self._held: dict[str, float] = {}

    def take(self, method: str) -> float:
        """Reserve one call and give the seconds to wait before it may be made; 0 at once."""
        allowed = self._per_minute.get(method)
        with self._lock:
            now = self._now()
            at = max(now, self._held.get(method, now))
            if allowed is not None:
                planned = self._planned.setdefault(method, deque(maxlen=allowed))
                if len(planned) == allowed:
                    at = max(at, planned[0] + MINUTE_S)
                planned.append(at)
            return at - now

    def hold(self, method: str, seconds: float) -> None:
        """Let nobody call a method for so long: Slack answered with ``Retry-After``."""
        with self._lock:
            self._held[method] = max(self._held.get(method, 0.0), self._now() + seconds)

    def held(self, method: str) -> float:
        """Give the seconds for which a method is still held; 0 where it is not."""
        with self._lock:
            return max(self._held.get(method, 0.0) - self._now(), 0.0)
