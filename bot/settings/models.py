"""Which language model is asked, where it is, and what it may cost.

Without a key, and without an address that needs none, nothing is asked and nothing leaves: the offline analyst answers.
"""

import re
from dataclasses import dataclass, field
from typing import Literal

from bot.errors import UsageError
from bot.settings.environment import amount, count, text

DEFAULT_MODEL = "claude-sonnet-5-5"
OFF = ("off", "offline", "none")

Via = Literal["api", "bedrock", "vertex"]
Effort = Literal["low", "medium", "high", "max"]

_PRICE = re.compile(r"(\d+(?:\.\d+)?)/(\d+(?:\.\d+)?)(?:/(\d+(?:\.\d+)?))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSettings:
    """What models may cost, in US dollars and in tokens, whichever ends first; a day is a day in UTC.

    Tokens bound what has no price: a server of one's own.
    """

    case_usd: float = 10.0
    """``ROOTCAUSE_BUDGET_USD``: of one investigation with its follow-ups. A full window read into the default model's cache
    costs about 4 dollars, a question to it 0.2."""
    case_tokens: int = 12_000_000
    """``ROOTCAUSE_BUDGET_TOKENS``: the same in tokens; a full window read twelve times."""
    channel_day_usd: float = 25.0
    """``ROOTCAUSE_BUDGET_CHANNEL_USD``: of one channel in a day, so that one room cannot spend everybody's."""
    channel_day_tokens: int = 50_000_000
    """``ROOTCAUSE_BUDGET_CHANNEL_TOKENS``."""
    day_usd: float = 50.0
    """``ROOTCAUSE_BUDGET_DAY_USD``: of everything in a day."""
    day_tokens: int = 100_000_000
    """``ROOTCAUSE_BUDGET_DAY_TOKENS``."""

    @classmethod
    def from_environment(cls) -> "BudgetSettings":
        """Read the settings from the process's environment."""
        return cls(
            case_usd=amount("ROOTCAUSE_BUDGET_USD", 10.0),
            case_tokens=count("ROOTCAUSE_BUDGET_TOKENS", 12_000_000),
            channel_day_usd=amount("ROOTCAUSE_BUDGET_CHANNEL_USD", 25.0),
            channel_day_tokens=count("ROOTCAUSE_BUDGET_CHANNEL_TOKENS", 50_000_000),
            day_usd=amount("ROOTCAUSE_BUDGET_DAY_USD", 50.0),
            day_tokens=count("ROOTCAUSE_BUDGET_DAY_TOKENS", 100_000_000),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """How the model is reached."""

    model: str = DEFAULT_MODEL
    """``ROOTCAUSE_MODEL``; ``off`` asks none. The default reads a window of 1M tokens at 2 dollars a million, which is half
    of what the next stronger costs; the job is nearly all reading, and every claim is checked afterwards. The cheaper one
    is made for sorting and extracting."""

    url: str | None = None
    """``ROOTCAUSE_MODEL_URL``, else ``ANTHROPIC_BASE_URL``: whatever speaks the Messages protocol; without it the vendor's."""

    key: str | None = field(default=None, repr=False)
    """``ROOTCAUSE_MODEL_KEY``, else ``ANTHROPIC_API_KEY``, else ``ANTHROPIC_AUTH_TOKEN``."""

    via: Via = "api"
    """``ROOTCAUSE_MODEL_VIA``: ``bedrock`` or ``vertex`` where a cloud gives the model, with the cloud's own credentials."""

    region: str | None = None
    """``ROOTCAUSE_MODEL_REGION``: the cloud's region."""

    project: str | None = None
    """``ROOTCAUSE_MODEL_PROJECT``: the cloud's project, for ``vertex``."""

    effort: Effort | None = None
    """``ROOTCAUSE_EFFORT``: low, medium, high or max, where the model takes it; without it the model's own default."""

    context_tokens: int | None = None
    """``ROOTCAUSE_MODEL_CONTEXT``: tokens it can read, for a model that `rootcause models` does not know."""

    price: tuple[float, float, float] | None = None
    """``ROOTCAUSE_MODEL_PRICE``: dollars a million tokens, ``in/out`` or ``in/out/cached``; here in, out, cached."""

    budget: BudgetSettings = field(default_factory=BudgetSettings)

    @property
    def asked(self) -> bool:
        """Whether any model is asked at all."""
        if self.model.casefold() in OFF:
            return False
        return self.via != "api" or self.key is not None or self.url is not None

    @classmethod
    def from_environment(cls) -> "ModelSettings":
        """Read the settings from the process's environment."""
        via = _via(text("ROOTCAUSE_MODEL_VIA"))
        # people name the address as other protocols want it; a gateway to the vendor's own API is no cloud's address
        url = text("ROOTCAUSE_MODEL_URL") or (text("ANTHROPIC_BASE_URL") if via == "api" else None)
        url = url.rstrip("/").removesuffix("/v1").rstrip("/") if url and via == "api" else url
        return cls(
            model=text("ROOTCAUSE_MODEL") or DEFAULT_MODEL,
            url=url,
            key=text("ROOTCAUSE_MODEL_KEY") or text("ANTHROPIC_API_KEY") or text("ANTHROPIC_AUTH_TOKEN"),
            via=via,
            region=text("ROOTCAUSE_MODEL_REGION"),
            project=text("ROOTCAUSE_MODEL_PROJECT"),
            effort=_effort(text("ROOTCAUSE_EFFORT")),
            context_tokens=count("ROOTCAUSE_MODEL_CONTEXT", 1) if text("ROOTCAUSE_MODEL_CONTEXT") else None,
            price=_price(text("ROOTCAUSE_MODEL_PRICE")),
            budget=BudgetSettings.from_environment(),
        )


def _via(given: str | None) -> Via:
    match (given or "api").casefold():
        case "api":
            return "api"
        case "bedrock":
            return "bedrock"
        case "vertex":
            return "vertex"
    raise UsageError(f"ROOTCAUSE_MODEL_VIA is {given!r}: give api, bedrock or vertex.")


def _effort(given: str | None) -> Effort | None:
    match given and given.casefold():
        case None:
            return None
        case "low":
            return "low"
        case "medium":
            return "medium"
        case "high":
            return "high"
        case "max":
            return "max"
    raise UsageError(f"ROOTCAUSE_EFFORT is {given!r}: give low, medium, high or max, or leave it away.")


def _price(given: str | None) -> tuple[float, float, float] | None:
    if given is None:
        return None
    match = _PRICE.fullmatch(given)
    if match is None:
        raise UsageError(
            f"ROOTCAUSE_MODEL_PRICE is {given!r}: give dollars a million tokens, as in 0.3/1.2 or 0.3/1.2/0.06."
        )
    read, written, cached = match.groups()
    return float(read), float(written), float(cached or read)
