"""The lock-step loop: predict, code, learn, for all streams at once, segment by segment.

There is one loop. Encoding and decoding differ in the segments they walk through: `encoding`
gives segments whose coder writes, `decoding` segments whose coder reads.
"""

import time
from dataclasses import dataclass

import numpy as np

from lib.container import Segment
from lib.errors import DivergedError
from lib.mixing import make_coder

SEGMENT_SYMBOLS = 1 << 17        # a segment's frame is 17 bytes: under 0.1 % of the payload of most text
_PROGRESS_SECONDS = 0.1


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    done: int          # symbols coded
    total: int         # symbols in all
    bits: int          # compressed size of what is coded, without headers
    seconds: float     # since the first symbol


def code(predictor, streams, symbols, segments, progress=None):
    """Code `symbols`, uint16 of shape (steps, batch_size): read when encoding, filled when decoding.

    progress: called with a Progress about ten times a second, and at the end.
    Yields the step that each finished segment ends at: up to there `symbols` are checked.
    Raises DivergedError when decoding with a predictor whose state is not the encoder's.
    """
    started = time.perf_counter()
    reported = started
    bits = 0
    for segment in segments:
        for first in range(segment.start, segment.end, predictor.steps_at_once):
            end = min(first + predictor.steps_at_once, segment.end)
            predictor.code_steps(segment.coder, symbols[first:end], streams.active(np.arange(first, end)), first)
            now = time.perf_counter()
            if progress and now - reported > _PROGRESS_SECONDS:
                progress(Progress(streams.symbols_before(end), streams.symbol_count,
                                  bits + 8 * segment.coder.bytes_done, now - started))
                reported = now
        segment.close(predictor.fingerprint())
        bits += 8 * segment.coder.bytes_done
        yield segment.end
    if progress:
        progress(Progress(streams.symbol_count, streams.symbol_count, bits, time.perf_counter() - started))


def encoding(writer, coder_name, streams):
    """Segments that write what is coded to a container.Writer. They end at fixed symbol counts."""
    steps_each = max(1, SEGMENT_SYMBOLS // streams.batch_size)
    for start in range(0, streams.steps, steps_each):
        yield _EncodedSegment(writer, make_coder(coder_name), start, min(start + steps_each, streams.steps))


def decoding(segments, coder_name):
    """Segments that read the payloads of container.Segments."""
    start = 0
    for segment in segments:
        yield _DecodedSegment(segment.fingerprint, make_coder(coder_name, segment.payload), start, start + segment.steps)
        start += segment.steps


class _EncodedSegment:
    """Steps [start, end), coded by `coder` and written when closed."""

    def __init__(self, writer, coder, start, end):
        self.coder, self.start, self.end = coder, start, end
        self._writer = writer

    def close(self, fingerprint):
        self._writer.write_segment(Segment(self.end - self.start, self.coder.finish(), fingerprint))


class _DecodedSegment:
    """Steps [start, end), read by `coder` and checked when closed."""

    def __init__(self, fingerprint, coder, start, end):
        self.coder, self.start, self.end = coder, start, end
        self._fingerprint = fingerprint

    def close(self, fingerprint):
        if fingerprint != self._fingerprint:
            raise DivergedError(f"the model's state after step {self.end:,} is not the encoder's")
