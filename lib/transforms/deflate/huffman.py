"""Huffman codes as zlib's trees.c makes them: code lengths, how it says them in a block's header, and what a block costs.

All arrays are int64. "Runs" are the operations that say code lengths: a length from 0 to 15, or 16, 17, 18 for a run,
with the length of the run times 32 added.
"""

from typing import NamedTuple

import numpy as np

from lib.compiling import part

LITERALS, DISTANCES, RUN_CODES = 286, 30, 19     # most codes of each kind that a header can say
END = 256                                        # the code that ends a block
LONGEST, LONGEST_OF_RUNS = 15, 7                 # bits of a code
_NODES = 2 * LITERALS + 1

RUN_ORDER = np.array([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])
RUN_EXTRA = np.array([*[0] * 16, 2, 3, 7])       # bits after each code
RUN_LEAST = np.array([*[1] * 16, 3, 3, 11])      # code lengths that each says at least
LENGTH_EXTRA = np.array([*[0] * 8, *np.repeat(np.arange(1, 6), 4), 0])
LENGTH_BASE = np.array([*range(3, 11), *(3 + np.cumsum([8, *1 << np.repeat(np.arange(1, 6), 4)[:-1]])), 258])
DISTANCE_EXTRA = np.array([0, 0, *np.repeat(np.arange(14), 2)])
DISTANCE_BASE = np.array([1, 2, *(3 + np.cumsum([0, *1 << np.repeat(np.arange(14), 2)[:-1]]))])
LITERAL_EXTRA = np.array([*[0] * 257, *LENGTH_EXTRA])
FIXED_LITERALS = np.array([*[8] * 144, *[9] * 112, *[7] * 24, *[8] * 6])
FIXED_DISTANCES = np.full(DISTANCES, 5)
LENGTH_CODE = np.searchsorted(LENGTH_BASE, np.arange(259), "right") - 1      # of a length from 3 to 258
_NEAR = np.searchsorted(DISTANCE_BASE, np.arange(1 << 8) + 1, "right") - 1
_FAR = np.searchsorted(DISTANCE_BASE, (np.arange(1 << 8) << 7) + 1, "right") - 1


class Tree(NamedTuple):
    """Room to make a code in: int64 arrays, one entry a node."""

    heap: np.ndarray
    weights: np.ndarray
    depths: np.ndarray
    parents: np.ndarray
    lengths: np.ndarray


def new_tree() -> Tree:
    return Tree(*(np.zeros(_NODES + 1, np.int64) for _ in range(5)))


@part
def distance_code(distance):
    """The code of a distance from 1 to 32,768."""
    return _NEAR[distance - 1] if distance <= 256 else _FAR[distance - 1 >> 7]


@part
def code_lengths(counts, size, longest, tree, lengths):
    """Write to `lengths` those of a code for `counts`, both of `size`; returns the last symbol that has one.

    Two symbols have one at least. Ties go as in zlib: to what is less deep, and to the one whose node is older in the heap.
    """
    heap, weights, depths, parents = tree.heap, tree.weights, tree.depths, tree.parents
    waiting, last = 0, -1
    for symbol in range(size):
        lengths[symbol] = 0
        if counts[symbol]:
            waiting += 1
            heap[waiting] = last = symbol
            weights[symbol], depths[symbol] = counts[symbol], 0
    while waiting < 2:
        symbol = 0
        if last < 2:
            last += 1
            symbol = last
        waiting += 1
        heap[waiting] = symbol
        weights[symbol], depths[symbol] = 1, 0
    for place in range(waiting // 2, 0, -1):
        _sift(tree, place, waiting)
    node, done = size, _NODES
    while waiting >= 2:
        first = heap[1]
        heap[1] = heap[waiting]
        waiting -= 1
        _sift(tree, 1, waiting)
        second = heap[1]
        heap[done - 1], heap[done - 2] = first, second
        done -= 2
        weights[node] = weights[first] + weights[second]
        depths[node] = max(depths[first], depths[second]) + 1
        parents[first] = parents[second] = node
        heap[1] = node
        node += 1
        _sift(tree, 1, waiting)
    done -= 1
    heap[done] = heap[1]
    _limit(tree, done, size, longest, lengths)
    return last


@part
def _is_less(tree, first, second):
    weights = tree.weights
    return weights[first] < weights[second] or weights[first] == weights[second] and tree.depths[first] <= tree.depths[second]


@part
def _sift(tree, place, waiting):
    """Let the node at `place` of the heap sink to where it belongs."""
    heap = tree.heap
    node, below = heap[place], place << 1
    while below <= waiting:
        if below < waiting and _is_less(tree, heap[below + 1], heap[below]):
            below += 1
        if _is_less(tree, node, heap[below]):
            break
        heap[place] = heap[below]
        place, below = below, below << 1
    heap[place] = node


@part
def _limit(tree, root, size, longest, lengths):
    """The lengths of all leaves below the root, none longer than `longest`; nodes are in the heap from the root on, heaviest first."""
    heap, depth = tree.heap, tree.lengths
    of_length, over = np.zeros(LONGEST + 2, np.int64), 0
    depth[heap[root]] = 0
    for place in range(root + 1, _NODES):
        node = heap[place]
        depth[node] = depth[tree.parents[node]] + 1
        if depth[node] > longest:
            depth[node] = longest
            over += 1
        if node < size:
            of_length[depth[node]] += 1
            lengths[node] = depth[node]
    if over == 0:
        return
    while over > 0:
        bits = longest - 1
        while of_length[bits] == 0:
            bits -= 1
        of_length[bits] -= 1
        of_length[bits + 1] += 2
        of_length[longest] -= 1
        over -= 2
    place = _NODES
    for bits in range(longest, 0, -1):
        left = of_length[bits]
        while left:
            place -= 1
            if heap[place] < size:
                lengths[heap[place]] = bits
                left -= 1


@part
def runs_of(lengths, start, end, runs, count):
    """Append to `runs`, which has `count`, how zlib says lengths[start:end]; returns their number then."""
    place, before = start, np.int64(-1)
    while place < end:
        length, most = lengths[place], 138 if lengths[place] == 0 else (6 if lengths[place] == before else 7)
        same = 1
        while place + same < end and same < most and lengths[place + same] == length:
            same += 1
        place += same
        if same < (4 if length and length != before else 3):
            for _ in range(same):
                runs[count] = length
                count += 1
        else:
            if length and length != before:
                runs[count] = length
                count += 1
                same -= 1
            runs[count] = (16 if length else (17 if same <= 10 else 18)) + 32 * same
            count += 1
        before = length
    return count


@part
def codes_of(lengths, size, codes):
    """Write to `codes` the canonical code of each symbol, its first bit lowest."""
    of_length = np.zeros(LONGEST + 2, np.int64)
    for symbol in range(size):
        of_length[lengths[symbol] + 1] += lengths[symbol] > 0
    for bits in range(1, LONGEST + 2):
        of_length[bits] = of_length[bits] + of_length[bits - 1] << 1 if bits > 1 else 0
    for symbol in range(size):
        code = of_length[lengths[symbol]]
        codes[symbol] = 0
        if lengths[symbol]:
            of_length[lengths[symbol]] += 1
            for bit in range(lengths[symbol]):
                codes[symbol] |= (code >> bit & 1) << lengths[symbol] - 1 - bit


@part
def bits_of(counts, lengths, extra, size):
    """What all symbols cost with a code, in bits."""
    bits = np.int64(0)
    for symbol in range(size):
        bits += counts[symbol] * (lengths[symbol] + extra[symbol])
    return bits
