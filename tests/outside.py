"""Calls with one value outside its set, and what a graph must make of it: NaN, never a number."""

import numpy as np

from samples import CLASSES, draw, sample

WRONG_WEIGHTS = (-1.0, float("nan"), float("inf"))


def settings(loss, rows, dtype="float32"):
    """Every hyper-parameter as an array of its own, one number for each row or each class."""
    rng = np.random.default_rng(1)
    return {
        a.name: np.asarray(
            draw(a.domain, rng, () if a.domain.class_axis else (rows,)), dtype
        )
        for a in loss.parameters
    }  # fmt: skip


def good(loss, rows=3):
    """Weights, hyper-parameters by name and data, all of them in their sets."""
    data, _ = sample(loss, shape=(rows,), dtype=np.float32)
    return [np.linspace(0.5, 2, rows, dtype="float32"), settings(loss, rows), data]


def each_bad(loss):
    """Yield (what, weight, parameters, data) with one value exchanged, in the row 1 of 3."""
    for argument in loss.inputs:
        domain = argument.domain
        for value in (*domain.outside, CLASSES) if domain.integer else domain.outside:
            weight, parameters, data = good(loss)
            place = (1, 2) if domain.class_axis else (1,)
            data[loss.inputs.index(argument)][place] = value
            yield f"{argument.name} {value}", weight, parameters, data
        if domain.mass:
            weight, parameters, data = good(loss)
            row = data[loss.inputs.index(argument)]
            row[1] = row[1] * 0.9 if domain.mass == "sum" else row[1] - 0.1
            yield f"{argument.name} of another sum", weight, parameters, data
    for argument in loss.parameters:
        for value in argument.domain.outside:
            weight, parameters, data = good(loss)
            parameters[argument.name][1] = value
            yield f"{argument.name} {value}", weight, parameters, data
    for value in WRONG_WEIGHTS:
        weight, parameters, data = good(loss)
        weight[1] = value
        yield f"weight {value}", weight, parameters, data


def check_nan(loss, what, values, slopes):
    """Row 1 of the values and of the slopes is NaN, and no other."""
    name = what.partition(" ")[0]
    whole = any(a.name == name and a.domain.class_axis for a in loss.parameters)
    wanted = np.full(3, whole)
    wanted[1] = True
    slopes = np.isnan(np.asarray(slopes)).reshape(3, -1)
    assert np.isnan(values).tolist() == wanted.tolist(), what
    assert slopes.all(axis=1).tolist() == slopes.any(axis=1).tolist() == wanted.tolist(), what
