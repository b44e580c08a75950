"""Contexts for videos of tokens: what a cell held in the frames before, what followed that, and the cells around it.

A codebook's tokens are names: their numbers are near to nothing. So what counts is which tokens came, and contexts of a
single one, each learning by itself, are worth more than hashes of several. docs/video.md says what each is worth.
"""

import numpy as np

from lib.compiling import compiled, part
from lib.mixing import engine, matches, selectors
from lib.mixing.hashing import joined
from lib.mixing.kinds.context_set import ContextSet

_HEIGHT, _WIDTH = range(2)               # of the PredictorState's layout

_CONTEXTS = 17
_KNOWN = 4                               # contexts, from the first on, of which as many as are known select weights
_CELLS = 1024                            # that weight sets tell apart
_KEPT = 16                               # which of four neighbours are what they were a frame before
_SELECTORS = (
    (1, selectors.BY_MATCH),
    (_KEPT, selectors.BY_MATCH),
    (_CELLS, selectors.BY_DEPTH),
    (1, selectors.BY_NODE),
    (1, selectors.BY_ORDER),
)
_FINAL_SELECTORS = (
    (1, selectors.BY_DEPTH),
    (1, selectors.BY_MATCH),
    (_CELLS, selectors.BY_DEPTH),
)
_MAPS = 2
_STILL, _OTHER, _RASTER = range(3)       # matches: the cell a frame before, what it held before that, a stretch of tokens
_RASTER_TOKENS = 6
_MOST_FRAMES = 8                         # that are looked back for what a cell held before

# What came in a token's cell a frame later, plus one, in `indirect`: the newest three of each token, then a table of hashes
# of a token with its row.
_FOLLOWERS = 3
_TOKENS = 1 << 16
_PLACED_BITS = 18
_IN_ROW = _FOLLOWERS * _TOKENS
_INDIRECT = _IN_ROW + (1 << _PLACED_BITS)


@compiled
def _code_steps(memory, coder, buffer, symbols, active, first_step, frequencies, decoding):
    for step in range(len(symbols)):
        for stream in range(active[step]):
            place = memory.base + stream * memory.steps + first_step + step
            _look(memory, stream, place)
            symbols[step, stream] = engine.code_symbol(
                memory, _KNOWN, coder, buffer, stream, place, frequencies[stream], symbols[step, stream], decoding)
            _take(memory, stream, place)


@part
def _look(memory, stream, place):
    """Set the contexts of the symbol at `place`."""
    contexts, codes, indirect = memory.contexts, memory.codes, memory.indirect
    cells, width, cell = _grid(memory, place)
    start, none = memory.base + stream * memory.steps, np.int64(1) << memory.bits
    row, column = cell // width, cell % width
    has_left, has_right, has_up, has_down = column > 0, column < width - 1, row > 0, cell < cells - width
    before = place - cells
    still, still_2 = _token(codes, before, start, none), _token(codes, before - cells, start, none)
    still_3, still_4 = _token(codes, before - 2 * cells, start, none), _token(codes, before - 3 * cells, start, none)
    left = _token(codes, place - 1, start, none) if has_left else none
    other = _place_of_other(codes, before, cells, start)

    contexts[0] = cell
    contexts[1] = still
    contexts[2] = joined(still, cell)
    contexts[3], contexts[4], contexts[5] = still_2, still_3, still_4
    contexts[6] = _token(codes, before - 4 * cells, start, none)
    contexts[7] = _token(codes, before - 6 * cells, start, none)
    contexts[8] = _token(codes, other, start, none)
    contexts[9] = joined(_token(codes, before + 1, start, none) if has_right else none, cell)
    contexts[10] = joined(_token(codes, before + width, start, none) if has_down else none, cell)
    contexts[11] = joined(left, cell)
    contexts[12] = row
    contexts[13] = contexts[14] = contexts[15] = 0
    if still < none:
        for age in range(_FOLLOWERS):
            contexts[13 + age] = indirect[_FOLLOWERS * still + age]
    contexts[16] = indirect[_IN_ROW + _placed(still, row)]
    for index in range(len(contexts)):
        contexts[index] = joined(contexts[index], index)

    left_kept = np.int64(has_left and _is_kept(codes, place - 1, cells, start))
    up_kept = np.int64(has_up and _is_kept(codes, place - width, cells, start))
    up_left_kept = np.int64(has_up and has_left and _is_kept(codes, place - width - 1, cells, start))
    up_right_kept = np.int64(has_up and has_right and _is_kept(codes, place - width + 1, cells, start))
    kept = left_kept | up_kept << 1 | up_left_kept << 2 | up_right_kept << 3
    agree = left_kept + up_kept + up_left_kept + up_right_kept
    times = np.int64(still == still_2) + np.int64(still == still_3) + np.int64(still == still_4)
    _expect(memory.match_state[stream], before, other, cells, start, agree, times)
    memory.selected[:] = 0
    memory.selected[1] = kept
    memory.selected[2] = cell % _CELLS
    memory.final_selected[:] = 0
    memory.final_selected[2] = cell % _CELLS
    memory.map_contexts[0] = joined(kept, times)
    memory.map_contexts[1] = joined(still, 1)


@part
def _grid(memory, place):
    """(cells of a frame, its width, the cell at a place)."""
    width = memory.layout[_WIDTH]
    cells = memory.layout[_HEIGHT] * width
    return cells, width, (place - memory.base) % cells


@part
def _token(codes, place, start, none):
    """The token at a place; `none` before the stream's start."""
    return np.int64(codes[place]) if place >= start else none


@part
def _is_kept(codes, place, cells, start):
    """Whether a place has the token of a frame before."""
    return place - cells >= start and codes[place] == codes[place - cells]


@part
def _place_of_other(codes, before, cells, start):
    """The newest place of a cell, before the place `before`, that has another token; or one that is none."""
    other = before - cells
    for _ in range(_MOST_FRAMES):
        if other < start or codes[other] != codes[before]:
            break
        other -= cells
    return other


@part
def _expect(match, before, other, cells, start, agree, times):
    """Let two matches point at what the cell held. Their lengths say how well that went around it and lately."""
    match[_STILL, matches.LENGTH] = match[_OTHER, matches.LENGTH] = 0
    if before >= start:
        match[_STILL, matches.POINTER], match[_STILL, matches.LENGTH] = before, 4 + 4 * agree + times
    if other >= start:
        match[_OTHER, matches.POINTER] = other
        match[_OTHER, matches.LENGTH] = (before - other) // cells + (_MOST_FRAMES + 2) * agree


@part
def _placed(token, row):
    """Where what followed a token in a row is kept."""
    return np.int64(joined(token, row) >> np.uint64(20)) & (1 << _PLACED_BITS) - 1


@part
def _take(memory, stream, place):
    """Take in the symbol that came at `place`."""
    codes, indirect, start = memory.codes, memory.indirect, memory.base + stream * memory.steps
    cells, width, cell = _grid(memory, place)
    if place - cells >= start:
        still, follower = np.int64(codes[place - cells]), np.int64(codes[place]) + 1
        for age in range(_FOLLOWERS - 1, 0, -1):
            indirect[_FOLLOWERS * still + age] = indirect[_FOLLOWERS * still + age - 1]
        indirect[_FOLLOWERS * still] = follower
        indirect[_IN_ROW + _placed(still, cell // width)] = follower
    context = np.uint64(0)
    for age in range(min(_RASTER_TOKENS, place + 1 - start)):
        context = joined(context, codes[place - age])
    matches.follow(memory.match_table[_RASTER], memory.match_state[stream, _RASTER], context, _RASTER_TOKENS, codes,
                   place + 1, memory.base, memory.steps)


CONTEXTS = ContextSet(
    "video", _code_steps, contexts=_CONTEXTS, selectors=_SELECTORS, final_selectors=_FINAL_SELECTORS, maps=_MAPS,
    matches=3, state=1, indirect=_INDIRECT, predictions=0, start_weight=3_000, rates=(900, 60))
