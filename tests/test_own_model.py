"""A model of one's own in place of the network: round trips, and what happens without it."""

import numpy as np
import pytest
from samples import TEXT, tiny

from lib import DivergedError, ModelError, SettingsError, compress, decompress, inspect, models, resume, split
from lib.compression import Result
from lib.models.keras_lstm import KerasLSTM

SETTINGS = tiny()


class Counts:
    """How often each symbol came after the one before."""

    def __init__(self, parameters, input_shape, steps):
        self.counts = np.ones((input_shape.symbols, input_shape.symbols), np.int32)
        self.last = np.zeros(parameters.batch_size, np.int64)

    def predict(self):
        return self.counts[self.last]

    def learn(self, symbols, active, seen):
        np.add.at(self.counts, (self.last[:active], symbols[:active]), 8)
        self.last = symbols.astype(np.int64)


class Kept(Counts):
    """The same, with a state that goes into checkpoints."""

    def state_bytes(self):
        return self.counts.tobytes() + self.last.tobytes()

    def restore(self, data, step):
        self.counts = np.frombuffer(data[:self.counts.nbytes], np.int32).reshape(self.counts.shape).copy()
        self.last = np.frombuffer(data[self.counts.nbytes:], np.int64).copy()


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "in.txt"
    path.write_bytes(TEXT)
    return path


def coded(text, model=Counts, settings=SETTINGS, **more) -> Result:
    with models.instead(model):
        return compress(text, settings=settings, overwrite=True, **more)


@pytest.mark.parametrize("model", [Counts, lambda *sizes: Counts(*sizes), KerasLSTM], ids=["class", "function", "KerasLSTM"])
def test_what_a_model_of_ones_own_codes_comes_back_with_it(text, tmp_path, model):
    made = coded(text, model, tiny(arithmetic="float32"))
    assert made.compressed_bytes < len(TEXT) and made.backend in ("Counts", "KerasLSTM")
    with models.instead(model):
        again = decompress(made.output_path, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == TEXT and again.backend == made.backend


@pytest.mark.parametrize("data", [b"", b"short", b"a" * 500, bytes(range(256)) * 3], ids=["empty", "short", "alike", "all bytes"])
def test_inputs_that_need_no_model_or_every_symbol_come_back(tmp_path, text, data):
    text.write_bytes(data)
    made = coded(text)
    with models.instead(Counts):
        decompress(made.output_path, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == data


def test_it_can_stand_beside_contexts(text, tmp_path):
    made = coded(text, settings=tiny(preset="balanced", primer="none"))
    assert made.parameters.has_contexts and made.backend == "Counts"
    with models.instead(Counts):
        decompress(made.output_path, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == TEXT


def test_the_file_says_which_model_it_needs(text):
    facts = dict(inspect(coded(text).output_path).facts())
    assert facts["decodes"] == "only with Counts (a model of one's own)"
    assert facts["model"].startswith("Counts (a model of one's own) in place of the network of ")


@pytest.mark.parametrize("arithmetic", ["exact", "float32"])
def test_without_the_model_the_file_is_refused_at_once(text, tmp_path, arithmetic):
    made = coded(text, settings=tiny(arithmetic=arithmetic))
    with pytest.raises(ModelError, match=r"^Counts \(a model of one's own\) is needed, and none is given; run it .* within lib.models.instead"):
        decompress(made.output_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_with_another_model_the_file_is_refused_at_once(text, tmp_path):
    made = coded(text)
    with pytest.raises(ModelError, match=r"^Counts .* is needed, and Kept .* is given"), models.instead(Kept):
        decompress(made.output_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_with_another_version_of_the_model_decoding_ends_in_an_error(text, tmp_path):
    class Changed(Counts):
        def learn(self, symbols, active, seen):
            super().learn(symbols, active, seen)
            self.counts[0, 0] += 1

    Changed.__name__ = "Counts"
    made = coded(text)
    with pytest.raises(DivergedError, match=r"Counts \(a model of one's own\) predicts something else"), models.instead(Changed):
        decompress(made.output_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_of_the_network_is_refused_where_a_model_is_given(text, tmp_path):
    made = compress(text, settings=SETTINGS)
    with pytest.raises(ModelError, match="^the network is needed, and Counts .* is given; run it outside"), models.instead(Counts):
        decompress(made.output_path, tmp_path / "out")
    decompress(made.output_path, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == TEXT


def test_afterwards_and_after_an_error_the_network_is_back(text):
    before = compress(text, settings=SETTINGS).output_path.read_bytes()
    coded(text)
    with pytest.raises(ZeroDivisionError), models.instead(Counts):
        raise ZeroDivisionError
    assert compress(text, settings=SETTINGS, overwrite=True).output_path.read_bytes() == before


def test_contexts_alone_have_no_place_for_a_model(text):
    with pytest.raises(SettingsError, match="use preset=network") as refused:
        coded(text, settings=tiny(preset="fast", num_layers=0))
    assert refused.value.parameter == "preset" and not text.with_name("in.txt.lks").exists()


@pytest.mark.parametrize("predicted, said", [
    (lambda rows: rows.astype(np.float64), r"float64 \(3, 18\), and not a NumPy array of int32 \(3, 18\)"),
    (lambda rows: rows[:, 1:], r"int32 \(3, 17\)"), (lambda rows: rows.tolist(), "list, and not"),
    (lambda rows: rows - 1, "the frequency 0"), (lambda rows: rows + (1 << 30), "add up to")], ids=["float", "shape", "list", "zero", "sum"])
def test_what_cannot_be_coded_is_refused(text, predicted, said):
    class Wrong(Counts):
        def predict(self):
            return predicted(super().predict())

    with pytest.raises(ModelError, match=r"^Wrong \(a model of one's own\) predicts .*" + said):
        coded(text, Wrong)
    assert not text.with_name("in.txt.lks").exists()


def test_what_does_not_predict_is_no_model(text):
    with pytest.raises(ModelError, match="has no method predict, which lib.models.Model has; add it"):
        coded(text, lambda *sizes: object())


def test_verification_decodes_with_the_model_and_finds_one_that_is_not_the_same_twice(text):
    notes = []
    made = coded(text, settings=tiny(verify="yes"), note=notes.append)
    assert any("decoding what was written" in note for note in notes)
    made.output_path.unlink()
    seeds = iter(range(100))

    class Random(Counts):
        def __init__(self, *sizes):
            super().__init__(*sizes)
            self.counts += next(seeds)

    with pytest.raises(DivergedError, match="predicts something else"):
        coded(text, Random, tiny(verify="yes"))
    assert not made.output_path.exists()


def test_a_run_that_was_stopped_goes_on_with_the_model(text, tmp_path, stop_after):
    whole = coded(text, Kept, output_path=tmp_path / "whole").output_path.read_bytes()
    stop_after(60)
    with pytest.raises(KeyboardInterrupt):
        coded(text, Kept, checkpoint=tmp_path / "state")
    stop_after(0)
    with pytest.raises(ModelError, match="^Kept .* is needed, and none is given"):
        resume(tmp_path / "state")
    with models.instead(Kept):
        assert resume(tmp_path / "state").output_path.read_bytes() == whole


def test_a_model_without_a_state_is_told_before_a_run_that_would_keep_it(text, tmp_path):
    with pytest.raises(ModelError, match="has no method state_bytes, which a run with a checkpoint, or of a part, needs"):
        coded(text, checkpoint=tmp_path / "state")
    split(text, 2, batch_size=SETTINGS.batch_size)
    with pytest.raises(ModelError, match="state_bytes"):
        coded(text.with_name("in.txt.part1of2"))


def test_parts_go_on_with_the_model(text, tmp_path):
    split(text, 2, batch_size=SETTINGS.batch_size)
    for name in ("in.txt.part1of2", "in.txt.part2of2"):
        made = coded(text.with_name(name), Kept)
        with models.instead(Kept):
            decompress(made.output_path, tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == text.with_name(name).read_bytes()
        (tmp_path / "back").unlink()
