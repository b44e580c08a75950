"""What is coded: a file as symbols, and back.

A source gives `kind` (its number in file headers), `vocabulary_size`, `symbol_count` (of the whole input, where it is a
part of one), `streams_for(batch_size)` (how they lie), `symbols()` (uint16, shape (coded_count of these streams,)) and
`description()` (the bytes from which `from_description` and the symbols give the original back). A new
kind of data is a new module here with an entry in `_KINDS`.
"""

from lib.errors import FormatError
from lib.sources import part
from lib.sources.bytes import ByteSource
from lib.sources.part import PartSource

_KINDS = {source.kind: source for source in (ByteSource, PartSource)}


def source_of(data):
    """The source of an input's bytes, by how they begin. Raises FormatError where they only begin like a part."""
    return PartSource.from_bytes(data) if data[:len(part.MAGIC)] == part.MAGIC else ByteSource.from_bytes(data)


def describe_source(kind, original_bytes, description):
    """The source of a file header, ready to turn symbols into the original's bytes.

    Raises FormatError for a kind this version does not know and for an impossible description.
    """
    if kind not in _KINDS:
        raise FormatError(f"the file holds data of kind {kind}, which this version of Lockstep does not know; "
                          "a newer version may")
    return _KINDS[kind].from_description(original_bytes, description)
