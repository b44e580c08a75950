"""One scan of a JPEG: its coefficients from its bytes, and the bytes again."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lib.transforms.jpeg import reading, writing
from lib.transforms.jpeg.headers import Frame, Scan
from lib.transforms.jpeg.huffman import decoding_table, encoding_table


@dataclass(frozen=True)
class Written:
    """How the bytes of one scan lie."""

    size: int                            # bytes that its coefficients give
    left: bytes                          # those after
    markers: int                         # restart markers
    longest_run: int                     # of blocks at their end
    pads: bytes                          # bits that fill up each interval's last byte; the last holds for all that follow

    def to_list(self) -> list:
        return [self.size, self.left, self.markers, self.longest_run, self.pads]

    @classmethod
    def from_list(cls, values: Any) -> "Written":
        """Raises ValueError for what `to_list` cannot have made."""
        size, left, markers, run, pads = values
        if not (all(type(number) is int and number >= 0 for number in (size, markers, run)) and type(left) is type(pads) is bytes and pads):
            raise ValueError("no scan is written so")
        return cls(size, left, markers, run, pads)


def read(frame: Frame, scan: Scan, blocks: np.ndarray, data: np.ndarray) -> Written:
    """Decode a scan's bytes (uint8) into the blocks of all components (int16, shape (blocks, 64)), as far as it can be.

    What is given back claims that the coefficients give all bytes: how many they do give is the caller's to find out.
    """
    parts, stated = _parts(frame, scan)
    units = scan.units(frame)
    intervals = 1 + (units[0] * units[1] - 1) // scan.restart if scan.restart else 1
    clean, ends, pads = np.zeros(len(data) + reading.ROOM, np.uint8), np.zeros(intervals, np.int64), np.zeros(intervals, np.uint8)
    count = reading.without_stuffing(data, clean, ends)
    tables = np.stack([decoding_table(table) for table in stated])
    set_pads, longest_run = reading.read_scan(
        clean, ends[:count], tables, parts, blocks, np.array(units), _spectrum(frame, scan), scan.restart, pads)
    return Written(len(data), b"", count - 1, longest_run, _shortened(pads[:set_pads]))


def write(frame: Frame, scan: Scan, blocks: np.ndarray, written: Written) -> bytes:
    """The bytes of a scan, up to written.size."""
    parts, stated = _parts(frame, scan)
    out = np.empty(written.size + writing.ROOM, np.uint8)
    tables = np.stack([encoding_table(table) for table in stated])
    size = writing.write_scan(out, tables, parts, blocks, np.array(scan.units(frame)), _spectrum(frame, scan), scan.restart,
                                   np.frombuffer(written.pads, np.uint8), written.markers, written.longest_run)
    return out[:size].tobytes()


def _parts(frame, scan):
    """(int64 (components, 6): what `read_scan` is to know of each; the tables that their last two columns count)."""
    starts = np.cumsum([0, *(component.high * component.wide for component in frame.components)])
    stated = list(dict.fromkeys((*scan.dc_tables, *scan.ac_tables)))
    rows = []
    for index, dc, ac in zip(scan.components, scan.dc_tables, scan.ac_tables):
        component = frame.components[index]
        across, down = (component.across, component.down) if len(scan.components) > 1 else (1, 1)
        rows.append((starts[index], component.wide, across, down, stated.index(dc), stated.index(ac)))
    return np.array(rows, np.int64), stated


def _spectrum(frame, scan):
    return np.array([frame.progressive, scan.first, scan.last, scan.high, scan.low], np.int64)


def _shortened(pads):
    """Pads without the last ones, where those are alike. What fills up no bits, 255, may be any."""
    fills = pads[pads != 255]
    if not len(fills):
        return b"\xff"
    if (fills == 0).all():
        return b"\0"
    last = len(pads)
    while last > 1 and pads[last - 2] == pads[-1]:
        last -= 1
    return pads[:last].tobytes()
