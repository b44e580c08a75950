"""lib.machine: what is left of the machine's memory, in containers and batch jobs too."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from samples import FAST, TEXT, crafted_file, with_header

from lib import InputError, compress, decompress, inspect, learn, machine
from lib.coding import plan, run
from lib.machine import available_memory
from lib.mixing import context_mixer, state

GB = 1 << 30


def made(folder, files):
    """A folder of small files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def free_with(tmp_path, cgroup, groups, meminfo="MemTotal: 64 kB\nMemAvailable:   8388608 kB\n"):
    """available_memory on a machine with 8 GB free, a process in these control groups, and those in the file system."""
    proc = made(tmp_path / "proc", {"meminfo": meminfo, "self/cgroup": cgroup, "self/status": "VmSize:\t1048576 kB\nVmData: 524288 kB\n"})
    return available_memory(proc, made(tmp_path / "cgroup", groups | {"other": ""}))


def group_2(limit, used, cache=0):
    return {"memory.max": f"{limit}\n", "memory.current": f"{used}\n", "memory.stat": f"anon 5\ninactive_file {cache}\nactive_file 7\n"}


def group_1(limit, used, cache=0):
    return {"memory.limit_in_bytes": f"{limit}\n", "memory.usage_in_bytes": f"{used}\n",
            "memory.stat": f"inactive_file 3\ntotal_inactive_file {cache}\n"}


def under(path, files):
    return {f"{path}/{name}": text for name, text in files.items()}


@pytest.mark.parametrize("cgroup, groups, expected", [
    ("0::/\n", {}, 8 * GB),
    ("0::/a/b\n", under("a/b", group_2(3 * GB, GB)), 2 * GB),
    ("0::/a/b\n", under("a/b", group_2(3 * GB, 2 * GB, GB)), 2 * GB),                                # a cache is given up
    ("0::/a/b\n", under("a/b", group_2("max", GB)) | under("a", group_2(2 * GB, GB)), GB),             # a limit around it
    ("0::/a/b\n", under("a/b", group_2(9 * GB, GB)) | group_2(4 * GB, GB), 3 * GB),
    ("0::/a/b\n", under("a/b", group_2(99 * GB, GB)), 8 * GB),
    ("0::/not/in/here\n", group_2(2 * GB, GB), GB),                                                  # a container: its root is its own
    ("0::/a\n", under("a", group_2(GB, 2 * GB)), 0),
    ("0::/a\n", under("b", group_2(GB, 0)), 8 * GB),                                                 # another's
    ("0::/a\n", under("a", {"memory.max": "many\n", "memory.current": "\n"}), 8 * GB),
    ("9:name=systemd:/\n4:memory:/x/y\n0::/\n", under("memory/x/y", group_1(5 * GB, 2 * GB, GB)), 4 * GB),
    ("4:cpu,memory:/x\n", under("memory", group_1(2 * GB, GB)) | under("memory/x", group_1(9223372036854771712, 0)), GB),
    ("4:cpu:/x\n", under("memory/x", group_1(GB, 0)), 8 * GB),
    ("4:memory:/x\n0::/u\n", under("unified/u", group_2(3 * GB, 0)) | under("memory/x", group_1(6 * GB, 0)), 3 * GB),
], ids=str)
def test_the_tightest_control_group_counts(tmp_path, cgroup, groups, expected):
    assert free_with(tmp_path, cgroup, groups) == expected


def test_nothing_is_known_where_the_system_does_not_say(tmp_path):
    assert available_memory(tmp_path, tmp_path) is None


@pytest.mark.parametrize("limit, used", [(resource.RLIMIT_AS, GB), (resource.RLIMIT_DATA, GB // 2)], ids=["address space", "data"])
def test_a_process_has_limits_of_its_own(tmp_path, monkeypatch, limit, used):
    monkeypatch.setattr(resource, "getrlimit", lambda which: (3 * GB, -1) if which == limit else (resource.RLIM_INFINITY, -1))
    assert free_with(tmp_path, "0::/\n", {}) == 3 * GB - used - machine._STILL_TO_LOAD
    assert free_with(tmp_path, "0::/\n", under("", {}), meminfo="") == 3 * GB - used - machine._STILL_TO_LOAD


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="the system does not say how much memory it has")
def test_free_memory_is_some_and_no_more_than_there_is():
    total = int(Path("/proc/meminfo").read_text().split()[1]) * 1024
    assert 0 < available_memory() <= total
    limited = subprocess.run([sys.executable, "-c", "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, -1))\n"
                              "from lib.machine import available_memory; print(available_memory())"], cwd=ROOT, capture_output=True, text=True)
    assert 0 < int(limited.stdout) < 1 << 30


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not say what a process took")
def test_a_file_that_claims_more_than_it_holds_is_refused_in_little_memory(tmp_path):
    """A whole first segment, cut short after it: what is recovered must not be filled up to a gigabyte that is only claimed."""
    (tmp_path / "in").write_bytes(TEXT)
    packed = compress(tmp_path / "in", settings=FAST).output_path
    packed.write_bytes(with_header(packed.read_bytes(), len(TEXT), original_bytes=1 << 30))
    peak = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"    # getrusage knows the parent's too
    for command in (["decompress", packed, "-o", tmp_path / "out"], ["info", packed]):
        done = subprocess.run([sys.executable, "-c", f"import sys; from lib.__main__ import main; main(sys.argv[1:]); {peak}", *command], cwd=ROOT,
                              capture_output=True, text=True)
        assert int(done.stdout.split()[-1]) < 300_000            # KB
        assert command[0] == "info" or "the header claims 1,073,741,824 bytes, more than the rest can be a part of" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "in.lks"]


def test_tables_that_a_header_asks_for_are_weighed_before_they_are_made(tmp_path, monkeypatch):
    (tmp_path / "in").write_bytes(TEXT)
    packed = compress(tmp_path / "in", settings=FAST).output_path
    packed.write_bytes(with_header(packed.read_bytes(), len(TEXT), overrides={14: 28}))
    monkeypatch.setattr(plan, "available_memory", lambda: GB)
    monkeypatch.setattr(state, "allocated", None)
    assert inspect(packed).plan.memory_bytes > 2 * GB
    with pytest.raises(InputError, match="this takes about 2.4 GB of memory, and 1.1 GB are free"):
        decompress(packed, tmp_path / "out")


def test_what_a_primer_left_is_not_kept_where_memory_is_short(tmp_path, monkeypatch):
    (tmp_path / "in").write_bytes(TEXT)
    (tmp_path / "before").write_bytes(TEXT * 4)
    prior = learn([tmp_path / "before"], tmp_path / "x.prior").path
    monkeypatch.setattr(context_mixer, "_learned", {})
    files = []
    for free, kept in ((1_000_000, 0), (8 * GB, 1)):
        monkeypatch.setattr(context_mixer, "available_memory", lambda free=free: free)
        files.append(compress(tmp_path / "in", settings=FAST, prior=prior, overwrite=True).output_path.read_bytes())
        assert len(context_mixer._learned) == kept
    assert files[0] == files[1]


def test_a_claim_that_no_memory_holds_is_an_error_of_ours_where_the_system_does_not_say_how_much_there_is(tmp_path, monkeypatch):
    """A file of one value claims what it likes in a few bytes."""
    monkeypatch.setattr(plan, "available_memory", lambda: None)
    monkeypatch.setattr(run, "check_space", lambda path, size: None)
    (tmp_path / "in.lks").write_bytes(crafted_file(1 << 46, original_bytes=1 << 46, preset=10, description=b"\x0c\x40", overrides={14: 12}))
    with pytest.raises(InputError, match="the memory of this machine is used up; use a smaller network"):
        decompress(tmp_path / "in.lks", tmp_path / "out")
    assert not (tmp_path / "out").exists()
