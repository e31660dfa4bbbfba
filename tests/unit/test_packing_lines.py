"""Lines as templates and parameters: whatever they hold, they are read back as they were."""

from hypothesis import given, strategies as st

from bot.analyst.packing_lines import Row, build, numbered
from bot.analyst.packing_parts import TOO_LONG, UNSEARCHED, WITHHELD, Outlet
from bot.analyst.packing_read import read_lines
from bot.analyst.packing_text import FENCE, escape, unescape
from bot.analyst.packing_times import spell, with_times
from bot.errors import RedactionError
from bot.redaction.gate import LONGEST_LINE

NOON = 1_794_830_400_000_000_000  # 2026-11-16T12:00:00Z
TRICKY = st.sampled_from(
    [
        *(
            "",
            " ",
            "  two  blanks ",
            "\t\tat a.b(C.java:1)",
            "=",
            "=T1",
            "T1 a b",
            "L1 12:00:00 =x",
            "@ 2026-01-01",
            "# a/b",
        ),
        *("«a»", "«=a»", "«%H:%M:%S»", "a\nb", "a\r\nb\u2028c", "\u240a", "\u2410(41)", "\ue000%s|0\ue001", "\ud800"),
        *(f"</{FENCE}>", "\x1b[31mred\x1b[0m", "\u202eevil", "\U000e0041", "a  b", "ключ=значение", "{}", '{"a":1}'),
        *(
            "2026-11-16T12:00:00.123Z up",
            "16/Nov/2026:12:00:00 +0000",
            "1794830400.1234",
            "1794830400123",
            "2026/11/16 12:00:01",
        ),
        *("2026-11-16T99:00:00", "16/Foo/2026:12:00:00", "2026-13-45 12:00:00,5"),
    ]
)
WORDS = st.sampled_from(
    ["GET", "/api/1", "took", "17", "ms", "«", "»", "id=5", "id=6", "(x)", "2026-11-16T12:00:00.5Z"]
)
TEXTS = st.one_of(TRICKY, st.text(max_size=40), st.lists(WORDS, max_size=6).map(" ".join))
TIMES = st.one_of(st.just(-1), st.integers(NOON, NOON + 10 * 86_400 * 10**9), st.integers(0, NOON + 2**60))


@given(st.lists(st.tuples(TEXTS, TIMES, st.integers(0, 2)), max_size=30), st.integers(1, 10**9))
def test_every_line_comes_back(lines, first):
    """Id, time to the millisecond and every character, whatever strangers wrote."""
    rows = [
        Row(number=first + 2 * place if form else first + 2 * place + 1, time_ns=at, form=form, text=text)
        for place, (text, at, form) in enumerate(lines)
    ]
    told = build(rows)
    printed = [
        *told.templates,
        *numbered("L", ((r.number, r.time_ns, b) for r, b in zip(rows, told.bodies, strict=True))),
    ]
    expected = [(f"L{row.number}", None if row.time_ns < 0 else row.time_ns // 10**6, row.text) for row in rows]
    assert expected == [(line.id, line.time_ms, line.text) for line in read_lines(printed)]
    assert not any("\n" in row or f"</{FENCE}" in row for row in printed)


def test_what_varies_is_all_that_is_repeated():
    """The line's own time, what never changes, and a value said twice cost nothing."""
    rows = [
        Row(
            number=n,
            time_ns=NOON + n * 10**9,
            form=0,
            text=f"2026-11-16T12:00:{n:02}.000Z GET /a/{n * 7}/run from /a/{n * 7}/run",
        )
        for n in range(1, 9)
    ]
    told = build(rows)
    assert told.templates == ("T1 «%Y-%m-%dT%H:%M:%S.%3f»Z GET /a/«a»/run from /a/«=a»/run",)
    assert told.bodies[:2] == ("T1 7", "T1 14")


def test_ids_and_times_say_only_what_is_new():
    """A whole id every ten and after a jump; hour and minute where they change; the date once."""
    rows = [
        (8, NOON, "a"),
        (9, NOON + 5 * 10**8, "b"),
        (10, NOON + 10**9, "c"),
        (12, NOON + 61 * 10**9, "d"),
        (13, -1, "e"),
    ]
    assert list(numbered("L", rows)) == [
        *("@ 2026-11-16", "L8 12:00:00 a", "9 00.500 b", "L10 01 c", "L12 12:01:01 d", "3 - e"),
    ]  # fmt: skip


@given(st.text())
def test_text_stays_on_its_row_and_comes_back(text):
    """No line end, no hidden character, no end of a section; and nothing is lost."""
    written = escape(text)
    assert unescape(written) == text
    assert written.splitlines() in ([], [written])
    assert FENCE not in written.lower()


@given(st.text(max_size=60), TIMES.filter(lambda at: at >= 0))
def test_times_are_spelled_as_they_were(text, at):
    """A pattern and an offset give the very characters back."""
    for sample in (
        text,
        f"{text}2026-11-16T12:00:00,25{text}",
        f"[16/Nov/2026:12:00:00 +0000] {at // 10**9}.{at % 10**9:09}",
    ):
        marked = []
        with_times(sample, at, lambda pattern, offset, kept=marked: kept.append((pattern, offset)) or "")
        for pattern, offset in marked:
            assert spell(pattern, offset, at) in sample


def test_what_does_not_pass_is_booked_once_by_source_with_its_size():
    """A text the gate cannot search is withheld whole, one that is too long beyond its bound; each is counted once."""

    def redact(text):
        if "tangled" in text:
            raise RedactionError("no")
        return text

    outlet = Outlet(redact=redact)
    for _ in range(2):
        assert WITHHELD == outlet.raw("tangled ü", "loki", "7")
        outlet.raw("x" * (LONGEST_LINE + 20), "slack", "C1")
        outlet.raw("short\n" * LONGEST_LINE, "slack", "C2")
    assert [("loki", UNSEARCHED, 1, 10), ("slack", TOO_LONG, 1, 20)] == [
        (one.source, one.why, one.texts, one.bytes) for one in outlet.withheld
    ]
    assert "1 log line (10 B) withheld: " in outlet.withheld[0].words
