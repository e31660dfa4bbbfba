"""The one exception tree.

    RootcauseError            anything a person should read as a sentence, exit code 1
    ├── UsageError            the call was wrong: a path, a window, an option; exit code 2
    │   └── NotAnExportError  the path holds nothing an importer knows
    ├── UnsafeArchiveError    an archive that climbs out of its folder, or explodes
    ├── CaseError             a case file that is missing, cut, newer than this program, or busy
    ├── StorageError          the disk is full or refuses to write
    ├── ParcelError           what came from another process is not what was asked for
    ├── RedactionError        a text could not be searched for secrets, so it goes nowhere
    ├── LeftError             nobody waits for this source any more: end
    ├── ChatError             people could not be answered
    │   ├── ChatBusyError     not now: a rate limit, an outage, a timeout; the same call may work later
    │   └── ChatRefusedError  never: a scope is missing, the channel is archived, the bot is not in it
    ├── TicketError           a ticket could not be written to
    │   ├── TicketBusyError   not now, and perhaps it was written: look before writing again
    │   └── TicketRefusedError  never: no such ticket, no permission, a token that is not accepted
    └── ModelError                 a language model gave no answer that can be used; the offline analyst still can
        ├── ModelBusyError         not now: a rate limit, an overload, an outage; the same call may work later
        │   ├── ModelUnreachableError  nobody answers at the address
        │   ├── ModelCutError      the connection or the stream broke before the answer was whole
        │   └── ModelTimeoutError  the deadline passed, or the endpoint fell silent
        └── ModelRefusedError      never as it was asked: the key, the credit, the model's name, the request's form
            ├── ModelTooLargeError more than the model can read: ask with less
            ├── ModelDeclinedError the model itself will not answer this
            ├── ModelGarbledError  the endpoint does not answer as the protocol says
            └── BudgetError        it would cost more than was allowed, in tokens or money; nothing was sent

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


class ParcelError(RootcauseError):
    """Log lines, or what they were mapped to, arrived from another process in a state that cannot be used."""


class RedactionError(RootcauseError):
    """A text could not be searched for secrets and people; it must not leave."""


class LeftError(RootcauseError):
    """A source's time is over, or the investigation was ended: what it still reads goes nowhere."""


class ChatError(RootcauseError):
    """People could not be answered."""


class ChatBusyError(ChatError):
    """The chat service did not answer in time or asked to wait; repeating the call later is safe and may work."""


class ChatRefusedError(ChatError):
    """The chat service refused for good; ``code`` is its word for it (``not_in_channel``)."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class ModelError(RootcauseError):
    """A language model gave no answer that can be used."""


class ModelBusyError(ModelError):
    """The endpoint could not answer now; ``wait_s`` is how long it asks to be left alone, None where it does not say."""

    def __init__(self, message: str, *, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class ModelUnreachableError(ModelBusyError):
    """No connection came about; who is away for more than a moment is away for longer than anybody waits."""


class ModelCutError(ModelBusyError):
    """The answer broke off; what had arrived of it is thrown away."""


class ModelTimeoutError(ModelBusyError):
    """No whole answer came within the deadline, or nothing at all for too long."""


class ModelRefusedError(ModelError):
    """The same request will be refused again; ``code`` is the endpoint's word for it (``authentication_error``)."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class ModelTooLargeError(ModelRefusedError):
    """The request is larger than the model or its endpoint takes."""


class ModelDeclinedError(ModelRefusedError):
    """The model declined to answer; ``code`` is the category it gave."""


class ModelGarbledError(ModelRefusedError):
    """What answered does not speak the protocol."""


class BudgetError(ModelRefusedError):
    """A call was not made, for it could cost more than is left of a budget."""


class TicketError(RootcauseError):
    """A ticket could not be written to."""


class TicketBusyError(TicketError):
    """The ticket system did not answer, or not in time; it may have written all the same."""


class TicketRefusedError(TicketError):
    """The ticket system refused for good."""
