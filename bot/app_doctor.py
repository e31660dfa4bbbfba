"""What ``rootcause doctor`` looks at: every token, scope, source, permission and the clock, each with its fix.

It asks and never changes anything. A check that could not be made is said to be one, not passed over.
"""

import asyncio
import os
import shutil
import socket
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import aiohttp

from bot.app_models import examine_model
from bot.app_sources import of_all, of_cluster
from bot.domain.finding import Finding
from bot.domain.ports import LiveSource
from bot.domain.scope import Scope
from bot.domain.window import Window
from bot.errors import RootcauseError
from bot.investigation.desk_inbox import Inbox, desk_url
from bot.investigation.spread_store import SpreadStore
from bot.investigation.spread_version import mapping_version
from bot.native.kernel import kernel
from bot.settings import DeskSettings, LiveSettings, ServeSettings, SlackSettings, SpreadSettings
from bot.settings.spreading import MIB
from bot.slack.surface import needed_scopes

LEAST_FREE = 2 * 1024**3
"""Bytes on the disk of the cases: a large investigation's case takes some hundred megabytes."""
CLOCK_WARN_S = 30.0
CLOCK_WRONG_S = 240.0
"""Slack's signatures are valid for five minutes: https://docs.slack.dev/authentication/verifying-requests-from-slack"""
CALL_S = 10.0
LEAST_SECRET = 16
LIVE_S = 12.0
"""Seconds for all live sources together; each ends by itself before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What Slack answered: the body, the token's scopes, and its clock."""

    body: Mapping[str, Any]
    scopes: frozenset[str]
    at: datetime | None


async def examine(settings: ServeSettings) -> Sequence[Finding]:
    """Look at everything, in the order in which it is needed."""
    findings = [
        *_home(settings.base.home),
        _loops(),
        await _database(settings.base.home, settings.desk),
        *([await asyncio.to_thread(examine_workers, settings.spread)] if settings.spread else []),
        *_evidence(settings.evidence.export),
        _port(settings.web.host, settings.web.port),
    ]
    findings += _webhook(settings.live)
    findings += await asyncio.to_thread(_live, settings.live)
    findings += await asyncio.to_thread(examine_model, settings.models, settings.base.home)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALL_S)) as session:
        findings += await _slack(session, settings.slack)
    return findings


def _live(live: LiveSettings) -> list[Finding]:
    """Let every live source look at itself, all at once; one that hangs is said to, and left."""
    now = datetime.now(UTC)
    scope = Scope(window=Window(start=now - timedelta(hours=1), end=now, asked="1h"))
    found: list[Finding] = []
    looking: list[tuple[str, threading.Thread, list[Finding]]] = []
    for cluster in [*live.clusters, None]:
        sources = of_cluster(cluster, scope) if cluster else of_all(live, scope)
        for source in sources:
            told: list[Finding] = []
            thread = threading.Thread(target=_look, args=(source, told), daemon=True)
            thread.start()
            looking.append((f"{cluster.name}: " if cluster else "", thread, told))
    ends_at = time.monotonic() + LIVE_S
    for prefix, thread, told in looking:
        thread.join(max(0.0, ends_at - time.monotonic()))
        found += [replace(each, name=f"{prefix}{each.name}") for each in told]
        if thread.is_alive():
            what = f"it did not answer within {LIVE_S:g} s"
            found.append(_wrong(f"{prefix}{thread.name}", what, "look at its address and the network"))
    return found


def _webhook(live: LiveSettings) -> list[Finding]:
    if live.alertmanager is None:
        return []
    try:
        length = len(live.alertmanager.secret.read())
    except RootcauseError as error:
        return [_wrong("alert webhook", str(error), "set it to what Alertmanager sends as its bearer token")]
    if length < LEAST_SECRET:
        what, fix = f"its secret has {length} characters", "take a long random one: whoever knows it can start work"
        return [Finding(name="alert webhook", state="warning", what=what, fix=fix)]
    return [
        _ok("alert webhook", f"a firing alert asks in {live.alertmanager.channel}, back {live.alertmanager.window}")
    ]


def _look(source: LiveSource, told: list[Finding]) -> None:
    threading.current_thread().name = source.name
    told += source.examine()


def _home(home: Path) -> list[Finding]:
    there = next(place for place in (home, *home.parents) if place.exists())
    if not os.access(there, os.W_OK) or not there.is_dir():
        return [_wrong("cases", f"{home} cannot be written", "set ROOTCAUSE_HOME to a folder of this user")]
    free = shutil.disk_usage(there).free
    if free < LEAST_FREE:
        fix = "free some, or set ROOTCAUSE_HOME to another disk"
        return [Finding(name="cases", state="warning", what=f"{free / 1e9:.1f} GB are free at {home}", fix=fix)]
    return [_ok("cases", f"{home}, {free / 1e9:.0f} GB free")]


def _loops() -> Finding:
    if kernel() is not None:
        return _ok("log reading", "compiled")
    fix = (
        "install a C compiler (Debian, Ubuntu: apt install gcc), then install rootcause again (in a clone: make clean)"
    )
    what = "not compiled, because no C compiler was there at install: logs are read several times more slowly"
    return Finding(name="log reading", state="warning", what=what, fix=fix)


async def _database(home: Path, desk: DeskSettings) -> Finding:
    name = "PostgreSQL" if desk.database_url else "SQLite"
    if desk.database_url is None and not (home / "desk.sqlite").exists():
        return _ok("database", f"SQLite {sqlite3.sqlite_version}, not yet begun; one process at a time")
    try:
        inbox = Inbox(desk_url(home, desk), desk)
        try:
            await inbox.open()
            waiting, running = await inbox.counts()
        finally:
            await inbox.close()
    except RootcauseError as error:
        if "already" in str(error):
            return _ok("database", f"{name}, in use by the running bot")
        return _wrong("database", str(error), "")
    return _ok("database", f"{name}; {waiting} investigations wait, {running} were running")


def examine_workers(spread: SpreadSettings) -> Finding:
    """Look which workers there are, and whether they take part."""
    name, store = "workers", None
    try:
        store = SpreadStore(spread)
        living = store.workers()
    except RootcauseError as error:
        return _wrong(name, str(error), "")
    finally:
        if store is not None:
            store.close()
    ours = [worker for worker in living if worker.version == mapping_version()]
    machines = len({worker.host for worker in ours})
    hosts = f"{len(ours)} on {machines} machine{'' if machines == 1 else 's'}"
    size = f"beyond {spread.from_bytes // MIB} MiB of logs"
    if len(ours) < len(living):
        what = f"{hosts} take part, {len(living) - len(ours)} of another version do not"
        return Finding(name=name, state="warning", what=what, fix="run the same version of rootcause everywhere")
    if not living:
        return _ok(name, f"none: {size}, too, one process reads them (`rootcause worker` shares them)")
    return _ok(name, f"{hosts} take {sum(worker.places for worker in ours)} runs at once, {size}")


def _evidence(export: Path | None) -> list[Finding]:
    if export is None:
        what = "no ROOTCAUSE_EVIDENCE: investigations read the asking channel only"
        return [
            Finding(name="evidence", state="warning", what=what, fix="name a folder or archive of the cluster's data")
        ]
    if not export.exists():
        return [_wrong("evidence", f"{export} is not there", "correct ROOTCAUSE_EVIDENCE")]
    if not os.access(export, os.R_OK):
        return [_wrong("evidence", f"{export} cannot be read", "give this user the right to read it")]
    return [_ok("evidence", str(export))]


def _port(host: str, port: int) -> Finding:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            what = f"{host}:{port} cannot be listened on ({error.strerror})"
            return Finding(name="port", state="warning", what=what, fix="set PORT, unless it is the running bot itself")
    return _ok("port", f"{host}:{port} for /healthz, /readyz and /metrics")


async def _slack(session: aiohttp.ClientSession, slack: SlackSettings) -> list[Finding]:
    if slack.bot_token is None:
        return [
            _wrong("bot token", "SLACK_BOT_TOKEN is not set", "OAuth & Permissions > Bot User OAuth Token (xoxb-…)")
        ]
    told = await _call(session, slack, "auth.test", slack.bot_token)
    if isinstance(told, str):
        return [_wrong("Slack", told, "check the network, the proxy, or SLACK_API_URL")]
    findings = [_clock(told.at)]
    if not told.body.get("ok"):
        reason = told.body.get("error")
        findings.append(_wrong("bot token", f"Slack refuses it: {reason}", "install the app anew and copy its token"))
        return findings
    findings.append(
        _ok("bot token", f"{told.body.get('user')} in {told.body.get('team')} ({told.body.get('team_id')})")
    )
    findings.append(_scopes(told.scopes, slack))
    findings.append(await _way_in(session, slack))
    findings += [await _channel(session, slack, channel) for channel in slack.channels]
    return findings


def _clock(slacks: datetime | None) -> Finding:
    if slacks is None:
        return Finding(name="clock", state="warning", what="Slack told no time to compare with")
    off = (datetime.now(UTC) - slacks).total_seconds()
    if abs(off) < CLOCK_WARN_S:
        return _ok("clock", f"{abs(off):.0f} s from Slack's")
    what, fix = f"{off:+.0f} s from Slack's", "synchronise this machine's clock (NTP)"
    if abs(off) >= CLOCK_WRONG_S:
        return _wrong("clock", f"{what}: signed requests will be refused", fix)
    return Finding(name="clock", state="warning", what=what, fix=fix)


def _scopes(granted: frozenset[str], slack: SlackSettings) -> Finding:
    needed = needed_scopes() - (set() if slack.groups else {"usergroups:read"})
    missing = sorted(needed - granted)
    if not granted:
        return Finding(name="scopes", state="warning", what="Slack did not tell which scopes the token has")
    if missing:
        what = f"missing: {', '.join(missing)}"
        return _wrong("scopes", what, "update the app from manifests/slack.yaml and install it anew")
    return _ok("scopes", f"all {len(needed)} granted")


async def _way_in(session: aiohttp.ClientSession, slack: SlackSettings) -> Finding:
    if slack.app_token is None:
        return _signing_secret(slack.signing_secret)
    told = await _call(session, slack, "apps.connections.open", slack.app_token)
    if isinstance(told, str):
        return _wrong("app token", told, "check the network")
    if not told.body.get("ok"):
        fix = "Basic Information > App-Level Tokens, with connections:write; and switch Socket Mode on"
        return _wrong("app token", f"Slack refuses it: {told.body.get('error')}", fix)
    return _ok("app token", "Socket Mode can connect")


def _signing_secret(secret: str | None) -> Finding:
    fix = "Basic Information > Signing Secret; or set SLACK_APP_TOKEN for Socket Mode"
    if secret is None:
        return _wrong("way in", "neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET is set", fix)
    if len(secret) < 32:
        return _wrong("signing secret", f"it has {len(secret)} characters, Slack's have 32", fix)
    return _ok("signing secret", "set; whether it is the app's own, Slack's first request will tell")


async def _channel(session: aiohttp.ClientSession, slack: SlackSettings, channel: str) -> Finding:
    name = f"channel {channel}"
    told = await _call(session, slack, "conversations.info", slack.bot_token or "", channel=channel)
    if isinstance(told, str):
        return _wrong(name, told, "check the network")
    if not told.body.get("ok"):
        return _wrong(name, f"Slack says {told.body.get('error')}", "correct ROOTCAUSE_CHANNELS, or invite the bot")
    about = told.body.get("channel") or {}
    if about.get("is_archived"):
        return _wrong(name, f"#{about.get('name')} is archived", "take it out of ROOTCAUSE_CHANNELS")
    if not about.get("is_member"):
        return _wrong(name, f"the bot is not in #{about.get('name')}", f"/invite it in #{about.get('name')}")
    if (about.get("is_ext_shared") or about.get("is_pending_ext_shared")) and not slack.shared_channels:
        what = f"#{about.get('name')} is shared with another organisation, so questions there are refused"
        return Finding(name=name, state="warning", what=what, fix="ROOTCAUSE_SHARED_CHANNELS=1 allows it")
    return _ok(name, f"#{about.get('name')}")


async def _call(
    session: aiohttp.ClientSession, slack: SlackSettings, method: str, token: str, **arguments: str
) -> _Told | str:
    """Call Slack; gives a sentence where it could not be asked."""
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with session.post(slack.api_url + method, data=arguments, headers=headers) as answer:
            body = await answer.json(content_type=None)
            told = answer.headers.get("x-oauth-scopes", "")
            at = _date(answer.headers.get("Date"))
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return f"{slack.api_url} cannot be asked ({type(error).__name__})"
    if not isinstance(body, dict):
        return f"{slack.api_url} does not answer as Slack does"
    return _Told(body=body, scopes=frozenset(part.strip() for part in told.split(",") if part.strip()), at=at)


def _date(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text) if text else None
    except ValueError:
        return None


def _ok(name: str, what: str) -> Finding:
    return Finding(name=name, state="ok", what=what)


def _wrong(name: str, what: str, fix: str) -> Finding:
    return Finding(name=name, state="wrong", what=what, fix=fix)


def doctor(settings: ServeSettings) -> Sequence[Finding]:
    """Look at everything from a process without an event loop."""
    return asyncio.run(examine(settings))
