"""The outbox: what people are told is recorded before it is posted, and again once it was.

Chat services have no idempotency key, and a process can die between the post and the note of it. So an intent whose end
nobody noted is carried out again under the same key, and the ``Messenger`` looks for that key among what was posted
already. Slack is asked to reconcile only then; what is noted as posted is never called for again.
"""

import logging
from collections.abc import Awaitable, Callable

from bot.domain.ports import Clock
from bot.errors import ChatError
from bot.investigation.desk_inbox import Inbox

log = logging.getLogger("rootcause.desk")


class Outbox:
    """Delivers each key once."""

    def __init__(self, inbox: Inbox, clock: Clock) -> None:
        self._inbox = inbox
        self._clock = clock

    async def deliver(self, key: str, post: Callable[[], Awaitable[None]]) -> None:
        """Post under a key that has not been posted; raises ChatError where the chat service does not take it."""
        if await self._inbox.intend(key, self._clock()):
            await post()
            await self._inbox.delivered(key, self._clock())

    async def try_to(self, what: str, post: Awaitable[None]) -> None:
        """Do what is nice to have, such as a reaction: without it the answer is still an answer."""
        try:
            await post
        except ChatError as error:
            log.warning("a courtesy was not delivered", extra={"what": what, "error": type(error).__name__})
        except Exception:
            log.exception("a courtesy broke", extra={"what": what})
