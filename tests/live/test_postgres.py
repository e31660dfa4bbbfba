"""The durable desk on a real PostgreSQL: asks, kills and follow-ups as on SQLite, and one process at a time."""

import asyncio

import pytest
from durable_stage import nursery, until, world
from slack_stage import INCIDENTS


def play(tmp_path, prepared, url, scenario):
    """Run a scenario whose bots keep their work in a database."""

    async def run():
        async with (
            nursery(tmp_path / "bots.log") as bots,
            world(bots, tmp_path / "home", prepared, database_url=url) as opened,
        ):
            return await scenario(opened)

    return asyncio.run(run())


async def answered(opened, ts):
    """Wait until an ask bears the mark of work that ended well."""

    async def done():
        return opened.done(ts)

    await until(done)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("kind", "number"), [("commit", 9), ("call", 4)])
def test_a_killed_bot_is_revived_and_answers_once(tmp_path, prepared, databases, kind, number):
    """Killed in the middle, it goes on from the database; later it answers a follow-up from the case."""

    async def scenario(opened):
        bot = await opened.born(kind, number)
        await opened.listening(bot)
        ts = opened.ask()

        async def over():
            return await bot.ended() or opened.done(ts)

        await until(over)
        await bot.stop(9)
        bot = await opened.born()
        await answered(opened, ts)
        asked = opened.ask("how sure are you?", thread_ts=ts)

        async def told():
            return any(each["name"] == "white_check_mark" for each in reactions(opened, ts, asked))

        await until(told)
        await bot.stop()
        return len(opened.answers()), [key for key, count in opened.posted().items() if count > 1], bot.code

    assert (1, [], 0) == play(tmp_path, prepared, databases(f"killed_{kind}"), scenario)


def reactions(opened, thread, ts):
    """Give the reactions to a message of a thread."""
    return next(
        (each.get("reactions", ()) for each in opened.server.messages(INCIDENTS, thread) if each["ts"] == ts), ()
    )


@pytest.mark.timeout(240)
def test_the_next_process_waits_for_the_hand_over(tmp_path, prepared, databases):
    """A second bot on the same database begins when the first has ended, and takes over what that one was doing."""

    async def scenario(opened):
        first = await opened.born()
        await opened.listening(first)
        slow = opened.ask("5d why slowly?")

        async def begun():
            return any("plan" in key for key in opened.posted())

        await until(begun)
        second = await opened.born()
        assert not await second.ended()
        assert not opened.done(slow)
        await first.stop()
        await opened.listening(second)
        quick = opened.ask()
        await answered(opened, quick)
        await second.stop()
        return first.code, second.code

    assert (0, 0) == play(tmp_path, prepared, databases("handed_over"), scenario)
