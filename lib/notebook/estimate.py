"""How long a run will take and how much memory, before it begins."""

import dataclasses
from pathlib import Path

from lib.coding import memory_bytes
from lib.compression import input_bytes
from lib.errors import LockstepError
from lib.files import available_memory
from lib.models.size import operations_per_step
from lib.choice import duration
from lib.sources import source_of
from lib.surroundings import sights_of

_SMALLEST_FIRST = ("best", "balanced", "fast")
_BEGIN_SECONDS = 4                         # to load and to compile
# Measured on two cores of a 2.6 GHz x86-64 machine: symbols of contexts in a second, and operations of an exact network.
_SYMBOLS_PER_SECOND = {"text": 44_000, "binary": 26_000, "video": 30_000, "image": 28_000, "none": 1_000_000}
_OPERATIONS_PER_SECOND = 14e9
_LARGEST_LOOKED_AT = 100_000_000           # bytes


class Estimate:
    """Estimates for one input after another; what was read of the last one is kept."""

    def __init__(self):
        self._key, self._data, self._sources = None, None, {}

    def line(self, path, settings):
        """A sentence or two on what compressing a file would take with Settings as they are chosen."""
        path = Path(path)
        try:
            source, size = self._source(path, settings)
        except (LockstepError, OSError) as error:
            return f"{path.name}: {error}"
        if source is None:
            return f"{path.name} is large, {size:,} bytes: the run itself says what it takes."
        name, complete, seconds = _chosen(settings, source)
        memory = memory_bytes(complete, source, source.streams_for(complete.batch_size))
        what = "" if settings.preset != "auto" else f"auto would take {name}, as far as one can tell before trying. "
        free = available_memory()
        short = " That is more than is free here." if free is not None and memory > free else ""
        return (f"{path.name}, {size:,} bytes, {_looks(source)}. {what}About {duration(seconds)} on a processor of two cores, and "
                f"{memory / 1e6:,.0f} MB of memory.{short}")

    def _source(self, path, settings):
        key = (path, path.stat().st_mtime_ns, path.stat().st_size)
        if path.is_file() and key[2] > _LARGEST_LOOKED_AT:
            return None, key[2]
        if key != self._key:
            self._key, self._data, self._sources = key, input_bytes(path), {}
        asked = (settings.contexts, settings.grid_width)
        if asked not in self._sources:
            self._sources[asked] = source_of(self._data, settings)
        return self._sources[asked], len(self._data)


def _chosen(settings, source):
    """(name of the preset, complete settings, seconds) of what would be taken."""
    names = _SMALLEST_FIRST if settings.preset == "auto" else (settings.preset,)
    for name in names:
        complete = dataclasses.replace(settings, preset=name).resolve(source.symbol_count, source.suitable_contexts())
        seconds = _seconds(complete, source)
        if seconds <= settings.time_limit or name == names[-1]:
            return name, complete, seconds


def _seconds(settings, source):
    streams = source.streams_for(settings.batch_size)
    seconds = _BEGIN_SECONDS + source.symbol_count / _SYMBOLS_PER_SECOND[settings.contexts]
    if settings.has_network:
        seconds += streams.steps * operations_per_step(settings, sights_of(settings, source)) / _OPERATIONS_PER_SECOND
    return seconds


def _looks(source):
    many = "" if source.unit == "bytes" else f"{source.symbol_count:,} {source.unit}, "
    return f"{many}{source.suitable_contexts()} by its looks"
