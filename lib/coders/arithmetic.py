"""A carryless binary arithmetic coder as one compiled kernel over a step of streams.

A symbol of an alphabet of V is coded as ceil(log2 V) binary decisions, from the top bit down.
At a node the probability of a 1 is the share of the frequencies that the right half holds, in
16 bits. A node with an empty half needs no decision and costs nothing.

The coder keeps an interval [low, high] of 32-bit numbers and shifts out leading bytes as soon as
both ends agree on them, so no carry ever reaches back (Mahoney's paq coders; the method is that of
Witten, Neal and Cleary, "Arithmetic coding for data compression", 1987).
"""

import contextlib
from collections.abc import Iterator

import numpy as np

from lib.compiling import compiled, part

PROBABILITY_BITS = 16
_TOP = (1 << 32) - 1
_LOW, _HIGH, _CODE, _POSITION = range(4)   # the coder's state, int64
_MOST_BYTES_PER_DECISION = 4
_NO_SUCH_SYMBOL = -1


class ArithmeticCoder:
    """Encodes into bytes, or decodes `payload`. After its end a payload reads as zero bytes."""

    def __init__(self, payload: bytes | None = None) -> None:
        self._decoding = payload is not None
        self._state = np.array([0, _TOP, 0, 0], np.int64)
        if payload is not None:
            self._buffer = np.frombuffer(bytearray(payload), np.uint8)
            _start_decoding(self._state, self._buffer)
        else:
            self._buffer = np.empty(1 << 12, np.uint8)

    def state(self) -> tuple[list[int], bytes]:
        """(four whole numbers, the bytes written so far) that `resumed` makes the same coder from."""
        return self._state.tolist(), b"" if self._decoding else self._buffer[:self.bytes_done].tobytes()

    @classmethod
    def resumed(cls, numbers: list[int], written: bytes, payload: bytes | None = None) -> "ArithmeticCoder":
        """The coder whose `state` was this; payload: when decoding, as it was given to that one."""
        coder = cls(payload)
        coder._state[:] = numbers
        if payload is None:
            coder._buffer = np.frombuffer(bytearray(written), np.uint8)
        return coder

    @property
    def bytes_done(self) -> int:
        """Bytes written so far, or read so far when decoding."""
        return min(int(self._state[_POSITION]), len(self._buffer))

    def code_step(self, frequencies: np.ndarray, symbols: np.ndarray, active: int) -> None:
        """Code one step: the first `active` of B streams.

        frequencies: int32, shape (B, V), zero or more, each row's sum from 1 to 2^40.
        symbols: uint16, shape (B,); read when encoding, written when decoding.
        Raises ValueError for a symbol that has no frequency.
        """
        if not self._decoding:
            self._make_room(active * frequencies.shape[1].bit_length() * _MOST_BYTES_PER_DECISION)
        if _code_step(self._state, self._buffer, frequencies, symbols, active, self._decoding) == _NO_SUCH_SYMBOL:
            raise ValueError("a symbol to be coded has frequency zero")

    @contextlib.contextmanager
    def open(self, decisions: int) -> Iterator[tuple[np.ndarray, np.ndarray, bool]]:
        """(state, buffer, whether it decodes) for a compiled loop of up to `decisions` calls of `code_bit`."""
        if not self._decoding:
            self._make_room(decisions * _MOST_BYTES_PER_DECISION)
        yield self._state, self._buffer, self._decoding

    def finish(self) -> bytes:
        """All bytes of what was encoded. One more byte pins the interval down; zeros may follow it."""
        end = int(self._state[_POSITION])
        if self._state[_LOW] == 0:
            return self._buffer[:end].tobytes()
        return self._buffer[:end].tobytes() + bytes([(int(self._state[_LOW]) >> 24) + 1])

    def _make_room(self, byte_count: int) -> None:
        """Grow the output so that one more step cannot run past its end."""
        needed = int(self._state[_POSITION]) + byte_count
        if needed > len(self._buffer):
            grown = np.empty(max(needed, 2 * len(self._buffer)), np.uint8)
            grown[:len(self._buffer)] = self._buffer
            self._buffer = grown


@compiled
def _start_decoding(state, buffer):
    """Read the first four bytes of a payload into the state."""
    for _ in range(4):
        _shift_in(state, buffer)


@part
def _shift_in(state, buffer):
    """Append the next byte of the payload to the code."""
    position = state[_POSITION]
    byte = buffer[position] if position < len(buffer) else 0
    state[_CODE] = (state[_CODE] << 8 | byte) & _TOP
    state[_POSITION] = position + 1


@part
def code_bit(state, buffer, probability, bit, decoding):       # noqa: ANN201  # Numba's own types
    """Code one decision whose probability of a 1 is `probability` / 2^16; returns the bit."""
    low, high = state[_LOW], state[_HIGH]
    middle = low + ((high - low) * probability >> PROBABILITY_BITS)
    if decoding:
        bit = 1 if state[_CODE] <= middle else 0
    if bit:
        high = middle
    else:
        low = middle + 1
    while (low ^ high) >> 24 == 0:
        if decoding:
            _shift_in(state, buffer)
        else:
            buffer[state[_POSITION]] = high >> 24
            state[_POSITION] += 1
        low = low << 8 & _TOP
        high = high << 8 & _TOP | 255
    state[_LOW], state[_HIGH] = low, high
    return bit


@compiled
def _code_step(state, buffer, frequencies, symbols, active, decoding):
    """See ArithmeticCoder.code_step. Returns _NO_SUCH_SYMBOL or 0."""
    size = frequencies.shape[1]
    levels = 0
    while 1 << levels < size:
        levels += 1
    before = np.zeros(size + 1, np.int64)      # frequencies of all symbols below one
    for stream in range(active):
        for symbol in range(size):
            before[symbol + 1] = before[symbol] + frequencies[stream, symbol]
        target = np.int64(symbols[stream])
        if not decoding and (target >= size or frequencies[stream, target] == 0):
            return _NO_SUCH_SYMBOL
        node = np.int64(0)                     # the lowest symbol below the node
        for level in range(levels - 1, -1, -1):
            middle = min(node + (1 << level), size)
            end = min(node + (2 << level), size)
            left, right = before[middle] - before[node], before[end] - before[middle]
            if right == 0:
                continue
            bit = np.int64(1)
            if left != 0:
                probability = max((right << PROBABILITY_BITS) // (left + right), 1)
                bit = code_bit(state, buffer, probability, target >> level & 1, decoding)
            node += bit << level
        symbols[stream] = node
    return 0
