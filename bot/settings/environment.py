"""Reading single variables of the environment; an empty one counts as unset. The only place that reads it."""

import os

from bot.errors import UsageError


def text(name: str) -> str | None:
    """Give a variable's text, None where it is unset."""
    return os.environ.get(name, "").strip() or None  # noqa: TID251 - this is the one reader


def child_environment(**changes: str) -> dict[str, str]:
    """Give a child process this one's environment, with changes; an empty one unsets."""
    return {name: value for name, value in {**os.environ, **changes}.items() if value}  # noqa: TID251 - the one place that reads it


def texts(name: str) -> tuple[str, ...]:
    """Give the parts of a comma-separated variable."""
    return tuple(part.strip() for part in (text(name) or "").split(",") if part.strip())


def count(name: str, default: int, least: int = 1) -> int:
    """Give a whole number of at least ``least``; raises UsageError for anything else."""
    given = text(name)
    if given is None:
        return default
    if not given.isascii() or not given.isdigit() or int(given) < least:
        wanted = "above 0" if least == 1 else f"of {least} or more"
        raise UsageError(f"{name} is {given!r}: give a whole number {wanted}, or leave it away for {default}.")
    return int(given)


def amount(name: str, default: float) -> float:
    """Give an amount of money, 0 or more; raises UsageError for anything else."""
    given = text(name)
    if given is None:
        return default
    try:
        value = float(given)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise UsageError(f"{name} is {given!r}: give an amount in US dollars, or leave it away for {default:g}.")
    return value
