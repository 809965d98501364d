"""Expressions evaluated node by node, without rendering: in IEEE floats, or exactly in mpmath.

Arrays follow the texts' convention: a class-shaped value has the classes last, any other a last
axis of 1. Exact values are object arrays of mpmath numbers.
"""

from functools import partial

import mpmath
import numpy as np

from lossary.accuracy.exact import _ALONG, IN_MPMATH, number
from lossary.accuracy.in_order import Placed
from lossary.formula import walk
from lossary.functions import FUNCTIONS
from lossary.functions.ordered import EXPONENTIAL
from lossary.render import Program, render

exact = mpmath.mp.clone()
exact.dps = 150  # log(1 + exp(-120)) loses 52 of them


def along(function):
    return lambda x: function(x, axis=-1, keepdims=True)


def pick(x, label):
    rows = np.broadcast_shapes(x.shape[:-1], label.shape[:-1])
    wide = np.broadcast_to(x, (*rows, x.shape[-1]))
    return np.take_along_axis(wide, np.broadcast_to(label, (*rows, 1)).astype(int), axis=-1)


# Along an order: whether member j belongs to member i, for all pairs at once.
BELONGS = {
    "cumulate": lambda i, j, own, key: key >= own,
    "tied": lambda i, j, own, key: key == own,
    "beyond": lambda i, j, own, key: key > own,
    "others_from": lambda i, j, own, key: (key >= own) & (i != j),
    "other_ties": lambda i, j, own, key: (key == own) & (i != j),
    "earlier_ties": lambda i, j, own, key: (key == own) & (j < i),
    "next_above": lambda i, j, own, key: key == own + 1,
}


def pairs(word, key):
    """The matrix of what belongs to what; the last axis goes over what is added up."""
    place = np.arange(key.shape[-1])
    found = BELONGS[word](place[:, None], place, key[..., :, None], key[..., None, :])
    return np.asarray(found, bool)


def sum_of_pairs(word):
    def along(x, key):
        x, key = np.broadcast_arrays(x, key)
        return np.sum(np.where(pairs(word, key), x[..., None, :], 0), axis=-1)

    return along


def sum_of_masses(word, exp):
    def along(x, gain, cost, key):
        x, gain, cost, key = np.broadcast_arrays(x, gain, cost, key)
        counts = pairs(word, key) & (x[..., None, :] != 0)
        power = np.where(counts, gain[..., None, :] - cost[..., :, None], -np.inf)
        return np.sum(x[..., None, :] * np.asarray(exp(power)), axis=-1)

    return along


def peak_from(x, key):
    x, key = np.broadcast_arrays(x, key)
    return np.max(np.where(pairs("cumulate", key), x[..., None, :], -np.inf), axis=-1)


def within(key, group):
    key, group = np.broadcast_arrays(key, group)
    return np.vectorize(Placed, otypes=[object])(key, group)


SHARED = {
    "within": within,
    **{word: sum_of_pairs(word) for word in BELONGS},
    "peak_from": peak_from,
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "negative": np.negative,
    "power": np.power,
    "absolute": np.absolute,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "less": np.less,
    "less_equal": np.less_equal,
    "equal": np.equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_not": np.logical_not,
    "where": np.where,
    "rounding": lambda error: error,
    "held": lambda x: x,
    "weighted": lambda w, v: np.where(w == 0, 0.0 * np.ones_like(w), w * v),
    "total": along(np.sum),
    "peak": along(np.max),
    "argpeak": lambda x: np.argmax(x, axis=-1)[..., None],
    "pick": pick,
}

FLOATS = SHARED | {
    name: getattr(np, name)
    for name in (
        "divide",
        "sign",
        "floor",
        "sqrt",
        "exp",
        "expm1",
        "log",
        "log1p",
        "tanh",
        "sin",
        "cos",
    )
}

FLOATS |= {word: sum_of_masses(word.removesuffix("_exp"), np.exp) for word in EXPONENTIAL}


def _quotient(x, y):
    if y:
        return x / y
    return exact.nan if exact.isnan(x) or not x else exact.inf * exact.sign(x)


def _power(x, p):
    return x**p if x or p >= 0 else exact.inf


EXACT = SHARED | {
    "power": np.frompyfunc(_power, 2, 1),
    "divide": np.frompyfunc(_quotient, 2, 1),
    "log": np.frompyfunc(lambda x: exact.log(x) if x else -exact.inf, 1, 1),
    "log1p": np.frompyfunc(lambda x: exact.log1p(x) if x != -1 else -exact.inf, 1, 1),
} | {
    name: np.frompyfunc(getattr(exact, name), 1, 1)
    for name in ("sign", "floor", "sqrt", "exp", "expm1", "tanh", "sin", "cos")
}  # fmt: skip


EXACT |= {
    word: sum_of_masses(word.removesuffix("_exp"), np.frompyfunc(exact.exp, 1, 1))
    for word in EXPONENTIAL
}


def tempered_normalizer(x, t):
    """Row by row, as the oracle solves for it."""
    rows = [(row, t[i % len(t)][0]) for i, row in enumerate(x)]
    solve = partial(_ALONG["tempered_normalizer"], exact, x.shape[-1])
    return np.array([[solve(list(row), own)] for row, own in rows], dtype=object)


EXACT["tempered_normalizer"] = tempered_normalizer


def exactly(values):
    """The same numbers as mpmath's."""
    return np.frompyfunc(exact.mpf, 1, 1)(np.asarray(values, dtype=object))


def laid_out(node, values):
    """The operands of a node: what belongs to pairs has one more axis, for the other member."""
    if not node.paired or node.operator == "other":
        return list(values)
    operands = zip(node.arguments, values, strict=True)
    return [x if a.paired else np.asarray(x)[..., None] for a, x in operands]


def of_pairs(node, x, classes):
    """The value at the other member of each pair, or the sum over the others of each."""
    if node.operator == "other":
        return x[..., None, :]
    apart = ~np.eye(classes, dtype=bool)
    x = x if node.arguments[0].paired else x[..., None]
    return np.sum(np.where(apart, x, 0), axis=-1)


PAIRS = {"other", "total_of_others"}


def interpret(expression, values, table=FLOATS):
    """Evaluate in floats (`FLOATS`, named functions as computed) or exactly (`EXACT`, as meant)."""
    classes = max((v.shape[-1] for v in values.values()), default=1)
    done = {}
    for node in walk(expression):
        operands = laid_out(node, [done[a] for a in node.arguments])
        if node.operator == "variable":
            done[node] = values[node.payload]
        elif node.operator in PAIRS:
            done[node] = of_pairs(node, operands[0], classes)
        elif node.operator == "constant":
            value = number(exact, node.payload) if table is EXACT else node.payload
            done[node] = np.asarray([value])
        elif node.operator == "class_index":
            done[node] = np.arange(classes)
        elif node.operator == "class_count":
            done[node] = np.asarray([classes])
        elif node.operator in {"total", "peak", "pick"} and not node.arguments[0].class_axis:
            # A number that all classes share stands for as many as there are classes.
            done[node] = operands[0] * (classes if node.operator == "total" else 1)
        elif node.operator in FUNCTIONS:
            function = FUNCTIONS[node.operator]
            form = function.means if table is EXACT else function.computed
            if form is None and node.operator in table:
                done[node] = table[node.operator](*operands)
            elif form is None:  # a primitive to the oracle
                known = partial(IN_MPMATH[node.operator], exact)
                done[node] = np.frompyfunc(known, len(operands), 1)(*operands)
            else:
                done[node] = interpret(form(*node.arguments), values, table)
        else:
            done[node] = table[node.operator](*operands)
    return done[expression]


def run(expression, values, target="numpy"):
    """Evaluate the rendered text."""
    source = render(Program("f", tuple(values), (expression,)), target)
    namespace = {}
    exec(source, namespace)
    with np.errstate(all="ignore"):
        return np.asarray(namespace["f"](*values.values()))
