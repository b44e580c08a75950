"""How a part of a split file goes on from the one before it: the state that the model was left in."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from lib.errors import CheckpointError, InputError
from lib.parameters import Parameters
from lib.resume import checkpoint
from lib.resume.checkpoint import Checkpoint
from lib.resume.run import check_version, coding_of
from lib.sources.part import PartDescription

if TYPE_CHECKING:
    from lib.coding.predictor import Predictor

STATE_SUFFIX = ".state"
_DIRECTION = "part"        # in place of that of a run that was stopped


def state_name(place: PartDescription, part: int) -> str:
    """The name of the state that part number `part` of a PartDescription's whole ends in."""
    return f"{place.identity[:4].hex()}.part{part}of{place.parts}{STATE_SUFFIX}"


def state_before(place: PartDescription, folders: Iterable[Path | str]) -> Checkpoint | None:
    """The Checkpoint that a part goes on from, found in one of `folders`; None for a first part.

    Raises InputError where it is missing, and CheckpointError where it is damaged or another's.
    """
    if place.part == 1:
        return None
    name = state_name(place, place.part - 1)
    paths = [Path(folder) / name for folder in folders if (Path(folder) / name).is_file()]
    if not paths:
        raise InputError(f"part {place.part} goes on from where part {place.part - 1} ended",
                         f"code that one first, or put its {name} into {' or '.join(str(folder) for folder in folders)}")
    found = Checkpoint(paths[0])
    check_version(found)
    about = found.about
    if (about["direction"], about.get("identity"), about["step"]) != (_DIRECTION, place.identity, place.streams.first):
        raise CheckpointError(f"{found.path} belongs to another file than this part", "put the right one there")
    return found


def write_state(place: PartDescription, folder: Path | str, parameters: Parameters, predictor: "Predictor", mode: int) -> None:
    """Keep the state that a part ends in, for the next one; mode: the permission bits that the file has at most."""
    if place.part < place.parts:
        about = coding_of(parameters, predictor.environment) | {
            "direction": _DIRECTION, "identity": place.identity, "step": place.streams.end}
        path = Path(folder) / state_name(place, place.part)
        checkpoint.write(path, about, predictor.sections(), keep=False, mode=mode)

