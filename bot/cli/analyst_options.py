"""The options that say which analyst answers; they mean the same to a first question and to a follow-up."""

import functools
from collections.abc import Callable
from typing import Any

import click

from bot.domain.choice import MOST_VOTES, AnalystChoice

_OPTIONS = (
    click.option("--model", metavar="NAME", help="Let this model read the case; see `rootcause models`."),
    click.option("--offline", is_flag=True, help="Ask no model, even where one is configured; nothing is sent."),
    click.option(
        "--votes",
        type=click.IntRange(1, MOST_VOTES),
        default=1,
        show_default=True,
        help="Readings, each with the evidence in another order; says how far they agree.",
    ),
    click.option("--economy", is_flag=True, help="Hand the model a digest and let it look up what it needs: cheaper."),
)


def of_analyst(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options, and hand them over as one: its ``choice``."""

    @functools.wraps(command)
    def chosen(*given: Any, model: str | None, offline: bool, votes: int, economy: bool, **rest: Any) -> int:  # noqa: ANN401 - click's
        choice = AnalystChoice(model=model, offline=offline, votes=votes, economy=economy)
        return command(*given, choice=choice, **rest)

    wrapped: Callable[..., int] = chosen
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped
