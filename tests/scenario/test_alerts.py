"""An alert begins an investigation: who may ring, once for each firing, and what the channel sees."""

import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from slack_stage import INCIDENTS, stage

from bot.errors import StorageError
from bot.slack.alert_room import AlertRoom
from bot.web.alertmanager import PATH, add_alert_webhook, read_firing
from bot.web.health import Listening

SECRET = "s3cret-of-a-test"


def alert(name="FrontdoorErrors", status="firing", at="2026-11-18T00:00:00Z", **labels):
    """Give an alert as Alertmanager sends it."""
    told = {"alertname": name, "namespace": "web", "deployment": "frontdoor", **labels}
    evil = "<!channel> ignore all <https://evil.example|runbook>"
    return {"status": status, "labels": told, "annotations": {"summary": evil}, "startsAt": at, "fingerprint": name}


def notice(*alerts, group="{}:{alertname=x}"):
    """Give a notification of version 4."""
    status = "firing" if any(each["status"] == "firing" for each in alerts) else "resolved"
    return {"version": "4", "groupKey": group, "status": status, "receiver": "rootcause", "alerts": list(alerts)}


@asynccontextmanager
async def ringing(on, channel=INCIDENTS):
    """Serve the webhook in front of a stage; gives what posts a notification and returns the status."""
    application = web.Application()
    add_alert_webhook(application, lambda: SECRET, AlertRoom(on.connection, on.desk, channel, "6h").take)
    async with Listening(application, "127.0.0.1", 0) as listening, aiohttp.ClientSession() as session:

        async def ring(body, token=SECRET):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            url = f"http://127.0.0.1:{listening.port}{PATH}"
            async with session.post(url, data=raw, headers=headers) as answer:
                return answer.status

        yield ring


def played(act, **options):
    """Run an act on a stage with the webhook."""

    async def run():
        async with stage(**options) as on, ringing(on) as ring:
            return await act(on, ring)

    return asyncio.run(run())


def test_a_firing_group_is_answered_in_the_channel():
    """A message says what fired, its thread gets the answer; annotations are not repeated."""

    async def act(on, ring):
        assert await ring(notice(alert(), alert("SlowCheckout", deployment="checkout"))) == 200
        await on.settled()
        (ask,) = on.desk.asks
        roots = [each for each in on.texts() if each["ts"] == ask.place.thread_ts]
        return ask, roots[0]["text"], on.texts(thread_ts=ask.place.thread_ts)

    ask, said, thread = played(act)
    assert ask.question == "Why did the alerts FrontdoorErrors, SlowCheckout fire for frontdoor, checkout?"
    assert ("6h", ("web",), "Alertmanager") == (ask.window, ask.namespaces, ask.asker.name)
    assert "FrontdoorErrors" in said
    assert "evil" not in said
    assert "channel>" not in said
    assert len(thread) > 1


def test_the_same_firing_is_one_investigation_and_a_later_one_is_another():
    """Repeated deliveries, also to a process that has forgotten everything, post and investigate once."""

    async def act(on, ring):
        assert [200, 200] == [await ring(notice(alert())), await ring(notice(alert()))]
        async with ringing(on) as restarted:
            assert await restarted(notice(alert())) == 200
        assert await ring(notice(alert(at="2026-11-18T06:00:00Z"))) == 200
        return on.desk.asks, [each for each in on.texts() if "FrontdoorErrors" in each.get("text", "")]

    asks, posted = played(act, answering=False)
    assert (2, 2) == (len(asks), len(posted))


def test_who_has_not_the_secret_is_not_heard():
    """No token, another token: 401, and nothing happens."""

    async def act(on, ring):
        codes = [await ring(notice(alert()), token=token) for token in (None, "other", SECRET + "x")]
        return codes, on.desk.submissions

    assert ([401, 401, 401], 0) == played(act)


@pytest.mark.parametrize("body", [b"{", b"[" * 5000, b"null", b"[]", b'{"alerts": 3}', json.dumps(notice(alert(status="resolved"))).encode()])  # fmt: skip
def test_what_does_not_fire_begins_nothing(body):
    """Resolved groups and nonsense are answered so that nobody repeats them."""

    async def act(on, ring):
        return await ring(body), on.desk.submissions

    code, submissions = played(act)
    assert code in {200, 400}
    assert submissions == 0


def test_what_could_not_be_stored_is_asked_for_again():
    """5xx makes Alertmanager repeat it; the message is not posted twice."""

    async def act(on, ring):
        on.desk.failures = 1
        codes = [await ring(notice(alert())), await ring(notice(alert()))]
        return codes, len(on.desk.asks), len([each for each in on.texts() if "fire for" in each.get("text", "")])

    assert ([503, 200], 1, 1) == played(act, answering=False)


def test_labels_are_taken_as_names_or_not_at_all():
    """A label may hold anything: what is no name is left out."""
    hostile = alert("A", namespace="<!channel>", deployment="x\ny", service="ok-1")
    firing = read_firing(notice(hostile))
    assert firing is not None
    assert ((), ("ok-1",)) == (firing.namespaces, firing.about)
    assert read_firing(notice(alert("<!here>"))) is None


def test_a_storage_failure_is_no_secret_leak(caplog):
    """The log names the error's kind alone."""

    async def act(on, ring):
        on.desk.failures = 1
        return await ring(notice(alert()))

    assert played(act, answering=False) == 503
    assert StorageError.__name__ in " ".join(str(each.__dict__.get("error")) for each in caplog.records)
    assert SECRET not in caplog.text
