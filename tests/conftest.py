"""Fixtures: compressed samples made once, and real data where it is present."""

import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings
from samples import TEXT, tiny

from lib import compress
from lib.coding import loop
from lib.coding.container import Reader
from lib.coding.streams import Streams
from lib.models.environment import Environment
from lib.resume.keeper import Keeper

settings.register_profile("lockstep", deadline=None)     # no timing in tests
settings.load_profile("lockstep")

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"


# Files whose coding uses all compiled loops, in two lists that take as long to compile.
_COMPILING = (("--preset=fast", "exact.txt", "mixed.bin"), ("--preset=balanced", "clip.npy", "slope.ppm"))


def pytest_sessionstart(session):
    """Before tests run side by side: compile what they share, which each worker would do for itself."""
    if hasattr(session.config, "workerinput") or not getattr(session.config.option, "numprocesses", None):
        return
    with tempfile.TemporaryDirectory() as folder:
        commands = [[sys.executable, "-m", "lib", "compress", "-q", preset, "-o", folder, *(ROOT / "tests" / "golden" / name for name in names)]
                    for preset, *names in _COMPILING]
        for process in [subprocess.Popen(command, cwd=ROOT) for command in commands]:
            process.wait()


@dataclass(frozen=True)
class Sample:
    """TEXT, compressed with the tiny network."""

    original: bytes
    data: bytes            # of the .lks file
    streams: Streams
    result: object         # what compress returned


def _sample(folder, segment_symbols, **changes):
    original = folder / "sample.txt"
    original.write_bytes(TEXT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "SEGMENT_SYMBOLS", segment_symbols)
        result = compress(original, settings=tiny(**changes))
    return Sample(TEXT, result.output_path.read_bytes(), Streams(len(TEXT), tiny().batch_size), result)


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """A coded file of one segment."""
    return _sample(tmp_path_factory.mktemp("sample"), loop.SEGMENT_SYMBOLS)


@pytest.fixture(scope="session")
def segmented(tmp_path_factory):
    """A coded file of three segments."""
    return _sample(tmp_path_factory.mktemp("segmented"), 210)


@pytest.fixture(scope="session")
def float_sample(tmp_path_factory):
    """A coded file of three segments whose network is in floating point."""
    return _sample(tmp_path_factory.mktemp("float"), 210, arithmetic="float32")


@pytest.fixture(scope="session")
def here(float_sample):
    """The Environment of this process, as a float file's header names it."""
    return Environment.from_header(Reader(float_sample.data).header.environment)


@pytest.fixture(scope="session")
def real_data():
    """The folder of real data, beside the checkout."""
    if not DATA.is_dir():
        pytest.skip(f"there is no {DATA}")
    return DATA


@pytest.fixture
def stop_after(monkeypatch):
    """Interrupt the following runs where they could write a checkpoint for the n-th time; 0: no more.

    Contexts are coded in chunks so short that there is much to stop between.
    """
    from lib.mixing.context_mixer import ContextMixer
    monkeypatch.setattr(ContextMixer, "steps_at_once", 64)
    real = Keeper.visit
    before = signal.signal(signal.SIGINT, signal.default_int_handler)        # else tests in the background ignore it

    def set_visits(count):
        left = [count]

        def visit(self, state):
            left[0] -= 1
            self._signals += left[0] == 0
            real(self, state)

        monkeypatch.setattr(Keeper, "visit", visit)

    yield set_visits
    signal.signal(signal.SIGINT, before)
