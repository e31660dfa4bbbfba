"""How a person wants a question answered: with or without a model, how often it reads, and how much it is handed."""

from dataclasses import dataclass

from bot.errors import UsageError

MOST_VOTES = 9
"""More readings than this tell nothing that they cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalystChoice:
    """What options say; what they leave open the settings decide.

    ``model`` names another model than the configured one; ``offline`` asks none; ``votes`` is the number of readings, each
    with the evidence in another order; ``economy`` hands over a digest and lets the model ask for what it needs.
    """

    model: str | None = None
    offline: bool = False
    votes: int = 1
    economy: bool = False

    def __post_init__(self) -> None:
        if self.offline and (self.model or self.votes > 1 or self.economy):
            raise UsageError("--offline asks no model, so --model, --votes and --economy say nothing beside it.")
        if not 1 <= self.votes <= MOST_VOTES:
            raise UsageError(f"--votes is {self.votes}: give a number from 1 to {MOST_VOTES}.")

    @property
    def wanted(self) -> bool:
        """Whether a model is asked for by name or manner, so that having none is worth a sentence."""
        return bool(self.model or self.votes > 1 or self.economy)
