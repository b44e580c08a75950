"""`learn --network`: what is learned from, what is held out, a run that is stopped and goes on, and files coded with what came of it."""

import io
import itertools

import numpy as np
import pytest
from samples import TEXT

from lib import Settings, compress, decompress, inspect, learned, priors
from lib.__main__ import main
from lib.errors import FormatError, InputError
from lib.learning import run as learning
from lib.learning.run import Wishes, learn_network
from lib.learning.sequences import Piece, pieces, sequences_of, split

TINY = dict(start="none", layers=1, units=12, embedding=6, window=16)
LINES = b"".join(b"%06d INFO block blk_%d received from node %d\n" % (n, n * n % 977, n % 7) for n in range(400))


@pytest.fixture(scope="module")
def learned_from_lines(tmp_path_factory):
    """(folder, the Prior, how it went) of a tiny network that learned LINES."""
    folder = tmp_path_factory.mktemp("learning")
    (folder / "a.log").write_bytes(LINES)
    prior, measured = learn_network([folder / "a.log"], folder / "logs.prior", Wishes(**TINY, epochs=30, rate=0.02), with_text=True)
    return folder, prior, measured


def test_it_learns_and_keeps_the_best(learned_from_lines):
    folder, prior, measured = learned_from_lines
    assert measured.held_out[0] > 7 and min(measured.held_out) < 3 and measured.seen[-1] > 29 * 0.9 * len(LINES)
    assert prior.network.values["rnn_units"] == 12 and prior.text == LINES and prior.weights == prior.network.count
    assert priors.load(folder / "logs.prior").name == prior.name
    assert not (folder / "logs.prior.training").exists()


@pytest.mark.parametrize("preset", ["balanced", "network"])
def test_files_are_coded_with_it_and_come_back(learned_from_lines, tmp_path, preset):
    folder, prior, _ = learned_from_lines
    (tmp_path / "b.log").write_bytes(LINES[7_000:9_000])
    settings = Settings(preset=preset, batch_size=1)
    with_prior = compress(tmp_path / "b.log", tmp_path / "with.lks", settings, prior=folder / "logs.prior")
    parameters = with_prior.parameters
    assert (parameters.weights, parameters.num_layers, parameters.rnn_units, parameters.prior) == ("prior", 1, 12, prior.name)
    decompress(tmp_path / "with.lks", tmp_path / "back", prior=folder / "logs.prior")
    assert (tmp_path / "back").read_bytes() == LINES[7_000:9_000]
    nothing = compress(tmp_path / "b.log", tmp_path / "without.lks", Settings(preset=preset, batch_size=1, weights="none", rnn_units=12, num_layers=1))
    assert with_prior.compressed_bytes < 0.8 * nothing.compressed_bytes
    with pytest.raises(InputError, match="is needed, and is not here"):
        decompress(tmp_path / "with.lks", tmp_path / "again")


def test_a_shape_of_ones_own_leaves_the_network_out_but_not_the_text(learned_from_lines, tmp_path):
    folder, prior, _ = learned_from_lines
    (tmp_path / "b.log").write_bytes(LINES[:500])
    result = compress(tmp_path / "b.log", tmp_path / "b.lks", Settings(preset="balanced", rnn_units=16), prior=folder / "logs.prior")
    assert (result.parameters.weights, result.parameters.prior) == ("none", prior.name)


def test_a_prior_that_is_not_used_is_not_needed(learned_from_lines, tmp_path):
    _, prior, _ = learned_from_lines
    priors.write(tmp_path / "network.prior", [], b"", prior.network, False)
    (tmp_path / "b.log").write_bytes(LINES[:500])
    notes = []
    result = compress(tmp_path / "b.log", tmp_path / "b.lks", Settings(preset="fast"), prior=tmp_path / "network.prior",
                      note=notes.append)
    assert result.parameters.prior == "none" and any("does not need it" in line for line in notes)
    assert compress(tmp_path / "b.log", tmp_path / "auto.lks", prior=tmp_path / "network.prior").parameters.weights == "prior"


def test_a_network_of_other_data_is_refused(learned_from_lines, tmp_path):
    folder, prior, _ = learned_from_lines
    np.save(tmp_path / "clip.npy", np.random.default_rng(1).integers(0, 40, (6, 4, 5)).astype(np.uint16))
    with pytest.raises(InputError, match="of another kind"):
        compress(tmp_path / "clip.npy", settings=Settings(preset="balanced", weights="prior"), prior=folder / "logs.prior")


def clip(frames):
    packed = io.BytesIO()
    np.save(packed, frames.astype(np.int16))
    return packed.getvalue()


def picture(rows):
    return b"P5 64 %d 255\n" % len(rows) + rows.tobytes()


STEPS = np.cumsum(np.random.default_rng(1).integers(0, 2, (100, 8, 16)), 0) % 30
ROWS = np.cumsum(np.random.default_rng(1).integers(0, 3, (200, 64)), 1).astype(np.uint8)


@pytest.mark.parametrize("one, two, inputs, others", [(clip(STEPS[:60]), clip(STEPS[60:]), "grid", 1 + 8 * 16),
                                                      (picture(ROWS[:120]), picture(ROWS[120:]), "samples", 9)], ids=["tokens", "samples"])
def test_tokens_of_videos_and_samples_are_learned_too(tmp_path, one, two, inputs, others):
    (tmp_path / "one").write_bytes(one)
    (tmp_path / "two").write_bytes(two)
    prior, _ = learn_network([tmp_path / "one"], tmp_path / "such.prior", Wishes(**TINY, epochs=3, rate=0.02))
    assert prior.network.inputs == inputs and prior.network.seen > 1 and prior.network.others == others
    result = compress(tmp_path / "two", tmp_path / "two.lks", Settings(preset="balanced"), prior=tmp_path / "such.prior")
    assert result.parameters.weights == "prior"
    decompress(tmp_path / "two.lks", tmp_path / "back", prior=tmp_path / "such.prior")
    assert (tmp_path / "back").read_bytes() == two


def test_a_run_that_is_stopped_goes_on(tmp_path, monkeypatch):
    (tmp_path / "a.log").write_bytes(LINES)
    wishes, notes = Wishes(**TINY, epochs=4), []
    monkeypatch.setattr(learning, "_SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(learning, "_PATIENCE", 1000)
    measure, calls = learning._Run._measure, itertools.count()

    def stopped(run, *arguments):
        if next(calls) == 5:
            raise KeyboardInterrupt
        measure(run, *arguments)

    monkeypatch.setattr(learning._Run, "_measure", stopped)
    with pytest.raises(KeyboardInterrupt):
        learn_network([tmp_path / "a.log"], tmp_path / "a.prior", wishes, note=notes.append)
    assert not (tmp_path / "a.prior").exists() and "goes on" in notes[-1]
    with pytest.raises(InputError, match="is of other files or another network"):
        learn_network([tmp_path / "a.log"], tmp_path / "a.prior", Wishes(**TINY | dict(units=13)))
    prior, measured = learn_network([tmp_path / "a.log"], tmp_path / "a.prior", wishes, note=notes.append)
    assert any("going on from" in line for line in notes) and measured.seen == sorted(measured.seen) and measured.seen[-1] > 3.3 * len(LINES)
    assert not (tmp_path / "a.prior.training").exists()


def test_finish_makes_a_prior_of_the_best_so_far(tmp_path, monkeypatch):
    (tmp_path / "a.log").write_bytes(LINES)
    monkeypatch.setattr(learning._Run, "_measure", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        learn_network([tmp_path / "a.log"], tmp_path / "a.prior", Wishes(**TINY))
    monkeypatch.undo()
    with pytest.raises(InputError, match="could be finished; leave out --finish"):
        learn_network([tmp_path / "a.log"], tmp_path / "b.prior", Wishes(**TINY), finish=True)
    prior, _ = learn_network([tmp_path / "a.log"], tmp_path / "a.prior", Wishes(**TINY), finish=True)
    assert prior.weights and prior.text == b""


def test_a_damaged_state_is_refused(tmp_path):
    (tmp_path / "a.log").write_bytes(LINES)
    (tmp_path / "a.prior.training").write_bytes(b"else")
    with pytest.raises(InputError, match="a.prior.training is damaged; remove it"):
        learn_network([tmp_path / "a.log"], tmp_path / "a.prior", Wishes(**TINY))


def test_the_command_line(tmp_path, capsys):
    (tmp_path / "a.log").write_bytes(LINES)
    small = ["--start=none", "--layers=1", "--units=8", "--embedding=4", "--epochs=0.5"]
    command = ["learn", "--network", *small, str(tmp_path / "a.log"), "-o", str(tmp_path / "a.prior"), "--plot", str(tmp_path / "curve.png")]
    assert main(command) == 0
    said = capsys.readouterr()
    assert "a network of" in said.out and "held out" in said.err and (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert main(command) == 1 and "exists" in capsys.readouterr().err
    (tmp_path / "short.log").write_bytes(LINES[:4_000])
    assert main(["learn", "--network", str(tmp_path / "short.log"), "-o", str(tmp_path / "b.prior")]) == 1
    assert "a network is learned from 4,096 symbols or more" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["learn", "--network", "--hours=-1", str(tmp_path / "a.log"), "-o", str(tmp_path / "b.prior")])
    with pytest.raises(SystemExit):
        main(["learn", "--network", "--units=1.5", str(tmp_path / "a.log"), "-o", str(tmp_path / "b.prior")])


def start(wishes, sequences):
    return learning._start(learning._start_name(wishes, sequences), sequences)


def test_text_begins_with_the_librarys_network_unless_a_shape_is_chosen(tmp_path):
    text = sequences_of([TEXT * 20])
    assert text.is_text and start(Wishes(), text).units == learned.values_of("text-small-1")["rnn_units"]
    assert start(Wishes(units=12), text) is None and start(Wishes(start="none"), text) is None
    assert start(Wishes(start="text-large-1"), text).units == 384
    noise = sequences_of([np.random.default_rng(1).integers(0, 256, 9_000).astype(np.uint8).tobytes()])
    assert not noise.is_text and start(Wishes(), noise) is None


def test_a_prior_as_start_has_to_hold_a_network_of_such_data(learned_from_lines, tmp_path):
    folder, prior, _ = learned_from_lines
    assert start(Wishes(start=str(folder / "logs.prior")), sequences_of([LINES])).units == 12
    priors.learn([folder / "a.log"], tmp_path / "text.prior")
    with pytest.raises(InputError, match="holds no network"):
        start(Wishes(start=str(tmp_path / "text.prior")), sequences_of([LINES]))


def test_what_is_held_out_is_never_learned_from():
    sequences = sequences_of([bytes(range(256)) * 2_000])
    part, = sequences.parts
    numbered = sequences._replace(parts=[Piece(part.seen, np.arange(len(part.symbols)))])
    learned_from, held_out = split(numbered)
    size = sum(len(piece.symbols) for piece in learned_from)
    drawn, taken = set(), 0
    for piece in pieces(learned_from, seed=1):
        drawn |= set(piece.symbols.tolist())
        taken += len(piece.symbols)
        if taken == size:
            break
    assert len(drawn) == size                   # each once before any comes again
    measured = np.concatenate([piece.symbols for piece in held_out])
    assert len(measured) > 10_000 and not drawn & set(measured.tolist())


def test_a_damaged_prior_with_a_network_is_refused(learned_from_lines, tmp_path):
    folder, prior, _ = learned_from_lines
    data = (folder / "logs.prior").read_bytes()
    for place in (10, 30, 60, len(data) // 2, len(data) - 1):
        (tmp_path / "bad.prior").write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1:])
        with pytest.raises(FormatError):
            priors.load(tmp_path / "bad.prior")
    for end in (len(data) // 3, len(data) - 1):
        (tmp_path / "bad.prior").write_bytes(data[:end])
        with pytest.raises(FormatError):
            priors.load(tmp_path / "bad.prior")


def test_info_says_that_a_network_of_the_prior_is_needed(learned_from_lines, tmp_path):
    folder, prior, _ = learned_from_lines
    (tmp_path / "b.log").write_bytes(LINES[:500])
    compress(tmp_path / "b.log", tmp_path / "b.lks", Settings(preset="balanced"), prior=folder / "logs.prior")
    assert f"primed with {prior.name}" in (said := inspect(tmp_path / "b.lks").plan.summary()) and "LSTM from prior" in said
