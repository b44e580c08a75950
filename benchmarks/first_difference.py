"""Where a backend first computes other bits than NumPy: python -m benchmarks.first_difference jax [--steps N] [--set NAME=VALUE]

For a device whose files differ (benchmarks.portability): runs the exact network on both, on the same symbols, and compares what each step and each
update gives, then, where an update differs, what each part of it gives on the very same values. Exits 1 where anything differs.
"""

import argparse
import sys
from typing import Any

import numpy as np

from lib.models.backend import keras_backend
from lib.models.exact.dimensions import Dimensions
from lib.models.exact.keras_engine import KerasEngine
from lib.models.exact.schedule import Schedule, decay_bits
from lib.models.exact.state import State
from lib.models.inputs import InputShape
from lib.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_difference", description=__doc__.split("\n\n")[0])
    parser.add_argument("backend")
    parser.add_argument("--steps", type=int, default=64, help="(default: 64)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    parameters = Settings(preset="network").with_text(options.set).resolve(options.steps)
    dimensions = Dimensions.of(parameters, InputShape.of_last_symbol(96))
    schedule = Schedule(parameters.start_learning_rate, parameters.end_learning_rate, options.steps, parameters.adam_beta_2)
    decay = decay_bits(parameters.adam_beta_2)
    engines = [KerasEngine(dimensions, decay, State.initial(dimensions, 1), keras_backend(name)) for name in ("numpy", options.backend)]
    draw = np.random.default_rng(1)
    for step in range(options.steps):
        if differs(f"frequencies of step {step}", *(engine.predict() for engine in engines)) or differs_in_state(f"step {step}", engines):
            return 1
        symbols = draw.integers(0, 96, dimensions.streams)
        for engine in engines:
            engine.take(symbols, dimensions.streams, symbols[:, None])
        if (step + 1) % dimensions.interval == 0:
            parts = [parts_of_update(engine) for engine in engines]
            for name in parts[0]:
                if differs(f"{name} after step {step}", *(part[name] for part in parts)):
                    return 1
            for engine in engines:
                engine.begin_update(schedule.rate(step, step // dimensions.interval))
                engine.end_update()
            if differs_in_state(f"the update after step {step}", engines):
                return 1
    print(f"{options.steps} steps: the same")
    return 0


def parts_of_update(engine: KerasEngine) -> dict[str, np.ndarray]:
    """{name: array} of what an update is made of, each part compiled by itself."""
    array = engine._ops.convert_to_numpy
    backend = keras_backend(_name_of(engine))
    found: dict[str, np.ndarray] = {}

    def note(name: str, value: Any) -> None:
        for number, one in enumerate(value if isinstance(value, (tuple, list)) else [value]):
            found[f"{name} {number}"] = array(one)

    errors = backend.compile(engine._errors)(engine._frequencies, engine._targets, engine._active)
    note("errors", errors)
    from_output = backend.compile(engine._output_gradient)(errors, engine._factors["output_kernel"])
    note("what the output layer asks", from_output)
    gradients = backend.compile(engine._gradients)(engine._factors, list(engine._tokens), list(engine._traces), engine._frequencies, engine._targets,
                                                   engine._active)
    for name in engine._dimensions.parameters():
        note(f"gradient of {name}", gradients[name])
    return found


def _name_of(engine):
    return next(name for name in ("numpy", "tensorflow", "jax") if name in type(engine._cells).__module__ or name == "numpy" and
                isinstance(engine._cells, np.ndarray))


def differs_in_state(when: str, engines: list[KerasEngine]) -> bool:
    names = ["weights", "squares", "cells", "traces"]
    states = [vars(engine.state()) for engine in engines]
    for name in names:
        values = [state[name] if isinstance(state[name], dict) else {"": state[name]} for state in states]
        for key in values[0]:
            if differs(f"{name} {key} after {when}", *(value[key] for value in values)):
                return True
    return False


def differs(what: str, expected: np.ndarray, found: np.ndarray) -> bool:
    """Whether two arrays differ, and if so says where first, and how many do."""
    other = np.argwhere(np.asarray(expected) != np.asarray(found))
    if len(other):
        place = tuple(other[0])
        print(f"{what}: {len(other):,} of {np.size(expected):,} differ, first at {place}: {np.asarray(expected)[place]}, not {np.asarray(found)[place]}")
    return bool(len(other))


if __name__ == "__main__":
    sys.exit(main())
