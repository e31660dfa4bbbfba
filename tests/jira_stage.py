"""A local Jira for tests: issues as REST gives them, served from a thread of its own, for its clients block."""

import asyncio
import threading
from contextlib import contextmanager

from bot.playground.jira import JiraServer
from bot.settings.live import JiraSettings, Url
from bot.settings.secret import Secret

DAY = "2026-11-18"


def doc(text):
    """Give a text as an Atlassian document."""
    return {
        "version": 1,
        "type": "doc",
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": text}]}],
    }


def person(name):
    """Give an account."""
    return {"accountId": f"acc-{name}", "key": f"key-{name}", "name": name, "displayName": name.capitalize()}


def comment(number, text, *, who="ada", at=f"{DAY}T06:00:00.000-0500", **more):
    """Give a comment."""
    return {"id": str(number), "author": person(who), "body": text, "created": at, "updated": at, **more}


def issue(key="OPS-7", *, comments=(), changes=(), **fields):
    """Give an issue."""
    told = {"summary": "502s at the edge", "description": "Every six hours.", "created": "2026-11-17T20:00:00.000+0000",
            "updated": f"{DAY}T12:00:00.000+0000", "reporter": person("maren"), "security": None}  # fmt: skip
    return {
        "key": key,
        "fields": told | {"comment": {"comments": list(comments)}} | fields,
        "changelog": {"histories": list(changes)},
    }


def change(field, before, after, at=f"{DAY}T07:00:00.000+0000"):
    """Give an entry of a changelog."""
    items = [{"field": field, "fromString": before, "toString": after}]
    return {"id": "1", "author": person("grace"), "created": at, "items": items}


@contextmanager
def jira(issues, folder, *, cloud=True, faults=(), deadline_s=8.0, **options):
    """Serve issues; gives the server and the settings that lead to it."""
    ready, over = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    server = JiraServer(issues, cloud=cloud, **options)
    server.faults += faults

    async def run():
        async with server:
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield server, settings(server, folder, deadline_s=deadline_s)
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()


def settings(server, folder, **more):
    """Give the settings that lead to a server."""
    token = folder / "jira-token"
    token.write_text(server.token)
    told = {"user": server.user, "deployment": "cloud"} if server.cloud else {"deployment": "datacenter"}
    return JiraSettings(url=Url(server.url), token=Secret(file=token), projects=("OPS",), post=True, **told, **more)
