"""How often a method may be called: Slack's tiers, and one message a second in a channel with a short burst.

https://docs.slack.dev/apis/web-api/rate-limits. Tiers are per method and workspace, so one clock serves all callers.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

from bot.playground.refusal import Refusal

MINUTE_S = 60.0
TIERS = {1: 1, 2: 20, 3: 50, 4: 100, 5: 600}
"""Calls a minute; 5 is what Slack calls special (status lines, permalinks), which it does not number."""
BURST = 5
"""Messages that may come at once in one channel before one a second is held to; Slack says only "short bursts"."""


@dataclass(slots=True)
class RateLimits:
    """Counts calls and refuses what comes too fast with 429 and ``Retry-After`` in whole seconds."""

    clock: Callable[[], float]
    enforced: bool = True
    _calls: dict[str, deque[float]] = field(default_factory=dict)
    _posts: dict[str, tuple[float, float]] = field(default_factory=dict)

    def count(self, method: str, tier: int) -> None:
        """Count a call of a method, or refuse it."""
        if not self.enforced:
            return
        now = self.clock()
        calls = self._calls.setdefault(method, deque())
        while calls and calls[0] <= now - MINUTE_S:
            calls.popleft()
        if len(calls) >= TIERS[tier]:
            raise too_fast(calls[0] + MINUTE_S - now)
        calls.append(now)

    def count_post(self, channel: str) -> None:
        """Count a message posted in a channel, or refuse it: a bucket of ``BURST`` that gains one a second."""
        if not self.enforced:
            return
        now = self.clock()
        left, at = self._posts.get(channel, (float(BURST), now))
        left = min(float(BURST), left + now - at)
        if left < 1:
            raise too_fast(1 - left)
        self._posts[channel] = (left - 1, now)


def too_fast(wait_s: float) -> Refusal:
    """Make the answer of a rate limit."""
    return Refusal("ratelimited", status=429, headers={"Retry-After": str(max(1, ceil(wait_s)))})
