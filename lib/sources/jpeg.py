"""JPEG files as symbols: the quantised coefficients of one or of several that follow each other.

All else of a file, its headers and what is beside its scans, is in the description, so the very bytes of the file come back.
"""

from collections.abc import Sequence

import numpy as np

from lib.coding.streams import Streams
from lib.errors import FormatError
from lib.mixing.kinds.jpeg import BITS
from lib.mixing.kinds.jpeg_blocks import MIDDLE, SYMBOLS
from lib.sources import base
from lib.sources.coefficients import coefficients_of, fields_of, symbols_of
from lib.transforms.jpeg import Jpeg, Layout
from lib.transforms.jpeg.tables import USUAL


class JpegSource(base.WholeSource):
    """Coefficients as symbols 0 to 2 * MIDDLE - 1, as lib.sources.coefficients has them."""

    kind = 7
    unit = "coefficients"
    model_inputs = "last"
    context_kinds = ("jpeg",)
    code_bits = BITS
    codes = np.arange(2 * MIDDLE, dtype=np.uint16)

    def __init__(self, layouts: Sequence[Layout], coefficients: Sequence[Sequence[np.ndarray]] | None = None) -> None:
        """layouts: of each file all but its coefficients. coefficients: int16, of each file and component, where there are any yet."""
        self._layouts, self._coefficients = tuple(layouts), coefficients
        self._counts = [layout.frame.blocks * SYMBOLS for layout in layouts]
        self.symbol_count = sum(self._counts)

    @classmethod
    def of_files(cls, files: Sequence[Jpeg]) -> "JpegSource":
        """The source of files that follow each other."""
        return cls([jpeg.layout for jpeg in files], [jpeg.coefficients for jpeg in files])

    @classmethod
    def from_description(cls, original_bytes: int, description: bytes) -> "JpegSource":
        """Raises FormatError where `description` is none that `description()` could have made."""
        try:
            layouts = [Layout.from_list(values) for values in base.unpacked_description(description, USUAL)]
        except base.FAULTS as error:
            raise base.damaged("a JPEG") from error
        if not layouts or original_bytes != sum(layout.size for layout in layouts):
            raise FormatError("the header's size is not that of the JPEGs it describes", "the file is damaged")
        return cls(layouts)

    @property
    def layout(self) -> np.ndarray:
        """int64: what the contexts are to know of each file, see lib.sources.coefficients.fields_of."""
        starts = np.cumsum([0, *self._counts]) // SYMBOLS
        return np.concatenate([fields_of(layout, int(start)) for layout, start in zip(self._layouts, starts)])

    def streams_for(self, batch_size: int) -> Streams:
        """One: the contexts look at blocks above and to the left."""
        return Streams(self.symbol_count, 1)

    def suitable_contexts(self) -> str:
        return "jpeg"

    def codes_of(self, text: bytes) -> np.ndarray | None:
        """uint16: no prior is of use here yet."""
        return None

    def symbols(self) -> np.ndarray:
        """uint16, shape (symbol_count,)."""
        assert self._coefficients is not None
        return np.concatenate([symbols_of(layout, arrays) for layout, arrays in zip(self._layouts, self._coefficients)])

    def description(self) -> bytes:
        """All but the coefficients; deflated."""
        return base.packed_description([layout.to_list() for layout in self._layouts], USUAL)

    def restore(self, symbols: np.ndarray) -> bytes:
        """The bytes that symbols of shape (n,) stand for."""
        parts, start = [], 0
        for layout, count in zip(self._layouts, self._counts):
            parts.append(layout.write(coefficients_of(layout, symbols[start:start + count])))
            start += count
        return b"".join(parts)
