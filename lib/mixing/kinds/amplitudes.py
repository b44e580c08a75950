"""How a byte of a sample is coded, bit by bit, by where predictions of the whole sample lie.

The bits so far leave an interval of amplitudes, the next one halves it. Each prediction gives two inputs. One is what such a bit has been
worth, by how far the interval's middle is from the prediction and by the interval's size, both in scales of its errors; this is learned
as the engine learns contexts. The other is the logit for errors that are logistically distributed, where it is the difference of
ln cosh(x / 2) at the interval's two ends, x being the distance from the prediction in scales. The engine (lib.mixing.engine) weighs these
and all else that it knows. Bits that no prediction doubts are coded by what they have been worth alone, which saves half of the time.
"""

from decimal import Decimal, localcontext

import numpy as np

from lib.coders.arithmetic import code_bit
from lib.compiling import part
from lib.mixing import engine, slots
from lib.mixing.hashing import spread
from lib.mixing.logistic import EVEN, LOGIT_FRACTION, ONE, adapted, code_length_of, probability_of, stretch

FRACTION = 16                    # parts of a sample, in which predictions and scales are
SIZES, MIDDLES, SCALES = 32, 64, 64      # classes of the interval's size and middle, and of scales by themselves
CLASSES = 16                             # of what a kind says besides
_SURENESS = 64                           # of what a kind says of each prediction
_STEPS = 32                              # of a scale, in which distances are
_STEPS_OF_MEAN = 44                      # of a mean error, which is 2 ln 2 scales
_REACH = 24 * _STEPS                     # ln cosh is a straight line from there on
_SURE = 20 * _STEPS                      # a middle as far from all predictions is coded without mixing
_MOST_LOGIT = 2047
_MOST_SEEN = 1000
_EVEN = np.uint32(EVEN)
_MAPS_OF_SECOND = SIZES * MIDDLES * _SURENESS      # what the contexts of maps begin with for the second prediction


def _log_cosh():
    """int32 (_REACH + 1,): ln cosh(x / 2) of each step, as logits are."""
    with localcontext() as context:
        context.prec = 30
        halves = [Decimal(step) / (2 * _STEPS) for step in range(_REACH + 1)]
        return np.array([round(((half.exp() + (-half).exp()) / 2).ln() * (1 << LOGIT_FRACTION)) for half in halves], np.int32)


def _distance_classes():
    """int64 (_REACH + 1,): a class of each step, 0 to 31, ever coarser."""
    ends = [*range(4, 44, 4), *range(48, 100, 8), *range(112, 200, 16), *range(224, 400, 32), 480, 640]
    return np.searchsorted(ends, np.arange(_REACH + 1), side="right")


_LOG_COSH, _DISTANCE_CLASSES = _log_cosh(), _distance_classes()


@part
def scale_class(parts):
    """A class, 0 to SCALES - 1, of a number of parts, 1 or more: two for each doubling."""
    bits = np.int64(0)
    while parts >> bits > 1:
        bits += 1
    return min(2 * bits + np.int64(2 * parts >= np.int64(3) << bits), SCALES - 1)


@part
def code_byte(memory, coder, buffer, stream, place, frequencies, symbol, decoding, known, below, expected, scales, classes):
    """Code the symbol at `place` of `codes`; returns it. As engine.code_symbol, and:

    known: the sample's higher bytes, which are coded; below: bits of its lower ones; expected, scales: int64 (G,), of each prediction where
    it lies and how far off it is in the mean, in parts of a sample; classes: int64 (2,), what selects weights besides.
    """
    bits = memory.bits
    code = np.int64(0) if decoding else np.int64(memory.values[symbol])
    engine.find_runs(memory)
    if len(frequencies) > 0:
        engine.add_up(memory, frequencies)
    node = local = np.int64(1)
    cost = np.int64(0)
    for depth in range(bits):
        if depth % slots.GROUP_DEPTH == 0:
            engine.find_groups(memory, node)
            local = np.int64(1)
        bit = code >> bits - 1 - depth & 1
        if memory.possible[2 * node] & memory.possible[2 * node + 1]:
            half = np.int64(1) << below + bits - 1 - depth
            lowest = (known << bits) + (node << bits - depth) - (np.int64(1) << bits) << below
            nearest = _inputs_of_predictions(memory, lowest, half, expected, scales, classes)
            if nearest > _SURE:
                entry = memory.distances[0, memory.distance_places[0]]
                probability = min(max(probability_of(entry ^ _EVEN), 1), ONE - 1)
                bit = code_bit(coder, buffer, probability, bit, decoding)
            else:
                orders = engine.inputs_of_contexts(memory, 0, node, local, depth, bits)
                engine.inputs_of_matches(memory, stream, node, depth, bits)
                if len(frequencies) > 0:
                    engine.inputs_of_network(memory, node)
                logit = engine.mix(memory, stream, node, depth, bits, orders)
                probability = engine.refined(memory, logit, 1)
                bit = code_bit(coder, buffer, probability, bit, decoding)
                engine.learn(memory, logit, 1, bit)
                engine.learn_contexts(memory, node, depth, bits, bit)
                engine.learn_matches(memory, stream, bit)
            _learn_predictions(memory, bit, 1 if nearest > _SURE else len(expected))
            cost += code_length_of(probability, bit)
            memory.fingerprint[0] = spread(memory.fingerprint[0] + np.uint64(2 * probability + bit))
        else:
            bit = np.int64(memory.possible[2 * node + 1])          # nothing to code, nothing to learn
        node = node << 1 | bit
        local = local << 1 | bit
    return engine.take_code(memory, place, node - (1 << bits), cost)


@part
def _inputs_of_predictions(memory, lowest, half, expected, scales, classes):
    """Fill the predictions' inputs, and what of the first selects weights; returns how many steps the nearest is from the middle.

    lowest: the least amplitude of the interval; half: amplitudes from there to its middle.
    """
    at = engine.INPUTS_PER_CONTEXT * len(memory.contexts) + engine.INPUTS_PER_MATCH * len(memory.expected) + 1
    size_of_half, nearest = scale_class(FRACTION * half), np.int64(1) << 60
    for prediction in range(len(expected)):
        scale = scales[prediction]
        begin = FRACTION * lowest - FRACTION // 2 - expected[prediction]
        middle = (begin + FRACTION * half) * _STEPS_OF_MEAN // scale
        logit = _log_cosh_of(begin * _STEPS_OF_MEAN // scale) - _log_cosh_of((begin + 2 * FRACTION * half) * _STEPS_OF_MEAN // scale)
        size = min(max(size_of_half - scale_class(scale) + SIZES // 2, 0), SIZES - 1)
        side = 2 * _DISTANCE_CLASSES[min(abs(middle), _REACH)] + np.int64(middle < 0)
        place = (size * MIDDLES + side) * _SURENESS + memory.confidence[prediction]
        memory.distance_places[prediction] = place
        memory.inputs[at] = stretch(probability_of(memory.distances[prediction, place] ^ _EVEN))
        memory.inputs[at + 1] = min(max(logit, -_MOST_LOGIT), _MOST_LOGIT)
        at += engine.INPUTS_PER_PREDICTION
        nearest = min(nearest, abs(middle))
        if prediction == 0:
            memory.selected[0] = size * MIDDLES + side
            memory.selected[3] = size * CLASSES + classes[0]
            memory.selected[4] = size * CLASSES + classes[1]
            memory.final_selected[0] = size
            memory.map_contexts[0] = place
        elif prediction == 1:
            memory.map_contexts[1] = place + _MAPS_OF_SECOND
    return nearest


@part
def _log_cosh_of(steps):
    """ln cosh(x / 2) of any number of steps, as logits are."""
    steps = abs(steps)
    if steps > _REACH:
        return np.int64(_LOG_COSH[_REACH]) + (steps - _REACH << LOGIT_FRACTION) // (2 * _STEPS)
    return np.int64(_LOG_COSH[steps])


@part
def _learn_predictions(memory, bit, count):
    """Let the first `count` predictions learn what the bit was."""
    for prediction in range(count):
        table, place = memory.distances[prediction], memory.distance_places[prediction]
        table[place] = adapted(table[place] ^ _EVEN, bit, _MOST_SEEN) ^ _EVEN
