"""Who refused: the workload behind an admission webhook that the API server could not call.

Leaves out why it did not answer: that stands with the workload, or in the same words (a certificate past its end).
"""

import re
from typing import Final

from bot.domain.entity import Entity
from bot.domain.signal import Kind, Topology
from bot.signals.kubernetes import Meaning

REFUSING: Final = "admission webhook failed"
"""The phrase for a webhook that fails closed: nothing that it is asked about can be made or changed."""

PAST_ITS_END: Final = "certificate of the admission webhook past its end"
"""The same, where the API server's words say why."""

_ENDED = re.compile(r"x509: certificate has expired")
_CALLED = re.compile(
    r"failed (?:calling|to call) webhook\b.*?\bhttps?://(?P<name>[a-z0-9-]{1,63})\.(?P<space>[a-z0-9-]{1,63})\.svc\b",
    re.DOTALL,
)
"""How the API server words it, Kubernetes 1.9 to 1.33: the URL names the Service, the webhook's own name may name anything."""


def of_webhook(message: str) -> Meaning:
    """Give what a webhook's failure stands for: that it was not there, or that it showed a certificate past its end."""
    if _ENDED.search(message):
        return Meaning(Kind.BAD_CONFIG, PAST_ITS_END)
    return Meaning(Kind.UNAVAILABLE, REFUSING)


def webhook_at_fault(message: str, topology: Topology) -> Entity | None:
    """Name the workload behind a webhook that a message says could not be called; its Service where none is known.

    A Service that nobody exported is taken to lead to the one workload of its namespace, if there is only one.
    """
    if (called := _CALLED.search(message)) is None:
        return None
    service = Entity("Service", called["name"], called["space"])
    if behind := topology.backends.get(service):
        return min(behind)
    there = {topology.root(one) for one in topology.pods if one.namespace == service.namespace}
    return next(iter(there)) if len(there) == 1 else service
