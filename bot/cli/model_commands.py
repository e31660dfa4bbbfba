"""The command that tells what is known of language models: ``models``."""

import json
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.app_models import KnownModel, Models


@click.command("models")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def models(form: str) -> int:
    """Tell what is known of each language model, which one is asked, and what it may cost; asks nobody.

    A model is asked where ANTHROPIC_API_KEY or ROOTCAUSE_MODEL_URL is set; ROOTCAUSE_MODEL chooses it.
    """
    from bot.app_models import models as known  # noqa: PLC0415 - --help must not wait for it
    from bot.settings import ModelSettings, Settings  # noqa: PLC0415 - see above

    told = known(ModelSettings.from_environment(), Settings.from_environment().home)
    if form == "json":
        click.echo(json.dumps(asdict(told), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join([*_table(told), "", *_configured(told)]))
    return 0


def _table(told: "Models") -> list[str]:
    width = max(len(each.facts.name) for each in told.known)
    lines = [f"  {'':<{width}}  context  output  $ a million tokens       a full context"]
    lines += [f"  {'model':<{width}}   tokens  tokens  in / cached / out        first / again"]
    for features, rows in groupby(told.known, key=lambda each: each.features):
        for each in rows:
            lines.append(f"{'▸' if each.configured else ' '} {each.facts.name:<{width}}  {_numbers(each)}".rstrip())
            lines.append(f"    {each.note}")
        lines.append(f"    ── {', '.join(features) or 'the portable subset alone'}")
    return lines


def _numbers(each: "KnownModel") -> str:
    facts, price = each.facts, each.facts.price
    sizes = f"{_short(facts.context_tokens):>7}  {_short(facts.max_output_tokens):>6}"
    if price is None:
        return f"{sizes}  not known"
    prices = f"{price.tokens_in:.2f} / {price.cached:.2f} / {price.tokens_out:.2f}"
    return f"{sizes}  {prices:<23}  ${each.first_usd or 0:.2f} / ${each.again_usd or 0:.2f}"


def _short(tokens: int) -> str:
    return f"{tokens / 1e6:g}M" if tokens >= 1_000_000 else f"{tokens // 1000}k"


def _configured(told: "Models") -> list[str]:
    if told.problem:
        return [f"Asked would be {told.name}, but: {told.problem}"]
    if not told.asked:
        return [
            "No model is asked: the offline analyst answers, and nothing leaves this machine.",
            "Set ANTHROPIC_API_KEY, or ROOTCAUSE_MODEL_URL to a server of your own; ROOTCAUSE_MODEL names the model.",
        ]
    case, channel, day = told.budgets
    effort = f", effort {told.effort}" if told.effort else ""
    return [
        f"Asked: {told.name} at {told.host}{effort}. ROOTCAUSE_MODEL=off asks none.",
        f"Budget: ${case.limit_usd:.2f} an investigation, ${channel.limit_usd:.2f} a channel and day.",
        f"Today:  ${day.cost_usd:.2f} of ${day.limit_usd:.2f} used.",
    ]


COMMANDS = (models,)
