"""Control questions of a cause that was there once can fail, each by something else that the case shows."""

from dataclasses import replace

import pytest
from engine_parts import HOUR_S, at, signal
from test_advice import findings
from test_conclusion import chain_of
from test_undecided import link

from bot.analyst.citations import Citations
from bot.analyst.controls import control_questions
from bot.analyst.rivals import Rival
from bot.domain.entity import Entity
from bot.domain.signal import BACK, Kind

WEB = Entity("Deployment", "web", "shop")
API = Entity("Deployment", "api", "shop")
CART = Entity("Deployment", "cart", "shop")
EDGE = Entity("Deployment", "edge", "shop")
ROOT = signal(Kind.ROLLOUT, WEB, [20.0])
BETWEEN = signal(Kind.TIMEOUT, API, [20.1], length_s=HOUR_S)
FELT = signal(Kind.SERVER_ERROR, EDGE, [20.1], length_s=HOUR_S)


class NoItems:
    """Evidence without any item."""

    def item(self, _):
        """Find none."""


def asked(*beside, root=ROOT, felt=FELT, found=(), **topology):
    """Give verdict and answer by the second and third word of each question, and all questions, for a rollout seen once."""
    chain = chain_of(root, BETWEEN, felt)
    case = findings(root, BETWEEN, *beside, felt)
    case = replace(case, topology=replace(case.topology, **topology))
    rows = control_questions(chain, list(found), case, Citations(NoItems()))
    return {
        " ".join(row.question.split()[1:3]) + ("" if "end" not in row.question.split() else " end"): (
            row.verdict,
            row.answer,
        )
        for row in rows
    }, [row.question for row in rows]


def test_a_one_shot_cause_is_asked_what_can_fail():
    """No question that counts one time of one; at least three, and each may be answered otherwise."""
    rows, questions = asked()
    assert len(rows) >= 3
    assert not any("without" in each for each in questions)


@pytest.mark.parametrize(("hours", "verdict"), [([5.0, 10.0], "passed"), ([], None)])
def test_its_like_is_asked_after(hours, verdict):
    """Two rollouts that nothing followed speak for this one; where there was none, nothing is asked."""
    beside = [signal(Kind.ROLLOUT, CART, hours)] if hours else []
    rows, _ = asked(*beside)
    assert rows.get("rollouts elsewhere,", (None,))[0] == verdict


def test_its_like_that_was_followed_too_speaks_against_it():
    """Two rollouts elsewhere, minutes before the symptom as well: it may be any of them."""
    rows, _ = asked(signal(Kind.ROLLOUT, CART, [19.8, 19.9]))
    assert rows["rollouts elsewhere,"][0] == "failed"
    assert rows["rollouts elsewhere,"][1].startswith("Yes, 2 of 2 other rollouts, Deployment shop/cart at")


def test_what_was_there_before_the_cause_speaks_against_it():
    """Timeouts of the same place half an hour sooner."""
    sooner = replace(signal(Kind.TIMEOUT, API, [19.5]), id="another")
    near = replace(signal(Kind.TIMEOUT, API, [19.9]), id="near", attributes={"step_s": "600"})
    assert asked(near)[0]["anything of"][0] == "passed"  # within the step of its series
    rows, _ = asked(sooner)
    assert rows["anything of"] == ("failed", "Yes: a timeout of api 30 min before it.")
    assert asked()[0]["anything of"][0] == "passed"


def test_others_in_the_same_trouble_speak_against_it_unless_they_call_it():
    """Timeouts of a workload that calls nothing of the cascade; of one that does they are no wonder."""
    other = signal(Kind.TIMEOUT, CART, [20.1])
    assert asked(other)[0]["any workload"][0] == "failed"
    assert asked(other, calls=frozenset({(CART, API)}))[0]["any workload"][0] == "passed"


@pytest.mark.parametrize(
    ("back_hour", "beside", "verdict", "says"),
    [
        (21.0, (), "passed", "Yes, it was last seen 6 min after it."),
        (20.2, (), "failed", "No, it was last seen 54 min after it."),
        (21.2, (), "passed", "Yes, it was last seen 6 min before it."),  # what fails seldom is last seen a while before
        (21.5, (), "failed", "No, it was last seen 24 min before it already."),
        (None, (), "failed", "Yes: nothing that was seen ended it, and a rollout of web stands."),
        (None, (signal(Kind.CONFIG_CHANGE, API, [21.05]),), "passed", "No, a configuration change of api stands"),
    ],
)
def test_the_end_is_asked_after(back_hour, beside, verdict, says):
    """Ended with the undoing, went on after it, ended by itself, or with another change."""
    root = ROOT
    if back_hour is not None:
        one = ROOT.occurrences[0]
        back = replace(one, start_s=at(back_hour), end_s=at(back_hour), note=f"{BACK}web: 2 → 1")
        root = replace(ROOT, occurrences=(one, back))
    rows, questions = asked(*beside, root=root)
    end = next(
        pair for pair in zip(questions, rows.values(), strict=True) if pair[0].startswith("Did the symptom end")
    )[1]
    assert end[0] == verdict
    assert end[1].startswith(says)


def test_another_that_explains_as_much_speaks_against_it():
    """A rollout elsewhere with no larger chance is told with both numbers; one that is cleared does not count."""
    rival = signal(Kind.ROLLOUT, CART, [19.95])
    tie = link(rival, FELT, hits=1, status="supported", p_value=0.0005)
    rows, questions = asked(found=[Rival(rival, tie, "its times fit", open=True)])
    assert rows["the next"][0] == "failed"
    told = [each for each in questions if "next best, the rollout of Deployment shop/cart" in each]
    assert len(told) == 1
    chain = chain_of(ROOT, BETWEEN, FELT)
    case = findings(ROOT, BETWEEN, FELT)

    def verdict(one):
        rows = control_questions(chain, [one], case, Citations(NoItems()))
        return next(row.verdict for row in rows if "next best" in row.question)

    assert verdict(Rival(rival, tie, "its times fit", open=True)) == "failed"
    assert verdict(Rival(rival, tie, "another failed first", cleared=True)) == "passed"
