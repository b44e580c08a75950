"""Files of samples inside other data: pictures, sounds, tokens of videos, JPEGs. A signature says where one begins, its header where it ends."""

from lib.blocks.tree import Leaf, Made, Node
from lib.errors import SettingsError
from lib.sources import npy, png
from lib.sources.image import picture_in, rows_in
from lib.sources.pictures import Pixels, header_in
from lib.sources.sound import sound_in
from lib.sources.video import VideoSource
from lib.transforms import LEPTON, jpeg, lepton
from lib.transforms.effort import Effort

# What may begin one, as a regular expression: a group for each sort.
SIGNATURES = (rb"(?P<png>\x89PNG\r\n\x1a\n)|(?P<tiff>II\*\0|MM\0\*)|(?P<npy>\x93NUMPY)|(?P<jpeg>\xff\xd8\xff)"
              rb"|(?P<pixels>BM.{4}\0{4}.{3}\0[\x28\x34\x38\x6c\x7c]\0{3}|P[456]\s+[0-9#]|P7\n)"
              rb"|(?P<sound>RIFF.{4}WAVE|RIFX.{4}WAVE|RF64.{4}WAVE|BW64.{4}WAVE|FORM.{4}AIF[FC])")
_FEWEST = 1024                   # bytes of a file: smaller ones teach a model of their kind next to nothing
_LONGEST_HEADER = 1 << 12        # bytes before pixels
_LONGEST_TIFF = 1 << 28
_A_LOOK = 1 << 8                 # bytes that a look at a header is reckoned
_FEWEST_TAKEN_OUT = 128          # bytes of a JPEG's headers that are for applications: more are worth a leaf of their own
_LITTLE_ENDIAN = (b"RIFF", b"RF64", b"BW64")
_UNKNOWN_SIZES = (0, (1 << 32) - 1)      # in a RIFF header
_FRAME = 8                       # bytes of the name and size of a RIFF or IFF chunk


Found = tuple[Node, int, int]    # what it is, and where it begins and ends


def found_at(data: bytes, sort: str, start: int, effort: Effort, with_lepton: bool = False, grid_width: int = 0) -> Found | None:
    """The file of a sort, a group of SIGNATURES, that begins at `start`; None where there is none that comes back to the byte.

    effort: what the bytes that are looked at are taken from. with_lepton: whether JPEGs are to be coded by Lepton, where that is installed.
    grid_width: of videos, see lib.settings.
    """
    if sort == "jpeg":
        return _jpeg(data, start, effort, with_lepton)
    end, kind = _end_of(data, sort, start)
    found = _leaf(kind, data, start, end, sound_in if sort == "sound" else picture_in, to_its_end=sort == "png") if end else None
    if end and not found and sort == "npy":
        found = _video(data, start, end, grid_width)
    if found:
        effort.spend(found[2] - start)
    else:
        effort.spend_in_vain((end or start) - start + _A_LOOK)
    return found


def _end_of(data, sort, start):
    """(where a file of a sort ends, if it is one, or None; the kind of what is in it)."""
    if sort == "png":
        return png.end_of(data, start), "image"
    if sort == "pixels":
        header = header_in(data[start:start + _LONGEST_HEADER])
        end = start + header[0] + header[1].bytes if header else len(data) + 1
        return end if end <= len(data) else None, "image"
    if sort == "tiff":
        return min(len(data), start + _LONGEST_TIFF), "image"
    if sort == "sound":
        return _end_of_sound(data, start), "sound"
    return npy.end_of(data, start), "image"


def _leaf(kind, data, start, end, found_in, to_its_end=False):
    """The Found of samples, up to the last of them, or to the end of the file."""
    file = data[start:end]
    found = found_in(file)
    if found is None or len(found.codes) < _FEWEST or found.what.write(found.codes) != file[found.start:found.end]:
        return None
    size = len(file) if to_its_end else found.end
    return Leaf(kind, file[:size], found), start, start + size


def rows_of(data: bytes, pixels: Pixels, have_filters: bool) -> Leaf | None:
    """The picture that is all of `data`, see lib.sources.image.rows_in."""
    found = rows_in(data, pixels, have_filters)
    return Leaf("image", data, found) if found and found.what.write(found.codes) == data else None


def _end_of_sound(data, start):
    size = int.from_bytes(data[start + 4:start + _FRAME], "little" if data[start:start + 4] in _LITTLE_ENDIAN else "big")
    return len(data) if size in _UNKNOWN_SIZES else min(len(data), start + _FRAME + size)


def _video(data, start, end, grid_width):
    file = data[start:end]
    try:
        source = VideoSource.from_bytes(file, grid_width)
    except SettingsError:                    # frames that are not of that width
        return None
    return (Leaf("video", file, source), start, end) if source and len(file) >= _FEWEST else None


def _jpeg(data, start, effort, with_lepton):
    """Headers for applications, which may hold a small picture, are left to be looked at as other bytes are."""
    tables = jpeg.tables_of(data, start)
    begin = start if tables - start < _FEWEST_TAKEN_OUT else tables
    if with_lepton and lepton.is_there():
        end = jpeg.end_of(data, begin)
        made = lepton.packed(data[begin:end]) if end and end - begin >= _FEWEST else None
        effort.spend((end or begin) - begin)
        if made:
            packed, recipe = made
            return Made(LEPTON, recipe, (Leaf("packed", packed),)), begin, end
    apart = jpeg.taken_apart(data, begin)
    if apart is None:
        effort.spend_in_vain(len(data) - start)
        return None
    effort.spend(apart.used)
    if apart.used < _FEWEST:
        return None
    end = begin + apart.used
    return Leaf("jpeg", data[begin:end], apart), begin, end
