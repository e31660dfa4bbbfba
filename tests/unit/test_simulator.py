"""The incident simulator: reproducible, truth kept apart, effects that follow from mechanisms."""

import json
import re
import tarfile
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
import zstandard

from bot.errors import UsageError
from bot.evals.export import FOLD_S, Export, ObjectRef
from bot.evals.multitude import IN_TEXT, Many
from bot.evals.pack import pack
from bot.evals.registry import SCENARIOS
from bot.evals.scenarios import node_loss, story
from bot.evals.simulate import run, simulate

START_S = 1_795_305_600.0


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_every_scenario_writes_readable_documents_and_its_truth_outside(name, tmp_path):
    """Each scenario runs small; its JSON parses, and its truth lies beside the export, not in it."""
    out = tmp_path / "incident"
    truth_path = simulate(name, out, seed=3, days=0.6, scale=0.5)
    assert truth_path == tmp_path / "incident.truth.json"
    truth = json.loads(truth_path.read_text("utf-8"))
    assert not [path for path in contents(out) if "truth" in path]
    for path in out.rglob("*.json"):
        json.loads(path.read_text("utf-8"))
    assert truth["verdict"] == ("no_incident" if name == "no-incident" else "cause_found")
    assert len(truth["control_questions"]) >= 3
    assert {part.name for part in out.iterdir()} >= {"kubernetes", "prometheus", "slack", "jira"}


def test_the_same_arguments_give_the_same_bytes(tmp_path):
    """Export, truth and archive are equal byte for byte for one seed, and differ for another."""
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        simulate("story", tmp_path / name / "incident", seed=seed, days=0.4, scale=0.5)
    first, second, other = (contents(tmp_path / name) for name in "abc")
    assert first == second
    assert first != other
    archives = [pack(tmp_path / name / "incident", tmp_path / f"{name}.tar.zst").read_bytes() for name in "ab"]
    assert archives[0] == archives[1]


@pytest.mark.parametrize(("grace_s", "drops"), [(15.0, True), (60.0, False)])
def test_drops_follow_from_the_grace_period(grace_s, drops, tmp_path):
    """Fifteen seconds of grace cut slow requests and lead to 502s; sixty seconds cut none, all else being equal."""
    truth_path = run(partial(story.stage, grace_s=grace_s), "story", tmp_path / "x", seed=1, days=1.2, scale=1.0)
    steps = {step["what"] for step in json.loads(truth_path.read_text("utf-8"))["steps"]}
    assert ("requests in flight are cut" in steps) == drops
    assert ("the gateway answers 502" in steps) == drops
    assert "the autoscaler scales down" in steps


def test_overload_follows_from_missing_room(tmp_path):
    """A lost node hurts for as long as its pods find no room; with room for them it hurts for minutes."""
    lengths = []
    for spare in (False, True):
        stage = partial(node_loss.stage, spare=spare)
        truth_path = run(stage, "node-loss", tmp_path / f"x{spare}", seed=4, days=0.9, scale=1.0)
        episodes = json.loads(truth_path.read_text("utf-8"))["episodes"]
        times = [[datetime.fromisoformat(at) for at in episode] for episode in episodes]
        lengths.append(sum((last - first).total_seconds() for first, last in times))
    crowded, roomy = lengths
    assert crowded > 1800
    assert roomy < crowded / 3


def test_an_archive_unpacks_to_the_same_files(tmp_path):
    """What is packed comes out again, without owners or times."""
    folder = tmp_path / "export"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "one.log").write_bytes(b"one\n")
    (folder / "two.json").write_bytes(b"{}")
    packed = pack(folder, tmp_path / "x.tar.zst").read_bytes()
    (tmp_path / "x.tar").write_bytes(zstandard.ZstdDecompressor().decompressobj().decompress(packed))
    with tarfile.open(tmp_path / "x.tar") as tar:
        assert [(entry.name, entry.mtime, entry.uid) for entry in tar] == [
            ("export/a/one.log", 0, 0),
            ("export/two.json", 0, 0),
        ]


def test_wrong_arguments_are_refused_in_words(tmp_path):
    """An unknown scenario, a senseless length and a folder in use each get a sentence."""
    with pytest.raises(UsageError, match="There is no scenario"):
        simulate("nope", tmp_path / "x", seed=1, days=1, scale=1)
    with pytest.raises(UsageError, match="--days"):
        simulate("story", tmp_path / "x", seed=1, days=0, scale=1)
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").write_text("x")
    with pytest.raises(UsageError, match="not empty"):
        simulate("story", tmp_path / "used", seed=1, days=1, scale=1)


def test_much_traffic_leaves_the_traces_of_the_same_incident_many_times_over(tmp_path):
    """At scale 40 the truth has the steps and times of scale 1; lines, errors and nothing else grow, and no token stays."""
    truths, sizes = [], []
    for scale in (1.0, 40.0):
        out = tmp_path / f"x{scale}"
        truths.append(json.loads(simulate("story", out, seed=4, days=0.6, scale=scale).read_text("utf-8")))
        sizes.append(sum(path.stat().st_size for path in out.rglob("*.log")))
    once, many = truths
    assert [(step["what"], step["entity"]) for step in once["steps"]] == [
        (step["what"], step["entity"]) for step in many["steps"]
    ]
    assert [step["count"] for step in once["steps"][:4]] == [step["count"] for step in many["steps"][:4]]
    assert 25 < sizes[1] / sizes[0] < 50
    text = "".join(path.read_text("utf-8") for path in (tmp_path / "x40.0").rglob("*.log"))
    assert re.search(IN_TEXT, text) is None
    for path in (tmp_path / "x40.0").rglob("*.json"):
        json.loads(path.read_text("utf-8"))


def test_lines_of_a_scaled_log_stand_in_order_for_each_container(tmp_path):
    """A container's times never step back, and the same seed gives the same bytes."""
    for name in "ab":
        simulate("bad-config", tmp_path / name, seed=2, days=0.15, scale=60.0)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    for path in (tmp_path / "a").rglob("*.log"):
        times = [line.partition(" ")[0] for line in path.read_text("utf-8").splitlines()]
        assert times == sorted(times)


def test_an_event_that_comes_back_after_hours_is_another_while_lines_wait(tmp_path):
    """How much traffic waits to be drawn says nothing of events: the same one six hours later is not folded into the first."""
    export = Export(tmp_path, "seed")
    pod = ObjectRef(kind="Pod", namespace="web", name="api-0", uid="u")
    for at in (0.0, 21_600.0):
        export.log(("web", "api-0", "api", "api"), Many.of(START_S + at, 50, 10.0), "served")
        export.event(START_S + at, pod, "Killing", "Stopping container api", "kubelet")
        export.flush(START_S + at + FOLD_S + 1)
    export.close()
    told = json.loads((tmp_path / "kubernetes" / "web" / "events.json").read_text("utf-8"))["items"]
    assert [1, 1] == [event["count"] for event in told]
