"""What JPEG files take when their coefficients are coded with the contexts for them, beside Lepton.

    python -m benchmarks.jpeg FILE...            # one row a file, each decoded again and compared
"""

import argparse
import time
from pathlib import Path

import numpy as np

from lib.coders.arithmetic import ArithmeticCoder
from lib.coding.streams import Streams
from lib.mixing import state
from lib.mixing.kinds import jpeg as kind
from lib.sources.coefficients import coefficients_of, fields_of, symbols_of
from lib.transforms.jpeg import Jpeg, Layout, from_rest, taken_apart

TABLE_BITS = 22
_AT_ONCE = 1 << 12


def coded(jpeg: Jpeg, table_bits: int = TABLE_BITS) -> bytes:
    """The coefficients of a JPEG."""
    coder = ArithmeticCoder()
    code(fields_of(jpeg.layout), coder, symbols_of(jpeg.layout, jpeg.coefficients), table_bits)
    return coder.finish()


def decoded(rest: bytes, payload: bytes, table_bits: int = TABLE_BITS) -> bytes:
    """The file."""
    layout = from_rest(rest)
    return layout.write(coefficients_of(layout, decoded_symbols(layout, payload, table_bits)))


def decoded_symbols(layout: Layout, payload: bytes, table_bits: int = TABLE_BITS) -> np.ndarray:
    """uint16: the coefficients as symbols."""
    symbols = np.zeros(layout.frame.blocks * kind.SYMBOLS, np.uint16)
    code(fields_of(layout), ArithmeticCoder(payload), symbols, table_bits)
    return symbols


def code(fields: np.ndarray, coder: ArithmeticCoder, symbols: np.ndarray, table_bits: int, at_once: int = _AT_ONCE) -> None:
    """Code symbols (uint16, read or filled in) of the JPEGs that `fields` describes, `at_once` in a step of the compiled loop."""
    streams, values = Streams(len(symbols), 1), np.arange(2 * kind.MIDDLE, dtype=np.uint16)
    memory = state.allocated(kind.CONTEXTS, values, kind.BITS, fields, 0, streams, table_bits, False)
    no_frequencies = np.zeros((1, 0), np.int32)
    for start in range(0, len(symbols), at_once):
        some = symbols[start:start + at_once, None]
        with coder.open(len(some) * kind.CONTEXTS.decisions) as (numbers, buffer, decoding):
            kind.CONTEXTS.code_steps(memory, numbers, buffer, some, np.ones(len(some), np.int64), start, no_frequencies, decoding)


def _lepton(data):
    """Bytes that Lepton takes in one partition, or None where it is not installed (lepton-jpeg-python)."""
    try:
        import lepton_jpeg_python
    except ImportError:
        return None
    return len(lepton_jpeg_python.compress_bytes(data, {"max_partitions": 1}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--no-decoding", action="store_true", help="do not decode and compare")
    options = parser.parse_args()
    print("| file | bytes | Lepton | ours | less | KB/s |\n|---|---|---|---|---|---|")
    shares = []
    for file in options.files:
        data = file.read_bytes()
        jpeg = taken_apart(data)
        if jpeg is None:
            print(f"| {file.name} | {len(data):,} | | | | |")
            continue
        start = time.process_time()
        payload, rest = coded(jpeg), jpeg.rest
        seconds = time.process_time() - start
        size, lepton = len(payload) + len(rest) + len(data) - jpeg.used, _lepton(data)
        if lepton:
            shares.append(1 - size / lepton)
        if not options.no_decoding and decoded(rest, payload) != data[:jpeg.used]:
            raise SystemExit(f"{file.name} does not come back")
        beside = f"{lepton:,} | {size:,} | {shares[-1]:.1%}" if lepton else f"| {size:,} |"
        print(f"| {file.name} | {len(data):,} | {beside} | {len(data) / seconds / 1000:.0f} |", flush=True)
    if shares:
        print(f"\n{np.mean(shares):.2%} less than Lepton on average")


if __name__ == "__main__":
    main()
