"""How one investigation's logs are shared with workers, and what a worker is told."""

from dataclasses import dataclass
from pathlib import Path

from bot.settings.base import Settings
from bot.settings.environment import count, text

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadSettings:
    """Where workers are met, and from how many bytes of logs on they are."""

    home: Path
    """``ROOTCAUSE_HOME``: without a database, workers of this machine are met in ``chunks.sqlite`` there."""

    database_url: str | None = None
    """``ROOTCAUSE_DATABASE_URL``: a PostgreSQL URL, where workers of any machine are met."""

    from_bytes: int = 512 * MIB
    """``ROOTCAUSE_SPREAD_MIB`` MiB of logs of one investigation that are read here before any is given away: two cores need
    about five seconds for them, less than a helper who has to be looked for gains."""

    @classmethod
    def from_environment(cls) -> "SpreadSettings":
        """Read the settings from the process's environment."""
        return cls(
            home=Settings.from_environment().home,
            database_url=text("ROOTCAUSE_DATABASE_URL"),
            from_bytes=count("ROOTCAUSE_SPREAD_MIB", 512) * MIB,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """What ``rootcause worker`` is told."""

    spread: SpreadSettings

    host: str = "127.0.0.1"
    """``ROOTCAUSE_HOST``: where health and metrics are listened for; a container names ``0.0.0.0``."""

    port: int | None = None
    """``PORT``: without it nothing is listened for, so that several workers share a machine."""

    grace_s: float = 20.0
    """Seconds that runs under way get to end at shutdown; Kubernetes kills after 30."""

    @classmethod
    def from_environment(cls) -> "WorkerSettings":
        """Read the settings from the process's environment."""
        return cls(
            spread=SpreadSettings.from_environment(),
            host=text("ROOTCAUSE_HOST") or "127.0.0.1",
            port=count("PORT", 8080) if text("PORT") else None,
        )
