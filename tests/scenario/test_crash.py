"""``kill -9`` at every persisted step: nothing asked is lost, nothing is answered twice."""

import asyncio
import json
import sys

import pytest
from durable_stage import nursery, until, world

QUICK = 4
FULL = 30
TIMES = 5


def points(seen, wanted):
    """Spread kills over everything persisted or said in a whole run, before and after each."""
    every = [(kind, n, moment) for kind in seen for n in range(1, seen[kind] + 1) for moment in ("before", "after")]
    step = max(1, len(every) // wanted)
    return every[step // 2 :: step][:wanted]


async def whole_run(bots, home, prepared):
    """Count what is persisted and said when nothing goes wrong."""
    async with world(bots, home, prepared) as calm:
        bot = await calm.born()
        await calm.listening(bot)
        ts = calm.ask()
        await until(lambda: _true(calm.done(ts)))
        seen = json.loads(calm.ledger.read_text())
        await bot.stop()
        assert bot.code == 0
        return seen


async def _true(value):
    return value


async def killed_at(bots, home, prepared, point):
    """Kill a bot at a point, revive it, and give what people saw: answers, posts said twice."""
    async with world(bots, home, prepared) as broken:
        bot = await broken.born(*point)
        await broken.listening(bot)
        ts = broken.ask()

        async def over():
            return await bot.ended() or broken.done(ts)

        await until(over)
        await bot.stop(9)
        bot = await broken.born()
        try:
            await until(lambda: _true(broken.done(ts)))
        except TimeoutError:
            return {"lost": 1, "twice": {}}
        finally:
            await bot.stop()
        twice = {key: count for key, count in broken.posted().items() if count > 1}
        return {"lost": int(len(broken.answers()) == 0), "twice": twice}


async def campaign(tmp_path, prepared, wanted, times):
    """Kill at each point, so many times, and print what came of it."""
    outcomes = []
    async with nursery(tmp_path / "bots.log") as bots:
        seen = await whole_run(bots, tmp_path / "calm", prepared)
        for number, point in enumerate(points(seen, wanted) * times):
            outcomes.append((point, await killed_at(bots, tmp_path / f"home-{number}", prepared, point)))
    lost = [point for point, outcome in outcomes if outcome["lost"]]
    twice = [(point, outcome["twice"]) for point, outcome in outcomes if outcome["twice"]]
    sys.stdout.write(
        f"\n{len(outcomes)} kills over {seen} persisted steps: {len(lost)} lost, {len(twice)} said twice\n"
    )
    return lost, twice


@pytest.mark.timeout(240)
def test_a_bot_killed_at_a_persisted_step_answers_once_after_it_is_revived(tmp_path, prepared):
    """Four points spread over a whole run, once each; the full suite kills at thirty, five times each."""
    assert ([], []) == asyncio.run(campaign(tmp_path, prepared, QUICK, 1))


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_a_bot_killed_at_each_of_thirty_points_five_times_answers_once(tmp_path, prepared):
    """Thirty points spread over a whole run, five times each."""
    assert ([], []) == asyncio.run(campaign(tmp_path, prepared, FULL, TIMES))
