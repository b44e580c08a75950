"""A run of learning a network: rounds over the files, a state that it goes on from, and the best weights as a prior."""

import hashlib
import io
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lib import learned, priors
from lib.errors import InputError
from lib.learning.sequences import Sequences, pieces, sequences_of, split
from lib.models.exact.bounds import check_dimensions
from lib.models.exact.dimensions import Dimensions
from lib.models.weights import LearnedNetwork
from lib.models.windows import Windows
from lib.priors import Prior
from lib.storage.files import check_target, write_file
from lib.storage.paths import path_of_input, path_of_output

STATE_SUFFIX = ".training"
_STREAMS, _SYMBOLS_OF_STREAM = (4, 32), 8_192       # fewest and most; a stream for so many symbols
_RATE, _RATE_FROM_WEIGHTS, _LAST_RATE = 0.006, 0.002, 0.01       # Adam's: at its highest, likewise from weights; in the end, of that
_SHARE_TO_RISE = 0.02
_SECONDS_BETWEEN = 20.0           # measurements, at least
_PATIENCE = 8                     # measurements without a better one, after which no better one is awaited
CODING_RATES = 0.0003, 0.0001     # that suit a network which learned before (docs/tuning.md)


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """How a network is to be learned."""

    hours: float = 1.0            # at most
    epochs: float = 20.0          # rounds over all symbols at most
    start: str = "auto"           # "none", the name of a network of the library, or a path of a prior; auto: text-small-1 for text, else none
    layers: int | None = None     # of a network from none: 2, 200 and 64
    units: int | None = None
    embedding: int | None = None
    window: int = 64              # steps that an update looks back
    rate: float | None = None


@dataclass
class Measured:
    """How a run is doing."""

    seen: list[int] = field(default_factory=list)              # symbols learned from
    learning: list[float] = field(default_factory=list)        # bits per symbol of those since the measurement before
    held_out: list[float] = field(default_factory=list)        # bits per symbol of what is never learned from


def learn_network(paths: Iterable[str | Path], output_path: str | Path, wishes: Wishes = Wishes(), *, with_text: bool = False,
                  finish: bool = False, overwrite: bool = False, note: Callable[[str], Any] = lambda line: None) -> tuple[Prior, Measured]:
    """Learn a network from files, and make a prior of it; returns (the Prior, how it went).

    with_text: whether the prior holds the files themselves too, for contexts. finish: make the prior of the best weights so far.
    note: called with lines on how it goes. The state is kept beside the output (STATE_SUFFIX) every few measurements and when interrupted: the
    same call goes on from there. Raises InputError, OutputError and SettingsError.
    """
    files, output = [path_of_input(path) for path in paths], path_of_output(output_path)
    check_target(output, overwrite, files)
    state_path = output.with_name(output.name + STATE_SUFFIX)
    if finish and not state_path.exists():
        raise InputError(f"there is no {state_path} of a run that could be finished", "leave out --finish")
    data = [priors.read_all([path]) for path in files]
    text = priors.read_all(files) if with_text else b""
    sequences = sequences_of(data)
    run = _Run(sequences, wishes, state_path, note)
    if not finish:
        run.train()
    network = LearnedNetwork.of(run.best, sequences.inputs, sequences.shape.count, sequences.alphabet, CODING_RATES)
    prior = priors.write(output, files, text, network, overwrite)
    run.state_path.unlink(missing_ok=True)
    return prior, run.measured


def _start_name(wishes, sequences):
    """The name of what to begin with."""
    if wishes.start != "auto":
        return wishes.start
    return "text-small-1" if sequences.is_text and not (wishes.layers or wishes.units or wishes.embedding) else "none"


def _start(name, sequences):
    """The LearnedNetwork of a name to begin with, or None."""
    if name == "none":
        return None
    network = LearnedNetwork.from_bytes(learned.read(name)) if name in learned.NAMES else priors.load(name).network
    if not network:
        raise InputError(f"the prior {name} holds no network", "choose another start")
    if network.inputs != sequences.inputs or not network.fits(sequences.shape) or not np.array_equal(network.alphabet, sequences.alphabet):
        raise InputError(f"the network {name} is of other data than these files", "leave the start out")
    return network


class _Run:
    """The state of learning, on disk and off."""

    def __init__(self, sequences: Sequences, wishes: Wishes, state_path: Path, note: Callable[[str], Any]) -> None:
        from lib.models.training import Trainer
        self.state_path, self.measured, self._note, self._wishes = state_path, Measured(), note, wishes
        name = _start_name(wishes, sequences)
        start = _start(name, sequences)
        streams = min(max(sequences.total // _SYMBOLS_OF_STREAM, _STREAMS[0]), _STREAMS[1])
        layers, units, embedding = ((start.layers, start.units, start.embedding) if start else
                                    (wishes.layers or 2, wishes.units or 200, wishes.embedding or 64))
        shape = sequences.shape
        self._dimensions = Dimensions(shape.symbols, embedding, units, layers, streams, wishes.window, wishes.window, shape.count, shape.values)
        check_dimensions(self._dimensions)
        self._rate = wishes.rate or (_RATE_FROM_WEIGHTS if start else _RATE)
        self._learned_from, self._held_out = split(sequences)
        self._epoch = sum(len(piece.symbols) for piece in self._learned_from)
        self._trainer = Trainer(self._dimensions, seed=1)
        if start:
            self._trainer.take(start.floats())
        self.best, self._seconds, self._updates, self._seen = self._trainer.weights(), 0.0, 0, 0
        self._identity = hashlib.sha256(repr((self._dimensions, name)).encode() + b"".join(
            part.symbols.tobytes() for part in sequences.parts)).hexdigest()
        count = sum(weight.size for weight in self.best.values())
        note(f"{sequences.total:,} symbols of {len(sequences.alphabet):,}; {layers} x {units} LSTM, embedding {embedding}, {count:,} weights, "
             f"from {'nothing' if name == 'none' else name}; {streams} streams")
        self._restore()

    def train(self) -> None:
        """Learn until the time or the rounds are over, or nothing gets better."""
        windows = Windows(pieces(self._learned_from, seed=self._updates), self._dimensions.streams, self._dimensions.window, self._dimensions.seen)
        bits, count = 0.0, 0
        try:
            if not self.measured.held_out:
                self._measure(bits, count)
            last = time.monotonic()
            for window in windows:
                if self._share >= 1:
                    break
                began = time.monotonic()
                bits, count = bits + self._trainer.learn(window, self._rate_now()), count + window.count
                self._updates, self._seen = self._updates + 1, self._seen + window.count
                self._seconds += time.monotonic() - began
                if time.monotonic() - last > _SECONDS_BETWEEN:
                    self._measure(bits, count)
                    self._keep()
                    bits, count, last = 0.0, 0, time.monotonic()
                    if len(self.measured.held_out) - 1 - int(np.argmin(self.measured.held_out)) >= _PATIENCE:
                        self._note("what is held out gets no better any more")
                        break
            self._measure(bits, count)
        except KeyboardInterrupt:
            self._keep()
            self._note(f"the same command goes on from {self.state_path}; with --finish it makes a prior of the best so far")
            raise

    @property
    def _share(self):
        """How much of the time or of the rounds is over, whichever is more."""
        return max(self._seconds / (3600 * self._wishes.hours), self._seen / (self._wishes.epochs * self._epoch))

    def _rate_now(self):
        """It rises at first, and falls along half a cosine."""
        share = min(self._share, 1)
        return self._rate * min(1, share / _SHARE_TO_RISE) * (_LAST_RATE + (1 - _LAST_RATE) * (1 + math.cos(math.pi * share)) / 2)

    def _measure(self, bits, count):
        dimensions, measured = self._dimensions, self.measured
        held_out = self._trainer.measure(Windows(self._held_out, dimensions.streams, dimensions.window, dimensions.seen))
        if not measured.held_out or held_out < min(measured.held_out):
            self.best = self._trainer.weights()
        measured.seen.append(self._seen)
        measured.learning.append(bits / count if count else math.nan)
        measured.held_out.append(held_out)
        left = self._seconds / self._share * (1 - self._share) if self._share else 3600 * self._wishes.hours
        self._note(f"{100 * min(self._share, 1):.0f} %: {self._seen:,} symbols seen, {measured.learning[-1]:.4f} bits each; held out {held_out:.4f}"
                   f"{', the best' if held_out == min(measured.held_out) else ''}; {left / 60:.1f} min left at most")

    def _keep(self):
        arrays: dict[str, Any] = {f"learned_{name}": weight for name, weight in self._trainer.weights().items()}
        arrays |= {f"best_{name}": weight for name, weight in self.best.items()}
        arrays |= {f"optimizer_{number}": array for number, array in enumerate(self._trainer.optimizer_arrays())}
        packed = io.BytesIO()
        np.savez(packed, identity=self._identity, run=np.array([self._seconds, self._updates, self._seen]), seen=self.measured.seen,
                 learning=self.measured.learning, held_out=self.measured.held_out, **arrays)
        write_file(self.state_path, packed.getvalue(), overwrite=True)

    def _restore(self):
        """Go on from a state on disk. InputError where it is of another run."""
        if not self.state_path.exists():
            return
        try:
            with np.load(self.state_path) as kept:
                if str(kept["identity"]) != self._identity:
                    raise InputError(f"{self.state_path} is of other files or another network", "remove it, or choose another output")
                self._trainer.take(_named(kept, "learned_"))
                self._trainer.restore_optimizer([kept[f"optimizer_{number}"] for number in range(len(self._trainer.optimizer_arrays()))])
                self.best = _named(kept, "best_")
                self._seconds, self._updates, self._seen = float(kept["run"][0]), int(kept["run"][1]), int(kept["run"][2])
                self.measured = Measured(*(kept[name].tolist() for name in ("seen", "learning", "held_out")))
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise InputError(f"{self.state_path} is damaged", "remove it to begin anew") from error
        self._note(f"going on from {self.state_path}, after {self._seen:,} symbols")


def _named(kept: Any, prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): kept[name] for name in kept.files if name.startswith(prefix)}


def plotted(measured: Measured, path: Path, unit: str = "symbol") -> None:
    """Write a picture, PNG or SVG by its name, of bits per symbol over what was seen. Raises OutputError."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(xlabel=f"{unit}s seen", ylabel=f"bits per {unit}")
    axes.plot(measured.seen, measured.learning, label="learning")
    axes.plot(measured.seen, measured.held_out, label="held out")
    axes.legend()
    packed = io.BytesIO()
    figure.savefig(packed, format=path.suffix.lstrip(".") or "png")
    write_file(path, packed.getvalue(), overwrite=True)

