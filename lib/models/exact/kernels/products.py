"""Products of matrices of whole numbers: in int32 where they fit, else exact in float32 block by block."""

from lib.compiling import part
from lib.models.exact.kernels.numbers import Int


@part
def dots(left, start, right, out):
    """out[row, column] = left[row, start:] times right[column], int16, for all rows of left and of right: int32, which they fit.

    Compilers turn the inner loop into multiply-add instructions. Each row of `right` is read once for all of `left`, which are few.
    """
    terms = right.shape[1]
    for column in range(len(right)):
        values = right[column]
        for row in range(len(left)):
            factors, total = left[row, start:start + terms], Int(0)
            for term in range(terms):
                total = Int(total + Int(Int(factors[term]) * Int(values[term])))
            out[row, column] = total


@part
def sums_of_rows(left, right, first, last, out):
    """left (rows, terms) times right[:, first:last], int16 of `terms` rows, into out: int32, which they fit.

    Four terms at a time: a vector of sums is loaded and stored once for four products.
    """
    terms = len(right)
    out[:] = 0
    for term in range(0, terms - 3, 4):
        v0, v1, v2, v3 = (right[term, first:last], right[term + 1, first:last], right[term + 2, first:last], right[term + 3, first:last])
        for row in range(len(left)):
            f0, f1, f2, f3 = Int(left[row, term]), Int(left[row, term + 1]), Int(left[row, term + 2]), Int(left[row, term + 3])
            sums = out[row]
            for column in range(last - first):
                sums[column] = Int(Int(sums[column] + Int(f0 * Int(v0[column])) + Int(f1 * Int(v1[column])))
                                   + Int(f2 * Int(v2[column])) + Int(f3 * Int(v3[column])))
    for term in range(terms - terms % 4, terms):
        for row in range(len(left)):
            factor, values, sums = Int(left[row, term]), right[term, first:last], out[row]
            for column in range(last - first):
                sums[column] = Int(sums[column] + Int(factor * Int(values[column])))


@part(fastmath={"contract"})      # fused or not, whole numbers stay what they are
def _add_products(left, right, first, last, out):
    """Add left[:, term] * right[term], for the terms first to last, to out: float32, exact below 2^24.

    Two rows and four terms at a time: a vector of columns is loaded and stored once for four products. For the few
    terms here that is as fast as BLAS, which copies `right` first; and nothing stops for Python between two products.
    """
    rows = len(out)
    term = first
    while term + 4 <= last:
        values0, values1, values2, values3 = right[term], right[term + 1], right[term + 2], right[term + 3]
        for row in range(0, rows - 1, 2):
            f, g = left[row, term:term + 4], left[row + 1, term:term + 4]
            f0, f1, f2, f3 = f[0], f[1], f[2], f[3]
            g0, g1, g2, g3 = g[0], g[1], g[2], g[3]
            sums, sums_next = out[row], out[row + 1]
            for column in range(len(sums)):
                v0, v1, v2, v3 = values0[column], values1[column], values2[column], values3[column]
                sums[column] = sums[column] + f0 * v0 + f1 * v1 + f2 * v2 + f3 * v3
                sums_next[column] = sums_next[column] + g0 * v0 + g1 * v1 + g2 * v2 + g3 * v3
        if rows % 2:
            for rest in range(term, term + 4):
                _add_scaled(left[rows - 1, rest], right[rest], out[rows - 1])
        term += 4
    for rest in range(term, last):
        for row in range(rows):
            _add_scaled(left[row, rest], right[rest], out[row])


@part
def _add_scaled(factor, values, out):
    for column in range(len(out)):
        out[column] += factor * values[column]


@part
def product(left, right, block, part, out):
    """left (rows, terms) times right (terms, m), float32, into out, int32; `part` is float32 room of out's shape."""
    terms = len(right)
    for first in range(0, terms, block):
        part[:] = 0
        _add_products(left, right, first, min(first + block, terms), part)
        for row in range(len(out)):
            sums, total = part[row], out[row]
            for column in range(len(total)):
                total[column] = Int(sums[column]) if first == 0 else Int(total[column] + Int(sums[column]))
