"""What a live source is asked to read: a span of time, and what the question is about."""

from dataclasses import dataclass

from bot.domain.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The window, the namespaces that were named (none: as configured), and the question's words for whoever looks in them."""

    window: Window
    namespaces: tuple[str, ...] = ()
    question: str = ""
    pods: str = ""
    """Only of pods whose whole name this regular expression matches (RE2 and Lucene alike); made of names, never typed."""
