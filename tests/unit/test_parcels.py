"""Runs of log blocks on their way between processes: they arrive as they were sent, or not at all."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from bot.casefile.blocks import BlockColumns, pack_block
from bot.casefile.cells import Packer
from bot.casefile.mapping import BlockText, Masking, map_blocks
from bot.casefile.parcels import pack_mapped, pack_run, unpack_mapped, unpack_run
from bot.errors import ParcelError
from bot.native.batch import batch_of
from bot.signals.masking import mask

LINE = st.one_of(st.binary(max_size=40), st.sampled_from([b"", b"\0", b"a\nb", b"GET /a 200", b"f" * 40]))
RUN = st.lists(st.lists(LINE, min_size=1, max_size=8), min_size=1, max_size=4)


def block(lines):
    """Make a block of lines, and its text."""
    batch = batch_of([(n, line, len(line) // 2) for n, line in enumerate(lines)])
    columns = BlockColumns(
        times_ns=batch.times_ns,
        streams=np.zeros(len(batch), dtype=np.int32),
        lengths=batch.lengths,
        text_starts=batch.text_starts,
    )
    text = b"\n".join(lines)
    return pack_block(text, columns, Packer()), BlockText(
        text=text, lengths=batch.lengths, text_starts=batch.text_starts
    )


@settings(max_examples=60, deadline=None)
@given(RUN, st.booleans())
def test_a_run_arrives_as_it_was_sent(run, masked):
    """Texts, lengths and offsets arrive, and so does what they are mapped to."""
    packed, texts = zip(*(block(lines) for lines in run), strict=True)
    arrived = unpack_run(pack_run(packed))
    assert [each.text for each in texts] == [each.text for each in arrived]
    assert [each.text_starts.tolist() for each in texts] == [each.text_starts.tolist() for each in arrived]
    mapped = map_blocks(arrived, Masking(mask if masked else None))
    back = unpack_mapped(pack_mapped(mapped), [len(lines) for lines in run])
    assert (mapped.forms, mapped.firsts) == (back.forms, back.firsts)
    assert [b.forms.tolist() for b in mapped.blocks] == [b.forms.tolist() for b in back.blocks]
    assert [b.bloom for b in mapped.blocks] == [b.bloom for b in back.blocks]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 400), st.booleans())
def test_a_broken_parcel_is_refused(junk, at, result):
    """Whatever was done to the bytes, they open to a run or are refused in a sentence."""
    packed, text = block([b"GET /cart/1 200", b"worker 7 failed", b"x" * 30])
    sent = pack_mapped(map_blocks([text], Masking(mask))) if result else pack_run([packed])
    broken = sent[: at % len(sent)] + junk
    with contextlib.suppress(ParcelError):
        _ = unpack_mapped(broken, [3]) if result else unpack_run(broken)


def test_a_result_of_another_run_is_refused():
    """A result for more lines, fewer blocks, or with forms that it does not hold is none for this run."""
    _, text = block([b"GET /cart/1 200", b"worker 7 failed"])
    sent = pack_mapped(map_blocks([text], Masking(mask)))
    for lines in ([3], [2, 2], [1], []):
        with pytest.raises(ParcelError):
            unpack_mapped(sent, lines)
