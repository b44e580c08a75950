"""TensorFlow and Keras, imported once, set up and quiet. Importing this module takes seconds."""

import contextlib
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


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


with _native_messages_hidden():
    import keras
    import tensorflow as tf

    tf.config.list_physical_devices()      # the rest of the notes come with the first look for devices

tf.config.experimental.enable_op_determinism()

__all__ = ["keras", "tf", "use_threads"]


def use_threads(wanted):
    """Compute with `wanted` threads, or one for each core where it is None; returns how many it is.

    A product's bits depend on how many threads share it, not on the cores they run on. TensorFlow
    settles the number with the first computation of a process; later it stays as it is.
    """
    if wanted is None:
        wanted = tf.config.threading.get_intra_op_parallelism_threads() or _cores()
    try:
        tf.config.threading.set_intra_op_parallelism_threads(wanted)
        with _native_messages_hidden():
            tf.function(lambda: tf.zeros(1) + 1, jit_compile=True)()     # XLA, too, greets its first compilation
    except RuntimeError:
        pass  # settled by an earlier run in this process
    return tf.config.threading.get_intra_op_parallelism_threads()


def _cores():
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
