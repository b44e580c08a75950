"""The one mixing engine: codes a symbol bit by bit with whatever contexts a kind of data has set.

A kind (see lib.mixing.kinds) fills `contexts`, `selected` and `map_contexts` of its PredictorState (lib.mixing.state) before each symbol, and
`code_symbol` does the rest: finds what came after the contexts before, mixes it with the matches and the network, codes
the bit and learns. All numbers are whole (a kind may come to its predictions otherwise, see lib.mixing.least_squares). All streams
share the tables, and are coded one after the other in a step.
"""

import numpy as np

from lib.coders.arithmetic import code_bit
from lib.compiling import part
from lib.mixing import apm, distances, logistic, matches, mixer, runs, selectors, slots
from lib.mixing.hashing import joined, spread
from lib.mixing.logistic import ONE, adapted, code_length_of, probability_of, squash, stretch

INPUTS_PER_CONTEXT = 3
INPUTS_PER_MATCH = 2
INPUTS_PER_PREDICTION = 2
INPUTS_OF_NETWORK = 2
RUN_CLASSES = 16
MATCH_LENGTHS = 64
HISTORIES = 256
NETWORK_START_WEIGHT = 16_000    # of 2^16
LEARNED_START_WEIGHT = 45_000    # of a network that has learned before; that of contexts is then divided by
LESS_BESIDE_LEARNED = 2
MOST_LENGTH = (1 << 16) - 1        # of a symbol that is kept, in parts of a bit
_BIAS = 77                       # 0.3
_HISTORY_MOST, _RUN_MOST, _MATCH_MOST = 500, logistic.MOST_COUNT, 400
_RATE_USES = 512                 # of a weight set's row: after so many, half of what its rate falls by is gone
_MOST_USES = 1 << 20
_FINAL_RATE = 130
_REFINE_RATE_BITS = 5
_UNREFINED, _REFINED = 103, 153  # shares of 256 of the mixer's probability and of all maps' together


_SLOT, _RUN, _GROUP, _CHECK = range(4)


@part
def code_symbol(memory, orders, coder, buffer, stream, place, frequencies, symbol, decoding):
    """Code the symbol at `place` of `codes`; returns it.

    orders: how many of the contexts, from the first on, are orders that rise. frequencies: int32 (V,) of the network,
    or (0,). symbol: of the vocabulary; any where decoding.
    """
    bits = memory.bits
    code = np.int64(0) if decoding else np.int64(memory.values[symbol])
    find_runs(memory)
    if len(frequencies) > 0:
        add_up(memory, frequencies)
    node = np.int64(1)
    local = np.int64(1)
    cost = np.int64(0)
    for depth in range(bits):
        if depth % slots.GROUP_DEPTH == 0:
            find_groups(memory, node)
            local = np.int64(1)
        bit = code >> bits - 1 - depth & 1
        if memory.possible[2 * node] & memory.possible[2 * node + 1]:
            known = inputs_of_contexts(memory, orders, node, local, depth, bits)
            inputs_of_matches(memory, stream, node, depth, bits)
            _inputs_of_predictions(memory, node, depth, bits)
            if len(frequencies) > 0:
                inputs_of_network(memory, node)
            logit = mix(memory, stream, node, depth, bits, known)
            probability = refined(memory, logit, node)
            bit = code_bit(coder, buffer, probability, bit, decoding)
            cost += code_length_of(probability, bit)
            memory.fingerprint[0] = spread(memory.fingerprint[0] + np.uint64(2 * probability + bit))
            learn(memory, logit, node, bit)
            learn_contexts(memory, node, depth, bits, bit)
            learn_matches(memory, stream, bit)
            _learn_distances(memory, bit)
        else:
            bit = np.int64(memory.possible[2 * node + 1])          # nothing to code, nothing to learn
        node = node << 1 | bit
        local = local << 1 | bit
    return take_code(memory, place, node - (1 << bits), cost)


@part
def take_code(memory, place, code, cost):
    """Note the code at `place`, which cost so many parts of a bit; returns its symbol."""
    for context in range(len(memory.contexts)):
        run = memory.places[_RUN, context]
        memory.runs[run] = runs.run_after(memory.runs[run], code)
    memory.codes[place] = code
    if len(memory.code_lengths) > 0:
        memory.code_lengths[place] = min(cost, MOST_LENGTH)
    return memory.symbols[code]


@part
def _agrees(code, node, depth, bits):
    """Whether a code begins with the bits so far."""
    return (code | 1 << bits) >> bits - depth == node


@part
def find_runs(memory):
    for context in range(len(memory.contexts)):
        place = runs.find_run(memory.runs, memory.contexts[context])
        memory.places[_RUN, context] = place
        memory.last[context] = runs.last_symbol(memory.runs[place])


@part
def find_groups(memory, node):
    touched = np.uint64(0)       # by reading all groups at once, before any is looked into, their cache misses overlap
    for context in range(len(memory.contexts)):
        group, check = slots.find_group(memory.slots, memory.contexts[context], node)
        memory.places[_GROUP, context], memory.places[_CHECK, context] = group, check
        touched += memory.slots[group] + memory.slots[group + slots.GROUP // 2]
    memory.touched[0] = touched


@part
def add_up(memory, frequencies):
    """The network's frequencies by node: leaves, then what lies above them."""
    nodes = len(memory.symbols)
    memory.shares[nodes:] = 0
    for symbol in range(len(frequencies)):
        memory.shares[nodes + memory.values[symbol]] = frequencies[symbol]
    for node in range(nodes - 1, 0, -1):
        memory.shares[node] = memory.shares[2 * node] + memory.shares[2 * node + 1]


@part
def inputs_of_contexts(memory, orders, node, local, depth, bits):
    """Fill the contexts' inputs; returns how many orders are known."""
    known = 0
    for context in range(len(memory.contexts)):
        place = slots.find(memory.slots, memory.places[_GROUP, context], memory.places[_CHECK, context], local)
        memory.places[_SLOT, context] = place
        slot, at = memory.slots[place], INPUTS_PER_CONTEXT * context
        if slots.seen(slot) == 0:
            memory.inputs[at] = memory.inputs[at + 1] = 0
        else:
            memory.inputs[at] = stretch(slots.probability(slot))
            memory.inputs[at + 1] = stretch(probability_of(memory.histories[context, slots.history(slot)]))
            if context < orders:
                known += 1
        memory.inputs[at + 2] = 0
        last = memory.last[context]
        if last >= 0 and _agrees(last, node, depth, bits):
            length = _run_class(memory.runs[memory.places[_RUN, context]])
            worth = stretch(probability_of(memory.run_worth[context, length]))
            memory.inputs[at + 2] = worth if last >> bits - 1 - depth & 1 else -worth
    return known


@part
def _run_class(run):
    return min(runs.run_length(run), RUN_CLASSES - 1)


@part
def inputs_of_matches(memory, stream, node, depth, bits):
    at = INPUTS_PER_CONTEXT * len(memory.contexts)
    for match in range(len(memory.expected)):
        state = memory.match_state[stream, match]
        code = np.int64(memory.codes[state[matches.POINTER]])
        if not _agrees(code, node, depth, bits):
            state[matches.LENGTH] = 0
        length = state[matches.LENGTH]
        memory.inputs[at] = memory.inputs[at + 1] = 0
        memory.expected[match] = -1
        if length > 0:
            bit = code >> bits - 1 - depth & 1
            sign = 2 * bit - 1
            memory.expected[match] = bit
            memory.inputs[at] = sign * stretch(probability_of(memory.match_worth[match, _length_class(length)]))
            memory.inputs[at + 1] = sign * min(length, 32) * 16
        at += INPUTS_PER_MATCH
    memory.inputs[at] = _BIAS


@part
def _inputs_of_predictions(memory, node, depth, bits):
    at = INPUTS_PER_CONTEXT * len(memory.contexts) + INPUTS_PER_MATCH * len(memory.expected) + 1
    if len(memory.predictions) > 0 and memory.confidence[0] < 0:
        memory.inputs[at:at + INPUTS_PER_PREDICTION * len(memory.predictions)] = 0
        return
    for prediction in range(len(memory.predictions)):
        place = distances.place_of(memory.predictions[prediction], memory.confidence[prediction], node, depth, bits)
        memory.distance_places[prediction] = place
        probability = distances.worth(memory.distances[prediction, place])
        memory.inputs[at] = stretch(probability)
        memory.inputs[at + 1] = (probability - ONE // 2) * 3 >> 8
        at += INPUTS_PER_PREDICTION


@part
def _length_class(length):
    return min(length, MATCH_LENGTHS - 1)


@part
def inputs_of_network(memory, node):
    at = (INPUTS_PER_CONTEXT * len(memory.contexts) + INPUTS_PER_MATCH * len(memory.expected) + 1
          + INPUTS_PER_PREDICTION * len(memory.predictions))
    ones, both = memory.shares[2 * node + 1], memory.shares[node]
    probability = min(max((ones << 16) // both, 1), ONE - 1)
    memory.inputs[at] = stretch(probability)
    memory.inputs[at + 1] = (probability - ONE // 2) * 3 >> 8


@part
def mix(memory, stream, node, depth, bits, known):
    """The logit that the first layer's sets and then the second's make of the inputs: the mean of the second's."""
    match_class = selectors.match_class_of(memory.match_state[stream, 0, matches.LENGTH])
    start = mixer.weighed(memory.start_weights, memory.inputs)
    for index in range(len(memory.rows)):
        row = memory.first_row[index] + selectors.row_of(
            memory.selected[index], memory.scope[index], node, depth, bits, match_class, known)
        memory.rows[index] = row
        memory.logits[index] = mixer.mixed(memory.weights[row], memory.inputs, start)
    start = mixer.weighed(memory.final_start_weights, memory.logits)
    total = np.int64(0)
    for index in range(len(memory.final_rows)):
        row = memory.final_first_row[index] + selectors.row_of(
            memory.final_selected[index], memory.final_scope[index], node, depth, bits, match_class, known)
        memory.final_rows[index] = row
        memory.final_logits[index] = mixer.mixed(memory.final_weights[row], memory.logits, start)
        total += memory.final_logits[index]
    return total // len(memory.final_rows)


@part
def _map_of(context, node, entries):
    """Which of the maps in `entries` entries is for a context and a node."""
    return np.int64(joined(context, node) >> np.uint64(20)) % (entries // apm.STEPS)


@part
def refined(memory, logit, node):
    """The probability to code with: the mixer's, and what the maps make of it."""
    total = np.int64(0)
    for index in range(len(memory.maps)):
        maps = memory.maps[index]
        total += apm.refined(maps, _map_of(memory.map_contexts[index], node, len(maps)), logit)
    probability = np.int64(squash(logit)) * _UNREFINED + total * _REFINED // len(memory.maps) >> 8
    return min(max(probability, 1), ONE - 1)


@part
def learn(memory, logit, node, bit):
    for index in range(len(memory.final_rows)):
        mixer.learn(memory.final_weights[memory.final_rows[index]], memory.logits, memory.final_logits[index], bit,
                    _FINAL_RATE)
    first, last = memory.rates
    for index in range(len(memory.rows)):
        row = memory.rows[index]
        rate = last + (first - last) * _RATE_USES // (_RATE_USES + memory.uses[row])
        memory.uses[row] = min(memory.uses[row] + 1, _MOST_USES)
        mixer.learn(memory.weights[row], memory.inputs, memory.logits[index], bit, rate)
    for index in range(len(memory.maps)):
        maps = memory.maps[index]
        apm.refine(maps, _map_of(memory.map_contexts[index], node, len(maps)), logit, bit, _REFINE_RATE_BITS)


@part
def learn_contexts(memory, node, depth, bits, bit):
    for context in range(len(memory.contexts)):
        place = memory.places[_SLOT, context]
        slot = memory.slots[place]
        if slots.seen(slot) > 0:
            worth = memory.histories[context]
            worth[slots.history(slot)] = adapted(worth[slots.history(slot)], bit, _HISTORY_MOST)
        memory.slots[place] = slots.after(slot, bit)
        last = memory.last[context]
        if last >= 0 and _agrees(last, node, depth, bits):
            worth, length = memory.run_worth[context], _run_class(memory.runs[memory.places[_RUN, context]])
            worth[length] = adapted(worth[length], np.int64((last >> bits - 1 - depth & 1) == bit), _RUN_MOST)


@part
def learn_matches(memory, stream, bit):
    for match in range(len(memory.expected)):
        if memory.expected[match] >= 0:
            worth, length = memory.match_worth[match], _length_class(memory.match_state[stream, match, matches.LENGTH])
            right = np.int64(memory.expected[match] == bit)
            worth[length] = adapted(worth[length], right, _MATCH_MOST)
            if not right:
                memory.match_state[stream, match, matches.LENGTH] = 0


@part
def _learn_distances(memory, bit):
    if len(memory.predictions) > 0 and memory.confidence[0] < 0:
        return
    for prediction in range(len(memory.predictions)):
        table, place = memory.distances[prediction], memory.distance_places[prediction]
        table[place] = distances.after(table[place], bit)
