"""Entropy coders: what turns probabilities into bits.

A coder of what a network says alone codes one step of all streams at a time: `code_step(frequencies, symbols, active)`
writes `symbols` when it encodes and fills them in when it decodes. `Coder()` encodes, `Coder(payload)` decodes; that is
the only difference between the directions. Context mixing codes single bits, by `lib.coders.arithmetic.code_bit`.
"""

from typing import Protocol

import numpy as np

CoderState = tuple[list[int], bytes]       # see lib.coders.arithmetic.ArithmeticCoder.state


class Coder(Protocol):
    """What codes steps of symbols; see lib.coders.arithmetic.ArithmeticCoder."""

    @property
    def bytes_done(self) -> int: ...

    def code_step(self, frequencies: np.ndarray, symbols: np.ndarray, active: int) -> None: ...

    def finish(self) -> bytes: ...


def make_coder(name: str, payload: bytes | None = None, state: CoderState | None = None) -> Coder:
    """The coder of a setting `coder`, for encoding or for decoding `payload`; state: of another, to go on as that one."""
    if name == "numba":
        from lib.coders.arithmetic import ArithmeticCoder
        return ArithmeticCoder.resumed(*state, payload) if state else ArithmeticCoder(payload)
    from lib.coders.reference import ReferenceCoder
    return ReferenceCoder(payload)
