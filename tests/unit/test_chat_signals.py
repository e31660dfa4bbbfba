"""Changes that people announce are causes to test; theories, plans and questions are not."""

import pytest

from bot.domain.entity import Entity
from bot.domain.items import ChatMessage, ItemId
from bot.domain.signal import Kind, Topology
from bot.domain.window import instant
from bot.signals.chat_signals import chat_signals
from tests.unit.engine_parts import at, window

LEDGER = Entity("Deployment", "ledger", "pay")
TOPOLOGY = Topology(owner={Entity("Pod", "ledger-7d9f8b6c5-x2x4z", "pay"): LEDGER})


def _said(text):
    message = ChatMessage(
        at=instant(at(30)),
        channel="ops",
        author="mina",
        is_bot=False,
        text=text,
        ts="1.0",
        thread_ts=None,
        permalink=None,
        raw=text.encode(),
    )
    return chat_signals([(ItemId("C1"), message)], [], window(), TOPOLOGY)


@pytest.mark.parametrize(
    "text",
    ["rotated the password of ledger", "FYI: just bumped ledger to 4 replicas.", "Ok. I restarted ledger by hand"],
)
def test_an_announced_change_is_a_signal_of_the_person(text):
    """A change that is done and names a known workload becomes a change by that person, naming the workload."""
    found = _said(text)
    assert [(one.kind, one.entity, one.mentions) for one in found] == [
        (Kind.HUMAN_CHANGE, Entity("Person", "mina"), (LEDGER,))
    ]


@pytest.mark.parametrize(
    "text",
    [
        "did anyone restart ledger?",
        "I think the deploy of ledger changed it",
        "we should rotate the ledger password",
        "restarted something else entirely",
        "ledger is slow",
        "ledger is slow at noon, and the hpa has scaled to 9 already.",
    ],
)
def test_theories_plans_and_questions_are_no_changes(text):
    """What is asked, suspected, planned, or about nothing known is left out."""
    assert _said(text) == []


def test_a_version_does_not_end_a_sentence():
    """What was brought out is quoted with its version."""
    (one,) = _said("deployed ledger 2026.11.9-8aec561 just now. All fine.")
    assert one.occurrences[0].note == "deployed ledger 2026.11.9-8aec561 just now."
