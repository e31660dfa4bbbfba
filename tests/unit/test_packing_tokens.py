"""The estimate of tokens, held against counts of the tokenizers' reconstructions, taken once and written down here."""

import random

import pytest

from bot.analyst.packing_tokens import estimate


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


def test_nothing_costs_nothing():
    """And any text costs something."""
    assert estimate("") == 0
    assert estimate("\ud800 x\n") > 0
