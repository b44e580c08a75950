"""What a file was made in, where its bits depend on it: the machine of a float network, or a model of one's own. Files name it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_MOST_THREADS = 4096
_LONGEST_NAME = 100


@dataclass(frozen=True)
class Environment:
    """A device, the threads it computes with and the library versions."""

    device: str                     # LLVM's name of the processor, or the GPU's name
    threads: int
    tensorflow: str
    keras: str

    @classmethod
    def enter(cls, made_in: "Environment | None" = None) -> "Environment":
        """The environment of this process, with the threads of `made_in` where it can still take them over.

        Imports TensorFlow.
        """
        from lib.models.backend import import_keras, import_tensorflow, use_threads
        tf, keras = import_tensorflow(), import_keras("tensorflow")
        gpus = tf.config.list_physical_devices("GPU")
        if gpus:
            device = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
        else:
            import llvmlite.binding
            device = llvmlite.binding.get_host_cpu_name()
        threads = use_threads(made_in.threads if made_in else None)
        return cls(device, threads, tf.__version__, keras.__version__)

    @classmethod
    def from_header(cls, fields: Sequence[Any]) -> "Environment | None":
        """The environment in a file's header; None where the file does not depend on one."""
        if (len(fields) != 4 or not isinstance(fields[0], str) or not all(type(value) is int for value in fields[1:])
                or not 1 <= fields[1] <= _MOST_THREADS):
            return None
        device, threads, tensorflow, keras = fields
        return cls(_printable(device), threads, _version_text(tensorflow), _version_text(keras))

    def to_header(self) -> tuple[str, int, int, int]:
        """[device, threads, version, version], each version as one number: 2.21.0 as 22100."""
        return self.device, self.threads, _version_number(self.tensorflow), _version_number(self.keras)

    def __str__(self) -> str:
        return (f"TensorFlow {self.tensorflow} and Keras {self.keras} on {self.device} "
                f"with {self.threads} thread{'s' if self.threads > 1 else ''}")


@dataclass(frozen=True)
class OwnModel:
    """A model of one's own, see lib.models.own."""

    name: str                       # of its class

    @classmethod
    def of(cls, model: Any) -> "OwnModel":
        return cls(_printable(type(model).__name__[:_LONGEST_NAME]))

    def to_header(self) -> tuple[str]:
        return (self.name,)

    def __str__(self) -> str:
        return f"{self.name} (a model of one's own)"


MadeIn = Environment | OwnModel


def made_in_from_header(fields: Sequence[Any]) -> MadeIn | None:
    """What a file's header names; None where the file depends on nothing, or the fields are none that `to_header` made."""
    if len(fields) == 1 and isinstance(fields[0], str) and 0 < len(fields[0]) <= _LONGEST_NAME:
        return OwnModel(_printable(fields[0]))
    return Environment.from_header(fields)


def _printable(text):
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _version_number(text):
    """2.21.0 as 22100; what follows the third number is left out."""
    major, minor, patch = (int(part) for part in re.findall(r"\d+", text + ".0.0")[:3])
    return major * 10_000 + minor * 100 + patch


def _version_text(number):
    return f"{number // 10_000}.{number // 100 % 100}.{number % 100}"
