"""Sets the clocks of some nodes wrong by minutes: their logs, and what their kubelets report, carry the wrong time.

Chat, tickets, metrics and controllers run elsewhere and keep the right time, as Prometheus stamps samples itself.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.evals.randomness import Dice

PIECE = 1 << 20
"""Characters of a log file that are in memory at once."""

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?=[.,Z ]|$)")
_EPOCH_MS = re.compile(r'(?<="time":)\d{13}\b')
_EPOCH_S = re.compile(r'(?<="ts":)\d{10}(?=[.,])')
_NGINX = re.compile(r"(?<=\[)\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2}(?= \+0000\])")
_NGINX_ERROR = re.compile(r"\b\d{4}/\d{2}/\d{2} \d{2}:\d{2}:\d{2}(?= \[)")
_KLOG = re.compile(r"(?<=\b[IWEF])\d{4} \d{2}:\d{2}:\d{2}(?=\.\d{6})")


def clock_skew(folder: Path, rng: Dice, _end: float) -> None:
    """Move the clock of a third of the nodes, at least one, by two to seven minutes."""
    nodes = [node["metadata"]["name"] for node in _items(folder / "kubernetes" / "nodes.json")]
    wrong = {name: rng.choice((-1, 1)) * rng.uniform(120, 420) for name in rng.sample(nodes, max(1, len(nodes) // 3))}
    placed = _placed(folder)
    for path in sorted(folder.glob("kubernetes/*/*/*.log")):
        shift = wrong.get(placed.get((path.parent.parent.name, path.parent.name), ""))
        if shift is not None:
            _rewrite(path, shift)
    for path in sorted(folder.glob("kubernetes/*/events.json")):
        _skew_events(path, wrong)


def _rewrite(path: Path, shift_s: float) -> None:
    """Shift a log file piece by piece: no form of a time reaches over a line's end."""
    other = path.with_suffix(".skewed")
    with path.open(encoding="utf-8") as lines, other.open("w", encoding="utf-8") as out:
        while piece := lines.readlines(PIECE):
            out.write(_shifted("".join(piece), shift_s))
    other.replace(path)


def _skew_events(path: Path, wrong: dict[str, float]) -> None:
    content = json.loads(path.read_text("utf-8"))
    for event in content["items"]:
        shift = wrong.get(event.get("source", {}).get("host", ""))
        if shift is None:
            continue
        for key in ("firstTimestamp", "lastTimestamp"):
            if event.get(key):
                event[key] = _shifted(event[key], shift)
    path.write_text(json.dumps(content, indent=4, ensure_ascii=False) + "\n", "utf-8")


def _items(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["items"] if path.exists() else []
    return found


def _placed(folder: Path) -> dict[tuple[str, str], str]:
    """Tell each pod's node, from what is left of the cluster and from what the scheduler said."""
    placed: dict[tuple[str, str], str] = {}
    for path in sorted(folder.glob("kubernetes/*/pods.json")):
        for pod in _items(path):
            placed[pod["metadata"]["namespace"], pod["metadata"]["name"]] = pod["spec"]["nodeName"]
    for path in sorted(folder.glob("kubernetes/*/events.json")):
        for event in _items(path):
            if event["reason"] == "Scheduled":
                pod = event["involvedObject"]
                placed[pod["namespace"], pod["name"]] = event["message"].rpartition(" to ")[2]
    return placed


def _shifted(text: str, shift_s: float) -> str:
    # Whole seconds: fractions and zones stay as they were printed.
    shift = timedelta(seconds=round(shift_s))

    def moved(form: str) -> Callable[[re.Match[str]], str]:
        def move(found: re.Match[str]) -> str:
            return (datetime.strptime(found[0], form).replace(tzinfo=UTC) + shift).strftime(form)

        return move

    def moved_klog(found: re.Match[str]) -> str:
        # klog names no year; any year with the same calendar serves.
        return (datetime.strptime(f"2026{found[0]}", "%Y%m%d %H:%M:%S").replace(tzinfo=UTC) + shift).strftime(
            "%m%d %H:%M:%S"
        )

    def moved_iso(found: re.Match[str]) -> str:
        return (datetime.fromisoformat(found[0]) + shift).isoformat(sep=found[0][10])

    text = _ISO.sub(moved_iso, text)
    text = _EPOCH_MS.sub(lambda found: str(int(found[0]) + round(shift_s) * 1000), text)
    text = _EPOCH_S.sub(lambda found: str(int(found[0]) + round(shift_s)), text)
    text = _NGINX.sub(moved("%d/%b/%Y:%H:%M:%S"), text)
    text = _NGINX_ERROR.sub(moved("%Y/%m/%d %H:%M:%S"), text)
    return _KLOG.sub(moved_klog, text)
