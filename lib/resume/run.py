"""Which run a checkpoint belongs to, and how one is found again."""

import contextlib
import dataclasses
from dataclasses import dataclass
from pathlib import Path

from lib import priors
from lib.errors import CheckpointError, InputError, SettingsError
from lib.models.environment import Environment
from lib.priors import Prior
from lib.resume import checkpoint
from lib.resume.checkpoint import Keeper, coder_state_of
from lib.settings import Settings
from lib.storage.files import check_target

DIRECTIONS = ("compress", "decompress")


@dataclass(frozen=True)
class Run:
    """What names a run: the same input, told by its SHA-256, coded the same way."""

    direction: str            # one of DIRECTIONS
    input_path: Path
    output_path: Path
    sha256: bytes             # of the input file
    overwrite: bool           # whether the output may be replaced
    preset: str               # what was asked for; auto takes what a checkpoint has
    prior: Prior | None       # that was named
    is_folder: bool = False   # whether what is compressed is a folder
    pixels: str = "no"        # see Settings

    @property
    def folders(self):
        """Where what parts leave to each other lies: beside the output, or else the input."""
        return list(dict.fromkeys((self.output_path.parent, self.input_path.parent)))

    def about(self, settings, environment):
        """What the run's checkpoints say of it; settings: complete."""
        return coding_of(settings, environment) | {
            "direction": self.direction, "input": str(self.input_path.absolute()),
            "output": str(self.output_path.absolute()), "sha256": self.sha256, "overwrite": self.overwrite,
            "asked": self.preset, "pixels": self.pixels, "prior": str(self.prior.path.absolute()) if self.prior else ""}

    def prior_codes(self, settings, source):
        """What a source's contexts read of the prior that complete settings have: codes, uint16, or None.

        Raises InputError where it is not to be found, or is of other data.
        """
        if settings.prior == "none":
            return None
        prior = self.prior or priors.find(settings.prior, [*self.folders, *(folder / "priors" for folder in self.folders)])
        if prior.name != settings.prior:
            raise InputError(f"{self.input_path} was made with the prior {settings.prior}, and {prior.path} is {prior.name}",
                             "choose that one")
        return prior.codes_for(source)


class RunCheckpoint:
    """The checkpoint of a run, where it has one: what it goes on from, and what is kept of it."""

    def __init__(self, path, run, wanted, warn):
        """path: of the checkpoint, or None; wanted: the Settings of the user; warn: called with a line of text.

        Raises CheckpointError where the checkpoint belongs to another run, and OutputError where none can be written.
        """
        self._path, self._run, self._wanted, self._warn = path, run, wanted, warn
        self.found = None              # the Checkpoint that the run goes on from
        if path:
            if Path(path).absolute() in (run.input_path.absolute(), run.output_path.absolute()):
                raise CheckpointError(f"{path} is the run's own input or output", "choose another path for the checkpoint")
            check_target(path, overwrite=True)
            self.found = _find(path, run, wanted, warn)
        self.is_own = self.found is not None      # and not of the part before

    def go_on_from(self, state_before):
        """Begin at the Checkpoint of the part before, where there is one and the run has none of its own yet."""
        if state_before and not self.found:
            _check_settings(state_before, self._wanted, "the parts before were coded", "leave it out, or begin with part 1 anew")
            self.found = state_before

    @property
    def reason(self):
        """What to say of the settings."""
        return f"going on from {self.found.path}"

    @property
    def settings(self):
        """The complete settings of the run that goes on."""
        return dataclasses.replace(settings_of(self.found), backend=self._wanted.backend,
                                   checkpoint_minutes=self._wanted.checkpoint_minutes)

    @property
    def made_in(self):
        """The Environment that the run began in, or None."""
        return environment_of(self.found) if self.found else None

    def restore(self, predictor, streams):
        """Give a predictor the state that was kept, if any; returns (the next step, the coder's state or None)."""
        if not self.found:
            return streams.first, None
        if predictor.environment != self.made_in:
            raise CheckpointError(f"{self.found.path} was made with {self.made_in}, and this is {predictor.environment}: a float "
                                  "network can only go on where it began")
        step = self.found.about["step"]
        if not streams.first <= step < max(streams.end, streams.first + 1):
            raise CheckpointError(f"{self.found.path} is of step {step:,}, and the run goes from {streams.first:,} to {streams.end:,}",
                                  "choose another checkpoint")
        predictor.restore(self.found, step)
        return step, coder_state_of(self.found, self._run.direction == "decompress") if self.is_own else None

    @contextlib.contextmanager
    def visits(self, settings, predictor, of_direction):
        """What loop.code calls between steps, as a context; None for a run that keeps nothing.

        of_direction: called with a step; returns (about, sections) that only encoders or only decoders keep.
        """
        if not self._path:
            yield None
            return
        if settings.coder != "numba":
            raise SettingsError(f"coder={settings.coder} cannot be stopped and gone on with", "leave the coder to the preset, "
                                "or the checkpoint out")

        def state(step, segment):
            numbers, written = segment.coder.state()
            about, sections = of_direction(step)
            return about | {"step": step, "coder": numbers}, sections | {"coder": written} | predictor.sections()

        about = self._run.about(settings, predictor.environment)
        with Keeper(self._path, settings.checkpoint_minutes, about, self._warn) as keeper:
            yield lambda step, segment: keeper.visit(lambda: state(step, segment))

    def done(self):
        """The output is complete: what was kept is no longer needed."""
        if self._path:
            checkpoint.remove(self._path)


def _find(path, run, wanted, warn):
    """The Checkpoint at `path` that `run` goes on from, or None where there is none yet."""
    found = checkpoint.newest(path, warn)
    if not found:
        return None
    check_run(found)
    about, anew = found.about, f"choose another checkpoint, or remove {path} to begin anew"
    if about["direction"] != run.direction:
        raise CheckpointError(f"{path} is of a run to {about['direction']} {about['input']}", f"{anew}")
    if about["sha256"] != run.sha256:
        raise CheckpointError(f"{path} belongs to another input, {about['input']} as it was then, and not to "
                              f"{run.input_path}", f"{anew}")
    if run.preset not in ("auto", about["asked"]):
        raise CheckpointError(f"{path} was begun with preset={about['asked']}, and not with {run.preset}", f"{anew}")
    _check_settings(found, wanted, f"{path} was begun", anew)
    return found


def _check_settings(found, wanted, what, advice):
    """Refuse what a user chose where the run goes on with something else."""
    settings = settings_of(found)
    for name, value in wanted.chosen().items():
        if getattr(settings, name) != value:
            raise CheckpointError(f"{what} with {name}={getattr(settings, name)}, and not with {value}", f"{advice}")


def coding_of(settings, environment):
    """What names how a checkpoint's data is coded: what wrote it, the complete settings, the Environment or None."""
    from lib import __version__
    number, overrides = settings.to_header()
    return {"lockstep": __version__, "preset": number, "overrides": overrides,
            "environment": list(environment.to_header()) if environment else []}


def environment_of(found):
    """The Environment that a checkpoint's bits depend on, or None."""
    return Environment.from_header(found.about["environment"])


def settings_of(found):
    """The complete settings of a checkpoint's run."""
    try:
        return Settings.from_header(found.about["preset"], found.about["overrides"])
    except SettingsError as error:
        raise CheckpointError(f"{found.path} cannot be used: {error}") from error


# What a checkpoint says, and what that of a run says beside it.
_ABOUT = {"lockstep": str, "direction": str, "preset": int, "overrides": dict, "environment": list, "step": int}
_ABOUT_RUN = {"input": str, "output": str, "sha256": bytes, "overwrite": bool, "asked": str, "pixels": str, "prior": str, "coder": list}


def check_run(found):
    """Refuse what is not the checkpoint of a run, by this version."""
    check_version(found)
    about = found.about
    if about["direction"] not in DIRECTIONS or not _says(found, _ABOUT_RUN):
        raise CheckpointError(f"{found.path} is not the checkpoint of a run", "what a part leaves to the next is used by itself, as "
                              "that is coded")
    names = (about["input"], about["output"])
    if not (all(names) and not any("\0" in name for name in (*names, about["prior"])) and len(about["sha256"]) == 32
            and (about["direction"] == "decompress" or type(about.get("crc")) is int and 0 <= about["crc"] < 1 << 32)):
        raise CheckpointError(f"{found.path} holds a value out of bounds", "it is damaged: choose another checkpoint")


def _says(found, fields):
    return all(type(found.about.get(name)) is kind for name, kind in fields.items())


def check_version(found):
    """Refuse a checkpoint of another version, or one that does not say what it must."""
    from lib import __version__
    if not _says(found, _ABOUT):
        raise CheckpointError(f"{found.path} does not say what a checkpoint has to", "choose another path for the checkpoint")
    if found.about["lockstep"] != __version__:
        raise CheckpointError(f"{found.path} was made by Lockstep {found.about['lockstep']}, and this is {__version__}: finish "
                              "the run with that version, or remove the checkpoint to begin anew")
