"""The command line: python -m lib compress | decompress | resume | split | join | learn | info."""

import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from lib.command_line import command_parser
from lib.compression import compress, decompress, resume, target_of
from lib.contents import inspect
from lib.errors import InputError, InstallationError, LockstepError, OutputError
from lib.extraction import entries_of, extract
from lib.interruptions import EXIT_CODE, as_interrupts
from lib.priors import learn
from lib.resume.splitting import join, split
from lib.settings import Settings
from lib.storage.folders import is_folder
from lib.storage.names import shown
from lib.storage.tree import FILE

_READ_PER_SECOND = 35_000
TRACEBACK = "LOCKSTEP_TRACEBACK"     # set in the environment to see where an unexpected error comes from


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 only where the output is complete and checked."""
    _prepare_streams()
    options = None
    try:
        options = command_parser().parse_args(arguments)
        with as_interrupts():
            _RUN[options.command](options)
        return 0
    except KeyboardInterrupt as interruption:
        kept = getattr(options, "checkpoint", None)
        _tell(f"interrupted; python -m lib resume {kept} goes on" if kept and kept.exists() else
              "interrupted; nothing unfinished was left behind")
        return EXIT_CODE + getattr(interruption, "number", signal.SIGINT)
    except Exception as error:
        _tell(_said_of(error))
        return 1
    finally:
        _flush_output()


def _prepare_streams():
    """Make standard input, output and error safe to use, whatever this process was started with."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)       # else the next file opened gets the number, and what libraries say goes into it
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")       # print takes None for standard output
    for stream in (sys.stdout, sys.stderr):      # names may hold letters that the terminal cannot show
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _flush_output():
    """Write what is left, as the help that a reader has seen enough of: Python complains at its end where it cannot."""
    for name in ("stdout", "stderr"):
        try:
            if stream := getattr(sys, name):
                stream.flush()
        except (OSError, ValueError):
            setattr(sys, name, open(os.devnull, "w"))


def _say(line):
    """Show a line on standard output. Raises OutputError where it cannot be; all is well where its reader has gone."""
    try:
        print(shown(line), flush=True)
    except OSError as error:
        sys.stdout = open(os.devnull, "w")       # else Python tries again at its end, and complains
        if not isinstance(error, BrokenPipeError):
            raise OutputError(f"cannot write to standard output: {error.strerror}") from error


def _tell(line):
    """Show a line on standard error, where that is possible."""
    try:
        print(shown(f"lockstep: {line}"), file=sys.stderr, flush=True)
    except (OSError, ValueError):
        sys.stderr = open(os.devnull, "w")       # else the line waits, and fails whoever flushes next


def _say_done(options, line):
    """Show what became of an output that is complete: there is no failure left but of the showing."""
    if not options.quiet:
        try:
            _say(line)
        except OutputError as error:
            _tell(f"{line} (complete; {error})")


def _said_of(error):
    """What went wrong, in a line for a user. Raises what is no LockstepError again, where a traceback is asked for."""
    if isinstance(error, LockstepError):
        return str(error)
    if isinstance(error, MemoryError):
        return "the memory of this machine is used up; use a smaller network or a smaller input"
    if TRACEBACK in os.environ:                  # a fault of ours or of a library; still one line, as for a user
        raise error
    said = (str(error).splitlines() or [""])[0]
    return (f"stopped by {type(error).__name__}: {said}. No unfinished output was left; please report this, with the "
            f"traceback that {TRACEBACK}=1 in the environment shows")


def _code_each(options, code, settings, describe):
    """Code each input with `code`, compress or decompress. What fails is said, and stops none of the others."""
    several, failed = len(options.input) > 1, 0
    written: set[tuple[int, int]] = set()        # as _identity tells files
    if several:
        _check_several(options)
    for path in options.input:
        try:
            if several:
                _check_kept(target_of(options.command, path, options.output), written)
            with _progress(options, path.name) as progress:
                result = code(path, options.output, settings, progress=progress, warn=_warn, note=_note(options),
                              overwrite=options.force, checkpoint=options.checkpoint, prior=options.prior)
        except Exception as error:
            if not several:
                raise
            _tell(f"{path}: {_said_of(error)}")
            failed += 1
        else:
            written |= _identity(result.output_path)
            _say_done(options, describe(result))
    if failed:
        raise InputError(f"{failed} of {len(options.input)} files failed{', the others are done' if failed < len(options.input) else ''}")


def _check_several(options):
    """Refuse several inputs whose outputs would replace each other, or one of them, before any is coded."""
    if options.output and not is_folder(options.output):
        raise InputError(f"several files need a folder for their outputs, and {options.output} is none", "make it first")
    if options.checkpoint:
        raise InputError("a checkpoint is for one file", "give one")
    inputs = {identity: path for path in options.input for identity in _identity(path)}
    targets: dict[str, Path] = {}
    for path in options.input:
        try:
            target = target_of(options.command, path, options.output)
        except LockstepError:
            continue                             # said when it is this one's turn
        other = targets.setdefault(os.path.realpath(target), path)
        if other is not path:
            raise InputError(f"{other} and {path} would both become {target}", "give them one after the other, with other outputs")
        for identity in _identity(target) & inputs.keys():
            raise InputError(f"the output of {path} would replace {inputs[identity]}", "choose another folder for the outputs")


def _check_kept(target, written):
    """Refuse a target that is one of the files written before, under a name that this disk takes for the same."""
    if _identity(target) & written:
        raise InputError(f"{target} was written just before, for another input", "give it another output")


def _identity(path):
    """{what tells a file from all others, by whatever name}; empty where there is none."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return set()
    return {(found.st_dev, found.st_ino)}


def _compress(options):
    settings = Settings(preset=options.preset).with_text(options.set)
    if options.verify:
        settings = settings.with_values({"verify": "yes"})
    _code_each(options, compress, settings, _compressed)


def _compressed(result):
    how = result.plan.summary() if result.plan else "stored, as it does not shrink"
    how += f"; computed by {result.backend}" if result.backend else ""
    how += "; the PNG comes back written anew" if result.is_written_anew else ""
    return (f"{result.output_path}: {result.original_bytes:,} -> {result.compressed_bytes:,} bytes, "
            f"{result.bits_per_byte:.3f} bits per byte, {result.seconds:.1f} s ({how})")


def _decompress(options):
    if options.only is not None:
        _extract(options)
        return
    _code_each(options, decompress, Settings().with_text(options.set), _decompressed)


def _extract(options):
    if len(options.input) > 1 or options.checkpoint:
        raise InputError("--only takes one file out of one folder, without a checkpoint")
    path, = options.input
    with _progress(options, path.name) as progress:
        taken = extract(path, options.only, options.output, Settings().with_text(options.set), progress=progress, note=_note(options),
                        overwrite=options.force, prior=options.prior)
    _say_done(options, f"{taken}: {taken.stat().st_size:,} bytes")


def _decompressed(result):
    return (f"{result.output_path}: {result.original_bytes:,} bytes, SHA-256 {result.sha256} checked, "
            f"{result.seconds:.1f} s")


def _resume(options):
    with _progress(options, options.checkpoint.name) as progress:
        result = resume(options.checkpoint, Settings().with_text(options.set), progress=progress, note=_note(options),
                        warn=_warn)
    _say_done(options, (_compressed if result.direction == "compress" else _decompressed)(result))


def _split(options):
    path, manifest = split(options.input, options.parts, options.output, batch_size=options.batch_size,
                           independent=options.independent, overwrite=options.force)
    _say_done(options, f"{path}: {len(manifest.parts)} parts of {manifest.name}, {manifest.size:,} bytes")


def _join(options):
    path, manifest = join(options.input, options.output, overwrite=options.force)
    _say_done(options, f"{path}: {manifest.size:,} bytes, SHA-256 {manifest.sha256} checked")


def _learn(options):
    if options.network:
        _learn_network(options)
        return
    prior = learn(options.input, options.output, overwrite=options.force)
    _say_done(options, f"{prior.path}: {len(prior.text):,} bytes of {len(options.input)} files in {prior.size:,} bytes; SHA-256 begins "
              f"with {prior.name}; each run first reads it, about {len(prior.text) / _READ_PER_SECOND:.0f} s")


def _learn_network(options):
    from lib.learning.run import Wishes, learn_network, plotted  # which imports TensorFlow
    wishes = Wishes(hours=options.hours, epochs=options.epochs, start=options.start, layers=options.layers, units=options.units,
                    embedding=options.embedding, rate=options.rate)
    prior, measured = learn_network(options.input, options.output, wishes, with_text=options.text, finish=options.finish, overwrite=options.force,
                                    note=(lambda line: None) if options.quiet else _tell)
    if options.plot:
        plotted(measured, options.plot)
    reached = f", {min(measured.held_out):.4f} bits per symbol held out" if measured.held_out else ""
    _say_done(options, f"{prior.path}: a network of {prior.weights:,} weights{f' and {len(prior.text):,} bytes' if prior.text else ''} from "
              f"{len(options.input)} files in {prior.size:,} bytes{reached}; SHA-256 begins with {prior.name}")


def _warn(line):
    _tell(f"warning: {line}")


def _info(options):
    contents = inspect(options.input)
    if sys.stdout is None:
        raise OutputError("standard output is closed, and info writes nothing else")
    for what, text in contents.facts():
        _say(f"{what:<16}{text}")
    if contents.fault:
        raise contents.fault
    if contents.header.is_folder:
        _list_files(options.input, contents)


def _list_files(path, contents):
    """Show what is in a folder, where nothing is needed for it but the file."""
    if contents.environment:
        _say("files           decompress it to see them: this needs the environment that it was made in")
        return
    try:
        entries = entries_of(path)
    except (InputError, InstallationError) as error:             # a prior or a package is not here
        _tell(f"the files cannot be listed: {error}")
        return
    for entry in entries:
        if entry.path:
            what = f"{entry.size:,}" if entry.kind == FILE else entry.kind
            _say(f"{what:>15} {entry.path}")


def _is_watched(options):
    return not options.quiet and sys.stderr.isatty()


def _note(options):
    """What shows lines on how a run goes, where somebody wants them."""
    return _tell if _is_watched(options) else lambda line: None


def _progress(options, name):
    """A progress bar where standard error is a terminal, as a context that may be None."""
    if not _is_watched(options):
        return contextlib.nullcontext()
    from lib.progress import ProgressBar
    return ProgressBar(shown(name))


_RUN = {"compress": _compress, "decompress": _decompress, "resume": _resume, "split": _split, "join": _join, "learn": _learn,
        "info": _info}


if __name__ == "__main__":
    sys.exit(main())
