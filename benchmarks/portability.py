"""Whether files of exact arithmetic are the same wherever they are made: python -m benchmarks.portability FILE

Compresses the file by every backend that is installed, each in processes of its own: with one core and with all,
with the libraries' own ways of computing switched on and off. All results must be one and the same file, and each
backend must give the original back from it. To compare machines, run it on one with --keep FOLDER, carry the folder
over, and run it on the other with --keep FOLDER too: what lies there is compared and decoded.

Needs Keras, NumPy, Numba, msgpack and one of the backends, not TensorFlow. Exits 1 where anything differs.
"""

import argparse
import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from lib.models.backend import available_cores, is_installed
from lib.settings import Settings

_ROOT = Path(__file__).resolve().parents[1]
BACKENDS = tuple(name for name in Settings.__dataclass_fields__["backend"].metadata["choices"] if name != "auto")


@dataclass(frozen=True)
class Variation:
    """A backend, and what its process is told."""

    backend: str
    label: str = "as it is"
    cores: int | None = None                       # None: all
    environment: dict = field(default_factory=dict)

    def __str__(self):
        return f"{self.backend}, {self.label}"


def variations(backends):
    """Every Variation of some backends that is worth a run."""
    found = []
    for backend in backends:
        found.append(Variation(backend))
        if available_cores() > 1:
            found.append(Variation(backend, "1 core", cores=1))
        if backend == "tensorflow":
            found.append(Variation(backend, "no oneDNN", environment={"TF_ENABLE_ONEDNN_OPTS": "0"}))
        if backend in ("tensorflow", "jax"):
            found += [Variation(backend, label, environment={"XLA_FLAGS": flags}) for label, flags in _XLA.items()]
    return found


_XLA = {
    "unoptimised": "--xla_backend_optimization_level=0 --xla_cpu_multi_thread_eigen=false",
    "fast math": "--xla_cpu_enable_fast_math=true --xla_cpu_fast_math_honor_nans=false "
                 "--xla_cpu_fast_math_honor_infs=false --xla_cpu_fast_math_honor_division=false",
    "narrow vectors": "--xla_cpu_prefer_vector_width=128",
}


def run_lockstep(variation, command, source, target, assignments=()):
    """`python -m lib` in a process of its own; returns its seconds. Raises RuntimeError with what it said."""
    words = [sys.executable, "-m", "lib", command, "--quiet", "--force", "--output", str(Path(target).absolute())]
    for assignment in (*assignments, f"backend={variation.backend}"):
        words += ["--set", assignment]
    started = time.perf_counter()
    with _cores(variation.cores):
        done = subprocess.run([*words, str(Path(source).absolute())], cwd=_ROOT, capture_output=True, text=True,
                              errors="replace", env=os.environ | variation.environment)
    if done.returncode:
        raise RuntimeError(f"{command} by {variation} failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    return time.perf_counter() - started


@contextlib.contextmanager
def _cores(count):
    """Leave `count` cores to what is started meanwhile; all where it is None."""
    if count is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def device_of(backend):
    """What a backend computes on here, by its own name for it."""
    code = {"tensorflow": "import tensorflow as tf; gpus = tf.config.list_physical_devices('GPU'); "
                          "print(tf.config.experimental.get_device_details(gpus[0])['device_name'] if gpus else '')",
            "jax": "import jax; device = jax.devices()[0]; print(device.device_kind if device.platform != 'cpu' else '')"}
    name = ""
    if backend in code:
        name = subprocess.run([sys.executable, "-c", code[backend]], capture_output=True, text=True).stdout.strip()
    if not name:
        import llvmlite.binding
        name = f"{llvmlite.binding.get_host_cpu_name()}, {available_cores()} cores"
    return name


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.portability", description=__doc__.split("\n\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--limit", type=int, metavar="BYTES", help="take only the beginning of the file")
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, help="default: all that are installed")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting, as of compress")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the file made, or compare with the one there")
    parser.add_argument("--plain", action="store_true", help="each backend as it is, no variations")
    options = parser.parse_args(arguments)
    backends = options.backends or [name for name in BACKENDS if is_installed(name)]
    chosen = [Variation(name) for name in backends] if options.plain else variations(backends)
    with tempfile.TemporaryDirectory(prefix="lockstep-") as folder:
        folder = options.keep or Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        original = folder / "original"
        original.write_bytes(options.file.read_bytes()[:options.limit])
        return 0 if compare(original, chosen, folder, options.set) else 1


def compare(original, chosen, folder, assignments=()):
    """Compress by each Variation, decompress the first result by each; prints a table, returns whether all agree."""
    kept = folder / "original.lks"
    size, agreed = original.stat().st_size, True
    devices = {variation.backend: device_of(variation.backend) for variation in chosen}
    print("| device | backend | | .lks SHA-256 | symbols/s | gives the original back | symbols/s |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for variation in chosen:
        made, restored = folder / "made.lks", folder / "restored"
        seconds = run_lockstep(variation, "compress", original, made, ("preset=network", *assignments))
        if not kept.exists():
            kept.write_bytes(made.read_bytes())
        seconds_back = run_lockstep(variation, "decompress", kept, restored)
        same_file, identical = _same(made, kept), _same(original, restored)
        agreed = agreed and same_file and identical
        print(f"| {devices[variation.backend]} | {variation.backend} | {variation.label} | "
              f"{hashlib.sha256(made.read_bytes()).hexdigest()[:16]}{'' if same_file else ' DIFFERS'} | "
              f"{size / seconds:,.0f} | {'yes' if identical else 'NO'} | {size / seconds_back:,.0f} |", flush=True)
    return agreed


def _same(one, other):
    return one.read_bytes() == other.read_bytes()


if __name__ == "__main__":
    sys.exit(main())
