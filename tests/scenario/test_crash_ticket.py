"""``kill -9`` around the writing of a comment: the ticket has it once, and the thread says where."""

import asyncio

import pytest
from durable_stage import nursery, until, world
from jira_stage import issue
from slack_stage import ADA, INCIDENTS

from bot.playground.jira import JiraServer

POINTS = (("ticket", 1, "before"), ("ticket", 1, "after"))


async def _true(value):
    return value


async def posted_through_death(bots, home, prepared, point):
    """Have an answer posted by a bot that dies at a point; gives the comments and what the thread says of them."""
    async with world(bots, home, prepared) as broken, JiraServer([issue()], cloud=False) as jira:
        token = broken.home / "jira-token"
        token.write_text(jira.token)
        broken.jira = {"url": jira.url, "token": str(token)}
        bot = await broken.born(*point)
        try:
            await broken.listening(bot)
            ts = broken.ask()
            await until(lambda: _true(broken.done(ts)))
            await broken.server.press(ADA, INCIDENTS, "answer_jira")
            view = await until(lambda: _true(next(iter(broken.server.workspace.views.values()), None)))
            typed = {"ticket": {"text": {"type": "plain_text_input", "value": "OPS-7"}}}
            await broken.server.acts.submit(ADA, view["id"], typed)
            await until(bot.ended)
            bot = await broken.born()

            def shown():
                return [m["text"] for m in broken.server.messages(INCIDENTS) if "posted to OPS-7" in m.get("text", "")]

            await until(lambda: _true(shown()))
            return len(jira.comments("OPS-7")), shown(), jira.url
        finally:
            await bot.stop()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("point", POINTS, ids=lambda point: point[2])
def test_a_bot_killed_while_it_writes_to_jira_writes_once(tmp_path, prepared, point):
    """Before and after Jira took the comment: the next process finds or writes it, and links to it in the thread."""

    async def scenario():
        async with nursery(tmp_path / "bots.log") as bots:
            return await posted_through_death(bots, tmp_path / "home", prepared, point)

    comments, shown, url = asyncio.run(scenario())
    assert 1 == comments
    assert 1 == len(shown)
    assert f"<{url}/browse/OPS-7?focusedCommentId=90001|See it there.>" in shown[0]
