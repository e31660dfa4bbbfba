"""What may go wrong on the way to Slack, on demand: each fault for a method and a number of calls.

``reset_after`` and ``error_after`` are the ones that tempt a client to say things twice: the call was carried out.
"""

from dataclasses import dataclass
from typing import Literal

CallFaultKind = Literal[
    "ratelimited", "server_error", "error_after", "reset_before", "reset_after", "slow", "truncated", "html", "hang"
]
SocketFaultKind = Literal["drop_mid_envelope", "drop_before", "disconnect", "silent"]


@dataclass(slots=True, kw_only=True)
class CallFault:
    """The next ``count`` calls of ``method`` (``*``: of any) go wrong, after ``skip`` went well.

    ``ratelimited`` 429 with ``retry_after_s``; ``server_error`` 503 and nothing done; ``error_after`` 500 though it was
    done; ``reset_before``/``reset_after`` the connection breaks without an answer; ``slow`` the answer trickles for
    ``seconds``; ``hang`` nothing comes for ``seconds``; ``truncated`` half of the JSON; ``html`` a page with status 200.
    """

    kind: CallFaultKind
    method: str = "*"
    count: int = 1
    skip: int = 0
    retry_after_s: int = 1
    seconds: float = 60.0

    @property
    def is_carried_out(self) -> bool:
        """Whether the call takes effect although its answer is spoilt."""
        return self.kind in {"error_after", "reset_after", "slow", "truncated", "hang"}


@dataclass(slots=True, kw_only=True)
class SocketFault:
    """The next ``count`` envelopes meet trouble, after ``skip`` went well.

    The socket breaks in the middle of the envelope or before it; Slack asks to ``disconnect`` right after it; or falls
    ``silent`` (the envelope is lost and the socket stays open).
    """

    kind: SocketFaultKind
    count: int = 1
    skip: int = 0


class Faults:
    """The faults that are due, in the order they were planned."""

    def __init__(self) -> None:
        self._calls: list[CallFault] = []
        self._sockets: list[SocketFault] = []

    def plan(self, fault: CallFault | SocketFault) -> None:
        """Have something go wrong."""
        if isinstance(fault, CallFault):
            self._calls.append(fault)
        else:
            self._sockets.append(fault)

    def clear(self) -> None:
        """Let everything go well again."""
        self._calls.clear()
        self._sockets.clear()

    def for_call(self, method: str) -> CallFault | None:
        """Give the fault of this call, if it has one."""
        due = [each for each in self._calls if each.count and each.method in {"*", method}]
        return next((each for each in due if _is_due(each)), None)

    def for_envelope(self) -> SocketFault | None:
        """Give the fault of this envelope, if it has one."""
        return next((each for each in self._sockets if each.count and _is_due(each)), None)


def _is_due(fault: CallFault | SocketFault) -> bool:
    if fault.skip:
        fault.skip -= 1
        return False
    fault.count -= 1
    return True
