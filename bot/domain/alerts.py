"""A group of alerts that fires, as Alertmanager tells of it, reduced to names that are safe to repeat."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """``key`` names the group and this time of its firing; the same again is the same incident. ``about`` are workloads."""

    key: str
    names: tuple[str, ...]
    namespaces: tuple[str, ...]
    about: tuple[str, ...]
    count: int
    since: datetime | None

    @property
    def question(self) -> str:
        """What is asked: names only, for annotations are anybody's text."""
        alerts = "alert" if len(self.names) == 1 else "alerts"
        whom = f" for {', '.join(self.about)}" if self.about else ""
        return f"Why did the {alerts} {', '.join(self.names)} fire{whom}?"
