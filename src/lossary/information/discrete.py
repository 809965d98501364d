"""The sums behind the measures, over distributions or joint weights along the last axes."""

from __future__ import annotations

import numpy as np

from lossary.information.exact import Pair, divergence, pair_of, pair_sum, row_sum
from lossary.information.masses import Masses
from lossary.information.units import Array, Unit


def expected_information(p: Masses, q: Masses, unit: Unit) -> Array:
    """Sum of -p log q: the cross-entropy, or with q = p the entropy."""
    shares = p.shares
    with np.errstate(invalid="ignore"):
        terms = np.where(shares > 0, -shares * q.log(unit), 0.0)  # 0 log 0 = 0
    return row_sum(terms)[..., 0]


def relative_information(p: Masses, q: Masses, unit: Unit) -> Array:
    """Sum of p log(p / q)."""
    return divergence(p.shares, q.shares, (p.value, q.total), (q.value, p.total), unit)


def information_of_joint(table: Array, unit: Unit) -> Array:
    """Mutual information of joint weights along the last two axes, whatever their sum."""
    first, second = pair_sum(table), _swapped(pair_sum(np.swapaxes(table, -1, -2)))
    flat = table.reshape(*table.shape[:-2], -1)
    total = pair_sum(flat)
    outer = [np.broadcast_to(part, table.shape) for part in (*first, *second)]
    rows = [part.reshape(flat.shape) for part in outer]
    above: tuple[Pair, Pair] = (pair_of(flat), total)
    below: tuple[Pair, Pair] = ((rows[0], rows[1]), (rows[2], rows[3]))
    product = (rows[0] / total[0]) * (rows[2] / total[0])
    return divergence(flat / total[0], product, above, below, unit)


def remaining_information(table: Array, unit: Unit) -> Array:
    """Conditional entropy of the last axis given the one before, of joint weights of any sum."""
    given = row_sum(table)
    # A row of no mass has no conditional distribution; any will do, as its weight is zero.
    rows = np.where(given > 0, table, 1.0)
    logs = Masses(pair_of(rows), pair_sum(rows)).log(unit)
    joint = table / row_sum(np.swapaxes(given, -1, -2))
    with np.errstate(invalid="ignore"):
        terms = np.where(joint > 0, -joint * logs, 0.0)
    return row_sum(terms.reshape(*table.shape[:-2], -1))[..., 0]


def _swapped(pair: Pair) -> Pair:
    return np.swapaxes(pair[0], -1, -2), np.swapaxes(pair[1], -1, -2)


def information_of_counts(
    rows: Array, columns: Array, counts: Array, unit: Unit
) -> tuple[float, float, float]:
    """Mutual information, H(column | row) and H(column) of a sparse table of counts."""
    number = counts.sum()
    row_counts, column_counts = np.bincount(rows, counts), np.bincount(columns, counts)
    in_row, in_column = row_counts[rows], column_counts[columns]
    # Cells of count 0 are not listed; their part of the product is what the listed ones leave.
    listed = row_sum(in_row / number * (in_column / number))
    p = np.append(counts / number, 0.0)
    q = np.append(in_row / number * (in_column / number), np.maximum(1 - listed, 0.0))
    cell = np.append(counts, 0.0), np.append(in_row, number), np.append(in_column, number)
    whole = pair_of(np.full(1, number))
    information = divergence(
        p, q, (pair_of(cell[0]), whole), (pair_of(cell[1]), pair_of(cell[2])), unit
    )
    remaining = row_sum(counts / number * unit.log(in_row / counts))[0]
    present = column_counts[column_counts > 0]
    entropy = row_sum(present / number * unit.log(number / present))[0]
    return float(information), float(remaining), float(entropy)
