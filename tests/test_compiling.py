"""lib.compiling: compiled loops are kept on disk for as long as no source has changed."""

import ast
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from conftest import ROOT

from lib import compiling

LOOP = """
from lib.compiling import compiled
from lib.mixing.numbers import add_step

@compiled
def count(steps):
    total = 0
    for _ in range(steps):
        total = add_step(total)
    return total

from lib.compiling import announced
said = []
with announced(said.append):
    total = count(10) + count(10)
print(total // 2, len(count.stats.cache_hits), len(said))
"""
NUMBERS = """
from lib.compiling import part

STEP = {step}

@part
def add_step(total):
    return total + STEP
"""


@pytest.fixture
def package(tmp_path):
    """A small lib of two modules around the real compiling.py."""
    return make_package(tmp_path / "lib")


def make_package(folder):
    (folder / "mixing").mkdir(parents=True)
    source = Path(compiling.__file__).read_text()
    assert source.count('"/tmp"') == 1           # where other runs keep what they compiled
    (folder / "compiling.py").write_text(source.replace('"/tmp"', '"/nowhere"'))
    for module in compiling._MODULES:
        (folder / module).write_text("")
    (folder / "mixing" / "loop.py").write_text(LOOP)
    (folder / "mixing" / "numbers.py").write_text(NUMBERS.format(step=2))
    return folder


def run(package, code="import lib.mixing.loop", **environment):
    """(the loop's result, whether it came from the disk, how often compiling was announced)."""
    plain = {name: value for name, value in os.environ.items() if name not in ("XDG_CACHE_HOME", "NUMBA_CACHE_DIR", "TMPDIR", "HOME")}
    ran = subprocess.run([sys.executable, "-B", "-c", code], cwd=package.parent, capture_output=True, text=True,
                         env=plain | {"HOME": str(package.parent / "home")} | environment)
    assert ran.stderr == "" and ran.returncode == 0
    return tuple(map(int, ran.stdout.split()))


def folders(package):
    return set((package / "__pycache__").glob("compiled-*"))


def test_a_loop_is_compiled_once_with_a_word_and_anew_when_a_helper_in_another_file_changes(package):
    assert run(package) == (20, 0, 1)
    assert run(package) == (20, 1, 0)
    (package / "mixing" / "numbers.py").write_text(NUMBERS.format(step=3))
    assert run(package) == (30, 0, 1)
    assert run(package) == (30, 1, 0)


def test_what_is_not_compiled_stays_out_of_it(package):
    run(package)
    (package / "other.py").write_text("STEP = 5")
    assert run(package) == (20, 1, 0)


def test_what_no_process_can_be_using_any_more_is_removed(package):
    run(package)
    first = folders(package)
    (package / "mixing" / "numbers.py").write_text(NUMBERS.format(step=3))
    run(package)
    assert first < folders(package)
    for folder in first:
        os.utime(folder, (time.time() - 2 * 24 * 3600,) * 2)
    (package / "mixing" / "numbers.py").write_text(NUMBERS.format(step=4))
    run(package)
    assert not first & folders(package)


def test_a_library_that_cannot_be_written_keeps_its_loops_in_the_users_folder_and_knows_all_sources(package):
    """As installed for all users. Numba's own folder for this knows the loop's file alone."""
    (package / "__pycache__").write_text("in the way")
    home = package.parent / "home"
    home.mkdir()
    assert [run(package), run(package)] == [(20, 0, 1), (20, 1, 0)]
    kept, = (home / ".cache" / "lockstep").glob("compiled-*")
    assert (home / ".cache" / "lockstep").stat().st_mode & 0o777 == 0o700
    (package / "mixing" / "numbers.py").write_text(NUMBERS.format(step=3))
    assert [run(package), run(package)] == [(30, 0, 1), (30, 1, 0)]
    assert len(list(kept.parent.glob("compiled-*"))) == 2


def test_the_folder_that_the_environment_names_comes_first(package):
    named = package.parent / "named"
    for step in (2, 5):
        (package / "mixing" / "numbers.py").write_text(NUMBERS.format(step=step))
        assert [run(package, NUMBA_CACHE_DIR=str(named)) for _ in range(2)] == [(10 * step, 0, 1), (10 * step, 1, 0)]
    assert len(list((named / "lockstep").glob("compiled-*"))) == 2 and not folders(package)
    assert run(package, NUMBA_CACHE_DIR=str(package / "compiling.py")) == (50, 0, 1) and folders(package)


def test_the_base_folder_specification_is_kept_to(package):
    (package / "__pycache__").write_text("in the way")
    run(package, XDG_CACHE_HOME=str(package.parent / "caches"))
    assert list((package.parent / "caches" / "lockstep").glob("compiled-*"))
    temporary = package.parent / "temporary"
    temporary.mkdir(0o700)
    run(package, XDG_CACHE_HOME="relative", TMPDIR=str(temporary))       # not absolute: passed over, and there is no home
    assert not (package.parent / "relative").exists() and list(temporary.glob("lockstep-*/compiled-*"))


@pytest.mark.parametrize("prepare", ["somebody else's", "open to all", "a link", "in a folder open to all"])
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid(), reason="gives a folder to another user")
def test_nothing_is_loaded_from_a_temporary_folder_that_others_can_write(package, tmp_path, prepare):
    (package / "__pycache__").write_text("in the way")
    temporary = tmp_path / "temporary"
    prepared = temporary / f"lockstep-{os.geteuid()}"
    prepared.mkdir(0o700, parents=True)
    if prepare == "somebody else's":
        os.chown(prepared, NOBODY, NOBODY)
    elif prepare == "open to all":
        prepared.chmod(0o777)
    elif prepare == "a link":
        prepared.rmdir()
        (tmp_path / "elsewhere").mkdir()
        prepared.symlink_to(tmp_path / "elsewhere")
    else:
        temporary.chmod(0o777)
    assert [run(package, TMPDIR=str(temporary)) for _ in range(2)] == [(20, 0, 1)] * 2
    assert not list(prepared.iterdir())
    if prepare == "a link":
        prepared.unlink()
        prepared.mkdir()
    os.chown(prepared, 0, 0)
    prepared.chmod(0o700)
    temporary.chmod(0o755)
    assert [run(package, TMPDIR=str(temporary)) for _ in range(2)] == [(20, 0, 1), (20, 1, 0)]


NOBODY = 65534
# What a process does as another user: Numba is compiled with before, as that user may not read where it is installed.
AS_NOBODY = f"""
import ctypes, ctypes.util, inspect, os, numba
numba.njit(lambda steps: sum([step for step in range(steps)]))(3)
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
import lib.mixing.loop
"""


@pytest.fixture
def for_all():
    """A folder that every user can read, as tmp_path is not."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid(), reason="becomes another user")
@pytest.mark.parametrize("temporary", [True, False])
def test_a_user_without_a_home_compiles_into_a_temporary_folder_or_each_time(for_all, temporary):
    package = make_package(for_all / "lib")
    place = for_all / "temporary"
    place.mkdir()
    os.chmod(place, 0o1777 if temporary else 0o755)
    ran = [run(package, AS_NOBODY, HOME="/nonexistent", TMPDIR=str(place)) for _ in range(2)]
    assert ran == ([(20, 0, 1), (20, 1, 0)] if temporary else [(20, 0, 1)] * 2)
    (package / "mixing" / "numbers.py").write_text(NUMBERS.format(step=3))
    assert run(package, AS_NOBODY, HOME="/nonexistent", TMPDIR=str(place)) == (30, 0, 1)
    assert [path.name for path in place.iterdir()] == ([f"lockstep-{NOBODY}"] if temporary else [])


def test_a_cache_that_goes_or_breaks_costs_time_and_no_run(package):
    gone = "import shutil, lib.compiling as c; import lib.mixing.numbers; shutil.rmtree(c._FOLDER); import lib.mixing.loop"
    assert run(package, gone) == (20, 0, 1)
    in_the_way = gone.replace("; import lib.mixing.loop", "; open(c._FOLDER, 'w').close(); import lib.mixing.loop")
    assert run(package, in_the_way) == (20, 0, 1)
    for file in (package / "__pycache__").glob("compiled-*"):
        if file.is_file():
            file.unlink()
    run(package)
    for ending in ("nbc", "nbi"):
        for file in (package / "__pycache__").rglob(f"*.{ending}"):
            file.write_bytes(file.read_bytes()[:-20])
        assert run(package) == (20, 0, 1)
        assert run(package) == (20, 1, 0)


def test_whatever_can_be_part_of_a_compiled_loop_names_the_folder():
    """A module that compiles, and all that it imports from the library, lies in the packages whose sources are hashed."""
    imports = {}
    for source in (ROOT / "lib").rglob("*.py"):
        module = ".".join(source.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found = set()
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("lib"):
                found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
        imports[module] = found
    reached = {module for module, found in imports.items() if found & {f"lib.compiling.{name}" for name in ("compiled", "part", "also_plain")}}
    assert {"lib.coders.arithmetic", "lib.mixing.engine", "lib.models.exact.kernels.forward", "lib.sources.png"} <= reached
    hashed = (*(f"lib.{package.replace('/', '.')}" for package in compiling._PACKAGES),
              *(f"lib.{module.removesuffix('.py')}" for module in compiling._MODULES))
    assert [module for module in reached if not f"{module}.".startswith(tuple(f"{package}." for package in hashed))] == []
    direct = {name for module in reached for name in imports[module] if name in imports} - {"lib.compiling", "lib.errors"}
    assert [module for module in direct if not f"{module}.".startswith(tuple(f"{package}." for package in hashed))] == []


def test_other_compiled_functions_keep_their_cache():
    import numba
    assert "compiled-" not in numba.config.CACHE_DIR


def test_the_library_compiles_nothing_that_an_earlier_process_has(tmp_path):
    golden = Path(__file__).parent / "golden"
    code = "".join(f"compress({str(golden / name)!r}, {str(tmp_path / 'out')!r}, Settings(preset='balanced'), note=print, overwrite=True)\n"
                   for name in ("exact.txt", "mixed.bin", "clip.npy", "slope.ppm"))
    command = [sys.executable, "-c", f"from lib import Settings, compress\n{code}"]
    subprocess.run(command, cwd=golden.parents[1], capture_output=True, check=True)
    said = subprocess.run(command, cwd=golden.parents[1], capture_output=True, text=True, check=True).stdout
    assert said.count("coding with") == 4 and "compiling" not in said
