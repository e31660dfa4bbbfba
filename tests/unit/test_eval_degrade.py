"""Spoilt evidence: what is taken away is gone, what is left is as it was, and the truth does not change."""

import json
from datetime import datetime, timedelta

import pytest

from bot.errors import UsageError
from bot.evals import remains
from bot.evals.degrade import MODES, degrade
from bot.evals.simulate import simulate


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One export, whole and in every spoilt form, with its truths."""
    found = {}
    for mode in (None, *MODES):
        out = tmp_path_factory.mktemp("made") / "incident"
        truth = simulate("memory-leak", out, seed=9, days=0.8, scale=0.4, degrade=[mode] if mode else [])
        found[mode] = (contents(out), json.loads(truth.read_text("utf-8")))
    return found


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_changes_the_export_and_not_the_truth(made, mode):
    """Every mode leaves its mark on the files; the truth says only which mode it was, and every JSON still parses."""
    whole, truth = made[None]
    spoilt, same = made[mode]
    assert whole != spoilt
    assert {**truth, "degraded": [mode]} == same
    for name, content in spoilt.items():
        if name.endswith(".json"):
            json.loads(content)


def test_only_what_a_mode_names_is_touched(made):
    """Without Prometheus all else is there byte for byte; without logs, and without events, likewise."""
    whole, _ = made[None]
    for mode, gone in (
        ("no-prometheus", lambda name: name.startswith("prometheus/")),
        ("no-logs", lambda name: name.endswith(".log") or name.startswith("loki/")),
        ("no-events", lambda name: name.endswith("events.json")),
    ):
        assert {name: content for name, content in whole.items() if not gone(name)} == made[mode][0]


def test_a_decoy_is_a_rollout_within_a_minute_of_the_cause(tmp_path, made):
    """Beside what really happened, and told apart from it in the truth, something else is rolled out seconds later."""
    truth = json.loads(
        simulate("memory-leak", tmp_path / "incident", seed=9, days=0.8, scale=0.4, degrade=["decoy"]).read_text(
            "utf-8"
        )
    )
    _, before = made[None]
    assert (truth["root_cause"], truth["steps"][0]) == (before["root_cause"], before["steps"][0])
    begun = datetime.fromisoformat(before["steps"][0]["first_at"])
    (decoy,) = (each for each in truth["ruled_out"] if each not in before["ruled_out"])
    assert "rollout" == decoy["what"]
    assert decoy["entity"] != truth["root_cause"]["entity"]
    assert timedelta(seconds=1) <= datetime.fromisoformat(decoy["at"]) - begun <= timedelta(seconds=61)


def test_expired_events_leave_the_last_hour(made):
    """No event is older than an hour before the window's end."""
    spoilt, truth = made["events-expired"]
    oldest = datetime.fromisoformat(truth["window"]["end"]) - timedelta(hours=1)
    for name, content in spoilt.items():
        if name.endswith("events.json"):
            ats = [event["lastTimestamp"] or event["eventTime"] for event in json.loads(content)["items"]]
            assert [] == [at for at in ats if datetime.fromisoformat(at) < oldest]


def test_skewed_clocks_move_some_logs_by_whole_minutes_and_keep_their_lines(made):
    """Some pods' files differ, in times alone; others are untouched."""
    whole, spoilt = made[None][0], made["clock-skew"][0]
    logs = [name for name in whole if name.endswith(".log")]
    moved = [name for name in logs if whole[name] != spoilt[name]]
    assert 0 < len(moved) < len(logs)
    for name in moved:
        before, after = whole[name].split(b"\n"), spoilt[name].split(b"\n")
        assert len(before) == len(after)
        was, now = (datetime.fromisoformat(lines[0].split()[0].decode()[:19]) for lines in (before, after))
        assert 120 <= abs((was - now).total_seconds()) <= 420
        assert before[0].split(b" ", 1)[1][-20:] == after[0].split(b" ", 1)[1][-20:]


def test_hostile_text_is_in_logs_events_and_chat(made):
    """Orders, a wrong cause, a mention of the channel and forged ids stand where a reader will meet them."""
    added = {name: content for name, content in made["hostile-text"][0].items() if made[None][0][name] != content}
    assert {name.split("/")[0] for name in added} == {"kubernetes", "slack"}
    text = b"".join(added.values())
    assert b"<!channel>" in text
    assert b"E1" in text


def test_an_unknown_mode_is_refused_in_words(tmp_path):
    """The sentence names what there is."""
    with pytest.raises(UsageError, match="no-logs"):
        degrade(tmp_path, ["no-coffee"], key="x", end=0.0)


@pytest.mark.parametrize(("mode", "lost"), [("no-events", ["events"]), ("events-expired", ["events"]), ("no-logs", [])])
def test_what_a_question_rests_on_is_noted_as_gone(mode, lost, tmp_path):
    """Pulls that fail are told by events alone: what rests on them cannot be told without; a bystander's question can."""
    path = simulate("image-pull", tmp_path / "incident", seed=9, days=0.8, scale=0.3, degrade=[mode])
    asked = json.loads(path.read_text("utf-8"))["control_questions"]
    assert {"related": lost, "answered": lost, "unrelated": []} == {each["expected"]: each["gone"] for each in asked}


def test_a_need_with_another_way_is_not_gone():
    """Either alternative will do, a quarter left will do, and a source that never told it was no alternative."""
    needs = ["events:a|metrics:a", "logs:b"]
    before = {"events:a": 10, "metrics:a": 10, "logs:b": 8}
    assert [] == remains.gone(needs, before, {"events:a": 0, "metrics:a": 10, "logs:b": 2})
    assert ["events", "metrics"] == remains.gone(needs, before, {"events:a": 0, "metrics:a": 1, "logs:b": 8})
    assert ["events"] == remains.gone(needs, {**before, "metrics:a": 0}, {"events:a": 0, "metrics:a": 0, "logs:b": 8})
