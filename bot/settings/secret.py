"""Where a secret lies: the name of a variable or a file, never the secret itself, so that a configuration can be shown.

Files are read anew each time, for mounted secrets are exchanged under a running process.
"""

from dataclasses import dataclass
from pathlib import Path

from bot.errors import UsageError
from bot.settings.environment import text

MOST_BYTES = 64 * 1024
"""A service account's token has a few kilobytes; a larger file is not one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """``env``: the name of a variable of the environment; ``file``: the path of a file. One of the two."""

    env: str | None = None
    file: Path | None = None

    def read(self) -> str:
        """Give the secret; raises UsageError where there is none."""
        if self.env is not None:
            found = text(self.env)
            if found is None:
                raise UsageError(
                    f"The environment variable {self.env} is not set: it holds a secret of rootcause.yaml."
                )
            return found
        path = (self.file or Path()).expanduser()
        try:
            found = path.read_bytes()[:MOST_BYTES].decode().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"The secret file {path} cannot be read: {type(error).__name__}.") from error
        if not found:
            raise UsageError(f"The secret file {path} is empty.")
        return found
