"""Text that people post on: into a chat, a ticket. Secrets go, and what stood there is said in words; people stay.

Who reads the channel could read its members' names before, but nobody should find a password in a search of the chat.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from bot.errors import RedactionError
from bot.redaction.gate import Gate

_WITHHELD = "[withheld: it could not be searched for secrets]"


class Posting:
    """What text passes on its way to a chat or a tracker; ``own`` are an organisation's patterns of secrets."""

    def __init__(self, own: Iterable[str] = ()) -> None:
        """Make it; raises UsageError for an own pattern that could hang."""
        self._gate = Gate(b"marks of this gate are never shown", people=(), own=own)

    def text(self, text: str) -> str:
        """Give a text with ``[password removed]`` where a secret stood; one that cannot be searched is withheld."""
        try:
            return self._gate.without_secrets(text)
        except RedactionError:
            return _WITHHELD

    def all(self, value: Any) -> Any:  # noqa: ANN401 - a report, or any part of one
        """Give plain frozen data with every text in it as it may be posted."""
        if isinstance(value, str):
            told = self.text(value)
            return value if told == value else told
        if is_dataclass(value) and not isinstance(value, type):
            named = {each.name: getattr(value, each.name) for each in fields(value) if each.init}
            changed = {name: told for name, part in named.items() if (told := self.all(part)) is not part}
            return replace(value, **changed) if changed else value
        if isinstance(value, Mapping):
            parts = {key: self.all(part) for key, part in value.items()}
            return parts if any(parts[key] is not value[key] for key in parts) else value
        if isinstance(value, (tuple, list)):
            ones = [self.all(part) for part in value]
            return value if all(one is part for one, part in zip(ones, value, strict=True)) else type(value)(ones)
        return value


POSTING = Posting()
"""Where an organisation has no patterns of its own."""
