"""Stretches of an original, decoded without what comes after them.

Groups of an input are coded each by itself, so those that a stretch has no part in are passed over. Of bytes in one stream only
the segments up to the last one needed are decoded; all else is decoded group by group. Each segment is checked as ever; the SHA-256 of
the whole original cannot be.
"""

import bisect
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from lib.blocks import tree
from lib.coding import loop
from lib.coding.container import Reader, Segment
from lib.coding.loop import Progress
from lib.coding.plan import Plan
from lib.coding.predictor import Predictor
from lib.coding.run import check_readable, made_in_of
from lib.coding.streams import Streams
from lib.errors import FormatError, SettingsError
from lib.models import check_same
from lib.models.environment import MadeIn
from lib.resume.run import Run
from lib.sources.blocks import MAP, BlockSource
from lib.sources.bytes import ByteSource

_Progress = Callable[[Progress], Any] | None


class PartialDecoder:
    """Gives stretches of the original of a coded file."""

    def __init__(self, reader: Reader, plan: Plan, run: Run, progress: _Progress = None) -> None:
        """Raises FormatError where nothing of the file is intact, and SettingsError for a part of a split file."""
        segments, fault = check_readable(reader, plan)
        if plan.source.place:
            raise SettingsError("a part of a split file goes on from the one before", "decompress the parts one after the other, and join them")
        plan.check_memory()
        self._size = reader.header.original_bytes
        self._source = plan.source if isinstance(plan.source, BlockSource) else None
        self._whole = _Decoded(plan, segments, fault, self._size, run, made_in_of(reader.header), progress)
        if self._source:
            self._source.check_installed()
            ends = list(itertools.accumulate((segment.steps for segment in segments), initial=0))
            if not {step for step in plan.streams.breaks if step <= ends[-1]} <= {*ends}:
                raise FormatError("a segment goes beyond the end of a group", "the file is damaged")
            places = [bisect.bisect_left(ends, step) for step in [0, *plan.streams.breaks]]        # beyond the last one for what is damaged
            parts = [_Decoded(group, segments[first:last], fault if last == len(ends) else None, part.size, run, None, progress)
                     for group, part, (first, last) in zip(plan.groups, self._source.groups, itertools.pairwise(places))]
            named = self._source.by_name(parts)
            self._map = named.pop(MAP, None)
            self._groups = {name: _Joined(some) for name, some in named.items()}

    def stretch(self, start: int, stop: int) -> bytes:
        """The original's bytes from `start` up to `stop`. Raises FormatError, also where what it takes is damaged, and DivergedError."""
        if not self._source:
            return self._whole[start:stop]
        tree_map = self._map[0][:] if self._map else self._source.small_map
        return tree.stretch(tree_map, self._groups, self._size, start, stop)


class _Decoded:
    """The bytes of one plan, decoded as far as they were asked for."""

    def __init__(self, plan: Plan, segments: Sequence[Segment], fault: FormatError | None, size: int, run: Run, made_in: MadeIn | None,
                 progress: _Progress) -> None:
        """fault: what ends the segments, where they are not all."""
        self._plan, self._segments, self._fault, self._size = plan, segments, fault, size
        self._run, self._made_in, self._progress = run, made_in, progress
        self._data, self._coding = b"", self._steps()
        self._is_in_order = type(plan.source) is ByteSource and plan.streams.batch_size == 1

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, place: slice, /) -> bytes:
        start, stop, _ = place.indices(self._size)
        self._decode(stop if self._is_in_order else self._size)
        return self._data[start:stop]

    def _decode(self, needed):
        """Go on until there are so many bytes."""
        if len(self._data) >= needed:
            return
        for done in self._coding:
            if self._is_in_order and done >= needed:
                self._data = self._plan.source.restore(self._symbols[:done, 0])
                return
        if self._fault:
            raise self._fault
        self._data = self._plan.source.restore(self._plan.streams.join(self._symbols))

    def _steps(self):
        plan, streams = self._plan, self._plan.streams
        assert isinstance(streams, Streams)
        predictor = Predictor(plan, self._made_in, self._run.known(plan))
        check_same(self._made_in, predictor.environment)
        self._symbols = streams.empty()
        segments = loop.decoding(self._segments, plan.parameters.coder, streams, 0)
        yield from loop.code(predictor, streams, self._symbols, segments, plan.source.unit, self._progress)


class _Joined:
    """Several of them, one after the other."""

    def __init__(self, parts: Sequence[_Decoded]) -> None:
        self._parts = parts

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __getitem__(self, place: slice, /) -> bytes:
        start, stop, _ = place.indices(len(self))
        pieces, at = [], 0
        for part in self._parts:
            if at < stop and start < at + len(part):
                pieces.append(part[max(start - at, 0):stop - at])
            at += len(part)
        return b"".join(pieces)
