"""The fused kernels against the array text: every loss, every option, every layout of the data."""

import ml_dtypes
import numpy as np
import pytest

import lossary as L
from engines import agree, by_kernels, by_operations, kernels_only, outcome, same
from samples import each_with_kernels, sample

pytestmark = pytest.mark.representative

pytest.importorskip("numba")

# One loss for each way through a kernel: elementwise, a row with a label, with a soft target,
# with peaks and with vectors.
SOME = [
    L.catalogue[name]
    for name in ("huber", "focal", "cross_entropy", "soft_cross_entropy", "cosine_distance")
]
some = pytest.mark.parametrize("loss", SOME, ids=lambda loss: loss.name)


def rng(seed=0):
    return np.random.default_rng(seed)


# ------------------------------------------------------------------------------- every loss


@each_with_kernels
def test_every_loss_agrees_with_its_array_text(loss):
    arrays, parameters = sample(loss, shape=(37,), dtype="float32")
    agree(loss.value_and_gradient, *arrays, reduction="none", **parameters)


@some
def test_doubles_agree_with_the_array_text(loss):  # test_oracle.py measures those of every loss
    arrays, parameters = sample(loss, shape=(37,))
    agree(loss.value_and_gradient, *arrays, reduction="none", **parameters)


@pytest.mark.parametrize(
    "name", ["log_cosh", "binary_cross_entropy", "cross_entropy", "squared_hinge", "poisson"]
)
def test_second_derivatives_agree(name):
    loss = L.catalogue[name]
    arrays, parameters = sample(loss, shape=(11,))
    agree(loss.hessian, *arrays, **parameters)
    agree(loss.hessian, *arrays, reduction="none", **parameters)


@some
def test_sums_means_and_single_values_agree(loss):
    arrays, parameters = sample(loss, shape=(5, 3))
    for reduction in ("mean", "sum"):
        agree(loss, *arrays, reduction=reduction, **parameters)
    agree(loss.sums, *arrays, **parameters)


@pytest.mark.parametrize("name", ["huber", "soft_cross_entropy", "margin_ranking"])
def test_derivatives_by_other_arguments_agree(name):
    loss = L.catalogue[name]
    arrays, parameters = sample(loss, shape=(9,))
    for wrt in loss.differentiable:
        agree(loss.gradient, *arrays, wrt=wrt, **parameters)
    agree(loss.gradient, *arrays, wrt=loss.differentiable, **parameters)


@pytest.mark.parametrize("value", [0.0, 1.0, 2.0, 0.7, 3.5])
def test_hyper_parameters_agree_whether_or_not_they_shorten_the_text(value):
    arrays, _ = sample(L.focal, shape=(20,))
    agree(L.focal.value_and_gradient, *arrays, gamma=value)


def test_an_optional_parameter_may_be_there():
    arrays, _ = sample(L.focal, shape=(20,))
    agree(L.focal.value_and_gradient, *arrays, alpha=0.25)


def test_an_array_as_parameter_is_left_to_the_array_library():
    arrays, _ = sample(L.huber, shape=(4,))
    delta = np.array([0.5, 1.0, 2.0, 3.0])
    with L.using(engine="fused"):
        found = L.huber(*arrays, delta=delta, reduction="none")
        assert "because delta is an array" in L.huber.explain(*arrays, delta=delta)
    np.testing.assert_array_equal(
        found, by_operations(L.huber, *arrays, delta=delta, reduction="none")
    )


# --------------------------------------------------------------------- weights and masks

COUNT = 6
WEIGHTS = {
    "none": {},
    "weight": {"weight": np.array([0.5, 0.0, 2.0, 1.0, 0.25, 3.0])},
    "narrow weight": {"weight": np.array([1, 0, 2, 1, 0, 3], dtype=np.float32)},
    "whole weight": {"weight": np.array([1, 0, 2, 1, 0, 3])},
    "one weight": {"weight": 0.5},
    "mask": {"mask": np.array([True, False, True, True, False, True])},
    "both": {
        "weight": np.array([0.5, 1.0, 2.0, 0.0, 0.25, 3.0]),
        "mask": np.array([True, False, True, True, False, True]),
    },
    "denominator": {"denominator": 2.5},
    "weight over denominator": {"weight": np.arange(COUNT) / 2, "denominator": 7},
    "unchecked": {"check": False},
}


@pytest.mark.parametrize("how", WEIGHTS)
@pytest.mark.parametrize("loss", [L.huber, L.cross_entropy], ids=lambda loss: loss.name)
def test_weights_masks_and_denominators_agree(loss, how):
    arrays, parameters = sample(loss, shape=(COUNT,))
    options = WEIGHTS[how] | parameters
    for reduction in ("mean", "sum"):
        if "denominator" not in options or reduction == "mean":
            agree(loss.value_and_gradient, *arrays, reduction=reduction, **options)
    if how in {"narrow weight", "both"}:
        agree(loss.sums, *arrays, **options)


@some
def test_weights_and_masks_together_agree(loss):
    arrays, parameters = sample(loss, shape=(COUNT,))
    agree(loss.value_and_gradient, *arrays, **parameters, **WEIGHTS["both"])


@pytest.mark.parametrize("loss", [L.huber, L.cross_entropy], ids=lambda loss: loss.name)
def test_a_weight_is_broadcast(loss):
    arrays, parameters = sample(loss, shape=(4, 3))
    for weight in (np.array([1.0, 0.0, 2.0]), np.array([[1.0], [2.0], [0.5], [0.0]])):
        agree(loss.value_and_gradient, *arrays, weight=weight, **parameters)
    agree(loss.value_and_gradient, *arrays, mask=np.array([True, False, True]), **parameters)


@pytest.mark.parametrize("empty", ["zero", "nan", "raise"])
@pytest.mark.parametrize("how", ["mask", "weight", "no elements"])
@pytest.mark.parametrize("name", ["huber", "cross_entropy"])
def test_the_mean_over_nothing_agrees(name, how, empty):
    loss = L.catalogue[name]
    arrays, _ = sample(loss, shape=(0 if how == "no elements" else 3,))
    options = {} if how == "no elements" else {how: np.zeros(3, bool if how == "mask" else float)}
    for function in (loss, loss.value_and_gradient):
        with L.using(engine="fused"):
            found = outcome(function, *arrays, empty=empty, **options)
        expected = outcome(by_operations, function, *arrays, empty=empty, **options)
        if isinstance(expected, tuple) and isinstance(expected[0], type):
            assert found == expected
        else:
            same(found, expected)


def test_labels_may_be_ignored_and_classes_weighed():
    logits, label = rng().normal(size=(7, 4)), np.array([0, -100, 2, 3, -100, 1, 0])
    class_weight = np.array([1.0, 2.0, 0.0, 0.5])
    for options in (
        {"ignore_index": -100},
        {"ignore_index": -100, "class_weight": class_weight},
        {"ignore_index": -100, "mask": np.arange(7) % 2 == 0},
        {"ignore_index": -100, "weight": np.arange(7.0), "class_weight": class_weight},
        {"ignore_index": -100, "label_smoothing": 0.1},
    ):
        agree(L.cross_entropy.value_and_gradient, logits, label, **options)


def test_a_class_weight_of_a_soft_target_is_left_to_the_array_library():
    logits, target = rng().normal(size=(5, 3)), rng(1).dirichlet(np.ones(3), 5)
    options = {"class_weight": np.array([1.0, 2.0, 0.5])}
    with L.using(engine="fused"):
        found = L.soft_cross_entropy.value_and_gradient(logits, target, **options)
        reason = L.soft_cross_entropy.explain(logits, target, **options)
    same(found, by_operations(L.soft_cross_entropy.value_and_gradient, logits, target, **options))
    assert "class_weight changes targets" in reason


# -------------------------------------------------------------------------- types and layouts


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("name", ["huber", "cross_entropy", "soft_cross_entropy"])
def test_half_precision_agrees(name, dtype):
    loss = L.catalogue[name]
    arrays, _ = sample(loss, shape=(33,), dtype=dtype)
    value, gradient = agree(loss.value_and_gradient, *arrays)
    assert (value.dtype, gradient.dtype) == (np.float32, dtype)


def test_argument_types_may_be_mixed():
    prediction, target = rng().normal(size=8), rng(1).normal(size=8)
    for first, second in ((np.float32, np.float64), (np.float64, np.float32), (np.float32, int)):
        agree(L.huber.value_and_gradient, prediction.astype(first), target.astype(second))
    for kind in (bool, np.int8, np.uint8, np.int32, np.float32, np.float16):
        agree(L.focal.gradient, prediction, (target > 0).astype(kind))
    for kind in (np.int8, np.uint8, np.int32, np.uint64):
        agree(L.cross_entropy.gradient, prediction.reshape(2, 4), np.array([3, 1]).astype(kind))


@pytest.mark.parametrize("shape", [(), (1,), (5,), (1, 1), (4, 3), (2, 3, 4)])
@some
def test_every_shape_agrees(loss, shape):
    arrays, parameters = sample(loss, shape=shape)
    for reduction in ("mean", "none"):
        agree(loss.value_and_gradient, *arrays, reduction=reduction, **parameters)


@pytest.mark.filterwarnings("ignore:.*nothing is learned")
@pytest.mark.parametrize("classes", [1, 2, 7, 16, 1023, 1025, 5000])
@some
def test_rows_of_every_length_agree(loss, classes):
    arrays, parameters = sample(loss, shape=(3,), classes=classes)
    # Of 5000 differences p - t some lose four digits more.
    agree(loss.value_and_gradient, *arrays, near={"float64": 1e-8}, **parameters)


@pytest.mark.parametrize("size", [1, 15, 1023, 1024, 1025, 40_000])
def test_elements_of_every_number_agree(size):
    arrays, _ = sample(L.huber, shape=(size,))
    agree(L.huber.value_and_gradient, *arrays)


def frozen(x):
    x.flags.writeable = False
    return x


def misaligned(x):
    room = np.zeros(x.nbytes + 1, np.uint8)[1:]
    room[:] = np.frombuffer(x.tobytes(), np.uint8)
    return room.view(x.dtype).reshape(x.shape)


LAYOUTS = {
    "every other": lambda x: np.repeat(x, 2, axis=0)[::2],
    "backwards": lambda x: x[::-1].copy()[::-1],
    "Fortran's order": np.asfortranarray,
    "transposed": lambda x: x.T.copy().T,
    "read-only": lambda x: frozen(x.copy()),
    "not aligned": misaligned,
    "other byte order": lambda x: x.astype(x.dtype.newbyteorder()),
    "repeated": lambda x: np.broadcast_to(x[:1], x.shape),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ["huber", "cross_entropy"])
def test_every_layout_agrees(name, layout):
    loss = L.catalogue[name]
    arrays, _ = sample(loss, shape=(6, 4))
    changed = [LAYOUTS[layout](x) for x in arrays]
    with L.using(engine="fused"):
        found = loss.value_and_gradient(*changed)
    same(found, by_operations(loss.value_and_gradient, *changed))
    assert found[1].shape == arrays[0].shape


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
@pytest.mark.parametrize("name", ["cross_entropy", "soft_cross_entropy"])
def test_the_class_axis_may_lie_anywhere(name, axis):
    loss = L.catalogue[name]
    logits, target = (np.asarray(x) for x in sample(loss, shape=(3, 2))[0])
    moved = np.moveaxis(logits, -1, axis)
    target = target if target.ndim == 2 else np.moveaxis(target, -1, axis)
    _, gradient = agree(loss.value_and_gradient, moved, target, axis=axis)
    assert gradient.shape == moved.shape
    agree(loss, moved, target, axis=axis, reduction="none")


# ------------------------------------------------------------------------ the hard numbers


def test_an_excluded_class_has_no_gradient():
    logits = np.array([[1.0, -np.inf, 2.0], [0.5, 0.25, -np.inf]])
    value, gradient = agree(L.cross_entropy.value_and_gradient, logits, [2, 0], reduction="sum")
    assert np.isfinite(value)
    assert gradient[0, 1] == gradient[1, 2] == 0.0
    assert by_kernels(L.cross_entropy, logits, [1, 0], reduction="sum") == np.inf


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_confident_class_is_exact(dtype):
    logits = np.array([[17.0, 0.0]], dtype)
    value, gradient = by_kernels(L.cross_entropy.value_and_gradient, logits, [0])
    near = {"float64": 1e-15, "float32": 6e-8}[dtype]
    np.testing.assert_allclose(value, np.log1p(np.exp(-17.0)), rtol=near)
    tail = 1 / (1 + np.exp(17.0))
    np.testing.assert_allclose(gradient, [[-tail, tail]], rtol=near)
    assert gradient.sum() == 0


@pytest.mark.parametrize("stored", [np.nan, np.inf, -np.inf, 1e308])
@pytest.mark.parametrize("how", ["mask", "weight"])
@pytest.mark.parametrize("loss", SOME[:3], ids=lambda loss: loss.name)
def test_what_does_not_count_is_isolated_bitwise(loss, how, stored):
    arrays, parameters = sample(loss, shape=(6,))
    keep = np.array([True, False, True, True, False, True])
    options = parameters | {how: keep if how == "mask" else keep.astype(float)}
    clean = by_kernels(loss.value_and_gradient, *arrays, **options)
    for x in arrays:
        if x.dtype.kind == "f":
            x[~keep] = stored
        else:
            x[~keep] = 10_000
    value, gradient = by_kernels(loss.value_and_gradient, *arrays, **options)
    assert value.tobytes() == clean[0].tobytes()
    assert gradient.tobytes() == clean[1].tobytes()
    assert not gradient[~keep].any()
    single = by_kernels(loss, *arrays, reduction="none", **options)
    assert not single[~keep].any()


def test_an_ignored_row_is_skipped_and_its_gradient_is_zero():
    logits = rng().normal(size=(4, 5))
    logits[[1, 3]] = np.nan
    label = np.array([2, -1, 0, -1])
    value, gradient = by_kernels(L.cross_entropy.value_and_gradient, logits, label, ignore_index=-1)
    assert not gradient[[1, 3]].any()
    same(value, by_operations(L.cross_entropy, logits[[0, 2]], label[[0, 2]]))


# ------------------------------------------------------------------------------------- errors

X = np.array([[1.0, 2.0, 3.0], [0.5, 0.0, -1.0]])
WRONG = {
    "nan prediction": (L.huber, ([1.0, np.nan], [0.0, 0.0]), {}),
    "infinite target": (L.huber, ([[1.0], [2.0]], [[0.0], [np.inf]]), {}),
    "target no class": (L.focal, ([1.0, 2.0], [0.0, 0.3]), {}),
    "label too large": (L.cross_entropy, (X, [0, 3]), {}),
    "label below 0": (L.cross_entropy, (X, [-1, 0]), {}),
    "label too large, first axis": (L.cross_entropy, (X.T, [0, 3]), {"axis": 0}),
    "label not ignored": (L.cross_entropy, (X, [-100, 5]), {"ignore_index": -100}),
    "nan logit": (L.cross_entropy, (np.array([[1.0, np.nan]]), [0]), {}),
    "fractional label": (L.cross_entropy, (X, [0.5, 1.0]), {}),
    "another sum": (L.soft_cross_entropy, (X, np.full((2, 3), 0.4)), {}),
    "below 0": (L.soft_cross_entropy, (X, [[1.5, -0.5, 0.0], [1, 0, 0]]), {}),
    "weight below 0": (L.huber, ([1.0, 2.0], [0.0, 0.0]), {"weight": [1.0, -1.0]}),
    "nan weight": (L.huber, ([1.0, 2.0], [0.0, 0.0]), {"weight": [1.0, np.nan]}),
    "infinite weight of a row": (L.cross_entropy, (X, [0, 1]), {"weight": [1.0, np.inf]}),
    "weight of another shape": (L.huber, ([1.0, 2.0], [0.0, 0.0]), {"weight": np.ones(3)}),
    "mask of numbers": (L.huber, ([1.0, 2.0], [0.0, 0.0]), {"mask": [1.0, 0.0]}),
    "class weight of another length": (L.cross_entropy, (X, [0, 1]), {"class_weight": [1.0, 2.0]}),
    "class weight below 0": (L.cross_entropy, (X, [0, 1]), {"class_weight": [1.0, -2.0, 1.0]}),
    "other shape": (L.huber, ([1.0, 2.0], [0.0]), {}),
    "complex": (L.huber, (np.array([1j]), [0.0]), {}),
    "parameter": (L.huber, ([1.0], [0.0]), {"delta": -1.0}),
    "unknown option": (L.huber, ([1.0], [0.0]), {"dleta": 1.0}),
}


@pytest.mark.parametrize("case", WRONG)
def test_errors_are_those_of_the_array_engine(case):
    loss, arguments, options = WRONG[case]
    arguments = [np.asarray(x) for x in arguments]
    for function in (loss, loss.value_and_gradient, loss.sums):
        with L.using(engine="fused"):
            found = outcome(function, *arguments, **options)
        assert isinstance(found, tuple)
        assert isinstance(found[0], type)
        assert issubclass(found[0], (ValueError, TypeError))
        assert found == outcome(by_operations, function, *arguments, **options)


@pytest.mark.parametrize("label", [3, -1, -100, 2**40])
def test_a_label_outside_the_logits_is_never_read(label):
    """Without a check the label may be anything; it must not become an address."""
    logits, labels = np.tile(X, (50, 1)), np.zeros(100, np.int64)
    labels[7] = label
    function = L.cross_entropy.value_and_gradient
    with L.using(engine="fused"):
        found = outcome(function, logits, labels, check=False)
    expected = outcome(by_operations, function, logits, labels, check=False)
    if isinstance(expected[0], type):
        assert found == expected
    else:
        same(found, expected)


# ------------------------------------------------------------------------- which engine computes


def test_the_engine_is_chosen_by_name_and_size():
    small, large = np.zeros(10), np.zeros(100_000)
    assert "numpy operations, because" in L.huber.explain(small, small)
    assert "fewer than" in L.huber.explain(small, small)
    assert L.huber.explain(large, large).startswith("huber: a fused kernel, Numba on ")
    with L.using(engine="fused"):
        assert "over 10 elements (float64, float64)" in L.huber.explain(small, small)
        with L.using(engine="array"):
            assert "engine='array' is chosen" in L.huber.explain(large, large)
        assert "fused kernel" in L.huber.explain(small, small)
    wide = np.zeros(3, np.longdouble)
    with L.using(engine="fused"):
        assert "prediction is not an array of numbers" in L.huber.explain(wide, wide)
        assert L.huber(wide + 3, wide).dtype == np.longdouble
        assert "no elements" in L.huber.explain(np.zeros(0), np.zeros(0))


def test_an_unknown_engine_is_refused():
    words = "engine must be one of 'auto', 'array', 'fused', got 'gpu'"
    with pytest.raises(ValueError, match=words), L.using(engine="gpu"):
        pass


def test_a_test_notices_the_other_road():
    wide = np.zeros(3, np.longdouble)
    with kernels_only(), pytest.raises(AssertionError, match="not computed by a kernel"):
        L.huber(wide, wide)
