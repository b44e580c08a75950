"""Train a network on a folder of texts, in as many stretches as it takes, for what ships with the library.

    python -m tools.train_network CORPUS STATE.npz --hours 2.5 [--finish] [--export WEIGHTS.npz] [--benchmarks FOLDER]

CORPUS: files, .xz or plain. STATE.npz: goes on from there where it is, and is written every few minutes and at Ctrl-C. The learning rate
rises at first and then stays; with --finish it falls to its end over the hours of this stretch. WEIGHTS.npz: the weights alone, float16, which
training can go on from too. --benchmarks: files whose lines must not be in the corpus. docs/training.md says what was trained so.
"""

import argparse
import io
import signal
import sys
import time
from pathlib import Path

import numpy as np

from lib.models.exact.dimensions import Dimensions
from lib.models.training import Trainer
from lib.models.windows import Windows
from lib.storage.files import write_file
from tools.corpus import blocks_of, found_in, measured_of, pieces_of, read_corpus

_UPDATES_TO_RISE = 500
_SECONDS_BETWEEN = 300             # of keeping the state, and of measuring


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGINT, signal.default_int_handler)        # which a shell lets what runs in the background ignore
    corpus = read_corpus(options.corpus)
    if found := found_in(corpus, options.benchmarks):
        print("lines of these files are in the corpus: " + ", ".join(found), file=sys.stderr)
        return 1
    _train(corpus, options)
    return 0


def _train(corpus, options):
    dimensions = Dimensions(256, options.embedding, options.units, options.layers, options.streams, options.window, options.window, 1, 256)
    trainer = Trainer(dimensions, seed=1)
    updates, seen, log = _restore(trainer, options.state)
    learned_from, held_out = blocks_of(corpus)
    measured = measured_of(corpus, held_out, options.streams)
    windows = Windows(pieces_of(corpus, learned_from, seed=updates), options.streams, options.window)
    print(f"{sum(map(len, corpus.values())):,} bytes, {sum(weight.size for weight in trainer.weights().values()):,} weights, "
          f"after {updates:,} updates and {seen:,} bytes", flush=True)
    began = kept = time.monotonic()
    rose, bits, count = updates, 0.0, 0
    try:
        for window in windows:
            share = (time.monotonic() - began) / (3600 * options.hours)
            if share >= 1:
                break
            fall = 1.03 - share if options.finish else 1
            bits += trainer.learn(window, options.rate * fall * min(1, (updates - rose + 1) / _UPDATES_TO_RISE))
            updates, seen, count = updates + 1, seen + window.count, count + window.count
            if time.monotonic() - kept > _SECONDS_BETWEEN:
                log.append((seen, bits / count, trainer.measure(Windows(measured, options.streams, options.window))))
                _keep(trainer, options.state, updates, seen, log)
                print(f"{seen:,} bytes: {log[-1][1]:.4f} bits each, held out {log[-1][2]:.4f}; {count / (time.monotonic() - kept):,.0f} bytes/s",
                      flush=True)
                kept, bits, count = time.monotonic(), 0.0, 0
    except KeyboardInterrupt:
        print("stopped", flush=True)
    _keep(trainer, options.state, updates, seen, log)
    print(f"after {seen:,} bytes: held out {trainer.measure(Windows(measured, options.streams, options.window)):.4f} bits each", flush=True)
    if options.export:
        weights = {name: weight.astype(np.float16) for name, weight in trainer.weights().items()}
        _save(options.export, weights | {"updates": np.int64(updates), "seen": np.int64(seen), "log": np.array(log)})


def _restore(trainer, path):
    """(updates, bytes seen, log) of the state at a path, or those of a beginning."""
    if not path.exists():
        return 0, 0, []
    kept = np.load(path)
    trainer.take(kept)
    optimizer = [kept[f"optimizer_{number}"] for number in range(len(trainer.optimizer_arrays())) if f"optimizer_{number}" in kept]
    if optimizer:                  # not in what was exported
        trainer.restore_optimizer(optimizer)
    return (int(kept["updates"]), int(kept["seen"]), list(map(tuple, kept["log"]))) if "updates" in kept else (0, 0, [])


def _keep(trainer, path, updates, seen, log):
    optimizer = {f"optimizer_{number}": array for number, array in enumerate(trainer.optimizer_arrays())}
    _save(path, trainer.weights() | optimizer | {"updates": np.int64(updates), "seen": np.int64(seen), "log": np.array(log)})


def _save(path, arrays):
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    write_file(path, packed.getvalue(), overwrite=True)


def _parser():
    parser = argparse.ArgumentParser(prog="python -m tools.train_network", description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", type=Path, metavar="CORPUS")
    parser.add_argument("state", type=Path, metavar="STATE.npz")
    parser.add_argument("--hours", type=float, default=1.0, metavar="H", help="of this stretch (default: 1)")
    parser.add_argument("--finish", action="store_true", help="let the learning rate fall to its end in this stretch")
    parser.add_argument("--export", type=Path, metavar="WEIGHTS.npz", help="write the weights alone, too")
    parser.add_argument("--benchmarks", type=Path, metavar="FOLDER", help="refuse a corpus that holds lines of these files")
    for name, default in (("units", 200), ("layers", 2), ("embedding", 64), ("streams", 32), ("window", 64)):
        parser.add_argument(f"--{name}", type=int, default=default, metavar="N", help=f"(default: {default})")
    parser.add_argument("--rate", type=float, default=0.003, metavar="R", help="the learning rate (default: 0.003)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
