"""Packing manifests against each other: what repeats in an object's versions is stored once."""

import zstandard

LEVEL = 3
OF_LOGS = zstandard.ZstdCompressor(level=1)
PLAIN = zstandard.ZstdCompressor(level=LEVEL)
OPENER = zstandard.ZstdDecompressor()


def packed_against(base: bytes, document: bytes) -> bytes:
    """Pack a document with another as its dictionary."""
    return zstandard.ZstdCompressor(level=LEVEL, dict_data=_dictionary(base)).compress(document)


def unpacked_against(base: bytes, packed: bytes) -> bytes:
    """Undo ``packed_against``."""
    return zstandard.ZstdDecompressor(dict_data=_dictionary(base)).decompress(packed)


def _dictionary(base: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
