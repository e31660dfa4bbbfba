"""The one exception tree.

    RootcauseError            anything a person should read as a sentence, exit code 1
    ├── UsageError            the call was wrong: a path, a window, an option; exit code 2
    │   └── NotAnExportError  the path holds nothing an importer knows
    ├── UnsafeArchiveError    an archive that climbs out of its folder, or explodes
    ├── CaseError             a case file that is missing, cut, newer than this program, or busy
    ├── StorageError          the disk is full or refuses to write
    └── ChatError             people could not be answered
        ├── ChatBusyError     not now: a rate limit, an outage, a timeout; the same call may work later
        └── ChatRefusedError  never: a scope is missing, the channel is archived, the bot is not in it

Every message says what is wrong and what to do about it.
"""


class RootcauseError(Exception):
    """A failure whose message is written for the person who reads it."""


class UsageError(RootcauseError):
    """The call cannot be carried out as it was made."""


class NotAnExportError(UsageError):
    """Nothing at the given path is a kind of file an importer knows."""


class UnsafeArchiveError(RootcauseError):
    """An archive that must not be unpacked."""


class CaseError(RootcauseError):
    """A case file that cannot be used."""


class StorageError(RootcauseError):
    """The case cannot be written."""


class ChatError(RootcauseError):
    """People could not be answered."""


class ChatBusyError(ChatError):
    """The chat service did not answer in time or asked to wait; repeating the call later is safe and may work."""


class ChatRefusedError(ChatError):
    """The chat service refused for good; ``code`` is its word for it (``not_in_channel``)."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code
