"""Deflated streams as arrays, and the compiled loop over them called for either way."""

from dataclasses import dataclass

import numpy as np

from lib.coders.arithmetic import ArithmeticCoder
from lib.limits import MOST_RECIPE, MOST_SEARCHED
from lib.transforms.deflate.codes import new_room
from lib.transforms.deflate.corrections import CODED, CUT, code_stream, new_models
from lib.transforms.deflate.decisions import MARGIN, Coder
from lib.transforms.deflate.matching import new_finder
from lib.transforms.deflate.tokens import BLOCK_FIELDS, COUNT, FINAL, INFLATED, SPARE, STORED, TYPE, new_header, read_stream
from lib.transforms.deflate.writing import new_writer

_EVERYTHING = 1 << 60


@dataclass(frozen=True)
class Taken:
    """A stream taken apart; arrays as in `lib.transforms.deflate.tokens.read_stream`."""

    deflated: np.ndarray
    data: np.ndarray
    tokens: np.ndarray
    blocks: np.ndarray
    stretches: np.ndarray    # int64, shape (N, 2): bytes up to a flush, which is a block of nothing, and whether none behind it are found before it;
                             # at the end -1 for what is behind the last


def taken_apart(deflated: bytes, inflated: bytes) -> Taken | None:
    """The stream, or None where no known encoder would have written it so."""
    padded = np.zeros(len(deflated) + SPARE, np.uint8)
    padded[:len(deflated)] = np.frombuffer(deflated, np.uint8)
    data = np.frombuffer(inflated, np.uint8)
    tokens, blocks = np.empty(len(data) + 1, np.int32), np.empty((len(deflated) + 1, BLOCK_FIELDS), np.int64)
    block_count, token_count = read_stream(padded, len(deflated), data, tokens, blocks, new_header())
    if not block_count:
        return None
    blocks, tokens = blocks[:block_count], tokens[:token_count]
    return Taken(padded, data, tokens, blocks, _stretches(blocks, tokens))


def _stretches(blocks, tokens):
    """The stretches of a Taken."""
    ends = blocks[(blocks[:, COUNT] == 0) & (blocks[:, FINAL] == 0), INFLATED]
    stretches = np.full((len(ends) + 1, 2), -1, np.int64)
    if len(ends):
        lengths = np.where(tokens, tokens & 511, 1).astype(np.int64)
        stored = np.where(blocks[:, TYPE] == STORED, blocks[:, COUNT], 0)
        counts = np.where(blocks[:, TYPE] == STORED, 0, blocks[:, COUNT])
        places = np.cumsum(lengths) - lengths + np.repeat(np.cumsum(stored), counts)
        sources = np.minimum.accumulate((places - (tokens >> 9))[::-1])[::-1]       # the first place that this token or one behind it begins at
        stretches[:-1, 0] = np.diff(ends, prepend=0)
        stretches[:-1, 1] = np.append(sources, 1 << 60)[np.searchsorted(places, ends)] >= ends
    return stretches


def corrections_of(taken: Taken, settings: tuple, most_bytes: int, most_tokens: int | None = None) -> bytes | None:
    """What makes the stream again with settings; or only the first tokens. None where it takes more bytes, or too many steps of search."""
    coder, most_bytes = ArithmeticCoder(), min(most_bytes, MOST_RECIPE)
    with coder.open(most_bytes + MARGIN >> 2) as (state, buffer, decodes):
        ended = code_stream(
            Coder(state, buffer, new_models(), decodes), new_finder(settings), taken.data, taken.tokens, taken.blocks, taken.stretches,
            taken.deflated, new_writer(0), new_room(), most_tokens or _EVERYTHING, _most_steps(len(taken.data)), most_bytes)
    return coder.finish() if ended == CODED or most_tokens and ended == CUT else None


def made_again(inflated: bytes, settings: tuple, corrections: bytes, size: int) -> bytearray | None:
    """The stream of `size` bytes, or None where the corrections do not say one."""
    coder, writer = ArithmeticCoder(corrections), new_writer(size)
    with coder.open(0) as (state, buffer, decodes):
        ended = code_stream(
            Coder(state, buffer, new_models(), decodes), new_finder(settings), np.frombuffer(inflated, np.uint8),
            np.empty(len(inflated) + 1, np.int32), np.zeros((1, BLOCK_FIELDS), np.int64), np.zeros((1, 2), np.int64), np.zeros(SPARE, np.uint8),
            writer, new_room(), _EVERYTHING, _most_steps(len(inflated)), _EVERYTHING)
    return bytearray(writer.out) if ended == CODED and writer.state[2] == size else None


def _most_steps(size):
    return MOST_SEARCHED[0] + MOST_SEARCHED[1] * size
