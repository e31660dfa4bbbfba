"""Budgets: nothing is sent that could cost more than is left, whoever asks at once and whoever is killed."""

import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from model_server import Answer, Failing, ModelServer
from model_wire import Refusal

from bot.domain.model import ModelRequest, Spend, TextBlock, says
from bot.errors import BudgetError, ModelBusyError, ModelCutError, ModelTimeoutError
from bot.investigation.budget import FILE, Ledger, Payer, Worst
from bot.investigation.budget_model import Metered, worst
from bot.models.messages import MessagesModel, Patience
from bot.settings import BudgetSettings, ModelSettings

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PAYER = Payer(case="c1", channel="C1")
DOLLAR = Worst(tokens=1000, cost_usd=1.0)
PLENTY = BudgetSettings()
LOGS = "2026-11-17T00:00:00Z frontdoor upstream connect error 503\n" * 2000
ASKED = ModelRequest(
    system="You read incidents.",
    prefix=(TextBlock(text=LOGS, cacheable=True),),
    turns=(says("why?"),),
    max_output_tokens=1000,
    deadline_s=20.0,
)


@pytest.fixture(scope="module", autouse=True)
def _loaded():
    """Load the library before a test counts seconds."""
    with ModelServer() as server:
        MessagesModel(ModelSettings(url=server.url, key="k")).reply(ASKED)


def ledger(home, clock=lambda: NOON, **limits):
    """Give a ledger with limits."""
    return Ledger(home, BudgetSettings(**limits), clock)


def metered(server, book, payer=PAYER):
    """Give the default model behind a server, metered."""
    settings = ModelSettings(url=server.url, key="k")
    return Metered(MessagesModel(settings, Patience(first_pause_s=0.01, least_s=0.1)), book, payer)


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (
            {"case_usd": 1.5},
            r"could cost \$1\.00, and \$0\.50 of the \$1\.50 for one investigation .* ROOTCAUSE_BUDGET_USD",
        ),
        ({"case_tokens": 1500}, r"take 1,000 tokens, and 500 of the 1,500 .* ROOTCAUSE_BUDGET_TOKENS"),
        ({"channel_day_usd": 1.5}, r"this channel today .* ROOTCAUSE_BUDGET_CHANNEL_USD"),
        ({"channel_day_tokens": 1500}, r"ROOTCAUSE_BUDGET_CHANNEL_TOKENS"),
        ({"day_usd": 1.5}, r"for today .* 00:00 UTC, or raise ROOTCAUSE_BUDGET_DAY_USD"),
        ({"day_tokens": 1500}, r"ROOTCAUSE_BUDGET_DAY_TOKENS"),
    ],
)
def test_what_is_reserved_is_not_there_twice(tmp_path, limits, sentence):
    """The second dollar of one and a half is refused, with the sum and the way to raise it."""
    book = ledger(tmp_path, **limits)
    book.reserve(PAYER, DOLLAR, model="m")
    with pytest.raises(BudgetError, match=sentence):
        book.reserve(PAYER, DOLLAR, model="m")


def test_each_budget_is_its_own(tmp_path):
    """Another case, another channel and another day draw on others; the day is everybody's."""
    now = [NOON]
    book = ledger(tmp_path, lambda: now[0], case_usd=1.0, channel_day_usd=2.0, day_usd=3.0)
    for payer in (PAYER, Payer(case="c2", channel="C1"), Payer(case="c3", channel="C2")):
        book.reserve(payer, DOLLAR, model="m")
    with pytest.raises(BudgetError, match="for today"):
        book.reserve(Payer(case="c4"), DOLLAR, model="m")
    now[0] += timedelta(days=1)
    book.reserve(Payer(case="c4", channel="C1"), DOLLAR, model="m")
    with pytest.raises(BudgetError, match="one investigation"):
        book.reserve(PAYER, DOLLAR, model="m")


def test_what_was_settled_counts_and_the_rest_comes_back(tmp_path):
    """A call that cost less than it could leaves the difference."""
    book = ledger(tmp_path, case_usd=1.5)
    book.settle(book.reserve(PAYER, DOLLAR, model="m"), Spend(tokens_in=7, cost_usd=0.25))
    book.reserve(PAYER, DOLLAR, model="m")
    assert [(1007, 1.25)] * 3 == [(spent.tokens, spent.cost_usd) for spent in book.spent(PAYER)]


def test_those_who_ask_at_once_get_no_more_together(tmp_path):
    """Of twenty that want a dollar of five, five get one."""
    book = ledger(tmp_path, case_usd=5.0)

    def wants(_):
        try:
            return book.reserve(PAYER, DOLLAR, model="m")
        except BudgetError:
            return None

    with ThreadPoolExecutor(8) as pool:
        assert 5 == len([number for number in pool.map(wants, range(20)) if number is not None])


def test_a_process_that_is_killed_has_spent_what_it_reserved(tmp_path):
    """Nobody knows what its call cost, so it is taken to have cost the most that it could."""
    code = (
        "import os, pathlib, signal, sys\n"
        "from bot.investigation.budget import Ledger, Payer, Worst\n"
        "from bot.settings import BudgetSettings\n"
        "book = Ledger(pathlib.Path(sys.argv[1]), BudgetSettings())\n"
        "book.reserve(Payer(case='c1', channel='C1'), Worst(tokens=1000, cost_usd=9.5), model='m')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, timeout=60)
    assert -signal.SIGKILL == killed.returncode
    with pytest.raises(BudgetError, match=r"\$0\.50 of the \$10\.00"):
        Ledger(tmp_path, PLENTY).reserve(PAYER, DOLLAR, model="m")


def test_a_ledger_that_cannot_be_kept_lets_nothing_out(tmp_path):
    """Without a ledger there is no budget, and without a budget nobody is asked."""
    (tmp_path / FILE).write_bytes(b"this is no database, however long one looks at it" * 100)
    with ModelServer() as server:
        with pytest.raises(BudgetError, match="cannot be written down"):
            metered(server, ledger(tmp_path)).reply(ASKED)
        assert [] == server.asked


def test_a_call_costs_what_the_endpoint_counted(tmp_path):
    """The ledger holds what the replies say; the second reads the prefix from the cache."""
    book = ledger(tmp_path)
    with ModelServer([Answer(text="It is the job.")]) as server:
        asked = metered(server, book)
        replies = [asked.reply(ASKED), asked.reply(ASKED)]
    paid = replies[0].spend + replies[1].spend
    case = book.spent(PAYER)[0]
    assert (paid.tokens, pytest.approx(paid.cost_usd)) == (case.tokens, case.cost_usd)
    assert replies[1].spend.tokens_cached > 50_000


def test_a_call_that_could_cost_too_much_is_not_made(tmp_path):
    """Nothing is sent."""
    with ModelServer() as server:
        with pytest.raises(BudgetError, match="shorter window"):
            metered(server, ledger(tmp_path, case_usd=0.1)).reply(ASKED)
        assert [] == server.asked


def test_what_a_model_keeps_is_not_reserved_at_the_price_of_reading_it(tmp_path):
    """A question to a cached window passes where reading the window anew would not; much later it does not."""
    now = [NOON]
    cold, warm = worst_of(), worst_of(kept=True)
    book = ledger(tmp_path, lambda: now[0], case_usd=cold.cost_usd + 3 * warm.cost_usd)
    with ModelServer([Answer(text="It is the job.")]) as server:
        asked = metered(server, book)
        asked.reply(ASKED)
        now[0] += timedelta(minutes=50)
        asked.reply(ASKED)
        now[0] += timedelta(hours=2)
        with pytest.raises(BudgetError):
            asked.reply(ASKED)
        assert 2 == len(server.asked)
    assert warm.cost_usd < cold.cost_usd / 4


def worst_of(*, kept=False):
    """Give the most that the question can cost at the default model."""
    return worst(MessagesModel(ModelSettings(key="k")).facts, ASKED, kept=kept)


def test_what_a_caller_expects_of_the_size_is_believed_within_a_tenth():
    """Without it, the shortest tokens of any log are assumed."""
    facts = MessagesModel(ModelSettings(key="k")).facts
    counted = ModelRequest(system="", turns=ASKED.turns, max_output_tokens=10, expected_tokens=1000)
    assert [1110, 13] == [
        worst(facts, each).tokens
        for each in (counted, ModelRequest(system="", turns=ASKED.turns, max_output_tokens=10))
    ]


def test_another_try_is_reserved_like_the_first(tmp_path):
    """A broken answer was paid; where its repetition no longer fits, it is not made."""
    book = ledger(tmp_path, case_usd=worst_of().cost_usd * 1.2)
    with ModelServer([Failing("cut")]) as server:
        with pytest.raises(BudgetError):
            metered(server, book).reply(ASKED)
        assert 1 == len(server.asked)
    case = book.spent(PAYER)[0]
    assert 50_000 < case.tokens < worst_of().tokens


@pytest.mark.parametrize(
    ("said", "kind", "paid"),
    [
        (Failing("cut"), ModelCutError, True),
        (Failing("stall"), ModelTimeoutError, True),
        (Failing("dead"), ModelTimeoutError, True),
        (Refusal(529, "overloaded_error", "Overloaded"), ModelBusyError, False),
    ],
)
def test_what_failed_is_settled_at_what_it_may_have_cost(tmp_path, said, kind, paid):
    """An overload is free; an answer that began, and a silence in which the prompt may have been read, are not."""
    book = ledger(tmp_path)
    with ModelServer([said]) as server, pytest.raises(kind):
        metered(server, book).reply(ModelRequest(**{**fields_of(ASKED), "deadline_s": 0.7}))
    case = book.spent(PAYER)[0]
    assert paid == (case.tokens > 50_000)
    with sqlite3.connect(tmp_path / FILE) as database:
        assert [(1,)] == database.execute("SELECT settled FROM calls").fetchall()
    database.close()


def fields_of(request):
    """Give a request's fields."""
    return {name: getattr(request, name) for name in request.__dataclass_fields__}
