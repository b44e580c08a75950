"""The data of one input, coded: a plan, a predictor and the container of a run joined, in either direction.

What files, checkpoints and people have to do with it is in lib.compression.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lib.coding import loop
from lib.coding.chapters import ChapterPredictor
from lib.coding.container import Header, Reader, Writer
from lib.coding.loop import Progress
from lib.coding.plan import Plan
from lib.coding.predictor import Predictor
from lib.errors import CheckpointError, DivergedError, FormatError, LockstepError, OutputError, SettingsError
from lib.models import check_same, is_given
from lib.models.environment import MadeIn, OwnModel, made_in_from_header
from lib.resume import parts
from lib.resume.run import Run, RunCheckpoint
from lib.sources.blocks import BlockSource
from lib.storage.files import OutputFile, check_space, free_name, write_file
from lib.storage.names import is_file_name

_Progress = Callable[[Progress], None] | None


@dataclass(frozen=True)
class Coded:
    """How data was coded."""

    plan: Plan
    backend: str | None                  # what computed the network, where there was one
    code_lengths: np.ndarray | None      # float32, shape (symbol_count,): bits of each symbol, where they were asked for


class _Session:
    """One pass over the symbols of a plan, in either direction: the predictor, where it begins, and what it leaves."""

    def __init__(self, plan: Plan, run: Run, kept: RunCheckpoint, made_in: MadeIn | None, with_code_lengths: bool = False) -> None:
        """made_in: what the bits are to come from, where they depend on something, or None."""
        self.plan, self._run, self._kept = plan, run, kept
        resumed = kept.found is not None
        self.predictor: Predictor
        if plan.groups:
            self.predictor = ChapterPredictor(plan, [run.known(group) for group in plan.groups], resumed, with_code_lengths)
        else:
            self.predictor = Predictor(plan, made_in, run.known(plan), resumed, with_code_lengths)
        if kept.is_wanted or plan.source.place:
            self.predictor.check_can_be_kept()
        self.next_step, self.coder_state = kept.restore(self.predictor, plan.streams)

    def code(self, symbols: np.ndarray, segments: Iterable, of_direction: Callable[[int], tuple[dict, dict]],
             progress: _Progress) -> Iterator[int]:
        """Code `symbols`; yields the step that each finished segment ends at.

        of_direction: called with a step; returns (about, sections) of a checkpoint that only encoders or only decoders keep.
        """
        with self._kept.visits(self.plan, self.predictor, of_direction) as visit:
            yield from loop.code(self.predictor, self.plan.streams, symbols, segments, self.plan.source.unit, progress, visit)
        if self.plan.source.place and self._run.leaves_files:
            parts.write_state(self.plan.source.place, self._run.output_path.parent, self.plan.parameters, self.predictor, self._run.mode)


def encode(output: OutputFile, plan: Plan, data: bytes, run: Run, kept: RunCheckpoint, progress: _Progress = None,
           with_code_lengths: bool = False) -> Coded | None:
    """Write `data`, whose plan this is, coded; returns how, or None where it does not shrink.

    A part of a split file is coded even then, as the next part goes on from it.
    """
    if is_given() and not plan.parameters.has_network:
        raise SettingsError("there is no network that the model could replace", "use preset=network", "preset")
    plan.check_memory()
    source, streams = plan.source, plan.streams
    session = _Session(plan, run, kept, kept.made_in, with_code_lengths)
    header = plan.header(len(data), run.sha256, stored_name(run.input_path.name), session.predictor.environment, run.archive)
    writer = Writer(output, header)
    if kept.found and kept.is_own:
        writer.resume(kept.found.about["crc"], kept.found.read("segments"))
    segments = loop.encoding(writer, plan.parameters.coder, streams, session.next_step, session.coder_state)
    for _ in session.code(streams.lay_out(source.symbols()), segments, lambda step: writer.state(), progress):
        pass
    shrinks = writer.bytes_written < len(stored_header(len(data), run).to_bytes()) + len(data)
    if not shrinks and not source.place:
        return None
    code_lengths = session.predictor.code_lengths() if with_code_lengths and not kept.found else None
    return Coded(plan, session.predictor.backend, None if code_lengths is None else code_lengths[:source.symbol_count])


def decode(reader: Reader, plan: Plan, run: Run, kept: RunCheckpoint, progress: _Progress = None,
           warn: Callable[[str], Any] = lambda line: None) -> tuple[bytes, str | None]:
    """(the original's bytes, what computed the network) of a file that holds segments.

    Raises FormatError and DivergedError; what was recovered before is then kept beside the output.
    """
    fault: LockstepError | None
    segments, fault = check_readable(reader, plan)
    if fault:
        warn(f"{fault}. What comes before is being recovered")
    plan.check_memory()
    check_space(run.output_path, reader.header.original_bytes)
    source, streams = plan.source, plan.streams
    if isinstance(source, BlockSource):
        source.check_installed()
    if source.place:
        kept.go_on_from(parts.state_before(source.place, run.folders), plan.parameters)
    made_in = made_in_of(reader.header)
    session = _Session(plan, run, kept, made_in)
    check_same(made_in, session.predictor.environment)
    if session.predictor.environment != made_in:
        warn(f"the file was made with {made_in}; this is {session.predictor.environment}. It may not decode here")
    symbols = streams.empty()
    if kept.found and kept.is_own:
        kept.found.read_into({"decoded": symbols[:session.next_step - streams.first]})
        if symbols.max(initial=0) >= source.vocabulary_size:
            raise CheckpointError(f"{kept.found.path} holds symbols that the file has not", "choose another checkpoint")
    checked = loop.checked_before(segments, streams, session.next_step)
    coded = loop.decoding(segments, plan.parameters.coder, streams, session.next_step, session.coder_state)
    try:
        for done in session.code(symbols, coded, lambda step: ({}, {"decoded": symbols[:step - streams.first]}), progress):
            checked = done
    except DivergedError as diverged:
        why, advice = _why_diverged(made_in, session.predictor)
        fault = DivergedError(f"{diverged.what}: {why}", advice)
    if fault:
        steps = checked - streams.first
        symbols[steps:sum(segment.steps for segment in segments)] = 0     # what was decoded unchecked; the rest was never touched
        if isinstance(source, BlockSource):
            recovered = source.beginning(streams.join(symbols)[:streams.symbols_before(checked)]) if streams.batch_size == 1 else b""
            what = f"the first {len(recovered):,} of {reader.header.original_bytes:,} bytes"
            if reader.header.is_folder:
                what += " of the folder as it is stored; --only (lib.extract in Python) takes out files that lie before the damage"
        else:
            recovered = source.restore(streams.join(symbols)) if steps else b""
            what = (f"{streams.symbols_before(checked):,} of {streams.coded_count:,} {source.unit}, the first {steps:,} of every "
                    f"{len(symbols):,}; the rest is filler") if steps < len(symbols) else f"all {streams.coded_count:,} {source.unit}"
        raise type(fault)(f"{fault.what}. {keep_partial(run, recovered, what)}", fault.advice)
    return source.restore(streams.join(symbols)), session.predictor.backend


def check_readable(reader: Reader, plan: Plan) -> tuple[list, FormatError | None]:
    """(the intact segments of a coded file, the FormatError that ends them or None), without decoding any.

    Raises FormatError where there are none, or where the file claims more than they can hold.
    """
    segments, fault = reader.read_segments(plan.streams.end - plan.streams.first)
    if fault and not segments:
        raise fault
    plan.check_plausible(segments, fault)
    return segments, fault


def _why_diverged(made_in, predictor):
    """(why a decoder's state may not be the encoder's, what to do about it)."""
    if isinstance(made_in, OwnModel):
        return f"{made_in} predicts something else here than it did when the file was made", "decode it with that very model, where it was made"
    if made_in is not None:
        return f"the file was made with {made_in}, and this is {predictor.environment}", "decode it where it was made"
    if predictor.backend is None:
        return ("contexts give the same everywhere, so the file, the compiled code, or this machine's memory is at fault",
                "try another machine, and report it")
    return (f"exact arithmetic gives the same everywhere, so {predictor.backend} or this machine's memory is at fault",
            "try another backend or machine, and report it")


def made_in_of(header: Header) -> MadeIn | None:
    """What a coded file depends on, or None. FormatError where the header's note on it is damaged."""
    environment = made_in_from_header(header.environment)
    if header.environment and environment is None:
        raise FormatError("the header's note on where the file was made is damaged", "get another copy of the file")
    return environment


def keep_partial(run: Run, recovered: bytes, what: str) -> str:
    """Write what was recovered beside a run's output, under a free name; returns a sentence that says `what` it is."""
    if not recovered:
        return "Nothing could be recovered"
    if not run.leaves_files:
        return "Nothing was kept"
    partial = free_name(run.output_path.with_name(run.output_path.name + ".partial"))
    try:
        write_file(partial, recovered, mode=run.mode)
    except OutputError as error:
        return f"What came before could not be kept: {error}"
    return f"{partial} holds {what}"


def stored_header(size: int, run: Run) -> Header:
    """The header of an input of `size` bytes that does not shrink."""
    return Header(size, run.sha256, stored_name(run.input_path.name), archive=run.archive)


def stored_name(name: str) -> str:
    """The name that a header holds of a file or folder that has this one: "_" for "/", which has none."""
    return name if is_file_name(name) else "_"
