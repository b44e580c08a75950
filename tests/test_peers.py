"""The standard compressors give back what they were given, and say in a line what is wrong."""

import gzip
import random
import stat
import sys
from pathlib import Path

import pytest

from lib.peers import Peer, PeerError, installed_peers, standard_peers, standard_sizes

INPUTS = {
    "empty": b"",
    "one byte": b"\x00",
    "repeated": b"abcdefgh" * 5000,
    "random": random.Random(1).randbytes(3000),
}
PEERS = installed_peers()
by_peer = pytest.mark.parametrize("peer", PEERS, ids=[peer.name for peer in PEERS])

# Stands for an archiver: "add" and "extract" copy, in the folder that they are run in.
COPYING_ZPAQ = """
import shutil, sys
shutil.copyfile(*(("data", "packed.zpaq") if sys.argv[1] == "add" else ("packed.zpaq", "data")))
"""
FAILING_ZPAQ = """
import sys
sys.exit("zpaq error:\\n  the tape is full")
"""


@pytest.fixture
def only_zpaq(tmp_path, monkeypatch):
    """A function that makes a Python script the only command on the PATH, as zpaq; returns that peer."""
    def install(script):
        folder = tmp_path / "bin"
        folder.mkdir()
        program = folder / "zpaq"
        program.write_text(f"#!{sys.executable}\n{script}")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(folder))
        return installed_peers()[-1]
    return install


@by_peer
@pytest.mark.parametrize("data", INPUTS.values(), ids=INPUTS.keys())
def test_a_file_comes_back_and_nothing_else_is_left(peer, data, tmp_path):
    original, packed, restored = (tmp_path / name for name in ("original", "packed", "restored"))
    original.write_bytes(data)
    peer.compress(original, packed)
    peer.decompress(packed, restored)
    assert restored.read_bytes() == data
    assert original.read_bytes() == data
    assert set(tmp_path.iterdir()) == {original, packed, restored}


@by_peer
def test_repetition_is_compressed(peer, tmp_path):
    original, packed = tmp_path / "original", tmp_path / "packed"
    original.write_bytes(INPUTS["repeated"])
    peer.compress(original, packed)
    assert 0 < packed.stat().st_size < len(INPUTS["repeated"]) / 10


@by_peer
def test_a_damaged_file_is_one_line_of_error_and_leaves_the_target(peer, tmp_path):
    damaged, target = tmp_path / "damaged", tmp_path / "target"
    damaged.write_bytes(b"this was never compressed")
    target.write_bytes(b"from before")
    with pytest.raises(PeerError) as caught:
        peer.decompress(damaged, target)
    assert str(caught.value).startswith(f"{peer.name} cannot decompress {damaged}: ")
    assert "\n" not in str(caught.value)
    assert target.read_bytes() == b"from before"
    assert set(tmp_path.iterdir()) == {damaged, target}


def test_what_stops_half_way_is_named_and_leaves_the_target(tmp_path):
    def stop_half_way(source, target, folder):
        target.write_bytes(b"half of")
        raise MemoryError
    original, target = tmp_path / "original", tmp_path / "target"
    original.write_bytes(b"text")
    target.write_bytes(b"from before")
    with pytest.raises(PeerError, match="^fake cannot compress .*original: MemoryError$"):
        Peer("fake", stop_half_way, stop_half_way).compress(original, target)
    assert target.read_bytes() == b"from before"
    assert set(tmp_path.iterdir()) == {original, target}


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(PeerError, match="gzip -9 cannot compress .*missing: .*No such file"):
        PEERS[0].compress(tmp_path / "missing", tmp_path / "packed")
    assert list(tmp_path.iterdir()) == []


def test_paths_may_be_relative_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("original").write_bytes(b"text")
    PEERS[0].compress("original", "packed")
    assert gzip.decompress(Path("packed").read_bytes()) == b"text"


def test_the_standard_peers_come_first():
    names = [peer.name for peer in PEERS]
    standard = [peer.name for peer in standard_peers()]
    assert standard[:3] == ["gzip -9", "bzip2 -9", "xz -9e"]
    assert names[:len(standard)] == standard
    assert len(set(names)) == len(names)


def test_what_is_not_installed_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    for package in ("zstandard", "brotli"):
        monkeypatch.setitem(sys.modules, package, None)
    assert [peer.name for peer in installed_peers()] == ["gzip -9", "bzip2 -9", "xz -9e"]


@pytest.mark.parametrize("data", INPUTS.values(), ids=INPUTS.keys())
def test_standard_sizes_are_those_of_the_files(data, tmp_path):
    original, packed = tmp_path / "original", tmp_path / "packed"
    original.write_bytes(data)
    sizes = {}
    for peer in standard_peers():
        peer.compress(original, packed)
        sizes[peer.name] = packed.stat().st_size
    assert standard_sizes(data) == sizes
    assert sizes["gzip -9"] == len(gzip.compress(data, 9))


def test_a_command_works_on_files_of_any_name(only_zpaq, tmp_path):
    zpaq = only_zpaq(COPYING_ZPAQ)
    original, packed, restored = (tmp_path / name for name in ("-odd *?.txt", "packed ünd", "restored"))
    original.write_bytes(INPUTS["random"])
    zpaq.compress(original, packed)
    zpaq.decompress(packed, restored)
    assert zpaq.name == "zpaq -m5"
    assert restored.read_bytes() == INPUTS["random"]


def test_a_command_that_fails_is_quoted_in_one_line(only_zpaq, tmp_path):
    zpaq = only_zpaq(FAILING_ZPAQ)
    original, packed = tmp_path / "original", tmp_path / "packed"
    original.write_bytes(b"text")
    with pytest.raises(PeerError, match=r": it ended with exit code 1: zpaq error:; the tape is full$"):
        zpaq.compress(original, packed)
    assert not packed.exists()
