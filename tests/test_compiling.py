"""lib.compiling: compiled loops are kept on disk for as long as no source has changed."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

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
    folder = tmp_path / "lib"
    (folder / "mixing").mkdir(parents=True)
    shutil.copy(compiling.__file__, folder)
    (folder / "mixing" / "loop.py").write_text(LOOP)
    (folder / "mixing" / "numbers.py").write_text(NUMBERS.format(step=2))
    return folder


def run(package):
    """(the loop's result, whether it came from the disk, how often compiling was announced)."""
    output = subprocess.run([sys.executable, "-c", "import lib.mixing.loop"], cwd=package.parent, capture_output=True, text=True,
                            check=True).stdout
    return tuple(map(int, output.split()))


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


def test_a_folder_that_cannot_be_written_leaves_the_cache_to_numba(package):
    Path(package / "__pycache__").write_text("in the way")
    assert run(package)[0] == 20


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
