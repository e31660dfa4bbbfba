"""The sliding window over JSON: items and their exact text, whatever the pieces; a cut loses only what it cut."""

import json

import pytest
from hypothesis import given, settings, strategies as st

from bot.domain.storable import storable
from bot.sources.export.jsonstream import JsonCutError, JsonStream, decoded_start

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


@given(st.lists(VALUES, max_size=8), st.integers(1, 40), st.sampled_from([None, 2]), st.booleans())
@settings(max_examples=150)
def test_items_are_those_of_json_loads(items, size, indent, ascii_only):
    """For any chunk size the elements equal json.loads', and each text decodes to its element."""
    text = json.dumps(items, indent=indent, ensure_ascii=ascii_only)
    found = list(JsonStream(pieces(text, size)).elements())
    assert items == [value for value, _ in found]
    assert items == [json.loads(part) for _, part in found]
    at = 0
    for _, part in found:
        at = text.index(part, at) + len(part)


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=6), st.integers(1, 30))
@settings(max_examples=80)
def test_members_are_those_of_json_loads(members, size):
    """An object's members come in order with their values, and the recorded text is the document."""
    text = json.dumps(members)
    stream = JsonStream(pieces(text, size))
    stream.record()
    assert members == {key: stream.value()[0] for key in stream.members()}
    assert text == stream.recorded()


@given(st.lists(st.dictionaries(st.text(max_size=5), VALUES, max_size=3), min_size=1, max_size=6), st.data())
@settings(max_examples=80)
def test_whole_items_before_a_cut_are_kept(items, data):
    """Cut anywhere, every element that ended before the cut is given, then the cut is raised."""
    text = json.dumps(items)
    cut = data.draw(st.integers(1, len(text) - 1))
    got: list[object] = []
    elements = JsonStream([text[:cut]]).elements()
    with pytest.raises(JsonCutError):
        got.extend(value for value, _ in elements)
    assert items[: len(got)] == got
    ended = sum(1 for at in range(1, len(items) + 1) if len(json.dumps(items[:at])) - 1 <= cut)
    assert len(got) >= ended


@given(VALUES.filter(lambda value: isinstance(value, (dict, list))), st.data())
@settings(max_examples=80)
def test_the_start_of_a_document_decodes(value, data):
    """Any prefix of a document that holds its first bracket decodes to the same outermost type."""
    text = json.dumps(value)
    cut = data.draw(st.integers(1, len(text)))
    assert type(value) is type(decoded_start(text[:cut]))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '[{"a":' + "[" * 5000])
def test_absurd_nesting_is_a_cut_not_a_crash(text):
    """Brackets without end exhaust no stack."""
    with pytest.raises(JsonCutError):
        JsonStream([text]).value()
    with pytest.raises(ValueError, match="nested too deep"):
        decoded_start(text)


def test_what_cannot_be_stored_is_replaced():
    """Lone surrogates become U+FFFD, in keys and values, at any depth."""
    assert {"a\ufffd": ["\ufffd", 1, None]} == storable({"a\ud800": ["\udcff", 1, None]})
