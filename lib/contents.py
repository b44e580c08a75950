"""What a .lks file says of itself, without decoding it; and reading inputs that fit in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.coding.container import Header, Reader
from lib.coding.plan import BYTES_HELD_PER_BYTE, Plan
from lib.coding.run import made_in_of
from lib.errors import FormatError, InputError
from lib.kinds import BY_STORED_NAME
from lib.machine import available_memory, within_memory
from lib.models.environment import MadeIn, OwnModel
from lib.parameters import Parameters
from lib.sources.blocks import BlockSource
from lib.storage import folders
from lib.storage.files import check_input, read_file
from lib.storage.names import shown
from lib.storage.paths import path_of_input


@dataclass(frozen=True)
class Contents:
    """What a .lks file says of itself, without decoding it."""

    header: Header
    plan: Plan | None                    # None where the data is stored as it is
    environment: MadeIn | None           # None where the file decodes everywhere
    compressed_bytes: int
    intact_segments: int
    fault: FormatError | None            # what is wrong after the intact segments

    @property
    def parameters(self) -> Parameters | None:
        """What the data is coded with; None where it is stored as it is."""
        return self.plan.parameters if self.plan else None

    def facts(self) -> list[tuple[str, str]]:
        """[(what, text)] to show to a person."""
        header, plan = self.header, self.plan
        coded = [*_kinds_of(plan), ("memory", f"{plan.memory_bytes / 1e6:,.0f} MB to decompress"),
                 ("segments", f"{self.intact_segments:,} intact")] if plan else []
        return [("original", f"{shown(header.name)}, {header.original_bytes:,} bytes"),
                ("SHA-256", header.sha256.hex()),
                ("compressed", f"{self.compressed_bytes:,} bytes"),
                ("model", f"{self.environment} in place of the network of {model_of(plan)}"
                 if isinstance(self.environment, OwnModel) else model_of(plan)),
                *coded,
                ("decodes", f"only with {self.environment}" if self.environment else _where(plan))]


def model_of(plan: Plan | None) -> str:
    """What coded a file by a plan, in a line; None where its data is stored."""
    return plan.summary() if plan else "none; the data is stored as it is"


def _where(plan: Plan | None) -> str:
    """Where a file decodes that depends on no environment."""
    packages = plan.source.packages if plan and isinstance(plan.source, BlockSource) else []
    return f"where {' and '.join(packages)} can be installed" if packages else "everywhere"


def _kinds_of(plan: Plan) -> list[tuple[str, str]]:
    """The rows on the kinds of contexts: one, or one for each group."""
    if plan.groups and isinstance(plan.source, BlockSource):
        return [(group.name, f"{group.size:,} bytes, {part.parameters.summary()}") for group, part in zip(plan.source.groups, plan.groups)]
    kind = BY_STORED_NAME.get(plan.parameters.contexts)
    return [("kind", str(kind))] if kind else []


@within_memory
def inspect(input_path: Path | str) -> Contents:
    """The Contents of a .lks file. Needs no TensorFlow. Raises FormatError where the header is damaged."""
    data = file_bytes(path_of_input(input_path))
    reader = Reader(data)
    if reader.header.is_stored:
        return Contents(reader.header, None, None, len(data), 0, _fault_of_stored(reader))
    plan = Plan.of_header(reader.header)
    segments, fault = reader.read_segments(plan.streams.end - plan.streams.first)
    return Contents(reader.header, plan, made_in_of(reader.header), len(data), len(segments), fault)


def _fault_of_stored(reader: Reader) -> FormatError | None:
    """What is wrong with a file that stores its data, as far as its length tells, or None."""
    try:
        reader.read_stored()
    except FormatError as error:
        return error
    return None


def input_bytes(path: Path, warn: Callable[[str], Any] = lambda line: None) -> bytes:
    """What is compressed of a path: the bytes of a file, or those that stand for a folder. InputError where they do not fit.

    warn: called with a line of text on what of a folder they do not keep.
    """
    if not folders.is_folder(path):
        return file_bytes(path)
    _check_fits(path, folders.folder_bytes(path))
    data, lost = folders.pack(path)
    for line in lost:
        warn(line)
    return data


def file_bytes(path: Path) -> bytes:
    """The bytes of a file that fits in memory."""
    _check_fits(path, check_input(path))
    return read_file(path)


def _check_fits(path: Path, size: int) -> None:
    available = available_memory()
    if available is not None and size * BYTES_HELD_PER_BYTE > available:
        raise InputError(f"{path} has {size:,} bytes, more than this machine's memory can work on", "split it into parts")
