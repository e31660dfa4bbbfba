"""How the configured model reads a case, where no option says otherwise: the bot has no command line."""

from dataclasses import dataclass

from bot.settings.environment import count, text


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingSettings:
    """How often and how much a model reads, and for how long it may."""

    votes: int = 1
    """``ROOTCAUSE_VOTES``: readings, each with the evidence in another order. One: each costs as much as the first."""

    economy: bool = False
    """``ROOTCAUSE_ECONOMY=1``: hand over a digest and let the model look up what it needs."""

    deadline_s: float = 600.0
    """``ROOTCAUSE_MODEL_DEADLINE``: seconds for all calls of one investigation; a full window takes a model 90, and the bot's
    own deadline is 900."""

    follow_up_deadline_s: float = 50.0
    """Seconds for all calls of one follow-up; the bot gives up on one after 60."""

    @classmethod
    def from_environment(cls) -> "ReadingSettings":
        """Read the settings from the process's environment."""
        return cls(
            votes=count("ROOTCAUSE_VOTES", 1),
            economy=(text("ROOTCAUSE_ECONOMY") or "").lower() in ("1", "true", "yes", "on"),
            deadline_s=float(count("ROOTCAUSE_MODEL_DEADLINE", 600)),
        )
