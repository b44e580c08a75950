"""Values in a row, as the samples of a sound, expected by least squares and by least mean squares.

By least squares: `factors` of `features` that would have been best for the values so far, of which older ones count less (recursive
least squares in its covariance form). By least mean squares: weights of a long window move along the gradient of each error, normalised
by the window's power (Widrow and Hoff, 1960); a cascade of both is that of MPEG-4 RLS-LMS and of Sac.

Exact on every machine though it is float64, by the rules of lib.mixing.least_squares.
"""

from lib.compiling import also_plain, part
from lib.mixing.least_squares import eliminate

_NEVER_ZERO = 2.0 ** -40        # is added to all sums, which would fade away where all features are zero
_LANES = 8                      # sums of a product that go side by side


@also_plain
def sums(features):
    """How many numbers the sums of products take: of the upper half of a matrix, row by row, the value as its last column."""
    return (features + 1) * (features + 2) // 2


@part
def learn(products, features, count, value, weight, kept):
    """Take in a value whose features those are: float64 (count or more,). kept: of what was there before, a share."""
    index = 0
    for feature in range(count):
        factor = weight * features[feature]
        for other in range(feature, count):
            products[index] = kept * products[index] + (factor * features[other] + _NEVER_ZERO)
            index += 1
        products[index] = kept * products[index] + (factor * value + _NEVER_ZERO)
        index += 1


@part
def solve(products, count, ridge, factors, work):
    """Set factors, float64 (count,), to the best ones. ridge: is added to the squares; work: float64, `sums` of it."""
    size = sums(count)
    for index in range(size - 1):
        work[index] = products[index]
    eliminate(work, count, ridge)
    row = size - 1
    for feature in range(count - 1, -1, -1):
        row -= count + 1 - feature
        factor = work[row + count - feature]
        for other in range(feature + 1, count):
            factor -= work[row + other - feature] * factors[other]
        factors[feature] = factor / work[row]


@part
def product(first, second, count):
    """The sum of products of two rows of `count` numbers, a multiple of 8."""
    a = b = c = d = e = f = g = h = 0.0
    for index in range(0, count, _LANES):
        a += first[index] * second[index]
        b += first[index + 1] * second[index + 1]
        c += first[index + 2] * second[index + 2]
        d += first[index + 3] * second[index + 3]
        e += first[index + 4] * second[index + 4]
        f += first[index + 5] * second[index + 5]
        g += first[index + 6] * second[index + 6]
        h += first[index + 7] * second[index + 7]
    return ((a + b) + (c + d)) + ((e + f) + (g + h))


@part
def move(weights, window, count, step):
    """Move weights along a window by a step."""
    for index in range(count):
        weights[index] += step * window[index]
