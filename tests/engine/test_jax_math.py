"""JAX's elementary functions for doubles that end as float32, against mpmath; and the sums of a
row's masses, whose accuracy must not depend on how confident the row is.
"""

import mpmath
import numpy as np
import pytest

import lossary as L
from samples import each_loss, sample

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402

from lossary.kernels import jax_math  # noqa: E402

exact = mpmath.mp.clone()
exact.dps = 40
RANDOM = np.random.default_rng(0)
COUNT = 400


def small(low, high):
    return 10.0 ** RANDOM.uniform(low, high, COUNT)


ANY = np.concatenate([RANDOM.normal(size=COUNT) * 30, small(-20, 2), -small(-20, 2)])
ABOVE_0 = np.concatenate([small(-300, 300), 1 + RANDOM.normal(size=COUNT) * 1e-5])
ABOVE_MINUS_1 = np.concatenate([small(-20, 20), -small(-20, -0.0001)])
POINTS = {
    "exp": (ANY, 1),
    "expm1": (ANY, 1.5),
    "tanh": (ANY, 2),
    "log": (ABOVE_0, 1),
    "log1p": (ABOVE_MINUS_1, 2),
}
EDGES = np.array([np.inf, -np.inf, np.nan, 0.0, 1.0, -1.0, 710.0, -750.0, 1e308])


def results(name, x):
    with jax.enable_x64(True):
        return np.asarray(jax.jit(getattr(jax_math, name))(jnp.asarray(x)))


def ulps(found, wanted):
    """The largest error in units of the last place of the true values, which are not 0."""
    return max(
        float(abs((exact.mpf(float(f)) - w) / w)) * 2.0**52
        for f, w in zip(found, wanted, strict=True)
    )


@pytest.mark.parametrize("name", POINTS)
def test_functions_are_right_to_a_few_ulp(name):
    points, bar = POINTS[name]
    wanted = [getattr(exact, name)(exact.mpf(float(x))) for x in points]
    assert ulps(results(name, points), wanted) <= bar


@pytest.mark.parametrize("name", POINTS)
def test_functions_keep_infinities_and_nan(name):
    with np.errstate(all="ignore"):
        wanted = getattr(np, name)(EDGES)
    np.testing.assert_allclose(results(name, EDGES), wanted, rtol=1e-15)


def test_a_power_is_one_where_it_has_to_be():
    base, power = np.array([0.0, 0.0, 1.0, np.inf, 0.5, -1.0]), np.array([0.0, 2, np.inf, 0, 3, 2])
    with jax.enable_x64(True):
        found = jax.jit(jax_math.power_of_positive)(jnp.asarray(base), jnp.asarray(power))
    np.testing.assert_allclose(found, [1, 0, 1, 1, 0.125, np.nan], rtol=1e-15)


ROWS = [[0.0, 0.0, 0.0], [0.0, -30.0, -60.0], [-60.0, 3.0, 2.5], [-np.inf, 1.0, 1.0]]


@pytest.mark.parametrize("rows", [[row] for row in ROWS] + [ROWS])
def test_the_rest_of_a_row_is_exact_however_small(rows):
    x = np.array(rows)
    wanted = [exact.fsum(exact.exp(v) / exact.exp(max(row)) for v in row) - 1 for row in rows]
    with jax.enable_x64(True):
        found = jax.jit(jax_math.rest_of_masses)(jnp.asarray(x), x.max(axis=-1, keepdims=True))
    assert ulps(found[:, 0], wanted) <= 3


def test_a_row_without_classes_has_no_rest():
    x = np.full((1, 3), -np.inf)
    with jax.enable_x64(True):
        assert jax.jit(jax_math.rest_of_masses)(jnp.asarray(x), x[:, :1]) == 0


@pytest.mark.parametrize("classes", [2, 3, 98, 1000])
def test_a_logit_that_is_nan_is_found_wherever_it_is(classes):
    call = jax.jit(lambda x: L.cross_entropy(x, np.zeros(5, "int32"), reduction="none"))
    for place in {0, 1, classes - 1}:
        x = np.array(RANDOM.normal(size=(5, classes)), "float32")
        x[3, place] = np.nan
        assert np.isnan(call(x)).tolist() == [False, False, False, True, False]


@pytest.mark.representative
@each_loss
def test_a_graph_computes_float32_through_float64(loss):
    """Half a unit of float32 or little more, where float32 alone would be off by many."""
    data, parameters = sample(loss, shape=(6,), dtype=np.float32)
    wide = [np.asarray(x, "float64") if x.dtype == "float32" else x for x in data]
    found = jax.jit(lambda *x: loss(*x, reduction="none", check=False, **parameters))(*data)
    wanted = loss(*wide, reduction="none", check=False, **parameters)
    assert found.dtype == "float32"
    np.testing.assert_allclose(found, wanted, rtol=2.0**-23, atol=1e-38)
