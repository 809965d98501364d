"""Long rows of float32 are computed in float32, where the functions bear it: a few ulp, no more."""

import numpy as np
import pytest

import lossary as L
from lossary.render.loops import kernel_text
from made_kernels import kernel
from samples import LOSSES

pytest.importorskip("numba", reason="kernels are compiled by Numba")

ULPS = {"value": 1.0, "gradient": 4.5}
INF = np.inf


def suiting():
    """The losses whose rows are computed so."""
    return {loss.name for loss in LOSSES if loss.class_axis and kernel(loss)[0].suits_single}


def test_they_are_those_whose_functions_say_so():
    # Without a prior the second is the first.
    assert suiting() == {"cross_entropy", "logit_adjusted"}
    assert kernel(L.cross_entropy, ("value", "gradient", "hessian"))[0].suits_single
    # Logits that are computed have lost what a float32 has not kept; a difference of two
    # probabilities, or halves, need digits to spare.
    assert not kernel(L.info_nce)[0].suits_single
    assert not kernel(L.soft_cross_entropy)[0].suits_single
    assert not kernel(L.cross_entropy, storage="bfloat16")[0].suits_single
    assert not kernel(L.cross_entropy, storage="float64")[0].suits_single


def test_a_formula_of_the_user_is_one_of_them():
    @L.loss(source="hand")
    def textbook(logits: L.domain.Logits, label: L.domain.Label):
        return -L.functions.log(L.functions.pick(L.functions.softmax(logits), label))

    assert kernel(textbook)[0].suits_single


def rows(classes):
    """Rows of every kind: near, far apart, beyond what exp can hold, alike, with excluded ones."""
    rng = np.random.default_rng(classes)
    found = [rng.normal(size=classes) * scale for scale in (1e-6, 1, 8, 40, 300, 1e30)]
    found.append(np.zeros(classes))
    found.append(np.where(rng.random(classes) < 0.7, -INF, rng.normal(size=classes)))
    confident = rng.normal(size=classes)
    confident[classes // 2] = 30
    found.append(confident)
    # Offsets that take digits from every difference.
    found += [rng.normal(size=classes) + offset for offset in (100, -3e4, 1e6)]
    return np.array(found, np.float32)


@pytest.mark.parametrize("classes", [33, 64, 98, 1000, 1025, 2100])
@pytest.mark.parametrize("labelled", ["peak", "lowest", "other"])
def test_they_are_right_to_a_few_ulp(classes, labelled):
    logits = rows(classes)
    finite = np.where(np.isfinite(logits), logits, INF)
    label = {
        "peak": logits.argmax(1),
        "lowest": finite.argmin(1),
        "other": np.argsort(finite, 1)[:, classes // 5],
    }[labelled]
    given = {"reduction": "none"}
    with L.using(engine="fused"):
        value, gradient = L.cross_entropy.value_and_gradient(logits, label, **given)
    with L.using(engine="array"):
        wide = L.cross_entropy.value_and_gradient(logits.astype(np.float64), label, **given)
    for name, found, true in (("value", value, wide[0]), ("gradient", gradient, wide[1])):
        assert found.dtype == np.float32
        finite = np.isfinite(true)
        assert (found[~finite] == true[~finite]).all()
        unit = np.spacing(np.abs(true[finite]).astype(np.float32))
        assert (np.abs(found[finite] - true[finite]) / unit).max() <= ULPS[name], name


@pytest.mark.parametrize("classes", [40, 1100])
def test_what_is_no_number_shows_in_its_own_row_only(classes):
    logits = np.tile(rows(classes)[1], (4, 1))
    logits[1, 7], logits[2, 9] = np.nan, INF
    label = np.full(4, 3)
    given = {"reduction": "none", "check": False}
    with L.using(engine="fused"):
        value, gradient = L.cross_entropy.value_and_gradient(logits, label, **given)
    with L.using(engine="array"):
        value_, gradient_ = L.cross_entropy.value_and_gradient(logits, label, **given)
    np.testing.assert_allclose(value, value_, rtol=3e-7)
    np.testing.assert_allclose(gradient, gradient_, rtol=1e-6)
    assert np.isnan(value[1])
    assert np.isnan(gradient[1]).any()
    with pytest.raises(L.DomainError, match="logits"), L.using(engine="fused"):
        L.cross_entropy.value_and_gradient(logits, label)


def test_no_double_stands_in_the_loop_over_classes():
    own, _ = kernel(L.cross_entropy)
    text = kernel_text(own, cached=False)
    loops = text.split("for i in range(n):")[1:]
    bodies = [part.split("\n            ")[0] for part in loops]
    assert len(bodies) == 2
    for body in bodies:
        assert "float64" not in body
        assert "exp(" not in body.replace("exp_single(", "")


def test_rows_of_few_classes_are_computed_side_by_side_in_doubles():
    own, _ = kernel(L.cross_entropy)
    assert "single" in kernel_text(own, cached=False)
    assert "single" not in kernel_text(own, cached=False, short=True)
