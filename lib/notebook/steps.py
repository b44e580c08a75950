"""The cells of the notebooks, one function each, in the order in which they run."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lib
from lib.coding import calibration
from lib.compression import SUFFIX, Result
from lib.contents import input_bytes, model_of
from lib.errors import OutputError
from lib.notebook import host, inputs
from lib.notebook.boxes import box, boxed, say
from lib.notebook.form import Form
from lib.notebook.live import LiveProgress
from lib.notebook.pictures import show_code_lengths
from lib.notebook.report import compare_with_standard, show_table
from lib.progress import ByteBar
from lib.resume.splitting import MANIFEST_SUFFIX, Manifest
from lib.sample import make_sample
from lib.settings import Settings
from lib.storage.files import free_name
from lib.storage.names import near_name


@boxed
def form(choices: Mapping[str, Any], settings: Mapping[str, Any] = {}, splitting: Mapping[str, Any] = {}) -> Form:
    """Show the form and return it: see Form. Its button does what the cells below it do."""
    shown = Form(choices, settings, splitting)
    shown.show({"compress": _compress_all, "decompress": _decompress_all, "split or join": _split_or_join_all}[shown.task])
    return shown


def _compress_all(form):
    result = compress(form)
    report_compression(result)
    deliver(result, form)


def _decompress_all(form):
    result = decompress(form)
    report_decompression(result)
    deliver(result, form)


def _split_or_join_all(form):
    result = split_or_join(form)
    report_splitting(result)
    deliver_parts(result, form)


def _unless_it_waits(step):
    """A cell's function that does nothing, and returns None, where the form still waits for a file, or nothing came from it."""
    @functools.wraps(step)
    def guarded(given, *more):
        if given is None:
            return None
        if isinstance(given, Form) and given.waits:
            if not host.is_app():
                say(f"Choose a file above, then press {given.task.capitalize()}.")
            return None
        return step(given, *more)
    return guarded


@boxed
@_unless_it_waits
def compress(form: Form) -> Result:
    """Compress what the form chose; returns the Result."""
    choices = form.choices()
    folder = _output_folder(choices)
    input_path = inputs.find_input(choices, form.uploaded(), make_sample)
    output_path = inputs.output_for(input_path, folder)
    with LiveProgress(f"Compressing {input_path.name}") as progress:
        result = lib.compress(input_path, output_path, form.settings(), progress=progress, warn=_warn,
                              note=say, overwrite=True, checkpoint=_checkpoint_path(output_path, choices),
                              prior=choices.prior_file or None, code_lengths=True)
    _finish(progress, result)
    return result


@boxed
@_unless_it_waits
def decompress(form: Form) -> Result:
    """Say what the chosen .lks file holds and give its original back; returns the Result."""
    choices = form.choices()
    folder = _output_folder(choices)
    input_path = inputs.find_input(choices, form.uploaded(), _newest_or_sample)
    contents = lib.inspect(input_path)
    show_table([("file", str(input_path)), *contents.facts()])
    output_path = free_name(folder / near_name(contents.header.name))
    with LiveProgress(f"Decompressing {input_path.name}") as progress:
        result = lib.decompress(input_path, output_path, form.settings(), progress=progress, warn=_warn,
                                note=say, checkpoint=_checkpoint_path(output_path, choices),
                                prior=choices.prior_file or None)
    _finish(progress, result)
    return result


@boxed
@_unless_it_waits
def report_compression(result: Result) -> None:
    """What a compression did, as a table, and beside the standard compressors."""
    show_table([*_sizes(result), *_tokens(result), ("SHA-256", f"{result.sha256} (of the original)"),
                ("model", model_of(result.parameters)),
                *_computed_by(result), ("file", str(result.output_path))])
    show_code_lengths(result)
    compare_with_standard(result, input_bytes(result.input_path))


@boxed
@_unless_it_waits
def report_decompression(result: Result) -> None:
    """What a decompression did, as a verdict and a table."""
    box("good", f"{result.output_path.name} is the original, bit for bit", [f"SHA-256 {result.sha256}, as the file says"])
    show_table([*_sizes(result), *_computed_by(result), ("file", str(result.output_path))])


@boxed
@_unless_it_waits
def deliver(result: Result, form: Form) -> None:
    """Hand the output over as chosen: a link or a download, and a copy on Drive."""
    wanted = form.choices().output_to
    if wanted == "drive":
        say(f"Copied to {host.copy_to_drive(result.output_path)}")
    host.offer([result.output_path], download=wanted in ("auto", "download"))
    _say_where(result.output_path)


@boxed
@_unless_it_waits
def split_or_join(form: Form) -> "Outcome":
    """Cut a file into parts, or put parts together again; returns an Outcome."""
    choices, splitting = form.choices(), form.splitting()
    folder = _output_folder(choices)
    input_path = inputs.find_input(choices, form.uploaded(), make_sample)
    joins = splitting.action == "join" or splitting.action == "auto" and input_path.name.endswith(MANIFEST_SUFFIX)
    with ByteBar(f"{'Joining' if joins else 'Splitting'} {input_path.name}") as bar:
        if joins:
            name = Manifest.read(input_path).name
            path, manifest = lib.join(input_path, free_name(folder / name), progress=bar)
            return Outcome(manifest, path, [path])
        path, manifest = lib.split(input_path, splitting.parts, folder, batch_size=splitting.streams or None,
                                   independent=splitting.kind == "independent", overwrite=True, progress=bar)
    return Outcome(manifest, path, [path, *(folder / name for name, _, _ in manifest.parts)])


@dataclass(frozen=True)
class Outcome:
    """What splitting or joining made."""

    manifest: Manifest
    path: Path               # of the manifest, or of the joined file
    made: list               # paths of all files


@boxed
@_unless_it_waits
def report_splitting(outcome: Outcome) -> None:
    """What was split or joined, as a table."""
    manifest = outcome.manifest
    streams = f"{manifest.batch_size} stream{'s' if manifest.batch_size > 1 else ''}"
    kind = f"aligned, {streams}" if manifest.batch_size else "independent"
    show_table([("whole", f"{manifest.name}, {manifest.size:,} bytes"), ("SHA-256", manifest.sha256), ("parts", kind)])
    show_table([(name, f"{size:,}", sha256[:16]) for name, size, sha256 in manifest.parts], ("part", "bytes", "SHA-256 begins"))
    if len(outcome.made) > 1:
        order = "one after the other, in order" if manifest.batch_size else "in any order"
        say(f"Compress the parts with compress.ipynb, {order}. Keep {outcome.path.name} for joining them.")


@boxed
@_unless_it_waits
def deliver_parts(outcome: Outcome, form: Form) -> None:
    """Say where the files are, and copy them to Drive where that was chosen."""
    wanted = form.choices().output_to
    if wanted == "drive":
        for path in outcome.made:
            say(f"Copied to {host.copy_to_drive(path)}")
    host.offer(outcome.made, download=wanted == "download")
    for path in outcome.made:
        _say_where(path)


def _checkpoint_path(output_path, choices):
    """Where a run keeps its state: beside the output, or on Drive, which outlives the machine."""
    folder = host.mount_drive() if choices.output_to == "drive" else output_path.parent
    return folder / f"{output_path.name}.checkpoint"


def _newest_or_sample(folder):
    """The newest .lks file in `folder`, or the built-in sample, compressed on the spot."""
    files = sorted(folder.glob("*" + SUFFIX), key=lambda path: path.stat().st_mtime)
    if files:
        return files[-1]
    sample = make_sample(folder)
    return lib.compress(sample, settings=Settings(preset="fast")).output_path


def _output_folder(choices):
    """The folder for outputs, made where it is missing."""
    folder = Path(choices.output_folder or ".").expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}: {error.strerror}", "choose another output_folder") from error
    return folder


def _say_where(path):
    say(f"The file is {host.beside(path)}, beside this notebook" if host.beside(path) else f"The file is {path.resolve()}")


def _warn(line):
    say(f"Warning: {line}")


def _sizes(result):
    """Rows on sizes and time, for both directions."""
    return [("original", f"{result.original_bytes:,} bytes"),
            ("compressed", f"{result.compressed_bytes:,} bytes"),
            ("bits per byte", f"{result.bits_per_byte:.3f}"),
            ("time", f"{result.seconds:,.1f} s, {result.bytes_per_second:,.0f} bytes/s")]


def _tokens(result):
    """Rows on a video of tokens: its size as the field counts it, so many bits for each token, and the ratio to that."""
    if not hasattr(result.source, "frames"):
        return []
    source = result.source
    plain = source.symbol_count * source.code_bits / 8
    frames, height, width = source.frames().shape
    return [("tokens", f"{source.symbol_count:,} in {frames:,} frames of {height} x {width}"),
            ("bits per token", f"{8 * result.compressed_bytes / source.symbol_count:.3f}"),
            ("ratio", f"{plain / result.compressed_bytes:.3f} to {plain:,.0f} bytes, {source.code_bits} bits a token")]


def _computed_by(result):
    """A row on the network's backend, where there was a network."""
    return [("computed by", result.backend)] if result.backend else []


def _finish(progress, result):
    """Take into account how fast this machine is, and write the final plot beside the output, which is complete whatever becomes of that."""
    if result.plan and progress.symbols_per_second:
        calibration.note(result.plan, progress.symbols_per_second)
    try:
        progress.save(result.output_path.with_name(result.output_path.name + ".progress.png"))
    except OutputError as error:
        _warn(str(error))
