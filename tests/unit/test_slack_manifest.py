"""The manifest asks for what the code uses, and for nothing else."""

import re
from pathlib import Path

import yaml

from bot.slack import surface

ROOT = Path(__file__).parents[2]
MANIFEST = yaml.safe_load((ROOT / "manifests" / "slack.yaml").read_text(encoding="utf-8"))
SOURCES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "bot" / "slack").glob("*.py")}
CODE = "\n".join(text for name, text in SOURCES.items() if name != "surface.py")


def test_scopes_are_the_least_that_suffice():
    """Every scope is needed by a method, an event or the evidence, and every need has its scope."""
    scopes = MANIFEST["oauth_config"]["scopes"]
    assert surface.needed_scopes() == {*scopes["bot"], *scopes["bot_optional"]}


def test_every_scope_and_event_is_explained():
    """Whoever grants a scope reads why."""
    lines = (ROOT / "manifests" / "slack.yaml").read_text(encoding="utf-8").splitlines()
    scopes = [line for line in lines if re.match(r"\s+- [a-z_]+:[a-z]+", line)]
    assert [] == [line for line in scopes if "#" not in line]


def test_events_commands_and_shortcuts_agree():
    """What Slack is asked to send is what is listened to."""
    features, events = MANIFEST["features"], MANIFEST["settings"]["event_subscriptions"]["bot_events"]
    assert set(surface.EVENTS) == set(events)
    assert list(surface.COMMANDS) == [each["command"] for each in features["slash_commands"]]
    assert surface.SHORTCUTS == {each["callback_id"]: each["type"] for each in features["shortcuts"]}


def test_every_event_has_a_listener():
    """An event without a listener is never acknowledged and comes back."""
    heard = set(re.findall(r'@app\.event\("([a-z_]+)"\)', SOURCES["listeners.py"]))
    assert {event.partition(".")[0] for event in surface.EVENTS} == heard


def test_every_method_called_is_listed_and_every_listed_one_called():
    """The table is the truth about what is called."""
    names = "|".join(re.escape(each.partition(".")[0]) for each in surface.METHODS)
    called = set(re.findall(rf'"((?:{names})(?:\.[a-zA-Z]+)+)"', CODE))
    assert set(surface.METHODS) == called


def test_the_command_is_named_within_slacks_limits():
    """Names and descriptions keep the limits of the manifest's schema."""
    for each in MANIFEST["features"]["shortcuts"]:
        assert len(each["name"]) <= 24
        assert len(each["description"]) <= 150
    (command,) = MANIFEST["features"]["slash_commands"]
    assert len(command["usage_hint"]) <= 1000
    assert len(MANIFEST["display_information"]["description"]) <= 140
    assert len(MANIFEST["display_information"]["name"]) <= 35
