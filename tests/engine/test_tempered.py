"""Normalisers that are solved for: the last digits, the slope of the solution, one's own losses."""

import mpmath
import numpy as np
import pytest

import lossary as L
from libraries import NAMES, Library, value_and_slope
from lossary.accuracy.oracle import Meaning
from lossary.accuracy.ulps import FORMATS, ulps
from lossary.domain import Label, Positive, Scores
from lossary.formula import apply, constant, variable
from lossary.functions import (
    FUNCTIONS,
    entmax_root,
    log,
    pick,
    softmax,
    sparsemax,
    tempered_normalizer,
    tempered_softmax,
    total,
)
from lossary.render import Program, render

each_library = pytest.mark.parametrize("library", [Library(n) for n in NAMES], ids=NAMES)
X = variable("x", class_axis=True)


def compiled(expression):
    namespace = {}
    exec(render(Program("f", ("x",), (expression,)), "numpy"), namespace)
    return namespace["f"]


def rows(count=40, seed=0):
    """Rows of all kinds: alike, one ahead of all, spread over many powers of ten, two groups."""
    rng = np.random.default_rng(seed)
    for place in range(count):
        size, wide = int(rng.integers(2, 12)), 10.0 ** rng.uniform(-6, 6)
        yield [
            rng.normal(size=size) * wide,
            -(10.0 ** rng.uniform(-8, 8, size=size)),
            np.where(np.arange(size) < 1 + size // 2, 0.0, -wide),
            np.zeros(size) + wide,
        ][place % 4]


@pytest.mark.parametrize("t", [0.0, 0.25, 0.5, 0.9, 1.0, 1.0 + 1e-9, 1.2, 1.5, 2.0, 4.0, 8.0])
def test_the_normaliser_is_found_to_the_last_digits(t):
    found = compiled(tempered_normalizer(X, constant(t)))
    meaning = Meaning(tempered_normalizer(X, constant(t)))
    for row in rows():
        with np.errstate(all="ignore"):
            value = float(found(row[None])[0, 0])
        truth = meaning.value({"x": list(row)})
        # A sum of the largest score and what is solved for, which may cancel.
        size = max(abs(truth), abs(float(np.max(row))))
        assert abs(mpmath.mpf(value) - mpmath.mpf(truth)) <= 16 * np.spacing(float(size)), (t, row)


@pytest.mark.parametrize("t", [1.0, 1.2, 2.0, 4.0])
def test_a_confident_class_leaves_the_others_with_all_their_digits(t):
    """Where probabilities are far below the spacing of 1, the lead of the normaliser is them."""
    lead = FUNCTIONS["tempered_normalizer"].computed(X, constant(t)) - apply(
        "peak", X, class_axis=False
    )
    for behind in (1e3, 1e8, 1e30):
        row = [0.0, -behind]
        with np.errstate(all="ignore"):
            value = float(compiled(lead)(np.array([row]))[0, 0])
        truth = Meaning(tempered_normalizer(X, constant(t))).value({"x": row})
        assert ulps(value, truth, FORMATS["float64"]) <= 256, behind  # 100 nats and more


@pytest.mark.parametrize(
    ("t", "known"), [(0.0, sparsemax(X)), (0.5, entmax_root(X) ** 2), (1.0, softmax(X))]
)
def test_it_goes_through_sparsemax_entmax_and_softmax(t, known):
    for row in rows():
        with np.errstate(all="ignore"):
            ours = compiled(tempered_softmax(X, constant(t)))(row[None])
            theirs = compiled(known)(row[None])
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-14)


def test_temperatures_of_one_are_cross_entropy():
    logits = np.random.default_rng(0).normal(size=(20, 5)) * 4
    label = np.arange(20) % 5
    flat = {"loss_temperature": 1.0, "tail_temperature": 1.0}
    np.testing.assert_allclose(
        L.bi_tempered.gradient(logits, label, **flat),
        L.cross_entropy.gradient(logits, label),
        rtol=1e-12,
    )


def test_its_bound_is_that_of_the_tempered_logarithm():
    logits, label = [[0.0, 1e200]], [0]
    value, slope = L.bi_tempered.value_and_gradient(
        logits, label, loss_temperature=0.5, tail_temperature=2.0
    )
    assert value == pytest.approx(1 / 0.5 - (1 - 1.0) / 1.5)
    assert np.isfinite(slope).all()


@L.loss
def own(logits: Scores, label: Label, *, t: Positive = 1.5):
    """A likelihood of tempered probabilities, as its author would write it."""
    p = tempered_softmax(logits, t)
    return -log(pick(p, label)) + total(p**2)


@each_library
def test_a_loss_of_ones_own_has_its_gradient(library):
    logits = np.array([[1.2, -0.7, 0.3], [0.0, 2.0, -3.0]])
    label = np.array([0, 2])
    with library.wide():
        data = library.array(logits, "float64"), library.labels(label)
        value, slope = value_and_slope(library, own, *data)
    step = 1e-6
    for place in np.ndindex(logits.shape):
        moved = np.zeros_like(logits)
        moved[place] = step
        ahead, behind = own(logits + moved, label), own(logits - moved, label)
        assert slope[place] == pytest.approx((ahead - behind) / (2 * step), abs=1e-9)
    assert float(value) == pytest.approx(own(logits, label), rel=1e-14)


def test_products_of_the_second_order_are_those_of_the_solution():
    torch = pytest.importorskip("torch")
    x = torch.tensor([[1.2, -0.7, 0.3, 0.1]], dtype=torch.float64, requires_grad=True)
    hessian = torch.autograd.functional.hessian(lambda x: L.bi_tempered(x, torch.tensor([0])), x)
    plain, step = x.detach().numpy(), 1e-5
    for place in range(4):
        moved = np.zeros_like(plain)
        moved[0, place] = step
        ahead = L.bi_tempered.gradient(plain + moved, [0])
        behind = L.bi_tempered.gradient(plain - moved, [0])
        np.testing.assert_allclose(
            hessian[0, place].numpy(), (ahead - behind) / (2 * step), atol=1e-9
        )


def test_it_runs_in_compiled_graphs():
    logits, label = np.array([[1.2, -0.7, 0.3]]), np.array([0])
    true = L.bi_tempered(logits, label)
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        found = jax.jit(L.bi_tempered)(jax.numpy.asarray(logits), jax.numpy.asarray(label))
    assert float(found) == pytest.approx(true, rel=1e-13)
    tf = pytest.importorskip("tensorflow")
    found = tf.function(L.bi_tempered)(tf.constant(logits), tf.constant(label))
    assert float(found) == pytest.approx(true, rel=1e-13)


def test_no_kernel_solves_equations_and_says_so():
    said = L.bi_tempered.explain(np.zeros((4, 3)), [0, 1, 2, 0])
    assert said == "bi_tempered: numpy operations, because no kernel solves an equation yet"
