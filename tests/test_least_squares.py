import re

import numpy as np
import pytest

from lib.mixing import least_squares

ROWS, COLUMNS, FEATURES, NEARNESS, RIDGE = 7, 9, 4, 0.8, 0.25


def field(seed=1):
    """(features of shape (rows, columns, n), values that are nearly sums of them, weights)."""
    random = np.random.default_rng(seed)
    features = random.normal(0, 10, (ROWS, COLUMNS, FEATURES))
    values = features @ [0.5, -1.0, 2.0, 0.25] + random.normal(0, 1, (ROWS, COLUMNS))
    return features, values, random.uniform(0.1, 1, (ROWS, COLUMNS))


def expected_in_order(features, values, weights):
    """What is expected of each value from those before it."""
    plane = np.zeros(least_squares.floats(FEATURES, COLUMNS))
    work = np.zeros(least_squares.scratch(FEATURES))
    expected = np.zeros(values.shape)
    for row in range(ROWS):
        if row:
            least_squares.end_row(plane, COLUMNS, FEATURES, NEARNESS, work)
        for column in range(COLUMNS):
            seen = features[row, column], FEATURES
            expected[row, column] = least_squares.expected(plane, column, *seen, RIDGE, work)
            least_squares.learn(plane, column, *seen, values[row, column], weights[row, column], NEARNESS)
    return expected


def solved(features, values, weights, row, column):
    """The same by an equation of all values before it."""
    left, right = RIDGE * np.eye(FEATURES), np.zeros(FEATURES)
    for other in range(row * COLUMNS + column):
        there = divmod(other, COLUMNS)
        counts = weights[there] * NEARNESS ** (row - there[0] + abs(column - there[1]))
        left += counts * np.outer(features[there], features[there])
        right += counts * features[there] * values[there]
    return features[row, column] @ np.linalg.solve(left, right)


def test_each_value_is_expected_by_the_factors_that_fit_those_before_it_best():
    given = field()
    expected = expected_in_order(*given)
    for row in range(ROWS):
        for column in range(COLUMNS):
            assert expected[row, column] == pytest.approx(solved(*given, row, column), rel=1e-6, abs=1e-6)


def test_a_sum_of_features_is_recognised():
    features, _, weights = field(2)
    values = features @ [0.5, -1.0, 2.0, 0.25]
    assert np.abs(expected_in_order(features, values, weights) - values)[3:].max() < 0.1


def test_nothing_known_expects_nothing_and_numbers_never_fade_away():
    nothing = np.zeros((ROWS, COLUMNS, FEATURES)), np.zeros((ROWS, COLUMNS)), np.ones((ROWS, COLUMNS))
    assert not expected_in_order(*nothing).any()
    plane, work = np.zeros(least_squares.floats(FEATURES, 1)), np.zeros(least_squares.scratch(FEATURES))
    for _ in range(20_000):
        least_squares.learn(plane, 0, np.zeros(FEATURES), FEATURES, 0.0, 1.0, NEARNESS)
        least_squares.end_row(plane, 1, FEATURES, NEARNESS, work)
    sums = plane[np.nonzero(plane)]
    assert len(sums) and np.abs(sums).min() > 1e-20


def test_products_and_sums_are_rounded_one_by_one_in_the_order_they_are_written():
    expected_in_order(*field())
    for function in (least_squares.expected, least_squares.learn, least_squares.end_row):
        for code in function.inspect_llvm().values():
            assert "fmul" in code and not re.search(r"f(mul|add|sub|div) (fast|contract|reassoc|arcp|afn)", code)
            assert "llvm.fma" not in code and "fmuladd" not in code
        for code in function.inspect_asm().values():
            assert not re.search(r"\b(vfn?m(add|sub)|fn?madd|fn?msub|fmla|fmls)", code)
