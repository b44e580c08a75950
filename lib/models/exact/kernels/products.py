"""Products of matrices of whole numbers, exact in float32 block by block."""

from lib.compiling import part
from lib.models.exact.kernels.numbers import Float, Int


@part(fastmath={"contract"})      # fused or not, whole numbers stay what they are
def _add_products(left, start, right, first, last, out):
    """Add left[:, start + term] * right[term], for the terms first to last, to out: float32, exact below 2^24.

    Two rows and four terms at a time: a vector of columns is loaded and stored once for four products. For the few
    rows here that is as fast as BLAS, which copies `right` first; and nothing stops for Python between two products.
    """
    rows = len(out)
    term = first
    while term + 4 <= last:
        values0, values1, values2, values3 = right[term], right[term + 1], right[term + 2], right[term + 3]
        for row in range(0, rows - 1, 2):
            f = left[row, start + term:start + term + 4]
            g = left[row + 1, start + term:start + term + 4]
            f0, f1, f2, f3 = f[0], f[1], f[2], f[3]
            g0, g1, g2, g3 = g[0], g[1], g[2], g[3]
            sums, sums_next = out[row], out[row + 1]
            for column in range(len(sums)):
                v0, v1, v2, v3 = values0[column], values1[column], values2[column], values3[column]
                sums[column] = sums[column] + f0 * v0 + f1 * v1 + f2 * v2 + f3 * v3
                sums_next[column] = sums_next[column] + g0 * v0 + g1 * v1 + g2 * v2 + g3 * v3
        if rows % 2:
            for rest in range(term, term + 4):
                _add_scaled(left[rows - 1, start + rest], right[rest], out[rows - 1])
        term += 4
    for rest in range(term, last):
        for row in range(rows):
            _add_scaled(left[row, start + rest], right[rest], out[row])


@part
def _add_scaled(factor, values, out):
    for column in range(len(out)):
        out[column] += factor * values[column]


@part
def product(left, start, right, block, part, out):
    """left[:, start:start + terms] times right (terms, m) into out, int32; `part` is float32 room of out's shape."""
    terms = len(right)
    for first in range(0, terms, block):
        part[:] = 0
        _add_products(left, start, right, first, min(first + block, terms), part)
        _add_whole(part, first == 0, out)


@part(fastmath={"contract", "reassoc"})      # nor does the order matter
def _dot_products(left, right, first, last, out):
    """left times right transposed, for the terms first to last, into out: float32, exact below 2^24.

    Two rows of either at a time and four, for the same reason as above.
    """
    rows, columns = out.shape
    for column in range(0, columns - 3, 4):
        r0, r1 = right[column, first:last], right[column + 1, first:last]
        r2, r3 = right[column + 2, first:last], right[column + 3, first:last]
        for row in range(0, rows - 1, 2):
            f, g = left[row, first:last], left[row + 1, first:last]
            f0 = f1 = f2 = f3 = g0 = g1 = g2 = g3 = Float(0)
            for term in range(last - first):
                x, y = f[term], g[term]
                f0 += x * r0[term]
                f1 += x * r1[term]
                f2 += x * r2[term]
                f3 += x * r3[term]
                g0 += y * r0[term]
                g1 += y * r1[term]
                g2 += y * r2[term]
                g3 += y * r3[term]
            out[row, column], out[row, column + 1], out[row, column + 2], out[row, column + 3] = f0, f1, f2, f3
            out[row + 1, column], out[row + 1, column + 1] = g0, g1
            out[row + 1, column + 2], out[row + 1, column + 3] = g2, g3
        if rows % 2:
            for rest in range(column, column + 4):
                out[rows - 1, rest] = _dot(left[rows - 1, first:last], right[rest, first:last])
    for rest in range(columns - columns % 4, columns):
        for row in range(rows):
            out[row, rest] = _dot(left[row, first:last], right[rest, first:last])


@part(fastmath={"contract", "reassoc"})
def _dot(left, right):
    total = Float(0)
    for term in range(len(left)):
        total += left[term] * right[term]
    return total


@part
def product_with_transposed(left, right, block, part, out):
    """left (rows, terms) times right (m, terms) transposed into out, int32; `part` as for product."""
    terms = right.shape[1]
    for first in range(0, terms, block):
        _dot_products(left, right, first, min(first + block, terms), part)
        _add_whole(part, first == 0, out)


@part
def _add_whole(part, is_first, out):
    """Add whole numbers, float32, to out, int32; or put them there, where they are the first."""
    for row in range(len(out)):
        sums, total = part[row], out[row]
        if is_first:
            for column in range(len(total)):
                total[column] = Int(sums[column])
        else:
            for column in range(len(total)):
                total[column] += Int(sums[column])
