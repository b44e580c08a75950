"""What is coded: a file as symbols, and back.

A source gives `kind` (its number in file headers), `unit` (what a symbol is), `vocabulary_size`, `symbol_count` (of the
whole input, where it is a part of one), `left_out` (bytes of the original that are neither symbols nor in the description),
`streams_for(batch_size)` (how they lie), `symbols()` (uint16, shape (coded_count of these streams,)) and `description()` (the bytes from which `from_description` and the symbols give the original back);
for contexts `codes`, `code_bits`, `layout`, `context_kinds`, `suitable_contexts()` and `codes_of(text)`, the codes of a
prior; `place`, which part of which whole it is; and `model_inputs`, what a network sees (see lib.models.inputs). A new kind of data is a new module here with an entry in
`_KINDS`, and its place in `lib.sources.recognition`.
"""

from lib.errors import FormatError
from lib.sources.blocks import BlockSource
from lib.sources.bytes import ByteSource
from lib.sources.image import ImageSource
from lib.sources.jpeg import JpegSource
from lib.sources.part import PartSource
from lib.sources.runs import RunSource
from lib.sources.sound import SoundSource
from lib.sources.source import Source
from lib.sources.video import VideoSource

_KINDS = {source.kind: source for source in (ByteSource, PartSource, VideoSource, ImageSource, RunSource, SoundSource, BlockSource, JpegSource)}


def describe_source(kind: int, original_bytes: int, description: bytes) -> Source:
    """The source of a file header, ready to turn symbols into the original's bytes.

    Raises FormatError for a kind this version does not know and for an impossible description.
    """
    if kind not in _KINDS:
        raise FormatError(f"the file holds data of kind {kind}, which this version of Lockstep does not know",
                          "a newer version may")
    return _KINDS[kind].from_description(original_bytes, description)
