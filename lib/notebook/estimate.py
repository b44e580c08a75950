"""What a run would take and make, before it begins."""

import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.coding import calibration, choice
from lib.coding.plan import Plan
from lib.contents import input_bytes, inspect
from lib.kinds import name_of
from lib.machine import available_memory
from lib.settings import Settings
from lib.sources.recognition import has_jpegs, source_of
from lib.sources.source import Source

_PNG = b"\x89PNG"
_LARGEST_LOOKED_AT = 30_000_000            # bytes: to look at more would make the form slow
_MOST_SQUEEZED = 200_000                   # bytes of a file by which its size is guessed
# What presets make of what LZMA makes, on the texts and other files of docs/results.md.
_OF_LZMA: Mapping[str, Mapping[str, float]] = {
    "text": {"fast": 0.71, "balanced": 0.67, "best": 0.66}, "binary": {"fast": 0.80, "balanced": 0.78, "best": 0.77}}


PRESETS = ("fast", "balanced", "best")     # of which an Outlook says something


@dataclass(frozen=True)
class Outlook:
    """What is known of compressing a file before it begins."""

    source: Source
    is_png: bool                           # whether it is a PNG, taken apart or not
    plans: Mapping[str, Plan]              # by preset: what a run would take
    sizes: Mapping[str, int]               # by preset: bytes that it may make, where that can be guessed
    taken: str                             # the preset that a run takes
    why: str                               # and why, in a line; "" where it was chosen

    def duration_of(self, preset: str) -> str:
        return choice.duration(calibration.seconds(self.plans[preset]))


class Estimate:
    """Outlooks on one input after another; what was read of the last one is kept."""

    def __init__(self) -> None:
        self._key: Any = None
        self._data: Any = None
        self._squeezed = 1.0               # size of what LZMA makes, over the original's
        self._sources: dict[tuple, Source] = {}

    def outlook(self, path: Path | str, settings: Settings) -> Outlook | None:
        """The Outlook on compressing a file with Settings as they are chosen, and with PRESETS; None for what is large, or a folder.

        Raises LockstepError or OSError where it cannot be compressed.
        """
        path = Path(path).expanduser()
        if path.is_dir() or _is_large(path):
            return None
        source = self._source(path, settings.with_values({"preset": "auto"}) if settings.preset == "fast" else settings)
        if source.place and source.place.part > 1:
            return None                    # it goes on as the part before was coded
        of_fast = (lambda: self._source(path, settings.with_values({"preset": "fast"}))) if has_jpegs(source) else None
        plan, why = choice.plan_for(settings, source, of_fast=of_fast)
        plans = {preset: choice.plan_for(settings.with_values({"preset": preset}), source, of_fast=of_fast)[0] for preset in PRESETS}
        taken = next((preset for preset in PRESETS if plans[preset].all_parameters == plan.all_parameters), settings.preset)
        factors = _OF_LZMA.get(name_of(plan.parameters.contexts), {})
        sizes = {preset: int(self._squeezed * len(self._data) * factors[preset]) for preset in PRESETS if preset in factors}
        return Outlook(source, self._data.startswith(_PNG), plans | {settings.preset: plan}, sizes, taken, why)

    def line(self, path: Path | str, outlook: Outlook | None, preset: str) -> str:
        """A sentence or two on an Outlook."""
        name = Path(path).name
        if outlook is None:
            return f"{name}: the run shows the time it needs."
        return f"{name}, {len(self._data):,} bytes: {_takes(outlook.plans[preset])}. {outlook.why.replace('auto took', 'auto takes')}".rstrip()

    def _source(self, path, settings):
        key = (path, path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else path
        if key != self._key:
            self._key, self._data, self._sources = key, input_bytes(path), {}
            part = self._data[:_MOST_SQUEEZED]
            self._squeezed = len(lzma.compress(part)) / max(1, len(part))
        asked = (settings.contexts, settings.grid_width, settings.pixels, settings.preset == "fast")
        if asked not in self._sources:
            self._sources[asked] = source_of(self._data, settings)
        return self._sources[asked]


def line_on_coded(path: Path | str) -> str:
    """A sentence or two on what a .lks file says of itself, and what decompressing it would take.

    Raises LockstepError or OSError where it cannot be decompressed.
    """
    path = Path(path).expanduser()
    if _is_large(path):
        return f"{path}: the run shows the time it needs."
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
