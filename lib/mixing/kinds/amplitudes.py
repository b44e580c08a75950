"""How a byte of a sample is coded, bit by bit, by where predictions of the whole sample lie.

The bits so far leave an interval of amplitudes, the next one halves it. Each prediction gives two inputs. For errors that are logistically
distributed, the logit of the upper half is a difference of two values of ln cosh (`_LOG_COSH`), at the interval's ends; what such a bit has been
worth, by the interval's middle and size in units of the errors lately, is learned, as the engine learns contexts. The engine
(lib.mixing.engine) weighs both and all else that it knows. Bits that no prediction doubts are coded by what they have been worth alone.
"""

from decimal import Decimal, localcontext

import numpy as np

from lib.coders.arithmetic import code_bit
from lib.compiling import part
from lib.mixing import engine, runs, slots
from lib.mixing.engine import MOST_LENGTH
from lib.mixing.hashing import spread
from lib.mixing.logistic import EVEN, LOGIT_FRACTION, ONE, adapted, code_length_of, probability_of, stretch

FRACTION = 16                    # of a sample, in predictions
UNIT_STEPS = 32                  # to an error's scale
_REACH = 24 * UNIT_STEPS         # beyond which ln cosh is a straight line
_SIZES, _MIDDLES, _SURENESS = 32, 64, 64   # classes of an entry: of the interval, of its middle, the kind's
ENTRIES = _SIZES * _MIDDLES * _SURENESS
_MOST_SEEN = 1000
_EVEN = np.uint32(EVEN)
_STEPS = 44                      # steps of ln cosh to a mean error: 32 times 2 ln 2
_MOST_LOGIT = 2047
_SURE = 20 * UNIT_STEPS          # a middle as far from all predictions is coded without mixing


def _log_cosh():
    """int32: 2^8 ln cosh(x / 2) of x in 32nds of a scale."""
    with localcontext() as context:
        context.prec = 30
        values = [Decimal(step) / (2 * UNIT_STEPS) for step in range(_REACH + 1)]
        return np.array([round(((x.exp() + (-x).exp()) / 2).ln() * (1 << LOGIT_FRACTION)) for x in values], np.int32)


def _middle_classes():
    """int64: a class, 0 to 31, of distances in 32nds of a scale, ever coarser."""
    ends = np.concatenate([np.arange(4, 44, 4), np.arange(48, 100, 8), np.arange(112, 200, 16), np.arange(224, 400, 32), [480, 640]])[:31]
    return np.searchsorted(ends, np.arange(_REACH + 1), side="right")


_LOG_COSH, _MIDDLE_CLASSES = _log_cosh(), _middle_classes()


@part
def scale_class(scale):
    """How many halves of a doubling an error's scale, in parts of a sample, is above one part."""
    bits = np.int64(0)
    while scale >> bits > 1:
        bits += 1
    return 2 * bits + np.int64(scale * 2 >= np.int64(3) << bits)


@part
def _log_cosh_of(steps):
    steps = abs(steps)
    if steps > _REACH:
        return np.int64(_LOG_COSH[_REACH]) + (min(steps, np.int64(1) << 30) - _REACH << LOGIT_FRACTION) // (2 * UNIT_STEPS)
    return np.int64(_LOG_COSH[steps])


@part
def _inputs_of_predictions(memory, lowest, half, expected, scales, classes):
    """Fill the predictions' inputs, and what of the first selects weights; returns how far the nearest is from the middle, in steps.

    lowest: the least amplitude of the interval; half: amplitudes to its middle.
    """
    at = (engine.INPUTS_PER_CONTEXT * len(memory.contexts) + engine.INPUTS_PER_MATCH * len(memory.expected) + 1)
    size_of_half, nearest = scale_class(FRACTION * half), np.int64(1) << 60
    for prediction in range(len(expected)):
        scale = scales[prediction]
        from_lowest = FRACTION * lowest - FRACTION // 2 - expected[prediction]
        middle = (from_lowest + FRACTION * half) * _STEPS // scale
        logit = _log_cosh_of(from_lowest * _STEPS // scale) - _log_cosh_of((from_lowest + 2 * FRACTION * half) * _STEPS // scale)
        size = min(max(size_of_half - scale_class(scale) + _SIZES // 2, 0), _SIZES - 1)
        distance = _MIDDLE_CLASSES[min(abs(middle), _REACH)]
        sided = 2 * distance + np.int64(middle < 0)
        place = (size * _MIDDLES + sided) * _SURENESS + memory.confidence[prediction]
        memory.distance_places[prediction] = place
        memory.inputs[at] = stretch(probability_of(memory.distances[prediction, place] ^ _EVEN))
        memory.inputs[at + 1] = min(max(logit, -_MOST_LOGIT), _MOST_LOGIT)
        at += engine.INPUTS_PER_PREDICTION
        nearest = min(nearest, abs(middle))
        if prediction == 0:
            memory.selected[0] = size * _MIDDLES + sided
            memory.selected[3] = size * 16 + classes[0]
            memory.selected[4] = size * 16 + classes[1]
            memory.final_selected[0] = size
            memory.map_contexts[0] = place
        elif prediction == 1:
            memory.map_contexts[1] = place + ENTRIES
    return nearest


@part
def code_amplitude(memory, orders, coder, buffer, stream, place, frequencies, symbol, decoding, known, below, expected, scales, classes):
    """Code the symbol at `place` of `codes`; returns it. As engine.code_symbol, and:

    known: int, the sample's higher bytes, that are coded; below: bits of its lower ones; expected, scales: int64 (G,), in parts
    of a sample: each prediction and the scale of its errors, 1 or more.
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
            lowest = (known << bits + below) + ((node << bits - depth) - (np.int64(1) << bits) << below)
            nearest = _inputs_of_predictions(memory, lowest, half, expected, scales, classes)
            if nearest > _SURE:
                entry = memory.distances[0, memory.distance_places[0]]
                probability = min(max(probability_of(entry ^ _EVEN), 1), ONE - 1)
                bit = code_bit(coder, buffer, probability, bit, decoding)
                memory.distances[0, memory.distance_places[0]] = adapted(entry ^ _EVEN, bit, _MOST_SEEN) ^ _EVEN
            else:
                orders_known = engine.inputs_of_contexts(memory, orders, node, local, depth, bits)
                engine.inputs_of_matches(memory, stream, node, depth, bits)
                if len(frequencies) > 0:
                    engine.inputs_of_network(memory, node)
                logit = engine.mix(memory, stream, node, depth, bits, orders_known)
                probability = engine.refined(memory, logit, np.int64(1))
                bit = code_bit(coder, buffer, probability, bit, decoding)
                engine.learn(memory, logit, np.int64(1), bit)
                engine.learn_contexts(memory, node, depth, bits, bit)
                engine.learn_matches(memory, stream, bit)
                for prediction in range(len(expected)):
                    table, entry = memory.distances[prediction], memory.distance_places[prediction]
                    table[entry] = adapted(table[entry] ^ _EVEN, bit, _MOST_SEEN) ^ _EVEN
            cost += code_length_of(probability, bit)
            memory.fingerprint[0] = spread(memory.fingerprint[0] + np.uint64(2 * probability + bit))
        else:
            bit = np.int64(memory.possible[2 * node + 1])
        node = node << 1 | bit
        local = local << 1 | bit
    code = node - (1 << bits)
    for context in range(len(memory.contexts)):
        run = memory.places[0 + 1, context]
        memory.runs[run] = runs.run_after(memory.runs[run], code)
    memory.codes[place] = code
    if len(memory.code_lengths) > 0:
        memory.code_lengths[place] = min(cost, MOST_LENGTH)
    return memory.symbols[code]
