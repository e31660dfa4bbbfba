"""The only reader of the environment, so that everything else is told where it lives and can be tested anywhere.

What a command line option decides is not here. One class a part; each attribute has its unit, its default and why.
"""

from bot.settings.base import Settings
from bot.settings.serving import (
    DeskSettings,
    EvidenceSettings,
    LinkSettings,
    ServeSettings,
    SlackSettings,
    WebSettings,
)

__all__ = [
    "DeskSettings",
    "EvidenceSettings",
    "LinkSettings",
    "ServeSettings",
    "Settings",
    "SlackSettings",
    "WebSettings",
]
