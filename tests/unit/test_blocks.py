import random

import numpy as np
from hypothesis import given, settings, strategies as st

from bot.casefile.blocks import BlockColumns, pack_block, pack_numbers, unpack_numbers, unpack_sizes, unpack_times
from bot.casefile.cells import Packer, beginning, cell_text, decompress, text_cell, unblob
from bot.casefile.tokens import RUN, Needle, token_bloom
from bot.domain.ports import UNDATED
from bot.native.batch import batch_of


def block_columns(times, streams, lengths, starts):
    """Make columns of lists."""
    return BlockColumns(
        times_ns=np.array(times, dtype=np.int64),
        streams=np.array(streams, dtype=np.int32),
        lengths=np.array(lengths, dtype=np.int64),
        text_starts=np.array(starts, dtype=np.int64),
    )


def test_the_beginning_of_a_frame_is_what_all_of_it_begins_with():
    """As much as is asked for at least, and no more than there is."""
    draw = random.Random(7)
    raw = b"".join(b"%d GET /cart/%x\n" % (n, draw.getrandbits(64)) for n in range(20_000))
    frame = Packer().compress(raw)
    for size in (0, 1, 131_072, 131_073, len(raw) // 2, len(raw) - 1, len(raw), len(raw) + 9):
        begun = beginning(frame, size)
        assert len(begun) >= min(size, len(raw))
        assert raw.startswith(begun)


INT64 = st.integers(min_value=-(2**63), max_value=2**63 - 1)
INT32 = st.integers(min_value=-1, max_value=2**31 - 1)
LINE = st.one_of(st.binary(max_size=40), st.sampled_from([b"", b"\r", b"\0", b"\xff\xfe", b"a\nb", b"tail\r"]))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(INT64, INT32, INT32, LINE), min_size=1, max_size=30))
def test_a_block_gives_back_every_byte_and_number(rows):
    """Whatever lines hold, bytes and columns come back as they went in."""
    times, streams, forms, lines = (list(column) for column in zip(*rows, strict=True))
    starts = [len(line) // 2 for line in lines]
    columns = block_columns(times, streams, [len(line) for line in lines], starts)
    packed = pack_block(b"\n".join(lines), columns, Packer())
    count = len(lines)
    text, offsets, lengths = decompress(packed.text), columns.offsets, unpack_sizes(packed.lengths, count)
    assert lines == [text[offsets[i] : offsets[i] + lengths[i]] for i in range(count)]
    assert times == unpack_times(packed.times, count).tolist()
    assert streams == unpack_numbers(packed.streams, count).tolist()
    assert forms == unpack_numbers(pack_numbers(np.array(forms, dtype=np.int32), Packer()), count).tolist()
    assert starts == unpack_sizes(packed.text_starts, count).tolist()


def test_a_time_beyond_64_bits_is_undated():
    """A line dated in the year 9999 is kept without a time instead of ending the import."""
    batch = batch_of([(253_402_300_799 * 10**9, b"a", 0), (5, b"b", 0)])
    assert [UNDATED, 5] == batch.times_ns.tolist()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("0123456789abcdefABCDEF-", min_size=1, max_size=50), min_size=1, max_size=20), st.data())
def test_the_token_filter_never_misses_a_part_of_an_id(tokens, data):
    """Any cut of the text, of any length and case, is possible according to its filter."""
    text = " ".join(tokens).encode()
    begin = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(begin + 1, len(text)))
    assert Needle(text[begin:end].upper()).may_be_in(token_bloom(text))


def test_the_token_filter_tells_blocks_without_an_id():
    """Of ids that are not there, hardly one is thought possible, and a text without long tokens holds none."""
    random.seed(7)
    there = [f"{random.getrandbits(128):032x}" for _ in range(2000)]
    bloom = token_bloom("\n".join(there).encode())
    absent = [f"{random.getrandbits(128):032x}" for _ in range(500)]
    assert sum(Needle(one.encode()).may_be_in(bloom) for one in absent) <= 10
    assert all(Needle(one[5 : 5 + RUN].encode()).may_be_in(bloom) for one in there[:200])
    assert not Needle(there[0].encode()).may_be_in(token_bloom(b"short words only"))
    assert Needle(b"short").may_be_in(bloom)


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(), st.sampled_from(["\ud800", "a\0b", "\udcff", ""])))
def test_any_text_survives_as_a_cell(text):
    """Lone surrogates and NUL come back too."""
    assert text == cell_text(text_cell(text))


@settings(max_examples=40, deadline=None)
@given(st.one_of(st.binary(max_size=600), st.binary().map(lambda tail: b"\x28\xb5\x2f\xfd" + tail)))
def test_raw_bytes_survive_as_a_blob(raw):
    """Even bytes that look like a compressed frame come back as they were."""
    assert raw == unblob(Packer().blob(raw))


def test_long_alike_blobs_are_stored_smaller():
    """A manifest of some kilobytes is compressed."""
    assert len(Packer().blob(b"spec: {}\n" * 200)) < 100


def test_no_lines_have_no_offsets_but_the_end():
    """An empty block's offsets are a single 0."""
    assert [0] == block_columns([], [], [], []).offsets.tolist()
    assert np.int64 == block_columns([], [], [], []).offsets.dtype
