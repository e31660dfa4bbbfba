"""Why an API server did not tell what was asked, each as a sentence for a person.

    UntoldError              no answer, or none that can be used; asking again later may work
    ├── ForbiddenError       the rights do not suffice; the sentence holds the missing rule
    ├── AbsentError          there is no such thing, or no such resource on this server
    ├── ExpiredError         the version asked for is no longer known: list anew
    └── PassingError         busy, slow or cut off; tried again while time is left

Each is caught where the reading goes on without what was asked.
"""


class UntoldError(Exception):
    """The API server did not tell what was asked; the message is for a person."""


class ForbiddenError(UntoldError):
    """The rights do not suffice."""


class AbsentError(UntoldError):
    """What was asked for is not there."""


class ExpiredError(UntoldError):
    """The resource version or the page is too old: HTTP 410."""


class PassingError(UntoldError):
    """May work when tried again; ``after_s`` is how long the server wants to be left alone."""

    def __init__(self, sentence: str, after_s: float = 0.0) -> None:
        super().__init__(sentence)
        self.after_s = after_s
