"""What the contexts of a kind of data are to the mixing engine."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class ContextSet:
    """A set of contexts over the engine, and the sizes that its memory needs."""

    name: str
    # (memory, coder state, buffer, symbols, active, first step, frequencies, decoding): codes whole steps of all streams,
    # as lib.mixing.ContextMixer.code_steps says; for each symbol it sets the contexts, calls engine.code_symbol and
    # takes the symbol in. A loop for each kind, as Numba keeps none on disk that is given its functions.
    code_steps: Callable
    contexts: int
    # Of each weight set of the first layer: (how many values select its rows, a BY_... of lib.mixing.selectors).
    selectors: tuple[tuple[int, int], ...]
    final_selectors: tuple[tuple[int, int], ...]    # likewise of the second layer
    maps: int                 # adaptive probability maps
    matches: int
    state: int                # numbers that a stream keeps
    indirect: int             # numbers that all streams keep
    predictions: int              # of the code itself, see lib.mixing.distances
    start_weight: int         # of each input, of 2^16
    rates: tuple[int, int]    # of the first layer's rows, at first and in the end, of 2^16
    fits: Callable = lambda layout: 0     # of a source's `layout`: numbers that a stream keeps for lib.mixing.least_squares
    work: int = 0             # numbers to work on
    inputs: int = 3           # to the mixer for each context; fewer where a kind has a loop of its own over the engine's parts
    decisions: int = 0        # binary ones that a symbol takes at most; 0: as many as its code has bits
