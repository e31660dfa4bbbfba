"""Slack's faults against the whole bot: nothing asked is lost, nothing is said twice, nothing hangs; as a table."""

import asyncio
import sys
import time

import pytest
from durable_stage import nursery, until, world

from bot.playground.faults import CallFault, SocketFault

FAULTS = {
    "429 with Retry-After": CallFault(kind="ratelimited", method="chat.postMessage", count=2, retry_after_s=1),
    "503, not done": CallFault(kind="server_error", method="chat.postMessage", count=2),
    "500 though it was done": CallFault(kind="error_after", method="chat.postMessage", count=2),
    "reset before": CallFault(kind="reset_before", method="chat.postMessage", count=2),
    "reset after it was accepted": CallFault(kind="reset_after", method="chat.postMessage", count=2),
    "slow-loris": CallFault(kind="slow", method="chat.postMessage", count=1, seconds=20.0),
    "truncated JSON": CallFault(kind="truncated", method="chat.postMessage", count=2),
    "a page instead of JSON": CallFault(kind="html", method="chat.postMessage", count=2),
    "no answer for 20 s": CallFault(kind="hang", method="chat.postMessage", count=1, seconds=20.0),
    "socket dropped mid-envelope": SocketFault(kind="drop_mid_envelope"),
    "socket dropped before it": SocketFault(kind="drop_before"),
    "disconnect refresh": SocketFault(kind="disconnect"),
    "an envelope lost in silence": SocketFault(kind="silent"),
}
QUICK = ("429 with Retry-After", "500 though it was done", "reset after it was accepted", "socket dropped mid-envelope")
LIMIT_S = 90.0


async def met(bots, home, prepared, fault):
    """Ask once while a fault is due; gives answers, posts said twice, and seconds."""
    async with world(bots, home, prepared) as troubled:
        bot = await troubled.born()
        await troubled.listening(bot)
        troubled.server.faults.plan(fault)
        began = time.monotonic()
        ts = troubled.ask()

        async def over():
            return troubled.done(ts)

        try:
            await until(over, LIMIT_S)
            hung = False
        except TimeoutError:
            hung = True
        took = time.monotonic() - began
        troubled.server.faults.clear()
        await bot.stop()
        twice = [key for key, count in troubled.posted().items() if count > 1]
        return {"answers": len(troubled.answers()), "twice": twice, "hung": hung, "seconds": took}


async def table(tmp_path, prepared, names):
    """Meet each fault and print faults × outcomes."""
    rows = {}
    async with nursery(tmp_path / "bots.log") as bots:
        for number, name in enumerate(names):
            rows[name] = await met(bots, tmp_path / f"home-{number}", prepared, FAULTS[name])
    width = max(map(len, rows))
    sys.stdout.write(f"\n{'fault':<{width}}  lost  twice  hung  seconds\n")
    for name, row in rows.items():
        lost = "yes" if row["answers"] == 0 else "no"
        twice, hung = ("yes" if row[each] else "no" for each in ("twice", "hung"))
        sys.stdout.write(f"{name:<{width}}  {lost:<4}  {twice:<5}  {hung:<4}  {row['seconds']:7.1f}\n")
    return {name: row for name, row in rows.items() if (row["answers"], row["twice"], row["hung"]) != (1, [], False)}


@pytest.mark.timeout(300)
def test_the_faults_that_tempt_to_lose_or_repeat_do_neither(tmp_path, prepared):
    """Four of the faults; the full suite meets all."""
    assert {} == asyncio.run(table(tmp_path, prepared, QUICK))


@pytest.mark.full
@pytest.mark.timeout(1500)
def test_every_fault_of_slacks_loses_nothing_and_repeats_nothing(tmp_path, prepared):
    """All faults, one question each."""
    assert {} == asyncio.run(table(tmp_path, prepared, FAULTS))
