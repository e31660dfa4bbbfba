"""What spoiling an export has left of the evidence that a question rests on, counted in the files and not in any report.

A need names sources, ``events:checkout|metrics:checkout``: either will do. A source is gone where less than a quarter is left
of what it said of that name before; one that never said anything of it was never an alternative.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

LEFT = 0.25
"""Share of a source's items below which nobody can tell from it what happened."""


def counted(export: Path, needs: Iterable[str]) -> dict[str, int]:
    """Count what each source that the needs name holds of each name: events, bytes of logs, samples of series."""
    return {
        each: _count(export, *each.split(":", 1)) for each in sorted({one for need in needs for one in need.split("|")})
    }


def gone(needs: Sequence[str], before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    """Give the sources without which a need cannot be met any more: of every need none of whose alternatives is left."""
    lost: list[str] = []
    for need in needs:
        ways = [way for way in need.split("|") if before[way]]
        if ways and all(after[way] < LEFT * before[way] for way in ways):
            lost.extend(way.split(":", 1)[0] for way in ways)
    return sorted(set(lost))


def _count(export: Path, source: str, name: str) -> int:
    return {"events": _events, "logs": _logs, "metrics": _metrics}[source](export, name)


def _events(export: Path, name: str) -> int:
    paths = sorted(export.rglob("events.json"))
    return sum(name in json.dumps(item) for path in paths for item in json.loads(path.read_text("utf-8"))["items"])


def _logs(export: Path, name: str) -> int:
    files = [path.stat().st_size for path in sorted(export.rglob("*.log")) if path.parent.name.startswith(name)]
    return sum(files) + sum(
        len(line)
        for path in sorted(export.glob("loki/*.json"))
        for stream in json.loads(path.read_text("utf-8"))["data"]["result"]
        if stream["stream"]["pod"].startswith(name)
        for _, line, *_ in stream["values"]
    )


def _metrics(export: Path, name: str) -> int:
    return sum(
        len(series["values"])
        for path in sorted(export.glob("prometheus/*.json"))
        for series in json.loads(path.read_text("utf-8"))["data"]["result"]
        if any(value.startswith(name) for value in series["metric"].values())
    )
