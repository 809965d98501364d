"""What is stored where an element does not count changes no bit of the value or the gradient."""

import itertools

import numpy as np
import pytest

import lossary as L
from libraries import NAMES, Library, value_and_slope
from samples import CLASSES, LOSSES, arrays, each_loss, of_rows, parameters, those

representative = pytest.mark.representative

NAN, INF, HUGE = np.nan, np.inf, 3e38
ROWS = 7
KEEP = np.array([True, False, False, True, False, False, True])
# One kind of garbage per element that does not count; along classes, all kinds in turn.
GARBAGE = np.array([0, NAN, INF, 0, -INF, HUGE, 0])
MIXTURE = np.array([NAN, INF, -INF, HUGE])
WRONG_LABELS = np.array([0, -1, CLASSES, 0, -(10**6), 10**6, 0])
IGNORED = -100

HOW = {
    "mask": lambda: {"mask": KEEP},
    "weight": lambda: {"weight": np.where(KEEP, 0.75, 0.0).astype(np.float32)},
    "mask and weight": lambda: {
        "mask": KEEP | (np.arange(ROWS) == 1),
        "weight": np.where(np.arange(ROWS) == 1, 0.0, 0.75).astype(np.float32),
    },
    "ignored label": lambda: {"ignore_index": IGNORED},
}


def counted(loss):
    """Data of which the part that counts has a gradient: a hinge can be 0 with slope 0."""
    for seed in itertools.count(8):
        data = arrays(loss, np.random.default_rng(seed), (ROWS,), dtype=np.float32)
        if loss.gradient(*data, **parameters(loss))[KEEP].any():
            return data
    raise AssertionError


def spoiled(argument, x, keep):
    """The same array with garbage wherever `keep` is False."""
    if argument.domain.integer:
        return np.where(keep, x, WRONG_LABELS)
    if argument.domain.class_axis:
        mixture = np.resize(MIXTURE, x.shape[-1])
        garbage = np.stack([np.roll(mixture, i) for i in range(ROWS)])
        return np.where(keep[:, None], x, garbage).astype(x.dtype)
    return np.where(keep, x, GARBAGE).astype(x.dtype)


def bits(x):
    return np.asarray(x).tobytes()


def each_case():
    return [
        pytest.param(name, loss, how, id=f"{loss.name}-{name}-{how.replace(' ', '-')}")
        for name in NAMES
        for loss in LOSSES
        for how in HOW
        if how != "ignored label" or "ignore_index" in loss.__signature__.parameters
    ]


@representative
@pytest.mark.sampled(3)
@pytest.mark.parametrize(("name", "loss", "how"), each_case())
def test_no_bit_depends_on_what_is_left_out(name, loss, how):
    library = Library(name)
    # Eager tensors of TensorFlow would go to NumPy's engine, which has cases of its own.
    engine = "array" if name == "tensorflow" else "auto"
    with library.wide(), L.using(engine=engine):
        check_isolation(library, loss, how)


def check_isolation(library, loss, how):
    options = HOW[how]()
    keep = KEEP if how != "mask and weight" else options["mask"] & (options["weight"] > 0)
    clean = counted(loss)
    dirty = [spoiled(a, x, keep) for a, x in zip(loss.inputs, clean, strict=True)]
    if how == "ignored label":
        clean[1] = dirty[1] = np.where(keep, clean[1], IGNORED)
    options |= parameters(loss)
    options = {n: of_rows(loss, x) if n == "mask" else x for n, x in options.items()}
    for reduction in ("mean", "sum") if library.name == "numpy" else ("mean",):
        results = []
        for data in (clean, dirty):
            held = [library.array(x, x.dtype.name) for x in data]
            results.append(value_and_slope(library, loss, *held, reduction=reduction, **options))
        assert_isolated(*results, keep)
    held = [library.array(x, x.dtype.name) for x in dirty]
    each = library.plain(loss(*held, reduction="none", **options))
    held = [library.array(x, x.dtype.name) for x in clean]
    assert bits(each) == bits(library.plain(loss(*held, reduction="none", **options)))
    assert not each[~keep].any()


def assert_isolated(clean, dirty, keep):
    (value, slope), (same_value, same_slope) = clean, dirty
    assert np.isfinite(value)
    assert bits(value) == bits(same_value)
    assert bits(slope) == bits(same_slope)
    assert not slope[~keep].any()
    assert slope[keep].any()


@representative
@pytest.mark.parametrize("how", ["mask", "weight", "mask and weight"])
@those(lambda loss: len(loss.differentiable) > 1)
def test_no_bit_of_any_derivative_depends_on_what_is_left_out(loss, how):
    check_other_gradients(loss, how)


def check_other_gradients(loss, how):
    options = HOW[how]() | parameters(loss)
    keep = KEEP if how != "mask and weight" else options["mask"] & (options["weight"] > 0)
    options = {n: of_rows(loss, x) if n == "mask" else x for n, x in options.items()}
    clean = counted(loss)
    dirty = [spoiled(a, x, keep) for a, x in zip(loss.inputs, clean, strict=True)]
    for wrt in loss.differentiable:
        slope = loss.gradient(*dirty, wrt=wrt, **options)
        assert bits(slope) == bits(loss.gradient(*clean, wrt=wrt, **options))
        assert not slope[~keep].any()
    hessian = loss.hessian(*dirty, **options)
    assert bits(hessian) == bits(loss.hessian(*clean, **options))
    assert not hessian[~keep].any()


def test_what_counts_is_still_checked():
    """A mask does not silence the check of the elements that it keeps."""
    data = [np.zeros(ROWS), np.where(KEEP, 0.3, NAN)]
    with pytest.raises(L.DomainError, match=r"got 0\.3 at index \(0,\)"):
        L.focal(*data, mask=KEEP)


@each_loss
def test_the_garbage_is_noticed_without_a_mask(loss):
    """The garbage of this file would spoil a result that let it in."""
    # What says which entries count, such as a label or a relevance, would say so of garbage.
    first, *others = counted(loss)
    dirty = [spoiled(loss.inputs[0], first, KEEP), *others]
    options = {"check": False, "reduction": "sum", **parameters(loss)}
    assert not np.isfinite(loss(*dirty, **options))
