"""Priors: learned once, named by files, asked for by name, checked."""

import subprocess
import sys

import pytest
from samples import TEXT, tiny

from lib import FormatError, InputError, OutputError, Settings, SettingsError, compress, decompress, inspect, learn, resume
from lib.mixing import context_mixer, primers
from lib.mixing.context_mixer import ContextMixer
from lib.priors import MOST_BYTES, load
from tools.build_notebooks import ROOT

FAST = Settings(preset="fast", contexts="text")
LIKE = b"".join(b"2024-05-%02d service %d started with 4 workers and 17 queues\n" % (day, 7 * day) for day in range(1, 29))
INPUT = b"".join(b"2024-06-%02d service %d started with 4 workers and 17 queues\n" % (day, 5 * day) for day in range(1, 9))


@pytest.fixture
def prior(tmp_path):
    """A prior of two files, in a folder of its own."""
    folder = tmp_path / "learned"
    folder.mkdir()
    for name, data in (("a.log", LIKE), ("b.txt", TEXT)):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "in").write_bytes(INPUT)
    return learn([tmp_path / "b.txt", tmp_path / "a.log"], folder / "logs.prior")


def test_a_prior_is_what_was_learned(prior):
    again = load(prior.path)
    assert again == prior and prior.text == TEXT + LIKE and prior.files == ("b.txt", "a.log")
    assert prior.size == prior.path.stat().st_size < len(prior.text) / 3 and len(prior.name) == 16


@pytest.mark.parametrize("settings", [
    FAST, Settings(preset="fast", contexts="binary", batch_size=3), Settings(preset="fast", contexts="text", primer="text-1"),
    Settings(preset="balanced", contexts="text", rnn_units=8, num_layers=1, embedding_size=4, primer="none")], ids=str)
def test_files_like_those_learned_from_gain_and_come_back(tmp_path, prior, settings):
    without = compress(tmp_path / "in", tmp_path / "without.lks", settings)
    packed = compress(tmp_path / "in", tmp_path / "in.lks", settings, prior=prior.path)
    assert packed.compressed_bytes < without.compressed_bytes
    assert inspect(packed.output_path).parameters.prior == prior.name
    decompress(packed.output_path, tmp_path / "out", prior=prior.path)
    assert (tmp_path / "out").read_bytes() == INPUT


@pytest.mark.parametrize("contexts", ["text", "binary"])
def test_what_one_file_began_from_is_taken_over_by_the_next(tmp_path, prior, monkeypatch, contexts):
    """The same bytes as of files that each learn anew, also where the tables or what is learned are others."""
    learned, really = [], ContextMixer._learn_from
    monkeypatch.setattr(ContextMixer, "_learn_from", lambda self, codes: learned.append(len(codes)) or really(self, codes))

    def sizes(is_kept):
        made = []
        for name, data, settings in (
                ("a", INPUT, {}), ("b", INPUT[::-1], dict(batch_size=3)), ("c", INPUT[40:], dict(table_bits=16)),
                ("d", INPUT, {}), ("e", INPUT, dict(primer="text-1"))):
            if not is_kept:
                context_mixer._learned.clear()
            (tmp_path / name).write_bytes(data)
            made.append(compress(tmp_path / name, settings=Settings(preset="fast", contexts=contexts, **settings),
                                 overwrite=True, prior=prior.path).output_path.read_bytes())
        return made

    own = len(prior.text)
    anew = sizes(is_kept=False)
    assert learned == [own, own, own, own, own + primers.length("text-1")]
    learned.clear()
    context_mixer._learned.clear()
    assert sizes(is_kept=True) == anew
    assert learned == [own, own, own, own + primers.length("text-1")]


def test_a_prior_is_found_by_its_name(tmp_path, prior, monkeypatch):
    packed = compress(tmp_path / "in", settings=FAST, prior=prior.path).output_path
    with pytest.raises(InputError, match=f"made with the prior whose SHA-256 begins with {prior.name}: put it into .* or name it"):
        decompress(packed, tmp_path / "out")
    monkeypatch.setenv("LOCKSTEP_PRIORS", str(prior.path.parent))
    decompress(packed, tmp_path / "1")
    monkeypatch.delenv("LOCKSTEP_PRIORS")
    (tmp_path / "priors").mkdir()
    moved = prior.path.rename(tmp_path / "priors" / "renamed.prior")
    decompress(packed, tmp_path / "2")
    moved.rename(tmp_path / "beside.prior")
    decompress(packed, tmp_path / "3")
    assert {(tmp_path / name).read_bytes() for name in "123"} == {INPUT}


def test_another_prior_is_refused(tmp_path, prior):
    packed = compress(tmp_path / "in", settings=FAST, prior=prior.path).output_path
    other = learn([tmp_path / "a.log"], tmp_path / "other.prior")
    with pytest.raises(InputError, match=f"was made with the prior {prior.name}, and .*other.prior is {other.name}; choose that"):
        decompress(packed, tmp_path / "out", prior=other.path)


def test_a_stopped_run_finds_its_prior_again(tmp_path, prior, stop_after):
    unbroken = compress(tmp_path / "in", tmp_path / "unbroken.lks", FAST, prior=prior.path).output_path
    stop_after(1)
    with pytest.raises(KeyboardInterrupt):
        compress(tmp_path / "in", tmp_path / "in.lks", FAST, prior=prior.path, checkpoint=tmp_path / "kept")
    assert resume(tmp_path / "kept").output_path.read_bytes() == unbroken.read_bytes()


@pytest.mark.parametrize("damage", [
    lambda data: data[:-1], lambda data: data[:20], lambda data: b"", lambda data: b"x" + data[1:],
    lambda data: data[:7] + b"\x09" + data[8:], lambda data: data[:14] + b"!" + data[15:],
    lambda data: data[:60] + bytes([data[60] ^ 4]) + data[61:]])
def test_a_damaged_prior_is_refused(tmp_path, prior, damage):
    prior.path.write_bytes(damage(prior.path.read_bytes()))
    with pytest.raises(FormatError):
        load(prior.path)
    with pytest.raises(FormatError):
        compress(tmp_path / "in", settings=FAST, prior=prior.path)


def test_too_little_and_too_much_are_refused(tmp_path):
    (tmp_path / "empty").touch()
    with open(tmp_path / "large", "wb") as file:
        file.truncate(MOST_BYTES + 1)
    for name in ("empty", "large"):
        with pytest.raises(InputError, match="a prior is made of 1 to 67,108,864 bytes, and these files have"):
            learn([tmp_path / name], tmp_path / "x.prior")
    with pytest.raises(InputError, match="there is no file"):
        learn([tmp_path / "missing"], tmp_path / "x.prior")


def test_a_prior_is_not_replaced_unasked(tmp_path, prior):
    with pytest.raises(OutputError, match="exists already"):
        learn([tmp_path / "a.log"], prior.path)


def test_a_name_that_is_none_is_refused():
    for name in ("other", "0123", "0123456789ABCDEF", 7):
        with pytest.raises(SettingsError, match="prior must be none or 16 hexadecimal digits, got"):
            Settings(prior=name)


def test_a_network_alone_has_no_use_for_a_prior(tmp_path, prior):
    with pytest.raises(SettingsError, match="prior is for contexts"):
        compress(tmp_path / "in", settings=tiny(), prior=prior.path)


def test_the_command_line_learns_and_uses_it(tmp_path, prior):
    def lockstep(*arguments):
        return subprocess.run([sys.executable, "-m", "lib", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)

    said = lockstep("learn", tmp_path / "a.log", "-o", tmp_path / "again.prior").stdout
    assert f"{len(LIKE):,} bytes of 1 files in " in said and load(tmp_path / "again.prior").name in said
    lockstep("compress", tmp_path / "in", "--preset", "fast", "--prior", tmp_path / "again.prior")
    lockstep("decompress", tmp_path / "in.lks", "-o", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == INPUT
