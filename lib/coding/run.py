"""The data of one file, coded: the source, the predictor and the container of a run joined, in either direction.

What files, checkpoints and people have to do with it is in lib.compression.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np

from lib.coding import choice, loop
from lib.coding.container import Header, Writer, is_base_name
from lib.coding.predictor import Predictor, predictor_bytes
from lib.errors import CheckpointError, DivergedError, FormatError, InputError, OutputError, SettingsError
from lib.models import check_model
from lib.models.environment import Environment
from lib.models.inputs import input_shape_of
from lib.resume import parts
from lib.settings import Settings
from lib.sources import describe_source, source_of
from lib.storage.files import available_memory, check_space, write_file

MOST_OVERHEAD = 96                # bytes that a .lks file may have over its input
BYTES_HELD_PER_SYMBOL = 8         # memory: the data, the symbols, their matrix, the result
_NEVER_SHRINKS = 32               # bytes: what coding could save is less than what its header takes
_FEWEST_BITS_PER_SYMBOL = 1e-5    # the coder's 16-bit probabilities cost 2.2e-5 bits a decision or more


@dataclass(frozen=True)
class Coded:
    """How data was coded."""

    settings: Settings
    backend: str | None            # what computed the network, where there was one
    source: object                 # see lib.sources
    code_lengths: np.ndarray | None       # float32, shape (symbol_count,): bits of each symbol, where they were asked for


def write_coded(output, data, run, settings, progress, note, run_checkpoint, with_code_lengths=False):
    """Write `data` coded; returns how, a Coded, or None where it does not shrink.

    A part of a split file is coded even then, as the next part goes on from it.
    """
    source = source_of(data, settings, note)
    if len(data) < _NEVER_SHRINKS and source.is_whole:
        return None
    if not source.is_whole:
        run_checkpoint.go_on_from(parts.state_before(source.place, run.folders))
    settings, reason = (run_checkpoint.settings, run_checkpoint.reason) if run_checkpoint.found else choice.resolve(
        settings, source, len(run.prior.codes_for(source)) if run.prior else 0)
    if reason:
        note(reason)
    streams = source.streams_for(settings.batch_size)
    check_model(settings, input_shape_of(settings, source))
    _check_memory(settings, source, streams)
    note(f"coding with {settings.summary()}; takes about {memory_bytes(settings, source, streams) / 1e6:,.0f} MB of memory")
    predictor = Predictor(settings, source, streams, run_checkpoint.made_in, run.prior_codes(settings, source), run_checkpoint.found is not None,
                          with_code_lengths)
    preset, overrides = settings.to_header()
    header = Header(len(data), run.sha256, stored_name(run.input_path.name), preset, source.description(),
                    predictor.environment.to_header() if predictor.environment else (), overrides, source.kind,
                    run.is_folder)
    writer = Writer(output, header)
    symbols = streams.lay_out(source.symbols())
    next_step, coder_state = run_checkpoint.restore(predictor, streams)
    if run_checkpoint.is_own:
        writer.resume(run_checkpoint.found.about["crc"], run_checkpoint.found.read("segments"))
    segments = loop.encoding(writer, settings.coder, streams, next_step, coder_state)
    with run_checkpoint.visits(settings, predictor, lambda step: writer.state()) as visit:
        for _ in loop.code(predictor, streams, symbols, segments, source.unit, progress, visit):
            pass
    if not source.is_whole:
        parts.write_state(source.place, run.output_path.parent, settings, predictor)
    shrinks = writer.bytes_written < len(stored_header(data, run).to_bytes()) + len(data)
    if not shrinks and source.is_whole:
        return None
    code_lengths = predictor.code_lengths()[:source.symbol_count] if with_code_lengths and settings.has_contexts and not run_checkpoint.found else None
    return Coded(settings, predictor.backend, source, code_lengths)


def decode(reader, run, wanted, progress, warn, run_checkpoint):
    """(the original's bytes, the settings, the backend) from a file that holds segments, run as `wanted` says."""
    header = reader.header
    settings, source, streams = plan(header)
    settings = dataclasses.replace(settings, backend=wanted.backend, checkpoint_minutes=wanted.checkpoint_minutes)
    segments, fault = reader.read_segments(streams.end - streams.first)
    if fault and not segments:
        raise fault
    if fault:
        warn(f"{fault}. What comes before is being recovered")
    _check_plausible(header, source, streams, segments)
    _check_memory(settings, source, streams)
    check_space(run.output_path, header.original_bytes)
    if not source.is_whole:
        run_checkpoint.go_on_from(parts.state_before(source.place, run.folders))
    symbols = streams.empty()
    made_in = made_in_of(header)
    predictor = Predictor(settings, source, streams, made_in, run.prior_codes(settings, source), run_checkpoint.found is not None)
    if predictor.environment != made_in:
        warn(f"the file was made with {made_in}; this is {predictor.environment}. It may not decode here")
    next_step, coder_state = run_checkpoint.restore(predictor, streams)
    if run_checkpoint.is_own:
        run_checkpoint.found.read_into({"decoded": symbols[:next_step - streams.first]})
        if symbols.max(initial=0) >= source.vocabulary_size:
            raise CheckpointError(f"{run_checkpoint.found.path} holds symbols that the file has not", "choose another checkpoint")
    checked = loop.checked_before(segments, streams, next_step)
    try:
        with run_checkpoint.visits(settings, predictor, lambda step: ({}, {"decoded": symbols[:step - streams.first]})) as visit:
            coded = loop.decoding(segments, settings.coder, streams, next_step, coder_state)
            for done in loop.code(predictor, streams, symbols, coded, source.unit, progress, visit):
                checked = done
    except DivergedError as diverged:
        fault = DivergedError(f"{diverged}: {_why_diverged(made_in, predictor)}")
    if fault:
        steps = checked - streams.first
        symbols[steps:] = 0
        recovered = source.restore(streams.join(symbols)) if steps else b""
        what = (f"{streams.symbols_before(checked):,} of {streams.coded_count:,} {source.unit}, the first {steps:,} of every "
                f"{len(symbols):,}; the rest is filler")
        raise type(fault)(f"{fault}. {keep_partial(run.output_path, recovered, what)}")
    if not source.is_whole:
        parts.write_state(source.place, run.output_path.parent, settings, predictor)
    return source.restore(streams.join(symbols)), settings, predictor.backend


def _why_diverged(made_in, predictor):
    """What to do about a decoder whose state is not the encoder's."""
    if made_in is None and predictor.backend is None:
        return ("contexts give the same everywhere, so the file, what this Lockstep is compiled to, or this machine's memory is at "
                "fault; try another machine, and report it")
    if made_in is None:
        return (f"exact arithmetic gives the same everywhere, so {predictor.backend} or this machine's memory is at "
                "fault; try another backend or machine, and report it")
    return f"the file was made with {made_in}, and this is {predictor.environment}. Decode it where it was made"


def plan(header):
    """(complete settings, source, streams) of a coded file. Allocates nothing."""
    try:
        settings = Settings.from_header(header.preset, header.overrides)
    except SettingsError as error:
        raise FormatError(f"the header cannot be used: {error}") from error
    if not header.original_bytes:
        raise FormatError("the header says that nothing is coded: the file is damaged")
    source = describe_source(header.source_kind, header.original_bytes, header.description)
    if settings.has_contexts and settings.contexts not in source.context_kinds:
        raise FormatError(f"the header asks for contexts that no such data has ({settings.contexts})", "the file is damaged")
    try:
        check_model(settings, input_shape_of(settings, source))
    except SettingsError as error:
        raise FormatError(f"the header asks for a network that no version makes: {error}") from error
    try:
        return settings, source, source.streams_for(settings.batch_size)
    except SettingsError as error:
        raise FormatError(f"the header cannot be used: {error}") from error


def made_in_of(header):
    """The Environment that a coded file depends on, or None. FormatError where the header's is damaged."""
    environment = Environment.from_header(header.environment)
    if header.environment and environment is None:
        raise FormatError("the header's note on where the file was made is damaged", "get another copy of the file")
    return environment


def keep_partial(output_path, recovered, what):
    """Write what was recovered beside the output; returns a sentence that says `what` it is."""
    if not recovered:
        return "Nothing could be recovered"
    partial = output_path.with_name(output_path.name + ".partial")
    try:
        write_file(partial, recovered, overwrite=True)
    except OutputError as error:
        return f"What came before could not be kept: {error}"
    return f"{partial} holds {what}"


def _check_plausible(header, source, streams, segments):
    """Refuse a size that the intact segments' payload cannot hold, before anything of that size is allocated."""
    payload_bits = 8 * sum(len(segment.payload) + 4 for segment in segments)
    claimed = streams.symbols_before(streams.first + sum(segment.steps for segment in segments))
    if source.vocabulary_size > 1 and claimed * _FEWEST_BITS_PER_SYMBOL > payload_bits:
        raise FormatError(f"the header claims {header.original_bytes:,} bytes, more than the file can hold",
                          "it is damaged or made to do harm")


def _check_memory(settings, source, streams):
    """Refuse what this machine's memory cannot hold, before it is tried."""
    needed, available = memory_bytes(settings, source, streams), available_memory()
    if available is not None and needed > available:
        raise InputError(f"this takes about {needed / 1e9:,.1f} GB of memory, and {available / 1e9:,.1f} GB are free",
                         "use a smaller network, fewer table_bits, a smaller input or a larger machine")


def memory_bytes(settings, source, streams):
    """Bytes of memory that coding takes, roughly, the file's own bytes included."""
    return BYTES_HELD_PER_SYMBOL * streams.coded_count + predictor_bytes(settings, source, streams)


def stored_header(data, run):
    """The header of data that does not shrink, its name cut where the file would grow by more than promised."""
    header = Header(len(data), run.sha256, stored_name(run.input_path.name), is_folder=run.is_folder)
    excess = len(header.to_bytes()) - MOST_OVERHEAD
    if excess <= 0:
        return header
    stem, dot, suffix = header.name.rpartition(".")
    tail = (dot + suffix) if stem and len((dot + suffix).encode()) <= 16 else ""
    kept = header.name.encode()[:len(header.name.encode()) - len(tail.encode()) - excess]
    return dataclasses.replace(header, name=kept.decode(errors="ignore") + tail)


def stored_name(name):
    """`name` as a header can hold it: what is no plain text becomes an underscore."""
    name = name.encode("utf-8", "replace").decode()
    name = "".join(letter if letter.isprintable() and letter not in "/\\" else "_" for letter in name)
    if name[1:2] == ":":
        name = f"{name[0]}_{name[2:]}"       # on Windows it would name a drive
    return name if is_base_name(name) else "_"
