"""Takes evidence away from a finished export, or spoils it, as real exports are poor: what is missing, late, thin or hostile.

Works on the files alone and after the fact, so that every mode fits every scenario. What the truth says stays as it was.
"""

import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.errors import UsageError
from bot.evals.decoys import DECOY
from bot.evals.hostile import hostile_text
from bot.evals.randomness import Dice, dice
from bot.evals.skew import clock_skew

Mode = Callable[[Path, Dice, float], None]
"""``(export folder, dice, end of the window in epoch seconds)``"""


def degrade(folder: Path, modes: Sequence[str], *, key: str, end: float) -> None:
    """Apply modes to an export folder in their order; raises UsageError for one that does not exist.

    What was staged (``decoy``) is in the files already.
    """
    check(modes)
    for mode in modes:
        if mode in MODES:
            MODES[mode](folder, dice(key, "degrade", mode), end)


def check(modes: Iterable[str]) -> None:
    """Raise UsageError where a mode does not exist."""
    for mode in modes:
        if mode not in WAYS:
            raise UsageError(f"There is no way to degrade called {mode!r}. Choose of: {', '.join(WAYS)}.")


def _no_prometheus(folder: Path, _rng: Dice, _end: float) -> None:
    shutil.rmtree(folder / "prometheus", ignore_errors=True)


def _no_logs(folder: Path, _rng: Dice, _end: float) -> None:
    shutil.rmtree(folder / "loki", ignore_errors=True)
    for path in sorted(folder.rglob("*.log")):
        path.unlink()


def _no_events(folder: Path, _rng: Dice, _end: float) -> None:
    for path in sorted(folder.rglob("events.json")):
        path.unlink()


def _events_expired(folder: Path, _rng: Dice, end: float) -> None:
    """Keep what an API server with the default ``--event-ttl`` of one hour still has."""
    oldest = datetime.fromtimestamp(end, tz=UTC) - timedelta(hours=1)

    def fresh(event: dict[str, Any]) -> bool:
        at = event.get("lastTimestamp") or event.get("eventTime")
        return bool(at) and datetime.fromisoformat(str(at)) >= oldest

    for path in sorted(folder.rglob("events.json")):
        content = json.loads(path.read_text("utf-8"))
        content["items"] = [event for event in content["items"] if fresh(event)]
        path.write_text(json.dumps(content, indent=4, ensure_ascii=False) + "\n", "utf-8")


def _dead_pod_logs_gone(folder: Path, _rng: Dice, _end: float) -> None:
    """Keep logs of pods that still exist: the rest went with their pods."""
    living = set()
    for path in sorted(folder.glob("kubernetes/*/pods.json")):
        for pod in json.loads(path.read_text("utf-8"))["items"]:
            living.add((pod["metadata"]["namespace"], pod["metadata"]["name"]))
    for path in sorted(folder.glob("kubernetes/*/*/*.log")):
        if (path.parent.parent.name, path.parent.name) not in living:
            path.unlink()
    for path in sorted(folder.glob("loki/*.json")):
        labels = json.loads(path.read_text("utf-8"))["data"]["result"][0]["stream"]
        if (labels["namespace"], labels["pod"]) not in living:
            path.unlink()


def _sparse_metrics(folder: Path, rng: Dice, _end: float) -> None:
    """Keep one sample in six and three series in five, with holes of hours."""
    for path in sorted(folder.glob("prometheus/*.json")):
        content = json.loads(path.read_text("utf-8"))
        kept = [series for series in content["data"]["result"] if rng.random() < 0.6]
        for series in kept:
            hole = rng.randrange(len(series["values"]) + 1)
            values = series["values"][::6]
            series["values"] = values[: hole // 6] + values[hole // 6 + 8 :]
        content["data"]["result"] = [series for series in kept if series["values"]]
        path.write_text(json.dumps(content, separators=(",", ":")) + "\n", "utf-8")


MODES: dict[str, Mode] = {
    "no-prometheus": _no_prometheus,
    "no-logs": _no_logs,
    "no-events": _no_events,
    "clock-skew": clock_skew,
    "events-expired": _events_expired,
    "dead-pod-logs-gone": _dead_pod_logs_gone,
    "sparse-metrics": _sparse_metrics,
    "hostile-text": hostile_text,
}
WAYS = (*MODES, DECOY)
"""Every way to make an incident harder to read: what spoils files, and what is staged beside it."""
