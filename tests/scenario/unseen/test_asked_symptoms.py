"""The same incidents asked about in several ways: the report is about what was asked, or says that it is not there."""

import incidents_examined_calm
import incidents_schedules
import pytest

from bot.app import analyze
from bot.domain.choice import AnalystChoice

BUILD = {i.name: i.build for i in (*incidents_schedules.INCIDENTS, *incidents_examined_calm.INCIDENTS)}


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Give a function that asks about an incident, which is built once."""
    root = tmp_path_factory.mktemp("asked")

    def ask(name, question):
        if not (root / name).exists():
            BUILD[name](root / name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ROOTCAUSE_HOME", str(root / "home"))
            choice = AnalystChoice(offline=True)
            return analyze(str(root / name), question=question, window=None, progress=lambda *_: None, choice=choice)

    return ask


@pytest.mark.parametrize(
    ("question", "felt", "said"),
    [
        ("503 on offers at 18:00?", "HTTP 503 responses", None),
        ("why is /offers slow?", "HTTP 504 responses", None),
        ("why are vouchers failing?", "HTTP 503 responses", "You asked about vouchers: of that nothing rises"),
        ("why 500s?", "HTTP 503 responses", "You asked about HTTP 500: of that nothing rises"),
    ],
)
def test_a_crowd_by_what_is_asked_of_it(asked, question, felt, said):
    """A gateway's 503s and 504s: the question chooses which, and what it asks for in vain is said to be absent."""
    report = asked("the-crowd", question)
    assert felt in report.symptom.summary
    assert (said in report.summary) if said else ("You asked" not in report.summary)


@pytest.mark.parametrize(
    ("question", "felt"),
    [(None, None), ("Why is checkout broken since 4.2.0?", None), ("why the 504s?", None), ("why does kubecost crash?", "kubecost-exporter")],
)  # fmt: skip
def test_a_quiet_window_is_about_its_loudest_loop_only_where_that_is_asked_for(asked, question, felt):
    """An exporter that crashes all along, and that nobody calls, is told, and explained to whoever asks for it."""
    report = asked("blamed-release", question)
    if felt is None:
        assert report.symptom is None
        assert "kubecost-exporter kept crashing at start all along" in report.summary
        assert ("goes for checkout as well" in report.summary) == ("checkout" in (question or ""))
    else:
        assert felt in report.symptom.summary
