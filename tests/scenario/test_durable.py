"""Durable work end to end: conversations go on after a restart, running work is handed over, versions do not strand it."""

import asyncio
import sqlite3
from contextlib import closing

import pytest
from durable_stage import nursery, until, world
from slack_stage import INCIDENTS


def play(tmp_path, prepared, scenario):
    """Run a scenario in a world of its own."""

    async def run():
        async with nursery(tmp_path / "bots.log") as bots, world(bots, tmp_path / "home", prepared) as opened:
            return await scenario(opened)

    return asyncio.run(run())


async def alive(opened):
    """Start a bot that listens."""
    bot = await opened.born()
    await opened.listening(bot)
    return bot


async def answered(opened, ts):
    """Wait until an ask bears the mark of work that ended well."""

    async def done():
        return opened.done(ts)

    await until(done)


@pytest.mark.timeout(150)
def test_a_follow_up_is_answered_from_the_case_after_a_restart(tmp_path, prepared):
    """The thread remembers, whichever process answers."""

    async def scenario(opened):
        bot = await alive(opened)
        ts = opened.ask()
        await answered(opened, ts)
        await bot.stop()
        bot = await alive(opened)
        opened.ask("how sure are you?", thread_ts=ts)

        async def replied():
            return opened.answers("follow_up")

        replies = await until(replied)
        await bot.stop()
        return len(opened.answers()), len(replies), bot.code

    assert (1, 1, 0) == play(tmp_path, prepared, scenario)


@pytest.mark.timeout(150)
def test_running_work_is_handed_over_at_shutdown_and_can_be_cancelled_by_the_next(tmp_path, prepared):
    """SIGTERM leaves no trace in the thread; the next process goes on, and hears "cancel"."""

    async def scenario(opened):
        bot = await alive(opened)
        ts = opened.ask("5d why does it answer slowly?")

        async def planned():
            return opened.answers("plan")

        await until(planned)
        await bot.stop()
        code = bot.code
        bot = await alive(opened)
        opened.ask("cancel", thread_ts=ts)

        async def stopped():
            return [each for each in opened.server.messages(INCIDENTS, ts) if "Stopped" in each.get("text", "")]

        await until(stopped)
        await bot.stop()
        return code, len(opened.answers("plan")), len(opened.answers())

    assert (0, 1, 0) == play(tmp_path, prepared, scenario)


@pytest.mark.timeout(150)
def test_work_of_another_version_is_begun_anew(tmp_path, prepared):
    """A workflow recorded by steps that exist no more is not waited for."""

    async def scenario(opened):
        bot = await alive(opened)
        ts = opened.ask("5d why does it answer slowly?")

        async def planned():
            return opened.answers("plan")

        await until(planned)
        await bot.stop(9)
        with closing(sqlite3.connect(opened.home / "steps.sqlite")) as steps:
            steps.execute("UPDATE workflow_status SET application_version = '0' WHERE status = 'PENDING'")
            steps.commit()
        with closing(sqlite3.connect(opened.home / "desk.sqlite")) as desk:
            desk.execute("UPDATE rootcause_asks SET body = replace(body, 'slowly', 'late')")
            desk.commit()
        bot = await alive(opened)
        await answered(opened, ts)
        await bot.stop()
        return len(opened.answers()), [key for key, count in opened.posted().items() if count > 1]

    assert (1, []) == play(tmp_path, prepared, scenario)
