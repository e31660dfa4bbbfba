"""Which object versions are digested where they are too large together."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings, strategies as st

from bot.casefile.disk import connect_to_whole
from bot.casefile.home import CaseHome
from bot.casefile.object_share import shared_objects
from bot.domain.entity import Entity
from bot.domain.items import ObjectVersion
from bot.investigation.investigate import investigate
from bot.signals.masking import mask
from bot.sources.export import ExportSource

START = datetime(2026, 11, 22, tzinfo=UTC)


def version(kind, second, size=0):
    """Give a version of an object whose documents are a little larger than ``size``."""
    manifest = {"kind": kind, "data": "x" * size}
    at = START + timedelta(seconds=second)
    return ObjectVersion(
        entity=Entity(kind, f"o{second}", "shop"),
        uid=f"u{second}",
        observed_at=at,
        manifest=manifest,
        raw=json.dumps(manifest).encode(),
    )


def shared(folder, versions, most):
    """Put versions into a case and give the ids of those that are read."""
    with CaseHome(folder).create(mask) as writer:
        for one in versions:
            writer.add_object(one)
        writer.finish()
        path = writer.id
    with closing(connect_to_whole(folder / f"{path}.case")) as connection:
        return shared_objects(connection, most)


def test_all_are_read_where_there_is_room(tmp_path):
    """Nothing is chosen where nothing must be left out."""
    assert shared(tmp_path, [version("Pod", at, 100) for at in range(20)], 20 * 400) is None


def test_rare_kinds_keep_theirs_and_frequent_ones_an_even_share(tmp_path):
    """Of a hundred pods about a third, from first to last; of two deployments both; one pod of a megabyte is left out."""
    versions = [version("Pod", at, 1000) for at in range(100)]
    versions += [version("Deployment", 200, 1000), version("Deployment", 201, 1000), version("Pod", 202, 1_000_000)]
    kept = shared(tmp_path, versions, 70_000)
    assert {101, 102} <= set(kept)
    assert 103 not in kept
    pods = [one for one in kept if one <= 100]
    assert 25 <= len(pods) <= 35
    assert max(b - a for a, b in pairwise(pods)) <= 5
    assert kept == sorted(kept)


@settings(max_examples=25)
@given(
    sizes=st.lists(st.tuples(st.sampled_from(["Pod", "Job", "Node"]), st.integers(0, 3000)), min_size=1, max_size=40),
    most=st.integers(500, 30_000),
)
def test_what_is_read_fits(tmp_path_factory, sizes, most):
    """Whatever the kinds and sizes, the documents that are read are no more than there is room for."""
    versions = [version(kind, at, size) for at, (kind, size) in enumerate(sizes)]
    kept = shared(tmp_path_factory.mktemp("case"), versions, most)
    whole = [2 * len(json.dumps(one.manifest)) for one in versions]
    assert (kept is None) == (sum(whole) <= most)
    assert sum(whole[one - 1] for one in kept or ()) <= most


def test_that_some_were_passed_over_is_a_gap(tmp_path, monkeypatch):
    """The report says how many; the case holds all of them."""
    monkeypatch.setattr("bot.casefile.object_share.shared_objects.__defaults__", (20_000,))
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"p{at}", "namespace": "shop", "uid": f"u{at}"},
            "spec": {"nodeName": "n" * 300},
        }
        for at in range(100)
    ]
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "pods.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}))
    (tmp_path / "export" / "a.log").write_text("2026-11-22T06:28:01Z ready\n")
    report = investigate(
        [ExportSource(tmp_path / "export")],
        CaseHome(tmp_path / "home"),
        question=None,
        window=None,
        progress=lambda *_: None,
    )
    (row,) = [row for row in report.coverage if row.source == "kubernetes/objects"]
    (gap,) = row.gaps
    assert ("partial", 100) == (row.status, row.items)
    assert "object versions beyond those of which there is room" in gap.what
    assert 60 <= gap.count < 100
