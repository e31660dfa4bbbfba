"""The composition root of what people are told about language models: what is known of each, and whether it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.domain.finding import Finding
from bot.domain.model import ModelFacts, Spend, cost_usd
from bot.errors import ModelError, RootcauseError, UsageError
from bot.investigation.budget import Ledger, Payer, Spent
from bot.models import catalogue
from bot.models.messages import MessagesModel
from bot.settings import ModelSettings

FIX = "set ANTHROPIC_API_KEY, or ROOTCAUSE_MODEL_URL to a server of your own"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """A model as people are told of it. Costs are in US dollars for its whole context: read the first time, asked again."""

    facts: ModelFacts
    features: tuple[str, ...]
    note: str
    configured: bool = False
    first_usd: float | None = None
    again_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """What is known of models, which one is asked where, and what is left to ask it with."""

    known: tuple[KnownModel, ...]
    asked: bool
    name: str
    host: str
    effort: str
    budgets: tuple[Spent, ...]
    problem: str = ""


def models(settings: ModelSettings, home: Path) -> Models:
    """Tell what is known, without asking anybody."""
    mine = catalogue.configured(settings)
    row = catalogue.known(settings.model)
    rows = [*catalogue.KNOWN, catalogue.PORTABLE]
    host, problem = "", ""
    try:
        host = MessagesModel(settings).host if settings.asked else ""
    except UsageError as error:
        problem = str(error)
    return Models(
        known=tuple(
            _known(mine if each is row and settings.asked else each, each is row and settings.asked) for each in rows
        ),
        asked=settings.asked,
        name=settings.model,
        host=host,
        effort=settings.effort or "",
        budgets=Ledger(home, settings.budget).spent(Payer(case="", channel="-")),
        problem=problem,
    )


def examine_model(settings: ModelSettings, home: Path) -> Sequence[Finding]:
    """Look whether the model can be asked, with a question of a few tokens, and what is left of today's budget."""
    if not settings.asked:
        return [Finding(name="model", state="ok", what=f"none is asked, the offline analyst answers; {FIX}")]
    try:
        model = MessagesModel(settings)
        model.check()
    except ModelError as error:
        return [Finding(name="model", state="wrong", what=str(error), fix="until then the offline analyst answers")]
    except UsageError as error:
        return [Finding(name="model", state="wrong", what=str(error))]
    where = f"{settings.model} at {model.host} answers"
    return [Finding(name="model", state="ok", what=where), _budget(Ledger(home, settings.budget))]


def _budget(ledger: Ledger) -> Finding:
    try:
        day = ledger.spent(Payer(case=""))[-1]
    except RootcauseError as error:
        return Finding(name="budget", state="wrong", what=str(error))
    what = f"${day.cost_usd:.2f} of ${day.limit_usd:.2f} and {day.tokens:,} of {day.limit_tokens:,} tokens used today"
    if day.cost_usd >= 0.8 * day.limit_usd or day.tokens >= 0.8 * day.limit_tokens:
        return Finding(name="budget", state="warning", what=what, fix="raise ROOTCAUSE_BUDGET_DAY_USD or _TOKENS")
    return Finding(name="budget", state="ok", what=what)


def _known(row: catalogue.Known, configured: bool) -> KnownModel:
    facts, features = row.facts, row.features
    whole = facts.context_tokens
    first = Spend(tokens_written=whole) if facts.caches else Spend(tokens_in=whole)
    again = Spend(tokens_cached=whole) if facts.caches else first
    named = {
        f"caches {'an hour' if features.cache == '1h' else '5 min'}": features.cache is not None,
        "holds to a schema": features.schema,
        "counts tokens": features.counts,
        "shows its thinking": features.thinking,
        "takes an effort": features.effort,
    }
    return KnownModel(
        facts=facts,
        features=tuple(name for name, has in named.items() if has),
        note=row.note,
        configured=configured,
        first_usd=cost_usd(facts.price, first) if facts.price else None,
        again_usd=cost_usd(facts.price, again) if facts.price else None,
    )
