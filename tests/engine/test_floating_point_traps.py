"""A caller's traps for NaN, overflow and underflow see results, not what is on the way to them."""

import warnings

import numpy as np
import pytest

import lossary as L
from libraries import Library
from lossary import information
from samples import each_loss, has_sums, of_rows, sample

METHODS = ("__call__", "sums", "value_and_gradient", "hessian")


def agrees(function, *args, **kwargs):
    """The call says the same with all traps set as with none."""
    with np.errstate(all="ignore"):
        expected = function(*args, **kwargs)
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        found = function(*args, **kwargs)
    pairs = (
        zip(found, expected, strict=True) if isinstance(expected, tuple) else [(found, expected)]
    )
    for mine, own in pairs:
        np.testing.assert_array_equal(mine, own)


@each_loss
def test_no_trap_is_sprung_on_the_way_to_a_loss(loss):
    """Single precision and half, whose results underflow and overflow when they are rounded."""
    weight, mask = np.array([1e-310, 1.0, 0.0, 1e300, 2.0]), np.arange(5) < 4
    for dtype in (np.float32, np.float16):
        data, settings = sample(loss, dtype=dtype)
        for name in METHODS:
            if name == "sums" and not has_sums(loss):
                continue
            agrees(getattr(loss, name), *data, **settings)
            options = {"mask": of_rows(loss, mask), "weight": weight}
            if name == "sums" and loss.over_positions:
                del options["weight"]  # of what is not finished
            agrees(getattr(loss, name), *data, **options, **settings)


@pytest.mark.parametrize("engine", ["array", "fused"])
@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_results_that_single_precision_does_not_hold(engine, size):
    """40,000 squares of 1e-30 are 0, of 1e30 infinite."""
    x, y = np.full(40_000, size, np.float32), np.zeros(40_000, np.float32)
    with L.using(engine=engine), np.errstate(all="raise"):
        assert L.squared_error(x, y) == (0 if size < 1 else np.inf)
    with L.using(engine=engine):
        for name in METHODS:
            agrees(getattr(L.squared_error, name), x, y)
        agrees(L.squared_error, x, y, reduction="none")
        agrees(L.squared_error, x, y, denominator=np.float32(1e-38))


@pytest.mark.sampled(3)
@pytest.mark.representative
@each_loss
def test_debugging_of_nan_in_jax_sees_results_only(loss):
    """An excluded class and what a mask leaves out are no NaN, eager, differentiated, compiled."""
    jax = Library("jax").module
    (first, *rest), settings = sample(loss, dtype=np.float32)
    domain = loss.inputs[0].domain.name
    if domain == "Logit":
        first[0] = -np.inf
    if domain == "Logits" and loss.inputs[1].domain.integer:
        first[:, -1], rest[0] = -np.inf, rest[0] % 3
    hidden = np.array(first)
    hidden[0] = np.nan
    mask = of_rows(loss, np.arange(5) > 0)
    first, hidden, *rest = map(jax.numpy.asarray, (first, hidden, *rest))

    def mean(x, **options):
        return loss(x, *rest, **settings, **options)

    expected = mean(first), jax.grad(mean)(first)
    with jax.debug_nans(True):
        found = mean(first), jax.grad(mean)(first)
        mean(hidden, mask=mask)
        loss.value_and_gradient(hidden, *rest, mask=mask, **settings)
    for mine, own in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, own)


def test_a_nan_that_jax_is_to_find_is_still_found():
    jax = Library("jax").module
    x, y = jax.numpy.array([np.nan]), jax.numpy.zeros(1)
    with jax.debug_nans(True), pytest.raises((FloatingPointError, L.errors.DomainError)):
        jax.jit(lambda x: L.squared_error(x, y))(x)


def test_the_small_road_of_the_door_of_pytorch():
    torch = Library("torch").module
    from lossary.torch import functional as door

    for size in (1e-30, 1e30):
        x = torch.full((8,), size, requires_grad=True)
        y, weight = torch.zeros(8), torch.full((8,), 1e-38)
        agrees(lambda x=x, y=y: door.mse_loss(x, y).detach().numpy())
        agrees(lambda x=x, y=y: torch.autograd.grad(door.mse_loss(x, y), x)[0].numpy())
        agrees(lambda x=x, y=y, w=weight: door.mse_loss(x, y, weight=w).detach().numpy())
        agrees(lambda x=x, y=y: door.soft_margin_loss(x, y + 1).detach().numpy())
    logits = torch.tensor([[0.0, -torch.inf, 200.0]])
    agrees(lambda: door.cross_entropy(logits, torch.tensor([0])).numpy())


def test_measures_of_information():
    tiny = [1e-310, 1.0, 0.0]
    agrees(information.entropy, tiny)
    agrees(information.self_information, tiny)
    agrees(information.cross_entropy, [0.5, 0.5, 0.0], tiny)
    agrees(information.relative_entropy, tiny, [0.25, 0.5, 0.25])
    agrees(information.mutual_information, [[1e-310, 0.5], [0.5, 0.0]])
    agrees(information.conditional_entropy, [[1e-310, 0.5], [0.5, 0.0]])


def test_the_door_of_scikit_learn():
    pytest.importorskip("sklearn")
    from lossary import sklearn as door

    y = np.array([1e-200, 1.0, 2.0])
    agrees(door.mean_squared_error, y, y * 2)
    agrees(door.mean_absolute_percentage_error, y, y * 2)
    agrees(door.mean_pinball_loss, y, y * 2)
    agrees(door.log_loss, [0, 1, 1], [1e-310, 1.0, 0.5])
    agrees(door.brier_score_loss, [0, 1, 1], [1e-310, 1.0, 0.5])
    agrees(door.hinge_loss, [0, 1, 1], [1e-310, 1.0, 1e308])
