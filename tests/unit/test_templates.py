import csv
import random
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from bot.signals.masking import mask
from bot.signals.templates import merge_forms

LOGHUB = Path(__file__).parents[3] / "shared" / "data" / "loghub_2k"


def _merge(lines):
    counts = Counter(map(mask, lines))
    forms = sorted(counts)
    merged = merge_forms(forms, [counts[form] for form in forms])
    template = dict(zip(forms, merged.template_of, strict=True))
    return merged, [template[mask(line)] for line in lines]


def _grouping_accuracy(truth, found):
    """Count the lines whose whole group is right (Zhu et al., ICSE 2019)."""
    true_groups, found_groups = defaultdict(set), defaultdict(set)
    for number, (one, other) in enumerate(zip(truth, found, strict=True)):
        true_groups[one].add(number)
        found_groups[other].add(number)
    right = sum(len(group) for group in found_groups.values() if true_groups[truth[min(group)]] == group)
    return right / len(truth)


@pytest.mark.skipif(not LOGHUB.is_dir(), reason="the loghub_2k samples are not beside the repository")
def test_grouping_accuracy_on_public_logs(shown):
    """One configuration for all sixteen systems groups at least nine lines of ten with exactly their like."""
    scores = {}
    for path in sorted(LOGHUB.glob("*/*_structured.csv")):
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            rows = list(csv.DictReader(file))
        _, found = _merge([row["Content"].encode() for row in rows])
        scores[path.parent.name] = _grouping_accuracy([row["EventId"] for row in rows], found)
    mean = sum(scores.values()) / len(scores)
    shown(" ".join([f"loghub_2k grouping accuracy {mean:.3f}:", *(f"{k} {v:.3f}" for k, v in scores.items())]))
    assert len(scores) == 16
    assert mean >= 0.90


def test_a_column_of_many_names_is_a_parameter():
    """Names without digits in one place merge; the number of values decides."""
    names = ["alice", "bob", "carol", "dave", "erin", "frank", "grace"]
    merged, found = _merge([f"session opened for account {name} from console".encode() for name in names])
    assert merged.templates == [b"session opened for account <*> from console"]
    assert {0} == set(found)


@pytest.mark.parametrize(
    "values",
    [
        ["200", "201", "204", "400", "404", "500", "502", "503"],
    ],
)
def test_status_codes_never_merge(values):
    """Eight status codes in one place stay eight templates."""
    merged, _ = _merge([f"request to backend finished status={value} in 12 ms".encode() for value in values])
    assert len(values) == len(merged.templates)


def test_messages_under_one_key_never_merge():
    """The value of msg, event or reason is what a line says, however many there are."""
    events = ["created", "paid", "packed", "shipped", "returned", "lost", "archived", "refunded"]
    merged, _ = _merge([f'{{"logger":"orders","event":"{event}","order":17}}'.encode() for event in events])
    assert len(events) == len(merged.templates)


def test_rare_words_merge():
    """Lines that carry several random words are one template among the others."""
    draw = random.Random(7)
    words = ["".join(draw.choice("bcdfglmnprstv") + draw.choice("aeiou") for _ in range(4)) for _ in range(4000)]
    lines = [
        f"search for {draw.choice(words)} {draw.choice(words)} {draw.choice(words)} gave no result".encode()
        for _ in range(400)
    ]
    merged, _ = _merge([*lines, b"cache warmed", b"listener ready on port 8080"])
    assert len(merged.templates) <= 6


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_forms_does_not_matter(lines, draw):
    """The same forms in another order give the same templates."""
    forms = sorted(set(map(mask, lines)))
    shuffled = list(forms)
    draw.shuffle(shuffled)
    one, other = merge_forms(forms, [1] * len(forms)), merge_forms(shuffled, [1] * len(forms))
    assert one.templates == other.templates
    assert dict(zip(forms, one.template_of, strict=True)) == dict(zip(shuffled, other.template_of, strict=True))
