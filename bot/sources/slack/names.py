"""Names of people by user id, asked for once and kept for the next reading.

Who cannot be looked up is shown by id; that is said, and nothing is missing for it.
"""

from collections.abc import Collection, Iterable, MutableMapping

from bot.domain.mrkdwn import as_mapping, display_name
from bot.sources.slack.web_api import RefusedError, SlackCalls, UntoldError

SINGLY = 30
"""Up to so many people are asked for one by one (tier 4: 100 a minute); more are looked for in the whole directory first."""
DIRECTORY_PAGES = 10
"""Pages of 200 of the directory (tier 2: 20 a minute); in a larger workspace the rest is asked for one by one."""

_UNKNOWN = frozenset({"user_not_found", "user_not_visible", "users_not_found"})


async def learn_names(calls: SlackCalls, people: Iterable[str], names: MutableMapping[str, str]) -> str | None:
    """Add the display names of people to ``names``; give a sentence where that was not possible for all."""
    try:
        if len(_missing(people, names)) > SINGLY:
            await _read_directory(calls, people, names)
        for user in _missing(people, names):
            await _ask(calls, user, names)
    except UntoldError as error:
        return str(error)
    return None


def _missing(people: Iterable[str], names: Collection[str]) -> list[str]:
    return sorted(user for user in set(people) if user not in names)


async def _ask(calls: SlackCalls, user: str, names: MutableMapping[str, str]) -> None:
    try:
        told = await calls.call("users.info", user=user)
    except RefusedError as error:
        if error.code not in _UNKNOWN:
            raise
        names[user] = user
        return
    names[user] = display_name(as_mapping(told.get("user"))) or user


async def _read_directory(calls: SlackCalls, people: Iterable[str], names: MutableMapping[str, str]) -> None:
    cursor = ""
    for _ in range(DIRECTORY_PAGES):
        following: dict[str, str | int] = {"cursor": cursor} if cursor else {}
        told = await calls.call("users.list", limit=200, **following)
        members = told.get("members")
        for member in members if isinstance(members, list) else []:
            user = as_mapping(member)
            if isinstance(user.get("id"), str):
                names[user["id"]] = display_name(user) or user["id"]
        cursor = str(as_mapping(told.get("response_metadata")).get("next_cursor") or "")
        if not cursor or not _missing(people, names):
            return
