"""The digest of log lines beside Drain3, and how well it groups public logs."""

import csv
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bot.native.batch import Oddities, lines_of
from bot.signals.masking import mask
from bot.signals.templates import merge_forms
from bot.sources.export.lines import dating_of
from tests.bench.exports import access, java, json_line, klog, logfmt
from tests.bench.figures import Figure, cpu_s

LOGHUB = Path(__file__).parents[3] / "shared" / "data" / "loghub_2k"
_BYTES = 10_000_000
_PEERS_LINES = 20_000


def sample(size: int = _BYTES, seed: int = 1) -> bytes:
    """Write log lines as five usual loggers do, some three hundred messages, ids, times and addresses that change."""
    draw = random.Random(seed)
    shapes = (json_line, logfmt, klog, access, java)
    words = ["order", "payment", "cart", "stock", "price", "session", "lease", "index", "shard", "quota"]
    talk = [f"{one} {other} {act}" for one in words for other in words[:3] for act in ("stored", "dropped")]
    lines, written, at = [], 0, 1.7636e9
    while written < size:
        at += draw.random()
        lines.append(shapes[len(lines) % 5](draw, draw.choice(talk), at))
        written += len(lines[-1])
    return "".join(lines).encode()


def mined(text: bytes) -> list[bytes]:
    """Find borders and times, key, mask what is new, count, merge: what ``analyze`` does with a file's lines."""
    starts, lengths = lines_of(text, 1 << 20, Oddities())
    head = [text[at : at + size] for at, size in zip(starts[:300].tolist(), lengths[:300].tolist(), strict=True)]
    batch = dating_of(head, 1.7636e9).stamp(text, starts, lengths)
    counts: Counter[bytes] = Counter()
    keys = batch.keys()
    if keys is None:
        counts.update(mask(raw[start:]) for _, raw, start in batch)
    else:
        _, firsts, times = np.unique(keys, return_index=True, return_counts=True)
        for first, count in zip(firsts.tolist(), times.tolist(), strict=True):
            _, raw, start = batch[first]
            counts[mask(raw[start:])] += count
    return merge_forms(list(counts), list(counts.values())).templates


def digest_figure() -> Figure:
    """Mine templates in one thread, beside Drain3 with its defaults on the head of the same lines."""
    text = sample()
    ours = len(text) / 1e6 / cpu_s(lambda: mined(text))
    head = text.split(b"\n")[:_PEERS_LINES]
    theirs = _drain3(head)
    name = "log digest, one thread, beside Drain3"
    if theirs is None:
        return Figure(name=name, shown=f"{ours:.0f} MB/cpu-s, Drain3 is not installed", limit="≥ 70 ×", kept=None)
    shown = f"{ours:.0f} MB/cpu-s to {theirs:.2f}: {ours / theirs:.0f} ×"
    return Figure(name=name, shown=shown, limit="≥ 70 ×", kept=ours >= 70 * theirs)


def _drain3(lines: Sequence[bytes]) -> float | None:
    try:
        from drain3 import TemplateMiner  # noqa: PLC0415 - an optional peer
        from drain3.template_miner_config import TemplateMinerConfig  # noqa: PLC0415 - an optional peer
    except ImportError:
        return None
    text = [line.decode() for line in lines]

    def theirs() -> None:
        miner = TemplateMiner(config=TemplateMinerConfig())
        for line in text:
            miner.add_log_message(line)

    return sum(map(len, lines)) / 1e6 / cpu_s(theirs)


def accuracy_figure() -> Figure:
    """Group sixteen systems' public logs with one configuration (grouping accuracy: Zhu et al., ICSE 2019)."""
    name, limit = "grouping accuracy, mean of the loghub_2k systems", "≥ .92"
    paths = sorted(LOGHUB.glob("*/*_structured.csv"))
    if not paths:
        return Figure(name=name, shown="the samples are not beside the repository", limit=limit, kept=None)
    mean = sum(map(_grouped_right, paths)) / len(paths)
    return Figure(name=name, shown=f"{mean:.3f} over {len(paths)} systems", limit=limit, kept=mean >= 0.92)


def _grouped_right(path: Path) -> float:
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = list(csv.DictReader(file))
    forms = [mask(row["Content"].encode()) for row in rows]
    counts = Counter(forms)
    merged = merge_forms(sorted(counts), [counts[form] for form in sorted(counts)])
    template = dict(zip(sorted(counts), merged.template_of, strict=True))
    true, found = defaultdict(set), defaultdict(set)
    for number, (row, form) in enumerate(zip(rows, forms, strict=True)):
        true[row["EventId"]].add(number)
        found[template[form]].add(number)
    right = sum(len(group) for group in found.values() if true[rows[min(group)]["EventId"]] == group)
    return right / len(rows)
