"""`denominator=0` is the mean of nothing where nothing counts, and no divisor anywhere else."""

import numpy as np
import pytest

import lossary as L
from libraries import NAMES, Library
from lossary.errors import DomainError
from samples import sample, those

each_library = pytest.mark.parametrize("library", [*map(Library, NAMES)], ids=NAMES)
ENGINES = ("array", "fused")
ordinary = those(lambda loss: loss.name in {"huber", "cross_entropy"})


def zeros(library):
    """Zero in the forms that a denominator takes."""
    return 0, 0.0, np.float32(0), library.array(0.0), library.array(0, "int32")


@each_library
@ordinary
def test_zero_is_refused_where_elements_count(library, loss):
    data, settings = sample(loss, dtype=np.float32)
    data = [library.array(data[0]), *data[1:]]
    for zero in zeros(library):
        for options in ({}, {"weight": np.ones(5)}, {"mask": [True] + [False] * 4}):
            with pytest.raises(DomainError, match=f"{loss.name}: denominator must be above 0.*0"):
                loss(*data, denominator=zero, **options, **settings)
            with pytest.raises(DomainError, match="denominator must be above 0"):
                loss.gradient(*data, denominator=zero, **options, **settings)


def test_a_denominator_may_be_an_array_of_no_dimension():
    for number in (np.float32(2), np.array(2), np.float64(2)):
        assert L.squared_error([1.0, 2.0], [0.0, 0.0], denominator=number) == 2.5


@pytest.mark.parametrize("engine", ENGINES)
@ordinary
def test_zero_of_nothing_follows_the_policy_for_empty_means(engine, loss):
    data, settings = sample(loss, shape=(40_000,), dtype=np.float32)
    nothing = np.zeros(40_000)
    with L.using(engine=engine):
        for left_out in ({"mask": nothing > 0}, {"weight": nothing}):
            options = {"denominator": np.float32(0), **left_out, **settings}
            assert np.isnan(loss(*data, empty="nan", **options))
            options["denominator"] = 0
            assert loss(*data, **options) == 0
            value, slope = loss.value_and_gradient(*data, empty="nan", **options)
            assert np.isnan(value)
            assert not slope.any()
            with pytest.raises(DomainError, match="the mean is empty"):
                loss(*data, empty="raise", **options)
        with pytest.raises(DomainError, match="denominator must be above 0"):
            loss(*data, denominator=0, **settings)


@pytest.mark.parametrize("engine", ENGINES)
@ordinary
def test_unchecked_it_is_nan_where_elements_count(engine, loss):
    data, settings = sample(loss, shape=(40_000,), dtype=np.float32)
    keep = np.arange(40_000) % 2 == 0
    with L.using(engine=engine):
        value, slope = loss.value_and_gradient(
            *data, denominator=0, mask=keep, check=False, **settings
        )
    assert np.isnan(value)
    assert np.isnan(slope[keep]).all()
    assert not slope[~keep].any()


@pytest.mark.parametrize("name", NAMES[1:])
def test_in_a_graph_it_is_nan_where_elements_count(name):
    library = Library(name)
    x, y = library.array([1.0, 2.0]), library.array([0.0, 0.0])
    mean = library.compiled(lambda d, w: L.squared_error(x, y, denominator=d, weight=w))
    one, none = library.array([1.0, 1.0]), library.array([0.0, 0.0])
    assert library.plain(mean(library.array(2.0), one)) == 2.5
    assert np.isnan(library.plain(mean(library.array(0.0), one)))
    assert library.plain(mean(library.array(0.0), none)) == 0
    assert np.isnan(library.plain(mean(library.array(-2.0), one)))
    given = library.compiled(lambda w: L.squared_error(x, y, denominator=0, weight=w))
    assert np.isnan(library.plain(given(one)))
    assert library.plain(given(none)) == 0
    given = library.compiled(lambda w: L.squared_error(x, y, denominator=0, weight=w, empty="nan"))
    assert np.isnan(library.plain(given(none)))
    empty = library.compiled(lambda w: L.squared_error(x, y, weight=w, empty="raise"))
    assert library.plain(empty(one)) == 2.5
    assert np.isnan(library.plain(empty(none)))


@pytest.mark.parametrize("name", ["torch", "jax"])
def test_the_gradient_in_a_graph_is_nan_where_elements_count(name):
    library = Library(name)
    x, y, zero = library.array([1.0, 2.0]), library.array([0.0, 0.0]), library.array(0.0)
    for numbers, expected in (([1.0, 0.0], [np.nan, 0.0]), ([0.0, 0.0], [0.0, 0.0])):
        weight = library.array(numbers)
        mean = library.compiled(lambda x, d, w: L.squared_error(x, y, denominator=d, weight=w))
        _, slope = library.slope(lambda x: mean(x, zero, weight), x)  # noqa: B023
        np.testing.assert_array_equal(library.plain(slope), expected)


@pytest.mark.parametrize("reduction", ["sum", "none"])
def test_other_reductions_divide_by_nothing(reduction):
    found = L.squared_error([1.0, 2.0], [0.0, 0.0], reduction=reduction, denominator=0)
    assert np.sum(found) == 5.0
