"""The fused kernels under PyTorch's autograd: whatever asks for a gradient gets the right one."""

import gc
import threading
import weakref

import numpy as np
import pytest

import lossary as L
from engines import agree, by_kernels, by_operations, kernels_only, same

torch = pytest.importorskip("torch")
pytest.importorskip("numba")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def elements(size=40, dtype=torch.float64, seed=0):
    x = torch.randn(size, generator=generator(seed), dtype=torch.float64) * 2
    t = torch.randn(size, generator=generator(seed + 1), dtype=torch.float64)
    return x.to(dtype).requires_grad_(), t.to(dtype)


def rows(dtype=torch.float64):
    x = torch.randn(6, 5, generator=generator(2), dtype=torch.float64).to(dtype).requires_grad_()
    return x, torch.tensor([0, 4, 2, 2, 1, 3])


def slope(function, x, *others, upstream=None, engine="fused", **options):
    """The gradient that autograd finds, by one engine."""
    with kernels_only() if engine == "fused" else L.using(engine=engine):
        value = function(x, *others, **options)
        (found,) = torch.autograd.grad(value, x, upstream)
    return found


CASES = {
    "huber": (L.huber, elements, {}),
    "rows": (L.cross_entropy, rows, {}),
    "ignored rows": (L.cross_entropy, rows, {"ignore_index": 2}),
    "weighted": (L.huber, elements, {"weight": torch.linspace(0, 1, 40)}),
    "masked": (L.huber, elements, {"mask": torch.arange(40) % 3 > 0}),
}
each_case = pytest.mark.parametrize("case", CASES)


# ---------------------------------------------------------------------------- values and slopes


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@each_case
def test_the_gradient_is_that_of_the_operations(case, reduction):
    loss, data, options = CASES[case]
    x, t = data()
    size = loss(x, t, reduction=reduction, **options).shape
    for upstream in (torch.ones(size), torch.full(size, 2.5), torch.rand(size)):
        given = None if reduction != "none" and (upstream == 1).all() else upstream.double()
        options = options | {"reduction": reduction}
        found = slope(loss, x, t, upstream=given, **options)
        same(found, slope(loss, x, t, upstream=given, engine="array", **options))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("case", ["huber", "rows"])
def test_narrow_types_agree(case, dtype):
    loss, data, _ = CASES[case]
    x, t = data(dtype=dtype)
    t = t.to(dtype) if t.is_floating_point() else t
    agree(loss, x.detach(), t)
    found = slope(loss, x, t)
    assert found.dtype == dtype
    same(found, slope(loss, x, t, engine="array"))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_scaled_gradient_keeps_the_digits_of_a_half_type(dtype):
    """A scaler multiplies because 1/n of a slope is below the type: it must come before."""
    x, t = elements(20_000, dtype)
    scale = torch.tensor(65536.0)
    found = slope(L.huber, x, t, upstream=scale)
    same(found, slope(L.huber, x, t, upstream=scale, engine="array"))


def test_half_numbers_are_those_of_ml_dtypes():
    import ml_dtypes

    x, t = elements(50, torch.bfloat16)
    x = x.detach()
    value, gradient = by_kernels(L.huber.value_and_gradient, x, t)
    plain = [a.view(torch.int16).numpy().view(ml_dtypes.bfloat16) for a in (x, t)]
    other, slopes = by_kernels(L.huber.value_and_gradient, *plain)
    assert value.item() == other
    assert gradient.view(torch.int16).numpy().tobytes() == slopes.tobytes()


def test_every_input_that_wants_a_gradient_gets_its_own():
    x, t = elements()
    t.requires_grad_()
    for inputs in ((x, t), (x.detach(), t), (x, t.detach())):
        wanted = [a for a in inputs if a.requires_grad]
        found = torch.autograd.grad(by_kernels(L.huber, *inputs), wanted)
        expected = torch.autograd.grad(by_operations(L.huber, *inputs), wanted)
        same(tuple(found), tuple(expected))


def test_a_soft_target_gets_its_gradient():
    logits = torch.randn(4, 3, generator=generator(), dtype=torch.float64, requires_grad=True)
    target = torch.softmax(torch.randn(4, 3, generator=generator(1)).double(), -1).requires_grad_()
    found = torch.autograd.grad(by_kernels(L.soft_cross_entropy, logits, target), (logits, target))
    expected = torch.autograd.grad(
        by_operations(L.soft_cross_entropy, logits, target), (logits, target)
    )
    same(tuple(found), tuple(expected))


def test_a_layer_below_learns_the_same():
    layer = torch.nn.Linear(8, 5, dtype=torch.float64)
    data, label = torch.randn(6, 8, generator=generator(), dtype=torch.float64), rows()[1]
    gradients = []
    for call in (by_kernels, by_operations):
        layer.zero_grad()
        call(L.cross_entropy, layer(data), label).backward()
        gradients.append((layer.weight.grad.clone(), layer.bias.grad.clone()))
    same(*gradients)


def test_data_that_is_not_contiguous_agrees():
    x = torch.randn(5, 6, generator=generator(), dtype=torch.float64).t().requires_grad_()
    label = torch.tensor([0, 4, 2, 2, 1, 3])
    same(slope(L.cross_entropy, x, label), slope(L.cross_entropy, x, label, engine="array"))
    wide = torch.randn(2, 5, 3, generator=generator(), dtype=torch.float64).requires_grad_()
    label = torch.tensor([[0, 4, 2], [2, 1, 3]])
    found = slope(L.cross_entropy, wide, label, axis=1)
    same(found, slope(L.cross_entropy, wide, label, axis=1, engine="array"))


# -------------------------------------------------------------------------- autograd's own ways


@each_case
def test_a_graph_that_is_retained_can_be_walked_again(case):
    loss, data, options = CASES[case]
    x, t = data()
    for reduction in ("mean", "none"):
        value = by_kernels(loss, x, t, reduction=reduction, **options).sum()
        first = torch.autograd.grad(value, x, retain_graph=True)[0]
        kept = first.clone()
        first.zero_()  # the caller's own by now
        again = torch.autograd.grad(value * 3, x, retain_graph=True)[0]
        same(again, 3 * kept)
        same(torch.autograd.grad(value, x)[0], kept)


def test_a_freed_graph_is_refused():
    x, t = elements()
    value = by_kernels(L.huber, x, t)
    value.backward()
    with pytest.raises(RuntimeError, match="second time"):
        value.backward()


def test_gradients_accumulate():
    x, t = elements()
    with L.using(engine="fused"):
        L.huber(x, t).backward()
        once = x.grad.clone()
        L.huber(x, t).backward()
    same(x.grad, 2 * once)


@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("name", ["log_cosh", "cross_entropy"])
def test_first_and_second_derivatives_pass_the_gradient_check(name, reduction):
    x, t = rows() if name == "cross_entropy" else elements(6)
    with L.using(engine="fused"):

        def function(x):
            return L.catalogue[name](x, t, reduction=reduction)

        assert torch.autograd.gradcheck(function, (x,))
        assert torch.autograd.gradgradcheck(function, (x,))


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_a_gradient_can_be_differentiated(reduction):
    x, t = elements()
    found = []
    for call in (by_kernels, by_operations):
        value = call(L.log_cosh, x, t, reduction=reduction).sum()
        with L.using(engine="fused" if call is by_kernels else "array"):
            (first,) = torch.autograd.grad(value, x, create_graph=True)
            found.append((first.detach(), *torch.autograd.grad(first.square().sum(), x)))
    same(*found)


@pytest.mark.parametrize("kinds", ["gradient", "value_and_gradient", "gradient_and_hessian"])
@each_case
def test_a_derivative_that_was_asked_for_can_be_differentiated(case, kinds):
    """As with operations: whoever computes it, at every size and however often it has come."""
    loss, data, options = CASES[case]
    x, t = data()

    def penalty():
        found = getattr(loss, kinds)(x, t, **options)
        parts = found if isinstance(found, tuple) else (found,)
        (slope,) = torch.autograd.grad(sum((part**2).sum() for part in parts), x)
        return slope

    with L.using(engine="array"):
        wanted = penalty()
    with L.using(engine="fused"):
        same(penalty(), wanted)
    for _ in range(3):
        same(penalty(), wanted)


@pytest.mark.usefixtures("recipes_at_once")
def test_a_derivative_by_a_recipe_keeps_its_graph():
    x, t = elements(dtype=torch.float32)
    for _ in range(3):
        value, slope = L.huber.value_and_gradient(x, t)
        (walked,) = torch.autograd.grad(value, x, retain_graph=True)
        assert torch.equal(walked, slope)
        (bent,) = torch.autograd.grad(slope.sum(), x)
        assert torch.equal(bent, L.huber.hessian(x, t).detach())
    with torch.no_grad():
        assert not L.huber.gradient(x, t).requires_grad


def test_hooks_see_and_change_the_gradient():
    x, t = elements()
    seen = []
    inner = x * 1
    inner.register_hook(lambda g: seen.append(g.clone()) or 2 * g)
    by_kernels(L.huber, inner, t).backward()
    same(seen[0], slope(L.huber, x, t))
    same(x.grad, 2 * seen[0])


def test_anomaly_mode_is_at_ease():
    x, t = elements()
    for reduction in ("mean", "none"):
        with pytest.warns(UserWarning, match="Anomaly Detection"):
            anomaly = torch.autograd.detect_anomaly()
        with anomaly:
            by_kernels(L.huber, x, t, reduction=reduction).sum().backward()


@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("which", ["prediction", "target", "weight"])
def test_what_is_changed_in_place_is_noticed(which, reduction):
    """As in torch: a gradient of numbers that are gone is an error, or right by chance."""
    x, t = elements()
    data = {"prediction": x * 1, "target": t.clone(), "weight": torch.ones(40).double()}
    clean = slope(L.huber, x, t, reduction="sum") / (1 if reduction == "none" else 40)
    value = by_kernels(
        L.huber, data["prediction"], data["target"], weight=data["weight"], reduction=reduction
    ).sum()
    with torch.no_grad():
        data[which].mul_(3)
    try:
        (found,) = torch.autograd.grad(value, x)
    except RuntimeError as error:
        assert "modified by an inplace operation" in str(error)  # noqa: PT017  (either is right)
    else:
        same(found, clean)


@pytest.mark.parametrize("which", ["target", "weight"])
def test_what_is_changed_in_place_is_noticed_when_the_graph_is_walked_again(which):
    x, t = elements()
    data = {"target": t.clone(), "weight": torch.ones(40).double()}
    value = by_kernels(L.huber, x, data["target"], weight=data["weight"])
    (first,) = torch.autograd.grad(value, x, retain_graph=True)
    data[which].mul_(3)
    try:
        (found,) = torch.autograd.grad(value, x)
    except RuntimeError as error:
        assert "modified by an inplace operation" in str(error)  # noqa: PT017  (either is right)
    else:
        same(found, first)


def test_without_gradients_no_graph_is_built():
    x, t = elements()
    with torch.no_grad():
        assert not by_kernels(L.huber, x, t).requires_grad
    with torch.inference_mode():
        value = by_kernels(L.huber, x, t)
        assert value.is_inference()
        inside = torch.ones(5)
        by_kernels(L.huber, inside, inside)
    assert not by_kernels(L.huber, x.detach(), t).requires_grad
    assert by_kernels(L.huber, x, t).requires_grad


def test_forward_mode_and_the_transforms_are_right_too():
    import torch.autograd.forward_ad as forward

    x, t = elements()
    x = x.detach()
    first = slope(L.huber, x.clone().requires_grad_(), t, reduction="sum")
    with L.using(engine="fused"):
        with forward.dual_level():
            dual = forward.make_dual(x, torch.ones_like(x))
            tangent = forward.unpack_dual(L.huber(dual, t, reduction="none")).tangent
        same(tangent, first)
        same(torch.func.grad(lambda x: L.huber(x, t, reduction="sum"))(x), first)
        same(torch.func.vmap(L.huber)(x, t), L.huber(x, t, reduction="none"))


def test_a_compiled_function_agrees():
    x, t = elements(500)
    with L.using(engine="fused"):
        function = torch.compile(
            lambda x, t: L.huber(x * 2, t), backend="aot_eager", fullgraph=True
        )
        value = function(x, t)
        (found,) = torch.autograd.grad(value, x)
    with L.using(engine="array"):
        expected = L.huber(x * 2, t)
        same(found, torch.autograd.grad(expected, x)[0])
    same(value.detach(), expected.detach())


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_nothing_is_kept_when_the_graph_is_gone(reduction):
    """Without the cyclic collector, which may not come before the memory is needed."""
    gc.collect()
    gc.disable()
    try:
        for walk in (True, False):
            x, t = elements()
            value = by_kernels(L.huber, x, t, reduction=reduction).sum()
            if walk:
                value.backward()
            kept = [weakref.ref(x), weakref.ref(t)]
            del x, t, value
            assert [r() for r in kept] == [None, None]
    finally:
        gc.enable()


def test_threads_that_train_at_once_do_not_meet():
    expected = slope(L.cross_entropy, *rows())
    found = [None] * 6

    def train(place):
        for _ in range(20):
            found[place] = slope_alone()

    def slope_alone():
        x, label = rows()
        with L.using(engine="fused"):
            return torch.autograd.grad(L.cross_entropy(x, label), x)[0]

    workers = [threading.Thread(target=train, args=(i,)) for i in range(len(found))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert all(np.array_equal(g.numpy(), expected.numpy()) for g in found)


# -------------------------------------------------------------------------- other kinds of tensor


def test_tensors_elsewhere_are_left_to_torch():
    meta = torch.empty(5, device="meta")
    with L.using(engine="fused"):
        assert "not an array of numbers in this machine's own memory" in L.huber.explain(meta, meta)
        assert L.huber(meta, meta).device.type == "meta"


def test_parameters_are_tensors():
    x, t = elements()
    parameter = torch.nn.Parameter(x.detach().clone())
    same(slope(L.huber, parameter, t), slope(L.huber, x, t))


def test_a_weight_that_wants_a_gradient_is_left_to_torch():
    x, t = elements()
    weight = torch.rand(40, dtype=torch.float64, requires_grad=True)
    with L.using(engine="fused"):
        assert "weight needs a gradient" in L.huber.explain(x, t, weight=weight)
        found = torch.autograd.grad(L.huber(x, t, weight=weight, reduction="sum"), weight)[0]
    same(found, by_operations(L.huber, x.detach(), t, reduction="none"))


# ------------------------------------------------------------------- logits that are given away

given_away = pytest.mark.parametrize("classes", [5, 300])


def wide_rows(classes, dtype=torch.float32):
    x = torch.randn(20, classes, generator=generator(), dtype=torch.float64).to(dtype)
    label = torch.arange(20) % classes
    label[3] = -100
    return x.requires_grad_(), label


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@given_away
def test_in_place_gives_the_same_bits(classes, dtype):
    x, label = wide_rows(classes, dtype)
    found = []
    for inplace in (False, True):
        logits = x * 1
        value = by_kernels(L.cross_entropy, logits, label, ignore_index=-100, inplace=inplace)
        found.append((value.item(), torch.autograd.grad(value, x)[0]))
    assert found[0][0] == found[1][0]
    assert torch.equal(found[0][1], found[1][1])


@given_away
def test_who_needed_the_logits_is_told(classes):
    x, label = wide_rows(classes)
    with L.using(engine="fused"):
        logits = x * 1
        other = (logits**2).sum()
        value = L.cross_entropy(logits, label, ignore_index=-100, inplace=True)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            (value + other).backward()
        with pytest.raises(ValueError, match="inplace"):
            L.cross_entropy(x, label, ignore_index=-100, inplace=True)


def test_in_place_cannot_be_walked_twice():
    x, label = wide_rows(5)
    value = by_kernels(L.cross_entropy, x * 1, label, ignore_index=-100, inplace=True)
    value.backward(retain_graph=True)
    with pytest.raises(RuntimeError):
        value.backward()


# ------------------------------------------------------------------------- an operator of a graph


def call_of(loss, **options):
    """A call as the operator gets it: the loss, what moves, the places of tensors, the options."""
    from lossary.engine.numbered import identity

    place = [("tensors", 0), ("tensors", 1)]
    return repr((identity(loss), [loss.inputs[0].name], place, options))


@pytest.mark.parametrize("case", ["huber", "rows"])
def test_the_operator_keeps_the_rules_of_operators(case):
    from lossary.engine.libraries import torch_operator

    loss, data, _ = CASES[case]
    x, t = data(dtype=torch.float32)
    t = t.to(torch.float32) if t.is_floating_point() else t
    assert torch_operator.usable((x, t), {})
    found = torch.library.opcheck(
        torch.ops.lossary.fused.default,
        ([x.detach(), t], call_of(loss, reduction="mean")),
        test_utils=("test_schema", "test_faketensor"),
    )
    assert set(found.values()) == {"SUCCESS"}


def test_a_compiled_graph_holds_the_operator():
    from torch._dynamo.backends.common import aot_autograd

    x, t = elements(500)
    seen = []

    def compiler(graph, inputs):
        seen.extend(str(node.target) for node in graph.graph.nodes)
        return graph.forward

    with L.using(engine="fused"):
        backend = aot_autograd(fw_compiler=compiler)
        value = torch.compile(lambda x: L.huber(x, t), backend=backend, fullgraph=True)(x)
    assert "lossary.fused.default" in seen
    same(value.detach(), by_operations(L.huber, x, t).detach())


def test_out_is_a_tensor():
    x, t = elements()
    x = x.detach()
    room = torch.empty(40, dtype=torch.float32)
    found = by_kernels(L.huber.gradient, x, t, out=room)
    assert found is room
    same(found, by_operations(L.huber.gradient, x, t).float())
