"""Losses over positions: which axes, what counts inside the sums, and sums of many batches."""

import pickle
import warnings
from typing import Annotated

import numpy as np
import pytest

import lossary as L
from libraries import NAMES, Library, value_and_slope
from lossary import functions
from lossary.accuracy.oracle import Meaning
from lossary.domain import Embedding, Logits, NonNegative, Real, Unit, pairs, positions
from lossary.formula import constant
from lossary.functions import (
    beyond,
    cumulate,
    exp,
    floor,
    logsumexp,
    logsumexp_from,
    mean,
    norm,
    peak,
    softmax,
    sqrt,
    tied,
    total,
)
from lossary.spaces import MEASURED
from samples import LOSSES, arrays, parameters, those


def is_of_maps(loss):
    """Whether all inputs lie at positions; test_ensembles.py has numbers beside them."""
    return loss.over_positions and all(a.domain.class_axis for a in loss.inputs)


over_positions = those(is_of_maps)
weighing_positions = those(lambda loss: is_of_maps(loss) and not loss.counts_places)
each_library = pytest.mark.parametrize("library", [Library(n) for n in NAMES], ids=NAMES)


def images(loss, seed=0, shape=(2, 3, 4, 5)):
    """Data of two images with three classes: 4 by 5 pixels."""
    return arrays(loss, np.random.default_rng(seed), shape[:-1], shape[-1])


def keep_of(shape, seed=1):
    """A mask in which every value keeps a position, and none keeps all."""
    keep = np.random.default_rng(seed).random(shape) < 0.5
    keep[..., 0, 0], keep[..., 0, 1] = True, False
    return keep


def booleans(library, keep):
    return library.array(keep, "bool_" if library.name == "numpy" else "bool")


# --------------------------------------------------------------------------------------- which axes


@over_positions
@pytest.mark.parametrize("axis", [(2, 3), (-1, -2), (0, 2), (1,), (0, 1, 2, 3), None])
def test_several_axes_are_one_set_of_positions(loss, axis):
    data, own = images(loss), parameters(loss)
    axes = tuple(range(4)) if axis is None else tuple(k % 4 for k in axis)
    rest = tuple(k for k in range(4) if k not in axes)
    flat = [np.transpose(x, (*rest, *sorted(axes))) for x in data]
    flat = [x.reshape(*(x.shape[: len(rest)]), -1) for x in flat]
    own["axis"] = (-1,)
    values = loss(*data, reduction="none", **own | {"axis": axis})
    assert values.shape == tuple(data[0].shape[k] for k in rest)
    np.testing.assert_array_equal(values, loss(*flat, reduction="none", **own))
    slope = loss.gradient(*data, **own | {"axis": axis})
    assert slope.shape == data[0].shape
    moved = np.transpose(slope, (*rest, *sorted(axes))).reshape(flat[0].shape)
    np.testing.assert_array_equal(moved, loss.gradient(*flat, **own))


@each_library
@over_positions
def test_every_library_moves_the_axes_and_back(loss, library):
    data, own = images(loss), parameters(loss)
    true = loss.value_and_gradient(*data, axis=(1, 3), mask=(keep := keep_of((2, 3, 4, 5))), **own)
    with library.wide():
        given = [library.array(x, "float64") for x in data]
        options = {
            "axis": (1, 3),
            "mask": booleans(library, keep),
        }
        value, slope = value_and_slope(library, loss, *given, **options, **own)
    np.testing.assert_allclose(value, true[0], rtol=1e-13)
    np.testing.assert_allclose(slope, true[1], rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("engine", ["auto", "fused"])
def test_a_compiled_graph_of_torch_takes_several_axes(engine):
    library = Library("torch")
    data, keep = images(L.dice), keep_of((2, 3, 4, 5))
    true = L.dice(*data, axis=(2, 3), mask=keep, reduction="none")
    given = [library.array(x, "float64") for x in data]

    def graph(p, y, mask):
        return L.dice(p, y, axis=(2, 3), mask=mask, reduction="none")

    with L.using(engine=engine):
        found = library.compiled(graph)(*given, booleans(library, keep))
    np.testing.assert_allclose(library.plain(found), true, rtol=1e-14)


@pytest.mark.parametrize(
    ("axis", "said"),
    [((0, 4), "axis 4 is outside"), ((1, -3), "twice"), ((), "no axis"), ((0.5,), "integers")],
)
def test_an_axis_that_is_none_is_refused(axis, said):
    x = np.full((2, 3, 4, 5), 0.5)
    with pytest.raises(L.LossaryError, match=said):
        L.dice(x, x, axis=axis)


def test_lines_of_an_image_are_said_to_be_lines():
    x = np.full((2, 3, 4, 5), 0.5)
    with pytest.warns(UserWarning, match=r"each of the \(2, 3, 4\) lines.*axis=\(2, 3\)"):
        L.dice(x, x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        L.dice(x, x, axis=(-1,))
        L.dice(x[0, 0], x[0, 0])


# ---------------------------------------------------------------------------------- inside the sums


@over_positions
def test_a_masked_position_is_as_if_it_were_not_there(loss):
    first, *others = images(loss, shape=(6, 7))
    own, keep = parameters(loss), keep_of((6, 7))
    spoiled = np.where(keep, first, np.nan)
    values = loss(spoiled, *others, mask=keep, reduction="none", **own)
    slope = loss.gradient(spoiled, *others, mask=keep, reduction="sum", **own)
    for row in range(6):
        part = [x[row, keep[row]][None] for x in (first, *others)]
        np.testing.assert_allclose(values[row], loss(*part, **own), rtol=1e-14)
        np.testing.assert_allclose(
            slope[row, keep[row]], loss.gradient(*part, **own)[0], rtol=1e-12
        )
    assert not slope[~keep].any()
    again = loss.gradient(np.where(keep, first, 0.25), *others, mask=keep, reduction="sum", **own)
    assert slope.tobytes() == again.tobytes()


@weighing_positions
def test_a_weight_of_two_is_a_position_that_is_there_twice(loss):
    data, own = images(loss, shape=(3, 4)), parameters(loss)
    twice = loss(*(np.repeat(x, [2, 1, 1, 3], axis=1) for x in data), reduction="none", **own)
    weighted = loss(*data, position_weight=[2.0, 1.0, 1.0, 3.0], reduction="none", **own)
    np.testing.assert_allclose(weighted, twice, rtol=1e-13)


@weighing_positions
def test_the_gradient_is_the_slope_of_the_value_inside_weights(loss):
    data, own = images(loss, shape=(2, 4)), parameters(loss)
    weight = np.array([[0.5, 2.0, 0.0, 1.0], [1.0, 0.25, 3.0, 1.0]])
    slope = loss.gradient(*data, position_weight=weight, weight=[3.0, 1.0], **own)
    step = 1e-6
    for place in np.ndindex(2, 4):
        high, low = data[0].copy(), data[0].copy()
        high[place] += step
        low[place] -= step
        ends = (
            loss(x, *data[1:], position_weight=weight, weight=[3.0, 1.0], **own)
            for x in (high, low)
        )
        np.testing.assert_allclose(
            slope[place], (next(ends) - next(ends)) / (2 * step), rtol=1e-5, atol=1e-8
        )


@each_library
def test_the_two_weights_are_two(library):
    p, y = np.array([[0.9, 0.2], [0.4, 0.6]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    with library.wide():
        given = [library.array(x, "float64") for x in (p, y)]
        inside = library.plain(
            L.dice(*given, position_weight=[[2.0, 1.0], [1.0, 1.0]], reduction="none")
        )
        outside = library.plain(L.dice(*given, weight=[2.0, 1.0], reduction="none"))
    np.testing.assert_allclose(inside, [1 - 3.6 / (2.0 + 2.0), 1 - 1.2 / 2.0], rtol=1e-14)
    np.testing.assert_allclose(outside, [2 * (1 - 1.8 / 2.1), 1 - 1.2 / 2.0], rtol=1e-14)


@each_library
@over_positions
def test_a_value_without_positions_does_not_count(loss, library):
    data, own = images(loss, shape=(3, 4)), parameters(loss)
    keep = np.array([[True] * 4, [False] * 4, [True, False, True, True]])
    alone = loss(data[0][::2], *(x[::2] for x in data[1:]), mask=keep[::2], **own)
    with library.wide():
        given = [library.array(np.where(keep, x, np.nan), "float64") for x in data]
        mask = booleans(library, keep)
        value, slope = value_and_slope(library, loss, *given, mask=mask, **own)
    np.testing.assert_allclose(value, alone, rtol=1e-13)
    assert np.isfinite(slope).all()
    assert not slope[1].any()


def test_what_a_weight_or_all_positions_leave_out_does_not_count():
    p, y = [[0.9, 0.2], [np.nan] * 2, [np.nan] * 2], [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]
    mask = [[True, True], [False, False], [True, True]]
    assert L.dice(p, y, mask=mask, weight=[2.0, 1.0, 0.0]) == L.dice(p[:1], y[:1])


def test_masked_arrays_of_numpy_leave_out_positions():
    p = np.ma.masked_array([[0.9, np.nan, 0.3]], mask=[[False, True, False]])
    assert L.dice(p, [[1.0, 1.0, 0.0]]) == L.dice([[0.9, 0.3]], [[1.0, 0.0]])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mask": [True, False, True]}, "mask of shape .3,. does not broadcast to prediction"),
        ({"mask": [0.5, 1.0]}, "mask must be True"),
        ({"position_weight": [-1.0, 1.0]}, "position_weight must be a finite number"),
        ({"weight": [[1.0, 2.0]] * 3}, "weight of shape"),
    ],
)
def test_what_does_not_fit_the_positions_is_refused(options, said):
    with pytest.raises(L.LossaryError, match=said):
        L.dice([[0.9, 0.3]], [[1.0, 0.0]], **options)


def test_a_loss_without_positions_has_no_weight_of_positions():
    with pytest.raises(TypeError, match="position_weight"):
        L.huber([1.0], [2.0], position_weight=[1.0])


# ----------------------------------------------------------------------------- sums of many batches


@each_library
@those(lambda loss: loss.adds_up)
def test_the_loss_of_added_sums_is_the_loss_of_all_data(loss, library):
    own, keep = parameters(loss), keep_of((3, 4, 5))
    batches = [images(loss, seed, (3, 4, 5)) for seed in range(3)]
    whole = [np.concatenate(parts) for parts in zip(*batches, strict=True)]
    true = loss(*whole, axis=None, mask=np.concatenate([keep] * 3), **own)
    mask = booleans(library, keep)
    with library.wide():
        found = [
            loss.sums(*(library.array(x, "float64") for x in data), axis=None, mask=mask)
            for data in batches
        ]
        added = [sum(parts) for parts in zip(*found, strict=True)]
        np.testing.assert_allclose(library.plain(loss.of_sums(*added, **own)), true, rtol=1e-13)


def test_the_mean_of_batches_is_another_number():
    p, y = np.array([[0.9, 0.8], [0.1, 0.2]]), np.array([[1.0, 1.0], [0.0, 1.0]])
    assert L.dice(p, y) == pytest.approx((1 - 3.4 / 3.7 + 1 - 0.4 / 1.3) / 2)
    assert L.dice(p, y, axis=None) == pytest.approx(1 - 3.8 / 5.0)
    sums = [
        sum(parts)
        for parts in zip(*(L.dice.sums(*row) for row in zip(p, y, strict=True)), strict=True)
    ]
    assert sums == pytest.approx([1.9, 2.0, 3.0])
    assert L.dice.of_sums(*sums) == pytest.approx(1 - 3.8 / 5.0)
    assert L.dice.of_sums(*sums, smooth=1.0) == pytest.approx(1 - 4.8 / 6.0)


def test_sums_know_no_weight_of_what_is_not_finished():
    with pytest.raises(ValueError, match="position_weight= weighs within the sums"):
        L.dice.sums([0.5], [1.0], weight=[2.0])
    with pytest.raises(AttributeError, match="huber is no loss over positions"):
        _ = L.huber.of_sums


# --------------------------------------------------------------------------------------- empty sums


@pytest.mark.failure(42)
@each_library
@pytest.mark.parametrize(("name", "value"), [("dice", 0.0), ("jaccard", 0.0), ("tversky", 0.0),
                                             ("matthews_correlation", 1.0)])  # fmt: skip
def test_what_is_empty_follows_the_word_of_the_loss(name, value, library):
    loss = L.catalogue[name]
    nothing = library.array(np.zeros((2, 3)), "float32")
    found, slope = value_and_slope(library, loss, nothing, nothing)
    assert found == value
    assert not slope.any()
    assert (
        float(
            Meaning.of(loss).value(
                dict.fromkeys(("prediction", "target"), [0.0] * 3)
                | {a.name: a.default for a in loss.parameters}
            )
        )
        == value
    )


def test_a_word_for_nothing_is_a_word_that_is_known():
    with pytest.raises(L.FormulaError, match="empty must be one of 'zero'"):

        @L.loss(empty="skip")
        def strange(prediction: Annotated[Unit, positions]):
            return 1 / total(prediction, over=positions)

    with pytest.raises(L.FormulaError, match="no argument has positions"):

        @L.loss(empty="zero")
        def elementwise(prediction: Real, target: Real):
            return prediction / target


# ----------------------------------------------------------------------------------- one's own loss


def test_a_loss_of_ones_own_uses_every_word():
    @L.loss(empty="one")
    def spread(prediction: Annotated[Real, positions], *, power: NonNegative = 1.0):
        """Made of every word that goes over positions."""
        centre = mean(prediction, over=positions)
        top = peak(prediction, over=positions)
        soft = logsumexp(prediction, over=positions)
        wide = sqrt(mean((prediction - centre) ** 2, over=positions))
        return power * (top - centre) / wide + soft + norm(prediction, over=positions)

    x = np.array([[0.5, -1.0, 2.0, 7.0]])
    keep = np.array([True, True, True, False])
    part = x[:, keep]
    true = (2 - 0.5) / part.std() + np.log(np.exp(part).sum()) + np.sqrt((part**2).sum())
    assert spread(part) == pytest.approx(true, rel=1e-14)
    assert spread(x, mask=keep) == pytest.approx(true, rel=1e-14)
    assert spread([[3.0, 3.0]]) == 1.0
    step = 1e-6 * np.eye(4)[:1]
    ends = spread(x + step, mask=keep), spread(x - step, mask=keep)
    assert spread.gradient(x, mask=keep)[0, 0] == pytest.approx(
        (ends[0] - ends[1]) / 2e-6, rel=1e-7
    )
    with pytest.raises(L.FormulaError, match="nothing adds up"):
        spread.sums(x)


WORDS = {
    "total": lambda x, y: total(x * y),
    "class_count": lambda x, y: total(x) / mean(y),
    "peak": lambda x, y: peak(x) - peak(-y),
    "norm": lambda x, y: norm(x - y),
    "logsumexp": lambda x, y: logsumexp(x) + logsumexp(y),
    "cosine": functions.cosine,
    "cosine_gap": functions.cosine_gap,
    "tanimoto_gap": functions.tanimoto_gap,
    "variogram_gap": lambda x, y: functions.variogram_gap(x, y, constant(1), 0.5, total(y), 1.5),
    "centred": lambda x, y: total(functions.centred(x) * y),
    "squared_deviations": lambda x, y: functions.squared_deviations(x * y),
    "cumulate": lambda x, y: total(cumulate(x * y, by=x) * y),
    "beyond": lambda x, y: total(beyond(x * y, by=y) * x),
    "tied": lambda x, y: total(tied(x * x, by=floor(y)) * x),
    "next_above": lambda x, y: total(functions.next_above(x * y, by=floor(y)) * x),
    "logsumexp_from": lambda x, y: total(logsumexp_from(x, by=y) * y),
    "excess_from": lambda x, y: total(functions.excess_from(x, 1, y) * y),
    "share_from": lambda x, y: total(functions.share_from(x, 1, y) * y),
    "group_peak": lambda x, y: total(functions.group_peak(x, floor(y / 4)) * y),
    "total_of_others": lambda x, y: total(exp(-x * functions.other(x * y)) * y, over=pairs),
}


@pytest.mark.parametrize("word", [word for word in MEASURED if word != "rank"])
def test_a_weight_of_a_word_is_how_often_a_position_is_there(word):
    @L.loss
    def spelled(prediction: Annotated[Real, positions], target: Annotated[Real, positions]):
        return WORDS[word](prediction, target)

    x, y = np.random.default_rng(3).normal(size=(2, 5))
    often = np.array([1, 3, 0, 2, 1])
    truth = spelled.value_and_gradient(np.repeat(x, often), np.repeat(y, often))
    found = spelled.value_and_gradient(x, y, position_weight=often.astype(float))
    assert found[0] == pytest.approx(truth[0], rel=1e-13)
    places = np.cumsum(often) - 1
    slope = np.where(often > 0, truth[1][places] * often, 0)
    np.testing.assert_allclose(found[1], slope, rtol=1e-12, atol=1e-15)


def refused(formula):
    with pytest.raises(L.FormulaError) as caught:
        L.loss(formula)
    return str(caught.value)


def test_mistakes_are_named():
    def no_axis(prediction: Real, target: Real):
        return total(prediction * target, over=positions)

    def another(prediction: Annotated[Real, positions]):
        return total(prediction, over="positions")

    def left(prediction: Annotated[Real, positions], target: Annotated[Real, positions]):
        return prediction * target

    def two(prediction: Logits, target: Annotated[Real, positions]):
        return total(prediction) + total(target)

    def unknown(prediction: Annotated[Real, positions]):
        return total(softmax(prediction) * exp(prediction), over=positions)

    assert "has no such axis" in refused(no_axis)
    assert "Annotated[Unit, positions]" in refused(no_axis)
    assert "goes over a named axis, got over='positions'" in refused(another)
    assert "one value per position" in refused(left)
    assert "one named axis" in refused(two)
    assert "softmax has no meaning where positions are masked" in refused(unknown)


def test_an_embedding_is_not_made_of_positions():
    @L.loss
    def plain(prediction: Embedding, target: Embedding):
        return total(prediction * target)

    assert not plain.over_positions
    with pytest.raises(TypeError, match="position_weight"):
        plain([[1.0]], [[2.0]], position_weight=[1.0])


def test_the_catalogue_has_them_and_pickles_them():
    assert sum(loss.over_positions for loss in LOSSES) >= 10
    assert pickle.loads(pickle.dumps(L.dice)) is L.dice
