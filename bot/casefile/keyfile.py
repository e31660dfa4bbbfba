"""The key of pseudonyms: one a home, made once, readable by its owner alone; each case has its own, derived from it.

It lies beside the cases, whose evidence it protects elsewhere: who holds both could read the evidence anyway.
"""

import hashlib
import hmac
import secrets
from pathlib import Path

from bot.errors import StorageError

_NAME = "pseudonyms.key"
_BYTES = 32


def case_key(home: Path, case: str) -> bytes:
    """Give the key of a case; raises StorageError where the home's key can neither be read nor made."""
    return hmac.new(_home_key(home / _NAME), case.encode(), hashlib.sha256).digest()


def _home_key(path: Path) -> bytes:
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise StorageError(f"The key {path} cannot be used ({error.strerror}): make its folder writable.") from error
    if len(key) != _BYTES:
        raise StorageError(f"The key {path} is damaged: delete it, and pseudonyms will be new ones from then on.")
    return key


def _make(path: Path) -> None:
    """Write a new key under its name at once and whole, so that two processes agree on one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{_NAME}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    try:
        draft.write_bytes(secrets.token_bytes(_BYTES))
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            return
    finally:
        draft.unlink()
