"""Whole files: compress one, give it back, go on with a run that was stopped."""

import hashlib
import os
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lib import priors
from lib.coding import verification
from lib.coding.choice import plan_for
from lib.coding.container import Header, Reader
from lib.coding.loop import Progress
from lib.coding.plan import Plan
from lib.coding.run import Coded, decode, encode, keep_partial, stored_header
from lib.compiling import announced
from lib.contents import file_bytes, input_bytes, inspect
from lib.errors import CheckpointError, FormatError, LockstepError
from lib.machine import within_memory
from lib.parameters import Parameters
from lib.resume import parts
from lib.resume.checkpoint import check_name, newest
from lib.resume.run import Run, RunCheckpoint, asked_of, check_run, folders_of, parameters_of
from lib.settings import Settings
from lib.sources import ImageSource
from lib.sources.png import written_anew
from lib.sources.recognition import has_jpegs, source_of
from lib.sources.source import Source
from lib.storage import folders
from lib.storage.files import OutputFile, check_target, mode_of, reserved, write_file
from lib.storage.names import near_name, shown
from lib.storage.paths import path_of_input, path_of_output

SUFFIX = ".lks"
_NEVER_SHRINKS = 32               # bytes: what coding could save is less than what its header takes

_Say = Callable[[str], Any]
_OnProgress = Callable[[Progress], Any]


@dataclass(frozen=True)
class Result:
    """What a run did."""

    input_path: Path
    output_path: Path
    original_bytes: int            # of the input as it lies on disk, or of the original that came back
    compressed_bytes: int          # of the whole .lks file
    seconds: float
    sha256: str                    # of the original, hexadecimal
    plan: Plan | None = field(compare=False)      # how it is coded; None where the data is stored as it is
    backend: str | None = None     # what computed the network, where there was one
    direction: str = "compress"    # or "decompress"
    code_lengths: np.ndarray | None = field(default=None, compare=False)   # float32, shape (symbols,): bits of each, if asked for
    is_written_anew: bool = False  # whether a PNG was replaced by one of the same pixels, see Settings.pixels; sha256 is of that

    @property
    def parameters(self) -> Parameters | None:
        """What the data is coded with; None where it is stored as it is."""
        return self.plan.parameters if self.plan else None

    @property
    def source(self) -> Source | None:
        """What is coded, see lib.sources; None where the data is stored as it is."""
        return self.plan.source if self.plan else None

    @property
    def bits_per_byte(self) -> float:
        """Compressed bits for each byte of the original; 0 for an empty one."""
        return 8 * self.compressed_bytes / self.original_bytes if self.original_bytes else 0.0

    @property
    def bytes_per_second(self) -> float:
        return self.original_bytes / self.seconds


def _silent(line: str) -> None:
    """What takes lines of text where nobody listens."""


@within_memory
def compress(input_path: Path | str, output_path: Path | str | None = None, settings: Settings = Settings(), *,
             progress: _OnProgress | None = None, warn: _Say = _silent, note: _Say = _silent, overwrite: bool = False,
             checkpoint: Path | str | None = None, prior: Path | str | None = None, code_lengths: bool = False) -> Result:
    """Compress a file, or a folder of files; returns a Result.

    output_path: the .lks file to write, or a folder for it; by default it goes beside the input, with `.lks` added.
    progress: called with a lib.coding.loop.Progress several times a second. note: called with a line of text
    on what was chosen and why, the memory that it takes, and where the first run has to compile. warn: likewise where
    a checkpoint is damaged, or cannot be written.
    checkpoint: a path. The run's state is kept there every `settings.checkpoint_minutes` and where it is interrupted;
    called again with the same path, the run goes on from there, on any machine, and its output is the same as unbroken.
    prior: the path of a prior that lib.learn made; decompression needs it too. code_lengths: whether to note how many bits each
    symbol takes, in the Result; a run that goes on from a checkpoint does not know it.
    Raises InputError, OutputError, SettingsError or CheckpointError; then there is no output.
    """
    started = time.perf_counter()
    input_path = path_of_input(input_path)
    if input_path.name in ("", ".."):
        input_path = input_path.resolve()        # "." and ".." have no name to give to the output
    output_path = _output(output_path, input_path.parent, input_path.name + SUFFIX)
    is_folder = folders.is_folder(input_path)
    if is_folder:
        folders.check_outside(input_path, output_path, checkpoint)
    if not (checkpoint and os.path.lexists(checkpoint)):         # with which a finished output may be there already
        check_target(output_path, overwrite, [input_path])
    data = input_bytes(input_path, warn)
    original_bytes, is_anew = len(data), False
    if is_folder:
        folders.check(data, folders.TREE)
    mode = folders.mode_of(data) if is_folder else mode_of(input_path)
    if settings.pixels == "yes" and (anew := written_anew(data)) != data:
        note("this PNG cannot be made again to the last byte: the same pixels, palette, profile and texts come back in a PNG written anew")
        data, is_anew = anew, True
    if prior:
        settings = settings.with_values({"prior": priors.load(prior).name})
    known = priors.needed(settings.prior, prior, folders_of(input_path, output_path))
    digest = hashlib.sha256(data).digest()
    run = Run("compress", input_path, output_path, digest, overwrite, settings, known,
              folders.TREE if is_folder else folders.NO_FOLDER, mode)

    def result(size: int, coded: Coded | None, plan: Plan | None) -> Result:
        return Result(input_path, output_path, original_bytes, size, time.perf_counter() - started, digest.hex(), plan,
                      coded.backend if coded else None, is_written_anew=is_anew, code_lengths=coded.code_lengths if coded else None)

    with reserved(output_path, checkpoint):
        kept = RunCheckpoint(checkpoint, run, warn)
        if kept.found and (finished := _finished(output_path, digest, parameters_of(kept.found))):
            kept.done()                              # stopped between its last two acts
            return result(output_path.stat().st_size, None, finished)
        check_target(output_path, overwrite, run.reads)
        plan = _plan(data, run, kept, note)
        with OutputFile(output_path, overwrite, mode=mode, inputs=run.reads) as output:
            with announced(note):
                coded = encode(output, plan, data, run, kept, progress, code_lengths) if plan else None
            if coded is None:
                output.restart()
                output.write(stored_header(len(data), run).to_bytes() + data)
            output.flush()
            verification.check_written(output.written_path, run, coded)
            if coded and verification.is_wanted(coded.plan, run):
                verification.verify(output.written_path, run, note)
            size = output.commit()
        kept.done()
        return result(size, coded, coded.plan if coded else None)


def _plan(data: bytes, run: Run, kept: RunCheckpoint, note: _Say) -> Plan | None:
    """The Plan to code data by; None where that is too little to be worth it."""
    settings = kept.settings
    source = source_of(data, settings, note)
    if len(data) < _NEVER_SHRINKS and not source.place:
        return None
    if source.place:
        kept.go_on_from(parts.state_before(source.place, run.folders))
    if kept.found:
        plan = Plan.of(parameters_of(kept.found), kept.with_groups(source), settings.backend)
        reason = f"going on from {kept.found.path}"
    else:
        of_fast = (lambda: source_of(data, settings.with_values({"preset": "fast"}), note)) if settings.preset == "auto" and has_jpegs(source) else None
        plan, reason = plan_for(settings, source, run.prior, of_fast)
    kept.check_plan(plan)
    if reason:
        note(reason)
    note(f"coding with {plan.summary()}; takes about {plan.memory_bytes / 1e6:,.0f} MB of memory")
    return plan


@within_memory
def decompress(input_path: Path | str, output_path: Path | str | None = None, settings: Settings = Settings(), *,
               progress: _OnProgress | None = None, warn: _Say = _silent, note: _Say = _silent, overwrite: bool = False,
               checkpoint: Path | str | None = None, prior: Path | str | None = None) -> Result:
    """Give a .lks file's original back; returns a Result.

    output_path: the file to write, or a folder to put it into; by default it goes beside the input, under the original's name.
    settings: backend and checkpoint_minutes; the file has the others.
    progress, note, checkpoint: as for `compress`. warn: called with a line of text before a run that may fail, as
    for a file made in another environment. prior: the path of the prior that the file was made with, if it is not beside
    it, in a folder "priors" there or in the folder that LOCKSTEP_PRIORS names in the environment.
    Raises FormatError for a file that is damaged and DivergedError where this environment computes
    other bits than the encoder's. What was recovered before is kept as `<output_path>.partial`.
    """
    started = time.perf_counter()
    input_path = path_of_input(input_path)
    data = file_bytes(input_path)
    reader = Reader(data)
    header = reader.header
    settings.check_for_decoding()
    name = near_name(header.name)
    if name != header.name:
        warn(f"this system cannot have the name {shown(header.name)}: the output is {name}")
    output_path = _output(output_path, input_path.parent, name)
    plan = None if header.is_stored else Plan.of_header(header, settings.backend)
    known = priors.needed(plan.prior if plan else None, prior, folders_of(input_path, output_path))
    run = Run("decompress", input_path, output_path, hashlib.sha256(data).digest(), overwrite, settings, known, mode=mode_of(input_path))
    with reserved(output_path, checkpoint):
        kept = RunCheckpoint(checkpoint, run, warn)
        if kept.found and _is_original(output_path, header):
            kept.done()                              # stopped between its last two acts
            return Result(input_path, output_path, header.original_bytes, len(data), time.perf_counter() - started,
                          header.sha256.hex(), None, None, "decompress")
        if header.is_folder:
            folders.check_new(output_path)
        else:
            check_target(output_path, overwrite, run.reads)
        backend = None
        if not plan:
            restored = reader.read_stored()
        else:
            if kept.found:
                note(f"going on from {kept.found.path}")
            with announced(note):
                restored, backend = decode(reader, plan, run, kept, progress, warn)
        if hashlib.sha256(restored).digest() != header.sha256:
            raise FormatError("what came out is not the original (its SHA-256 differs): the file is damaged", "get another "
                              f"copy{_unless_zlib(header)}. {keep_partial(run, restored, 'what came out, unchecked')}")
        if header.is_folder:
            for line in folders.unpack(restored, output_path, header.archive):
                warn(line)
        else:
            write_file(output_path, restored, overwrite, run.mode, run.reads)
        kept.done()
        return Result(input_path, output_path, len(restored), len(data), time.perf_counter() - started,
                      header.sha256.hex(), plan, backend, "decompress")


def resume(checkpoint: Path | str, settings: Settings = Settings(), *, progress: _OnProgress | None = None, warn: _Say = _silent,
           note: _Say = _silent) -> Result:
    """Go on with the run that a checkpoint belongs to; returns its Result.

    settings: backend, checkpoint_minutes, verify; the checkpoint has the others. The rest is as for `compress` and
    `decompress`. Raises what they raise, and CheckpointError where there is no checkpoint.
    """
    settings.check_for_decoding(allowed=("verify",))
    check_name(checkpoint)
    found = newest(checkpoint, warn)
    if not found:
        raise CheckpointError(f"there is no checkpoint {checkpoint}", "check the name")
    check_run(found)
    about = found.about
    if about["direction"] == "compress":
        settings = asked_of(found, settings)
    else:
        settings = settings.with_values({"verify": "no"})        # decoding checks what it makes by itself
    code = {"compress": compress, "decompress": decompress}[about["direction"]]
    return code(about["input"], about["output"], settings, progress=progress, warn=warn, note=note,
                overwrite=about["overwrite"], checkpoint=checkpoint, prior=about["prior"] or None)


def _unless_zlib(header: Header) -> str:
    """What else may be at fault where an image came out wrong."""
    if header.source_kind != ImageSource.kind:
        return ""
    return f". Or it is a PNG, and this Python's zlib ({zlib.ZLIB_RUNTIME_VERSION}) makes other streams than the usual one"


def target_of(direction: str, input_path: Path | str, output_path: Path | str | None = None) -> Path:
    """Where `compress` or `decompress`, by the name of the direction, puts what it makes of an input.

    Raises InputError and FormatError where that cannot be known.
    """
    path = path_of_input(input_path)
    if direction == "decompress":
        return _output(output_path, path.parent, near_name(Reader(file_bytes(path)).header.name))
    if path.name in ("", ".."):
        path = path.resolve()
    return _output(output_path, path.parent, path.name + SUFFIX)


def _output(path: Path | str | None, folder: Path, name: str) -> Path:
    """Where an output goes: `path`, or `name` in that folder; without one, in `folder`."""
    if path is None:
        return folder / name
    path = path_of_output(path)
    return path / name if folders.is_folder(path) else path


def _finished(path: Path, digest: bytes, parameters: Parameters) -> Plan | None:
    """The Plan of a whole .lks file of an original with that SHA-256, made with these parameters; None where there is none."""
    try:
        contents = inspect(path)
    except LockstepError:
        return None
    is_it = contents.fault is None and contents.header.sha256 == digest and contents.parameters == parameters
    return contents.plan if is_it else None


def _is_original(path: Path, header: Header) -> bool:
    """Whether the file or folder that a header is of is there already."""
    if header.is_folder != folders.is_folder(path) or not path.exists() or header.archive == folders.ZIPPED:
        return False
    return hashlib.sha256(input_bytes(path)).digest() == header.sha256
