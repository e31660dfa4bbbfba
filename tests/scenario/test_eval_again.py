"""The engine measured again: one seed gives one result, whatever Python's hashes and however many cases run at once."""

import pytest
from command import rootcause, small_export

UNEVEN = ("seconds", "peak_mb")
"""What a run may spend more or less of."""


def judged(told):
    """Give what was measured without what was spent."""
    if isinstance(told, dict):
        return {key: judged(value) for key, value in told.items() if key not in UNEVEN}
    return [judged(each) for each in told] if isinstance(told, list) else told


def measured_twice(tmp_path, *arguments):
    """Measure under two seeds of Python's hashes, once with two jobs."""
    told = []
    for seed, jobs in (("1", 1), ("2", 2)):
        home = tmp_path / seed
        ran = rootcause(home, "eval", *arguments, "--jobs", jobs, "--format", "json", PYTHONHASHSEED=seed)
        assert ran.code == 0, ran.err
        told.append((judged(ran.json), ran.err))
    return told


def test_one_export_one_report(tmp_path):
    """A small export is told of word for word the same, but for the case's name and the seconds it took."""
    told, export = [], small_export(tmp_path / "export")
    for seed in ("1", "2"):
        ran = rootcause(tmp_path / seed, "analyze", export, "--quiet", "--format", "json", PYTHONHASHSEED=seed)
        report = ran.json
        told.append((ran.code, {**report, "case": "", "usage": {**report["usage"], "seconds": {}}}))
    assert told[0] == told[1]


@pytest.mark.full
@pytest.mark.timeout(300)
def test_one_seed_one_result(tmp_path):
    """Incidents are judged the same, line for line, with whole and with spoilt evidence."""
    first, again = measured_twice(
        tmp_path, "--scenarios", "story,memory-leak", "--seeds", "5", "--days", "0.5", "--degrade", "plain,no-events"
    )
    assert first == again
