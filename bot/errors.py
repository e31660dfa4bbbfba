"""The one exception tree.

    RootcauseError            anything a person should read as a sentence, exit code 1
    ├── UsageError            the call was wrong: a path, a window, an option; exit code 2
    │   └── NotAnExportError  the path holds nothing an importer knows
    ├── UnsafeArchiveError    an archive that climbs out of its folder, or explodes
    ├── CaseError             a case file that is missing, cut, newer than this program, or busy
    └── StorageError          the disk is full or refuses to write

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
