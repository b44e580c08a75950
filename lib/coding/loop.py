"""The lock-step loop: predict, code, learn, for all streams at once, segment by segment.

There is one loop. Encoding and decoding differ in the segments they walk through: `encoding`
gives segments whose coder writes, `decoding` segments whose coder reads.
"""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lib.coders import Coder, CoderState, make_coder
from lib.coding.container import Segment, Writer
from lib.coding.predictor import Predictor
from lib.coding.streams import AnyStreams
from lib.errors import DivergedError

SEGMENT_SYMBOLS = 1 << 17        # a segment's frame is 17 bytes: under 0.1 % of the payload of most text
_PROGRESS_SECONDS = 0.1


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    done: int          # symbols coded
    total: int         # symbols in all
    bits: int          # compressed size of what this run coded, without headers
    seconds: float     # since the first symbol
    unit: str          # what a symbol is, in the plural


def code(predictor: Predictor, streams: AnyStreams, symbols: np.ndarray, segments: "Iterable[_EncodedSegment | _DecodedSegment]", unit: str,
         progress: Callable[[Progress], Any] | None = None, visit: Callable[[int, Any], Any] | None = None,
         seconds_between: float | None = None) -> Iterator[int]:
    """Code `symbols`, uint16 of shape (end - first, batch_size) of the streams: read when encoding, filled when decoding.

    unit: what a symbol is, for Progress. progress: called with one after some step every `seconds_between`, or about ten times a second, and at
    the end. visit: called between steps with the next step and the segment.
    Yields the step that each finished segment ends at: up to there `symbols` are checked.
    Raises DivergedError when decoding with a predictor whose state is not the encoder's.
    """
    started = time.perf_counter()
    reported, seconds_between = started, _PROGRESS_SECONDS if seconds_between is None else seconds_between
    bits = 0
    for segment in segments:
        for first in range(segment.next, segment.end, predictor.steps_at_once):
            end = min(first + predictor.steps_at_once, segment.end)
            predictor.code_steps(segment.coder, symbols[first - streams.first:end - streams.first],
                                 streams.active(np.arange(first, end)), first)
            now = time.perf_counter()
            if progress and now - reported > seconds_between:
                progress(Progress(streams.symbols_before(end), streams.coded_count,
                                  bits + 8 * segment.coder.bytes_done, now - started, unit))
                reported = now
            if visit and end < segment.end:
                visit(end, segment)
        segment.close(predictor.fingerprint())
        bits += 8 * segment.coder.bytes_done
        yield segment.end
    if progress:
        progress(Progress(streams.coded_count, streams.coded_count, bits, time.perf_counter() - started, unit))


def encoding(writer: Writer, coder_name: str, streams: AnyStreams, next_step: int,
             coder_state: CoderState | None = None) -> "Iterator[_EncodedSegment]":
    """Segments that write what is coded to a container.Writer. They end at fixed symbol counts, and where a predictor may change.

    next_step: the first to be coded. coder_state: of a resumed run, the state of its coder there.
    """
    steps_each = max(1, SEGMENT_SYMBOLS // streams.batch_size)
    for first, last in itertools.pairwise([streams.first, *streams.breaks]):
        for start in range(first, last, steps_each):
            end = min(start + steps_each, last)
            if end <= next_step:
                continue
            coder = make_coder(coder_name, None, coder_state)
            yield _EncodedSegment(writer, coder, max(start, next_step), start, end)
            coder_state = None


def decoding(segments: Iterable[Segment], coder_name: str, streams: AnyStreams, next_step: int,
             coder_state: CoderState | None = None) -> "Iterator[_DecodedSegment]":
    """Segments that read the payloads of container.Segments. The rest as for `encoding`."""
    start = streams.first
    for segment in segments:
        end = start + segment.steps
        if end > next_step:
            coder = make_coder(coder_name, segment.payload, coder_state)
            yield _DecodedSegment(segment.fingerprint, coder, max(start, next_step), end)
            coder_state = None
        start = end


def checked_before(segments: Iterable[Segment], streams: AnyStreams, step: int) -> int:
    """The last end of a segment at or before a step: up to there all is checked."""
    ends = itertools.accumulate((segment.steps for segment in segments), initial=streams.first)
    return max(end for end in ends if end <= step)


class _EncodedSegment:
    """Steps [start, end), of which `next` is the next one to be coded by `coder`; written when closed."""

    def __init__(self, writer: Writer, coder: Coder, next_step: int, start: int, end: int) -> None:
        self.coder, self.next, self.end = coder, next_step, end
        self._writer, self._start = writer, start

    def close(self, fingerprint: bytes) -> None:
        self._writer.write_segment(Segment(self.end - self._start, self.coder.finish(), fingerprint))


class _DecodedSegment:
    """Steps up to `end`, read by `coder` from `next` on, and checked when closed."""

    def __init__(self, fingerprint: bytes, coder: Coder, next_step: int, end: int) -> None:
        self.coder, self.next, self.end = coder, next_step, end
        self._fingerprint = fingerprint

    def close(self, fingerprint: bytes) -> None:
        if fingerprint != self._fingerprint:
            raise DivergedError(f"the model's state after step {self.end:,} is not the encoder's")
