"""Rows of measured figures, each beside a named peer: ``python -m tests.bench``.

Figures are CPU seconds of this process (user and system), the median of three runs; only ratios of one run compare
across machines. A peer that is not installed is named as such, never guessed (``pip install drain3`` brings the miner).
"""

import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bot.signals.changepoints import change_points
from bot.signals.excursions import excursions
from bot.signals.masking import mask
from bot.signals.templates import merge_forms

_LINES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured thing: amount per CPU second in ``unit``, and a peer's on the same input, None where it is absent."""

    name: str
    amount: float
    unit: str
    peer: str
    peer_amount: float | None


def cpu_s(run: Callable[[], object]) -> float:
    """Measure the CPU seconds of a call, the median of three."""
    taken = []
    for _ in range(3):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return max(statistics.median(taken), 1e-9)


def lines(count: int = _LINES, seed: int = 1) -> list[bytes]:
    """Write log lines as four usual loggers do, with ids, times and addresses that change."""
    draw = random.Random(seed)
    return [line.encode() for number in range(count) for line in (_line(draw, number),)]


def _line(draw: random.Random, number: int) -> str:
    trace, second = f"{draw.getrandbits(128):032x}", number % 60
    order, took = draw.randrange(10**6), draw.randrange(1, 900)
    if number % 4 == 0:
        return f'{{"ts":"2026-11-22T06:28:{second:02}.123Z","level":"info","logger":"orders.api","msg":"request completed","path":"/api/v1/orders/{order}","status":200,"duration_ms":{took},"trace_id":"{trace}"}}'
    if number % 4 == 1:
        return f'10.2.3.{number % 250} - - [22/Nov/2026:06:28:{second:02} +0000] "GET /api/v1/orders/{order} HTTP/1.1" 200 {took} "-" "Mozilla/5.0 (X11; Linux x86_64)" 0.{took:03} {trace}'
    if number % 4 == 2:
        return f'time=2026-11-22T06:28:{second:02}Z level=warn msg="retrying upstream call" attempt={number % 5} upstream=orders:8080 trace={trace}'
    return f"2026-11-22 06:28:{second:02},{took:03} INFO [http-nio-8080-exec-{number % 40}] c.a.o.OrderService - order {order} stored in {took} ms"


def templates_row() -> Row:
    """Mine templates: mask, count, merge; beside Drain3 with its defaults."""
    some = lines()
    size = sum(map(len, some)) / 1e6

    def ours() -> object:
        forms = Counter(map(mask, some))
        return merge_forms(list(forms), list(forms.values()))

    return Row(
        name="template mining",
        amount=size / cpu_s(ours),
        unit="MB/cpu-s",
        peer="drain3",
        peer_amount=_drain3(some, size),
    )


def _drain3(some: Sequence[bytes], size: float) -> float | None:
    try:
        from drain3 import TemplateMiner  # noqa: PLC0415 - an optional peer
        from drain3.template_miner_config import TemplateMinerConfig  # noqa: PLC0415 - an optional peer
    except ImportError:
        return None
    text = [line.decode() for line in some]

    def theirs() -> None:
        miner = TemplateMiner(config=TemplateMinerConfig())
        for line in text:
            miner.add_log_message(line)

    return size / cpu_s(theirs)


def shifts_row() -> Row:
    """Find lasting shifts; the peer is the passing episodes of the same series, so that a slow detector shows."""
    draw = np.random.default_rng(1)
    times = 1_763_769_600.0 + np.arange(1440) * 300.0
    many = [10 + 3 * np.sin(2 * np.pi * times / 86_400) + draw.normal(0, 1, 1440) for _ in range(100)]
    ours = cpu_s(lambda: [change_points(times, values) for values in many])
    other = cpu_s(lambda: [excursions(times, values) for values in many])
    return Row(name="change points", amount=100 / ours, unit="series of 1,440/cpu-s", peer="excursions", peer_amount=100 / other)  # fmt: skip


ROWS: tuple[Callable[[], Row], ...] = (templates_row, shifts_row)


def main() -> None:
    """Print every row."""
    for make in ROWS:
        row = make()
        beside = (
            "not installed"
            if row.peer_amount is None
            else f"{row.peer_amount:.1f} → {row.amount / row.peer_amount:.1f}x"
        )
        print(f"{row.name:<18} {row.amount:9.1f} {row.unit:<22} {row.peer}: {beside}")  # noqa: T201 - this is the program's output


if __name__ == "__main__":
    main()
