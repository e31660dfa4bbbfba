"""Who the app is in its workspace: asked once, kept; the question that must be answered before an event is understood."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.async_context import AsyncBoltContext

from bot.slack.calls import Calls

_DEADLINE_S = 2.5
"""Within Slack's three seconds for an acknowledgement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Self:
    """The app's own ids and its workspace's address (``https://acme.slack.com/``)."""

    user: str
    bot: str
    team: str
    enterprise: str | None
    url: str

    def permalink(self, channel: str, ts: str, thread_ts: str | None = None) -> str:
        """Build the address of a message; no call is needed for it."""
        address = f"{self.url.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"
        return f"{address}?thread_ts={thread_ts}&cid={channel}" if thread_ts and thread_ts != ts else address


class Identity:
    """Knows who the app is; the first to ask asks Slack, the others wait for the answer."""

    def __init__(self, calls: Calls, on_address: Callable[[str], None] = lambda _: None) -> None:
        self._calls = calls
        self._on_address = on_address
        self._known: Self | None = None
        self._asking = asyncio.Lock()

    async def known(self) -> Self:
        """Give the app's ids; raises ChatBusyError or ChatRefusedError while Slack does not tell."""
        async with self._asking:
            if self._known is None:
                answer = await self._calls("auth.test", deadline_s=_DEADLINE_S)
                self._known = Self(
                    user=str(answer.get("user_id", "")),
                    bot=str(answer.get("bot_id", "")),
                    team=str(answer.get("team_id", "")),
                    enterprise=answer.get("enterprise_id"),
                    url=str(answer.get("url") or "https://slack.com/"),
                )
                self._on_address(self._known.url)
            return self._known


class KnownSelf(AsyncAuthorize):
    """Bolt's authorization from what is known.

    Bolt's own acknowledges an event when Slack cannot say who the app is, and the event is lost; here the error stands,
    the event stays unacknowledged, and Slack delivers it again.
    """

    def __init__(self, identity: Identity, token: str | None) -> None:
        self._identity = identity
        self._token = token

    async def __call__(
        self,
        *,
        context: AsyncBoltContext,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None,
        actor_enterprise_id: str | None = None,  # noqa: ARG002 - Bolt's signature
        actor_team_id: str | None = None,  # noqa: ARG002 - Bolt's signature
        actor_user_id: str | None = None,  # noqa: ARG002 - Bolt's signature
    ) -> AuthorizeResult | None:
        """Give Bolt what it needs to ignore the app's own messages."""
        del context
        known = await self._identity.known()
        return AuthorizeResult(
            enterprise_id=enterprise_id or known.enterprise,
            team_id=team_id or known.team,
            url=known.url,
            bot_user_id=known.user,
            bot_id=known.bot,
            bot_token=self._token,
            user_id=user_id,
        )
