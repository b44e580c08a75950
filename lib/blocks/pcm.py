"""Samples of sound without a header that says so: 16 bits, one or two channels, found by how smooth they are.

Neighbouring samples of a sound are much nearer to each other than samples that are far apart. Of the two ways to pair bytes in an order that is
so at one alone: where it is so at both, each byte is a sample, as in pictures. With the other order of bytes and the other way to pair them the
higher bytes are right and the lower ones of the sample beside; that is nearly as smooth, and not quite. All in whole numbers, so that it is the same everywhere.
"""

import numpy as np

from lib.sources.waves import Waves

_FEWEST = 1 << 15                # bytes: less is coded as binary data
_FRAMES = 1 << 10                # of a block
_MOST_BLOCKS = 256               # that are looked at, from all over the data
_FEWEST_BLOCKS = 6               # of them that are no silence
_LOUD = 128                      # mean distance of samples far apart: below it is silence, or a table of small numbers
_ONE = 1 << 16
_MOST_ROUGH = _ONE // 3          # nearest over far samples, of the middle block
_ROUGHER = 4                     # times, where bytes are paired the other way


def found_in(data: bytes) -> tuple[int, Waves] | None:
    """(where samples begin, Waves that last to the end but half a frame) of plain bytes; None where they do not look like sound."""
    if len(data) < _FEWEST:
        return None
    for channels in (1, 2):
        roughness = {(start, from_low): _roughness(data, start, channels, from_low) for start in (0, 1) for from_low in (True, False)}
        start, from_low = best = min(roughness, key=lambda form: roughness[form])
        if roughness[best] > _MOST_ROUGH or _ROUGHER * roughness[best] > roughness[1 - start, from_low]:
            continue
        if channels == 1 and _is_of_two(data, start, from_low):
            channels = 2
        waves = Waves((len(data) - start) // (2 * channels), channels, 2, from_low, is_signed=True)
        return (start, waves) if waves.are_possible else None
    return None


def _samples(data, start, from_low, count):
    return np.frombuffer(data, "<i2" if from_low else ">i2", count, start)


def _roughness(data, start, channels, from_low):
    """How near samples are to the next one beside how near to one far off, in parts of _ONE: of the middle block of those that are loud."""
    count = (len(data) - start) // (2 * channels * _FRAMES)
    blocks = _samples(data, start, from_low, count * channels * _FRAMES).reshape(count, _FRAMES, channels)
    blocks = blocks[::-(-count // _MOST_BLOCKS)].astype(np.int64)
    steps, half = np.diff(blocks, axis=1), _FRAMES // 2
    near = np.minimum(np.abs(steps).sum(1), np.abs(np.diff(steps, axis=1)).sum(1))           # of each block and channel
    far = 2 * np.abs(blocks[:, half:] - blocks[:, :half]).sum(1)
    is_loud = (far >= _LOUD * _FRAMES).all(1)
    ratios = np.sort((_ONE * near[is_loud] // far[is_loud]).max(1))
    return int(ratios[len(ratios) // 2]) if len(ratios) >= _FEWEST_BLOCKS else _ONE


def _is_of_two(data, start, from_low):
    """Whether samples that look like one channel are two that are alike: less curved along every second one than along all."""
    samples = _samples(data, start, from_low, min((len(data) - start) // 4 * 2, _MOST_BLOCKS * _FRAMES)).astype(np.int64)
    of_one = np.abs(samples[2:] - 2 * samples[1:-1] + samples[:-2]).sum()
    of_two = np.abs(samples[4:] - 2 * samples[2:-2] + samples[:-4]).sum()
    return bool(of_two < of_one)
