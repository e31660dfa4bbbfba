"""Runs killed and revived bots against one workspace that outlives them, and counts what people saw."""

import asyncio
import collections
import json
import os
import shutil
import signal
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from slack_stage import ADA, INCIDENTS, MANIFEST

from bot.playground.seed import small_workspace
from bot.playground.server import PlaygroundServer
from bot.playground.workspace import AppProfile

WORKER = Path(__file__).with_name("durable_worker.py")
PATIENCE_S = 40.0


class Nursery:
    """The process that bots are forked from."""

    def __init__(self, process):
        self._process = process
        self._asking = asyncio.Lock()

    async def ask(self, told):
        """Say a line and read one."""
        async with self._asking, asyncio.timeout(PATIENCE_S):
            self._process.stdin.write(json.dumps(told).encode() + b"\n")
            await self._process.stdin.drain()
            return json.loads(await self._process.stdout.readline())


@asynccontextmanager
async def nursery(log):
    """Open a nursery; bots write to the log file."""
    with Path(log).open("ab") as errors:  # noqa: ASYNC230 - opened once, before anything runs
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(WORKER), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=errors,
            start_new_session=True,
        )  # fmt: skip
        try:
            yield Nursery(process)
        except BaseException:
            await _tell_where_all_stand(process.pid, Path(log))
            raise
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # a test that failed may have left a bot, which holds the pipes
            process.stdin.close()
            await process.wait()


async def _tell_where_all_stand(group, log):
    """Print what bots and nursery were doing when a test gave up on them."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGUSR1)
    await asyncio.sleep(1.0)  # faulthandler tells nobody when it is done
    sys.stdout.write(log.read_text(errors="replace")[-20_000:])


class Bot:
    """One bot's life."""

    def __init__(self, nursery, pid):
        self._nursery = nursery
        self.pid = pid
        self.code = None

    async def ended(self):
        """Tell whether it is dead."""
        if self.code is None:
            self.code = await self._nursery.ask({"poll": self.pid})
        return self.code is not None

    async def stop(self, number=signal.SIGTERM):
        """End it and wait for its end."""
        if not await self.ended():
            os.kill(self.pid, number)
            await until(self.ended)


async def until(predicate, patience_s=PATIENCE_S):
    """Wait for something to become true."""
    async with asyncio.timeout(patience_s):
        while not (found := await predicate()):  # noqa: ASYNC110 - another process sets no event here
            await asyncio.sleep(0.02)
    return found


class World:
    """A workspace, a home, and whichever bot lives."""

    def __init__(self, server, nursery, home, database_url=None):
        self.server = server
        self.home = Path(home)
        self._database_url = database_url
        self._nursery = nursery
        self.ledger = self.home / "seen.json"
        self.jira = None

    async def born(self, kind="", number=0, moment="before", port=None):
        """Start a bot that dies at a point, or lives; with a port it listens to HTTP instead of a socket."""
        told = {
            "kind": kind,
            "number": number,
            "moment": moment,
            "ledger": str(self.ledger),
            "home": str(self.home),
            "database_url": self._database_url,
            "bot_token": self.server.bot_token,
            "app_token": None if port else self.server.app_token,
            "signing_secret": self.server.signing_secret,
            "port": port,
            "api_url": self.server.base_url,
            "jira": self.jira,
        }
        self.server.sockets.connected.clear()
        return Bot(self._nursery, await self._nursery.ask({"start": told}))

    async def listening(self, bot):
        """Wait until the bot listens, or is dead."""

        async def either():
            return self.server.sockets.connected.is_set() or await bot.ended()

        await until(either)

    def posted(self):
        """Count what the bot posted, by its key."""
        told = [(each.get("metadata") or {}).get("event_payload") or {} for each in self.server.messages(INCIDENTS)]
        return collections.Counter(each["key"] for each in told if "key" in each)

    def answers(self, kind="answer"):
        """List the answers in the channel."""
        messages = self.server.messages(INCIDENTS)
        return [m for m in messages if ((m.get("metadata") or {}).get("event_payload") or {}).get("kind") == kind]

    def done(self, ts):
        """Tell whether the asking message bears the mark of work that ended well."""
        message = next(each for each in self.server.messages(INCIDENTS) if each["ts"] == ts)
        return any(each["name"] == "white_check_mark" for each in message.get("reactions", ()))

    def ask(self, text="5d", thread_ts=None, user=ADA):
        """Ask as somebody; gives the message's ts."""
        mention = f"<@{self.server.workspace.app.bot_user}> {text}"
        return self.server.post_as(user, INCIDENTS, mention, thread_ts)["ts"]


@asynccontextmanager
async def world(nursery, home, prepared=None, *, database_url=None):
    """Open a workspace and a home, copied from a prepared one; work is kept in the home, or in a database."""
    if prepared is not None:
        shutil.copytree(prepared, home)
    workspace = small_workspace(app=AppProfile.from_manifest(MANIFEST))
    retries = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
    async with PlaygroundServer(workspace, rate_limits=False, ack_s=2.0, retry_delays_s=retries) as server:
        yield World(server, nursery, home, database_url)
