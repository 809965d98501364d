"""The engine with Triton's kernels, from the call to the gradient; ``test_gpu_engine.py`` runs it.

On a GPU, or on the CPU in Triton's interpreter, which has to be chosen (``TRITON_INTERPRET=1``)
before Python starts.
"""

import gc
import math
import sys
import weakref

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("triton")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

import lossary as L  # noqa: E402
from engines import kernels_only  # noqa: E402
from lossary.domain import Positive, Real  # noqa: E402
from lossary.engine import selection  # noqa: E402
from lossary.engine.libraries import torch as engine_of_torch  # noqa: E402
from lossary.engine.recipes import torch as short_calls  # noqa: E402
from lossary.errors import install_line  # noqa: E402
from lossary.functions import expm1  # noqa: E402
from lossary.kernels import triton_launch  # noqa: E402
from lossary.kernels.triton_scale import scale_in_place  # noqa: E402
from samples import each_with_kernels, sample  # noqa: E402

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")  # the interpreter


class WaitedError(AssertionError):
    """The host asked the device for a number."""


class NeverWait(TorchDispatchMode):
    """Refuse what makes the host wait: ``item``, ``bool``, ``float``, ``nonzero``, copies back."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if any(word in str(func) for word in ("_local_scalar_dense", "nonzero", "equal.default")):
            raise WaitedError(str(func))
        return func(*args, **(kwargs or {}))


@pytest.fixture(autouse=True)
def no_value_can_be_looked_at(monkeypatch):
    """As on a GPU, where a look costs a wait: in the interpreter the tensors are on the CPU."""
    monkeypatch.setattr(engine_of_torch, "_has_values", lambda x: False)
    # A mode that is watching takes the road of operations; the one that waits for waits must not.
    monkeypatch.setattr(engine_of_torch, "_modes", lambda: 0)
    # Nor is their memory the processor's, which short calls read.
    monkeypatch.setattr(short_calls, "like_this", lambda *call: None)


def tensor(x, dtype=None):
    return torch.as_tensor(x, device=DEVICE, dtype=dtype)


def random(*shape, dtype=torch.float64, seed=0):
    made = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return made.to(DEVICE, dtype)


def elements(dtype=torch.float64, size=40):
    return 2 * random(size, dtype=dtype), random(size, dtype=dtype, seed=1)


LABEL = (0, 4, 2, 2, 1, 3)


def rows(dtype=torch.float64):
    return random(6, 5, dtype=dtype), tensor(LABEL)


def soft_rows(dtype=torch.float64):
    return random(6, 5, dtype=dtype), torch.softmax(random(6, 5, seed=1), -1).to(dtype)


def derived(loss, arrays, *, engine="fused", upstream=None, **options):
    """The value, and the gradients that autograd finds, by one engine alone."""
    names = [a.name for a in loss.inputs]
    arrays = [x.detach() for x in arrays]
    moving = [x.requires_grad_() for n, x in zip(names, arrays, strict=True)
              if n in loss.differentiable and x.is_floating_point()]  # fmt: skip
    with kernels_only() if engine == "fused" else L.using(engine=engine):
        value = loss(*arrays, **options)
        return value.detach(), *torch.autograd.grad(value, moving, upstream)


def agree(loss, arrays, near=1e-12, **options):
    """Both engines return the same, up to a share of the largest entry; return the kernels'."""
    found = derived(loss, arrays, **options)
    close(found, derived(loss, arrays, engine="array", **options), near)
    return found


def close(found, expected, near=1e-12):
    for mine, own in zip(found, expected, strict=True):
        assert mine.dtype == own.dtype
        assert mine.shape == own.shape
        assert mine.device == own.device
        largest = max(own.abs().nan_to_num().max().item(), 1e-30) if own.numel() else 1.0
        torch.testing.assert_close(mine, own, rtol=0, atol=near * largest, equal_nan=True)


# ----------------------------------------------------------------------------- every loss


@pytest.mark.covering
@each_with_kernels
def test_value_and_gradients_are_those_of_the_operations(loss):
    arrays, parameters = sample(loss, 0, (6,), 5)
    arrays = [tensor(np.ascontiguousarray(x)) for x in arrays]
    options = {**parameters, "weight": tensor(np.linspace(0.0, 2.0, 6))}
    agree(loss, arrays, near=1e-11, **options)
    found = []
    for engine in ("fused", "array"):
        with kernels_only() if engine == "fused" else L.using(engine=engine):
            derivatives = loss.value_and_gradient(*arrays, **options)
            second, sums = loss.hessian(*arrays, **options), loss.sums(*arrays, **options)
        found.append((*derivatives, second, *sums))
    close(*found, 1e-10)


NARROW = {
    "huber": elements,
    "log_cosh": elements,
    "cross_entropy": rows,
    "soft_cross_entropy": soft_rows,
}


def ulps(found, expected):
    """The distance in units of the last place of what was found."""
    last = torch.finfo(found.dtype).eps * 2.0 ** torch.frexp(expected.double())[1].sub(1).double()
    last = last.clamp_min(torch.finfo(found.dtype).tiny * torch.finfo(found.dtype).eps)
    return ((found.double() - expected.double()).abs() / last).max().item()


@pytest.mark.sampled(2)
@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", NARROW)
def test_narrow_types_are_right_in_ulps(name, dtype, reduction):
    """Against float64; the interpreter cuts a bfloat16 off where a GPU rounds."""
    loss, arrays = L.catalogue[name], NARROW[name](dtype)
    value, *slopes = derived_of_ones(loss, arrays, reduction=reduction)
    wide = [x.double() if x.is_floating_point() else x for x in arrays]
    options = {"reduction": reduction, "check": False}  # a rounded row has another mass
    true_value, *true = derived_of_ones(loss, wide, engine="array", **options)
    assert value.dtype == torch.float32
    assert ulps(value, true_value) <= 4
    for slope, expected in zip(slopes, true, strict=True):
        assert slope.dtype == dtype
        # p - t cancels in float32, where p is right to an ulp or two.
        assert ulps(slope, expected) <= (16 if dtype == torch.float32 else 1.01)


def derived_of_ones(loss, arrays, **options):
    """As ``derived``, with an upstream of ones for each element."""
    shape = arrays[0].shape[: 1 if loss.class_axis else None]
    unreduced = options.get("reduction") == "none"
    upstream = torch.ones(shape, device=DEVICE) if unreduced else None
    wide = upstream is not None and arrays[0].dtype == torch.float64
    return derived(loss, arrays, upstream=upstream.double() if wide else upstream, **options)


# ------------------------------------------------------- what counts, and what is divided by

MASK = tuple(i % 3 > 0 for i in range(40))
WEIGHT = tuple(i / 20 for i in range(40))
CASES = {
    "huber": (L.huber, elements, {}),
    "delta": (L.huber, elements, {"delta": 0.7}),
    "weight": (L.huber, elements, {"weight": WEIGHT}),
    "one weight": (L.huber, elements, {"weight": 3}),
    "mask": (L.huber, elements, {"mask": MASK}),
    "both": (L.huber, elements, {"mask": MASK, "weight": WEIGHT, "denominator": 7}),
    "rows": (L.cross_entropy, rows, {"label_smoothing": 0.1}),
    "ignored": (L.cross_entropy, rows, {"ignore_index": 2}),
    "classes": (L.cross_entropy, rows, {"class_weight": (1.0, 2.0, 0.5, 3.0, 0.0)}),
    "all": (
        L.cross_entropy,
        rows,
        {
            "class_weight": (1.0, 2.0, 0.5, 3.0, 0.1),
            "ignore_index": 2,
            "mask": (True, True, False, True, True, True),
            "weight": (1.0, 0.5, 2.0, 1.0, 0.0, 3.0),
        },
    ),
    "soft": (L.soft_cross_entropy, soft_rows, {"weight": (1.0, 0.5, 2.0, 1.0, 0.0, 3.0)}),
}
each_case = pytest.mark.parametrize("case", CASES)


def taken(case):
    """A loss, its arrays, and its options on the device."""
    loss, data, options = CASES[case]
    lists = {n: tensor(v) if isinstance(v, tuple) else v for n, v in options.items()}
    return loss, data(), lists


@pytest.mark.sampled(2)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@each_case
def test_weights_masks_and_reductions(case, reduction):
    loss, arrays, options = taken(case)
    shape = loss(*arrays, reduction=reduction, **options).shape
    for upstream in (torch.ones(shape), torch.full(shape, -2.5), torch.rand(shape)):
        given = upstream.to(DEVICE, torch.float64)
        agree(loss, arrays, upstream=given, reduction=reduction, **options)


@pytest.mark.parametrize("denominator", [7, 7.5, "number on the device", "count on the device"])
@each_case
def test_denominators(case, denominator):
    loss, arrays, options = taken(case)
    given = {"number on the device": tensor(2.5), "count on the device": tensor(12)}
    agree(loss, arrays, **{**options, "denominator": given.get(denominator, denominator)})


@pytest.mark.parametrize("empty", ["zero", "nan"])
def test_the_mean_of_nothing(empty):
    nothing = torch.zeros(40, dtype=torch.bool, device=DEVICE)
    for given in (
        {"mask": nothing},
        {"weight": nothing.double()},
        {"mask": nothing, "denominator": tensor(0.0)},
    ):
        value, slope, _ = agree(L.huber, elements(), empty=empty, **given)
        assert value.isnan().item() == (empty == "nan")
        assert torch.equal(slope, torch.zeros_like(slope))
    value, slope = agree(L.cross_entropy, (rows()[0], tensor([2] * 6)), empty=empty, ignore_index=2)
    assert value.isnan().item() == (empty == "nan")
    assert torch.equal(slope, torch.zeros_like(slope))


def test_an_empty_mean_that_cannot_be_raised_is_nan():
    nothing = torch.zeros(40, dtype=torch.bool, device=DEVICE)
    for engine in ("fused", "array"):
        value, slope, _ = derived(L.huber, elements(), engine=engine, mask=nothing, empty="raise")
        assert value.isnan()
        assert torch.equal(slope, torch.zeros_like(slope))
    value, *_ = derived(L.huber, elements(), mask=~nothing, empty="raise")
    assert not value.isnan()


def test_what_is_masked_may_hold_anything():
    (x, t), mask = elements(), tensor(MASK)
    clean = agree(L.huber, (x, t), mask=mask)
    dirty = [torch.where(mask, a, math.nan) for a in (x, t)]
    for mine, own in zip(derived(L.huber, dirty, mask=mask), clean, strict=True):
        assert torch.equal(mine, own)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_value_outside_its_set_is_nan_and_spoils_no_other(bad):
    """Nothing can be raised without waiting for the device."""
    x, t = elements()
    _, clean, _ = derived(L.huber, (x, t))
    x[7] = bad
    value, slope, _ = derived(L.huber, (x, t))
    assert value.isnan()
    assert slope[7].isnan()
    others = torch.arange(40, device=DEVICE) != 7
    assert torch.equal(slope[others], clean[others])
    z, y = rows()
    y[3] = 5
    value, slope = derived(L.cross_entropy, (z, y))
    assert value.isnan()
    assert slope.isnan().any(-1).nonzero().flatten().tolist() == [3]


# --------------------------------------------------------------------------------- layouts


def test_the_class_axis_may_be_anywhere():
    x = random(2, 5, 3)
    label = tensor([[0, 4, 2], [2, 1, 3]])
    agree(L.cross_entropy, (x, label), axis=1)
    agree(L.cross_entropy, (random(5, 6).t(), tensor(LABEL)))
    target = torch.softmax(random(2, 5, 3, seed=4), 1)
    found = []
    for engine in ("fused", "array"):
        with L.using(engine=engine):
            found.append(L.soft_cross_entropy.value_and_gradient(x, target, axis=1, wrt="target"))
    close(*found)


def test_targets_may_be_whole_numbers():
    x, _ = elements(torch.float32)
    for target in (x > 0, (x > 0).long()):
        found = derived(L.binary_cross_entropy, (x, target))
        expected = derived(L.binary_cross_entropy, (x, target.float()))
        for mine, own in zip(found, expected, strict=False):
            assert torch.equal(mine, own)


def test_a_buffer_takes_the_gradient():
    x, t = elements(torch.float32)
    out = torch.empty(40, device=DEVICE, dtype=torch.float64)
    with kernels_only():
        assert L.huber.gradient(x, t, out=out) is out
        assert torch.equal(out.float(), L.huber.gradient(x, t))
        with pytest.raises(L.DtypeError, match="out must be"):
            L.huber.gradient(x, t, out=torch.empty(40, device=DEVICE, dtype=torch.int64))


def test_a_users_own_loss_and_a_parameter_on_the_device():
    @L.loss(source="Dennis and Welsch 1978")
    def welsch(prediction: Real, target: Real, *, scale: Positive = 1.5):
        """Squared error that fades out far away."""
        return scale**2 / 2 * -expm1(-(((prediction - target) / scale) ** 2))

    one = agree(welsch, elements(), scale=0.7)
    two = agree(welsch, elements(), scale=tensor(0.7, torch.float64))
    close(one, two, 1e-15)


# ------------------------------------------------------------------------ autograd's own ways


@each_case
def test_the_host_never_waits(case):
    loss, arrays, options = taken(case)
    x = arrays[0].requires_grad_()
    for reduction in ("mean", "sum", "none"):
        with kernels_only(), NeverWait():
            value = loss(x, *arrays[1:], reduction=reduction, **options)
            value.sum().backward(retain_graph=True)
            value.backward(torch.full_like(value, 2.0))
            loss.sums(x.detach(), *arrays[1:], **options)


@pytest.mark.skipif(DEVICE == "cpu", reason="no GPU here")
@each_case
def test_pytorch_sees_no_wait_either(case):
    loss, arrays, options = taken(case)
    x = arrays[0].requires_grad_()
    with kernels_only():
        for mode in ("default", "error"):  # the first time compiles
            torch.cuda.set_sync_debug_mode(mode)
            try:
                loss(x, *arrays[1:], **options).backward()
            finally:
                torch.cuda.set_sync_debug_mode("default")


@each_case
def test_a_graph_that_is_retained_can_be_walked_again(case):
    loss, (x, *others), options = taken(case)
    x.requires_grad_()
    for reduction in ("mean", "none"):
        with kernels_only():
            value = loss(x, *others, reduction=reduction, **options).sum()
            (first,) = torch.autograd.grad(value, x, retain_graph=True)
            kept = first.clone()
            first.zero_()  # the caller's own by now
            (again,) = torch.autograd.grad(value * 3, x, retain_graph=True)
            close([again], [3 * kept])
            close(torch.autograd.grad(value, x), [kept])


def test_a_freed_graph_is_refused():
    x, t = elements()
    with kernels_only():
        value = L.huber(x.requires_grad_(), t)
    value.backward()
    with pytest.raises(RuntimeError, match="second time"):
        value.backward()


@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("name", ["log_cosh", "cross_entropy"])
def test_a_gradient_can_be_differentiated(name, reduction):
    loss, found = L.catalogue[name], []
    x, t = rows() if name == "cross_entropy" else elements()
    x.requires_grad_()
    for engine in ("fused", "array"):
        with L.using(engine=engine):
            value = loss(x, t, reduction=reduction).sum()
            (first,) = torch.autograd.grad(value, x, create_graph=True)
            found.append((first.detach(), *torch.autograd.grad(first.square().sum(), x)))
    close(*found)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("upstream", [1.0, 65536.0])
def test_a_half_gradient_is_scaled_before_it_is_rounded(dtype, upstream):
    """1/n of a slope is below float16; a scaler multiplies because of that."""
    x, t = elements(dtype, 20_000)
    options = {"upstream": tensor(upstream, torch.float32)}
    _, slope, _ = derived(L.huber, (x, t), **options)
    scaler = tensor(upstream, torch.float64)
    wide = derived(L.huber, (x.double(), t.double()), engine="array", upstream=scaler)
    assert ulps(slope, wide[1]) <= 1.01


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("case", ["huber", "ignored"])
def test_an_upstream_of_one_touches_no_memory(case, dtype):
    """What the forward pass left is handed over as it is, even if it is not the gradient."""
    loss, data, options = CASES[case]
    x, t = data(dtype)
    with kernels_only():
        value = loss(x.requires_grad_(), t, **options)
    value.grad_fn.saved_tensors[0].data.fill_(7)
    (found,) = torch.autograd.grad(value, x)
    assert bool((found == 7).all())


@pytest.mark.parametrize("which", ["prediction", "target", "weight"])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_what_is_changed_in_place_is_noticed(which, reduction):
    x, t = elements()
    data = {"prediction": x.requires_grad_() * 1, "target": t, "weight": torch.ones_like(t)}
    with kernels_only():
        value = L.huber(
            data["prediction"], data["target"], weight=data["weight"], reduction=reduction
        )
    data[which].detach().mul_(3)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        value.sum().backward()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_the_gradient_may_take_the_place_of_the_logits(dtype, factor):
    x, label = rows(dtype)
    leaf = x.requires_grad_()
    found = []
    for inplace in (False, True):
        logits = leaf * 1
        with kernels_only():
            value = L.cross_entropy(logits, label, ignore_index=2, inplace=inplace)
        (slope,) = torch.autograd.grad(value * factor, leaf, retain_graph=True)
        found.append((value.detach(), slope))
        if inplace:
            assert logits._version > 0
            with pytest.raises(RuntimeError, match="inplace=True"):
                torch.autograd.grad(value, leaf)
    close(*found, 1e-7 if dtype == torch.float32 or factor == 1 else 1e-2)
    with kernels_only(), pytest.raises(ValueError, match="leaf"):
        L.cross_entropy(leaf, label, inplace=True)


def test_nothing_is_kept_alive():
    x, t = elements()
    x.requires_grad_()
    gc.disable()
    try:
        with kernels_only():
            value = L.huber(x, t)
        seen = weakref.ref(t)
        del value, t
        assert seen() is None
    finally:
        gc.enable()


@pytest.mark.sampled(3)
@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("order", [1, 2])
@each_case
def test_hooks_see_all_that_is_kept(case, order, reduction):
    """The gradient comes from what hooks have kept; all that was passed in is overwritten."""
    loss, (x, *others), options = taken(case)
    x.requires_grad_()

    def slope(value):
        (found,) = torch.autograd.grad(value.sum(), x, create_graph=order > 1)
        return found if order == 1 else torch.autograd.grad(found.square().sum(), x)[0]

    with L.using(engine="fused"):
        wanted = slope(loss(x, *others, reduction=reduction, **options))
        with torch.autograd.graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
            value = loss(x, *others, reduction=reduction, **options)
    for given in (x, *others, *options.values()):
        if isinstance(given, torch.Tensor):
            given.data.fill_(math.nan if given.is_floating_point() else 0)
    close([slope(value)], [wanted])


@pytest.mark.parametrize("case", ["huber", "rows"])
def test_a_compiled_graph_holds_the_kernel(case):
    loss, (x, t), options = taken(case)
    found = []
    with L.using(engine="fused"):
        plain = derived(loss, (x, t), upstream=tensor(2.0, torch.float64), **options)
        compiled = torch.compile(
            lambda x, t: loss(x, t, **options), fullgraph=True, backend="aot_eager"
        )
        x = x.detach().requires_grad_()
        value = compiled(x, t)
        found = [value.detach(), *torch.autograd.grad(value * 2, x)]
    close(found, plain[:2])
    assert "Triton" in reason(x, t, loss=loss, **options)  # tracing spoils nothing


def test_without_gradients_no_graph_is_built():
    x, t = elements()
    with torch.no_grad(), kernels_only():
        assert not L.huber(x.requires_grad_(), t).requires_grad
    with torch.inference_mode(), kernels_only():
        assert L.huber(x, t).is_inference()


# ------------------------------------------------------------------------ the last multiplication


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("size", [0, 1, 4097])
def test_scaling_in_place(dtype, size):
    x = random(size, dtype=dtype)
    for factor in (1.0, 0.5, -3.0, math.nan):
        wide = torch.float64 if dtype == torch.float64 else torch.float32
        number = tensor(factor, wide)
        expected = (x.to(wide) * number).to(dtype)
        found = scale_in_place(x.clone(), number)
        last = torch.finfo(dtype).eps if dtype == torch.bfloat16 else 0.0  # the interpreter cuts
        torch.testing.assert_close(found, expected, rtol=last, atol=0, equal_nan=True)


# ---------------------------------------------------------------------------------- the choice


def reason(*arrays, engine="fused", loss=L.huber, **options):
    with L.using(engine=engine):
        return loss.explain(*arrays, **options)


def test_explain_says_where_and_why(monkeypatch):
    x, t = elements(torch.float32)
    where = "Triton's interpreter" if DEVICE == "cpu" else "Triton on cuda:0"
    assert reason(x, t) == f"huber: a fused kernel, {where} over 40 elements (float32, float32)"
    assert "engine='array' is chosen" in reason(x, t, engine="array")
    assert "there are no elements" in reason(x[:0], t[:0])
    assert "delta is an array" in reason(x, t, delta=x.abs() + 1)
    assert "weight needs a gradient" in reason(x, t, weight=torch.ones_like(x).requires_grad_())
    with monkeypatch.context() as watching:
        watching.setattr(engine_of_torch, "_modes", lambda: 1)
        assert "prediction is not an ordinary array" in reason(x, t)
    soft = reason(
        *soft_rows(), loss=L.soft_cross_entropy, class_weight=torch.ones(5, device=DEVICE)
    )
    assert "class_weight changes targets" in soft
    monkeypatch.setattr(engine_of_torch._Torch, "on_gpu", lambda library, x: True)
    assert f"fewer than {selection.GPU_CUTOFF}" in reason(x, t, engine="auto")
    assert where in reason(*elements(size=selection.GPU_CUTOFF), engine="auto")


@pytest.mark.parametrize("step", ["forward", "backward"])
def test_a_kernel_that_cannot_be_made_is_done_without(monkeypatch, step):
    """With one warning; the gradient is right also if only that of the second kernel fails."""
    from triton.runtime.errors import OutOfResources

    @L.loss(source="as Huber's")
    def another(prediction: Real, target: Real):
        """Squares."""
        return (prediction - target) ** 2

    x, t = elements()
    run, calls = triton_launch.run, []

    def failing(*args, **kwargs):
        calls.append(args)
        if len(calls) > (step == "backward"):
            raise OutOfResources(300_000, 232_448, "shared memory")
        return run(*args, **kwargs)

    monkeypatch.setattr(triton_launch, "run", failing)
    ones = torch.ones_like(x)
    x.requires_grad_()
    with L.using(engine="fused"), pytest.warns(RuntimeWarning, match="another: .*shared memory"):
        (slope,) = torch.autograd.grad(another(x, t, reduction="none"), x, ones)
    close([slope], [2 * (x - t).detach()])
    assert "OutOfResources" in reason(x, t, loss=another)
    with L.using(engine="fused"):
        close([another(x, t).detach()], [(x - t).square().mean().detach()])


def test_explain_says_what_is_wrong_with_triton(monkeypatch):
    x, t = elements()
    expected = L.huber(x, t).item()
    selection._without_triton.cache_clear()
    found = selection.find_spec
    without = lambda name: None if name == "triton" else found(name)  # noqa: E731
    monkeypatch.setattr(selection, "find_spec", without)
    assert install_line("gpu") in reason(x, t)
    monkeypatch.undo()
    selection._without_triton.cache_clear()

    def broken(device):
        raise RuntimeError("no C compiler")

    monkeypatch.setattr("lossary.kernels.triton_scale.probe", broken)
    assert "RuntimeError: no C compiler" in reason(x, t)
    selection._without_triton.cache_clear()
    monkeypatch.setitem(sys.modules, "tensorflow", sys)
    monkeypatch.delitem(sys.modules, "triton")
    assert "put import triton before import tensorflow" in reason(x, t)
    with L.using(engine="fused"):
        assert L.huber(x, t).item() == pytest.approx(expected)
