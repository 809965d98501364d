"""Kernels in graphs of JAX: XLA calls them where it runs on one CPU of this process, they give the
numbers of NumPy's kernels, and whatever else becomes of a graph is the array text.
"""

import os
import subprocess
import sys
import textwrap
import threading
from functools import partial

import numpy as np
import pytest

import lossary as L
from engines import by_operations, same
from outside import check_nan, each_bad
from samples import has_kernels, sample, those

jax = pytest.importorskip("jax")
pytest.importorskip("numba")

import jax.numpy as jnp  # noqa: E402
from jax import export  # noqa: E402

pytestmark = pytest.mark.representative

CALL = "custom_call @lossary_kernel"

each_loss = those(lambda loss: has_kernels(loss) and not loss.over_positions)


def lowered(function, *arrays, engine="fused"):
    """The graph of a function; a new one, as JAX keeps what another engine has traced."""
    with L.using(engine=engine):
        return jax.jit(partial(function)).lower(*arrays)


def by_kernel(function, *arrays):
    """What a function returns in a graph in which a kernel computes."""
    made = lowered(function, *arrays)
    assert CALL in made.as_text()
    return made.compile()(*arrays)


def by_text(function, *arrays):
    made = lowered(function, *arrays, engine="array")
    assert CALL not in made.as_text()
    return made.compile()(*arrays)


def near(found, expected, rtol=3e-6):
    leaves = jax.tree.leaves(found), jax.tree.leaves(expected)
    for mine, own in zip(*leaves, strict=True):
        assert (mine.shape, mine.dtype) == (own.shape, own.dtype)
        np.testing.assert_allclose(mine, own, rtol=rtol, atol=1e-8)


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 10)).astype("float32"), rng.integers(0, 10, 64).astype("int32")
    return jnp.asarray(x), jnp.asarray(y)


@pytest.mark.sampled(8)
@pytest.mark.parametrize(("dtype", "reduction"), [("float32", "mean"), ("float64", "none")])
@each_loss
def test_the_numbers_are_those_of_numpys_kernels(loss, dtype, reduction):
    data, parameters = sample(loss, shape=(5,), dtype=np.dtype(dtype))
    options = {"reduction": reduction, **parameters}

    def value(*arrays):
        return loss(*arrays, **options)

    def both(*arrays):
        values, back = jax.vjp(lambda first: loss(first, *arrays[1:], **options), arrays[0])
        return values, *back(jnp.ones_like(values))

    with jax.enable_x64(dtype == "float64"), L.using(engine="fused"):
        arrays = [jnp.asarray(x) for x in data]
        plain = [np.asarray(x) for x in arrays]
        expected = loss.value_and_gradient(*plain, **options)
        found = tuple(map(np.asarray, by_kernel(both, *arrays)))
        same(found, tuple(map(np.asarray, expected)))
        assert np.array_equal(found[1], expected[1], equal_nan=True)
        alone = np.asarray(by_kernel(value, *arrays))
        same(alone, np.asarray(loss(*plain, **options)))
        derived = by_kernel(lambda *own: loss.value_and_gradient(*own, **options), *arrays)
        assert np.array_equal(derived[1], expected[1], equal_nan=True)


@pytest.mark.sampled(4)
@each_loss
def test_a_value_outside_its_set_is_nan_as_without_a_kernel(loss):
    def results(weight, data, options):
        def total(first):
            values = loss(first, *data[1:], weight=weight, reduction="none", **options)
            return values.sum(), values

        slopes, values = jax.grad(total, has_aux=True)(data[0])
        return values, slopes

    _, numbers = sample(loss, shape=(3,))
    graph = jax.jit(partial(results, options=numbers))  # one for all values of a shape
    for what, weight, parameters, data in each_bad(loss):
        if what.partition(" ")[0] in parameters:
            continue  # an array, which no kernel takes
        arrays = jnp.asarray(weight), [jnp.asarray(x) for x in data]
        with L.using(engine="fused"):
            assert CALL in graph.lower(*arrays).as_text()
            values, slopes = graph(*arrays)
        check_nan(loss, what, values, slopes)


def test_options_are_those_of_the_text(rows):
    x, y = rows
    weight, table = jnp.linspace(0, 2, 64), jnp.linspace(0.5, 1.5, 10)
    mask, of_labels = jnp.arange(64) % 3 > 0, {"class_weight": table, "ignore_index": -1}
    for options in (
        {"label_smoothing": 0.1, "denominator": 7.5, "check": False, "reduction": "sum"},
        {"weight": weight, "mask": mask & False, **of_labels, "empty": "nan"},  # one kernel with
        {"weight": weight, "mask": mask, **of_labels},  # this
        {"weight": weight, "reduction": "none"},
    ):

        def both(x, y, options=options):
            return jax.value_and_grad(lambda x: L.cross_entropy(x, y, **options).sum())(x)

        kernel, text = lowered(both, x, y), lowered(both, x, y, engine="array")
        assert (CALL in kernel.as_text(), CALL in text.as_text()) == (True, False)
        kernel, text = kernel.compile(), text.compile()
        near(kernel(x, y), text(x, y))
        for label in (y.at[4].set(-1), y.at[4].set(10)):
            if options.get("check", True):
                near(kernel(x, label), text(x, label))
            else:  # where the text takes another class, if it can
                assert np.isnan(kernel(x, label)[0])


def loss_of(x, y):
    return L.cross_entropy(x, y)


def summed(x, y):
    pairs = x.reshape(8, 8, 10), y.reshape(8, 8)
    return jax.lax.scan(lambda total, pair: (total + loss_of(*pair), None), 0.0, pairs)[0]


TRANSFORMS = {
    "grad": jax.grad(loss_of),
    "upstream": jax.grad(lambda x, y: jnp.exp(loss_of(x, y)) + 3 * loss_of(2 * x, y) ** 2),
    "jvp": lambda x, y: jax.jvp(lambda x: loss_of(x, y), (x,), (x,)),
    "jvp of rows": lambda x, y: jax.jvp(
        lambda x: L.cross_entropy(x, y, reduction="none"), (x,), (jnp.cos(x),)
    ),
    "linearize": lambda x, y: jax.linearize(lambda a: loss_of(a, y), x)[1](x),
    "gradient of a gradient": jax.grad(
        lambda x, y: loss_of(x, y) + (jax.grad(loss_of)(x, y) ** 2).sum()
    ),
    "vmap": lambda x, y: (loss_of(x, y), jax.vmap(loss_of)(x[:, None], y[:, None])),
    "scan": summed,
    "gradient of a scan": jax.grad(summed),
    "checkpoint": lambda x, y: jax.grad(jax.checkpoint(lambda x: loss_of(x, y)))(x),
    "cond": lambda x, y: jax.lax.cond(x[0, 0] > 9, lambda: 0.0, lambda: loss_of(x, y)),
    "gradients of both": lambda x, y: jax.grad(
        lambda a, b: L.huber(a, b, delta=0.7), argnums=(0, 1)
    )(x, 2 * x),
    "gradient of the weight too": lambda x, y: (loss_of(x, y), jax.grad(
        lambda x, w: L.cross_entropy(x, y, weight=w), argnums=(0, 1)
    )(x, jnp.linspace(0.5, 2, 64))),
    "three axes": lambda x, y: jax.value_and_grad(loss_of)(x.reshape(4, 16, 10), y.reshape(4, 16)),
}  # fmt: skip


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transformations_are_those_of_the_text(name, rows):
    near(by_kernel(TRANSFORMS[name], *rows), by_text(TRANSFORMS[name], *rows))


def test_second_derivatives_and_batches_are_the_text(rows):
    x, y = rows
    hessian = jax.hessian(loss_of)
    near(jax.jit(hessian)(x[:3], y[:3]), by_text(hessian, x[:3], y[:3]))

    def product(x, y):
        return jax.jvp(jax.value_and_grad(lambda x: loss_of(x, y)), (x,), (jnp.cos(x),))

    near(lowered(product, x, y).compile()(x, y), by_text(product, x, y))
    batch = x.reshape(8, 8, 10), y.reshape(8, 8)
    for one in (loss_of, jax.grad(loss_of)):
        assert CALL not in lowered(jax.vmap(one), *batch).as_text()
        near(lowered(jax.vmap(one), *batch).compile()(*batch), by_text(jax.vmap(one), *batch))


def test_without_jit(rows):
    with L.using(engine="fused"):
        value, slope = jax.value_and_grad(loss_of)(*rows)
    expected = by_operations(jax.value_and_grad(loss_of), *rows)
    near((value, slope), expected)


def test_where_there_is_no_kernel(rows):
    x, y = rows

    def absent(function, *arrays):
        return CALL not in lowered(function, *arrays).as_text()

    assert absent(loss_of, x.astype("bfloat16"), y)
    assert absent(lambda x, y: L.cross_entropy(x, y, axis=0), x, y[:10])
    assert absent(lambda x, y: L.huber(x, x, weight=x[:1]), x, y)  # one that repeats
    assert absent(lambda x, y: L.huber(x, x, delta=x[0, 0]), x, y)  # a number of the graph's
    mesh = jax.make_mesh((1,), ("rows",), axis_types=(jax.sharding.AxisType.Auto,))
    split = jax.shard_map(
        lambda x, y: L.cross_entropy(x, y, reduction="none"),
        mesh=mesh, in_specs=jax.P("rows"), out_specs=jax.P("rows"),
    )  # fmt: skip
    assert absent(split, x, y)


def test_an_artefact_for_other_machines_has_none(rows):
    with L.using(engine="fused"):
        for platforms in (None, ("cpu", "tpu")):
            made = export.export(jax.jit(partial(loss_of)), platforms=platforms)(*rows)
            assert CALL not in made.mlir_module()
            near(export.deserialize(made.serialize()).call(*rows), by_text(loss_of, *rows))


def test_short_calls_are_the_text():
    x = jnp.ones((3, 10))
    assert CALL not in lowered(loss_of, x, jnp.zeros(3, int), engine="auto").as_text()
    x = jnp.ones((4, 10))
    assert CALL in lowered(loss_of, x, jnp.zeros(4, int), engine="auto").as_text()


def test_a_graph_with_a_kernel_is_run_in_the_thread_of_its_caller(rows):
    """XLA hands a graph over to a thread from 1,000 operations on, and none of ours counts."""
    x, y = rows
    for function, target in ((loss_of, y), (L.huber, x)):
        made = lowered(jax.value_and_grad(partial(function)), x, target)
        assert made.compile().cost_analysis()["flops"] < 1000
        text = lowered(jax.value_and_grad(partial(function)), x, target, engine="array")
        assert text.compile().cost_analysis()["flops"] > 1000


def test_a_wrong_weight_spoils_what_the_mean_divides_by_it(rows):
    x, y = rows
    table = jnp.linspace(0.5, 1.5, 10)
    mask = jnp.arange(64) != 7

    def both(x, y, weight, table, mask):
        def value(x):
            return L.cross_entropy(x, y, weight=weight, class_weight=table, mask=mask)

        return jax.value_and_grad(value)(x)

    kernel, text = (
        lowered(both, x, y, y * 0.5, table, mask),
        lowered(both, x, y, y * 0.5, table, mask, engine="array"),
    )
    assert CALL in kernel.as_text()
    kernel, text = kernel.compile(), text.compile()
    good = jnp.where(y == 3, 0.0, 1.5)
    unnamed = jnp.where(y == 4, 5, y)
    for label, weight, classes, spoiled in (
        (y, good, table, False),
        (y, good.at[2].set(-1.0), table, True),
        (y, good.at[7].set(-1.0), table, False),  # which is masked
        (y, good, table.at[4].set(jnp.inf), True),
        (unnamed, good, table.at[4].set(jnp.nan), False),
        (y.at[5].set(10), good, table, True),
        (y.at[7].set(10), good, table, False),
    ):
        found = kernel(x, label, weight, classes, mask)
        assert np.isnan(found[0]) == spoiled
        near(found, text(x, label, weight, classes, mask))


def test_a_known_label_that_is_no_class_raises_while_the_graph_is_made(rows):
    x, y = rows
    for label in (y.at[4].set(10), np.asarray(y.at[4].set(-1))):
        for engine in ("fused", "array"):
            with pytest.raises(L.DomainError, match="label must be a class index"):
                lowered(lambda x, label=label: loss_of(x, label), x, engine=engine)
            lowered(lambda x, t=label: L.cross_entropy(x, t, check=False), x, engine=engine)
    soft = jnp.full((64, 10), 0.2)
    with pytest.raises(L.DomainError, match="sum 1"):
        lowered(lambda x: L.soft_cross_entropy(x, soft), x)


def test_threads_share_the_work_and_give_the_same_bits(monkeypatch):
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.normal(size=(4096, 200)).astype("float32"))
    y = jnp.asarray(rng.integers(0, 200, 4096).astype("int32"))
    found = []
    for threads in ("1", "8"):
        monkeypatch.setenv("LOSSARY_NUM_THREADS", threads)
        run = lowered(jax.value_and_grad(loss_of), x, y).compile()
        found.append(run(x, y))
        call = partial(lambda run: found.append(run(x, y)), run)
        others = [threading.Thread(target=call) for _ in range(6)]
        for other in others:
            other.start()
        for other in others:
            other.join()
    assert len(found) == 14
    for value, slope in found:
        assert value == found[0][0]
        assert np.array_equal(slope, found[0][1])


# ------------------------------------------------------------------------- programs of their own

START = """
import os, sys
import numpy as np, jax, jax.numpy as jnp
import lossary as L
x, y = jnp.linspace(-2, 2, 40960).reshape(4096, 10), jnp.arange(4096) % 10
step = jax.jit(jax.value_and_grad(lambda x, y: L.cross_entropy(x, y)))
def has_kernel():
    return "custom_call @lossary_kernel" in step.lower(x, y).as_text()
"""


def run(text, *arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-c", START + textwrap.dedent(text), *arguments],
        env={**os.environ, **environment}, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.split()


def test_no_graph_waits_for_a_kernel_and_later_ones_have_it(tmp_path):
    never = {"LOSSARY_COMPILE": "never", "LOSSARY_CACHE_DIR": str(tmp_path)}
    says = """
    import time
    from functools import partial
    first, begin = has_kernel(), time.monotonic()
    kernels, end = [first], begin + 240
    while not kernels[-1] and time.monotonic() < end:
        time.sleep(0.5)
        later = jax.jit(jax.value_and_grad(partial(lambda x, y: L.cross_entropy(x, y))))
        kernels.append("custom_call @lossary_kernel" in later.lower(x, y).as_text())
    same = np.allclose(step(x, y)[0], later(x, y)[0], rtol=1e-6)
    print(first, has_kernel(), kernels[-1], same)
    """
    # What a function has become it stays; a later one is a call of the kernel.
    assert run(says, **{**never, "LOSSARY_COMPILE": ""}) == ["False", "False", "True", "True"]
    assert run("print(has_kernel())", **never) == ["True"]  # from the disk


def test_without_numba_the_text_computes():
    says = """
    sys.modules["numba"] = None
    print(has_kernel(), bool(jnp.isfinite(step(x, y)[0])))
    """
    assert run(says) == ["False", "True"]


def test_several_devices_have_the_text():
    says = """
    from jax.sharding import NamedSharding, PartitionSpec
    mesh = jax.make_mesh((2,), ("rows",))
    whole = step(x, y)
    print(has_kernel())
    place = NamedSharding(mesh, PartitionSpec("rows"))
    x, y = jax.device_put(x, place), jax.device_put(y, place)
    print(has_kernel(), np.allclose(step(x, y)[0], whole[0]), np.allclose(step(x, y)[1], whole[1]))
    """
    several = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    assert run(says, **several) == ["True", "False", "True", "True"]


def test_a_graph_from_jaxs_own_cache_calls_the_kernel_of_this_process(tmp_path):
    kept = {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "0",
    }
    says = """
    from jax._src import monitoring
    hits = []
    monitoring.register_event_listener(lambda event, **_: hits.append(event))
    value = float(step(x, y)[0])
    print(has_kernel(), value, sum(e.endswith("cache_hits") for e in hits) > 0)
    """
    first, second = run(says, **kept), run(says, **kept)
    assert first[:2] == second[:2]
    assert first[0] == "True"
    assert second[2] == "True"


def test_an_executable_of_another_process_is_refused_in_words(tmp_path):
    path = str(tmp_path / "executable")
    run(
        """
        import pickle
        from jax.experimental import serialize_executable
        made = serialize_executable.serialize(step.lower(x, y).compile())
        pickle.dump(made, open(sys.argv[1], "wb"))
        """,
        path,
    )
    says = """
    import pickle
    from jax.experimental import serialize_executable
    made = pickle.load(open(sys.argv[1], "rb"))
    try:
        serialize_executable.deserialize_and_load(*made)
        print("loaded")
    except jax.errors.JaxRuntimeError as error:
        print("lossary_kernel" in str(error))
    step(x, y)  # whose graph brings the kernel
    print(float(serialize_executable.deserialize_and_load(*made)(x, y)[0]) == float(step(x, y)[0]))
    """
    assert run(says, path) == ["True", "True"]
