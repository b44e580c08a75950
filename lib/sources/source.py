"""What a source answers to: the type of everything in this package that is coded."""

from typing import Protocol

import numpy as np

from lib.coding.streams import Streams
from lib.sources.part import PartDescription


class Source(Protocol):
    """An input as symbols. `lib.sources` says what each name means."""

    kind: int
    unit: str
    place: PartDescription | None          # of a part of a split file
    model_inputs: str
    context_kinds: tuple[str, ...]
    layout: np.ndarray
    symbol_count: int
    code_bits: int

    @property
    def codes(self) -> np.ndarray: ...

    @property
    def vocabulary_size(self) -> int: ...

    def streams_for(self, batch_size: int | None) -> Streams: ...

    def suitable_contexts(self) -> str: ...

    def codes_of(self, text: bytes) -> np.ndarray | None: ...

    def symbols(self) -> np.ndarray: ...

    def description(self) -> bytes: ...

    def restore(self, symbols: np.ndarray) -> bytes: ...
