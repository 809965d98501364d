"""Short calls by their recipes give the answers of the long road, whatever a call asks for."""

import gc
import json
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import lossary as L
from call_options import OF_LABELS, OPTIONS, arrays_of, filled
from lossary.engine import recipes
from lossary.engine.recipes import recipe as module
from samples import each_with_kernels, sample

pytestmark = pytest.mark.representative

pytest.importorskip("numba", reason="recipes are compiled by Numba")


def answers(call):
    """What a call returns: first by the long road, then twice by the recipe that must exist."""
    with L.using(engine="array"):
        wanted = call()
    return wanted, [call() for _ in range(2)]


def ready(met):
    return [kind.recipe is not None and kind.recipe.entry is not None for kind in met.values()]


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("name", "case"),
    [*(("cross_entropy", case) for case in OPTIONS), ("huber", "weight"), ("huber", "mask"),
     ("triplet_margin", "all")],
)  # fmt: skip
def test_options_agree(name, case, recipes_at_once):
    check(name, OPTIONS[case], recipes_at_once)


@pytest.mark.parametrize("case", OF_LABELS)
def test_options_of_labels_agree(case, recipes_at_once):
    check("cross_entropy", OF_LABELS[case], recipes_at_once)


def check(name, options, met):
    loss = L.catalogue[name]
    inputs, parameters = sample(loss)
    inputs = [x.astype(np.float32) if x.dtype.kind == "f" else x for x in inputs]
    rows = len(inputs[0])
    classes = inputs[0].shape[-1]
    more = parameters | filled(options, arrays_of(rows, classes, np.float32))
    wanted, found = answers(lambda: loss.value_and_gradient(*inputs, **more))
    assert ready(met) == [True]
    for value, gradient in found:
        assert type(value) is type(wanted[0])
        np.testing.assert_allclose(value, wanted[0], rtol=2e-7)
        np.testing.assert_allclose(gradient, wanted[1], rtol=3e-7, atol=1e-12)
        assert gradient.dtype == np.float32


def on_tensors(loss):
    torch = pytest.importorskip("torch")
    inputs, parameters = sample(loss)
    tensors = [torch.from_numpy(x) for x in inputs]
    tensors = [x.float() if x.is_floating_point() else x for x in tensors]

    def call():
        leaf = tensors[0].clone().requires_grad_()
        value = loss(leaf, *tensors[1:], **parameters)
        value.backward()
        return value.detach(), leaf.grad

    return call


@pytest.mark.parametrize(
    "name",
    ["huber", "binary_cross_entropy", "cross_entropy", "soft_cross_entropy", "triplet_margin",
     "margin_ranking", "gaussian", "multi_margin"],
)  # fmt: skip
def test_tensors_agree(name, recipes_at_once):
    torch = pytest.importorskip("torch")
    wanted, found = answers(on_tensors(L.catalogue[name]))
    assert ready(recipes_at_once) == [True]
    for value, gradient in found:
        torch.testing.assert_close(value, wanted[0], rtol=2e-7, atol=0)
        torch.testing.assert_close(gradient, wanted[1], rtol=4e-7, atol=1e-12)


# Each option for an element and for a row; each pair is a kernel to compile.
EACH = [("huber", ""), ("huber", "mask"), ("cross_entropy", "weight"), ("cross_entropy", "mask"),
        ("triplet_margin", ""), ("margin_ranking", "weight")]  # fmt: skip


@pytest.mark.parametrize(("name", "option"), EACH)
class TestWithoutAReduction:
    """Each value has an upstream of its own."""

    def call(self, name, option, above=(-1.0, 0.5, 2.0, 1.0, 0.25)):
        torch = pytest.importorskip("torch")
        loss = L.catalogue[name]
        inputs, parameters = sample(loss)
        tensors = [torch.from_numpy(x) for x in inputs]
        tensors = [x.float() if x.is_floating_point() else x for x in tensors]
        leaves = [x.requires_grad_() for x in tensors if x.is_floating_point()]
        extras = {k: torch.from_numpy(x) for k, x in arrays_of(5, 4, np.float32).items()}
        for extra in (extras["weight"], extras["mask"]):
            extra[1] = 0
        more = parameters | ({option: extras[option]} if option else {})
        values = loss(*tensors, reduction="none", **more)
        return leaves, values, torch.tensor(above)

    def test_gradients_are_those_of_the_operations(self, name, option, recipes_at_once):
        def call():
            leaves, values, above = self.call(name, option)
            values.backward(above)
            return [values.detach(), *[x.grad for x in leaves if x.grad is not None]]

        torch = pytest.importorskip("torch")
        wanted, found = answers(call)
        assert ready(recipes_at_once) == [True]
        for own in found:
            for a, b in zip(own, wanted, strict=True):
                torch.testing.assert_close(a, b, rtol=4e-7, atol=1e-12)

    def test_what_does_not_count_stops_nan_from_above(self, name, option, recipes_at_once):
        if not option:
            pytest.skip("everything counts")

        for _ in range(2):
            leaves, values, above = self.call(name, option, (1.0, float("nan"), 1.0, 1.0, 1.0))
            values.backward(above)
            grads = [x.grad for x in leaves if x.grad is not None]
            assert all(g.isfinite().all() and not g[1].any() for g in grads)

    def test_a_second_walk_and_a_second_derivative(self, name, option, recipes_at_once):
        torch = pytest.importorskip("torch")

        def call():
            leaves, values, _ = self.call(name, option)
            ones = torch.ones(5)
            twice = [torch.autograd.grad(values, leaves[0], ones * k, retain_graph=True)[0]
                     for k in (1, 2)]  # fmt: skip
            (slope,) = torch.autograd.grad(values, leaves[0], ones, create_graph=True)
            bent = torch.autograd.grad(slope.sum(), leaves[0], allow_unused=True)[0]
            return [*twice, slope.detach(), torch.zeros_like(slope) if bent is None else bent]

        wanted, found = answers(call)
        for own in found:
            for a, b in zip(own, wanted, strict=True):
                torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-9)


@each_with_kernels
def test_every_loss_has_a_recipe(loss, monkeypatch, recipes_at_once):
    from lossary.kernels import background

    asked = []
    monkeypatch.setattr(background, "ask", lambda make, then: asked.append(make()))
    on_tensors(loss)()
    [work] = asked
    for name, text in work.modules:
        compile(text, name, "exec")
    assert [kind.recipe.entry for kind in recipes_at_once.values()] == [None]


@pytest.mark.parametrize(
    "dtypes",
    [("float64", "int64"), ("float32", "int32"), ("float16", "uint8"), ("float32", "int16")],
)
def test_labels_and_logits_of_any_width(dtypes, recipes_at_once):
    kind, label = dtypes
    logits = np.random.default_rng(0).normal(size=(6, 5)).astype(kind)
    labels = np.arange(6).astype(label) % 5
    wanted, found = answers(lambda: L.cross_entropy.value_and_gradient(logits, labels))
    assert ready(recipes_at_once) == [True]
    for value, gradient in found:
        assert value.dtype == wanted[0].dtype
        np.testing.assert_allclose(value, wanted[0], rtol=1e-6)
        np.testing.assert_allclose(gradient, wanted[1], rtol=1e-3 if kind == "float16" else 1e-6)
        assert gradient.dtype == kind


def test_the_widest_labels_take_the_long_road(recipes_at_once):
    logits, labels = np.eye(3), np.arange(3).astype(np.uint64)
    wanted, found = answers(lambda: L.cross_entropy(logits, labels))
    assert found == [wanted, wanted]
    assert ready(recipes_at_once) == [False]


@pytest.mark.parametrize(
    "option",
    [{"mask": np.arange(4).astype(np.uint64)}, {"class_weight": np.ones(4, np.longdouble)}],
    ids=["mask", "class_weight"],
)
def test_options_in_other_types_take_the_long_road(option, recipes_at_once):
    logits, labels = np.eye(4), np.arange(4)
    wanted, found = answers(lambda: L.cross_entropy(logits, labels, **option))
    assert found == [wanted, wanted]
    assert ready(recipes_at_once) == [False]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda x, y: (x.astype(np.float64) * np.nan, y),
        lambda x, y: (x, np.where(y == 0, 9, y)),
        lambda x, y: (x, y[:-1]),
        lambda x, y: (x[:, :1], y * 0 + 1),
    ],
    ids=["NaN", "no class", "shape", "one class"],
)
def test_what_is_wrong_is_said_in_the_words_of_the_long_road(spoil, recipes_at_once):
    x, y = np.eye(4), np.arange(4) % 3
    for _ in range(2):
        L.cross_entropy(x, y)
    assert ready(recipes_at_once) == [True]
    words = []
    for engine in ("array", "auto"):
        with L.using(engine=engine), pytest.raises(Exception, match="cross_entropy") as caught:
            L.cross_entropy(*spoil(x, y))
        words.append((type(caught.value), str(caught.value)))
    assert words[0] == words[1]


def test_a_hyper_parameter_is_looked_at_each_time(recipes_at_once):
    x, y = np.linspace(-3, 3, 8), np.zeros(8)
    for delta in (0.5, 0.7, 3.0):
        with L.using(engine="array"):
            wanted = L.huber(x, y, delta=delta)
        assert L.huber(x, y, delta=delta) == pytest.approx(wanted, rel=1e-15)
    assert ready(recipes_at_once) == [True]  # of one kernel, which takes delta
    with pytest.raises(L.DomainError, match="delta must be"):
        L.huber(x, y, delta=-0.5)


def test_a_value_too_large_for_its_type_is_infinite(recipes_at_once):
    torch = pytest.importorskip("torch")
    x, y = np.full(3, 1e30, np.float32), np.zeros(3, np.float32)
    for _ in range(2):
        assert L.squared_error(x, y) == np.inf
        assert L.squared_error(torch.from_numpy(x), torch.from_numpy(y)) == torch.inf
    assert ready(recipes_at_once) == [True, True]


@pytest.mark.parametrize(
    "method", ["gradient", "hessian", "value_and_gradient", "gradient_and_hessian"]
)
def test_each_derivative_is_itself(method, recipes_at_once):
    x, y = np.linspace(-3, 3, 7), np.zeros(7)
    wanted, found = answers(lambda: getattr(L.log_cosh, method)(x, y))
    for one in found:
        together = zip(one, wanted, strict=True) if isinstance(one, tuple) else [(one, wanted)]
        for mine, own in together:
            np.testing.assert_allclose(mine, own, rtol=1e-14)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", ["huber", "cross_entropy", "binary_cross_entropy"])
@pytest.mark.parametrize("case", ["plain", "weight", "all", "each"])
def test_both_derivatives_into_arrays_of_the_callers(name, case, recipes_at_once):
    loss = L.catalogue[name]
    inputs, parameters = sample(loss)
    classes = inputs[0].shape[-1]
    options = {} if case == "plain" else OPTIONS[case]
    more = parameters | filled(options, arrays_of(len(inputs[0]), classes, np.float64))
    rooms = np.empty_like(inputs[0]), np.empty_like(inputs[0])
    wanted, found = answers(
        lambda: [x.copy() for x in loss.gradient_and_hessian(*inputs, out=rooms, **more)]
    )
    assert ready(recipes_at_once) == [True]
    for mine in found:
        for one, other in zip(mine, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-300)
    assert all(np.array_equal(x, y) for x, y in zip(rooms, found[-1], strict=True))


@pytest.mark.parametrize("room", ["strided", "of another type", "of the prediction itself"])
def test_other_arrays_of_the_callers_are_filled_by_the_long_road(room, recipes_at_once):
    x, y = np.linspace(-3, 3, 8), np.zeros(8)
    wanted = L.log_cosh.gradient(x, y)
    for _ in range(2):
        own = x.copy()
        out = {"strided": np.empty((8, 2))[:, 0], "of another type": np.empty(8, np.float32)}.get(
            room, own
        )
        assert L.log_cosh.gradient(own, y, out=out) is out
        np.testing.assert_allclose(out, wanted, rtol=1e-7)


def test_strides_and_other_orders_are_read_right(recipes_at_once):
    whole = np.random.default_rng(0).normal(size=(8, 6))
    target = np.zeros((4, 3))
    L.squared_error(np.ascontiguousarray(whole[::2, ::2]), target)
    found = L.squared_error(whole[::2, ::2], target)
    assert found == pytest.approx((whole[::2, ::2] ** 2).mean(), rel=1e-14)
    assert L.squared_error(np.asfortranarray(whole), whole * 0) == pytest.approx(
        (whole**2).mean(), rel=1e-14
    )


def test_weights_for_each_row_or_each_class_are_still_asked_for(recipes_at_once):
    logits, labels, weight = np.eye(4), np.arange(4), np.arange(1.0, 5.0)
    for _ in range(2):
        with pytest.warns(UserWarning, match="weight"):
            L.cross_entropy(logits, labels, weight=weight)


def test_kinds_are_bounded(monkeypatch):
    monkeypatch.setattr(module, "MOST", 8)
    monkeypatch.setattr(module, "_kinds", {})
    for rank in range(1, 20):
        L.squared_error(np.ones((1,) * rank), np.ones((1,) * rank))
    assert len(module._kinds) <= 8


def run(program, **environment):
    """What a program prints as JSON, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


CALLS = """
import json, sys, threading, time
import numpy as np
import lossary as L
from lossary.engine.recipes import recipe

x, y = np.linspace(-3, 3, 8), np.zeros(8)

def ready():
    return any(k.recipe and k.recipe.entry for k in recipe._kinds.values())

def call_until(limit):
    end, slowest = time.monotonic() + limit, 0
    while time.monotonic() < end and not ready():
        L.huber(x, y, delta=0.5)
        time.sleep(0.005)
    return ready()
"""


def test_a_process_compiles_and_a_thread_loads(tmp_path):
    program = CALLS + (
        "made = call_until(240)\n"
        "from lossary.kernels import background\n"
        "process = background._process\n"
        "print(json.dumps([made, process is not None and process.poll() is None,"
        " L.huber(x, y, delta=0.5), '__main__' in sys.modules]))\n"
    )
    made, alive, value, _ = run(program, LOSSARY_CACHE_DIR=str(tmp_path), LOSSARY_COMPILE="")
    assert made
    assert alive
    with L.using(engine="array"):
        assert value == pytest.approx(L.huber(np.linspace(-3, 3, 8), np.zeros(8), delta=0.5))
    # What one program has compiled the next one finds, without a process.
    program = CALLS + (
        "made = call_until(120)\n"
        "from lossary.kernels import background\n"
        "print(json.dumps([made, background._process is None]))\n"
    )
    assert run(program, LOSSARY_CACHE_DIR=str(tmp_path), LOSSARY_COMPILE="never") == [True, True]


def test_never_means_never(tmp_path):
    program = CALLS + (
        "made = call_until(2)\n"
        "from lossary.kernels import background\n"
        "print(json.dumps([made, background._process is None]))\n"
    )
    assert run(program, LOSSARY_CACHE_DIR=str(tmp_path), LOSSARY_COMPILE="never") == [False, True]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_goes_on(tmp_path):
    program = CALLS + textwrap.dedent(
        """
        import os
        for _ in range(20):
            L.huber(x, y, delta=0.5)
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.write(writer, json.dumps(call_until(240)).encode())
            os._exit(0)
        os.close(writer)
        print(os.read(reader, 100).decode())
        """
    )
    assert run(program, LOSSARY_CACHE_DIR=str(tmp_path), LOSSARY_COMPILE="") is True


def test_the_way_is_checked(monkeypatch):
    from lossary.kernels import background

    monkeypatch.setenv("LOSSARY_COMPILE", "sometimes")
    with pytest.raises(ValueError, match="LOSSARY_COMPILE must be one of 'background'"):
        background.way()


def test_losses_that_end_are_not_kept(recipes_at_once):
    torch = pytest.importorskip("torch")
    x = torch.randn(6, requires_grad=True)
    for _ in range(3):
        value = L.huber(x * 1, torch.zeros(6))
    value.backward()
    gc.collect()
    assert ready(recipes_at_once) == [True]
    assert value.grad_fn is not None
    with pytest.raises(RuntimeError, match="second time"):
        value.backward()


def test_a_road_for_each_kind_of_array():
    assert recipes.roads[np.ndarray] is not None
    assert recipes.roads[list] is None
    assert recipes.roads[np.ma.MaskedArray] in {None, recipes.roads[np.ndarray]}
