"""The commands of what runs for long: ``serve``, ``demo``, ``doctor``, ``record`` and ``worker``."""

import json
from collections.abc import Coroutine
from dataclasses import asdict
from typing import Any

import click

_MARKS = {"ok": "✓", "warning": "!", "wrong": "✗"}


def _until_done(running: Coroutine[Any, Any, int]) -> int:
    import asyncio  # noqa: PLC0415 - every command is known at the start, and none that answers at once needs it

    return asyncio.run(running)


@click.command()
def serve() -> int:
    """Run the Slack bot until it is told to stop.

    SLACK_BOT_TOKEN and, for Socket Mode, SLACK_APP_TOKEN; without the latter HTTP on PORT with SLACK_SIGNING_SECRET.
    `rootcause doctor` says what is missing.
    """
    from bot.app_serve import serve as run  # noqa: PLC0415 - --help must not wait for Slack's libraries
    from bot.settings import ServeSettings  # noqa: PLC0415 - see above
    from bot.web.logs import log_as_json  # noqa: PLC0415 - see above

    log_as_json()
    return _until_done(run(ServeSettings.from_environment()))


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="Where the page is; default 8765, or any that is free.")
@click.option("--no-browser", is_flag=True, help="Print the address, open nothing.")
def demo(port: int | None, no_browser: bool) -> int:
    """Try the bot in the browser: the same app in a workspace on this machine, with an incident to ask about."""
    from bot.app_serve import demo as run  # noqa: PLC0415 - --help must not wait for Slack's libraries

    return _until_done(run(port, open_browser=not no_browser, say=click.echo))


@click.command(
    epilog="""\b
Exit codes:
  0  the bot can serve; warnings may stand
  1  something is wrong, with its fix beside it
"""
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def doctor(form: str) -> int:
    """Look at every token, scope, source, permission and the clock: what is wrong, and the fix."""
    from bot.app_doctor import doctor as examine  # noqa: PLC0415 - --help must not wait for Slack's libraries
    from bot.settings import ServeSettings  # noqa: PLC0415 - see above

    findings = examine(ServeSettings.from_environment())
    if form == "json":
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            click.echo(f"{_MARKS[finding.state]} {finding.name:<{width}}  {finding.what}")
            if finding.fix:
                click.echo(f"  {'':<{width}}  → {finding.fix}")
    return 1 if any(finding.state == "wrong" for finding in findings) else 0


@click.command()
def record() -> int:
    """Record a cluster until told to stop: events, changes, and logs that would be lost, for investigations days later.

    Writes ROOTCAUSE_ARCHIVE, at most ROOTCAUSE_RECORD_MIB and ROOTCAUSE_RECORD_DAYS of it. ROOTCAUSE_FOLLOW names namespaces
    whose logs are kept whole. In a pod it takes the service account, elsewhere ROOTCAUSE_KUBECONFIG and ROOTCAUSE_CONTEXT.
    """
    from bot.app_record import record as run  # noqa: PLC0415 - --help must not wait for the client of a cluster
    from bot.settings import RecordSettings, WebSettings  # noqa: PLC0415 - see above
    from bot.web.logs import log_as_json  # noqa: PLC0415 - see above

    log_as_json()
    return _until_done(run(RecordSettings.from_environment(), WebSettings.from_environment()))


@click.command()
@click.option("--until-eof", is_flag=True, hidden=True, help="End when standard input does.")
def worker(until_eof: bool) -> int:
    """Map the logs of large investigations until told to stop; run as many as you like, on any machine.

    Workers are met in ROOTCAUSE_DATABASE_URL (PostgreSQL), without it in ROOTCAUSE_HOME on this machine. An investigation gives
    them work once it has read ROOTCAUSE_SPREAD_MIB of logs; what no worker does it does itself, and the result is the same.
    SIGTERM: takes no more, and ends what is under way. PORT: where /healthz, /readyz and /metrics are, if anywhere.
    """
    from bot.app_worker import work as run  # noqa: PLC0415 - --help must not wait for DBOS
    from bot.settings import WorkerSettings  # noqa: PLC0415 - see above
    from bot.web.logs import log_as_json  # noqa: PLC0415 - see above

    log_as_json()
    return _until_done(run(WorkerSettings.from_environment(), until_eof=until_eof))


COMMANDS = (serve, demo, doctor, record, worker)
