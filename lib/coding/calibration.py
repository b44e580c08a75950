"""How fast this machine is beside the one that lib.coding.speed reckons with: measured once, and corrected by every longer run.

It says how long a run takes here, and decides nothing: what is written never depends on it.
"""

import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lib import compiling
from lib.coding import speed
from lib.coding.plan import Plan
from lib.kinds import BY_STORED_NAME

# What the machine that lib.coding.speed reckons with does in a second: numbers fetched from a table that no cache holds, for contexts, and
# multiplications of a vector and a matrix that a cache does, for networks.
_FETCHES, _PRODUCTS = 450e6, 35e9
_SECONDS = 0.2                      # that a measurement takes
_COMPILING = 25                     # seconds that it takes where the loops of a kind were not compiled before
_LEAST, _MOST = 1 / 50, 50          # what is out of these bounds was measured wrongly
_speeds: dict[str, float] = {}      # "contexts", "network" -> times as fast as that machine


def seconds(plan: Plan, prior_symbols: int = 0) -> float:
    """Seconds that a run takes here, from its start to its end, of a plan with a prior of so many symbols."""
    names = {part.parameters.contexts for part in plan.groups or [plan]} & BY_STORED_NAME.keys()
    compiling_seconds = sum(_COMPILING for name in names if not compiling.is_compiled(BY_STORED_NAME[name].module))
    return speed.BEGIN_SECONDS + compiling_seconds + speed.coding_seconds(plan, prior_symbols) / _known()[_what(plan)]


def note(plan: Plan, symbols_per_second: float) -> None:
    """Take into account how many symbols of a plan were coded in a second."""
    measured = symbols_per_second / speed.symbols_per_second(plan)
    known = _known()
    known[_what(plan)] = (known[_what(plan)] * _believable(measured)) ** 0.5
    _keep(known)


def _what(plan):
    return "network" if any(part.parameters.has_network for part in plan.groups or [plan]) else "contexts"


def _known():
    """The speeds, from this process, from an earlier one, or measured now."""
    if not _speeds:
        _speeds.update(_kept() or _measured())
    return _speeds


def _measured():
    draw = np.random.default_rng(1)
    table, places = np.zeros(1 << 23, np.int32), draw.integers(0, 1 << 23, 1 << 17)
    vector, matrix = np.ones(664, np.float32), np.ones((664, 800), np.float32)
    speeds = {"contexts": _believable(_per_second(lambda: table[places], len(places)) / _FETCHES),
              "network": _believable(_per_second(lambda: vector @ matrix, matrix.size) / _PRODUCTS)}
    _keep(speeds)
    return speeds


def _per_second(work: Callable[[], Any], count: int) -> float:
    """How many of the `count` things that `work` does are done in a second, by the quickest of some tries: others share the machine."""
    work()                          # the first time loads what it needs
    took: list[float] = []
    end = time.perf_counter() + _SECONDS
    while not took or time.perf_counter() < end:
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return count / min(took)


def _believable(speed):
    """Within bounds: under a heavy load a measurement may be out of them, and would be made again and again."""
    return min(max(speed, _LEAST), _MOST)


def _file():
    """Where speeds are kept: with what was compiled for this machine, so that each version measures anew; None where nothing is."""
    return Path(compiling.folder()) / "speed.json" if compiling.folder() else None


def _kept():
    with contextlib.suppress(OSError, ValueError, AttributeError, TypeError, LookupError):
        read = json.loads(_file().read_text())
        speeds = {what: float(read[what]) for what in ("contexts", "network") if _LEAST <= read[what] <= _MOST}
        return speeds if len(speeds) == 2 else None
    return None


def _keep(speeds):
    with contextlib.suppress(OSError, AttributeError):
        _file().write_text(json.dumps(speeds))
