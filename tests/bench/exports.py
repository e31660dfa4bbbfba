"""Writes large incident exports to measure with: an incident that is simulated, and any amount of other pods' logs around it.

The other pods speak as usual software does (JSON, logfmt, klog, access logs, Java with stack traces), through some three
hundred messages, with random ids, times and addresses, over the same five days. The same seed writes the same bytes.
"""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from bot.evals.fixture import SEED
from bot.evals.simulate import simulate

DAYS = 5.0
PHRASE = "upstream connection reset"
RARE_ID = "0123456789abcdeffedcba9876543210"
_PODS = 250
_MESSAGES = 60
_WORDS = [
    "cache",
    "order",
    "payment",
    "session",
    "token",
    "cart",
    "stock",
    "price",
    "user",
    "invoice",
    "queue",
    "worker",
    "batch",
    "index",
    "shard",
    "replica",
    "lease",
    "quota",
    "config",
    "schema",
    "report",
    "export",
    "import",
    "mail",
    "search",
    "basket",
    "refund",
    "ledger",
    "tenant",
    "device",
    "gateway",
    "upstream",
]
_ACTS = [
    "loaded",
    "stored",
    "evicted",
    "refreshed",
    "rejected",
    "queued",
    "expired",
    "merged",
    "synced",
    "scanned",
    "parsed",
    "sent",
    "dropped",
    "renewed",
]


def write_export(out: Path, megabytes: float, seed: int = SEED) -> Path:
    """Write an export of about so many megabytes of logs below ``out`` and give it."""
    simulate("story", out, seed=seed, days=DAYS, scale=1.0)
    start_s = _first_moment(out)
    share = int(megabytes * 1e6 / _PODS)
    for number in range(_PODS):
        draw = random.Random(f"{seed}/{number}")
        service = f"svc-{number // 5}"
        pod = f"{service}-{draw.getrandbits(36):09x}-{draw.getrandbits(20):05x}"
        place = out / "kubernetes" / "crowd" / pod / "main.log"
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("wb") as file:
            for piece in _pieces(draw, number, start_s, share):
                file.write(piece)
    return out


def _first_moment(out: Path) -> float:
    logs = sorted(out.rglob("*.log"))
    stamps = [line[:19].decode() for path in logs for line in path.open("rb").readlines(64)[:1] if len(line) > 30]
    return datetime.fromisoformat(min(stamps)).replace(tzinfo=UTC).timestamp()


def _pieces(draw: random.Random, number: int, start_s: float, size: int) -> Iterator[bytes]:
    shape = _SHAPES[number % len(_SHAPES)]
    talk = random.Random(number % len(_SHAPES))  # whoever logs in one way says the same things
    messages = [f"{talk.choice(_WORDS)} {talk.choice(_WORDS)} {talk.choice(_ACTS)}" for _ in range(_MESSAGES)]
    messages[7] = PHRASE
    lines = max(1, size // 235)
    step, written, at = DAYS * 86_400 / lines, 0, start_s
    while written < size:
        rows = []
        for _ in range(2000):
            at += step * draw.random() * 2
            rows.append(shape(draw, messages[int(draw.random() ** 2 * _MESSAGES)], at))
        if number == 1 and not written:
            rows[100] = shape(draw, f"order accepted trace={RARE_ID}", at)
        piece = "".join(rows).encode()
        written += len(piece)
        yield piece


def _stamp(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}.{int(at % 1 * 1e9):09d}Z"


def json_line(draw: random.Random, message: str, at: float) -> str:
    stamp = _stamp(at)
    return (
        f'{stamp} {{"ts":"{stamp}","level":"info","logger":"shop.orders","msg":"{message}","order":{draw.randrange(10**7)},'
        f'"duration_ms":{draw.randrange(900)},"trace_id":"{draw.getrandbits(128):032x}","span_id":"{draw.getrandbits(64):016x}"}}\n'
    )


def logfmt(draw: random.Random, message: str, at: float) -> str:
    stamp = _stamp(at)
    return (
        f'{stamp} time={stamp} level=warn msg="{message}" attempt={draw.randrange(5)} upstream=10.2.{draw.randrange(250)}.7:8080 '
        f"bytes={draw.randrange(10**6)} trace={draw.getrandbits(128):032x}\n"
    )


def klog(draw: random.Random, message: str, at: float) -> str:
    stamp = _stamp(at)
    return (
        f"{stamp} I1122 {stamp[11:26]} {draw.randrange(1, 9)} controller.go:{draw.randrange(400)}] {message} "
        f'pod="crowd/api-{draw.getrandbits(36):09x}-{draw.getrandbits(20):05x}" generation={draw.randrange(900)}\n'
    )


def access(draw: random.Random, message: str, at: float) -> str:
    noun = message.split(" ", 1)[0]
    status = 200 if draw.random() < 0.99 else 404
    return (
        f"{_stamp(at)} 10.3.{draw.randrange(250)}.{draw.randrange(250)} - - [22/Nov/2026:06:28:01 +0000] "
        f'"GET /api/{noun}/{draw.randrange(10**6)}?page={draw.randrange(50)} HTTP/1.1" {status} {draw.randrange(9000)} "-" '
        f'"Mozilla/5.0 (X11; Linux x86_64)" rt=0.{draw.randrange(999):03d} id={draw.getrandbits(128):032x}\n'
    )


def java(draw: random.Random, message: str, at: float) -> str:
    stamp = _stamp(at)
    head = (
        f"{stamp} {stamp[:10]} {stamp[11:19]},{stamp[20:23]} INFO [http-nio-8080-exec-{draw.randrange(40)}] "
        f"c.a.shop.OrderService - {message} for {draw.randrange(10**7)} in {draw.randrange(900)} ms, trace {draw.getrandbits(128):032x}\n"
    )
    if draw.random() < 0.997:
        return head
    frames = "".join(
        f"{stamp} \tat com.acme.shop.Layer{depth}.call(Layer{depth}.java:{40 + depth})\n" for depth in range(12)
    )
    return f"{head}{stamp} java.lang.IllegalStateException: {message}\n{frames}"


_SHAPES: tuple[Callable[[random.Random, str, float], str], ...] = (json_line, logfmt, klog, access, java)
