"""What is asked of a language model and what it answers; the port, and what a model is known to be.

Nothing here knows a vendor or a wire format. What the model says is a claim like any other: the verifier decides.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Effort = Literal["low", "medium", "high", "max"]
"""How long a model may think, where it lets one choose; otherwise ignored."""

Stop = Literal["end", "tools", "length", "context"]
"""Why an answer ended: it was finished; tools are called; ``max_output_tokens`` or the context was full, so it is cut."""

Stage = Literal["waiting", "thinking", "writing", "retrying"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBlock:
    """A text; ``cacheable`` where everything up to its end will be sent again unchanged."""

    text: str
    cacheable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A tool the model wants called. ``arguments`` is None where what it wrote is no JSON object, which ``raw`` shows."""

    id: str
    name: str
    arguments: Mapping[str, object] | None
    raw: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What a tool gave; ``failed`` tells the model that the text says why it gave nothing."""

    call: str
    text: str
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedBlock:
    """Something of the model's own (its thinking) that it wants handed back unread and unchanged; ``content`` is JSON."""

    content: str


Part = TextBlock | ToolCall | ToolResult | SealedBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One side's turn of a conversation. Turns alternate and begin with ``asker``; the model's is handed back whole."""

    role: Literal["asker", "model"]
    parts: tuple[Part, ...]


def says(text: str) -> Turn:
    """Give a turn of the asker that is one text."""
    return Turn(role="asker", parts=(TextBlock(text=text),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool the model may ask for; ``schema`` is the JSON schema (an object) of its arguments."""

    name: str
    description: str
    schema: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One question to a model.

    ``system`` holds instructions and never a word of the evidence. ``prefix`` stays the same bytes from question to
    question about a case, so that its reading is paid once; ``turns`` come after it, the last one the asker's.
    ``deadline_s`` is the wall clock of the whole call, tries again included. ``answer_schema`` is asked of models that
    can hold to one; the caller validates the answer in any case. Without ``effort`` the configured one holds.
    ``expected_tokens`` is what the caller knows of the whole prompt's size; without it the characters are counted.
    """

    system: str
    turns: tuple[Turn, ...]
    prefix: tuple[TextBlock, ...] = ()
    tools: tuple[Tool, ...] = ()
    max_output_tokens: int = 16_000
    deadline_s: float = 300.0
    answer_schema: Mapping[str, object] | None = None
    effort: Effort | None = None
    expected_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """What was used. The four counts are apart: the whole prompt is ``tokens_in + tokens_cached + tokens_written``."""

    tokens_in: int = 0
    """Read anew."""
    tokens_cached: int = 0
    """Read from the cache."""
    tokens_written: int = 0
    """Read anew and put into the cache."""
    tokens_out: int = 0
    """Written by the model, its thinking included."""
    cost_usd: float = 0.0

    @property
    def prompt(self) -> int:
        """Tokens of the whole prompt, wherever they came from."""
        return self.tokens_in + self.tokens_cached + self.tokens_written

    @property
    def tokens(self) -> int:
        """All tokens, in and out."""
        return self.prompt + self.tokens_out

    def __add__(self, other: "Spend") -> "Spend":
        return Spend(
            tokens_in=self.tokens_in + other.tokens_in,
            tokens_cached=self.tokens_cached + other.tokens_cached,
            tokens_written=self.tokens_written + other.tokens_written,
            tokens_out=self.tokens_out + other.tokens_out,
            cost_usd=self.cost_usd + other.cost_usd,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReply:
    """A model's answer. ``spend`` counts every try it took."""

    parts: tuple[Part, ...]
    stop: Stop
    spend: Spend
    model: str
    """The name that the endpoint gave for what answered."""
    tries: int = 1

    @property
    def text(self) -> str:
        """What it says, its texts joined."""
        return "".join(part.text for part in self.parts if isinstance(part, TextBlock))

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The tools it wants called, in its order."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))

    @property
    def complete(self) -> bool:
        """Whether it ended by itself; what was cut must not be taken for an answer."""
        return self.stop in ("end", "tools")

    @property
    def turn(self) -> Turn:
        """The reply as the next request hands it back."""
        return Turn(role="model", parts=self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """How far a call is: sent while it waits and whenever something arrives."""

    stage: Stage
    spend: Spend = Spend()
    """So far, tries that failed included."""
    chars: int = 0
    """Characters of the answer so far."""
    thought: str = ""
    """The latest piece of what the model shows of its thinking: untrusted like everything it says."""
    tries: int = 1


ModelProgress = Callable[[Heard], None]
"""Called often, must be cheap. What it raises ends the call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """US dollars for a million tokens. Above ``long_from`` tokens of prompt, every token costs ``long_factor`` times."""

    tokens_in: float
    tokens_out: float
    cached: float
    written: float
    """Into a cache as this program asks for it: an hour where that is offered, else five minutes."""
    long_from: int | None = None
    long_factor: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What is known of the configured model. ``price`` is None where nobody told one."""

    name: str
    context_tokens: int
    max_output_tokens: int
    price: Price | None = None
    chars_per_token: float = 2.0
    """Of logs, where nothing better is known; prose has more."""
    caches: bool = False
    cache_s: float = 0.0
    """Seconds that it keeps a prefix as this program asks for it."""
    counts_tokens: bool = False
    holds_to_schema: bool = False


def cost_usd(price: Price | None, spend: Spend) -> float:
    """Give what the tokens of ``spend`` cost; 0 where no price is known."""
    if price is None:
        return 0.0
    long = price.long_from is not None and spend.prompt > price.long_from
    millionths = (
        spend.tokens_in * price.tokens_in
        + spend.tokens_cached * price.cached
        + spend.tokens_written * price.written
        + spend.tokens_out * price.tokens_out
    )
    return millionths * (price.long_factor if long else 1.0) / 1e6


def ignore(_heard: Heard) -> None:
    """Listen to nothing."""


class LanguageModel(Protocol):
    """A model that can be asked. Blocking: call it where no event loop runs, as in an investigation's own process."""

    @property
    def facts(self) -> ModelFacts:
        """What is known of it."""
        ...

    def reply(self, request: ModelRequest, progress: ModelProgress = ignore) -> ModelReply:
        """Ask and wait for the whole answer, at most ``request.deadline_s``; raises a ``ModelError``, nothing else."""
        ...

    def count_tokens(self, request: ModelRequest) -> int | None:
        """Let the endpoint count the tokens of a request; None where it cannot, or not within ``request.deadline_s``."""
        ...
