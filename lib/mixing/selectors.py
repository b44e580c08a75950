"""Which row of a weight set is for a bit: by a value that a kind of data selects, and by what the engine knows."""

from lib.compiling import part

# What the row of a weight set depends on beside the value that a kind selects.
BY_NODE = 0          # the bits of the symbol so far
BY_DEPTH = 1         # how many they are
BY_MATCH = 2         # the bits so far, and how long the first match is
BY_ORDER = 3         # how many they are, and how many orders of context are known
BY_VALUE = 4         # nothing else

MATCH_CLASSES = 8
MOST_ORDERS = 8      # orders that are known: none to seven


def row_count(values: int, scope: int, bits: int) -> int:
    """Rows of a weight set that `values` values select."""
    return values * {BY_NODE: 1 << bits, BY_DEPTH: bits, BY_MATCH: MATCH_CLASSES << bits,
                     BY_ORDER: MOST_ORDERS * bits, BY_VALUE: 1}[scope]


@part
def match_class_of(length):
    return 0 if length == 0 else 1 + min(MATCH_CLASSES - 2, length // 4)


@part
def row_of(value, scope, node, depth, bits, match_class, known):
    """The row that a weight set's value and scope pick."""
    if scope == BY_NODE:
        return (value << bits) + node
    if scope == BY_DEPTH:
        return value * bits + depth
    if scope == BY_MATCH:
        return (value * MATCH_CLASSES + match_class << bits) + node
    if scope == BY_VALUE:
        return value
    return (value * MOST_ORDERS + known) * bits + depth
