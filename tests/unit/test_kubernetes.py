"""The tables of Kubernetes knowledge agree with themselves."""

import pytest

from bot.domain.signal import Kind
from bot.signals import kubernetes
from bot.signals.kubernetes import NOISE, is_person_or_delivery, meaning


def test_no_reason_is_both_noise_and_meaningful():
    """A reason stands in one table only."""
    assert set(kubernetes._REASONS) & NOISE == set()


@pytest.mark.parametrize("reason", sorted(NOISE))
def test_noise_means_nothing_even_as_a_warning(reason):
    """Steps of normal life give no meaning, whatever their type."""
    assert meaning(reason, "", warning=True) is None


def test_unknown_warnings_are_kept_and_unknown_normals_dropped():
    """Nothing that warned is lost."""
    assert meaning("Frobnicated", "x", warning=False) is None
    kept = meaning("Frobnicated", "x", warning=True)
    assert kept is not None
    assert (Kind.ALERT, "Frobnicated") == (kept.kind, kept.phrase)


@pytest.mark.parametrize(
    ("manager", "subresource", "expected"),
    [
        ("kubectl-client-side-apply", None, True),
        ("helm", None, True),
        ("argocd-controller", None, True),
        ("kustomize-controller", None, True),
        ("Terraform", None, True),
        ("kube-controller-manager", None, False),
        ("kubectl", "status", False),
        ("kubelet", None, False),
        ("cert-manager-certificates-issuing", None, False),
    ],
)
def test_people_and_delivery_tools_are_told_from_controllers(manager, subresource, expected):
    """Only who writes what is desired made a change."""
    assert is_person_or_delivery(manager, subresource) is expected
