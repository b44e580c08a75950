"""The cells of the notebooks, one function each, in the order in which they run; and the same for a form's button."""

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
from lib.notebook.choices import Choices
from lib.notebook.curve import Plot
from lib.notebook.form import Form
from lib.notebook.live import show_course, watched
from lib.notebook.parts import line_on_next, list_of, may_replace, pack, states_of
from lib.notebook.pictures import show_code_lengths
from lib.notebook.place import run_script, show
from lib.notebook.report import compare_with_standard, computed_by, show_table, sizes_of, tokens_of
from lib.notebook.runs import Run
from lib.resume.splitting import MANIFEST_SUFFIX, Manifest
from lib.sample import make_sample
from lib.settings import Settings
from lib.storage.files import free_name, write_file
from lib.storage.names import near_name


@boxed
def form(choices: Mapping[str, Any], settings: Mapping[str, Any] = {}, splitting: Mapping[str, Any] = {}, network: Mapping[str, Any] = {},
         change_the_network: bool = False) -> Form:
    """Show the form and return it: see Form. Its button does what the cells below it do.

    network: further settings, which are left to the preset unless `change_the_network`.
    """
    shown = Form(choices, {**settings, **(network if change_the_network else dict.fromkeys(network, "preset"))}, splitting)
    parts: dict[str, tuple[Any, Any]] = {"compress": (_compression, functools.partial(_report_coding, _say_how_small, _show_details)),
                                         "decompress": (_decompression, functools.partial(_report_coding, _say_verdict, _show_facts)),
                                         "split or join": (_splitting, _report_splitting)}
    shown.show(*parts[shown.task])
    return shown


def _unless_it_waits(step):
    """A cell's function that does nothing, and returns None, where the form still waits for a file, or nothing came from it."""
    @functools.wraps(step)
    def guarded(given, *more):
        if given is None or isinstance(given, Form) and given.waits:
            return None
        return step(given, *more)
    return guarded


# --- to compress ---

@boxed
@_unless_it_waits
def compress(form: Form) -> Result:
    """Compress what the form chose; returns the Result."""
    return watched(_compression(form))


@boxed
@_unless_it_waits
def report_compression(result: Result) -> None:
    """What a compression did: how small it became, a table, and the standard compressors beside it."""
    _say_how_small(result)
    _show_details(result)


@boxed
@_unless_it_waits
def deliver(result: Result, form: Form) -> None:
    """Hand the output over as chosen: a link or a download, and a copy on Drive."""
    is_original = result.direction == "decompress"           # the name is given back too, even where a file here has it
    name = near_name(lib.inspect(result.input_path).header.name) if is_original else result.input_path.name + SUFFIX
    _deliver([result.output_path], [name], form.choices(), states_of(result))
    if form.uploaded() == result.input_path and form.choices().output_to != "disk":
        run_script(host.script_that_downloads(name))             # what came by the browser goes back that way
    if following := line_on_next(result):
        say(following)


def _compression(form):
    choices = form.choices()
    folder = inputs.output_folder(choices)
    input_path = inputs.find_input(choices, form.uploaded(), make_sample)
    code = functools.partial(lib.compress, overwrite=True, code_lengths=True)
    return _coding(form, "Compressing", code, input_path, inputs.output_for(input_path, folder))


def _say_how_small(result):
    original, compressed = result.original_bytes, result.compressed_bytes
    times = f"{1 - compressed / original:.0%} smaller, {original / compressed:.1f} times" if compressed < original else "it does not shrink"
    box("good", f"{original:,} → {compressed:,} bytes: {times}", [f"{result.output_path.name}, {result.seconds:,.1f} s"])


def _show_details(result):
    show_table([*sizes_of(result), *tokens_of(result), ("SHA-256", f"{result.sha256} (of the original)"),
                ("model", model_of(result.plan)), *computed_by(result), ("file", str(result.output_path))])
    show_code_lengths(result)
    compare_with_standard(result, input_bytes(result.input_path))


# --- to decompress ---

@boxed
@_unless_it_waits
def decompress(form: Form) -> Result:
    """Give the original of the chosen .lks file back; returns the Result."""
    return watched(_decompression(form))


@boxed
@_unless_it_waits
def report_decompression(result: Result) -> None:
    """What a decompression did: a verdict and a table."""
    _say_verdict(result)
    _show_facts(result)


def _decompression(form):
    choices = form.choices()
    folder = inputs.output_folder(choices)
    input_path = inputs.find_input(choices, form.uploaded(), _newest_or_sample)
    return _coding(form, "Decompressing", lib.decompress, input_path, free_name(folder / near_name(lib.inspect(input_path).header.name)))


def _say_verdict(result):
    box("good", f"{result.output_path.name} is the original, bit for bit",
        [f"{result.compressed_bytes:,} → {result.original_bytes:,} bytes, {result.seconds:,.1f} s", f"SHA-256 {result.sha256}, as the file says"])


def _show_facts(result):
    show_table([*lib.inspect(result.input_path).facts(), *computed_by(result), ("file", str(result.output_path))])


# --- to split and join ---

@boxed
@_unless_it_waits
def split_or_join(form: Form) -> "Outcome":
    """Cut a file into parts, or put parts together again; returns an Outcome."""
    return watched(_splitting(form))


@dataclass(frozen=True)
class Outcome:
    """What splitting or joining made."""

    manifest: Manifest
    path: Path               # of the manifest, or of the joined file
    made: list[Path]         # of all files
    packed: Path | None      # one zip of them, where the browser is to have them

    @property
    def was_joined(self) -> bool:
        return self.made == [self.path]


@boxed
@_unless_it_waits
def report_splitting(outcome: Outcome) -> None:
    """What was split or joined: a verdict, a list of the parts, and what to do with them."""
    _say_parts_verdict(outcome)
    _show_parts(outcome)


@boxed
@_unless_it_waits
def deliver_parts(outcome: Outcome, form: Form) -> None:
    """Hand over what was made: a zip of all parts, or the joined file; on Drive the files themselves."""
    choices = form.choices()
    if outcome.was_joined:
        _deliver(outcome.made, [outcome.manifest.name], choices)
    elif choices.output_to == "drive":
        _copy_to_drive(outcome.made)
    elif outcome.packed:
        _deliver([outcome.packed], [outcome.packed.name], choices)


def _say_parts_verdict(outcome):
    manifest = outcome.manifest
    if outcome.was_joined:
        box("good", f"{outcome.path.name} is whole again, bit for bit", [f"{manifest.size:,} bytes, SHA-256 {manifest.sha256}, as the manifest says"])
        return
    streams = f" in {manifest.batch_size} streams" if manifest.batch_size > 1 else ""
    kind = f"each goes on from the one before{streams}" if manifest.batch_size else "independent of each other"
    box("good", f"{manifest.name} is in {len(manifest.parts)} parts: {kind}", [f"{manifest.size:,} bytes, SHA-256 {manifest.sha256}"])


def _show_parts(outcome):
    if outcome.was_joined:
        return
    show_table(list_of(outcome.manifest, outcome.path.parent), ("part", "bytes", "SHA-256 begins", "compressed"))
    order = "one after the other, in order" if outcome.manifest.batch_size else "in any order"
    say(f"Compress the parts with compress.ipynb, {order}. Keep {outcome.path.name} for joining them.")


def _splitting(form):
    choices, splitting = form.choices(), form.splitting()
    folder = inputs.output_folder(choices)
    input_path = inputs.find_input(choices, form.uploaded(), make_sample)
    joins = splitting.action == "join" or splitting.action == "auto" and input_path.name.endswith(MANIFEST_SUFFIX)

    def work(run: Run) -> Outcome:
        if joins:
            path, manifest = lib.join(input_path, free_name(folder / Manifest.read(input_path).name), progress=run.take_bytes)
            return Outcome(manifest, path, [path], None)
        folder_of_parts = inputs.folder_for_parts(input_path, folder)
        path, manifest = lib.split(input_path, splitting.parts, folder_of_parts, batch_size=splitting.streams or None,
                                   independent=splitting.kind == "independent", overwrite=True, progress=run.take_bytes)
        made = [path, *(path.parent / name for name, _, _ in manifest.parts)]
        packed = None
        if choices.output_to not in ("disk", "drive"):
            run.say("Putting the parts into one zip, to take along.")
            packed = pack(made, path.parent / f"{input_path.name}.parts.zip", run.take_bytes)
        return Outcome(manifest, path, made, packed)

    return Run(f"{'Joining' if joins else 'Splitting'} {input_path.name}", work)


def _report_splitting(run, form):
    _say_parts_verdict(run.result)
    deliver_parts(run.result, form)
    _show_parts(run.result)


# --- what they share ---

def _coding(form, doing, code, input_path, output_path):
    """The Run of lib.compress or lib.decompress."""
    choices, settings = form.choices(), form.settings()
    # Where the run keeps its state: beside the output, or on Drive, which outlives the machine.
    folder = host.drive_folder() if choices.output_to == "drive" else output_path.parent

    def work(run: Run) -> Result:
        checkpoint = folder / inputs.checkpoint_name(input_path, settings)
        result = code(input_path, output_path, settings, progress=run.take, warn=run.warn, note=run.say, checkpoint=checkpoint,
                      prior=choices.prior_file or None)
        _finish(run, result)
        return result

    return Run(f"{doing} {input_path.name}", work)


def _report_coding(say_first, show_rest, run, form):
    """Show what came of a Run of `_coding` in the order in which people want to know it."""
    say_first(run.result)
    deliver(run.result, form)
    show_course(run)
    show_rest(run.result)


def _finish(run, result):
    """Take into account how fast this machine is, and write the final plot beside the output, which is complete whatever becomes of that."""
    if result.plan and run.symbols_per_second:
        calibration.note(result.plan, run.symbols_per_second)
    if len(run.curve):
        try:
            write_file(result.output_path.with_name(result.output_path.name + ".progress.png"), Plot(run.title).png(run.curve), overwrite=True)
        except OutputError as error:
            run.warn(str(error))


def _deliver(paths, names, choices: Choices, states=()):
    """Hand files over under some names, as chosen. states: of a part, what has to lie beside it on Drive."""
    if choices.output_to == "drive":
        _copy_to_drive([*paths, *states])
    if choices.output_to in ("auto", "download"):
        host.hand_over(paths)
    if links := host.links(paths, names):
        show(links, "")
    for path in paths:
        say(f"The file is {host.where(path)}")


def _copy_to_drive(paths):
    for path in host.copy_to_drive(paths, may_replace):
        say(f"Copied to {path}")


def _newest_or_sample(folder):
    """The newest .lks file in `folder`, or the built-in sample, compressed on the spot."""
    files = sorted(folder.glob("*" + SUFFIX), key=lambda path: path.stat().st_mtime)
    if files:
        return files[-1]
    sample = make_sample(folder)
    return lib.compress(sample, settings=Settings(preset="fast")).output_path
