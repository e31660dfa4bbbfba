"""Some two hundred questions as engineers ask them, put to finished cases and held against what really happened."""

import re
from dataclasses import replace

import pytest
from asked_in_threads import SEED as THREAD_SEED, THREADS
from asked_of_others import OTHERS
from asked_of_story import SHOWN, STORY
from command import STORY as EXPORT
from verdicts import investigated

from bot.analyst.followup import answer
from bot.app import analyze
from bot.casefile.home import CaseHome
from bot.cli.progress import Silent
from bot.domain.choice import AnalystChoice
from bot.investigation.follow_up import context_of, follow_up
from bot.investigation.investigate import DEFAULT_QUESTION

SEED = 2
NEEDS_QUOTES = {"related", "unrelated"}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder of cases of this module alone."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("asked") / "cases"
        patch.setenv("ROOTCAUSE_HOME", str(folder))
        yield CaseHome(folder)


@pytest.fixture(scope="module")
def story(home):
    """The story's case, open."""
    choice = AnalystChoice(offline=True)
    report = analyze(str(EXPORT), question=DEFAULT_QUESTION, window=None, progress=Silent(), choice=choice)
    with home.open(report.case) as case:
        yield case


@pytest.fixture(scope="module")
def context(story):
    """What follow-ups to the story are answered from."""
    return context_of(story)


def shortcoming(row, context):
    """Say what is wrong with the answer to a row of the table; None where it is right."""
    question, verdicts, pattern, *earlier = row
    told = answer(question, replace(context, earlier=tuple(earlier)))
    allowed = verdicts.split("|")
    quoted = bool(told.evidence) or (told.verdict in NEEDS_QUOTES and "unknown" in allowed)
    fits = told.verdict in allowed and (quoted or told.verdict not in NEEDS_QUOTES)
    if not fits and not (SHOWN in allowed and told.verdict == "answered" and quoted):
        return f"{question!r}: {told.verdict} with {len(told.evidence)} quotes, not {verdicts}: {told.answer}"
    if not re.search(pattern, told.answer, re.IGNORECASE | re.DOTALL):
        return f"{question!r}: no {pattern!r} in: {told.answer}"
    return None


@pytest.mark.parametrize("row", STORY, ids=[" < ".join((row[0][:40], *row[3:])) for row in STORY])
def test_asked_of_the_story(row, context):
    """Verdict, content and quotes are right by the truth; what the case cannot tell is said to be unknown."""
    assert shortcoming(row, context) is None


@pytest.mark.full
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("seed", "scenario"), [*((SEED, name) for name in OTHERS), *((THREAD_SEED, name) for name in THREADS)]
)
def test_asked_of_other_incidents(seed, scenario, home, tmp_path):
    """The same of incidents of other mechanisms, and the shortest and sloppiest questions of all."""
    outcome = investigated(scenario, tmp_path, seed=seed)
    rows = OTHERS[scenario] if seed == SEED else THREADS[scenario]
    with home.open(outcome.report["case"]) as case:
        context = context_of(case)
        assert [] == [wrong for row in rows if (wrong := shortcoming(row, context))]


def test_a_thread_is_kept_with_the_case(story):
    """What "it" is, is known from the question before, as a person at a terminal asks them."""
    assert "19 Nov 10:46Z" in follow_up(story, "what happened to thumbnailer?").answer
    told = follow_up(story, "was that related?")
    assert ("unrelated", True) == (told.verdict, "thumbnailer" in told.answer)
