"""Values that lie in rows and planes, as the samples of an image, expected by least squares: every one by factors of its own.

A value is expected as a sum of features, each with the factor that would have been best for those before it: they count by a weight of
their own, and the less the farther away they are, by `nearness` to the power of the columns and rows between. The sums of products
that this takes are kept by column and carried on, so all values take the same time (after Meyer and Tischer's Glicbawls, 2001).

Exact on every machine though it is float64: nothing but sums, products, quotients and roots, as IEEE 754 rounds them, in the very
order that is written here (compiled without fastmath, so none are joined or moved), and no number comes near those so small that some
machines take them for zero.
"""

from lib.compiling import also_plain, part

_NEVER_ZERO = 2.0 ** -40        # is added to all sums, which would fade away where all features are zero


@also_plain
def floats(features, columns):
    """How many numbers a plane takes."""
    return _sums(features) + columns * _record(features)


@also_plain
def scratch(features):
    """How many numbers `expected` takes to work on."""
    return _sums(features) + features


@also_plain
def _sums(features):
    """Products of all pairs of the features and the value: of the matrix's upper half, row by row."""
    return (features + 1) * (features + 2) // 2


@also_plain
def _record(features):
    """Of a column: the sums of the rows above; its features, the value, its weight."""
    return _sums(features) + features + 2


@part
def expected(plane, column, features, count, ridge, work):
    """What the value at a column is expected to be.

    plane: float64, `floats` of it, zero at first: what is known; features: float64 (count or more,); ridge: what is added
    to the squares of features, so that what is hardly known counts little; work: float64, `scratch` of it.
    """
    sums = _sums(count)
    above = plane[sums + column * _record(count):]
    for index in range(sums):
        work[index] = plane[index] + above[index]
    eliminate(work, count, ridge)
    factors = work[sums:]
    row = sums - 1                                 # the last, of the value's square alone
    total = 0.0
    for feature in range(count - 1, -1, -1):
        row -= count + 1 - feature
        factor = work[row + count - feature]
        for other in range(feature + 1, count):
            factor -= work[row + other - feature] * factors[other]
        factors[feature] = factor / work[row]
        total += factors[feature] * features[feature]
    return total


@part
def eliminate(work, count, ridge):
    """Gauss's elimination, of the upper half of a symmetric matrix and the right side beside it."""
    row = 0
    for pivot in range(count):
        work[row] += ridge
        inverse = 1.0 / work[row]
        size = count + 1 - pivot
        source, target = work[row:row + size], row + size
        for other in range(1, size - 1):
            factor = source[other] * inverse
            into, what = work[target:target + size - other], source[other:]
            for index in range(size - other):
                into[index] -= factor * what[index]
            target += size - other
        row += size


@part
def learn(plane, column, features, count, value, weight, nearness):
    """Take in the value at a column, whose features those are."""
    sums = _sums(count)
    above = plane[sums + column * _record(count):]
    seen = above[sums:]
    for feature in range(count):
        seen[feature] = features[feature]
    seen[count], seen[count + 1] = value, weight
    index = 0
    for feature in range(count + 1):
        factor = weight * seen[feature]
        for other in range(feature, count + 1):
            total = plane[index] + (factor * seen[other] + _NEVER_ZERO)
            above[index] = nearness * (above[index] + total)
            plane[index] = nearness * total
            index += 1


@part
def end_row(plane, columns, count, nearness, work):
    """Let the sums of each column know what came to the right of it in the row that has ended."""
    sums, record = _sums(count), _record(count)
    plane[:sums] = 0.0
    right = work[:sums]
    right[:] = 0.0
    square = nearness * nearness
    for column in range(columns - 1, -1, -1):
        above = plane[sums + column * record:]
        seen = above[sums:]
        index = 0
        for feature in range(count + 1):
            factor = seen[count + 1] * seen[feature]
            for other in range(feature, count + 1):
                above[index] += square * right[index]
                right[index] = nearness * right[index] + (factor * seen[other] + _NEVER_ZERO)
                index += 1
