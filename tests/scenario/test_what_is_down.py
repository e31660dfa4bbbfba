"""Whatever is down of a cluster's API, its recorder, its metrics, its log store and Jira: an answer that names what is missing."""

import time
from contextlib import ExitStack
from itertools import combinations

import pytest
import yaml
from fault_server import FaultServer
from http_sources import PlayedPrometheus
from kube_api import written_kubeconfig
from kubernetes_http import cluster_reply
from log_stores import PlayedLoki
from store_http import LINES, PlayedJira

from bot.app import analyze_live
from bot.archive.keeping import Keeper

KINDS = ("kubernetes", "recorder", "prometheus", "logs", "jira")
SUBSETS = [frozenset(each) for size in range(len(KINDS) + 1) for each in combinations(KINDS, size)]
NAMED = {"kubernetes": "kubernetes", "recorder": "recorder", "prometheus": "prometheus", "logs": "loki", "jira": "jira"}
"""How gaps of each begin"""
DEADLINE_S = 2.0
WITHIN_S = 25.0
"""The sources' deadline, their grace and the analysis, on a machine that is busy."""
REPLIES = {
    "kubernetes": cluster_reply,
    "prometheus": PlayedPrometheus(),
    "logs": PlayedLoki(LINES),
    "jira": PlayedJira(),
}


def configured(stack, folder, down, how):
    """Write a rootcause.yaml whose services are up, or down in one way; give its path."""
    urls = {}
    for kind, reply in REPLIES.items():
        if kind not in down:
            urls[kind] = stack.enter_context(FaultServer(None, reply=reply)).url
        elif how == "refusing":
            urls[kind] = "http://127.0.0.1:1"
        else:
            urls[kind] = stack.enter_context(FaultServer(how)).url
    archive = folder / "archive"
    if "recorder" not in down:
        Keeper(archive).close()
    cluster = {
        "name": "east",
        "kubernetes": {"kubeconfig": str(written_kubeconfig(folder, urls["kubernetes"])), "deadline_s": DEADLINE_S},
        "recorder": {"archive": str(archive)},
        "prometheus": {"url": urls["prometheus"], "deadline_s": DEADLINE_S},
        "logs": {"kind": "loki", "url": urls["logs"], "deadline_s": DEADLINE_S},
    }
    jira = {"url": urls["jira"], "deployment": "datacenter", "projects": ["OPS"], "deadline_s": DEADLINE_S}
    path = folder / "rootcause.yaml"
    path.write_text(yaml.safe_dump({"clusters": [cluster], "jira": jira}))
    return path


def cases():
    """Give all 32 subsets refusing and hanging; the quick tests take none, all, and each alone."""
    for how in ("refusing", "hang"):
        for down in SUBSETS:
            quick = how == "refusing" and len(down) in {0, 1, len(KINDS)}
            name = f"{how}-{'+'.join(sorted(down)) or 'nothing'}"
            yield pytest.param(down, how, id=name, marks=() if quick else (pytest.mark.full,))


@pytest.mark.parametrize(("down", "how"), list(cases()))
def test_an_answer_comes_and_names_what_is_missing(down, how, tmp_path, monkeypatch):
    """In time, whichever services are away; exactly those are said not to have been readable."""
    monkeypatch.setenv("ROOTCAUSE_HOME", str(tmp_path / "home"))
    with ExitStack() as stack:
        monkeypatch.setenv("ROOTCAUSE_CONFIG", str(configured(stack, tmp_path, down, how)))
        began = time.monotonic()
        report = analyze_live(None, question="why?", window="1h", namespaces=("shop",), progress=lambda *_: None)
        took = time.monotonic() - began
    unreadable = [gap.source for row in report.coverage for gap in row.gaps if (gap.lost and "could not be read" in gap.what) or "no archive" in gap.what]  # fmt: skip
    said = {kind for kind, begins in NAMED.items() if any(source.startswith(begins) for source in unreadable)}
    assert down == said
    assert took < WITHIN_S
    assert report.verdict in {"inconclusive", "no_incident", "cause_found"}
    assert report.verdict != "no_incident" or not down & {"kubernetes", "prometheus", "logs"}
