"""Options of a call, and arrays for those that are arrays."""

import numpy as np

OPTIONS = {
    "plain": {},
    "sum": {"reduction": "sum"},
    "denominator": {"denominator": 7.0},
    "weight": {"weight": "weight"},
    "mask": {"mask": "mask"},
    "unchecked": {"check": False},
    "all": {"weight": "weight", "mask": "mask", "reduction": "sum"},
    "each": {"reduction": "none"},
    "each of some": {"reduction": "none", "weight": "weight", "mask": "mask"},
}
OF_LABELS = {
    "classes": {"class_weight": "table"},
    "ignored": {"ignore_index": 2},
    "both": {"class_weight": "table", "ignore_index": 2, "weight": "weight", "mask": "mask"},
    "each": {"class_weight": "table", "ignore_index": 2, "mask": "mask", "reduction": "none"},
}
"""Options of one call; a word stands for an array of that kind."""


def arrays_of(rows, classes, dtype):
    random = np.random.default_rng(rows)
    return {
        "weight": random.random(rows).astype(dtype),
        "mask": random.random(rows) < 0.7,
        "table": random.random(classes).astype(dtype),
    }


def filled(options, arrays):
    return {n: arrays.get(x, x) if isinstance(x, str) else x for n, x in options.items()}
