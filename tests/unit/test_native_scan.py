"""The compiled loops give what the Python beside them gives, to the byte, whatever the lines hold."""

import csv
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from export_sink import written
from hypothesis import given, settings, strategies as st

from bot.casefile import blocks, tokens
from bot.casefile.cells import Packer, decompress
from bot.casefile.writer import CaseWriter
from bot.native import batch, kernel as kernels
from bot.native.batch import batch_of
from bot.native.build_kernel import build
from bot.native.kernel import kernel
from bot.signals.masking import mask
from bot.sources.export import ExportSource
from bot.sources.export.lines import Dating
from bot.sources.export.timestamps import iso

LOGHUB = Path(__file__).parents[3] / "shared" / "data" / "loghub_2k"

compiled = pytest.mark.skipif(kernel() is None, reason="no C compiler was there when the project was installed")

_PIECES = st.sampled_from(
    [
        b"status=", b'"status":', b"502", b" ", b"<*>", b'HTTP/1.1" ', b"GET /a/1?b=2 ", b"0", b"deadbeef", b"exit code ",
        b"(111: C", b"404 Not Found", b"503 Service", b"[", b"(", b")", b",", b";", b"{", b"}", b"=", b":", b"'", b'"', b"/",
        b"?", b"&", b"-", b"HTTP/2", b"HTTP", b"SIGTERM", b"SIG1", b"v1beta1", b"v12", b"sha256", b"E1122", b"I0001", b"level=",
        b"rc=", b"code: ", b"Status Code: ", b"returned ", b"got ", b"responded with ", b"exited with code ", b"SQLSTATE ",
        b"40P01", b"-1", b"[[", b"::", b"k8s", b"p99", b"5xx", b"abcdefab", b"ABCDEF", b"f00-ba", b"01/Nov/2026", b"\x1b[31m",
        b"\x1b[", b"\x1b", b"\0", b"\xff", b"\xe2\x82", b"\t", b"\r", b"x" * 300, b" " * 300, b"http_status=", b"err_no=",
        b"tls-v1.2", b"TLSv1.2", b"a", b"Z", b"9", b".", b"_", b"|", b"#", b"*", b"@", b"POST /x/(y)/9;z 200", b"statusCode=200(",
        b"code::12(", b"HTTP/1.1?x", b"http2", b"utf-8", b"log4j2", b"e2e", b"503 217", b"+12", b" - - SC-- ", b" - - ---- ",
    ]
)  # fmt: skip

RAWS = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from(
            [
                b"2026-11-22T06:28:01.123456789Z stdout F ready", b"2026-11-22T06:28:01.1Z x", b"2026-11-22T06:28:01Z",
                b"2026-11-22T06:28:01.5+01:30 zone", b"2026-02-30T06:28:01.123456789Z no such day", b"2026-11-22T24:00:00Z x",
                b"2026-11-22T06:28:60.000000000Z leap", b"2026-11-22T06:28:01.1234567890Z ten digits", b"\tat a.B.c(B.java:1)",
                b"2026-11-22T06:28:00.999999999Z back", b"2024-02-29T00:00:00.000000001-00:00 \xff\xed\xa0\x80", b"\xc3\xa4\r",
                b"1970-01-01T00:00:00Z too old", b"\xf4\x90\x80\x80", b"\xe0\x80\x80 \0", b"\x1b[1mloud\x1b[0m", b"2026-11-22T06:28:01X123456789Z x",
            ]
        ),
    ),
    max_size=30,
)  # fmt: skip
LINES = st.lists(
    st.one_of(
        st.binary(max_size=40), st.lists(_PIECES, max_size=12).map(b"".join), st.text(max_size=30).map(str.encode)
    ),
    max_size=40,
)


def keyed(lines):
    """Give the form that the compiled keys lead to for each line, as the case file finds it: by each key's first line."""
    keys = batch_of([(0, line, 0) for line in lines]).keys().tolist()
    forms = {}
    for key, line in zip(keys, lines, strict=True):
        if key not in forms:
            forms[key] = mask(line)
    return [forms[key] for key in keys]


@compiled
@given(LINES)
@settings(max_examples=200, deadline=None)
def test_lines_with_one_key_have_one_form(lines):
    """A key never joins lines that masking tells apart."""
    lines = [line.replace(b"\n", b"") for line in lines]
    near = [bytes(flipped) for line in lines for flipped in _neighbours(line)]
    assert list(map(mask, lines + near)) == keyed(lines + near)


def _neighbours(line):
    """Change one byte of a line in a few ways: where a key is too coarse, neighbours share it."""
    for at in {0, len(line) // 3, len(line) // 2, len(line) - 1} if line else ():
        for sign in b'07Zf "(':
            changed = bytearray(line)
            changed[at] = sign
            yield changed


@compiled
@pytest.mark.skipif(not LOGHUB.is_dir(), reason="the loghub_2k samples are not beside the repository")
def test_keys_of_public_logs_are_few_and_right():
    """On sixteen systems' real lines every form is right, and not many more keys than forms have to be looked at."""
    for path in sorted(LOGHUB.glob("*/*_structured.csv")):
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            lines = [row["Content"].encode() for row in csv.DictReader(file)]
        forms = list(map(mask, lines))
        assert forms == keyed(lines), path.name
        keys = len(np.unique(batch_of([(0, line, 0) for line in lines]).keys()))
        assert keys <= 1.5 * len(set(forms)) + 20, path.name


@compiled
@pytest.mark.parametrize(
    "line",
    [
        b"x" * 5000, b"word " * 2000, b"a=1 " * 2000, b"\x1b[31m" * 2000 + b"x 1", b"\0" * 4097, b" " * 5000, b"9" * 4096,
        b"1 " * 2048 + b"1", b"status=200 " * 400, b"\xff\xfe" * 3000, b"abc " + b"y" * 300 + b" 7",
    ],
)  # fmt: skip
def test_long_lines_have_the_form_of_their_head(line):
    """Cut lines, long tokens and colours over the span are keyed as they are masked."""
    lines = [line, line[:-1] + b"q", line + b" z", line[:4000], line[:4096], line[:4095] + b" "]
    assert list(map(mask, lines)) == keyed(lines)


@pytest.fixture
def interpreted(monkeypatch):
    """Give a switch that takes the compiled loops away."""

    def switch():
        for module in (batch, tokens, blocks):
            monkeypatch.setattr(module, "kernel", lambda: None)

    return switch


@compiled
@given(RAWS, st.integers(1, 50), st.booleans())
@settings(max_examples=200, deadline=None)
def test_lines_and_times_are_the_same_without_the_compiled_loops(raws, limit, ended):
    """Borders, cuts, oddities, prefixes, where texts begin and stamps: the same from C and from Python."""
    text = b"\n".join(raws) + (b"\n" if ended else b"")
    one, other = batch.Oddities(), batch.Oddities()
    starts, lengths = batch.lines_of(text, limit, one)
    plain = batch.plain_lines_of(text, limit, other)
    assert (starts.tolist(), lengths.tolist(), one) == (plain[0].tolist(), plain[1].tolist(), other)
    dating = Dating(prefixed=True, primary=None, daters=(), reference_s=0.0, zoned=True)
    found = batch.prefix_times(text, starts, lengths)
    expected = dating.by_prefix(text, starts, lengths)
    assert [column.tolist() for column in found] == [column.tolist() for column in expected]


@given(
    st.lists(st.sampled_from([b"a", b"bc\r", b"\r\r", b"", b"long enough to be cut"]), max_size=8),
    st.integers(0, 8),
    st.integers(0, 8),
)
@settings(max_examples=100, deadline=None)
def test_lines_are_joined_as_they_are_one_by_one(raws, first, last):
    """Whether they stand so in the text, or a CR or their rest was cut off some of them."""
    text = b"\n".join(raws) + b"\n"
    starts, lengths = batch.lines_of(text, 12, batch.Oddities())
    none = np.zeros_like(starts)
    lines = batch.LineBatch(text=text, starts=starts, lengths=lengths, times_ns=none, text_starts=none)[first:last]
    assert b"\n".join(lines.raws()) == bytes(lines.joined())


@compiled
@given(
    st.lists(
        st.one_of(st.binary(max_size=60), st.text("0123456789abcdefABCDEF-.", max_size=60).map(str.encode)), max_size=20
    )
)
@settings(max_examples=150, deadline=None)
def test_token_filters_are_the_same_without_the_compiled_loops(parts):
    """The same hashes go into a block's filter, so that a case can be searched wherever it was written."""
    text = b" ".join(parts)
    assert tokens.plain_minimizers(text).tolist() == tokens.minimizers(text).tolist()
    assert tokens.plain_bloom(text) == tokens.token_bloom(text)


@compiled
@pytest.mark.parametrize("lesser", ["-DPLAIN", "-DNARROW"])
def test_a_lesser_processor_gives_the_same(tmp_path, monkeypatch, lesser):
    """What the loops do faster where the processor has more changes no key and no filter."""
    assert build(kernels.FOLDER, tmp_path / "scan.so", lesser) == ""
    draw = random.Random(8)
    signs = b"abcdefghijklmnopqrstuvwxyzABCDEF0123456789-=:\"'/|<>@&?!#*` ,;()[]{}\t\0\x80\xff\n"
    lines = [
        bytes(draw.choices(signs[: draw.choice([42, 60, len(signs)])], k=draw.randrange(400))) for _ in range(3000)
    ]
    texts = batch_of([(0, line, 0) for line in lines])
    fast = texts.keys(), tokens.token_bloom(texts.text), tokens.minimizers(lines[7])
    monkeypatch.setattr(kernels, "LIBRARY", tmp_path / "scan.so")
    slow_loops = kernels.kernel.__wrapped__()
    assert slow_loops is not None
    for user in (batch, tokens):
        monkeypatch.setattr(user, "kernel", lambda: slow_loops)
    slow = texts.keys(), tokens.token_bloom(texts.text), tokens.minimizers(lines[7])
    assert all(np.array_equal(one, other) for one, other in zip(fast, slow, strict=True) if not isinstance(one, bytes))
    assert fast[1] == slow[1]


@compiled
@given(st.lists(_PIECES, max_size=12).map(b"".join), st.integers(0, 130))
def test_a_line_has_one_key_wherever_it_stands(line, before):
    """How a line lies in its text changes nothing: what is read of it at once does not belong to its neighbours."""
    batches = [
        batch_of([(0, line, 0)]),
        batch_of([(0, b"7" * before, 0), (0, line, 0), (0, b"9 a=", 0)]),
    ]
    alone, among = (each.keys() for each in batches)
    assert alone[0] == among[1]


@compiled
@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 3), max_size=60))
def test_keys_have_the_same_numbers_without_the_compiled_loops(keys):
    """Numbers go by first appearance, and each says where that was."""
    column = np.array(keys, dtype=np.uint64)
    numbers, firsts = batch.numbered(column)
    plain_numbers, plain_firsts = batch.plain_numbered(column)
    assert (numbers.tolist(), firsts.tolist()) == (plain_numbers.tolist(), plain_firsts.tolist())
    assert column[firsts][numbers].tolist() == keys


@compiled
@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 70_000), min_size=1, max_size=60), st.booleans())
def test_columns_are_the_same_without_the_compiled_loops(numbers, ascending):
    """Planes and numbers, whatever overflows between neighbours."""
    wide = np.array(numbers, dtype=np.int64)
    for column in (wide,) if ascending else (wide, wide.astype(np.int32)):
        frame = blocks._pack(column, Packer(), ascending=ascending)
        planes = blocks.plain_planes(column, ascending=ascending)
        assert decompress(frame) == planes
        kind = column.dtype.type
        one = blocks._unpack(frame, len(column), kind, ascending=ascending)
        other = blocks.plain_numbers(planes, len(column), kind, ascending=ascending)
        assert one.tolist() == other.tolist() == column.tolist()


@compiled
def test_a_block_of_nothing_but_ids_has_its_whole_filter():
    """More hashes than the first table holds: it grows."""
    draw = random.Random(5)
    text = b" ".join(b"%032x" % draw.getrandbits(128) for _ in range(40_000))
    assert tokens.plain_minimizers(text).tolist() == tokens.minimizers(text).tolist()
    assert tokens.plain_bloom(text) == tokens.token_bloom(text)
    assert tokens.token_bloom(b"0123456789abcdef0123") == tokens.plain_bloom(b"0123456789abcdef0123")


@compiled
@pytest.mark.parametrize("other", ["scan.c", "no library"])
def test_a_library_of_other_sources_is_not_used_and_that_is_said(tmp_path, monkeypatch, caplog, other):
    """Whoever changes or updates the sources and builds nothing hears why reading has become slow."""
    if other == "scan.c":
        changed = tmp_path / "scan.c"
        changed.write_bytes(kernels.SOURCES[0].read_bytes() + b"\n")
        monkeypatch.setattr(kernels, "SOURCES", (changed, *kernels.SOURCES[1:]))
    else:
        (tmp_path / "scan.so").write_bytes(b"of another machine")
        monkeypatch.setattr(kernels, "LIBRARY", tmp_path / "scan.so")
    assert kernels.kernel.__wrapped__() is None
    assert [kernels.STALE] == [record.getMessage() for record in caplog.records]


@compiled
def test_a_case_is_the_same_without_the_compiled_loops(tmp_path, interpreted):
    """Every stored column, text and filter is the same to the byte, from files in many shapes."""
    root = written(tmp_path / "export", _files())
    with_loops = stored(tmp_path / "one", root)
    interpreted()
    assert with_loops == stored(tmp_path / "other", root)


def _files():
    draw = random.Random(3)
    stamp = "2026-11-22T06:{:02}:{:02}.{:09}Z "
    rows = [
        stamp.format(n // 60 % 60, n % 60, draw.randrange(10**9))
        + f"GET /orders/{n} {draw.choice([200, 502])} trace={draw.getrandbits(128):032x}"
        for n in range(9000)
    ]
    odd = [
        b"\tat a.B.c(B.java:1)",
        b"nul \0 here",
        b"\xff\xfe broken",
        b"\x1b[31mred\x1b[0m 17",
        b"",
        b"x" * 70_000,
        b"\xc3\xa4",
    ]
    mixed = [row.encode() for row in rows]
    for number, line in enumerate(odd * 40):
        mixed.insert(number * 29, line)
    return {
        "shop/api-0/app.log": b"\n".join(mixed),
        "shop/api-1/app.log": "\r\n".join(rows[:500]).encode() + b"\r\n",
        "shop/api-2/app.log.1": b"\n".join(mixed[:700]) + b"\n",
        "shop/api-2/app.log": b"\n".join(mixed[600:1300]),
        "shop/api-3/plain.log": "\n".join(row.replace("T", " ", 1) for row in rows[:300]).encode(),
    }


def stored(home, root):
    """Give everything that a case holds of an export's logs."""
    home.mkdir()
    with CaseWriter(home / "a.partial", mask) as writer:
        ExportSource(root).gather(writer, lambda _stage, _done, _total: None)
        path = writer.finish()
    with closing(sqlite3.connect(path)) as connection:
        tables = ("log_streams", "log_forms", "log_blocks", "log_texts", "log_tokens", "gaps", "coverage")
        return {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables}


_OWN = st.builds(
    lambda date, joint, clock, rest: date + joint + clock + rest,
    st.sampled_from([b"2026-11-22", b"2026/11/22", b"2026-02-30", b"1969-01-01", b"2200-01-01", b"20261122", b" 2026-11-22"]),
    st.sampled_from([b"T", b" ", b"t", b"\0"]),
    st.sampled_from([b"06:28:01", b"24:00:00", b"06:28:60", b"06:28:61", b"6:28:01", b"06:28"]),
    st.lists(
        st.sampled_from(
            [b".", b",", b"1", b"123456789", b"Z", b" ", b"+", b"-", b"01:30", b"0130", b"01", b"CET", b"EST", b"ESTABLISHED",
             b"INFO", b"UTC", b"GMT", b"WARNING", b"[main]", b"\t", b"]", b"x", b"\xff"]
        ),
        max_size=6,
    ).map(b"".join),
)  # fmt: skip


@compiled
@settings(max_examples=300, deadline=None)
@given(raws=st.lists(st.one_of(_OWN, st.binary(max_size=30)), max_size=30))
def test_times_at_the_beginning_are_those_that_the_dater_reads(raws):
    """What the loop dates it dates as ``iso`` does; what it leaves is left to ``iso``."""
    lines = batch_of([(-1, raw, 0) for raw in raws])
    found = batch.own_times(lines.text, lines.starts, lengths=lines.lengths).tolist()
    assert [at for at in found if at != -1] == [iso(raw) for raw, at in zip(raws, found, strict=True) if at != -1]


@compiled
@pytest.mark.parametrize(
    "rest", ["", ",123 INFO  [main] c.a.Shop - up", ".123Z up", "Z", " [warn] x", ".1234567891 x", "\tx", " E x"]
)
def test_plain_times_are_read_by_the_loop(rest):
    """The usual spellings need no Python."""
    raw = f"2026-11-22 06:28:01{rest}".encode()
    lines = batch_of([(-1, raw, 0)])
    assert [iso(raw)] == batch.own_times(lines.text, lines.starts, lines.lengths).tolist()
