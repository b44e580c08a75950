"""What a network learns from: the symbols of files, what it sees before each, and which of them are held out."""

import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from lib.coding.streams import Streams
from lib.errors import InputError
from lib.models.inputs import InputShape, input_shape_of, inputs_of
from lib.parameters import Parameters
from lib.settings import Settings
from lib.sources import ByteSource
from lib.sources.recognition import source_of
from lib.sources.source import Source

FEWEST = 4096                      # symbols that can be learned from
_BLOCK = 2_048, 100_000            # symbols that are held out together, at least and at most: a 64th of all in between
_BLOCKS, _HELD_OUT = 64, 16        # of so many blocks one is held out
_PIECES = 4_096, 65_536            # symbols: what is learned from begins anew after so many, as files do
_MEASURED = 16_384                 # symbols of a held-out block that are measured at most
_MOST_MEASURED = 64                # of them


class Piece(NamedTuple):
    """Symbols in a row."""

    seen: np.ndarray       # uint16 or int32, shape (n, N): what a step sees, see lib.models.inputs
    symbols: np.ndarray    # uint16, shape (n,)

    def part(self, start: int, end: int) -> "Piece":
        return Piece(self.seen[start:end], self.symbols[start:end])


class Sequences(NamedTuple):
    """The symbols of all files."""

    inputs: str            # as the `model_inputs` of their sources
    alphabet: np.ndarray   # uint16, ascending: codes of the symbols
    shape: InputShape
    parts: list[Piece]     # one for each file
    is_text: bool

    @property
    def total(self) -> int:
        return sum(len(part.symbols) for part in self.parts)


def sequences_of(data: Sequence[bytes]) -> Sequences:
    """The Sequences of files' bytes: tokens or samples where all are videos of one grid, or pictures; else bytes. InputError for too few."""
    sources: Sequence[Source] = [source_of(one, Settings()) for one in data]
    kinds = {(source.model_inputs, tuple(source.layout.tolist()) if source.model_inputs == "grid" else ()) for source in sources}
    if len(kinds) > 1 or sources[0].model_inputs == "last":
        sources = [ByteSource.from_bytes(one) for one in data]
    first = sources[0]
    is_bytes = isinstance(first, ByteSource)
    alphabet = np.arange(256, dtype=np.uint16) if is_bytes else np.unique(np.concatenate([source.codes for source in sources]))
    parameters = Settings(preset="balanced").resolve(first.symbol_count, first.suitable_contexts())
    parts = [_piece(source, alphabet, parameters) for source in sources]
    wide: Any = _Widened(first, alphabet)
    found = Sequences(first.model_inputs, alphabet, input_shape_of(parameters, wide), parts,
                      is_bytes and first.suitable_contexts() == "text")
    if found.total < FEWEST:
        raise InputError(f"a network is learned from {FEWEST:,} symbols or more, and these files have {found.total:,}", "give more files")
    return found


class _Widened:
    """A source with the alphabet of all."""

    def __init__(self, source: Source, alphabet: np.ndarray) -> None:
        self.vocabulary_size, self.layout, self.model_inputs = len(alphabet), source.layout, source.model_inputs


def _piece(source: Source, alphabet: np.ndarray, parameters: Parameters) -> Piece:
    symbols = np.searchsorted(alphabet, source.codes)[source.symbols()].astype(np.uint16)
    wide: Any = _Widened(source, alphabet)
    shape = input_shape_of(parameters, wide)
    seen = np.zeros((len(symbols), shape.count), np.uint16 if shape.values <= 1 << 16 else np.int32)
    if shape.count == 1:
        seen[1:, 0] = symbols[:-1]
    else:
        inputs = inputs_of(parameters, wide, Streams(len(symbols), 1))
        for step in range(len(symbols) - 1):
            seen[step + 1] = inputs.after(step, symbols[step:step + 1])[0]
    return Piece(seen, symbols)


def split(sequences: Sequences) -> tuple[list[Piece], list[Piece]]:
    """(stretches to learn from, blocks that are held out) of all files."""
    size = min(max(sequences.total // _BLOCKS, _BLOCK[0]), _BLOCK[1])
    learned_from, held_out, number = [], [], 0
    for part in sequences.parts:
        start = 0
        for begin in range(0, len(part.symbols), size):
            number += 1
            if number % _HELD_OUT == _HELD_OUT // 2:
                if begin > start:
                    learned_from.append(part.part(start, begin))
                held_out.append(part.part(begin, min(begin + size, begin + _MEASURED)))
                start = begin + size
        if start < len(part.symbols):
            learned_from.append(part.part(start, len(part.symbols)))
    return learned_from, held_out[::max(1, len(held_out) // _MOST_MEASURED)] or [learned_from[-1].part(0, _BLOCK[0])]


def pieces(stretches: Sequence[Piece], seed: int) -> Iterator[Piece]:
    """Pieces to learn from, without end: all stretches once before any comes again, cut anew."""
    draw = random.Random(seed)
    while True:
        for stretch in draw.sample(stretches, len(stretches)):
            start = 0
            while start < len(stretch.symbols):
                end = start + int(_PIECES[0] * (_PIECES[1] / _PIECES[0]) ** draw.random())
                yield stretch.part(start, end)
                start = end
