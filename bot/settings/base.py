"""Where cases live."""

from dataclasses import dataclass
from pathlib import Path

from bot.settings.environment import text


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the surroundings decide.

    ``home``: folder of the case files, ``ROOTCAUSE_HOME``; without it the platform's user data folder, which survives
    reboots and is nobody else's to clean.
    """

    home: Path

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read the settings from the process's environment; an empty variable counts as unset."""
        named = text("ROOTCAUSE_HOME")
        return cls(home=Path(named).expanduser() if named else _user_data_folder())


def _user_data_folder() -> Path:
    from platformdirs import user_data_path  # noqa: PLC0415 - asked for only where nothing is named

    return user_data_path("rootcause", appauthor=False)
