"""From one number per element or row to one number: sum, mean, weights, masks and what is empty.

The truth is arithmetic on `reduction="none"`, added up exactly; gradients are compared with
differences of the reduced value itself.
"""

import math

import ml_dtypes
import numpy as np
import pytest

import lossary as L
from libraries import NAMES, Library
from lossary.domain import Real
from lossary.engine.options import options_of
from samples import (
    CLASSES,
    LOSSES,
    arrays,
    by,
    each_loss,
    has_sums,
    holds,
    of_each_loss,
    of_rows,
    parameters,
    sample,
    those,
)

SHAPE = (4, 3)
WEIGHT = np.array([[0.5, 1.0, 0.0], [2.0, 0.25, 1.5], [1.0, 3.0, 0.75], [0.125, 1.0, 2.0]])
MASK = np.array([[True, False, True], [True, True, True], [False, True, True], [True, False, True]])
HALVES = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16}


def close(actual, truth, ulps=2):
    """Within a few units in the last place of what is right."""
    np.testing.assert_array_max_ulp(np.asarray(actual), np.asarray(truth), ulps)


def close_sum(actual, terms, divisor=1.0):
    """The sum of the terms but for rounding; where they cancel, the rounding is theirs."""
    truth, allowed = exact_sum(terms) / divisor, 1e-15 * exact_sum(np.abs(terms)) / divisor
    assert abs(float(actual) - truth) <= allowed


def exact_sum(x):
    return math.fsum(np.ravel(x).astype(float))


# ---------------------------------------------------------------------------------- the values


@each_loss
def test_each_reduction_is_what_its_name_says(loss):
    check_reductions(loss)


def check_reductions(loss):
    data, more = sample(loss, shape=SHAPE)
    each = loss(*data, reduction="none", **more)
    assert each.shape == SHAPE
    assert each.dtype == np.float64
    close_sum(loss(*data, reduction="sum", **more), each)
    close_sum(loss(*data, reduction="mean", **more), each, 12)
    assert loss(*data, **more) == loss(*data, reduction="mean", **more)
    close_sum(loss(*data, denominator=7, **more), each, 7)
    for denominator in (np.float64(0.3), np.asarray(0.3)):
        close_sum(loss(*data, denominator=denominator, **more), each, 0.3)
    for empty in ("zero", "nan", "raise"):  # nothing is empty here
        assert loss(*data, empty=empty, **more) == loss(*data, **more)
        close_sum(loss(*data, denominator=np.asarray(7.0), empty=empty, **more), each, 7)
    if loss.over_positions:
        return
    total, count = loss.sums(*data, **more)
    assert (total, count) == (loss(*data, reduction="sum", **more), 12)


@each_loss
def test_a_weight_multiplies_and_the_mean_divides_by_its_sum(loss):
    check_weights(loss)


def check_weights(loss):
    data, more = sample(loss, shape=SHAPE)
    each = loss(*data, reduction="none", **more)
    for weight in (WEIGHT, WEIGHT[:, :1], WEIGHT[0], 2.5):
        wide = np.broadcast_to(weight, SHAPE)
        call = {"weight": weight, **more}
        assert np.array_equal(loss(*data, reduction="none", **call), wide * each)
        close_sum(loss(*data, reduction="sum", **call), wide * each)
        close_sum(loss(*data, **call), wide * each, exact_sum(wide))
        close_sum(loss(*data, denominator=7, **call), wide * each, 7)
        if loss.over_positions:
            continue  # the sums are others: test_positions.py
        sums = loss.sums(*data, **call)
        close_sum(sums[0], wide * each)
        close(sums[1], exact_sum(wide))


@each_loss
def test_a_mask_leaves_elements_out(loss):
    check_masks(loss)


def check_masks(loss):
    data, more = sample(loss, shape=SHAPE)
    each = loss(*data, reduction="none", **more)
    for mask in (MASK, MASK[:, :1], MASK[0], MASK.astype(int)):
        keep = np.broadcast_to(mask, SHAPE).astype(bool)
        call = {"mask": of_rows(loss, mask), **more}
        assert np.array_equal(loss(*data, reduction="none", **call), np.where(keep, each, 0))
        close_sum(loss(*data, reduction="sum", **call), each[keep])
        close_sum(loss(*data, **call), each[keep], keep.sum())
        weighted = (WEIGHT * each)[keep]
        close_sum(loss(*data, weight=WEIGHT, **call), weighted, exact_sum(WEIGHT[keep]))
        if loss.over_positions:
            continue
        assert loss.sums(*data, **call)[1] == keep.sum()
        both = loss.sums(*data, weight=WEIGHT, **call)
        close_sum(both[0], (WEIGHT * each)[keep])
        close_sum(both[1], WEIGHT[keep])
        close(loss(*data, weight=WEIGHT, **call), both[0] / both[1])


@those(lambda loss: "ignore_index" in options_of(loss))
def test_an_ignored_label_is_a_mask(loss):
    check_ignored(loss)


def check_ignored(loss):
    (first, label, *rest), more = sample(loss, shape=SHAPE)
    more |= {a.name: x for a, x in zip(loss.inputs[2:], rest, strict=True)}
    for ignored in (-100, 2, 255):
        holed = np.where(MASK, label, ignored)
        keep = holed != ignored
        for reduction in ("none", "sum", "mean"):
            call = {"reduction": reduction, **more}
            truth = loss(first, label, mask=keep, **call)
            assert np.array_equal(loss(first, holed, ignore_index=ignored, **call), truth)
            close(
                loss(first, holed, ignore_index=ignored, mask=MASK[0], weight=WEIGHT, **call),
                loss(first, label, mask=keep & MASK[0], weight=WEIGHT, **call),
                0,
            )
        slope = loss.gradient(first, holed, ignore_index=ignored, **more)
        assert np.array_equal(slope, loss.gradient(first, label, mask=keep, **more))


# --------------------------------------------------------------------------------- nothing left

NOTHING = {
    "no elements": lambda data: ([x[:0] for x in data], {}),
    "all masked": lambda data: (data, {"mask": np.zeros(3, bool)}),
    "all weights 0": lambda data: (data, {"weight": np.zeros(3)}),
    "a denominator of 0": lambda data: (data, {"denominator": 0, "mask": np.zeros(3, bool)}),
    "an array of 0": lambda data: (data, {"denominator": np.asarray(0.0), "weight": np.zeros(3)}),
}


@of_each_loss(by(NOTHING))
def test_the_mean_over_nothing(loss, how):
    check_nothing(loss, how)


def check_nothing(loss, how):
    """0, NaN or an error as `empty` says; the gradient is exactly 0 and never NaN."""
    data, more = sample(loss, shape=(3,))
    data, options = NOTHING[how](data)
    options = {n: of_rows(loss, x) if n == "mask" else x for n, x in options.items()}
    call = options | more
    assert loss(*data, **call) == 0
    assert loss(*data, empty="zero", **call) == 0
    assert np.isnan(loss(*data, empty="nan", **call))
    assert loss(*data, reduction="sum", **call) == 0
    assert loss.over_positions or loss.sums(*data, **call) == (0, 0)
    with pytest.raises(L.DomainError, match=f"^{loss.name}: the mean is empty"):
        loss(*data, empty="raise", **call)
    for empty in ("zero", "nan"):
        slope = loss.gradient(*data, empty=empty, **call)
        assert slope.shape == data[0].shape
        assert not slope.any()
        value, slope = loss.value_and_gradient(*data, empty=empty, **call)
        assert np.isnan(value) == (empty == "nan")
        assert not slope.any()


@those(lambda loss: "ignore_index" in options_of(loss))
def test_the_mean_over_ignored_labels_only(loss):
    (first, label, *rest), more = sample(loss, shape=(3,))
    more |= {a.name: x for a, x in zip(loss.inputs[2:], rest, strict=True)}
    label[:] = -1
    assert loss(first, label, ignore_index=-1, **more) == 0
    assert np.isnan(loss(first, label, ignore_index=-1, empty="nan", **more))
    assert not loss.gradient(first, label, ignore_index=-1, empty="nan", **more).any()


# --------------------------------------------------------------------------------- class weights

# A target of several labels at once has a test of its own.
WITH_CLASSES = those(
    lambda loss: "class_weight" in options_of(loss) and loss.inputs[1].domain.name != "Binaries"
)
TABLE = np.array([0.5, 2.0, 1.0, 0.0])


def hard(loss, rng, shape):
    """Targets that name one class each, and the weight that a class weight gives them."""
    data = arrays(loss, rng, shape)
    domain = loss.inputs[1].domain
    kind = rng.integers(0, CLASSES if domain.class_axis or domain.integer else 2, shape)
    if domain.integer:
        data[1] = kind
    elif domain.class_axis:
        data[1] = np.eye(CLASSES)[kind]
    else:
        data[1] = np.where(kind == 1, 1.0, domain.contains(0.0) - 1.0)
    return data, kind


@WITH_CLASSES
def test_a_class_weight_is_the_weight_of_the_class(loss):
    check_class_weight(loss)


def check_class_weight(loss):
    data, kind = hard(loss, np.random.default_rng(5), SHAPE)
    more = parameters(loss)
    table = TABLE if len(np.unique(kind)) > 2 else TABLE[:2]
    if loss.inputs[1].domain.class_axis or loss.inputs[1].domain.integer:
        table = TABLE
    own = table[kind]
    for options in ({}, {"weight": WEIGHT}, {"mask": MASK}, {"denominator": 3.0}):
        rest = {k: v for k, v in options.items() if k != "weight"}
        weight = own * options.get("weight", 1.0)
        for reduction in ("none", "sum", "mean"):
            call = {"reduction": reduction, **more}
            found = loss(*data, class_weight=table, **options, **call)
            close(found, loss(*data, weight=weight, **rest, **call), 4)
        found = loss.sums(*data, class_weight=table, **options, **more)
        close(found, loss.sums(*data, weight=weight, **rest, **more), 4)
        found = loss.gradient(*data, class_weight=table, **options, **more)
        truth = loss.gradient(*data, weight=weight, **rest, **more)
        np.testing.assert_allclose(found, truth, rtol=1e-14)


SOFT = {
    "cross_entropy": "soft_cross_entropy",
    "cross_entropy_from_probabilities": "soft_cross_entropy_from_probabilities",
}


@pytest.mark.parametrize("name", SOFT)
def test_a_label_and_its_one_hot_row_agree(name):
    check_one_hot(name)


def check_one_hot(name):
    by_label, by_row = L.catalogue[name], L.catalogue[SOFT[name]]
    first, label = arrays(by_label, np.random.default_rng(2), SHAPE)
    one_hot = np.eye(CLASSES)[label]
    for options in ({}, {"class_weight": TABLE}, {"class_weight": TABLE + 1, "weight": WEIGHT}):
        for reduction in ("none", "sum", "mean"):
            call = {"reduction": reduction, **options}
            close(by_row(first, one_hot, **call), by_label(first, label, **call), 4)
            slope = by_label.gradient(first, label, **call)
            np.testing.assert_allclose(by_row.gradient(first, one_hot, **call), slope, rtol=4e-16)


@pytest.mark.parametrize("name", SOFT.values())
def test_the_class_weight_of_a_soft_target_is_its_mean_over_the_classes(name):
    check_soft_class_weight(name)


def check_soft_class_weight(name):
    """sum_c w_c t_c l_c, divided in the mean by the sum of sum_c w_c t_c."""
    loss = L.catalogue[name]
    first, target = arrays(loss, np.random.default_rng(3), (6,))
    parts = np.stack(
        [
            loss(first, np.broadcast_to(row, target.shape), reduction="none")
            for row in np.eye(CLASSES)
        ],
        axis=-1,
    )
    rows = np.sum(TABLE * target * parts, axis=-1)
    found = loss(first, target, class_weight=TABLE, reduction="none")
    np.testing.assert_allclose(found, rows, rtol=1e-14)
    mean = loss(first, target, class_weight=TABLE)
    assert mean == pytest.approx(rows.sum() / (TABLE * target).sum(), rel=1e-14)


@pytest.mark.parametrize("name", ["binary_cross_entropy", "binary_cross_entropy_from_probability"])
def test_the_class_weight_of_a_share_is_its_mean_over_both_classes(name):
    check_binary_class_weight(name)


def check_binary_class_weight(name):
    loss, weight = L.catalogue[name], np.array([0.3, 1.7])
    first, target = arrays(loss, np.random.default_rng(3), (6,))
    no, yes = (loss(first, np.full(6, t), reduction="none") for t in (0.0, 1.0))
    each = weight[1] * target * yes + weight[0] * (1 - target) * no
    found = loss(first, target, class_weight=weight, reduction="none")
    np.testing.assert_allclose(found, each, rtol=1e-14)
    share = weight[1] * target + weight[0] * (1 - target)
    mean = loss(first, target, class_weight=weight)
    assert mean == pytest.approx(each.sum() / share.sum(), rel=1e-14)


def test_the_class_weights_of_several_labels_weigh_each_class():
    """One number per class, as in PyTorch: the mean over classes of weighted binary losses."""
    loss, weight = L.multi_label_soft_margin, np.array([0.5, 2.0, 1.0, 0.25])
    logits, target = arrays(loss, np.random.default_rng(3), (6,))
    each = L.binary_cross_entropy(logits, target, reduction="none")
    rows = (weight * each).mean(axis=-1)
    found = loss(logits, target, class_weight=weight, reduction="none")
    np.testing.assert_allclose(found, rows, rtol=1e-14)


# -------------------------------------------------------------------- the gradient of the number


def difference(function, x, step=1e-6):
    """Central differences in every entry."""
    slope = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        ends = []
        for way in (step, -step):
            moved = x.copy()
            moved[place] += way
            ends.append(function(moved))
        slope[place] = (ends[0] - ends[1]) / (2 * step)
    return slope


WAYS = {
    "mean": {},
    "sum": {"reduction": "sum"},
    "weighted": {"weight": WEIGHT[1]},
    "masked": {"mask": MASK[0], "weight": WEIGHT[2]},
    "divided": {"denominator": 5.0, "weight": WEIGHT[2]},
    "weighted by class": {"class_weight": None},
}


@those(lambda loss: "class_weight" in options_of(loss) and "target" in loss.differentiable)
def test_a_target_that_sets_the_weights_has_no_gradient_here(loss):
    """The weight of a soft target depends on it: refused rather than half of the derivative."""
    data, more = sample(loss, shape=(3,))
    wide = loss.inputs[1].domain.class_axis
    table = np.array([0.5, 2.0, 1.0, 0.25] if wide else [0.5, 2.0])
    with pytest.raises(ValueError, match="class_weight"):
        loss.gradient(*data, wrt="target", class_weight=table, **more)


WAYS_OF = [
    pytest.param(loss, way, id=f"{loss.name}-{way}")
    for loss in LOSSES
    for way, options in WAYS.items()
    if set(options) <= set(options_of(loss)) and not holds(loss)
]


@of_each_loss(WAYS_OF)
def test_the_gradient_is_that_of_the_value_returned(loss, way):
    check_gradient(loss, way)


def check_gradient(loss, way):
    data, more = sample(loss, seed=4, shape=(3,))
    more |= WAYS[way] | {"check": False}
    if "mask" in more:
        more["mask"] = of_rows(loss, more["mask"])
    if way == "weighted by class":
        domain = loss.inputs[1].domain
        wide = domain.integer or domain.class_axis
        more["class_weight"] = np.array([0.5, 2.0, 1.0, 0.25] if wide else [0.5, 2.0])
    for name in loss.differentiable if way == "mean" else loss.differentiable[:1]:
        i = [a.name for a in loss.inputs].index(name)

        def reduced(x, i=i):
            return float(loss(*data[:i], x, *data[i + 1 :], **more))

        slope = loss.gradient(*data, wrt=name, **more)
        assert slope.shape == data[i].shape
        steep = max(1.0, np.max(np.abs(slope)))  # so much is lost by a difference of values
        found = difference(reduced, data[i])
        np.testing.assert_allclose(slope, found, rtol=2e-6, atol=1e-8 * steep)
        value, same = loss.value_and_gradient(*data, wrt=name, **more)
        assert value == reduced(data[i])
        assert np.array_equal(same, slope)


@those(lambda loss: not holds(loss))
def test_the_hessian_is_the_derivative_of_the_gradient(loss):
    check_hessian(loss)


def check_hessian(loss):
    data, more = sample(loss, seed=4, shape=(2,))
    more |= {"check": False, "weight": WEIGHT[1, :2]}
    found = loss.hessian(*data, **more)
    assert found.shape == data[0].shape
    truth = np.zeros_like(found)
    for place in np.ndindex(data[0].shape):
        ends = []
        for way in (1e-6, -1e-6):
            moved = data[0].copy()
            moved[place] += way
            ends.append(loss.gradient(moved, *data[1:], **more)[place])
        truth[place] = (ends[0] - ends[1]) / 2e-6
    np.testing.assert_allclose(found, truth, rtol=1e-5, atol=1e-8)


@each_loss
def test_without_reduction_each_gradient_is_that_of_its_own_element(loss):
    check_own_gradient(loss)


def check_own_gradient(loss):
    data, more = sample(loss, shape=(3,))
    for options in ({}, {"weight": WEIGHT[1]}):
        slope = loss.gradient(*data, reduction="none", **options, **more)
        assert np.array_equal(slope, loss.gradient(*data, reduction="sum", **options, **more))


def test_several_gradients_at_once():
    data, more = sample(L.triplet_margin, shape=(3,))
    both = L.triplet_margin.gradient(*data, wrt=("anchor", "negative"), **more)
    assert np.array_equal(both[1], L.triplet_margin.gradient(*data, wrt="negative", **more))
    value, again = L.triplet_margin.value_and_gradient(*data, wrt=("anchor", "negative"), **more)
    assert value == L.triplet_margin(*data, **more)
    assert all(np.array_equal(a, b) for a, b in zip(both, again, strict=True))
    with pytest.raises(ValueError, match="choose from anchor, positive, negative"):
        L.triplet_margin.gradient(*data, wrt="sign")


# ------------------------------------------------------------------------------ adding up


@those(lambda loss: not loss.over_positions)
def test_sums_add_up_across_batches(loss):
    check_sums(loss)


def check_sums(loss):
    data, more = sample(loss, shape=(41,))
    weight = np.random.default_rng(0).integers(0, 9, 41) / 4
    whole = loss.sums(*data, weight=weight, **more)
    parts = [
        loss.sums(*(x[i : i + 7] for x in data), weight=weight[i : i + 7], **more)
        for i in range(0, 41, 7)
    ]
    # Each part is rounded once, and so is the sum of parts that the caller forms.
    close_sum(whole[0], [total for total, _ in parts])
    assert exact_sum([count for _, count in parts]) == whole[1]
    close(whole[0] / whole[1], loss(*data, weight=weight, **more), 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_mean_of_millions_is_right_to_a_few_ulp(dtype):
    check_long_mean(dtype)


def check_long_mean(dtype, count=3_000_001):
    x = np.random.default_rng(0).exponential(1.0, count).astype(dtype)
    zero = np.zeros_like(x)
    truth = dtype(math.fsum(x.astype(float)) / count)
    close(L.absolute_error(x, zero), truth, 2)
    # One large value would end a running float32 sum: what follows is below its last place.
    x[0] = 1e9
    truth = dtype(math.fsum(x.astype(float)) / count)
    close(L.absolute_error(x, zero), truth, 2)


# ----------------------------------------------------------------------- dtypes and shapes


@of_each_loss(by([np.float32, np.float64, np.longdouble]))
def test_a_result_has_the_dtype_of_the_prediction(loss, dtype):
    check_dtype(loss, dtype, dtype)


@of_each_loss(by(HALVES))
def test_half_precision_returns_single_and_its_gradient_is_half(loss, name):
    check_dtype(loss, HALVES[name], np.float32)


def check_dtype(loss, dtype, result):
    data, more = sample(loss, shape=(3,), dtype=dtype)
    for reduction in ("none", "sum", "mean"):
        assert loss(*data, reduction=reduction, **more).dtype == result
    sums = loss.sums(*data, **more) if has_sums(loss) else ()
    assert {x.dtype for x in sums} <= {np.dtype(result)}
    for found in (loss.gradient(*data, **more), loss.hessian(*data, **more)):
        assert found.dtype == dtype
    value, slope = loss.value_and_gradient(*data, **more)
    assert (value.dtype, slope.dtype) == (result, dtype)
    # The narrow numbers, computed wide and rounded once.
    wide = [x.astype(np.float64) if x.dtype.kind in "fV" else x for x in data]
    truth = loss(*wide, reduction="none", check=False, **more)
    if dtype is not np.longdouble:
        found = loss(*data, reduction="none", **more)
        np.testing.assert_array_max_ulp(found, truth.astype(result), 1)


@each_loss
def test_any_rank_and_layout_gives_the_same_numbers(loss):
    check_layouts(loss)


def check_layouts(loss):
    data, more = sample(loss, shape=(4, 6))
    each = loss(*data, reduction="none", **more)
    slope = loss.gradient(*data, reduction="none", **more)
    strided = [np.repeat(x, 2, axis=0)[::2] for x in data]
    backwards = [x[::-1].copy()[::-1] for x in data]
    fortran = [np.asfortranarray(x) for x in data]
    read_only = [x.copy() for x in data]
    for x in read_only:
        x.flags.writeable = False
    for other in (strided, backwards, fortran, read_only):
        assert np.array_equal(loss(*other, reduction="none", **more), each)
        assert np.array_equal(loss.gradient(*other, reduction="none", **more), slope)
    deep = [x.reshape(2, 2, *x.shape[1:]) for x in data]
    assert np.array_equal(loss(*deep, reduction="none", **more), each.reshape(2, 2, 6))
    before = [x.copy() for x in data]
    loss.value_and_gradient(*data, mask=of_rows(loss, np.arange(6) > 2), **more)
    assert all(np.array_equal(x, y) for x, y in zip(data, before, strict=True))


@each_loss
def test_one_element_may_be_a_number_a_list_or_an_array(loss):
    check_scalars(loss)


def check_scalars(loss):
    data, more = sample(loss, shape=(1,))
    one = [x[0] for x in data]
    truth = loss(*data, reduction="none", **more)[0]
    for single in (one, [np.asarray(x) for x in one], [np.asarray(x).tolist() for x in one]):
        for reduction in ("none", "sum", "mean"):
            value = loss(*single, reduction=reduction, **more)
            assert value == truth
            assert np.shape(value) == ()
            assert value.dtype == np.float64
        slope = loss.gradient(*single, **more)
        assert np.array_equal(slope, loss.gradient(*data, **more)[0])
    as_lists = [x.tolist() for x in data]
    assert np.array_equal(loss(*as_lists, reduction="none", **more), [truth])


@each_loss
def test_nothing_in_gives_nothing_out(loss):
    for shape in ((0,), (3, 0), (0, 2)):
        data, more = sample(loss, shape=shape)
        assert loss(*data, reduction="none", **more).shape == shape
        assert loss.gradient(*data, **more).shape == data[0].shape
        assert loss(*data, reduction="sum", **more) == 0


@those(lambda loss: loss.class_axis)
def test_the_classes_may_lie_along_any_axis(loss):
    check_axis(loss)


def check_axis(loss):
    data, more = sample(loss, shape=SHAPE)
    each = loss(*data, reduction="none", **more)
    slope = loss.gradient(*data, weight=WEIGHT, **more)
    for axis in (0, 1, 2, -1, -2, -3):
        moved = [
            np.moveaxis(x, -1, axis) if a.domain.class_axis else x
            for a, x in zip(loss.inputs, data, strict=True)
        ]
        assert np.array_equal(loss(*moved, axis=axis, reduction="none", **more), each)
        found = loss.gradient(*moved, axis=axis, weight=WEIGHT, **more)
        assert np.array_equal(found, np.moveaxis(slope, -1, axis))
        if "class_weight" in options_of(loss) and loss.inputs[1].domain.integer:
            call = {"class_weight": TABLE, **more}
            assert loss(*moved, axis=axis, **call) == loss(*data, **call)


# ------------------------------------------------------------------------------------ keywords


@those(lambda loss: len(loss.inputs) > 1)
def test_other_frameworks_words_for_prediction_and_target(loss):
    check_aliases(loss)


def check_aliases(loss):
    data, more = sample(loss, shape=(3,))
    truth = loss(*data, **more)
    first, second, *rest = data
    own = {a.name: x for a, x in zip(loss.inputs, data, strict=True)}
    others = {a.name: x for a, x in zip(loss.inputs[2:], rest, strict=True)}
    assert loss(**own, **more) == truth
    if "target" in others:  # two predictions: which of them would y_pred be?
        check_target_of_two(loss, data, more)
        return
    for prediction in ("input", "y_pred"):
        for target in ("target", "y_true"):
            assert loss(**{prediction: first, target: second}, **others, **more) == truth
    assert loss(first, y_true=second, **others, **more) == truth


def check_target_of_two(loss, data, more):
    place = [a.name for a in loss.inputs].index("target")
    predictions, target = data[:place], data[place]
    rest = {a.name: x for a, x in zip(loss.inputs[place + 1 :], data[place + 1 :], strict=True)}
    assert loss(*predictions, y_true=target, **rest, **more) == loss(*data, **more)
    with pytest.raises(TypeError, match="y_pred"):
        loss(predictions[1], y_pred=predictions[0], target=target, **more)


@each_loss
def test_a_hyper_parameter_may_be_an_array(loss):
    check_parameter_arrays(loss)


def check_parameter_arrays(loss):
    """Each row of the table below with its own numbers, beside one call per row."""
    rng = np.random.default_rng(6)
    data = arrays(loss, rng, SHAPE)
    # A row of numbers, one per class, is the same for every element: only single ones vary.
    rows = [
        {name: v for name, v in parameters(loss, rng).items() if np.ndim(v) == 0}
        for _ in range(SHAPE[0])
    ]
    columns = {name: np.array([[row[name]] for row in rows]) for name in (rows[0] if rows else {})}
    for call in (
        lambda *a, **k: loss(*a, reduction="none", **k),
        lambda *a, **k: loss.gradient(*a, reduction="sum", **k),
    ):
        found = call(*data, **columns)
        truth = np.stack([call(*(x[i] for x in data), **row) for i, row in enumerate(rows)])
        np.testing.assert_array_max_ulp(found, truth, 2)


def test_every_loss_is_covered_by_each_property():
    assert len(LOSSES) == len(L.catalogue) == len({loss.name for loss in LOSSES})


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_that_is_one_number_is_that_number_for_each_element(name):
    """At a slope of 0 nothing of the arguments is left in the text; elements are still counted."""

    @L.loss
    def sloped(prediction: Real, *, slope: Real = 1.0):
        return slope * prediction + 1

    library = Library(name)
    x = library.array(np.zeros(5))
    assert float(sloped(x, slope=0)) == 1
    assert library.plain(sloped(x, slope=0, reduction="none")).tolist() == [1.0] * 5
