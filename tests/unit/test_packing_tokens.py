"""The estimate of tokens, held against counts of the tokenizers' reconstructions, taken once and written down here."""

import json
import random
from pathlib import Path

import pytest

from bot.analyst.packing_tokens import counts, estimate
from bot.analyst.packing_weights import WEIGHTS


def _drawn(seed, pieces, count):
    rng = random.Random(seed)
    return "\n".join(
        rng.choice(pieces).format(n=rng.randrange(10**5), m=rng.randrange(60), h=f"{rng.getrandbits(64):016x}")
        for _ in range(count)
    )


SAMPLES = {
    "raw lines": _drawn(
        1,
        [
            '2026-11-17T06:{m:02}:01.123456789Z {{"level":"info","msg":"request completed","path":"/api/v1/orders/{n}","status":200}}',
            '2026-11-17T06:{m:02}:02.5Z level=warn svc=bookings msg="slow request: took {n} ms above threshold" trace={h}',
            "2026-11-17T06:{m:02}:03.25Z ERROR 1 --- [worker-{m}] com.shop.AccountsService : SQL Error: 0, SQLState: 57014",
        ],
        200,
    ),
    "packed lines": _drawn(
        2,
        [
            "L{n} 06:{m:02}:01.204 T5 198.51.100.{m} POST {n} {m}.312",
            "7 {m:02}.880 T12 {n} {h}",
            "8 {m:02}.031 T9 {m} {n}",
        ],
        400,
    ),
    "series": _drawn(3, ["{m} {n} {m} {m} {n} {m} {m}"], 200),
    "manifest": _drawn(
        4,
        [
            '{{"spec":{{"containers":[{{"image":"registry.example/shop:{m}","name":"app","resources":{{"limits":{{"cpu":"{m}m","memory":"512Mi"}}}}}}],"terminationGracePeriodSeconds":{m}}}}}'
        ],
        60,
    ),
}
COUNTED = {
    ("raw lines", "claude"): 11_487,
    ("raw lines", "claude_4_6"): 9_347,
    ("raw lines", "o200k"): 8_772,
    ("packed lines", "claude"): 9_469,
    ("packed lines", "claude_4_6"): 9_192,
    ("packed lines", "o200k"): 8_564,
    ("series", "claude"): 3_199,
    ("series", "claude_4_6"): 3_201,
    ("series", "o200k"): 3_193,
    ("manifest", "claude"): 4_865,
    ("manifest", "claude_4_6"): 3_186,
    ("manifest", "o200k"): 2_460,
}
"""By ctok 1.3.0 (Claude 4.8 and 3.0) and bpe-openai 0.1.4."""


@pytest.mark.parametrize(("sample", "family"), sorted(COUNTED))
def test_the_estimate_is_close(sample, family):
    """Within a tenth for a few kilobytes of one kind; a case mixes kinds, and comes closer."""
    assert COUNTED[sample, family] == pytest.approx(estimate(SAMPLES[sample], family), rel=0.1)


WINDOWS = json.loads(Path(__file__).with_name("token_counts.json").read_text(encoding="utf-8"))
"""Windows of sections of packed cases, simulated ones, with their counts by the same tokenizers; see ``packing_weights``."""
KINDS = sorted({window["kind"] for window in WINDOWS})


@pytest.mark.parametrize("family", ["claude", "claude_4_6", "o200k"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_estimate_of_a_section_is_within_five_percent(kind, family):
    """By kind of section, small windows of several cases together; one alone, of 600 or 2,500 characters, within fifteen."""
    mine = [window for window in WINDOWS if window["kind"] == kind]
    told = [estimate(window["text"], family, kind) for window in mine]
    assert sum(window[family] for window in mine) == pytest.approx(sum(told), rel=0.05)
    for window, one in zip(mine, told, strict=True):
        assert window[family] == pytest.approx(one, rel=0.15)


def test_every_kind_of_section_is_calibrated():
    """A section that nobody counted is estimated as any text is."""
    assert {kind for kinds in WEIGHTS.values() for kind in kinds} == {"", *KINDS}
    assert all(len(row) == len(counts("x")) for kinds in WEIGHTS.values() for row in kinds.values())
    assert estimate("word " * 99, kind="of no case") == estimate("word " * 99)


def test_nothing_costs_nothing():
    """And any text costs something."""
    assert estimate("") == 0
    assert estimate("\ud800 x\n") > 0
