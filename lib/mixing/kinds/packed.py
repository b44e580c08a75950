"""No contexts: what another compressor made, in which nothing is likelier than anything else. Each code costs its bits, and no time."""

import numpy as np

from lib.coders.arithmetic import code_bit
from lib.compiling import compiled
from lib.mixing.hashing import joined
from lib.mixing.kinds.context_set import ContextSet
from lib.mixing.logistic import LENGTH_PARTS, ONE

_EVEN = ONE >> 1


@compiled
def _code_steps(memory, coder, buffer, symbols, active, first_step, frequencies, decoding):
    for step in range(len(symbols)):
        for stream in range(active[step]):
            place = memory.base + stream * memory.steps + first_step + step
            code = np.int64(0) if decoding else np.int64(memory.values[symbols[step, stream]])
            node = np.int64(0)
            for depth in range(memory.bits - 1, -1, -1):
                node = node << 1 | code_bit(coder, buffer, _EVEN, code >> depth & 1, decoding)
            memory.codes[place] = node
            memory.fingerprint[0] = joined(memory.fingerprint[0], node)
            if len(memory.code_lengths) > 0:
                memory.code_lengths[place] = memory.bits * LENGTH_PARTS
            symbols[step, stream] = memory.symbols[node]


CONTEXTS = ContextSet("packed", _code_steps, contexts=0, selectors=(), final_selectors=(), maps=0, matches=0, state=0, indirect=0,
                      predictions=0, start_weight=0, rates=(0, 0))
