"""A nursery of bots that may be killed at any persisted step; run by the crash tests, never by hand.

It loads the program once and forks a bot for each line ``{"start": …}`` on its standard input; ``{"poll": pid}`` tells the
status of one (null while it lives). Where a bot dies: at the n-th ``commit`` of either database, at the n-th ``call``
that says something to Slack, or the n-th ``ticket`` written to, ``before`` or ``after`` it. Nothing of the product knows of this: the hooks sit in SQLAlchemy
and aiohttp.
"""

import asyncio
import faulthandler
import json
import os
import signal
import sys
import threading
from pathlib import Path

import aiohttp
import requests
import sqlalchemy as sa

from bot.app_serve import serve
from bot.investigation.workflow_process import ProcessEngine, _FollowUp
from bot.settings import (
    DeskSettings,
    EvidenceSettings,
    JiraSettings,
    Secret,
    ServeSettings,
    Settings,
    SlackSettings,
    WebSettings,
)

SPOKEN = ("/api/chat.", "/api/reactions.", "/api/files.", "/upload/")


class Killer:
    """Counts persisted steps and ends the process at one of them, as ``kill -9`` does."""

    def __init__(self, told):
        self.point = (told["kind"], told["number"], told["moment"])
        self.seen = {"commit": 0, "call": 0, "ticket": 0}
        self.ledger = Path(told["ledger"])
        self.noting = threading.Lock()

    def at(self, kind, moment):
        """Note a moment, and die if it is the one."""
        if moment == "before":
            with self.noting:
                self.seen[kind] += 1
                whole = self.ledger.with_suffix(".next")
                whole.write_text(json.dumps(self.seen))
                whole.replace(self.ledger)
        if (kind, self.seen[kind], moment) == self.point:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch_commits(self):
        """Count the commits of every engine."""
        original = sa.engine.Connection._commit_impl

        def commit(connection):
            self.at("commit", "before")
            original(connection)
            self.at("commit", "after")

        sa.engine.Connection._commit_impl = commit

    def watch_calls(self):
        """Count what is said to Slack."""
        original = aiohttp.ClientSession._request

        async def request(session, method, url, **arguments):
            spoken = any(part in str(url) for part in SPOKEN)
            if spoken:
                self.at("call", "before")
            answer = await original(session, method, url, **arguments)
            if spoken:
                await answer.read()
                self.at("call", "after")
            return answer

        aiohttp.ClientSession._request = request

    def watch_tickets(self):
        """Count what is written to Jira."""
        original = requests.Session.send

        def send(session, request, **arguments):
            if request.method != "POST":
                return original(session, request, **arguments)
            self.at("ticket", "before")
            answer = original(session, request, **arguments)
            self.at("ticket", "after")
            return answer

        requests.Session.send = send


class KnownCase:
    """Finds the case that was made beforehand: what is tested here is the way, not the engine."""

    def __init__(self, home, sources):
        self._home = home
        self._real = ProcessEngine(home, sources)

    async def warm(self):
        """Do nothing."""

    async def investigate(self, ask, tell):
        """Give the case, unless the ask wants to be waited for."""
        await asyncio.sleep(3600 if "slowly" in ask.question else 0.02)
        return (await asyncio.to_thread(self._home.list))[0].id

    async def follow_up(self, case, ask):
        """Answer in this process."""
        return await asyncio.to_thread(_FollowUp(self._home, case, ask, None), lambda _: None)

    async def report(self, case):
        """Give the report."""
        return await self._real.report(case)

    async def note_outcome(self, case, number, status):
        """Write it down."""
        await self._real.note_outcome(case, number, status)


def bot(told):
    """Serve until told to stop, or until death."""
    killer = Killer(told)
    killer.watch_commits()
    killer.watch_calls()
    killer.watch_tickets()
    settings = ServeSettings(
        base=Settings(home=Path(told["home"])),
        desk=DeskSettings(
            database_url=told["database_url"], grace_s=5.0, queue=2000, per_user_hour=10_000, per_channel_hour=10_000
        ),
        slack=SlackSettings(
            bot_token=told["bot_token"],
            app_token=told["app_token"],
            signing_secret=told["signing_secret"],
            api_url=told["api_url"],
        ),
        evidence=EvidenceSettings(),
        web=WebSettings(port=told["port"]),
    )
    jira = None
    if told["jira"]:
        secret = Secret(file=Path(told["jira"]["token"]))
        jira = JiraSettings(
            url=told["jira"]["url"], deployment="datacenter", token=secret, projects=("OPS",), post=True
        )
    return asyncio.run(serve(settings, health=told["app_token"] is None, engine_for=KnownCase, jira=jira))


def main():
    """Do what each line says; at SIGUSR1 all say on standard error where they stand."""
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    for line in sys.stdin:
        asked = json.loads(line)
        if "start" in asked:
            pid = os.fork()
            if pid == 0:
                os.close(0)
                os.dup2(2, 1)  # only the nursery answers on standard output
                os._exit(bot(asked["start"]))  # neither the nursery's buffers nor its loop are this bot's
            sys.stdout.write(json.dumps(pid) + "\n")
        else:
            pid, status = os.waitpid(asked["poll"], os.WNOHANG)
            sys.stdout.write(json.dumps(os.waitstatus_to_exitcode(status) if pid else None) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
