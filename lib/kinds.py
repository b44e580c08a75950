"""The registry of kinds of data: all that differs by kind above its source (lib.sources) and its contexts (lib.mixing.kinds).

A kind has a version, which covers its contexts and the mixing engine under them: a change of any bit of what either computes is a
new version, with an entry of its own here, so that files of the older one stay readable. Headers hold the stored name: "text"
is version 1 of text, "text-2" would be the next.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Kind:
    """A kind of data."""

    name: str                      # what people choose, in the setting `contexts`
    version: int
    module: str                    # of its contexts: it has a CONTEXTS, a lib.mixing.kinds.context_set.ContextSet
    presets: Mapping[str, int]     # the number of each preset's newest form for it, see lib.presets.PRESETS
    slots_per_symbol: int          # context slots for each symbol of an input; docs/tuning.md has the figures
    symbols_per_second: int        # that its contexts code, on one core of an x86-64 machine; for estimates
    reads_text: bool               # whether a primer, which is a text, suits it
    suits_networks: bool = True    # whether a network can predict its symbols, in as many streams as it likes

    @property
    def stored_name(self) -> str:
        """Its name in file headers."""
        return self.name if self.version == 1 else f"{self.name}-{self.version}"

    def __str__(self) -> str:
        return f"{self.name}-{self.version}"


def _presets(fast: int, balanced: int, best: int, gpu: int) -> Mapping[str, int]:
    return MappingProxyType({"fast": fast, "balanced": balanced, "best": best, "gpu": gpu})


# Of every version that was ever released, the older ones first.
_RELEASED = (
    Kind("text", 1, "lib.mixing.kinds.text", _presets(10, 32, 33, 16), 32, 44_000, True),
    Kind("binary", 1, "lib.mixing.kinds.binary", _presets(11, 13, 15, 17), 32, 26_000, True),
    Kind("video", 1, "lib.mixing.kinds.video", _presets(18, 19, 20, 21), 96, 30_000, False),
    Kind("image", 1, "lib.mixing.kinds.image", _presets(22, 23, 24, 25), 24, 28_000, False),
    Kind("sound", 1, "lib.mixing.kinds.sound", _presets(26, 27, 28, 29), 4, 40_000, False),
    Kind("jpeg", 1, "lib.mixing.kinds.jpeg", _presets(30, 30, 30, 30), 4, 150_000, False, suits_networks=False),
    Kind("packed", 1, "lib.mixing.kinds.packed", _presets(31, 31, 31, 31), 0, 10_000_000, False, suits_networks=False),
)

BY_STORED_NAME: Mapping[str, Kind] = MappingProxyType({kind.stored_name: kind for kind in _RELEASED})
NEWEST: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _RELEASED})


def name_of(contexts: str) -> str:
    """The name of the kind that a stored name belongs to; what is none, as "none", stays as it is."""
    return BY_STORED_NAME[contexts].name if contexts in BY_STORED_NAME else contexts
