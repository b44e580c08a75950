"""What can be typed: the commands, their arguments and their help."""

import argparse
import dataclasses

from lib import __version__, learned
from lib.compression import SUFFIX
from lib.priors import SUFFIX as PRIOR_SUFFIX
from lib.resume.splitting import MANIFEST_SUFFIX
from lib.settings import Settings, bounds_of, default_of
from lib.storage.paths import path_of_input, path_of_output


def command_parser() -> argparse.ArgumentParser:
    """What reads a command line: `command` of its result is the command's name. Its errors for names are LockstepErrors."""
    parser = argparse.ArgumentParser(
        prog="python -m lib", description="Lossless compression by contexts and a neural network that learn while they code.",
        epilog="COMMAND --help says more; compress --help lists all settings.")
    parser.add_argument("--version", action="version", version=f"Lockstep {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    preset = Settings.__dataclass_fields__["preset"].metadata
    one = _add_coding_command(commands, "compress", "make a .lks file of each file",
                              f"the .lks file to write, or a folder for them (default: the input's name with {SUFFIX})",
                              set_help="change one setting of the preset; may be given many times")
    one.add_argument("--preset", default="auto", metavar="NAME", help="; ".join((
        f"one of {', '.join(preset['choices'])} (default: auto)", preset["help"])))
    one.add_argument("--verify", action="store_true", help=(
        "decode the new file in a process of its own, and compare, before it gets its name; takes as long as decompressing"))
    one.epilog = "settings:\n" + _settings_help()
    one.formatter_class = argparse.RawDescriptionHelpFormatter
    back = _add_coding_command(commands, "decompress", "give the original of each .lks file back",
                               "the file to write, or a folder for them (default: the original's name, beside the .lks file)",
                               set_help="set backend=NAME or checkpoint_minutes=NUMBER; the file has the other settings")
    back.add_argument("--only", metavar="NAME", help="of a folder this file alone, without decoding what comes after it; info lists the names")
    again = commands.add_parser("resume", help="go on with a run that was stopped", description=(
        "continue a run that was stopped, from its checkpoint; the output is the same as without the stop"))
    again.add_argument("checkpoint", metavar="CHECKPOINT", type=path_of_input)
    _add_how(again, "set backend=NAME or checkpoint_minutes=NUMBER; the checkpoint has the other settings")
    _add_splitting_commands(commands)
    once = commands.add_parser("learn", help="learn a prior from your files, for similar ones", description=(
        "make a prior from training files: compress --prior learns from them first, and decompress needs the same prior. "
        "A prior helps with many small files like the training files. Give the most important last"))
    once.add_argument("input", metavar="FILE", type=path_of_input, nargs="+", help="the files to learn from")
    once.add_argument("-o", "--output", metavar=f"NAME{PRIOR_SUFFIX}", type=path_of_output, required=True, help="the prior to write")
    once.add_argument("-f", "--force", action="store_true", help="replace the output if it exists")
    once.add_argument("-q", "--quiet", action="store_true", help="no progress and no summary")
    _add_network_options(once)
    info = commands.add_parser("info", help="say what a .lks file holds, without decoding more than a folder's index")
    info.add_argument("input", metavar=f"IN{SUFFIX}", type=path_of_input)
    return parser


def _add_network_options(learn):
    group = learn.add_argument_group("a network", "With --network the prior holds weights that a network learned from the files, in minutes to hours. The "
                                     "state is kept beside the output, and the same command goes on after Ctrl-C")
    group.add_argument("--network", action="store_true", help="learn a network, in place of keeping the files for contexts")
    group.add_argument("--text", action="store_true", help="with --network: keep the files for contexts too")
    group.add_argument("--start", default="auto", metavar="NAME", help=(
        f"weights to begin with: none, {', '.join(learned.NAMES)} or a prior's path (default: text-small-1 for text, else none)"))
    for name, what in (("layers", "LSTM layers, from none (default: 2)"), ("units", "width of a layer, from none (default: 200)"),
                       ("embedding", "width of a symbol's embedding, from none (default: 64)")):
        group.add_argument(f"--{name}", type=_positive(int), metavar="N", help=what)
    group.add_argument("--hours", type=_positive(float), default=1.0, metavar="H", help="time at most (default: 1)")
    group.add_argument("--epochs", type=_positive(float), default=20.0, metavar="E", help="rounds over the files at most (default: 20)")
    group.add_argument("--rate", type=_positive(float), metavar="R", help="Adam's learning rate at its highest (default: 0.006; from weights 0.002)")
    group.add_argument("--finish", action="store_true", help="learn no more: make the prior of the best weights of a run that was stopped")
    group.add_argument("--plot", metavar="PICTURE", type=path_of_output, help="a .png or .svg file for the curve of bits per symbol")


def _positive(kind):
    """What reads a number above zero."""
    def read(text):
        try:
            number = kind(text)
        except ValueError:
            number = 0
        if not 0 < number < 1e9:
            raise argparse.ArgumentTypeError(f"must be a {'whole ' if kind is int else ''}number above 0, got {text!r}")
        return number
    return read


def _add_coding_command(commands, name, help, output_help, set_help):
    """A command that makes a file of each file it reads."""
    command = commands.add_parser(name, help=help, description=help)
    read = "the files to read, or folders" if name == "compress" else f"the {SUFFIX} files to read"
    command.add_argument("input", metavar="IN", type=path_of_input, nargs="+", help=read)
    command.add_argument("-o", "--output", metavar="OUT", type=path_of_output, help=output_help)
    command.add_argument("-f", "--force", action="store_true", help="replace the output if it exists")
    command.add_argument("-c", "--checkpoint", metavar="PATH", type=path_of_output, help=(
        "save the run's state there from time to time and at Ctrl-C; the same command, or resume PATH, continues it"))
    command.add_argument("-p", "--prior", metavar="PRIOR", type=path_of_input, help="a prior that learn made")
    _add_how(command, set_help)
    return command


def _add_splitting_commands(commands):
    cut = commands.add_parser("split", help="cut a long file into parts for several sessions", description=(
        "cut a long file into parts, which are compressed one after the other: each goes on from the state that the one "
        "before left beside its .lks file. The sizes add up to that of the file compressed in one go"))
    cut.add_argument("input", metavar="IN", type=path_of_input, help="the file to cut")
    cut.add_argument("-n", "--parts", type=int, required=True, metavar="N", help="how many parts")
    cut.add_argument("-o", "--output", metavar="FOLDER", type=path_of_output, help="where the parts go (default: beside the file)")
    cut.add_argument("-i", "--independent", action="store_true",
                     help="independent parts, for several machines in parallel: faster, but larger files")
    cut.add_argument("-b", "--batch-size", type=int, metavar="B", help="streams that the file is laid out in (default: by size)")
    put = commands.add_parser("join", help="put the parts together again", description=(
        f"join parts that were decompressed into one folder; all are checked against the {MANIFEST_SUFFIX} file"))
    put.add_argument("input", metavar=f"IN{MANIFEST_SUFFIX}", type=path_of_input, help="the manifest, with the parts beside it")
    put.add_argument("-o", "--output", metavar="OUT", type=path_of_output, help="the file to write (default: the original's name)")
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
