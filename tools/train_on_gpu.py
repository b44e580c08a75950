"""Train networks of several shapes side by side on one GPU, with PyTorch and cuDNN, for what ships with the library.

    python -m tools.train_on_gpu CORPUS FOLDER --minutes 9 --networks 3x160:0.012 3x384:0.008=lib/learned/text-large-1.network

Needs PyTorch, which the library does not. One step of an LSTM leaves most of a GPU idle, so the networks, which all see the same windows, run
on streams of their own. Each update is a CUDA graph: launching its thousands of small kernels one by one takes longer than they do.
Weights are rounded and bounded as in lib.models.training, and are written as FOLDER/3x160_0.012.npz, float32. A network may go on from such a
file or from one of the library, of as many units or fewer.
"""

import argparse
import math
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import numpy as np
import torch

from lib.models.weights import Format, LearnedNetwork
from lib.models.windows import Windows
from tools.corpus import blocks_of, found_in, measured_of, pieces_of, read_corpus

EMBEDDING = 64
SYMBOLS = 256
_GROUP = 8                         # windows that a producer hands over at once
_SHARE_TO_RISE, _LAST_RATE = 0.01, 0.01
_SECONDS_BETWEEN = 45


class Network:
    """One network, its optimizer and its state on `streams` streams, on a CUDA stream of its own."""

    def __init__(self, name: str, streams: int, window: int, device: str) -> None:
        """name: layers, units, the learning rate, and perhaps the weights that it goes on from, as "2x200:0.006=weights.npz"."""
        name, _, before = name.partition("=")
        shape, _, rate = name.partition(":")
        self.name, self.rate = name.replace(":", "_"), float(rate)
        self.layers, self.units = map(int, shape.split("x"))
        self.device, self.graph = device, None
        self.stream = torch.cuda.Stream() if device == "cuda" else None
        torch.manual_seed(1)
        beginning = list(self._beginning())
        if before:
            self._widen(beginning, LearnedNetwork.from_bytes(Path(before).read_bytes()).floats() if before.endswith(".network") else np.load(before))
        self.learned = [torch.nn.Parameter(tensor.to(device)) for tensor in beginning]
        names = ["embedding", *["kernel", "kernel", "bias"] * self.layers, "kernel", "bias"]
        self.formats = [Format.of(name) for name in names]
        self.lr = torch.tensor(0.0, device=device)
        on_gpu = {"fused": True, "capturable": True} if device == "cuda" else {}
        self.optimizer = torch.optim.Adam(self.learned, lr=self.lr, betas=(0.9, 0.995), **on_gpu)
        self.state = [torch.zeros(2, 1, streams, self.units, device=device) for _ in range(self.layers)]
        self.window = [torch.zeros(window, streams, dtype=torch.uint8, device=device) for _ in range(3)]
        self.fresh = torch.zeros(streams, device=device)
        self.bits = torch.zeros((), device=device)

    def _beginning(self):
        """Tensors in the order of Dimensions.parameters, but gates first and the two halves of a kernel apart."""
        yield torch.empty(SYMBOLS, EMBEDDING).uniform_(-0.5, 0.5)
        for layer in range(self.layers):
            inputs = EMBEDDING + (self.units if layer else 0)
            limit = (6 / (inputs + 5 * self.units)) ** 0.5
            yield torch.empty(4 * self.units, inputs).uniform_(-limit, limit)
            yield torch.empty(4 * self.units, self.units).uniform_(-limit, limit)
            yield torch.cat([torch.zeros(self.units), torch.ones(self.units), torch.zeros(2 * self.units)])   # forget gates open
        limit = (6 / (self.layers * self.units + SYMBOLS)) ** 0.5
        yield torch.empty(SYMBOLS, self.layers * self.units).uniform_(-limit, limit)
        yield torch.zeros(SYMBOLS)

    def _widen(self, beginning, weights):
        """Put the weights of a network of as many layers, and as many units or fewer, into these tensors. The units that it has not
        begin as they are, and nothing listens to them: so both predict the same (Chen et al. 2016, "Net2Net")."""
        given, units = weights["output_kernel"].shape[0] // self.layers, self.units
        columns = (np.arange(4)[:, None] * units + np.arange(given)).ravel()
        beginning[0][:] = torch.from_numpy(weights["embedding"])
        for layer in range(self.layers):
            of_input, of_hidden, bias = beginning[1 + 3 * layer:4 + 3 * layer]
            kernel = torch.from_numpy(weights[f"kernel_{layer}"].T.copy())
            split = kernel.shape[1] - given
            for whole, part in ((of_input, kernel[:, :split]), (of_hidden, kernel[:, split:])):
                fixed = EMBEDDING if whole is of_input else 0
                whole[columns, fixed:] = 0
                whole[columns, :part.shape[1]] = part
            bias[columns] = torch.from_numpy(weights[f"bias_{layer}"])
        beginning[-2][:] = 0
        for layer in range(self.layers):
            beginning[-2][:, layer * units:layer * units + given] = torch.from_numpy(
                weights["output_kernel"][layer * given:(layer + 1) * given].T.copy())
        beginning[-1][:] = torch.from_numpy(weights["output_bias"])

    def logits(self, symbols: torch.Tensor, state: list) -> tuple[torch.Tensor, list]:
        """symbols: (steps, streams); returns ((steps, streams, SYMBOLS), the state after)."""
        embedding, *others, kernel, bias = map(_rounded, self.learned, self.formats)
        embedded = torch.nn.functional.embedding(symbols.long(), embedding)
        below, outputs, after = embedded, [], []
        for layer, (hidden, cell) in enumerate(state):
            weights = [*others[3 * layer:3 * layer + 3], torch.zeros(4 * self.units, device=self.device)]
            output, *pair = torch._VF.lstm(below, (hidden, cell), weights, True, 1, 0.0, torch.is_grad_enabled(), False, False)
            outputs.append(output)
            after.append(torch.stack(pair))
            below = torch.cat([embedded, output], -1)
        return torch.nn.functional.linear(torch.cat(outputs, -1), kernel, bias), after

    def update(self) -> None:
        """Learn from self.window, from and into self.state; adds to self.bits."""
        inputs, targets, mask = self.window
        state = [pair * (1 - self.fresh)[None, None, :, None] for pair in self.state]
        logits, after = self.logits(inputs, state)
        losses = torch.nn.functional.cross_entropy(logits.reshape(-1, SYMBOLS), targets.reshape(-1).long(), reduction="none")
        mask = mask.reshape(-1).float()
        loss = (losses * mask).sum() / (mask.sum() + 1)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.learned, 1.0, foreach=True)
        self.optimizer.step()
        with torch.no_grad():
            for tensor, kept in zip(self.learned, self.formats):
                limit = kept.limit / (1 << kept.fraction)
                tensor.clamp_(-limit, limit)
            for kept, pair in zip(self.state, after):
                kept.copy_(pair)
            self.bits.copy_(loss / math.log(2))

    def capture(self) -> None:
        """Make a CUDA graph of `update`; without one, go on step by step."""
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            for _ in range(3):
                self.update()
        self.stream.synchronize()
        try:
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=self.stream):
                self.update()
            self.graph = graph
        except Exception as error:
            print(f"{self.name}: no graph, {error}", flush=True)
        torch.cuda.synchronize()

    def learn(self, window: list, fresh: torch.Tensor, share: float) -> None:
        """Start an update from a window (inputs, targets, mask), at this share of the whole time."""
        rate = self.rate * min(1, share / _SHARE_TO_RISE) * (_LAST_RATE + (1 - _LAST_RATE) * (1 + math.cos(math.pi * share)) / 2)
        with torch.cuda.stream(self.stream):
            self.lr.fill_(rate)
            self.fresh.copy_(fresh)
            for held, given in zip(self.window, window):
                held.copy_(given)
            self.graph.replay() if self.graph else self.update()

    @torch.no_grad()
    def measure(self, windows: list) -> list[float]:
        """Bits per symbol of each stream of windows."""
        state, bits, count = None, 0, 0
        for window in windows:
            inputs, targets, mask = (torch.from_numpy(array.T.astype(np.uint8)).to(self.device) for array in (window.last, window.targets, window.mask))
            if state is None:
                state = [torch.zeros(2, 1, inputs.shape[1], self.units, device=self.device) for _ in range(self.layers)]
            logits, state = self.logits(inputs, state)
            losses = torch.nn.functional.cross_entropy(logits.reshape(-1, SYMBOLS), targets.reshape(-1).long(), reduction="none")
            bits, count = bits + (losses.reshape(mask.shape) * mask).sum(0), count + mask.sum(0)
        return (bits / count / math.log(2)).tolist()

    def weights(self) -> dict[str, np.ndarray]:
        """{name: float32 array}, as lib.models.training.Trainer.weights gives them."""
        embedding, *others, kernel, bias = (tensor.detach().cpu().numpy() for tensor in self.learned)
        named = {"embedding": embedding}
        for layer in range(self.layers):
            of_input, of_hidden, named[f"bias_{layer}"] = others[3 * layer:3 * layer + 3]
            named[f"kernel_{layer}"] = np.concatenate([of_input.T, of_hidden.T])
        return named | {"output_kernel": kernel.T.copy(), "output_bias": bias}


def _rounded(tensor, kept):
    """What is kept of a tensor, with the gradient of what it was rounded from."""
    scale = 1 << kept.fraction
    rounded = (tensor.detach() * scale).round().clamp(-kept.limit, kept.limit) / scale
    return tensor + (rounded - tensor.detach())


class Producers:
    """Processes that make windows, each for its share of the streams and of the blocks."""

    def __init__(self, corpus: dict, blocks: list, streams: int, window: int, count: int) -> None:
        context = multiprocessing.get_context("fork")
        self._queues = [context.Queue(4) for _ in range(count)]
        self._processes = [context.Process(target=_produce, daemon=True, args=(corpus, blocks[number::count], number, streams // count, window,
                                                                               queue)) for number, queue in enumerate(self._queues)]
        for process in self._processes:
            process.start()

    def __iter__(self) -> Iterator[list[np.ndarray]]:
        """Groups of _GROUP windows: inputs, targets, mask, uint8 of shape (_GROUP, window, streams), and fresh, (_GROUP, streams)."""
        while True:
            parts = [queue.get() for queue in self._queues]
            yield [np.concatenate(arrays, -1) for arrays in zip(*parts)]

    def stop(self) -> None:
        for process in self._processes:
            process.kill()


def _produce(corpus, blocks, number, streams, window, queue):
    windows = Windows(pieces_of(corpus, blocks, seed=number), streams, window)
    while True:
        group = [next(windows) for _ in range(_GROUP)]
        queue.put([np.stack([np.ascontiguousarray(getattr(one, name).T, np.uint8) for one in group])
                   for name in ("inputs", "targets", "mask", "fresh")])


def main() -> int:
    options = _parser().parse_args()
    corpus = read_corpus(options.corpus)
    if found := found_in(corpus, options.benchmarks):
        print("lines of these files are in the corpus: " + ", ".join(found), file=sys.stderr)
        return 1
    blocks, held_out = blocks_of(corpus)
    producers = Producers(corpus, blocks, options.streams, options.window, options.producers)        # before CUDA begins
    measured = measured_of(corpus, held_out, 32)
    windows = list(Windows(measured, len(measured), 1024))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    networks = [Network(name, options.streams, options.window, device) for name in options.networks]
    if device == "cuda":
        for network in networks:
            start = network.stream and [tensor.detach().clone() for tensor in network.learned]
            network.capture()
            with torch.no_grad():                       # what capturing did to it is undone
                for tensor, first in zip(network.learned, start):
                    tensor.copy_(first)
                for values in network.optimizer.state.values():
                    for value in values.values():
                        value.zero_()
            print(f"{network.name}: {sum(tensor.numel() for tensor in network.learned):,} weights, graph {network.graph is not None}", flush=True)
    queue: Queue[Any] = Queue(8)

    def prefetch():
        for group in producers:
            queue.put([torch.from_numpy(array).to(device) for array in group])

    threading.Thread(target=prefetch, daemon=True).start()
    first = queue.get()
    began = told = time.monotonic()
    updates, waited, share = 0, 0.0, 0.0
    while share < 1:
        before = time.monotonic()
        inputs, targets, mask, fresh = first if first is not None else queue.get()
        first = None
        waited += time.monotonic() - before
        for number in range(_GROUP):
            for network in networks:
                network.learn([inputs[number], targets[number], mask[number]], fresh[number].float(), share)
        if device == "cuda":
            torch.cuda.synchronize()
        updates += _GROUP
        share = (time.monotonic() - began) / (60 * options.minutes)
        if time.monotonic() - told > _SECONDS_BETWEEN or share >= 1:
            passed = time.monotonic() - began
            print(f"{passed:.0f} s, {updates:,} updates, {updates * options.streams * options.window / 1e6:.0f} MB, "
                  f"{1000 * passed / updates:.1f} ms each, waited {waited:.0f} s", flush=True)
            for network in networks:
                bits = network.measure(windows)
                print(f"    {network.name}: {network.bits.item():.4f} learning, held out {np.mean(bits):.4f}", flush=True)
                if share > 0.3:
                    _keep(options.folder, network, updates)
            told = time.monotonic()
    names = [name for name, _ in held_out[::max(1, len(held_out) // 32)][:32]]
    for network in networks:
        bits = np.array(network.measure(windows))
        print(network.name, {name: round(float(bits[np.array(names) == name].mean()), 3) for name in dict.fromkeys(names)}, flush=True)
    producers.stop()
    os._exit(0)                                         # whatever the thread that fetches waits for


def _keep(folder, network, updates):
    path = folder / f"{network.name}.npz"
    np.savez(path.with_suffix(".new.npz"), **network.weights(), updates=np.int64(updates))
    os.replace(path.with_suffix(".new.npz"), path)


def _parser():
    parser = argparse.ArgumentParser(prog="python -m tools.train_on_gpu", description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", type=Path, metavar="CORPUS")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--benchmarks", type=Path, metavar="FOLDER", help="refuse a corpus that holds lines of these files")
    parser.add_argument("--networks", nargs="+", metavar="LxU:R", help="layers, units and learning rate of each")
    for name, default in (("streams", 256), ("window", 128), ("producers", 16)):
        parser.add_argument(f"--{name}", type=int, default=default, metavar="N", help=f"(default: {default})")
    parser.add_argument("--minutes", type=float, default=5.0, metavar="M")
    return parser


if __name__ == "__main__":
    sys.exit(main())
