"""Priors: learned once, named by files, asked for by name, checked."""

import lzma
import os
import random
import struct
import subprocess
import sys
import zlib

import msgpack
import pytest
from samples import TEXT, flipped, tiny

from lib import FormatError, InputError, OutputError, Settings, SettingsError, compress, decompress, inspect, learn, resume
from lib.limits import LONGEST_LIST_LEARNED, MOST_LEARNED, MOST_NAMES_LEARNED
from lib.mixing import context_mixer, primers
from lib.mixing.context_mixer import ContextMixer
from lib.priors import MAGIC, find, load
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
    with pytest.raises(InputError, match=f"the prior whose SHA-256 begins with {prior.name} is needed, and is not here; put it into .* or name it"):
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
    with pytest.raises(InputError, match=f"the prior {prior.name} is needed, not .*other.prior \\({other.name}\\); choose the first"):
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
        file.truncate(MOST_LEARNED + 1)
    for name in ("empty", "large"):
        with pytest.raises(InputError, match="a prior is made of 1 to 67,108,864 bytes, and these files have"):
            learn([tmp_path / name], tmp_path / "x.prior")
    with pytest.raises(InputError, match="there is no file"):
        learn([tmp_path / "missing"], tmp_path / "x.prior")


def sealed(packed, squeezed, version=1):
    """A prior file with a right checksum, whatever it holds."""
    start = MAGIC + bytes([version]) + struct.pack("<I", len(packed)) + packed
    return start + struct.pack("<I", zlib.crc32(start)) + squeezed


def test_whatever_a_prior_holds_is_itself_or_an_error_of_ours(tmp_path, prior):
    odd, outcomes = random.Random(16), {True: 0, False: 0}
    texts = [lzma.compress(prior.text), lzma.compress(prior.text, lzma.FORMAT_ALONE), lzma.compress(prior.text) * 2,
             lzma.compress(prior.text)[:-9], b"", lzma.compress(b""), lzma.compress(bytes(1 << 20))]
    sizes = [len(prior.text), len(prior.text) - 1, 0, -1, True, 1.5, float(len(prior.text)), None, "1", MOST_LEARNED + 1, 1 << 63, [1]]
    names = [["a"], [], None, "ab", {"a": 1}, [1], [["a"]], [b"a"], ["\udcff"], [None] * 1000, {}]
    packings = [b"", b"\x91" * 100_000, b"\x81" * 100_000, b"\x92\x01", b"\xdd\xff\xff\xff\xff", b"\xc1", b"\x92\x01\x91\xa1\xff\x00"]
    for _ in range(500):
        size = sizes[0] if odd.random() < 0.5 else odd.choice(sizes)
        fields = odd.choice([[size, odd.choice(names)]] * 8 + [[size], [size, ["a"], 1], size, {size if type(size) is int else 1: 1}])
        packed = msgpack.packb(fields, unicode_errors="surrogateescape") if odd.random() < 0.9 else odd.choice(packings)
        data = sealed(packed, texts[0] if odd.random() < 0.5 else odd.choice(texts))
        if odd.random() < 0.2:
            data = flipped(data, odd.randrange(len(data)), odd.randrange(1, 256))
        prior.path.write_bytes(data)
        try:
            again = load(prior.path)
        except FormatError:
            outcomes[False] += 1
        else:
            outcomes[True] += 1
            assert again.text == prior.text and all(isinstance(name, str) for name in again.files)
            with pytest.raises(InputError, match="put it into"):
                find("0" * 16, [prior.path.parent])
    assert min(outcomes.values()) > 10


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits like these")
def test_what_unpacks_to_more_than_it_says_takes_no_memory(tmp_path):
    """Half a gigabyte of zeros in 80 KB, and a window of 1.5 GB in a hundred bytes."""
    squeezer = lzma.LZMACompressor(preset=0)
    bomb = b"".join(squeezer.compress(bytes(1 << 24)) for _ in range(32)) + squeezer.flush()
    wide = lzma.compress(b"a", lzma.FORMAT_XZ, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}])
    wide = wide.replace(bytes([2, 0, 0x21, 1, 16]), bytes([2, 0, 0x21, 1, 39]))        # 39: 3 GiB, with its checksum
    header = wide[12:20]
    wide = wide[:20] + struct.pack("<I", zlib.crc32(header)) + wide[24:]
    code = ("import resource, sys; from lib import FormatError; from lib.priors import load\n"
            "resource.setrlimit(resource.RLIMIT_DATA, (3 << 27, 3 << 27))\n"
            "try:\n    load(sys.argv[1])\nexcept FormatError as error:\n    print(error)")
    for squeezed, size in ((bomb, 1000), (bomb, MOST_LEARNED), (wide, 1)):
        (tmp_path / "x.prior").write_bytes(sealed(msgpack.packb([size, ["a"]]), squeezed))
        ran = subprocess.run([sys.executable, "-c", code, tmp_path / "x.prior"], cwd=ROOT, capture_output=True, text=True)
        assert (ran.stderr, ran.stdout) == ("", f"the prior {tmp_path / 'x.prior'} is damaged; get another copy\n")


def test_a_prior_of_very_many_files_says_some_of_their_names(tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    paths = []
    for number in range(1_200):
        paths.append(folder / f"{number:04}{'n' * 240}")
        paths[-1].write_bytes(b"a line\n")
    made = learn(paths * 15, tmp_path / "x.prior")                          # 18,000 names of 244 bytes
    assert load(made.path) == made and made.text == b"a line\n" * 18_000
    assert made.files[:2] == (paths[0].name, paths[1].name) and made.files[-1] == "and 17,000 more"
    assert MOST_NAMES_LEARNED * (255 + len("\xda12")) + 100 < LONGEST_LIST_LEARNED        # of the longest names
    once = learn(paths[:1_000], tmp_path / "y.prior")
    assert once.files == tuple(path.name for path in paths[:1_000])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_what_is_called_a_prior_and_is_none_is_passed_over(tmp_path, prior):
    packed = compress(tmp_path / "in", settings=FAST, prior=prior.path).output_path
    places = tmp_path / "priors"
    places.mkdir()
    for place in (tmp_path, places):
        (place / "a.prior").mkdir()
        (place / "b.prior").symlink_to("nowhere")
        (place / "c.prior").symlink_to("c.prior")
        os.mkfifo(place / "d.prior")
        (place / "e.prior").write_bytes(b"")
        (place / "f.prior").write_bytes(prior.path.read_bytes()[:-1])
        with open(place / "g.prior", "wb") as huge:
            huge.truncate(1 << 40)
    lockstep = [sys.executable, "-m", "lib", "decompress", packed, "-o", tmp_path / "out"]
    ran = subprocess.run(lockstep, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 1 and ran.stderr.startswith(f"lockstep: the prior whose SHA-256 begins with {prior.name} is needed, and is not here; ")
    prior.path.rename(places / "z.prior")
    ran = subprocess.run(lockstep, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stderr) == (0, "") and (tmp_path / "out").read_bytes() == INPUT


@pytest.mark.parametrize("named, said", [("folder.prior", "is a folder"), ("missing.prior", "there is no file"),
                                         ("cut.prior", "the prior .* is damaged; get another copy"), ("huge.prior", "is too large for a prior"),
                                         ("other.prior", "is no prior; choose a .prior file that learn made")])
def test_what_is_named_and_is_no_prior_is_said(tmp_path, prior, named, said):
    (tmp_path / "folder.prior").mkdir()
    (tmp_path / "cut.prior").write_bytes(prior.path.read_bytes()[:-1])
    (tmp_path / "other.prior").write_bytes(b"other")
    with open(tmp_path / "huge.prior", "wb") as huge:
        huge.truncate(1 << 40)
    with pytest.raises((InputError, FormatError), match=said):
        compress(tmp_path / "in", settings=FAST, prior=tmp_path / named)
    assert not (tmp_path / "in.lks").exists()


def test_a_folder_of_priors_that_cannot_be_read_is_passed_over(tmp_path, prior, monkeypatch):
    monkeypatch.setenv("LOCKSTEP_PRIORS", str(tmp_path / "a.log"))          # a file
    assert find(prior.name, [tmp_path / "missing", prior.path.parent]) == prior
    with pytest.raises(InputError, match="put it into"):
        find(prior.name, [tmp_path / "missing"])


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
