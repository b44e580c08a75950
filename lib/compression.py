"""Whole files: compress one, give it back, say what one holds."""

import dataclasses
import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from lib import choice, codec, parts, priors
from lib.checkpoint import newest
from lib.compiling import announced
from lib.container import Header, Reader, Writer, is_base_name
from lib.errors import CheckpointError, DivergedError, FormatError, InputError, LockstepError, OutputError, SettingsError
from lib.files import OutputFile, available_memory, check_input, check_space, check_target, write_file
from lib.models import check_model
from lib.models.environment import Environment
from lib.predictor import Predictor, predictor_bytes
from lib.resuming import Keeping, Run, check_run
from lib.settings import Settings
from lib.sources import describe_source, source_of

SUFFIX = ".lks"
MOST_OVERHEAD = 96                # bytes that a .lks file may have over its input
_NEVER_SHRINKS = 32               # bytes: what coding could save is less than what its header takes
_BYTES_HELD_PER_SYMBOL = 8        # memory: the data, the symbols, their matrix, the result
_FEWEST_BITS_PER_SYMBOL = 1e-5    # the coder's 16-bit probabilities cost 2.2e-5 bits a decision or more


@dataclass(frozen=True)
class Result:
    """What a run did."""

    input_path: Path
    output_path: Path
    original_bytes: int
    compressed_bytes: int          # of the whole .lks file
    seconds: float
    sha256: str                    # of the original, hexadecimal
    settings: Settings | None      # complete; None where the data is stored as it is
    backend: str | None = None     # what computed the network, where there was one
    direction: str = "compress"    # or "decompress"

    @property
    def bits_per_byte(self):
        """Compressed bits for each byte of the original; 0 for an empty one."""
        return 8 * self.compressed_bytes / self.original_bytes if self.original_bytes else 0.0

    @property
    def symbols_per_second(self):
        return self.original_bytes / self.seconds


def compress(input_path, output_path=None, settings=Settings(), *, progress=None, warn=None, note=None,
             overwrite=False, checkpoint=None, prior=None):
    """Compress a file; returns a Result.

    output_path: where the .lks file goes; by default beside the input, with `.lks` added.
    progress: called with a codec.Progress several times a second. note: called with a line of text
    on what was chosen and why, the memory that it takes, and where the first run has to compile. warn: likewise where a checkpoint is damaged,
    or cannot be written.
    checkpoint: a path. The run's state is kept there every `settings.checkpoint_minutes` and where it is interrupted;
    called again with the same it goes on from there, on any machine, and the output is the same as of an unbroken run.
    prior: the path of a prior that lib.learn made; decompression needs it too.
    Raises InputError, OutputError, SettingsError or CheckpointError; then there is no output.
    """
    started = time.perf_counter()
    input_path = Path(input_path)
    data = _read_input(input_path)
    prior = priors.load(prior) if prior else None
    if prior:
        settings = settings.with_values({"prior": prior.name})
    output_path = Path(output_path) if output_path else input_path.with_name(input_path.name + SUFFIX)
    digest = hashlib.sha256(data).digest()
    run = Run("compress", input_path, output_path, digest, overwrite, settings.preset, prior)
    keeping = Keeping(checkpoint, run, settings, warn or _silent)
    if keeping.found and _is_result(output_path, digest, keeping.settings):
        keeping.done()                   # stopped between its last two acts
        return Result(input_path, output_path, len(data), output_path.stat().st_size,
                      time.perf_counter() - started, digest.hex(), inspect(output_path).settings)
    check_target(output_path, overwrite)
    with OutputFile(output_path, overwrite) as output:
        with announced(note or _silent):
            used, backend = _write_coded(output, data, run, settings, progress, note or _silent, keeping)
        if used is None:
            output.restart()
            output.write(_stored_header(data, run).to_bytes() + data)
        size = output.commit()
    keeping.done()
    return Result(input_path, output_path, len(data), size, time.perf_counter() - started, digest.hex(), used,
                  backend)


def decompress(input_path, output_path=None, settings=Settings(), *, progress=None, warn=None, note=None,
               overwrite=False, checkpoint=None, prior=None):
    """Give a .lks file's original back; returns a Result.

    output_path: by default beside the input, under the original's name.
    settings: how to run, as the backend; the file says the rest itself.
    progress, note, checkpoint: as for `compress`. warn: called with a line of text before a run that may fail, as
    for a file made in another environment. prior: the path of the prior that the file was made with, if it is not beside
    it, in a folder "priors" there or in the folder that LOCKSTEP_PRIORS names in the environment.
    Raises FormatError for a file that is damaged and DivergedError where this environment computes
    other bits than the encoder's. What was recovered before is kept as `<output_path>.partial`.
    """
    started = time.perf_counter()
    input_path = Path(input_path)
    data = _read_input(input_path)
    reader = Reader(data)
    header = reader.header
    settings.check_for_decoding()
    output_path = Path(output_path) if output_path else input_path.with_name(header.name)
    run = Run("decompress", input_path, output_path, hashlib.sha256(data).digest(), overwrite, settings.preset,
              priors.load(prior) if prior else None)
    keeping = Keeping(checkpoint, run, settings, warn or _silent)
    if keeping.found and _is_file_of(output_path, header.sha256):
        keeping.done()                   # stopped between its last two acts
        return Result(input_path, output_path, header.original_bytes, len(data), time.perf_counter() - started,
                      header.sha256.hex(), None, None, "decompress")
    check_target(output_path, overwrite)
    if header.is_stored:
        restored, used, backend = reader.read_stored(), None, None
    else:
        with announced(note or _silent):
            restored, used, backend = _decode(reader, run, settings, progress, warn or _silent, keeping)
    if hashlib.sha256(restored).digest() != header.sha256:
        raise FormatError("what came out is not the original (its SHA-256 differs): the file is damaged; get another "
                          f"copy. {_keep_partial(output_path, restored, 'what came out, unchecked')}")
    write_file(output_path, restored, overwrite)
    keeping.done()
    return Result(input_path, output_path, len(restored), len(data), time.perf_counter() - started,
                  header.sha256.hex(), used, backend, "decompress")


def resume(checkpoint, settings=Settings(), *, progress=None, warn=None, note=None):
    """Go on with the run that a checkpoint belongs to; returns its Result.

    settings: how to run, as the backend; the checkpoint says the rest itself. The rest as for `compress` and
    `decompress`. Raises what they raise, and CheckpointError where there is no checkpoint.
    """
    settings.check_for_decoding()
    found = newest(checkpoint, warn or _silent)
    if not found:
        raise CheckpointError(f"there is no checkpoint {checkpoint}; check the name")
    check_run(found)
    about = found.about
    code = {"compress": compress, "decompress": decompress}[about["direction"]]
    return code(about["input"], about["output"], settings, progress=progress, warn=warn, note=note,
                overwrite=about["overwrite"], checkpoint=checkpoint, prior=about["prior"] or None)


def _is_result(path, digest, settings):
    """Whether a file is a whole .lks file of an original with that SHA-256, made with these complete settings."""
    try:
        contents = inspect(path)
    except LockstepError:
        return False
    return (contents.fault is None and contents.header.sha256 == digest and contents.settings is not None
            and contents.settings.to_header() == settings.to_header())


def _is_file_of(path, digest):
    """Whether there is a file with that SHA-256."""
    return path.is_file() and hashlib.sha256(path.read_bytes()).digest() == digest


@dataclass(frozen=True)
class Contents:
    """What a .lks file says of itself, without decoding it."""

    header: Header
    settings: Settings | None            # None where the data is stored as it is
    environment: Environment | None      # None where the file decodes everywhere
    compressed_bytes: int
    intact_segments: int
    fault: FormatError | None            # what is wrong after the intact segments
    memory_bytes: int = 0                # that decoding takes, roughly; 0 where the data is stored as it is


def inspect(input_path):
    """The Contents of a .lks file. Needs no TensorFlow. Raises FormatError where the header is damaged."""
    data = _read_input(Path(input_path))
    reader = Reader(data)
    if reader.header.is_stored:
        return Contents(reader.header, None, None, len(data), 0, _fault_of_stored(reader))
    settings, source, streams = _plan(reader.header)
    segments, fault = reader.read_segments(streams.end - streams.first)
    return Contents(reader.header, settings, _made_in(reader.header), len(data), len(segments), fault,
                    memory_bytes(settings, source, streams))


def _fault_of_stored(reader):
    """What is wrong with a file that stores its data, as far as its length tells, or None."""
    try:
        reader.read_stored()
    except FormatError as error:
        return error
    return None


def _made_in(header):
    """The Environment that a coded file depends on, or None. FormatError where the header's is damaged."""
    environment = Environment.from_header(header.environment)
    if header.environment and environment is None:
        raise FormatError("the header's note on where the file was made is damaged; get another copy of the file")
    return environment


def _silent(line):
    """What takes lines of text where nobody listens."""


def _write_coded(output, data, run, settings, progress, note, keeping):
    """Write `data` coded; returns (the complete settings, the backend), or Nones where it does not shrink.

    A part of a split file is coded even then, as the next part goes on from it.
    """
    source = source_of(data)
    if len(data) < _NEVER_SHRINKS and source.is_whole:
        return None, None
    if not source.is_whole:
        keeping.go_on_from(parts.state_before(source.place, run.folders))
    settings, reason = (keeping.settings, keeping.reason) if keeping.found else choice.resolve(
        settings, source, len(run.prior.text) if run.prior else 0)
    if reason:
        note(reason)
    check_model(settings, source.vocabulary_size)
    streams = source.streams_for(settings.batch_size)
    _check_memory(settings, source, streams)
    note(f"coding with {settings.summary()}; takes about {memory_bytes(settings, source, streams) / 1e6:,.0f} MB of memory")
    predictor = Predictor(settings, source, streams, keeping.made_in, run.prior_codes(settings), keeping.found is not None)
    preset, overrides = settings.to_header()
    header = Header(len(data), run.sha256, _stored_name(run.input_path.name), preset, source.description(),
                    predictor.environment.to_header() if predictor.environment else (), overrides, source.kind)
    writer = Writer(output, header)
    symbols = streams.lay_out(source.symbols())
    next_step, coder_state = keeping.restore(predictor, streams)
    if keeping.is_own:
        writer.resume(keeping.found.about["crc"], keeping.found.read("segments"))
    segments = codec.encoding(writer, settings.coder, streams, next_step, coder_state)
    with keeping.visits(settings, predictor, lambda step: writer.state()) as visit:
        for _ in codec.code(predictor, streams, symbols, segments, progress, visit):
            pass
    if not source.is_whole:
        parts.write_state(source.place, run.output_path.parent, settings, predictor)
    shrinks = writer.bytes_written < len(_stored_header(data, run).to_bytes()) + len(data)
    return (settings, predictor.backend) if shrinks or not source.is_whole else (None, None)


def _decode(reader, run, wanted, progress, warn, keeping):
    """(the original's bytes, the settings, the backend) from a file that holds segments, run as `wanted` says."""
    header = reader.header
    settings, source, streams = _plan(header)
    settings = dataclasses.replace(settings, backend=wanted.backend, checkpoint_minutes=wanted.checkpoint_minutes)
    segments, fault = reader.read_segments(streams.end - streams.first)
    if not segments:
        raise fault
    if fault:
        warn(f"{fault}. What comes before is being recovered")
    _check_plausible(header, source, streams, segments)
    _check_memory(settings, source, streams)
    check_space(run.output_path, header.original_bytes)
    if not source.is_whole:
        keeping.go_on_from(parts.state_before(source.place, run.folders))
    symbols = streams.empty()
    made_in = _made_in(header)
    predictor = Predictor(settings, source, streams, made_in, run.prior_codes(settings), keeping.found is not None)
    if predictor.environment != made_in:
        warn(f"the file was made with {made_in}; this is {predictor.environment}. It may not decode here")
    next_step, coder_state = keeping.restore(predictor, streams)
    if keeping.is_own:
        keeping.found.read_into({"decoded": symbols[:next_step - streams.first]})
    checked = codec.checked_before(segments, streams, next_step)
    try:
        with keeping.visits(settings, predictor, lambda step: ({}, {"decoded": symbols[:step - streams.first]})) as visit:
            coded = codec.decoding(segments, settings.coder, streams, next_step, coder_state)
            for checked in codec.code(predictor, streams, symbols, coded, progress, visit):
                pass
    except DivergedError as diverged:
        fault = DivergedError(f"{diverged}: {_why_diverged(made_in, predictor)}")
    if fault:
        steps = checked - streams.first
        symbols[steps:] = 0
        recovered = source.restore(streams.join(symbols)) if steps else b""
        what = (f"{streams.symbols_before(checked):,} of {streams.coded_count:,} bytes, the first {steps:,} of every "
                f"{len(symbols):,}; the rest is filler")
        raise type(fault)(f"{fault}. {_keep_partial(run.output_path, recovered, what)}")
    if not source.is_whole:
        parts.write_state(source.place, run.output_path.parent, settings, predictor)
    return source.restore(streams.join(symbols)), settings, predictor.backend


def _why_diverged(made_in, predictor):
    """What to do about a decoder whose state is not the encoder's."""
    if made_in is None:
        return (f"exact arithmetic gives the same everywhere, so {predictor.backend} or this machine's memory is at "
                "fault; try another backend or machine, and report it")
    return f"the file was made with {made_in}, and this is {predictor.environment}. Decode it where it was made"


def _plan(header):
    """(complete settings, source, streams) of a coded file. Allocates nothing."""
    try:
        settings = Settings.from_header(header.preset, header.overrides)
    except SettingsError as error:
        raise FormatError(f"the header cannot be used: {error}") from error
    if not header.original_bytes:
        raise FormatError("the header says that nothing is coded: the file is damaged")
    source = describe_source(header.source_kind, header.original_bytes, header.description)
    try:
        check_model(settings, source.vocabulary_size)
    except SettingsError as error:
        raise FormatError(f"the header asks for a network that no version makes: {error}") from error
    try:
        return settings, source, source.streams_for(settings.batch_size)
    except SettingsError as error:
        raise FormatError(f"the header cannot be used: {error}") from error


def _keep_partial(output_path, recovered, what):
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
        raise FormatError(f"the header claims {header.original_bytes:,} bytes, more than the file can hold; "
                          "it is damaged or made to do harm")


def _check_memory(settings, source, streams):
    """Refuse what this machine's memory cannot hold, before it is tried."""
    needed, available = memory_bytes(settings, source, streams), available_memory()
    if available is not None and needed > available:
        raise InputError(f"this takes about {needed / 1e9:,.1f} GB of memory, and {available / 1e9:,.1f} GB are free; "
                         "use a smaller network, fewer table_bits, a smaller input or a larger machine")


def memory_bytes(settings, source, streams):
    """Bytes of memory that coding takes, roughly, the file's own bytes included."""
    return _BYTES_HELD_PER_SYMBOL * streams.coded_count + predictor_bytes(settings, source, streams)


def _read_input(path):
    """The bytes of a file that fits in memory."""
    size, available = check_input(path), available_memory()
    if available is not None and size * _BYTES_HELD_PER_SYMBOL > available:
        raise InputError(f"{path} has {size:,} bytes, more than this machine's memory can work on; "
                         "split it into parts")
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def _stored_header(data, run):
    """The header of data that does not shrink, its name cut where the file would grow by more than promised."""
    header = Header(len(data), run.sha256, _stored_name(run.input_path.name))
    excess = len(header.to_bytes()) - MOST_OVERHEAD
    if excess <= 0:
        return header
    stem, dot, suffix = header.name.rpartition(".")
    tail = (dot + suffix) if stem and len((dot + suffix).encode()) <= 16 else ""
    kept = header.name.encode()[:len(header.name.encode()) - len(tail.encode()) - excess]
    return Header(len(data), run.sha256, kept.decode(errors="ignore") + tail)


def _stored_name(name):
    """`name` as a header can hold it: what is no plain text becomes an underscore."""
    name = name.encode("utf-8", "replace").decode()
    name = "".join(letter if letter.isprintable() and letter not in "/\\" else "_" for letter in name)
    if name[1:2] == ":":
        name = f"{name[0]}_{name[2:]}"       # on Windows it would name a drive
    return name if is_base_name(name) else "_"
