"""What a source answers to: the type of everything in this package that is coded."""

from typing import Protocol

import numpy as np

from lib.coding.streams import AnyStreams
from lib.sources.part import PartDescription


class Source(Protocol):
    """An input as symbols. `lib.sources` says what each name means."""

    @property
    def kind(self) -> int: ...

    @property
    def unit(self) -> str: ...

    @property
    def place(self) -> PartDescription | None: ...

    @property
    def model_inputs(self) -> str: ...

    @property
    def context_kinds(self) -> tuple[str, ...]: ...

    @property
    def layout(self) -> np.ndarray: ...

    @property
    def left_out(self) -> int: ...

    @property
    def symbol_count(self) -> int: ...

    @property
    def code_bits(self) -> int: ...

    @property
    def codes(self) -> np.ndarray: ...

    @property
    def vocabulary_size(self) -> int: ...

    def streams_for(self, batch_size: int) -> AnyStreams: ...

    def suitable_contexts(self) -> str: ...

    def codes_of(self, text: bytes) -> np.ndarray | None: ...

    def symbols(self) -> np.ndarray: ...

    def description(self) -> bytes: ...

    def restore(self, symbols: np.ndarray) -> bytes: ...
