"""How long a run will take and how much memory, before it begins."""

from pathlib import Path
from typing import Any

from lib.coding import calibration, choice
from lib.contents import input_bytes, inspect
from lib.machine import available_memory
from lib.settings import Settings
from lib.sources import source_of
from lib.sources.source import Source

_LARGEST_LOOKED_AT = 30_000_000            # bytes: to look at more would make the form slow


class Estimate:
    """Estimates for one input after another; what was read of the last one is kept."""

    def __init__(self) -> None:
        self._key: Any = None
        self._data: Any = None
        self._sources: dict[tuple, Source] = {}

    def line(self, path: Path | str, settings: Settings) -> str:
        """A sentence or two on what compressing a file would take with Settings as they are chosen.

        Raises LockstepError or OSError where it cannot be compressed.
        """
        path = Path(path).expanduser()
        if path.is_dir() or _is_large(path):
            return f"{path}: the run says what it takes when it begins."
        source = self._source(path, settings)
        plan, why = choice.plan_for(settings, source)
        why = why.replace("auto took", "auto would take")
        return f"{path.name}, {len(self._data):,} bytes: {_takes(plan)}. {why}".rstrip()

    def _source(self, path, settings):
        key = (path, path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else path
        if key != self._key:
            self._key, self._data, self._sources = key, input_bytes(path), {}
        asked = (settings.contexts, settings.grid_width, settings.pixels)
        if asked not in self._sources:
            self._sources[asked] = source_of(self._data, settings)
        return self._sources[asked]


def line_on_coded(path: Path | str) -> str:
    """A sentence or two on what a .lks file says of itself, and what decompressing it would take.

    Raises LockstepError or OSError where it cannot be decompressed.
    """
    path = Path(path).expanduser()
    if _is_large(path):
        return f"{path}: the run says what it takes when it begins."
    contents = inspect(path)
    if contents.fault:
        raise contents.fault
    header = contents.header
    what = f"{path.name} says that it holds {header.name}, {header.original_bytes:,} bytes"
    if not contents.plan:
        return f"{what}, stored as they are."
    where = f" It decodes only with {contents.environment}." if contents.environment else ""
    return f"{what}: {_takes(contents.plan)}.{where}"


def _is_large(path):
    return path.is_file() and path.stat().st_size > _LARGEST_LOOKED_AT


def _takes(plan):
    """What a run of a plan takes."""
    memory, free = plan.memory_bytes, available_memory()
    short = ", more than is free here" if free is not None and memory > free else ""
    return f"about {choice.duration(calibration.seconds(plan))} here, and {memory / 1e6:,.0f} MB of memory{short}"
