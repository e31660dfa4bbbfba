"""What people type last: can it be closed, is it a leak, can it be moved; of the same small case as the other follow-ups."""

from dataclasses import replace
from datetime import timedelta

from test_followup import CONTEXT, ask

from bot.domain.report import Cascade


def test_closing_weighs_the_quiet_against_the_quiet_before():
    """A prediction, an end of the data in mid-trouble and a longer quiet before all speak against; a long quiet for it."""
    assert ask("can I close this?").answer.startswith("Not yet. It was last seen")
    report = replace(CONTEXT.report, predictions=())
    felt = report.symptom.episodes
    assert "came back" in ask("are we good now?", report=report).answer
    going = replace(felt[-1], end=CONTEXT.window.end)
    still = replace(report, symptom=replace(report.symptom, episodes=(*felt[:-1], going)))
    assert ask("ok to close?", report=still).answer.startswith("No: it was still going on when the data ends")
    early = replace(felt[0], start=CONTEXT.window.start, end=CONTEXT.window.start + timedelta(minutes=5))
    over = replace(report, symptom=replace(report.symptom, episodes=(early,)))
    assert ask("can we close it?", report=over).answer.startswith("It looks over.")
    calm = replace(report, verdict="no_incident", symptom=None, cascade=Cascade(), root_cause=None)
    assert ask("can I go to bed?", report=calm).answer.startswith("Yes, as far as this case goes")


def test_a_leak_is_denied_where_nothing_kept_growing():
    """A process killed for memory is no leak; the question is answered by both."""
    told = ask("is this a mem leak")
    assert told.answer.startswith("Not as a leak: no memory was seen to keep growing. ")
    assert "OOM kill" in told.answer


def test_a_day_to_come_is_no_time_of_the_case():
    """Who asks to move something to Sunday asks what to do, not what happened on Sunday."""
    assert "lies outside this case" not in ask("can we move it to sunday?").answer
