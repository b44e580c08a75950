"""What an input is, by its bytes and by what is wished for: the source that codes it."""

from collections.abc import Callable
from typing import Any

from lib.blocks.scanner import Scanner, is_worth_it
from lib.errors import FormatError
from lib.settings import Settings
from lib.sources import base, describe_source, part
from lib.sources.blocks import BlockSource
from lib.sources.bytes import ByteSource
from lib.sources.image import ImageSource
from lib.sources.jpeg import JpegSource
from lib.sources.part import PartSource
from lib.sources.runs import RunSource
from lib.sources.sound import SoundSource
from lib.sources.source import Source
from lib.sources.video import VideoSource

_MOST_AROUND, _USUAL_AROUND = 0.02, 1 << 14     # bytes that are no samples: a share, and what headers take
_ANY = Settings(preset="fast")


def source_of(data: bytes, settings: Settings, note: Callable[[str], Any] = lambda line: None) -> Source:
    """The source of an input's bytes, by what they are, and by the kind of contexts that settings ask for.

    note: called with a line of text where there is something to say of the data. Raises FormatError where it only begins like a
    part; whether what was asked for can look at it is for the plan to say. What is found in the data is kept only where a decoder gives the very
    data back from it.
    """
    source = _found_in(data, settings, note)
    if source is not None and (fault := _fault_of(source, data)):
        if source.place:
            raise FormatError(f"the part cannot be given back: {fault}", "split the file again")
        note(f"this looks like {source.unit}, and is coded as bytes: {fault}")
        source = None
    return source or ByteSource.from_bytes(data)


def has_jpegs(source: Source) -> bool:
    """Whether the preset matters to what an input is: `fast` leaves JPEGs to Lepton."""
    return isinstance(source, JpegSource) or isinstance(source, BlockSource) and any(group.name == "jpeg" for group in source.groups)


def _found_in(data, settings, note):
    """The source of what is more than bytes by its looks, or None."""
    if data[:len(part.MAGIC)] == part.MAGIC:
        return PartSource.from_bytes(data)
    source = _of_one_kind(data, settings, note)
    if settings.contexts is None and settings.arithmetic in (None, "exact") and settings.preset != "network":
        is_of_samples = isinstance(source, ImageSource | SoundSource | VideoSource)
        if not is_of_samples or source.around > max(_MOST_AROUND * len(data), _USUAL_AROUND):          # there may be other kinds in it
            nodes = Scanner(note, settings.preset == "fast", settings.grid_width).scan(data)
            if is_worth_it(nodes):
                source = BlockSource.from_nodes(nodes, len(data))
    return source


def _of_one_kind(data, settings, note):
    """The source of a file or an archive that is of one kind but for some bytes, or None."""
    source: Source | None = None
    wanted = settings.contexts
    if wanted in (None, "none", *ImageSource.context_kinds):
        source = ImageSource.from_bytes(data, note)
    if source is None and wanted in (None, "none", *SoundSource.context_kinds):
        source = SoundSource.from_bytes(data)
    if source is None and wanted in (None, "none", *VideoSource.context_kinds):
        source = VideoSource.from_bytes(data, settings.grid_width)
    if source is None and wanted in (None, "none", *RunSource.context_kinds):
        source = RunSource.from_bytes(data)
    return source


def _fault_of(source, data):
    """Why a decoder would not give `data` back from what its source says of it, in a few words; "" where it does."""
    try:
        if isinstance(source, BlockSource):             # what its groups are coded with is not settled yet
            source = source.with_parameters([_ANY.resolve(group.source.symbol_count, group.contexts) for group in source.groups])
        reader = describe_source(source.kind, len(data), source.description())
        return "" if reader.restore(source.symbols()) == data else "other bytes would come back"
    except FormatError as error:
        return error.what
    except base.FAULTS as error:
        return f"it cannot be described ({error})"
