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

__all__ = ["keras", "tf"]
