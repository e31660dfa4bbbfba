"""``rootcause models`` and the doctor's look at the model: what is known, which one is asked, and what it may cost."""

import json

import pytest
from model_server import Failing, ModelServer

from bot.app_models import examine_model
from bot.cli.frame import run
from bot.domain.model import Spend
from bot.errors import UsageError
from bot.investigation.budget import FILE, Ledger, Payer, Worst
from bot.settings import BudgetSettings, ModelSettings

VARIABLES = [
    "ROOTCAUSE_MODEL",
    "ROOTCAUSE_MODEL_URL",
    "ROOTCAUSE_MODEL_KEY",
    "ROOTCAUSE_MODEL_VIA",
    "ROOTCAUSE_MODEL_REGION",
    "ROOTCAUSE_MODEL_CONTEXT",
    "ROOTCAUSE_MODEL_PRICE",
    "ROOTCAUSE_EFFORT",
    "ROOTCAUSE_BUDGET_USD",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
]


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch, tmp_path):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ROOTCAUSE_HOME", str(tmp_path))


def told(capsys, *options):
    """Run the command and give what it prints."""
    assert 0 == run(["models", *options])
    return capsys.readouterr().out


def test_every_known_model_is_told_with_its_price(capsys):
    """Context, prices, what a full context costs, and what it takes beyond the portable subset."""
    page = told(capsys)
    assert "claude-sonnet-5-5       1M    128k  2.00 / 0.20 / 10.00      $4.00 / $0.20" in page
    assert "MiniMax-M3" in page
    assert "caches an hour, holds to a schema, counts tokens" in page
    assert "No model is asked: the offline analyst answers, and nothing leaves this machine." in page


def test_the_one_that_is_asked_is_marked(capsys, monkeypatch):
    """With its place and what is left; the key is nowhere."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    monkeypatch.setenv("ROOTCAUSE_MODEL", "claude-opus-5-5")
    page = told(capsys)
    assert "▸ claude-opus-5-5" in page
    assert "Asked: claude-opus-5-5 at api.anthropic.com." in page
    assert "Budget: $10.00 an investigation" in page
    assert "sk-secret" not in page + told(capsys, "--format", "json")


def test_a_server_of_ones_own_is_what_it_is_said_to_be(capsys, monkeypatch):
    """Its address needs no key and may be named as other protocols want it; its context and price are as told."""
    monkeypatch.setenv("ROOTCAUSE_MODEL", "qwen3")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://localhost:8000/v1/")
    monkeypatch.setenv("ROOTCAUSE_MODEL_CONTEXT", "262144")
    monkeypatch.setenv("ROOTCAUSE_MODEL_PRICE", "0.5/1.5")
    known = json.loads(told(capsys, "--format", "json"))
    mine = next(each for each in known["known"] if each["configured"])
    assert ("qwen3", 262144, 0.5) == (
        mine["facts"]["name"],
        mine["facts"]["context_tokens"],
        mine["facts"]["price"]["cached"],
    )
    assert ("localhost:8000", True) == (known["host"], known["asked"])


def test_a_model_can_be_switched_off_where_a_key_is_set_for_others(monkeypatch):
    """A key in the surroundings is no order to use it."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    assert ModelSettings.from_environment().asked
    monkeypatch.setenv("ROOTCAUSE_MODEL", "off")
    assert not ModelSettings.from_environment().asked


def test_what_cannot_work_is_said_and_not_asked(capsys, monkeypatch):
    """A model that nothing is known of needs an address."""
    monkeypatch.setenv("ROOTCAUSE_MODEL", "qwen3")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    assert "set ROOTCAUSE_MODEL_URL" in told(capsys)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ROOTCAUSE_EFFORT", "most"),
        ("ROOTCAUSE_MODEL_VIA", "azure"),
        ("ROOTCAUSE_MODEL_PRICE", "cheap"),
        ("ROOTCAUSE_BUDGET_USD", "-1"),
        ("ROOTCAUSE_BUDGET_USD", "nan"),
        ("ROOTCAUSE_MODEL_CONTEXT", "1M"),
    ],
)
def test_a_setting_that_means_nothing_is_a_wrong_call(monkeypatch, name, value):
    """The sentence names it."""
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=name):
        ModelSettings.from_environment()


def test_the_doctor_asks_the_model_and_counts_the_day(tmp_path):
    """A model that answers is well; a wrong key, an overload and an unset model are each said; a day that is nearly spent warns."""

    def states(settings):
        return [(each.name, each.state) for each in examine_model(settings, tmp_path)]

    def settings(server, key="k", model="claude-sonnet-5-5"):
        return ModelSettings(url=server.url, key=key, model=model, budget=BudgetSettings(day_usd=10.0))

    assert [("model", "ok")] == states(ModelSettings())
    with ModelServer(key="k") as server:
        assert [("model", "ok"), ("budget", "ok")] == states(settings(server))
        assert [] == server.asked  # counted, which is free
        assert [("model", "wrong")] == states(settings(server, key="other"))
        assert [("model", "wrong")] == states(ModelSettings(model="qwen", key="k"))
    with ModelServer(portable=True) as server:
        assert [("model", "ok"), ("budget", "ok")] == states(settings(server, model="qwen"))
    with ModelServer([Failing("no event lines", events=99)], portable=True) as server:
        assert [("model", "wrong")] == states(settings(server, model="qwen"))
    book = Ledger(tmp_path, BudgetSettings())
    book.settle(book.reserve(Payer(case="c"), Worst(tokens=9, cost_usd=9.0), model="m"), Spend(cost_usd=9.0))
    with ModelServer() as server:
        assert [("model", "ok"), ("budget", "warning")] == states(settings(server))
        (tmp_path / FILE).write_bytes(b"no database" * 100)
        assert [("model", "ok"), ("budget", "wrong")] == states(settings(server))
