import pytest
from casefile_samples import at, at_ns, event, message, stream, ticket, version
from hypothesis import given, settings, strategies as st

from bot.casefile.blocks import ANY_FORM
from bot.casefile.search import haystack, search
from bot.casefile.writer import CaseWriter
from bot.domain.ports import UNDATED
from bot.signals.masking import mask

PREFIX = b"2026-11-03T12:00:00Z "
WORDS = st.sampled_from(
    ["aba", "ABAB", "timeout", "4bf92f3577b34da6a3ce929d0e0e4736", "shop-7d9f8c6b5-x2x4z9", "é", "\0", " "]
)
TEXT = st.lists(WORDS, max_size=5).map(lambda words: "".join(words).encode())
NEEDLE = st.one_of(
    st.sampled_from(
        ["aba", "abab", "TIMEOUT", "92f3577b34da6a3ce9", "bf92f3577b34da6a3ce929d0e0e473", "É", "2026", "\n", "Back"]
    ),
    st.text("ab 4f", min_size=1, max_size=4),
)


def lower(text):
    return text.encode("utf-8", "surrogatepass").lower()


def naive(case, needle, start, end):
    """Every item looked at, one by one."""
    lines = case.lines_of(range(1, case.logs.lines + 1))
    others = [item for letter in "VOCJ" for item in case.stored(letter)]
    start_at = {item.id: len(PREFIX) if item.raw.startswith(PREFIX) else 0 for item in lines}
    found = [
        item
        for item in [*case.lines_of(range(1, case.logs.lines + 1)), *others]
        if lower(needle) in (item.raw[start_at[item.id] :].lower() if item.id in start_at else haystack(item))
        and (start is None or (item.at is not None and start <= item.at))
        and (end is None or (item.at is not None and item.at < end))
    ]
    return sorted(
        found, key=lambda item: (item.at is None, item.at or at(0), "LVOCJ".index(item.id[0]), int(item.id[1:]))
    )


MINUTES = st.one_of(st.none(), st.integers(-5, 25))


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(st.tuples(TEXT, st.integers(-1, 20), st.booleans()), max_size=25),
    needle=NEEDLE,
    bounds=st.tuples(MINUTES, MINUTES),
    held=st.booleans(),
)
def test_search_equals_looking_at_everything(tmp_path_factory, texts, needle, bounds, held):
    """Hits, their order and the total are those of a naive scan, in any span of time, whether columns are held or read in parts."""
    start, end = (None if bound is None else at(bound) for bound in bounds)
    with pytest.MonkeyPatch.context() as patch, CaseWriter(tmp_path_factory.mktemp("case") / "x.case") as writer:
        patch.setattr("bot.casefile.loglines.BLOCK_BYTES", 120)
        if not held:
            patch.setattr("bot.casefile.logreader.HELD_LINES", 0)
            patch.setattr("bot.casefile.logreader.RUN_BLOCKS", 2)
        number = writer.open_stream(stream())
        for text, minutes, prefixed in texts:
            prefix = PREFIX if prefixed else b""
            time_ns = UNDATED if minutes < 0 else at_ns(minutes)
            writer.add_lines(number, [(time_ns, prefix + text, len(prefix))])
        writer.add_event(event(3))
        writer.add_object(version())
        writer.add_message(message(4, text="aba timeout \ud800"))
        writer.add_ticket(ticket(4, text="ABABA"))
        case = writer.reader()
        expected = naive(case, needle, start, end)
        assert (expected, len(expected)) == _shown(search(case, needle, start=start, end=end, limit=1000))
        assert (expected[:2], len(expected)) == _shown(search(case, needle, start=start, end=end, limit=2))


def _shown(result):
    return result.hits, result.total


def test_an_empty_text_finds_nothing(tmp_path):
    """Nothing is not a text."""
    with CaseWriter(tmp_path / "x.case") as writer:
        writer.add_event(event())
        assert ([], 0) == _shown(search(writer.reader(), ""))


def test_events_are_found_by_reason_and_name(tmp_path):
    """A reason or an object's name finds the event though its message has neither."""
    with CaseWriter(tmp_path / "x.case") as writer:
        writer.add_event(event(message="m"))
        case = writer.reader()
        assert [1, 1, 0] == [search(case, text).total for text in ("backoff", "7D9F-x2", "kubelet")]


def test_the_prefix_of_a_line_is_not_its_text(tmp_path):
    """A number in every line's time prefix does not match every line."""
    with CaseWriter(tmp_path / "x.case") as writer:
        number = writer.open_stream(stream())
        writer.add_lines(
            number, [(at_ns(0), PREFIX + b"ok", len(PREFIX)), (at_ns(0), PREFIX + b"in 2026", len(PREFIX))]
        )
        assert ["L2"] == [hit.id for hit in search(writer.reader(), "2026").hits]


_WORD = st.sampled_from(
    ["connection", "reset", "upstream", "17", "x1-connection", "reset-9", "deadbeef", "(", ")", ", ", "GET /a?b=c", "<*>", '"msg":"',
     '"', "\x1b[31m", " " * 300, "v" * 300, ";" * 200 + " " + ";" * 200, "01/Nov/2026", "502", "status=", "w " * 800, "."]
)  # fmt: skip
_LINE = st.lists(st.tuples(_WORD, st.sampled_from(["", " ", " ", "  "])), max_size=7).map(
    lambda parts: "".join(word + gap for word, gap in parts).encode()
)


@settings(max_examples=80, deadline=None)
@given(
    lines=st.lists(_LINE, max_size=12),
    needle=st.one_of(
        st.lists(st.sampled_from(["connection", "reset", "upstream", "17", "x1", "9", "deadbeef", "502", "w"]), min_size=1, max_size=3).map(" ".join),
        st.sampled_from(["on reset", "connection ", " reset", "(", "reset-", "tion  re", "a?b", "<*>", "<*> reset", "; ;", "upstream x1-connection reset"]),
    ),
    most=st.sampled_from([2, 30_000]),
)  # fmt: skip
def test_forms_never_tell_a_wrong_count(tmp_path_factory, lines, needle, most):
    """With masked forms, of which most lines are counted unopened, the count is that of looking at every line, however many forms."""
    with pytest.MonkeyPatch.context() as patch, CaseWriter(tmp_path_factory.mktemp("case") / "x.case", mask) as writer:
        patch.setattr("bot.casefile.loglines.BLOCK_BYTES", 600)
        patch.setattr("bot.casefile.loglines.MOST_FORMS", most)
        number = writer.open_stream(stream())
        for place, line in enumerate(lines):
            writer.add_lines(number, [(at_ns(place), line, 0)])
        expected = [f"L{place + 1}" for place, line in enumerate(lines) if needle.encode() in line.lower()]
        found = search(writer.reader(), needle)
        assert (expected, len(expected)) == ([hit.id for hit in found.hits], found.total)


def test_lines_beyond_the_forms_that_are_told_apart_are_counted_as_lost(tmp_path, monkeypatch):
    """Where every line is put in other words, those that came too late share one form, and it is said how many they are."""
    monkeypatch.setattr("bot.casefile.loglines.MOST_FORMS", 2)
    with CaseWriter(tmp_path / "x.case", mask) as writer:
        number = writer.open_stream(stream())
        texts = (b"alpha reset", b"beta full", b"alpha reset", b"gamma down", b"delta up")
        writer.add_lines(number, [(at_ns(0), text, 0) for text in texts])
        for _ in range(2):  # however often it is looked
            (logs,) = [row for row in writer.coverage() if row.source == "kubernetes/logs"]
            assert [2] == [gap.count for gap in logs.gaps if "different forms" in gap.what and gap.lost]
        case = writer.reader()
        forms = [(row.form, row.count) for row in case.forms()]
        assert [(b"alpha reset", 2), (b"beta full", 1), (ANY_FORM, 2)] == forms
        assert ["L4"] == [hit.id for hit in search(case, "gamma down").hits]
