"""Where a network runs: the backends, which one a run takes, and Keras on each of them.

Importing this module imports none of them: TensorFlow takes seconds.
"""

import contextlib
import importlib.util
import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from lib.errors import SettingsError


@dataclass(frozen=True)
class KerasBackend:
    """Keras on one backend."""

    name: str
    ops: ModuleType         # keras.ops
    compile: Callable       # a function of tensors (lists and dicts of them) -> the same, compiled for fixed shapes


@cache
def keras_backend(name: str) -> KerasBackend:
    """The KerasBackend of "numpy", "tensorflow" or "jax". Each can be had at any time of a process.

    Keras holds one backend at a time, but the operations that it gave out before keep working on theirs.
    """
    if not is_installed(name):
        raise SettingsError(f"backend={name} needs the package {name}, which is not installed", "install it "
                            "or leave the backend to auto")
    if name == "tensorflow":
        use_threads(None)
        import_tensorflow().config.experimental.enable_tensor_float_32_execution(False)     # of a GPU; float32 instead
    elif name == "jax":
        import jax
        jax.config.update("jax_default_matmul_precision", "highest")     # likewise
    with _native_messages_hidden():
        keras = import_keras(name)
    return KerasBackend(name, keras.ops, _COMPILERS[name])


@cache
def import_tensorflow() -> ModuleType:
    """The tensorflow module, set up and quiet."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _native_messages_hidden():
        import tensorflow as tf
        tf.config.list_physical_devices()      # the rest of the notes come with the first look for devices
    tf.config.experimental.enable_op_determinism()
    return tf


def import_keras(name: str) -> ModuleType:
    """The keras module on a backend. What was made with it keeps working when another is imported."""
    os.environ["KERAS_BACKEND"] = name         # read by the first import in a process
    import keras
    if keras.backend.backend() != name:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")    # "dangerous": for objects that outlive the change and mix with new ones
            keras.config.set_backend(name)
    return sys.modules["keras"]


def use_threads(wanted: int | None) -> int:
    """Let TensorFlow compute with `wanted` threads, or one for each core where it is None; returns how many it is.

    A float product's bits depend on how many threads share it, not on the cores they run on. TensorFlow
    settles the number with the first computation of a process; later it stays as it is.
    """
    tf = import_tensorflow()
    if wanted is None:
        wanted = tf.config.threading.get_intra_op_parallelism_threads() or available_cores()
    try:
        tf.config.threading.set_intra_op_parallelism_threads(wanted)
        with _native_messages_hidden():
            tf.function(lambda: tf.zeros(1) + 1, jit_compile=True)()     # XLA, too, greets its first compilation
    except RuntimeError:
        pass  # settled by an earlier run in this process, or by whatever else used TensorFlow: 0 then, for all cores
    return tf.config.threading.get_intra_op_parallelism_threads() or available_cores()


def is_installed(name: str) -> bool:
    """Whether a backend's package is there. Imports nothing."""
    return importlib.util.find_spec(name) is not None


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def choose_backend(wanted: str) -> str:
    """The backend of an exact run: `wanted`, or for "auto" the quickest on a processor, whatever the size (docs/tuning.md): numba.

    A GPU is never taken unasked: the one that was tried computed other bits (docs/portability.md).
    """
    return "numba" if wanted == "auto" else wanted


@contextlib.contextmanager
def _native_messages_hidden():
    """Hide what native code writes to the process's standard error; Python's exceptions still come through.

    TensorFlow greets with a screen of notes before its own log level applies.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _compiled_by_tensorflow(function):
    # Without XLA the graph's optimizer rewrites the arithmetic: other bits.
    return import_tensorflow().function(function, jit_compile=True)


def _compiled_by_jax(function):
    import jax
    return jax.jit(function)


_COMPILERS = {"numpy": lambda function: function, "tensorflow": _compiled_by_tensorflow, "jax": _compiled_by_jax}
