"""Who refused, by the API server's words about an admission webhook that it could not call."""

import pytest

from bot.domain.entity import Entity
from bot.domain.signal import Kind, Topology
from bot.signals.refusals import PAST_ITS_END, REFUSING, of_webhook, webhook_at_fault

ABSENT = (
    'Error creating: Internal error occurred: failed calling webhook "mutate.kyverno.svc-fail": failed to call webhook: Post '
    '"https://kyverno-svc.kyverno.svc:443/mutate/fail?timeout=10s": no endpoints available for service "kyverno-svc"'
)
ENDED = (
    'Error creating: Internal error occurred: failed calling webhook "pods.opa.example": failed to call webhook: Post '
    '"https://opa.opa.svc:443/v1/admit?timeout=3s": tls: failed to verify certificate: x509: certificate has expired or is not yet '
    "valid: current time 2026-03-07T09:51:30Z is after 2026-03-05T09:14:22Z"
)
ASKED = Entity("Service", "kyverno-svc", "kyverno")
ONE, OTHER = (Entity("Deployment", name, "kyverno") for name in ("admission", "cleanup"))


@pytest.mark.parametrize(
    ("topology", "expected"),
    [
        (Topology(), ASKED),
        (Topology(backends={ASKED: frozenset({OTHER})}, pods={ONE: {}, OTHER: {}}), OTHER),
        (Topology(pods={ONE: {}}), ONE),
        (Topology(pods={ONE: {}, OTHER: {}}), ASKED),
    ],
    ids=["nothing known", "its service", "the only one there", "one of two"],
)
def test_the_workload_behind_the_called_service_is_named(topology, expected):
    """The URL names the Service; the webhook's own name, which may look like one, does not."""
    assert expected == webhook_at_fault(ABSENT, topology)


def test_other_refusals_are_no_webhooks_failure():
    """A webhook that answered and denied, and a quota, are not at fault."""
    denied = 'Error creating: admission webhook "validate.kyverno.svc-fail" denied the request: no latest tags'
    assert webhook_at_fault(denied, Topology()) is None
    assert webhook_at_fault('Error creating: pods "a" is forbidden: exceeded quota: small', Topology()) is None


def test_a_certificate_past_its_end_is_said_to_be_that():
    """The words that follow the call say whether nobody was there or nobody could be trusted."""
    assert (Kind.UNAVAILABLE, REFUSING) == (of_webhook(ABSENT).kind, of_webhook(ABSENT).phrase)
    assert (Kind.BAD_CONFIG, PAST_ITS_END) == (of_webhook(ENDED).kind, of_webhook(ENDED).phrase)
