"""The questions of ``asked_of_examined`` and ``asked_of_second`` put to the examined incidents and held against their truth."""

import pytest
from asked_of_examined import AMISS, EXAMINED
from asked_of_second import AMISS as SECOND_AMISS, SECOND
from test_follow_ups import shortcoming
from test_unseen import ALL

from bot.app import analyze
from bot.casefile.home import CaseHome
from bot.domain.choice import AnalystChoice
from bot.investigation.follow_up import context_of

BY_NAME = {incident.name: incident for incident in ALL}
WRONG = pytest.mark.xfail(reason="answered wrongly so far", strict=True)


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Give a function that says what is wrong with the answer to a row of an incident's table."""
    root = tmp_path_factory.mktemp("examined")
    cases: dict[str, str] = {}

    def ask(name: str, row: tuple) -> str | None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ROOTCAUSE_HOME", str(root / "home"))
            if name not in cases:
                incident = BY_NAME[name]
                cases[name] = analyze(
                    str(incident.build(root / name)),
                    question=incident.question,
                    window=None,
                    progress=lambda *_: None,
                    choice=AnalystChoice(offline=True),
                ).case
            with CaseHome(root / "home").open(cases[name]) as case:
                return shortcoming(row, context_of(case))

    return ask


@pytest.mark.full
@pytest.mark.parametrize(
    ("name", "row"),
    [
        pytest.param(
            name, row, id=f"{name}: {row[0][:40]}", marks=[WRONG] if (name, row[0]) in AMISS | SECOND_AMISS else []
        )
        for name, rows in (EXAMINED | SECOND).items()
        for row in rows
    ],
)
def test_asked_in_the_thread(asked, name, row):
    """Verdict, content and quotes of the answer are right by the incident's truth."""
    assert asked(name, row) is None
