"""Something else is rolled out seconds after what really began an incident: it is not blamed with any confidence."""

import json

import pytest

from bot.casefile.home import CaseHome
from bot.evals.decoys import with_decoy
from bot.evals.registry import SCENARIOS
from bot.evals.simulate import run, truth_of
from bot.investigation.investigate import investigate
from bot.sources.export import ExportSource

DAYS, SCALE = 5.0, 0.3


def named(entity):
    return entity["kind"], entity["name"]


@pytest.mark.parametrize(
    ("scenario", "seed", "after_s"),
    [
        ("node-loss", 5, 2.0),
        *(
            pytest.param(scenario, seed, after_s, marks=pytest.mark.full)
            for scenario in ("node-loss", "bad-config", "memory-leak", "rotated-secret")
            for seed in (2, 3, 4)
            for after_s in (2.0, 20.0, 45.0)
        ),
    ],
)
def test_a_rollout_beside_the_cause_is_not_blamed(tmp_path, scenario, seed, after_s):
    """The true cause is named, or none; only where order is all there is may the other be, with low confidence."""
    stage = SCENARIOS[scenario].stage
    truth = truth_of(stage, scenario, seed=seed, days=DAYS, scale=SCALE)
    folder = tmp_path / "incident"
    target = run(with_decoy(stage, truth, after_s), scenario, folder, seed=seed, days=DAYS, scale=SCALE)
    told = json.loads(target.read_text("utf-8"))
    report = investigate(
        [ExportSource(folder)],
        CaseHome(tmp_path / "cases"),
        question=told["question"],
        window=None,
        progress=lambda *_: None,
    )
    right = {named(each) for each in (*told["accept"], *told["accept_if"])}
    if report.root_cause is not None and (report.root_cause.entity.kind, report.root_cause.entity.name) not in right:
        assert "low" == report.confidence, report.root_cause.summary
