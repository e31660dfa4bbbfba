"""Text as any UTF-8 store takes it."""

from typing import Any


def storable(value: Any) -> Any:  # noqa: ANN401 - any JSON value goes in and comes out
    r"""Replace lone surrogates (broken bytes, or ``\ud800`` escapes), which no UTF-8 store takes, by U+FFFD."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [storable(part) for part in value]
    if isinstance(value, dict):
        return {storable(key): storable(part) for key, part in value.items()}
    return value
