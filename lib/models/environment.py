"""Where a float network runs. Its bits depend on it, so files name it."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Environment:
    """A device and the library versions that compute on it."""

    device: str                     # LLVM's name of the processor, or the GPU's name
    tensorflow: str
    keras: str

    @classmethod
    def current(cls):
        """The environment of this process. Imports TensorFlow."""
        from lib.models.backend import keras, tf
        gpus = tf.config.list_physical_devices("GPU")
        if gpus:
            device = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
        else:
            import llvmlite.binding
            device = llvmlite.binding.get_host_cpu_name()
        return cls(device, tf.__version__, keras.__version__)

    @classmethod
    def from_header(cls, fields):
        """The environment in a file's header; None where the file does not depend on one."""
        if len(fields) != 3 or not isinstance(fields[0], str) or not all(type(v) is int for v in fields[1:]):
            return None
        return cls(fields[0], *map(_version_text, fields[1:]))

    def to_header(self):
        """[device, version, version], each version as one number: 2.21.0 as 22100."""
        return self.device, _version_number(self.tensorflow), _version_number(self.keras)

    def __str__(self):
        return f"TensorFlow {self.tensorflow} and Keras {self.keras} on {self.device}"


def _version_number(text):
    """2.21.0 as 22100; what follows the third number is left out."""
    major, minor, patch = (int(part) for part in re.findall(r"\d+", text + ".0.0")[:3])
    return major * 10_000 + minor * 100 + patch


def _version_text(number):
    return f"{number // 10_000}.{number // 100 % 100}.{number % 100}"
