"""What is known of each model: the only table that switches anything beyond the portable subset on.

A model that stands in no row gets the portable subset: text blocks, tools chosen by the model, streaming, nothing counted
by the endpoint and nothing cached. Prices are the vendors' list prices in US dollars for a million tokens, from
https://platform.claude.com/docs/en/about-claude/pricing and https://platform.minimax.io/docs/guides/pricing (November 2026);
``ROOTCAUSE_MODEL_PRICE`` overrides them.
"""

from dataclasses import dataclass, replace
from typing import Literal

from bot.domain.model import Effort, ModelFacts, Price
from bot.settings import ModelSettings

ANTHROPIC = "https://api.anthropic.com"
MINIMAX = "https://api.minimax.io/anthropic"

PORTABLE_CONTEXT = 128_000
"""Tokens assumed of a model nothing is known of; what is smaller says so itself, and ``ROOTCAUSE_MODEL_CONTEXT`` tells."""
PORTABLE_OUTPUT = 16_000
CLAUDE_CHARS = 1.8
"""Characters of logs in a token of Claude 4.7 and later: 1.6 to 2.0 measured over ten systems' logs."""
FOREIGN_CHARS = 1.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What a request may hold beyond the portable subset."""

    cache: Literal["1h", "5m"] | None = None
    """The longest life of a cached prefix that can be asked for; an incident's thread outlives five minutes."""
    schema: bool = False
    """Answers can be held to a JSON schema."""
    counts: bool = False
    """The endpoint counts tokens."""
    thinking: bool = False
    """It thinks as far as it sees fit, and shows a summary where one is asked for; without, nothing is heard for minutes."""
    effort: bool = False
    """How far it thinks can be told."""
    quiet_s: float = 600.0
    """Seconds without a byte after which the connection is taken for dead. A machine of one's own reads a long prompt
    without a word for minutes; a hosted one sends pings meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A row of the table."""

    facts: ModelFacts
    features: Features
    url: str
    note: str = ""


_CLAUDE = Features(cache="1h", schema=True, counts=True, thinking=True, effort=True, quiet_s=120.0)


def _claude(name: str, price: Price, note: str) -> Known:
    facts = ModelFacts(
        name=name,
        context_tokens=1_000_000,
        max_output_tokens=128_000,
        price=price,
        chars_per_token=CLAUDE_CHARS,
        caches=True,
        cache_s=3600.0,
        counts_tokens=True,
        holds_to_schema=True,
    )
    return Known(facts=facts, features=_CLAUDE, url=ANTHROPIC, note=note)


KNOWN = (
    _claude(
        "claude-sonnet-5-5",
        Price(tokens_in=2.00, tokens_out=10.00, cached=0.20, written=4.00),
        "the default: the cheapest that reads a whole window for understanding and not for sorting",
    ),
    _claude(
        "claude-opus-5-5",
        Price(tokens_in=4.00, tokens_out=20.00, cached=0.20, written=8.00),
        "twice the price to read, as much to ask again",
    ),
    _claude(
        "claude-fable-5-2",
        Price(tokens_in=8.00, tokens_out=40.00, cached=0.20, written=16.00),
        "the strongest; content is kept for 30 days by its vendor",
    ),
    _claude(
        "claude-fable-5-1",
        Price(tokens_in=10.00, tokens_out=50.00, cached=0.25, written=20.00),
        "content is kept for 30 days by its vendor",
    ),
    _claude(
        "claude-haiku-5-5",
        Price(tokens_in=0.10, tokens_out=0.50, cached=0.01, written=0.20, long_from=100_000, long_factor=5.0),
        "made for sorting and extracting; five times the price above 100,000 tokens of prompt",
    ),
    _claude("claude-opus-5", Price(tokens_in=5.00, tokens_out=25.00, cached=0.50, written=10.00), "an older Opus"),
    _claude("claude-sonnet-5", Price(tokens_in=2.00, tokens_out=10.00, cached=0.20, written=4.00), "an older Sonnet"),
    Known(
        facts=ModelFacts(
            name="MiniMax-M3",
            context_tokens=1_000_000,
            max_output_tokens=128_000,
            # the price of writing into its cache is published for its older models only; theirs is taken
            price=Price(
                tokens_in=0.30, tokens_out=1.20, cached=0.06, written=0.375, long_from=512_000, long_factor=2.0
            ),
            chars_per_token=FOREIGN_CHARS,
            caches=True,
            cache_s=300.0,
        ),
        # it thinks by itself, and answers to no effort, schema or count
        features=Features(cache="5m", quiet_s=180.0),
        url=MINIMAX,
        note="a seventh of the default's price to read, twice that above 512,000 tokens of prompt",
    ),
)
"""The longer name first where one begins another."""

PORTABLE = Known(
    facts=ModelFacts(
        name="any other",
        context_tokens=PORTABLE_CONTEXT,
        max_output_tokens=PORTABLE_OUTPUT,
        chars_per_token=FOREIGN_CHARS,
    ),
    features=Features(),
    url="",
    note="a server of one's own (vLLM, llama.cpp, Ollama) or a gateway: ROOTCAUSE_MODEL_URL",
)
"""What is taken for granted of a model that nothing is known of."""


def known(name: str) -> Known:
    """Give the row of a model; a platform's spelling of the name (``us.anthropic.…-v1:0``, ``…@20261007``) finds it too."""
    rows = [row for row in KNOWN if row.facts.name.casefold() in name.casefold()]
    return max(rows, key=lambda row: len(row.facts.name), default=PORTABLE)


def configured(settings: ModelSettings) -> Known:
    """Give what is known of the configured model, with what the settings say about it."""
    row = known(settings.model)
    features = row.features
    if settings.via == "bedrock":
        # https://docs.aws.amazon.com/bedrock: tokens are counted by an API of its own
        features = replace(features, counts=False)
    facts = replace(
        row.facts,
        name=settings.model,
        context_tokens=settings.context_tokens or row.facts.context_tokens,
        price=_told(settings.price) or row.facts.price,
        counts_tokens=features.counts,
    )
    return replace(row, facts=facts, features=features, url=settings.url or row.url)


def _told(price: tuple[float, float, float] | None) -> Price | None:
    if price is None:
        return None
    read, answered, cached = price
    # what a cache takes for being filled differs; twice the price of reading is the most that is asked anywhere
    return Price(tokens_in=read, tokens_out=answered, cached=cached, written=2 * read)


def effort_of(features: Features, asked: Effort | None, standing: Effort | None) -> Effort | None:
    """Give the effort to ask for, None where the model takes none or is left to its own."""
    return (asked or standing) if features.effort else None
