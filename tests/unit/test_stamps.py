"""The time before a log line is stored once: what its time gives back the stored text does without."""

import random
from dataclasses import replace
from datetime import date

from export_sink import written
from hypothesis import given, settings, strategies as st

from bot.casefile.blocks import stamped
from bot.casefile.home import open_case
from bot.casefile.writer import CaseWriter
from bot.domain.items import ItemId
from bot.native.batch import batch_of, prefix_times
from bot.signals.masking import mask
from bot.sources.export import ExportSource
from bot.sources.export.lines import Dating


def stamps_of(lines):
    """Give times, where texts begin and stamps; without compiled loops as Python reads them."""
    columns = lines.text, lines.starts, lines.lengths
    dating = Dating(prefixed=True, primary=None, daters=(), reference_s=0.0, zoned=True)
    return prefix_times(*columns) or dating.by_prefix(*columns)


@given(
    st.lists(
        st.builds(
            lambda day, clock, fraction, rest: day + b"T" + clock + fraction + rest,
            st.dates(date(1971, 1, 1), date(2199, 12, 31)).map(lambda day: day.isoformat().encode())
            | st.sampled_from([b"2026-02-29", b"1970-01-01", b"2200-01-01"]),
            st.times().map(lambda at: at.isoformat("seconds").encode()) | st.sampled_from([b"23:59:60", b"24:00:00"]),
            st.integers(0, 10)
            .flatmap(lambda size: st.text("0123456789", min_size=size, max_size=size))
            .map(lambda digits: f".{digits}".encode() if digits else b""),
            st.sampled_from([b"Z up", b"Z", b"Z ", b"+00:00 up", b"-01:30 up", b"Z stdout F up", b" up", b"Z\tup"]),
        ),
        max_size=12,
    )
)
@settings(max_examples=200, deadline=None)
def test_a_time_gives_back_the_stamp_that_is_stored_without(raws):
    """Whatever is left out of a line's text is what its time is printed as; the usual prefixes are left out."""
    lines = batch_of([(0, raw, 0) for raw in raws])
    times, text_starts, stamps = stamps_of(lines)
    whole = replace(lines, times_ns=times, text_starts=text_starts, stamps=stamps)
    rests = [raw[size:] for raw, size in zip(raws, stamps.tolist(), strict=True)]
    assert b"\n".join(rests) == bytes(whole.joined())
    told = [stamped(*each) for each in zip(times.tolist(), stamps.tolist(), strict=True)]
    assert raws == [stamp + rest for stamp, rest in zip(told, rests, strict=True)]
    assert (stamps <= text_starts).all()
    usual = [len(raw.split(b" ")[0]) + 1 for raw in raws if b"Z " in raw]
    assert {0, *usual} >= set(stamps.tolist())


def test_the_usual_prefixes_are_not_stored_twice():
    """What kubectl and the runtimes write before a line, with any number of digits; not another zone's, nor one with no line behind it."""
    prefixes = [
        "2026-11-22T06:28:01Z ",
        "2026-11-22T06:28:01.5Z ",
        "2026-11-22T06:28:59.000000001Z ",
        "2199-12-31T00:00:00.999999Z ",
    ]
    others = ["2026-11-22T06:28:01.5+00:00 ", "2026-12-31T23:59:60.5Z ", "2026-11-22T06:28:01.5Z", "no time "]
    lines = batch_of([(0, each.encode(), 0) for each in (*prefixes, *others)])
    _, _, stamps = stamps_of(lines)
    assert [*map(len, prefixes), 0, 0, 0, 0] == stamps.tolist()


def test_a_case_gives_back_the_lines_of_its_files(tmp_path):
    """Every byte, with the time that stands before the lines and is not stored beside them."""
    draw = random.Random(3)
    stamp = "2026-11-22T06:{:02}:{:02}.{:09}Z "
    rows = [
        (
            stamp.format(n // 60 % 60, n % 60, draw.randrange(10**9))
            + f"GET /orders/{n} trace={draw.getrandbits(128):032x}"
        ).encode()
        for n in range(6000)
    ]
    for number, line in enumerate([b"\tat a.B.c(B.java:1)", b"nul \0 here", b"\xff\xfe broken", b"", b"x" * 7000] * 40):
        rows.insert(number * 29, line)
    files = {"shop/api-0/app.log": b"\n".join(rows), "shop/api-1/app.log": b"\r\n".join(rows[:500])}
    (tmp_path / "home").mkdir()
    with CaseWriter(tmp_path / "home" / "a.partial", mask) as writer:
        ExportSource(written(tmp_path / "export", files)).gather(writer, lambda _stage, _done, _total: None)
        path = writer.finish()
    with open_case(path) as case:
        lines = list(case.items([ItemId(f"L{number}") for number in range(1, case.logs.lines + 1)]))
    for name, text in files.items():
        expected = [line.removesuffix(b"\r") for line in text.split(b"\n")]
        assert expected == [line.raw for line in lines if line.locator.startswith(f"{name}:")]
