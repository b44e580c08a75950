"""Whole files: compress one, give it back, say what one holds."""

import hashlib
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lib import priors
from lib.coding.container import Header, Reader
from lib.coding.run import BYTES_HELD_PER_SYMBOL, decode, keep_partial, made_in_of, memory_bytes, plan, stored_header, write_coded
from lib.compiling import announced
from lib.errors import CheckpointError, FormatError, InputError, LockstepError
from lib.models.environment import Environment
from lib.resume.checkpoint import newest
from lib.resume.run import Run, RunCheckpoint, check_run
from lib.settings import Settings
from lib.sources import ImageSource
from lib.sources.png import written_anew
from lib.storage import folders
from lib.storage.files import OutputFile, available_memory, check_input, check_target, write_file
from lib.storage.paths import path_of_input, path_of_output

SUFFIX = ".lks"


@dataclass(frozen=True)
class Result:
    """What a run did."""

    input_path: Path
    output_path: Path
    original_bytes: int            # of the input as it lies on disk, or of the original that came back
    compressed_bytes: int          # of the whole .lks file
    seconds: float
    sha256: str                    # of the original, hexadecimal
    settings: Settings | None      # complete; None where the data is stored as it is
    backend: str | None = None     # what computed the network, where there was one
    direction: str = "compress"    # or "decompress"
    source: object = field(default=None, compare=False)             # of compressed data, see lib.sources
    code_lengths: np.ndarray | None = field(default=None, compare=False)   # float32, shape (symbols,): bits of each, if asked for
    is_written_anew: bool = False  # whether a PNG was replaced by one of the same pixels, see Settings.pixels; sha256 is of that

    @property
    def bits_per_byte(self):
        """Compressed bits for each byte of the original; 0 for an empty one."""
        return 8 * self.compressed_bytes / self.original_bytes if self.original_bytes else 0.0

    @property
    def bytes_per_second(self):
        return self.original_bytes / self.seconds


def compress(input_path, output_path=None, settings=Settings(), *, progress=None, warn=None, note=None,
             overwrite=False, checkpoint=None, prior=None, code_lengths=False):
    """Compress a file, or a folder of files; returns a Result.

    output_path: the .lks file to write, or a folder for it; by default it goes beside the input, with `.lks` added.
    progress: called with a loop.Progress several times a second. note: called with a line of text
    on what was chosen and why, the memory that it takes, and where the first run has to compile. warn: likewise where
    a checkpoint is damaged, or cannot be written.
    checkpoint: a path. The run's state is kept there every `settings.checkpoint_minutes` and where it is interrupted;
    called again with the same it goes on from there, on any machine, and the output is the same as of an unbroken run.
    prior: the path of a prior that lib.learn made; decompression needs it too. code_lengths: whether to note what each symbol
    code_lengths, in the Result; a run that goes on from a checkpoint does not know it.
    Raises InputError, OutputError, SettingsError or CheckpointError; then there is no output.
    """
    started = time.perf_counter()
    input_path = path_of_input(input_path)
    if folders.is_folder(input_path):
        input_path = input_path.resolve()        # "." has no name to give to the output
    data = input_bytes(input_path)
    size_on_disk, is_anew = len(data), False
    if settings.pixels == "yes" and (anew := written_anew(data)) != data:
        (note or _silent)("this PNG cannot be made again to the last byte: the same pixels, palette, profile and texts come back in a "
                          "PNG written anew")
        data, is_anew = anew, True
    prior = priors.load(prior) if prior else None
    if prior:
        settings = settings.with_values({"prior": prior.name})
    output_path = _output(output_path, input_path.parent, input_path.name + SUFFIX)
    digest = hashlib.sha256(data).digest()
    run = Run("compress", input_path, output_path, digest, overwrite, settings.preset, prior,
              folders.is_folder(input_path), settings.pixels)
    run_checkpoint = RunCheckpoint(checkpoint, run, settings, warn or _silent)
    if run_checkpoint.found and _is_result(output_path, digest, run_checkpoint.settings):
        run_checkpoint.done()                   # stopped between its last two acts
        return Result(input_path, output_path, size_on_disk, output_path.stat().st_size,
                      time.perf_counter() - started, digest.hex(), inspect(output_path).settings, is_written_anew=is_anew)
    check_target(output_path, overwrite)
    if run.is_folder:
        folders.check_outside(input_path, output_path, checkpoint)
    with OutputFile(output_path, overwrite) as output:
        with announced(note or _silent):
            coded = write_coded(output, data, run, settings, progress, note or _silent, run_checkpoint, code_lengths)
        if coded is None:
            output.restart()
            output.write(stored_header(data, run).to_bytes() + data)
        size = output.commit()
    run_checkpoint.done()
    return Result(input_path, output_path, size_on_disk, size, time.perf_counter() - started, digest.hex(),
                  *((coded.settings, coded.backend, "compress", coded.source, coded.code_lengths) if coded else (None,)),
                  is_written_anew=is_anew)


def decompress(input_path, output_path=None, settings=Settings(), *, progress=None, warn=None, note=None,
               overwrite=False, checkpoint=None, prior=None):
    """Give a .lks file's original back; returns a Result.

    output_path: the file to write, or a folder to put it into; by default it goes beside the input, under the original's name.
    settings: how to run, as the backend; the file says the rest itself.
    progress, note, checkpoint: as for `compress`. warn: called with a line of text before a run that may fail, as
    for a file made in another environment. prior: the path of the prior that the file was made with, if it is not beside
    it, in a folder "priors" there or in the folder that LOCKSTEP_PRIORS names in the environment.
    Raises FormatError for a file that is damaged and DivergedError where this environment computes
    other bits than the encoder's. What was recovered before is kept as `<output_path>.partial`.
    """
    started = time.perf_counter()
    input_path = path_of_input(input_path)
    data = _file_bytes(input_path)
    reader = Reader(data)
    header = reader.header
    settings.check_for_decoding()
    output_path = _output(output_path, input_path.parent, header.name)
    run = Run("decompress", input_path, output_path, hashlib.sha256(data).digest(), overwrite, settings.preset,
              priors.load(prior) if prior else None)
    run_checkpoint = RunCheckpoint(checkpoint, run, settings, warn or _silent)
    if run_checkpoint.found and _is_original(output_path, header):
        run_checkpoint.done()                   # stopped between its last two acts
        return Result(input_path, output_path, header.original_bytes, len(data), time.perf_counter() - started,
                      header.sha256.hex(), None, None, "decompress")
    if header.is_folder:
        folders.check_new(output_path)
    else:
        check_target(output_path, overwrite)
    if header.is_stored:
        restored, used, backend = reader.read_stored(), None, None
    else:
        with announced(note or _silent):
            restored, used, backend = decode(reader, run, settings, progress, warn or _silent, run_checkpoint)
    if hashlib.sha256(restored).digest() != header.sha256:
        raise FormatError("what came out is not the original (its SHA-256 differs): the file is damaged", "get another "
                          f"copy{_unless_zlib(header)}. {keep_partial(output_path, restored, 'what came out, unchecked')}")
    if header.is_folder:
        folders.unpack(restored, output_path)
    else:
        write_file(output_path, restored, overwrite)
    run_checkpoint.done()
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
        raise CheckpointError(f"there is no checkpoint {checkpoint}", "check the name")
    check_run(found)
    about = found.about
    if about["direction"] == "compress":
        settings = settings.with_values({"pixels": about["pixels"]})
    code = {"compress": compress, "decompress": decompress}[about["direction"]]
    return code(about["input"], about["output"], settings, progress=progress, warn=warn, note=note,
                overwrite=about["overwrite"], checkpoint=checkpoint, prior=about["prior"] or None)


def _unless_zlib(header):
    """What else may be at fault where an image came out wrong."""
    if header.source_kind != ImageSource.kind:
        return ""
    return f". Or it is a PNG, and this Python's zlib ({zlib.ZLIB_RUNTIME_VERSION}) makes other streams than the usual one"


def target_of(direction, input_path, output_path=None):
    """Where `compress` or `decompress`, by the name of the direction, puts what it makes of an input.

    Raises InputError and FormatError where that cannot be known.
    """
    path = path_of_input(input_path)
    if direction == "decompress":
        return _output(output_path, path.parent, Reader(_file_bytes(path)).header.name)
    path = path.resolve() if folders.is_folder(path) else path
    return _output(output_path, path.parent, path.name + SUFFIX)


def _output(path, folder, name):
    """Where an output goes: `path`, or `name` in that folder; without one, in `folder`."""
    path = folder if path is None else path_of_output(path)
    return path / name if folders.is_folder(path) else path


def _is_result(path, digest, settings):
    """Whether a file is a whole .lks file of an original with that SHA-256, made with these complete settings."""
    try:
        contents = inspect(path)
    except LockstepError:
        return False
    return (contents.fault is None and contents.header.sha256 == digest and contents.settings is not None
            and contents.settings.to_header() == settings.to_header())


def _is_original(path, header):
    """Whether the file or folder that a header is of is there already."""
    if header.is_folder != folders.is_folder(path) or not path.exists():
        return False
    return hashlib.sha256(input_bytes(path)).digest() == header.sha256


@dataclass(frozen=True)
class Contents:
    """What a .lks file says of itself, without decoding it."""

    header: Header
    settings: Settings | None            # None where the data is stored as it is
    environment: Environment | None      # None where the file decodes everywhere
    compressed_bytes: int
    intact_segments: int
    fault: FormatError | None            # what is wrong after the intact segments
    source: object = None                # see lib.sources; None where the data is stored as it is
    memory_bytes: int = 0                # that decoding takes, roughly

    def facts(self):
        """[(what, text)] to show to a person."""
        header = self.header
        coded = [("memory", f"{self.memory_bytes / 1e6:,.0f} MB to decompress"), ("segments", f"{self.intact_segments:,} intact")]
        return [("original", f"{header.name}, {header.original_bytes:,} bytes"),
                ("SHA-256", header.sha256.hex()),
                ("compressed", f"{self.compressed_bytes:,} bytes"),
                ("model", model_of(self.settings)),
                *(coded if self.settings else []),
                ("decodes", f"only with {self.environment}" if self.environment else "everywhere")]


def model_of(settings):
    """What coded a file with these complete settings, in a line; settings: None where its data is stored."""
    return settings.summary() if settings else "none; the data is stored as it is"


def inspect(input_path):
    """The Contents of a .lks file. Needs no TensorFlow. Raises FormatError where the header is damaged."""
    data = _file_bytes(path_of_input(input_path))
    reader = Reader(data)
    if reader.header.is_stored:
        return Contents(reader.header, None, None, len(data), 0, _fault_of_stored(reader))
    settings, source, streams = plan(reader.header)
    segments, fault = reader.read_segments(streams.end - streams.first)
    return Contents(reader.header, settings, made_in_of(reader.header), len(data), len(segments), fault, source,
                    memory_bytes(settings, source, streams))


def _fault_of_stored(reader):
    """What is wrong with a file that stores its data, as far as its length tells, or None."""
    try:
        reader.read_stored()
    except FormatError as error:
        return error
    return None


def _silent(line):
    """What takes lines of text where nobody listens."""


def input_bytes(path):
    """What is compressed of a path: the bytes of a file, or those that stand for a folder. InputError where they do not fit."""
    if not folders.is_folder(path):
        return _file_bytes(path)
    _check_fits(path, folders.folder_bytes(path))
    return folders.pack(path)


def _file_bytes(path):
    """The bytes of a file that fits in memory."""
    _check_fits(path, check_input(path))
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def _check_fits(path, size):
    available = available_memory()
    if available is not None and size * BYTES_HELD_PER_SYMBOL > available:
        raise InputError(f"{path} has {size:,} bytes, more than this machine's memory can work on",
                         "split it into parts")
