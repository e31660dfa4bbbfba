"""Whose words a failure is told in."""

from dataclasses import replace

import pytest
from engine_parts import signal

from bot.domain.entity import Entity
from bot.domain.signal import Kind
from bot.signals.retold import own_words, with_tellers

DB, API = Entity("StatefulSet", "db", "shop"), Entity("Deployment", "api", "shop")
FULL = 'could not extend file "base/<*>": No space left on device'


def said(entity, line, kind=Kind.NO_SPACE, hours=(5.0,)):
    return replace(signal(kind, entity, hours, length_s=600, source="kubernetes/logs"), subject=line)


def test_who_wraps_anothers_message_was_told():
    """The client's line holds the server's bare message: it names the server, and is no beginning."""
    server, client = with_tellers(
        [said(DB, f"<*> [<*>] ERROR: {FULL}"), said(API, f"<*> ERROR <*> --- [app] SqlHelper : ERROR: {FULL}")]
    )
    assert (DB,) == client.mentions
    assert {"told_by": str(DB), "standing": "0.3"} == client.attributes
    assert {} == server.attributes


@pytest.mark.parametrize(
    "other",
    [
        said(API, f"<*> ERROR: {FULL}"),  # both say it barely: each may have a disk of its own
        said(API, f"<*> SqlHelper : ERROR: {FULL}", hours=(15.0,)),  # ten hours later
        said(API, f"<*> SqlHelper : ERROR: {FULL}", kind=Kind.TIMEOUT),
        said(API, "<*> SqlHelper : disk full"),
    ],
)
def test_what_is_no_repetition_stays_ones_own(other):
    """Alike messages, other times, other kinds and other words prove nothing."""
    assert [{}, {}] == [one.attributes for one in with_tellers([said(DB, f"<*> [<*>] ERROR: {FULL}"), other])]


def test_two_who_may_have_said_it_leave_it_open():
    """Two databases had it at once: whose words the client repeats is not known."""
    both = [
        said(DB, f"<*> [<*>] ERROR: {FULL}"),
        said(Entity("StatefulSet", "other", "shop"), f"<*> [<*>] ERROR: {FULL}"),
    ]
    assert {} == with_tellers([*both, said(API, f"<*> SqlHelper : ERROR: {FULL}")])[-1].attributes


def test_short_messages_are_nobodys():
    """What many say by themselves does not tell who said it first."""
    assert own_words("<*> ERROR: timeout") == ""
    assert (
        own_words("<*> [<*>] ERROR: canceling statement due to lock timeout")
        == "canceling statement due to lock timeout"
    )


def test_a_full_disk_is_the_stores():
    """Whoever keeps no data tells of the disk of the one beside it that does, in whatever words."""
    api, store = said(API, "<*> index blocked, disk is full"), said(DB, "[<*>] watermark exceeded")
    assert [(DB,), ()] == [one.mentions for one in with_tellers([api, store], {DB})]
    assert [(), ()] == [one.mentions for one in with_tellers([api, store], {API, DB})]
    assert [(), ()] == [one.mentions for one in with_tellers([api, store])]
