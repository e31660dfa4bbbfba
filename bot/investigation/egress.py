"""Set up the egress gate of a case: its key from the folder the case lies in, what to hide from the settings."""

from bot.casefile.case import Case
from bot.casefile.keyfile import case_key
from bot.redaction.gate import Gate
from bot.settings import RedactionSettings


def gate_of(case: Case, settings: RedactionSettings) -> Gate:
    """Make the gate of a case; the same case has the same pseudonyms every time, which a model's cache needs.

    Raises UsageError for an own pattern that could hang, StorageError where there is no key to be had.
    """
    return Gate(case_key(case.path.parent, case.id), people=settings.hide, names=settings.names, own=settings.patterns)
