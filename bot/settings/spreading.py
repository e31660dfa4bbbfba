"""How one investigation's logs are shared with workers, and what a worker is told."""

import os
from dataclasses import dataclass
from pathlib import Path

from bot.settings.base import Settings
from bot.settings.environment import child_environment, count, text

MIB = 1024 * 1024

CORES_HERE = 8
"""Cores that an investigation's own threads keep busy, at most: the one thread that reads cannot feed more."""

CORES_A_WORKER = 4
MOST_LOCAL = 4


def local_workers(cores: int) -> int:
    """Give how many workers of its own an investigation gains by on a machine of so many cores: none on a small one."""
    return max(0, min(MOST_LOCAL, (cores - CORES_HERE) // CORES_A_WORKER))


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

    local: int = 0
    """``ROOTCAUSE_LOCAL_WORKERS``: workers that an investigation starts on this machine where none is there, and ends with
    itself. By default one for every four cores beyond eight, at most four: threads fill the first eight already. None by
    default where a database is named, for there workers are somebody else's to run."""

    local_from_bytes: int = 2048 * MIB
    """MiB of logs before it does so: four times ``ROOTCAUSE_SPREAD_MIB``, for a worker takes seconds to be there; or that very
    number where ``ROOTCAUSE_LOCAL_WORKERS`` is given."""

    @classmethod
    def from_environment(cls) -> "SpreadSettings":
        """Read the settings from the process's environment."""
        from_bytes, url = count("ROOTCAUSE_SPREAD_MIB", 512) * MIB, text("ROOTCAUSE_DATABASE_URL")
        gained = 0 if url else local_workers(os.cpu_count() or 1)
        return cls(
            home=Settings.from_environment().home,
            database_url=url,
            from_bytes=from_bytes,
            local=count("ROOTCAUSE_LOCAL_WORKERS", gained, least=0),
            local_from_bytes=from_bytes if text("ROOTCAUSE_LOCAL_WORKERS") else 4 * from_bytes,
        )

    def for_a_child(self) -> dict[str, str]:
        """Give the environment of a worker that meets us here; it listens on no port."""
        return child_environment(ROOTCAUSE_HOME=str(self.home), ROOTCAUSE_DATABASE_URL=self.database_url or "", PORT="")


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
