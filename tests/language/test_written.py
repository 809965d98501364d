"""Formulas as users write them, each in a line: exact, or it is known what loses digits."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from test_identities import WORDS, anywhere

import lossary as L
import lossary.domain
from lossary.accuracy.measure import errors
from lossary.accuracy.samples import SUBNORMAL
from lossary.accuracy.truth import truths

WRITTEN = tomllib.loads((Path(__file__).parents[1] / "written.toml").read_text())
SHORT = [name for name, entry in WRITTEN.items() if "short" in entry]
EXACT = [name for name in WRITTEN if name not in SHORT]
DTYPES = ("float64", "float32")
POINTS = 24


def as_written(name):
    """The loss that a user's line is, without a source."""
    entry = WRITTEN[name]
    *lines, last = entry["form"].split("; ")
    body = "".join(f"    {line}\n" for line in [*lines, f"return {last}"])
    space = WORDS | vars(lossary.domain)
    exec(f"def {name}({entry['arguments']}):\n{body}", space)
    return L.loss(source="as users write it")(space[name])


def beyond(loss, dtype):
    """The largest error over what it may be: its bar, or 5 ulp."""
    parts = errors(loss, "numpy", dtype, truths(loss, dtype, POINTS))
    counted = [part for part in parts if part.kind != SUBNORMAL and part.errors.size]
    return max(part.errors.max() / max(5, part.bar) for part in counted)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", EXACT)
def test_a_formula_as_users_write_it_is_exact(name, dtype):
    assert beyond(as_written(name), dtype) <= 1


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", WRITTEN)
def test_a_formula_as_users_write_it_is_never_nan(name, dtype):
    """Values and gradients over the whole range of numbers."""
    loss, rng = as_written(name), np.random.default_rng(5)
    data = [anywhere(argument.domain, dtype, rng) for argument in loss.inputs]
    value, gradient = loss.value_and_gradient(*data, reduction="none")
    found = (value, *(gradient if isinstance(gradient, tuple) else (gradient,)))
    assert not any(np.isnan(part).any() for part in found)


@pytest.mark.parametrize("name", SHORT)
def test_a_line_that_falls_short_still_does(name):
    """A strict list: one that comes within its bar loses its reason."""
    assert beyond(as_written(name), "float64") > 1


# Both probabilities are 0, and their quotient is none: 0 cannot be compared with a meaning there.
NOTHING_OF_BOTH = {
    "pearson": "total((p - q) ** 2 / q)",
    "neyman": "total((p - q) ** 2 / p)",
    "triangular": "total((p - q) ** 2 / (p + q))",
    "second moment": "total(p**2 / q)",
    "amari": "(1 - total(q**a * p**(1 - a))) / (a * (1 - a))",
    "renyi": "-log(total(q**a * p**(1 - a))) / (1 - a)",
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", NOTHING_OF_BOTH.values(), ids=NOTHING_OF_BOTH)
def test_what_neither_distribution_has_counts_for_nothing(form, dtype):
    """A class without mass leaves values and gradients of the other classes as they are."""
    space = WORDS | vars(lossary.domain)
    body = f"def divergence(p: Simplex, q: Simplex, *, a: OpenUnit = 0.25):\n    return {form}"
    exec(body, space)
    loss = L.loss(source="as users write it")(space["divergence"])
    both = np.array([[0.25, 0.5, 0.25]], dtype), np.array([[0.125, 0.25, 0.625]], dtype)
    more = [np.concatenate([row, np.zeros((1, 2), dtype)], axis=-1) for row in both]
    value, gradient = loss.value_and_gradient(*both, reduction="none", wrt=("p", "q"))
    found, slopes = loss.value_and_gradient(*more, reduction="none", wrt=("p", "q"))
    np.testing.assert_allclose(found, value, rtol=4 * np.finfo(dtype).eps)
    for slope, without in zip(slopes, gradient, strict=True):
        np.testing.assert_allclose(slope[:, :3], without, rtol=8 * np.finfo(dtype).eps)
        assert (slope[:, 3:] == 0).all()


def test_at_a_tie_of_two_exponentials_each_has_half_of_the_slope():
    loss = as_written("logsumexp_of_two")
    for x in (0.0, 1.0, -745.0, 1e300):
        _, slopes = loss.value_and_gradient(x, x, wrt=("x", "y"))
        assert list(slopes) == [0.5, 0.5]
