"""The comparison measures whole files, checks what comes back and says so as it goes."""

import csv
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks import compare
from lib.peers import PeerError, installed_peers, standard_peers

TEXT = b"".join(b"line %d of a text that compresses well\n" % number for number in range(3000))
SMALLEST_NETWORK = ("--set", "rnn_units=8", "--set", "num_layers=1", "--set", "embedding_size=4",
                    "--preset", "network")


@pytest.fixture
def text_file(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(TEXT)
    return path


@dataclass
class FakePeer:
    """A peer that adds one byte more at every run, and gives back what `restore` makes of the original."""

    name: str = "fake"
    restore: object = bytes
    runs: list = field(default_factory=list)

    def compress(self, source, target):
        self.runs.append(source)
        Path(target).write_bytes(Path(source).read_bytes() + b"+" * len(self.runs))

    def decompress(self, source, target):
        Path(target).write_bytes(self.restore(Path(source).read_bytes().rstrip(b"+")))


@pytest.fixture
def use_peers(monkeypatch):
    return lambda *peers: monkeypatch.setattr(compare, "installed_peers", lambda: list(peers))


def run(*arguments):
    return compare.main([str(argument) for argument in arguments])


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_table_has_a_row_for_every_peer(text_file, tmp_path, capsys):
    assert run(text_file, "--no-ours") == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ("file compressor bytes bits/byte compress s decompress s bytes/s identical").split()
    assert len(lines) == len(installed_peers())
    for peer, line in zip(installed_peers(), lines):
        packed = tmp_path / "packed"
        peer.compress(text_file, packed)
        size = packed.stat().st_size
        after_name = line.removeprefix(f"{text_file}  {peer.name}").split()
        assert after_name[:2] == [f"{size:,}", f"{8 * size / len(TEXT):.3f}"]
        assert after_name[-1] == "yes"


def test_columns_are_aligned_and_thousands_separated(text_file, use_peers, capsys):
    use_peers(FakePeer("a"), FakePeer("a longer name"))
    assert run(text_file, "--no-ours") == 0
    header, *lines = capsys.readouterr().out.splitlines()
    size = f"{len(TEXT) + 1:,}"
    assert "," in size
    ends = {line.index(size) + len(size) for line in lines}
    assert ends == {header.index("bytes") + len("bytes")}
    assert {line.index("yes") for line in lines} == {header.index("identical")}


def test_the_csv_holds_every_row(text_file, tmp_path):
    other = tmp_path / "other.bin"
    other.write_bytes(b"\x00" * 1000)
    table = tmp_path / "table.csv"
    assert run(text_file, other, "--no-ours", "--csv", table) == 0
    rows = rows_of(table)
    assert tuple(rows[0]) == compare.COLUMNS
    assert [(row["file"], row["compressor"]) for row in rows] == [
        (str(path), peer.name) for path in (text_file, other) for peer in installed_peers()]
    assert {(row["identical"], row["error"], row["bytes_per_second"]) for row in rows} == {("True", "", "")}
    for row in rows:
        assert float(row["bits_per_byte"]) == 8 * int(row["compressed_bytes"]) / int(row["original_bytes"])
        assert "" not in (row["compress_seconds"], row["decompress_seconds"])


def test_the_plot_is_a_png(text_file, tmp_path):
    picture = tmp_path / "picture.png"
    assert run(text_file, "--no-ours", "--limit", 500, "--plot", picture) == 0
    assert picture.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize("limit, used", [(1, 1), (1000, 1000), (10**9, len(TEXT))])
def test_a_limit_takes_the_start_of_the_file(text_file, tmp_path, use_peers, limit, used):
    taken = []
    use_peers(FakePeer(restore=lambda data: taken.append(data) or data))
    table = tmp_path / "table.csv"
    assert run(text_file, "--no-ours", "--limit", limit, "--csv", table) == 0
    assert taken == [TEXT[:limit]]
    assert rows_of(table)[0]["original_bytes"] == str(used)
    assert text_file.read_bytes() == TEXT


def test_an_empty_file_is_measured(tmp_path, capsys):
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    assert run(empty, "--no-ours") == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert len(lines) == len(installed_peers())
    assert all(" 0.000 " in line and line.endswith("yes") for line in lines)


def test_every_repeat_is_run_and_the_largest_size_stated(text_file, tmp_path, use_peers):
    peer = FakePeer()
    use_peers(peer)
    table = tmp_path / "table.csv"
    assert run(text_file, "--no-ours", "--repeat", 3, "--csv", table) == 0
    assert len(peer.runs) == 3
    assert rows_of(table)[0]["compressed_bytes"] == str(len(TEXT) + 3)


def test_seconds_are_the_median_of_the_repeats(text_file, use_peers, monkeypatch):
    compress_seconds, decompress_seconds = [5.0, 1.0, 2.0], [0.5, 0.25, 8.0]
    timings = [second for pair in zip(compress_seconds, decompress_seconds) for second in pair]

    def timed(work, *arguments):
        work(*arguments)
        return timings.pop(0)
    monkeypatch.setattr(compare, "_seconds", timed)
    row = compare.measure(FakePeer(), text_file, "text", repeats=3)
    assert (row.compress_seconds, row.decompress_seconds) == (2.0, 0.5)


def test_a_file_that_comes_back_changed_is_exit_code_1(text_file, use_peers, capsys):
    use_peers(FakePeer(restore=lambda data: data[:-1] + b"?"), FakePeer("faithful"))
    assert run(text_file, "--no-ours") == 1
    _, changed, faithful = capsys.readouterr().out.splitlines()
    assert changed.endswith("NO")
    assert faithful.endswith("yes")


def test_one_changed_result_of_many_repeats_is_enough(text_file, use_peers, capsys):
    changes = [b"", b"?", b""]
    use_peers(FakePeer(restore=lambda data: data + changes.pop()))
    assert run(text_file, "--no-ours", "--repeat", 3) == 1
    assert capsys.readouterr().out.splitlines()[-1].endswith("NO")


def test_a_compressor_that_fails_is_a_row_and_exit_code_1(text_file, tmp_path, use_peers, capsys):
    def fail(data):
        raise PeerError("fake cannot decompress: out of paper")
    use_peers(FakePeer(restore=fail), FakePeer("faithful"))
    table, picture = tmp_path / "table.csv", tmp_path / "picture.png"
    assert run(text_file, "--no-ours", "--csv", table, "--plot", picture) == 1
    _, failed, faithful = capsys.readouterr().out.splitlines()
    assert failed.endswith("failed: fake cannot decompress: out of paper")
    assert faithful.endswith("yes")
    assert rows_of(table)[0]["error"] == "fake cannot decompress: out of paper"
    assert rows_of(table)[0]["identical"] == ""
    assert picture.exists()


@pytest.mark.parametrize("arguments, said", [
    (("missing.txt",), "compare: there is no file missing.txt; check the name\n"),
    (("text.txt", "--set", "rnn_units=1"), "compare: rnn_units must be 8 to 8192, got 1\n"),
    (("text.txt", "--set", "preset=auto", "--preset", "network"),
     "compare: --set cannot choose the preset; use --preset\n"),
    (("text.txt", "--no-ours", "--no-peers"),
     "compare: --no-ours and --no-peers leave nothing to compare; drop one of them\n"),
    (("text.txt", "--csv", "no folder/table.csv"),
     "compare: there is no folder no folder to write table.csv into; make it or choose another\n"),
])
def test_what_cannot_be_measured_is_one_line_and_exit_code_2(text_file, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(text_file.parent)
    assert run(*arguments) == 2
    assert capsys.readouterr() == ("", said)


@pytest.mark.parametrize("arguments", [("--limit", 0), ("--repeat", -1), ("--limit", "some"), ("--preset", "none")])
def test_a_wrong_option_is_exit_code_2(text_file, capsys, arguments):
    with pytest.raises(SystemExit, match="^2$"):
        run(text_file, *arguments)
    assert str(arguments[1]) in capsys.readouterr().err


def test_all_presets_are_compared_unless_some_are_chosen():
    def names(*more):
        return [compressor.name for compressor in compare._compressors(compare._parser().parse_args(["file", *more]))]
    peers = [peer.name for peer in installed_peers()]
    assert names() == [f"Lockstep {preset}" for preset in compare._PRESETS] + peers
    assert names("--preset", "network", "--no-peers") == ["Lockstep network"]
    assert names("--no-ours") == peers


def test_a_failed_run_of_lockstep_is_told_by_its_last_line(tmp_path, monkeypatch):
    program = tmp_path / "lib.py"
    program.write_text("import sys; sys.exit('a log line\\nlockstep: the input is too dull')")
    monkeypatch.setattr(compare, "_ROOT", tmp_path)
    with pytest.raises(compare.RunError, match="^compress ended with exit code 1: lockstep: the input is too dull$"):
        compare.Preset("network").compress(tmp_path / "original", tmp_path / "packed")


def test_lockstep_is_run_as_on_the_command_line(text_file, tmp_path, use_peers, capsys):
    use_peers(standard_peers()[0])
    table = tmp_path / "table.csv"
    assert run(text_file, *SMALLEST_NETWORK, "--limit", 600, "--csv", table) == 0
    assert "Lockstep network" in capsys.readouterr().out
    ours, peer = rows_of(table)
    assert (ours["compressor"], ours["original_bytes"], ours["identical"]) == ("Lockstep network", "600", "True")
    assert 0 < int(ours["compressed_bytes"]) < 600
    assert float(ours["bytes_per_second"]) == pytest.approx(600 / float(ours["compress_seconds"]))
    assert peer["bytes_per_second"] == ""
