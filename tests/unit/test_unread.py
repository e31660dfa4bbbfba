"""A quiet window is called quiet only where enough of what the question is about was looked at."""

import random

import pytest
from fault_server import FaultServer, answer
from log_stores import NS, Line, PlayedLoki

from bot.casefile.home import CaseHome
from bot.domain.scope import Scope
from bot.domain.window import Window, instant
from bot.investigation.investigate import investigate
from bot.sources.export import ExportSource
from bot.sources.loki import LokiSource
from bot.stores.address import StoreAddress
from bot.wire import Login

BEGIN = 1_795_305_600  # 2026-11-22 00:00 UTC
DAY_S = 86_400
WORDS = [
    "amber",
    "basil",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "heath",
    "islet",
    "jetty",
    "knoll",
    "ledge",
    "marsh",
    "north",
    "ocean",
    "plain",
    "quarry",
    "ridge",
]


@pytest.fixture(autouse=True)
def few_forms(monkeypatch):
    """Let a case tell apart so few forms that small logs go beyond them."""
    monkeypatch.setattr("bot.casefile.loglines.MOST_FORMS", 200)


def investigated(home, source, question=None, span=None):
    """Investigate one source."""
    quiet = lambda *_: None  # noqa: E731 - the port's shape
    return investigate([source], CaseHome(home), question=question, window=None, progress=quiet, asked_span=span)


def exported(folder, lines):
    """Write lines, each with its second of the day or none, as one container's log; gives the source."""
    path = folder / "export" / "kubernetes" / "shop" / "api-7d9f-x2x42" / "api.log"
    path.parent.mkdir(parents=True)
    path.write_text("".join(f"{stamp(second)}{text}\n" for second, text in lines))
    return ExportSource(folder / "export")


def stamp(second):
    """Spell a second of the day as ``--timestamps`` does; nothing for None."""
    return "" if second is None else f"2026-11-22T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z "


def prose(draw):
    """Give a line in words of its own."""
    return "INFO " + " ".join(draw.choices(WORDS, k=9))


def quiet_day(odd):
    """Give a line a minute, of which ``odd`` says by the hour how many of ten are in words of their own."""
    draw = random.Random(4)
    for minute in range(24 * 60):
        own = minute % 10 < odd(minute // 60)
        yield minute * 60, prose(draw) if own else f"INFO order {minute} stored"


def test_lines_that_no_rule_looked_at_leave_the_quiet_open(tmp_path):
    """Nine of ten lines without a form of their own: nothing can be said of them, and the report says which they are."""
    report = investigated(tmp_path / "home", exported(tmp_path, quiet_day(lambda _: 9)))
    assert ("inconclusive", "low") == (report.verdict, report.confidence)
    assert "% of the logs were not looked at: log lines beyond" in report.summary
    assert "a shorter window" in report.reasons[0]


def test_a_few_of_them_do_not(tmp_path):
    """Two lines in ten beyond the forms: the window is quiet, and it is said that not all was seen."""
    report = investigated(tmp_path / "home", exported(tmp_path, quiet_day(lambda _: 3)))
    assert "no_incident" == report.verdict
    assert "kubernetes/logs was read in part only" in report.reasons


@pytest.mark.parametrize(("question", "verdict"), [
    ("why the 502s at 2026-11-22 22:30?", "inconclusive"), ("why the 502s at 2026-11-22 03:30?", "no_incident"),
    ("why the 502s?", "no_incident"),
])  # fmt: skip
def test_it_counts_where_the_question_points(tmp_path, question, verdict):
    """The last three hours were not looked at: a question about then stays open, one about another hour or the day does not."""
    report = investigated(
        tmp_path / "home", exported(tmp_path, quiet_day(lambda hour: 10 if hour < 3 or hour > 20 else 0)), question
    )
    assert verdict == report.verdict


@pytest.mark.parametrize(("dated", "verdict"), [(2, "inconclusive"), (19, "no_incident")])
def test_lines_without_a_time_were_not_looked_at(tmp_path, dated, verdict):
    """A container's log without times beside one with them: little of it leaves the window quiet, much of it does not."""
    source = exported(tmp_path, [(n * 120, "INFO order stored") for n in range(30 * dated)])
    other = tmp_path / "export" / "kubernetes" / "shop" / "web-5c6b-aaaa1" / "web.log"
    other.parent.mkdir()
    other.write_text("INFO page served\n" * 100)
    report = investigated(tmp_path / "home", source)
    assert verdict == report.verdict
    assert ("log lines without a time" in report.summary) == (verdict == "inconclusive")


class Failing:
    """A Loki that answers nothing for times from a second of the window on, up to another."""

    def __init__(self, lines, first, until):
        self._loki, self._span = PlayedLoki(lines), ((BEGIN + first) * NS, (BEGIN + until) * NS)

    def __call__(self, request):
        """Answer one request."""
        if "query_range" in request:
            start, end = (
                int(request.partition(f"{name}=")[2].split("&")[0].split(" ")[0]) for name in ("start", "end")
            )
            if start < self._span[1] and end > self._span[0]:
                return answer("{}", status="400 Bad Request")
        return self._loki(request)


@pytest.mark.parametrize(("until", "question", "verdict"), [
    (21 * 3600, None, "no_incident"), (24 * 3600, None, "inconclusive"), (21 * 3600, "why the 502s at 2026-11-22 20:15?", "inconclusive"),
])  # fmt: skip
def test_hours_that_a_store_did_not_give(tmp_path, until, question, verdict):
    """A failed hour of a day leaves it quiet, unless it is the one asked about; a store that fails from 08:00 on does not."""
    first = 8 * 3600 if until == DAY_S else 20 * 3600
    lines = [Line((BEGIN + 60 * n) * NS, f"INFO order {n} stored") for n in range(1440)]
    window = Window(start=instant(BEGIN), end=instant(BEGIN + DAY_S), asked="1d")
    with FaultServer(None, reply=Failing(lines, first, until)) as server:
        address = StoreAddress(url=server.url, login=Login(), deadline_s=20.0)
        source = LokiSource(address, Scope(window=window, namespaces=("shop",)))
        report = investigated(tmp_path / "home", source, question, window)
    assert verdict == report.verdict
    assert any(gap.lost for row in report.coverage for gap in row.gaps if row.source == "loki")
    if verdict == "inconclusive":
        assert "of the logs" in report.summary
        assert "were not looked at" in report.summary
