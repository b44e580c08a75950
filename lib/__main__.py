"""The command line: python -m lib compress | decompress | resume | split | join | learn | info."""

import argparse
import contextlib
import dataclasses
import os
import signal
import sys
from pathlib import Path

from lib import __version__
from lib.compression import SUFFIX, compress, decompress, resume
from lib.contents import inspect
from lib.errors import InputError, LockstepError
from lib.interruptions import EXIT_CODE, as_interrupts
from lib.priors import SUFFIX as PRIOR_SUFFIX
from lib.priors import learn
from lib.resume.splitting import MANIFEST_SUFFIX, join, split
from lib.settings import Settings, bounds_of, default_of
from lib.storage.folders import is_folder

_READ_PER_SECOND = 35_000
TRACEBACK = "LOCKSTEP_TRACEBACK"     # set in the environment to see where an unexpected error comes from


def main(arguments=None):
    """Run one command; returns the exit code: 0 only where the output is complete and checked."""
    for stream in (sys.stdout, sys.stderr):      # names may hold letters that the terminal cannot show
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        with as_interrupts():
            options.run(options)
        sys.stdout.flush()
        return 0
    except OSError as error:                     # of standard output: all other files have errors of their own
        sys.stdout = open(os.devnull, "w")       # else Python tries again at its end, and complains
        if isinstance(error, BrokenPipeError):
            return 0                             # the reader has seen enough; the files are complete
        print(f"lockstep: cannot write to standard output: {error.strerror}", file=sys.stderr)
    except LockstepError as error:
        print(f"lockstep: {error}", file=sys.stderr)
    except MemoryError:
        print("lockstep: the memory of this machine is used up; use a smaller network or a smaller input",
              file=sys.stderr)
    except Exception as error:                   # a fault of ours or of a library; still one line, as for a user
        if TRACEBACK in os.environ:
            raise
        said = (str(error).splitlines() or [""])[0]
        print(f"lockstep: stopped by {type(error).__name__}: {said}. Nothing was written; please report this, with "
              f"what {TRACEBACK}=1 in the environment makes it show", file=sys.stderr)
    except KeyboardInterrupt as interruption:
        kept = getattr(options, "checkpoint", None)
        said = f"python -m lib resume {kept} goes on" if kept and kept.exists() else "nothing was written"
        print(f"lockstep: interrupted; {said}", file=sys.stderr)
        return EXIT_CODE + getattr(interruption, "number", signal.SIGINT)
    return 1


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m lib", description="Lossless compression by contexts and a neural network that learn while they code.",
        epilog="COMMAND --help says more; compress --help lists all settings.")
    parser.add_argument("--version", action="version", version=f"Lockstep {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    preset = Settings.__dataclass_fields__["preset"].metadata
    one = _add_coding_command(commands, "compress", _compress, "make a .lks file of each file",
                              f"the .lks file to write, or a folder for them (default: the input's name with {SUFFIX})",
                              set_help="change one setting of the preset; may be given many times")
    one.add_argument("--preset", default="auto", metavar="NAME", help="; ".join((
        f"one of {', '.join(preset['choices'])} (default: auto)", preset["help"])))
    one.epilog = "settings:\n" + _settings_help()
    one.formatter_class = argparse.RawDescriptionHelpFormatter
    _add_coding_command(commands, "decompress", _decompress, "give the original of each .lks file back",
                        "the file to write, or a folder for them (default: the original's name, beside the .lks file)",
                        set_help="how to run: backend=NAME, checkpoint_minutes=NUMBER; the file says the rest itself")
    again = commands.add_parser("resume", help="go on with a run that was stopped", description=(
        "go on with a run that was stopped, from the checkpoint it was given; its output is the same as of an unbroken run"))
    again.add_argument("checkpoint", metavar="CHECKPOINT", type=Path)
    _add_how(again, "how to run: backend=NAME, checkpoint_minutes=NUMBER; the checkpoint says the rest itself")
    again.set_defaults(run=_resume)
    _add_splitting_commands(commands)
    once = commands.add_parser("learn", help="learn from files of yours, for many small or similar ones", description=(
        "make a prior of training files: compress --prior begins from what they teach, and decompression asks for the same "
        "prior. It pays where many files are like them and smaller. Those that matter most go last"))
    once.add_argument("input", metavar="FILE", type=Path, nargs="+", help="the files to learn from")
    once.add_argument("-o", "--output", metavar=f"NAME{PRIOR_SUFFIX}", type=Path, required=True, help="the prior to write")
    once.add_argument("-f", "--force", action="store_true", help="replace the output if it exists")
    once.add_argument("-q", "--quiet", action="store_true", help="no summary")
    once.set_defaults(run=_learn)
    info = commands.add_parser("info", help="say what a .lks file holds, without decoding it")
    info.add_argument("input", metavar=f"IN{SUFFIX}", type=Path)
    info.set_defaults(run=_info)
    return parser


def _add_coding_command(commands, name, run, help, output_help, set_help):
    """A command that makes a file of each file it reads."""
    command = commands.add_parser(name, help=help, description=help)
    command.add_argument("input", metavar="IN", type=Path, nargs="+", help="the files to read, or folders")
    command.add_argument("-o", "--output", metavar="OUT", type=Path, help=output_help)
    command.add_argument("-f", "--force", action="store_true", help="replace the output if it exists")
    command.add_argument("-c", "--checkpoint", metavar="PATH", type=Path, help=(
        "keep the state of the run there, now and then and at Ctrl-C; the same command, or resume PATH, goes on from it"))
    command.add_argument("-p", "--prior", metavar="PRIOR", type=Path, help="what was learned before; see learn")
    _add_how(command, set_help)
    command.set_defaults(run=run)
    return command


def _add_splitting_commands(commands):
    cut = commands.add_parser("split", help="cut a long file into parts for several sessions", description=(
        "cut a long file into parts, which are compressed one after the other: each goes on from the state that the one "
        "before left beside its .lks file. The sizes add up to that of the file compressed in one go"))
    cut.add_argument("input", metavar="IN", type=Path, help="the file to cut")
    cut.add_argument("-n", "--parts", type=int, required=True, metavar="N", help="how many parts")
    cut.add_argument("-o", "--output", metavar="FOLDER", type=Path, help="where the parts go (default: beside the file)")
    cut.add_argument("-i", "--independent", action="store_true",
                     help="parts that know nothing of each other, for machines side by side: faster, and larger files")
    cut.add_argument("-b", "--batch-size", type=int, metavar="B", help="streams that the file is laid out in (default: by size)")
    cut.set_defaults(run=_split)
    put = commands.add_parser("join", help="put the parts together again", description=(
        f"put parts that were decompressed into one folder together again, all checked against the {MANIFEST_SUFFIX} file"))
    put.add_argument("input", metavar=f"IN{MANIFEST_SUFFIX}", type=Path, help="the manifest, with the parts beside it")
    put.add_argument("-o", "--output", metavar="OUT", type=Path, help="the file to write (default: the original's name)")
    put.set_defaults(run=_join)
    for command in (cut, put):
        command.add_argument("-f", "--force", action="store_true", help="replace what exists")
        command.add_argument("-q", "--quiet", action="store_true", help="no summary")


def _add_how(command, set_help):
    command.add_argument("-q", "--quiet", action="store_true", help="no progress and no summary")
    command.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help=set_help)


def _settings_help():
    lines = []
    for parameter in dataclasses.fields(Settings):
        if parameter.name == "preset":
            continue                             # has an option of its own
        facts = parameter.metadata
        bounds = bounds_of(parameter)
        lines.append(f"  {parameter.name}={default_of(parameter.name)}  ({bounds})\n      {facts['help']}")
    return "\n".join(lines)


def _code_each(options, code, settings, say):
    """Code each input with `code`, compress or decompress. What fails is said, and stops none of the others."""
    several, failed = len(options.input) > 1, 0
    if several and options.output and not is_folder(options.output):
        raise InputError(f"several files need a folder for their outputs, and {options.output} is none", "make it first")
    if several and options.checkpoint:
        raise InputError("a checkpoint is for one file", "give one")
    for path in options.input:
        try:
            with _progress(options, path.name) as progress:
                result = code(path, options.output, settings, progress=progress, warn=_warn, note=_note(options),
                              overwrite=options.force, checkpoint=options.checkpoint, prior=options.prior)
        except LockstepError as error:
            if not several:
                raise
            print(f"lockstep: {path}: {error}", file=sys.stderr)
            failed += 1
        else:
            say(options, result)
    if failed:
        raise InputError(f"{failed} of {len(options.input)} files failed, the others are done")


def _compress(options):
    settings = Settings().with_values({"preset": options.preset}).with_text(options.set)
    _code_each(options, compress, settings, _say_compressed)


def _say_compressed(options, result):
    if not options.quiet:
        how = result.parameters.summary() if result.parameters else "stored as it is, as it does not shrink"
        how += f"; computed by {result.backend}" if result.backend else ""
        print(f"{result.output_path}: {result.original_bytes:,} -> {result.compressed_bytes:,} bytes, "
              f"{result.bits_per_byte:.3f} bits per byte, {result.seconds:.1f} s ({how})")


def _decompress(options):
    _code_each(options, decompress, Settings().with_text(options.set), _say_decompressed)


def _say_decompressed(options, result):
    if not options.quiet:
        print(f"{result.output_path}: {result.original_bytes:,} bytes, SHA-256 {result.sha256} checked, "
              f"{result.seconds:.1f} s")


def _resume(options):
    with _progress(options, options.checkpoint.name) as progress:
        result = resume(options.checkpoint, Settings().with_text(options.set), progress=progress, note=_note(options),
                        warn=_warn)
    (_say_compressed if result.direction == "compress" else _say_decompressed)(options, result)


def _split(options):
    path, manifest = split(options.input, options.parts, options.output, batch_size=options.batch_size,
                           independent=options.independent, overwrite=options.force)
    if not options.quiet:
        print(f"{path}: {len(manifest.parts)} parts of {manifest.name}, {manifest.size:,} bytes")


def _join(options):
    path, manifest = join(options.input, options.output, overwrite=options.force)
    if not options.quiet:
        print(f"{path}: {manifest.size:,} bytes, SHA-256 {manifest.sha256} checked")


def _learn(options):
    prior = learn(options.input, options.output, overwrite=options.force)
    if not options.quiet:
        print(f"{prior.path}: {len(prior.text):,} bytes of {len(prior.files)} files in {prior.size:,}; SHA-256 begins with "
              f"{prior.name}; runs that use it begin by reading it, about {len(prior.text) / _READ_PER_SECOND:.0f} s")


def _warn(line):
    print(f"lockstep: warning: {line}", file=sys.stderr)


def _info(options):
    contents = inspect(options.input)
    for what, text in contents.facts():
        print(f"{what:<16}{text}")
    if contents.fault:
        raise contents.fault


def _is_watched(options):
    return not options.quiet and sys.stderr.isatty()


def _note(options):
    """What shows lines on how a run goes, where somebody wants them."""
    return (lambda line: print(f"lockstep: {line}", file=sys.stderr)) if _is_watched(options) else lambda line: None


def _progress(options, name):
    """A progress bar where standard error is a terminal, as a context that may be None."""
    if not _is_watched(options):
        return contextlib.nullcontext()
    from lib.progress import ProgressBar
    return ProgressBar(name)


if __name__ == "__main__":
    sys.exit(main())
