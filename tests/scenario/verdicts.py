"""Holds a report against what really happened and against the bytes of the export it was made from."""

import gzip
import html
import json
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path

import zstandard

from bot.app import analyze
from bot.cli.progress import Silent
from bot.domain.choice import AnalystChoice
from bot.domain.report import to_json
from bot.evals.simulate import simulate
from bot.investigation.investigate import DEFAULT_QUESTION


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an analysis said of an incident, and what the incident was."""

    report: dict
    truth: dict
    export: Path

    @property
    def right(self):
        """Tell whether verdict and root cause are what happened."""
        if self.report["verdict"] != self.truth["verdict"]:
            return False
        if self.truth["verdict"] == "no_incident":
            return True
        root = self.report["root_cause"]
        told = " ".join([root["summary"], self.report["summary"]]).lower()
        return root["entity"] in self.truth["accept"] or any(
            root["entity"] == {key: each[key] for key in ("kind", "namespace", "name")}
            and any(word.lower() in told for word in each["words"])
            for each in self.truth.get("accept_if", ())
        )

    @property
    def told(self):
        """Say in a line what was said and what it should have been."""
        root = (self.report["root_cause"] or {}).get("entity")
        return f"{self.truth['scenario']} seed {self.truth['seed']}: {self.report['verdict']} {root}, not {self.truth['accept']}"


def investigated(scenario, folder, *, seed, days=5.0, scale=1.0, degrade=()):
    """Simulate an incident and analyze it in this process; cases go to the home that the environment names."""
    export = folder / f"{scenario}-{seed}"
    truth = json.loads(
        simulate(scenario, export, seed=seed, days=days, scale=scale, degrade=degrade).read_text("utf-8")
    )
    question = truth.get("question") or DEFAULT_QUESTION
    report = analyze(str(export), question=question, window=None, progress=Silent(), choice=AnalystChoice(offline=True))
    return Outcome(report=json.loads(json.dumps(to_json(report))), truth=truth, export=export)


def original(export):
    """Give the bytes of all files of an export, unpacked, one after another."""
    if export.is_file():
        with (
            export.open("rb") as packed,
            zstandard.ZstdDecompressor().stream_reader(packed) as stream,
            tarfile.open(fileobj=stream, mode="r|") as tar,
        ):
            return b"\n".join(tar.extractfile(entry).read() for entry in tar if entry.isfile())
    return b"\n".join(
        gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
        for content in (path.read_bytes() for path in sorted(export.rglob("*")) if path.is_file())
    )


def spellings(quote):
    """Give the ways in which a text may stand in a file: as it is, in a JSON string, with Slack's escapes."""
    for text in (quote, html.escape(quote, quote=False)):
        yield text
        for ascii_only in (True, False):
            inside = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
            yield inside
            yield inside.replace("/", "\\/")


def not_verbatim(report, files):
    """Give every quote that does not stand in the bytes of the export.

    Texts of rich documents are put together from their pieces, line by line and mention by mention: there every line
    between two mentions is looked for.
    """
    missing = []
    for entry in report["evidence"].values():
        pieces = [entry["quote"]]
        if entry["source"] in {"slack", "jira"}:
            pieces = [each.strip() for each in re.split(r"\n|[<@#][^\s>]+>?", entry["quote"])]
        found = [any(spelling.encode() in files for spelling in spellings(each)) for each in pieces]
        if not all(found):
            missing.append((entry["source"], entry["quote"]))
    return missing


def not_in_case(report, case):
    """Give every quote that the case does not hold in the item it names."""
    missing = []
    for entry in report["evidence"].values():
        item = case.item(entry["locator"].split(" ")[0])
        if item is None or (entry["quote"] not in item.text and entry["quote"].encode() not in item.raw):
            missing.append((entry["locator"], entry["quote"]))
    return missing
