"""``rootcause pack``: what a model would be sent about a case, to be read before anything is."""

from pathlib import Path

import click

from bot.cli.application import application_of


@click.command()
@click.argument("case", metavar="CASE")
@click.option("--budget", type=click.IntRange(min=4_000), metavar="TOKENS", help="At most so many. Default: 800000.")
@click.option("--economy", is_flag=True, help="The digest alone, as the cheaper mode reads it first.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file instead.")
@click.pass_context
def pack(context: click.Context, case: str, budget: int | None, economy: bool, out: Path | None) -> int:
    """Print what a model would see of CASE: all that fits, secrets taken out. Nothing is sent anywhere."""
    from bot.cli import output  # noqa: PLC0415 - --help must not wait for rich

    packed = application_of(context).pack(case, budget=budget, economy=economy)
    output.emit(packed.text, out)
    click.echo(output.packed_note(packed), err=True)
    return 0


COMMANDS = (pack,)
