"""Which run a checkpoint belongs to, and how one is found again."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib.coding.streams import AnyStreams
from lib.errors import CheckpointError, SettingsError
from lib.kinds import name_of
from lib.models import check_same
from lib.models.environment import MadeIn, made_in_from_header
from lib.parameters import Parameters
from lib.priors import Known, Prior
from lib.resume import checkpoint
from lib.resume.checkpoint import Checkpoint, check_name, coder_state_of
from lib.resume.keeper import Keeper
from lib.settings import Settings, decoding_parameters
from lib.sources.blocks import BlockSource
from lib.storage.files import check_target, is_same

if TYPE_CHECKING:
    from lib.coding.plan import Plan
    from lib.coding.predictor import Predictor
    from lib.sources.source import Source

DIRECTIONS = ("compress", "decompress")


@dataclass(frozen=True)
class Run:
    """What names a run: the same input, told by its SHA-256, coded the same way."""

    direction: str            # one of DIRECTIONS
    input_path: Path
    output_path: Path
    sha256: bytes             # of the input file
    overwrite: bool           # whether the output may be replaced
    settings: Settings        # what was asked for
    prior: Prior | None       # that contexts read first
    archive: int = 0          # the form of the folder that is compressed, see lib.storage.folders; 0 for a file
    mode: int = 0o666         # the permission bits that what is made of the input has at most
    leaves_files: bool = True # whether it may leave files beside its output: the state of a part, what was recovered of a damaged file

    @property
    def reads(self) -> list[Path]:
        """What it reads, and must not replace."""
        return [self.input_path, *([self.prior.path] if self.prior else [])]

    @property
    def folders(self) -> list[Path]:
        """Where what parts leave to each other lies: beside the output, or else the input."""
        return folders_of(self.input_path, self.output_path)

    def about(self, plan: "Plan", environment: MadeIn | None) -> dict[str, Any]:
        """What the run's checkpoints say of it."""
        return coding_of(plan.parameters, environment) | {
            "direction": self.direction, "input": str(self.input_path.absolute()),
            "output": str(self.output_path.absolute()), "sha256": self.sha256, "overwrite": self.overwrite,
            "asked": self.settings.asked(), "prior": str(self.prior.path.absolute()) if self.prior else "",
            "codes": plan.identity(), "groups": [list(group.parameters.to_header()) for group in plan.groups]}

    def known(self, plan: "Plan") -> Known:
        """What the run's prior holds for a plan. InputError where it is of other data."""
        return self.prior.known_for(plan) if self.prior and plan.parameters.prior != "none" else Known()


def folders_of(input_path: Path, output_path: Path) -> list[Path]:
    """Where what a run needs beside its input lies: beside the output, or else the input."""
    return list(dict.fromkeys((output_path.parent, input_path.parent)))


class RunCheckpoint:
    """The checkpoint of a run, where it has one: what it goes on from, and what is kept of it."""

    def __init__(self, path: Path | str | None, run: Run, warn: Callable[[str], Any]) -> None:
        """path: of the checkpoint, or None; warn: called with a line of text.

        Raises CheckpointError where the checkpoint belongs to another run, and OutputError where none can be written.
        """
        self._path, self._run, self._warn = path, run, warn
        self.found: Checkpoint | None = None              # that the run goes on from
        if path:
            check_name(path)
            own = [run.input_path, run.output_path, *([run.prior.path] if run.prior else [])]
            for place in (path, checkpoint.previous(path)):
                if any(is_same(place, other) for other in own):
                    raise CheckpointError(f"{place} is the run's own input or output", "choose another path for the checkpoint")
            check_target(path, overwrite=True)
            self.found = _find(path, run, warn)
        self.is_own = self.found is not None      # and not of the part before

    def go_on_from(self, state_before: Checkpoint | None, coded_with: Parameters | None = None) -> None:
        """Begin at the Checkpoint of the part before, where there is one and the run has none of its own yet.

        coded_with: the Parameters that the header of a part to be decoded says.
        """
        if not state_before or self.found:
            return
        check_coding(state_before, self._run.settings, "the parts before were coded", "leave it out, or begin with part 1 anew")
        if coded_with and parameters_of(state_before) != coded_with:
            raise CheckpointError(f"{state_before.path} is the state of a part that was coded in another way",
                                  "decompress the part before this one that was compressed in the same way")
        self.found = state_before

    @property
    def is_wanted(self) -> bool:
        """Whether the run keeps one."""
        return self._path is not None

    @property
    def settings(self) -> Settings:
        """What was asked for when the run began, which decides how its input is looked at; and how to run, as it is asked for now."""
        return asked_of(self.found, self._run.settings) if self.found and self.is_own else self._run.settings

    def with_groups(self, source: "Source") -> "Source":
        """A source of groups, which are coded as they were when the run began; others as they are."""
        if not self.found or not isinstance(source, BlockSource):
            return source
        try:
            return source.with_parameters([Parameters.from_header(*group) for group in self.found.about["groups"]])
        except (SettingsError, TypeError, ValueError) as error:
            raise CheckpointError(f"{self.found.path} says of other groups than the input has", "remove it to begin anew") from error

    def check_plan(self, plan: "Plan") -> None:
        """Refuse, with a CheckpointError, a plan that codes other symbols than the run that goes on did."""
        if self.found and self.is_own and self.found.about["codes"] != plan.identity():
            raise CheckpointError(f"{self.found.path} was begun on the same input, read in another way",
                                  f"remove {self.found.path} to begin anew")

    @property
    def made_in(self) -> MadeIn | None:
        """What the bits of the run so far depend on, or None."""
        return environment_of(self.found) if self.found else None

    def restore(self, predictor: "Predictor", streams: AnyStreams) -> tuple[int, Any]:
        """Give a predictor the state that was kept, if any; returns (the next step, the coder's state or None)."""
        if not self.found:
            return streams.first, None
        check_same(self.made_in, predictor.environment)
        if predictor.environment != self.made_in:
            raise CheckpointError(f"{self.found.path} was made with {self.made_in}, and this is {predictor.environment}",
                                  "a float network can only go on where it began")
        step = self.found.about["step"]
        if not streams.first <= step < max(streams.end, streams.first + 1):
            raise CheckpointError(f"{self.found.path} is of step {step:,}, and the run goes from {streams.first:,} to {streams.end:,}",
                                  "choose another checkpoint")
        predictor.restore(self.found, step)
        return step, coder_state_of(self.found, self._run.direction == "decompress") if self.is_own else None

    @contextlib.contextmanager
    def visits(self, plan: "Plan", predictor: "Predictor", of_direction: Callable[[int], tuple[dict, dict]]) -> Iterator[Callable | None]:
        """What loop.code calls between steps, as a context; None for a run that keeps nothing.

        of_direction: called with a step; returns (about, sections) that only encoders or only decoders keep.
        """
        if not self._path:
            yield None
            return
        if plan.parameters.coder != "numba":
            raise SettingsError(f"coder={plan.parameters.coder} has no checkpoints",
                                "leave the coder to the preset, or leave the checkpoint out", "coder")

        def state(step, segment):
            numbers, written = segment.coder.state()
            about, sections = of_direction(step)
            return about | {"step": step, "coder": numbers}, sections | {"coder": written} | predictor.sections()

        about = self._run.about(plan, predictor.environment)
        with Keeper(self._path, self._run.settings.checkpoint_minutes, about, self._warn, self._run.mode) as keeper:
            yield lambda step, segment: keeper.visit(lambda: state(step, segment))

    def done(self) -> None:
        """The output is complete: what was kept is no longer needed."""
        if self._path:
            checkpoint.remove(self._path)


def _find(path, run, warn):
    """The Checkpoint at `path` that `run` goes on from, or None where there is none yet."""
    found = checkpoint.newest(path, warn)
    if not found:
        return None
    check_run(found)
    about, anew = found.about, f"choose another checkpoint, or remove {path} to begin anew"
    if about["direction"] != run.direction:
        raise CheckpointError(f"{path} is of a run to {about['direction']} {about['input']}", anew)
    if about["sha256"] != run.sha256 and about["input"] == str(run.input_path.absolute()):
        raise CheckpointError(f"{run.input_path} has changed since {path} was begun", anew)
    if about["sha256"] != run.sha256:
        raise CheckpointError(f"{path} belongs to another input, {about['input']}, and not to {run.input_path}", anew)
    begun = asked_of(found)
    for name, value in run.settings.asked().items():
        if name in ("preset", "grid_width", "pixels") and getattr(begun, name) != value:
            raise CheckpointError(f"{path} was begun with {name}={getattr(begun, name)}, and not with {value}", anew, name)
    check_coding(found, run.settings, f"{path} was begun", anew)
    return found


def check_coding(found: Checkpoint, wanted: Settings, what: str, advice: str) -> None:
    """Refuse coding parameters that were chosen where the run goes on with something else."""
    parameters = parameters_of(found)
    for name, value in wanted.chosen().items():
        begun = getattr(parameters, name)
        if name == "contexts":
            begun = name_of(begun)                         # a person chooses a kind, whatever its version
        if begun != value:
            raise CheckpointError(f"{what} with {name}={begun}, and not with {value}", advice, name)


def asked_of(found: Checkpoint, how: Settings = Settings()) -> Settings:
    """What was asked for when a checkpoint's run began; how: says how to run."""
    try:
        wished = Settings().with_values(found.about["asked"])
    except SettingsError as error:
        raise CheckpointError(f"{found.path} cannot be used: {error.what}", error.advice) from error
    verify = wished.verify if how.verify == "no" else how.verify
    return wished.with_values({"verify": verify, **{wish.name: getattr(how, wish.name) for wish in decoding_parameters()}})


def coding_of(parameters: Parameters, environment: MadeIn | None) -> dict[str, Any]:
    """What names how a checkpoint's data is coded: what wrote it, the complete parameters, what its bits depend on or None."""
    from lib import __version__
    number, overrides = parameters.to_header()
    return {"lockstep": __version__, "preset": number, "overrides": overrides,
            "environment": list(environment.to_header()) if environment else []}


def environment_of(found: Checkpoint) -> MadeIn | None:
    """What a checkpoint's bits depend on, or None."""
    return made_in_from_header(found.about["environment"])


def parameters_of(found: Checkpoint) -> Parameters:
    """The complete parameters of a checkpoint's run."""
    try:
        return Parameters.from_header(found.about["preset"], found.about["overrides"])
    except SettingsError as error:
        raise CheckpointError(f"{found.path} cannot be used: {error.what}", error.advice) from error


# What a checkpoint says, and what that of a run says beside it.
_ABOUT = {"lockstep": str, "direction": str, "preset": int, "overrides": dict, "environment": list, "step": int}
_ABOUT_RUN = {"input": str, "output": str, "sha256": bytes, "overwrite": bool, "asked": dict, "prior": str,
              "codes": bytes, "coder": list, "groups": list}


def check_run(found: Checkpoint) -> None:
    """Refuse what is not the checkpoint of a run, by this version."""
    check_version(found)
    about = found.about
    if about["direction"] not in DIRECTIONS or not _says(found, _ABOUT_RUN):
        raise CheckpointError(f"{found.path} is not the checkpoint of a run", "a part's state is used automatically "
                              "when the next part is coded")
    names = (about["input"], about["output"])
    if not (all(names) and not any("\0" in name for name in (*names, about["prior"])) and len(about["sha256"]) == 32
            and all(isinstance(name, str) for name in about["asked"])
            and (about["direction"] == "decompress" or type(about.get("crc")) is int and 0 <= about["crc"] < 1 << 32)):
        raise CheckpointError(f"{found.path} holds a value out of bounds", "it is damaged: choose another checkpoint")


def _says(found, fields):
    return all(type(found.about.get(name)) is kind for name, kind in fields.items())


def check_version(found: Checkpoint) -> None:
    """Refuse a checkpoint of another version, or one that does not say what it must."""
    from lib import __version__
    if not _says(found, _ABOUT):
        raise CheckpointError(f"{found.path} lacks what a checkpoint must have", "choose another path for the checkpoint")
    if found.about["lockstep"] != __version__:
        raise CheckpointError(f"{found.path} was made by Lockstep {found.about['lockstep']}, and this is {__version__}",
                              "finish the run with that version, or remove the checkpoint to begin anew")
