"""Where a log store is, and what of it is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.wire import Login


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAddress:
    """See ``LogsSettings``."""

    url: str
    login: Login
    deadline_s: float = 60.0
    most_bytes: int = 256 * 1024 * 1024
    selector: str | None = None
    index: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
