"""The composition root of the model's part: which model is asked, what it costs, and what passes on the way to it.

None where nothing is configured: then nothing is imported, nothing leaves, and the offline analyst answers. Kept apart
from ``app``, for it is loaded in every investigation's process.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot.domain.choice import AnalystChoice
from bot.errors import UsageError
from bot.settings import ModelSettings, ReadingSettings, RedactionSettings, live_settings

if TYPE_CHECKING:  # who asks no model does not wait for its modules
    from bot.analyst.model_tools import LiveQuery
    from bot.casefile.case import Case
    from bot.investigation.model_analyst import ModelAnalyst, Session

NO_MODEL = (
    "No model is configured, so --model, --votes and --economy have none to ask: set ANTHROPIC_API_KEY, or "
    "ROOTCAUSE_MODEL_URL for a server of your own; `rootcause models` shows what is known of each."
)


def analyst_for(choice: AnalystChoice, home: Path, channel: str = "") -> "ModelAnalyst | None":
    """Give the analyst that settings and options ask for, None for the offline one.

    Raises UsageError where a model is asked for by an option and none is configured.
    """
    if choice.offline:
        return None
    settings = ModelSettings.from_environment()
    if choice.model:
        settings = replace(settings, model=choice.model)
    if not settings.asked:
        if choice.wanted:
            raise UsageError(NO_MODEL)
        return None
    return _analyst(settings, choice, home, channel)


def _analyst(settings: ModelSettings, choice: AnalystChoice, home: Path, channel: str) -> "ModelAnalyst":
    from bot.investigation.model_analyst import ModelAnalyst  # noqa: PLC0415 - only where a model is asked
    from bot.models.messages import MessagesModel  # noqa: PLC0415 - see above

    reading = ReadingSettings.from_environment()
    session = _Sessions(settings=settings, redaction=RedactionSettings.from_environment(), home=home, channel=channel)
    return ModelAnalyst(
        facts=MessagesModel(settings).facts,
        session=session,
        votes=choice.votes if choice.votes > 1 else reading.votes,
        economy=choice.economy or reading.economy,
        deadline_s=reading.deadline_s,
        follow_up_deadline_s=reading.follow_up_deadline_s,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sessions:
    """Makes what one case needs: a model that is paid from the case's budget, and the case's gate."""

    settings: ModelSettings
    redaction: RedactionSettings
    home: Path
    channel: str

    def __call__(self, case: "Case") -> "Session":
        from bot.investigation.budget import Ledger, Payer  # noqa: PLC0415 - only where a model is asked
        from bot.investigation.budget_model import Metered  # noqa: PLC0415 - see above
        from bot.investigation.egress import gate_of  # noqa: PLC0415 - see above
        from bot.investigation.model_analyst import Session  # noqa: PLC0415 - see above
        from bot.investigation.model_egress import CaseEgress  # noqa: PLC0415 - see above
        from bot.models.messages import MessagesModel  # noqa: PLC0415 - see above

        payer = Payer(case=case.id, channel=self.channel)
        model = Metered(MessagesModel(self.settings), Ledger(self.home, self.settings.budget), payer)
        egress = CaseEgress(case, gate_of(case, self.redaction))
        return Session(model=model, egress=egress, live=self._live(case))

    def _live(self, case: "Case") -> "tuple[LiveQuery, ...]":
        live = live_settings(self.home)
        if not live.names_a_source:
            return ()
        from bot.app_live import live_queries  # noqa: PLC0415 - only where something live is configured

        return live_queries(live, case)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelAnalysts:
    """Makes the analyst of one ask in Slack, in the process that answers it; what is set up is the bot's surroundings'."""

    home: Path

    def __call__(self, channel: str) -> "ModelAnalyst | None":
        """Make it; ``channel`` pays."""
        return analyst_for(AnalystChoice(), self.home, channel)
