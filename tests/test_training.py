"""Training of networks ahead of coding: what is learned, from which windows, and the tools for what ships."""

import lzma
import random

import numpy as np
import pytest
from samples import TEXT

from lib.models.exact.dimensions import Dimensions
from lib.models.exact.numba_engine import NumbaEngine
from lib.models.exact.state import State
from lib.models.training import Trainer
from lib.models.weights import Format, LearnedNetwork
from lib.models.windows import Windows
from tools import corpus as corpus_tool
from tools import gather_texts

TINY = Dimensions(symbols=256, embedding=4, units=12, layers=2, streams=3, window=8, interval=8, seen=1, known=256)

ALL_BYTES = np.arange(256, dtype=np.uint16)


def windows(*pieces):
    return Windows(pieces, TINY.streams, TINY.window)


@pytest.fixture(scope="module")
def trained():
    """A Trainer that has learned TEXT, and the bits that each window took while it did."""
    trainer = Trainer(TINY, seed=1)
    bits = [trainer.learn(window, 0.02) / window.count for window in windows(*[TEXT] * 12)]
    return trainer, bits


def test_each_stream_reads_piece_after_piece_and_begins_anew():
    made = list(windows(b"abcdefghijk", b"123", b"", b"xyz"))
    assert [window.last[0].tolist()[:3] for window in made] == [[0, *b"ab"], [*b"hij"]]
    assert made[0].targets[0].tolist() == [*b"abcdefgh"] and made[1].targets[0][:3].tolist() == [*b"ijk"]
    assert made[0].mask.sum(1).tolist() == [8, 3, 0] and made[1].mask.sum(1).tolist() == [3, 3, 0]
    assert made[0].fresh.tolist() == [True, True, True] and made[1].fresh.tolist() == [False, True, True]
    assert [window.count for window in made] == [11, 6]


def test_it_learns(trained):
    _, bits = trained
    assert bits[0] > 7.5 and bits[-1] < 3.5


def test_what_was_learned_stays_within_the_exact_format(trained):
    weights = trained[0].weights()
    assert {name: weight.shape for name, weight in weights.items()} == TINY.parameters()
    for name, weight in weights.items():
        kept = Format.of(name)
        assert np.abs(weight).max() <= kept.limit / (1 << kept.fraction)


def test_another_goes_on_from_its_weights(trained):
    trainer, _ = trained
    other = Trainer(TINY, seed=2)
    assert other.measure(windows(TEXT)) > 7.5
    other.take(trainer.weights())
    other.restore_optimizer(trainer.optimizer_arrays())
    assert other.measure(windows(TEXT)) == trainer.measure(windows(TEXT)) < 3.5
    once = [one.learn(next(windows(TEXT)), 0.01) for one in (trainer, other)]
    assert once[0] == once[1] and trainer.measure(windows(TEXT)) == other.measure(windows(TEXT))


def test_the_exact_network_takes_over_what_was_learned(trained):
    """Its hidden units have 8 bits, so it predicts a little less well, and no more than that."""
    trainer, _ = trained
    coding = TINY._replace(streams=1)
    network = LearnedNetwork.of(trainer.weights(), "last", 1, ALL_BYTES, (0.001, 0.001))
    state = State.initial(coding, 1, network.weights_for(ALL_BYTES))
    engine, bits = NumbaEngine(coding, 10, state), 0.0
    for step, symbol in enumerate(TEXT, 1):
        frequencies = engine.predict()[0]
        bits += np.log2(frequencies.sum(dtype=np.int64) / frequencies[symbol])
        engine.take(np.array([symbol]), 1, np.array([[symbol]]))
        if step % coding.interval == 0:
            engine.begin_update(np.float32(0))             # it only predicts
            engine.end_update()
    assert bits / len(TEXT) == pytest.approx(trainer.measure(windows(TEXT)), rel=0.03)


def test_a_corpus_that_holds_a_benchmark_is_found_out(tmp_path):
    for folder in ("corpus", "benchmarks"):
        (tmp_path / folder).mkdir()
    line = b"a line that is long enough for a file to be known by"
    (tmp_path / "corpus" / "all.txt.xz").write_bytes(lzma.compress(b"before\n" + line + b"\nafter\n"))
    (tmp_path / "corpus" / "README.md").write_bytes(b"no such line as this is anywhere in what is learned from\n")
    (tmp_path / "benchmarks" / "tale.txt").write_bytes(b"short\r\n" + line + b"\r\n")
    (tmp_path / "benchmarks" / "other.txt").write_bytes(b"no such line as this is anywhere in what is learned from\n")
    corpus = corpus_tool.read_corpus(tmp_path / "corpus")
    assert list(corpus) == ["all.txt"] and corpus_tool.found_in(corpus, tmp_path / "benchmarks") == ["tale.txt"]
    assert corpus_tool.found_in(corpus, None) == []


def test_each_block_comes_once_before_any_again_and_what_is_held_out_never(monkeypatch):
    monkeypatch.setattr(corpus_tool, "_BLOCK", 10)
    corpus = {"a": bytes(range(200)), "b": bytes(range(200, 256))}
    learned_from, held_out = corpus_tool.blocks_of(corpus)
    assert len(learned_from) + len(held_out) == 26 and held_out == [("a", 160)]
    pieces = corpus_tool.pieces_of(corpus, learned_from, seed=3)
    once = b"".join(next(pieces) for _ in range(25))
    assert sorted(once) == sorted(set(range(256)) - set(range(160, 170)))


def test_books_are_set_anew_word_for_word():
    text = ("A paragraph of many words, which goes on and on, until a line of some columns is full of them. " * 3 + "\n\nÜber alles.\n").encode()
    made = {corpus_tool.set_anew(text, random.Random(seed)) for seed in range(40)}
    assert text in made and len(made) > 10
    for one in made:
        letters = one.decode("latin-1" if b"\xdc" in one else "utf-8")
        assert letters.split() == text.decode().split()


def test_gathered_texts_are_stretches_of_each_file_once(tmp_path):
    (tmp_path / "a").mkdir()
    for name, content in {"1.c": b"x" * 600, "2.c": b"x" * 600, "short.c": b"y" * 10, "binary.c": b"\0" * 900, "long.c": b"z\n" * 5000,
                          "minified.c": b"m" * 3000, "other.txt": b"t" * 600}.items():
        (tmp_path / "a" / name).write_bytes(content)
    text = gather_texts.gather(tmp_path, ("a/*.c",), 100_000, 1_000)
    assert text.count(b"x") == 600 and text.count(b"z") == 500 and len(text) == 1_600
    assert text == gather_texts.gather(tmp_path, ("a/*.c",), 100_000, 1_000)
    assert len(gather_texts.gather(tmp_path, ("a/*.c",), 700, 1_000)) >= 600


def test_networks_trained_with_pytorch_are_the_same_network(tmp_path):
    torch = pytest.importorskip("torch")
    from tools.train_on_gpu import Network
    network = Network("2x12:0.01", TINY.streams, TINY.window, "cpu")
    for window in windows(*[TEXT] * 6):
        network.learn([torch.from_numpy(array.T.copy()) for array in (window.last.astype(np.uint8), window.targets.astype(np.uint8), window.mask)],
                      torch.from_numpy(window.fresh).float(), share=0.5)
    trainer = Trainer(TINY._replace(embedding=64), seed=1)
    trainer.take(network.weights())
    measured = list(windows(*[TEXT] * TINY.streams))
    assert trainer.measure(measured) == pytest.approx(np.mean(network.measure(measured)), abs=1e-4)
    assert trainer.measure(measured) < 6
