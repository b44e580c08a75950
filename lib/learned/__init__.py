"""Networks that the library comes with: weights learned from texts, which a file's network begins with (docs/training.md).

A file names its network, so that of a name never changes; a better one gets a new name.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lib.errors import InstallationError

FOLDER = Path(__file__).parent


class _Network(NamedTuple):
    """What is known of one without reading it."""

    size: int                     # bytes
    sha256: str
    values: Mapping[str, Any]     # see lib.models.weights.LearnedNetwork


def _of_shape(layers: int, units: int) -> Mapping[str, Any]:
    return dict(num_layers=layers, rnn_units=units, embedding_size=64, start_learning_rate=0.0003, end_learning_rate=0.0001)


_NETWORKS = {
    "text-small-1": _Network(538_545, "a5ba229a439e4c978c549e74d7403d115b21f1ae3fa06160081c06d8d06ef1aa", _of_shape(3, 160)),
    "text-large-1": _Network(2_220_196, "616ed733b6693668d5fe4608e6d331e0ffe35463b2461201d81e3bfdaea84f39", _of_shape(3, 384)),
}
NAMES = tuple(_NETWORKS)


def values_of(name: str) -> Mapping[str, Any]:
    """The coding parameters that a network needs and those that suit it, see lib.models.weights.LearnedNetwork."""
    return _NETWORKS[name].values


def size_of(name: str) -> int:
    """Bytes of a network in the library."""
    return _NETWORKS[name].size


def read(name: str) -> bytes:
    """A network as lib.models.weights keeps it. Raises InstallationError where it is missing or not as it was released."""
    path = FOLDER / f"{name}.network"
    data = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(data).hexdigest() != _NETWORKS[name].sha256:
        raise InstallationError(f"{path} is missing or changed, and coding with weights={name} needs it as it was", "install Lockstep again")
    return data
