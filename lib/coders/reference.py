"""The same decisions as lib.coders.arithmetic through the PyPI package arithmetic-compressor.

Pure Python and slow (about 10 microseconds a decision): an independent coder to test against, and
a way to see the published algorithm at work. Its payloads are not those of the compiled coder.
"""

import numpy as np
from arithmetic_compressor.arithmetic_coding import Decoder, Encoder
from arithmetic_compressor.util import Range

PROBABILITY_BITS = 16
_ONE = 1 << PROBABILITY_BITS
_STATE_BITS = 32


class ReferenceCoder:
    """Encodes into bytes, or decodes `payload`, on the package's Encoder and Decoder."""

    def __init__(self, payload: bytes | None = None) -> None:
        if payload is None:
            self._encoder, self._decoder = Encoder(_STATE_BITS), None
        else:
            bits = np.unpackbits(np.frombuffer(payload, np.uint8)).tolist()
            self._encoder, self._decoder = None, Decoder(bits, _STATE_BITS)
            self._bits_in_all = len(bits)

    @property
    def bytes_done(self) -> int:
        """Bytes written so far, or read so far when decoding."""
        if self._decoder is None:
            return len(self._encoder.get_encoded()) // 8
        return (self._bits_in_all - len(self._decoder.input)) // 8

    def code_step(self, frequencies: np.ndarray, symbols: np.ndarray, active: int) -> None:
        """As ArithmeticCoder.code_step."""
        for stream in range(active):
            row = frequencies[stream].astype(np.int64)
            target = None if self._decoder else int(symbols[stream])
            if target is not None and (target >= len(row) or row[target] == 0):
                raise ValueError("a symbol to be coded has frequency zero")
            symbols[stream] = self._code_symbol(np.concatenate(([0], np.cumsum(row))).tolist(), target)

    def finish(self) -> bytes:
        """All bytes of what was encoded; zeros may follow them."""
        self._encoder.finish()
        return np.packbits(np.array(self._encoder.get_encoded(), np.uint8)).tobytes()

    def _code_symbol(self, before, target):
        """Walk from the root to a symbol; `before[s]` is the frequency of all symbols below s."""
        size = len(before) - 1
        low, width = 0, 1 << (size - 1).bit_length()
        while width > 1:
            width //= 2
            middle, end = min(low + width, size), min(low + 2 * width, size)
            left, right = before[middle] - before[low], before[end] - before[middle]
            if right and (not left or self._code_bit(left, right, target is not None and target >= middle)):
                low = middle
        return low

    def _code_bit(self, left, right, bit):
        """One decision between two halves of a node; returns the bit."""
        one = max((right << PROBABILITY_BITS) // (left + right), 1)
        ranges = {0: Range(0, _ONE - one), 1: Range(_ONE - one, _ONE)}
        if self._decoder:
            return self._decoder.decode_symbol(ranges)
        self._encoder.encode_symbol(ranges, int(bit))
        return int(bit)
