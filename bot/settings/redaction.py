"""What must not leave for a model, a chat or a tracker, beyond the secrets that are always taken out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from bot.errors import UsageError
from bot.settings.environment import text, texts

Personal = Literal["email", "ip", "name", "card", "iban"]
"""Kinds of personal data that can be put under pseudonyms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactionSettings:
    """What the egress gate hides besides secrets."""

    hide: tuple[Personal, ...] = ("email",)
    """``ROOTCAUSE_HIDE``: e-mail addresses by default; not IP addresses, for causes are found by them."""

    names: tuple[str, ...] = ()
    """``ROOTCAUSE_HIDE_NAMES``: names of people or customers, comma-separated; nobody can guess them from prose."""

    patterns: tuple[str, ...] = ()
    """``ROOTCAUSE_SECRET_PATTERNS``: a file of an organisation's own patterns of secrets, a regular expression a line."""

    @classmethod
    def from_environment(cls) -> "RedactionSettings":
        """Read the settings from the process's environment; raises UsageError for what is unknown or unreadable."""
        hide = texts("ROOTCAUSE_HIDE") or cls.hide_default()
        unknown = [each for each in hide if each not in get_args(Personal)]
        if unknown:
            raise UsageError(f"ROOTCAUSE_HIDE names {unknown[0]!r}: it knows {', '.join(get_args(Personal))}.")
        names = texts("ROOTCAUSE_HIDE_NAMES")
        if names and "name" not in hide:
            hide = (*hide, "name")
        return cls(
            hide=cast("tuple[Personal, ...]", hide), names=names, patterns=_patterns(text("ROOTCAUSE_SECRET_PATTERNS"))
        )

    @staticmethod
    def hide_default() -> tuple[str, ...]:
        """Give what is hidden where nobody says: e-mail addresses."""
        return ("email",)


def _patterns(named: str | None) -> tuple[str, ...]:
    """Read a file of patterns; blank lines and those that begin with # are none."""
    if named is None:
        return ()
    path = Path(named).expanduser()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"ROOTCAUSE_SECRET_PATTERNS names {path}, which cannot be read: {error}.") from error
    return tuple(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))
