"""Packing a case for a model: how long it takes, what it saves, and that nothing which tells is missing.

Tokens are compared by one estimate for both sides (``packing_tokens``), which is what the packer itself counts with.
"""

import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bot.analyst.packing_choice import RARE, window_rows
from bot.analyst.packing_material import Material, Packed
from bot.analyst.packing_parts import Outlet, object_rows
from bot.analyst.packing_read import read_lines
from bot.analyst.packing_tokens import estimate
from bot.casefile.case import Case
from bot.casefile.disk import connect_to_whole
from bot.domain.report_json import report_from_json
from bot.investigation.packing import material_of, pack_case
from bot.redaction.gate import Gate
from tests.bench.figures import Figure
from tests.bench.whole import FIXTURE, ROOT, measured

MILLION = 1_000_000
_KEY = b"of the benchmarks, and theirs alone"


def story_packing_figures() -> Iterator[Figure]:
    """Pack the demo's incident whole: seconds, what it saves of the raw text, and that every line comes back."""
    with tempfile.TemporaryDirectory() as folder:
        measured(["analyze", FIXTURE, "--quiet"], Path(folder))
        (path,) = Path(folder).glob("*.case")
        with Case(connect_to_whole(path), path, owned=True) as case:
            packed, took, cpu = min((_packed(case, MILLION) for _ in range(3)), key=lambda run: run[2])
            kept = packed.whole and cpu <= 2
            shown = f"{took:.2f} s, {cpu:.2f} cpu-s, {packed.tokens:,} tokens"
            yield Figure(name="the story packed whole", shown=shown, limit="≤ 2 s", kept=kept)
            raw = _raw(case)
            saved = 1 - estimate(packed.text) / raw
            shown = f"{saved:.1%} fewer than {raw:,}"
            yield Figure(name="the story: tokens to its raw text", shown=shown, limit="≥ 45 %", kept=saved >= 0.45)
            lost = _lost(case, packed)
            yield Figure(name="the story: lines that do not come back", shown=f"{lost}", limit="0", kept=lost == 0)


def model_story_figure() -> Figure:
    """Analyze the demo's incident with a model that answers at once, over a socket: what is left is this program's own time."""
    sys.path.append(str(ROOT / "tests"))
    from model_says import honest, said  # noqa: PLC0415 - the tests' server is no package
    from model_server import Answer, ModelServer  # noqa: PLC0415 - see above

    with tempfile.TemporaryDirectory() as folder:
        measured(["analyze", FIXTURE, "--quiet"], Path(folder))
        (path,) = Path(folder).glob("*.case")
        with Case(connect_to_whole(path), path, owned=True) as case:
            truth = said(honest(report_from_json(case.report() or {})))

        def script(asked: Any) -> Any:
            rows = [row.split(":", 1)[0] for row in asked.question.splitlines() if re.match(r"Q\d+: ", row)]
            answers = [{"id": name, "answer": "unknown"} for name in rows]
            return Answer(text=json.dumps({"answers": answers}) if rows else truth)

        with ModelServer(script) as server:
            there = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "k"}
            runs = [measured(["analyze", FIXTURE, "--quiet"], Path(folder) / str(each), there) for each in range(3)]
            asked = len(server.asked)
    _, took, cpu, megabytes = min(runs, key=lambda run: run[2])
    shown = f"{took:.2f} s, {cpu:.2f} cpu-s, {megabytes:.0f} MB, {asked // 3} questions"
    kept = all(run[0] == 0 for run in runs) and cpu <= 6 and asked >= 6
    return Figure(name="the story with a model that answers at once", shown=shown, limit="≤ 6 s", kept=kept)


def packing_figures(home: Path) -> Iterator[Figure]:
    """Pack the case nearest to a gigabyte into a million tokens: seconds, and what of it is represented."""
    sizes = {path: _raw_bytes(path) for path in home.glob("*.case")}
    path = min(sizes, key=lambda each: abs(sizes[each] - 1e9))
    name = f"{sizes[path] / 1e9:.1f} GB into 1M tokens"
    with Case(connect_to_whole(path), path, owned=True) as case:
        packed, took, cpu = _packed(case, MILLION)
        shown = f"{took:.1f} s, {cpu:.1f} cpu-s, {packed.tokens:,} tokens"
        yield Figure(name=name, shown=shown, limit="≤ 10 s", kept=cpu <= 10 and packed.tokens <= MILLION)
        yield from _represented(name, material_of(case, Gate(_KEY)), packed)


def _packed(case: Case, budget: int) -> tuple[Packed, float, float]:
    began, cpu = time.perf_counter(), time.process_time()
    packed = pack_case(case, Gate(_KEY), budget=budget)
    return packed, time.perf_counter() - began, time.process_time() - cpu


def write_changes(export: Path) -> Path:
    """Write every Deployment of an export once more, as it is after a change, and give the export."""
    for place in sorted(export.rglob("deployments.json")):
        told = json.loads(place.read_bytes())
        for item in told["items"]:
            item["metadata"]["resourceVersion"] = f"{item['metadata'].get('resourceVersion') or ''}9"
            item["spec"]["replicas"] = 1 + int(item["spec"].get("replicas") or 0)
        later = place.parent / "later" / place.name
        later.parent.mkdir(exist_ok=True)
        later.write_text(json.dumps(told))
    return export


def _represented(name: str, material: Material, packed: Packed) -> Iterator[Figure]:
    """Count what a model sees none of: templates of failures, rare templates, changes of objects."""
    sections = {section.name: section.text for section in packed.sections}
    shown = {int(line.id[1:]) - 1 for line in read_lines(sections["logs"].split("\n"))}
    rows = window_rows(material)
    template = np.asarray(material.lines.template)
    sizes = np.bincount(template[rows])
    seen = set(template[sorted(shown)].tolist())
    failing = {one for one in material.lines.failing if one < len(sizes) and sizes[one]}
    rare = set(np.flatnonzero((sizes > 0) & (sizes <= RARE)).tolist())
    _, changed = object_rows(material, Outlet(redact=lambda text: text))
    changes = {row.split(" ", 1)[0] for _, row in changed}
    shifted = {item for item, one in material.series if material.course(one).shifts}
    series = set(re.findall(r"^(M\d+) ", sections.get("series", ""), re.MULTILINE))
    told = set(re.findall(r"^(O\d+) ", sections.get("objects", ""), re.MULTILINE))
    for what, all_of_it, missing in (
        ("templates of failures", failing, failing - seen),
        (f"templates of at most {RARE} lines", rare, rare - seen),
        ("all templates", set(np.flatnonzero(sizes).tolist()), set(np.flatnonzero(sizes).tolist()) - seen),
        ("changes of objects", changes, changes - told),
        ("series that shift", shifted, shifted - series),
    ):
        words = f"{len(all_of_it) - len(missing):,} of {len(all_of_it):,}"
        yield Figure(name=f"{name}: {what}", shown=words, limit="all", kept=not missing if all_of_it else None)


def _raw(case: Case) -> int:
    """Estimate the tokens of everything as it was read."""
    lines = "\n".join(item.raw.decode("utf-8", "replace") for item in case.lines_of(range(1, case.logs.lines + 1)))
    others = "\n".join(item.raw.decode("utf-8", "replace") for letter in "VOMCJ" for item in case.stored(letter))
    return estimate(lines) + estimate(others)


def _lost(case: Case, packed: Packed) -> int:
    section = next(one for one in packed.sections if one.name == "logs")
    back = {line.id: line.text for line in read_lines(section.text.split("\n"))}
    return sum(back.get(f"L{number}") != text for number, text in case.texts_of(range(1, case.logs.lines + 1)))


def _raw_bytes(path: Path) -> int:
    with Case(connect_to_whole(path), path, owned=True) as case:
        return case.logs.raw_bytes
