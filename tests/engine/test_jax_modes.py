"""JAX's ways of making graphs: lengths and numbers that are known only when a graph runs give
eager's numbers, and a value outside its set gives NaN in value and gradient, never a number.
"""

import functools

import numpy as np
import pytest

import lossary as L
from outside import check_nan, each_bad, good
from samples import each_loss

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402
from jax import export  # noqa: E402

pytestmark = pytest.mark.representative

QUICK = {"xla_backend_optimization_level": 0}  # of compiling; the arithmetic is the same


def close(got, wanted):
    np.testing.assert_allclose(np.asarray(got), np.asarray(wanted), rtol=1e-6, atol=1e-7)


def symbolic(x, *lengths):
    return jax.ShapeDtypeStruct((*lengths, *x.shape[len(lengths) :]), jnp.asarray(x).dtype)


def exported(function, *structures):
    """The function as an artefact, called for arrays of any size."""
    return jax.jit(export.export(jax.jit(function))(*structures).call, compiler_options=QUICK)


def results(loss):
    """Values and the gradient of their sum, of weights, hyper-parameters and data."""

    def run(weight, parameters, data):
        def total(first):
            options = {"weight": weight, "reduction": "none", **parameters}
            values = loss(first, *data[1:], **options)
            return values.sum(), values

        slopes, values = jax.grad(total, has_aux=True)(data[0])
        return values, slopes

    return run


@each_loss
def test_an_artefact_for_any_batch_size_computes_and_checks_as_eager_calls_do(loss):
    (rows,) = export.symbolic_shape("rows")
    weight, parameters, data = good(loss)
    of_class = {a.name for a in loss.parameters if a.domain.class_axis}
    run = exported(
        results(loss),
        symbolic(weight, rows),
        {n: symbolic(x, *([] if n in of_class else [rows])) for n, x in parameters.items()},
        [symbolic(x, rows) for x in data],
    )
    values, slopes = run(weight, parameters, data)
    options = {"weight": weight, **parameters}
    close(values, loss(*data, reduction="none", **options))
    close(slopes, loss.gradient(*data, reduction="none", **options))
    for what, *bad in each_bad(loss):
        check_nan(loss, what, *run(*bad))


def test_an_artefact_serves_several_batch_sizes_masks_and_class_counts():
    rows, classes = export.symbolic_shape("rows, classes")
    rng = np.random.default_rng(0)

    def call(x, y, mask, table, ignored):
        options = {"mask": mask, "class_weight": table, "label_smoothing": 0.1}
        options["ignore_index"] = ignored
        value, slope = jax.value_and_grad(L.cross_entropy)(x, y, **options)
        sums = L.cross_entropy.sums(x, y, **options)
        soft = L.soft_cross_entropy(x, jax.nn.softmax(x), mask=mask)
        return value, slope, *sums, soft, L.cross_entropy(x, y, reduction="sum")

    shapes = [
        jax.ShapeDtypeStruct(shape, kind)
        for shape, kind in (
            ((2 * rows, classes), "float32"), ((2 * rows,), "int32"), ((2 * rows,), "bool"),
            ((classes,), "float32"), ((), "int32"),
        )
    ]  # fmt: skip
    run = exported(call, *shapes)
    for n, k in ((1, 2), (3, 5)):
        x = rng.normal(size=(2 * n, k)).astype("float32")
        y = rng.integers(0, k, 2 * n).astype("int32")
        mask = np.arange(2 * n) != 1
        table = np.linspace(0.5, 1, k, dtype="float32")
        found = run(x, y, mask, table, 1), call_of_numpy(x, y, mask, table, 1)
        for got, wanted in zip(*found, strict=True):
            close(got, wanted)


def call_of_numpy(x, y, mask, table, ignored):
    options = {"mask": mask, "class_weight": table, "label_smoothing": 0.1}
    options["ignore_index"] = ignored
    shares = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
    return (
        *L.cross_entropy.value_and_gradient(x, y, **options),
        *L.cross_entropy.sums(x, y, **options),
        L.soft_cross_entropy(x, shares, mask=mask),
        L.cross_entropy(x, y, reduction="sum"),
    )


X = jnp.asarray([[1.0, -2.0, 0.5], [0.0, 1.0, 3.0]])


def one(x, label):
    return L.cross_entropy(x, label)


def traced_first(x, y):
    closed = jax.make_jaxpr(one)(x, y)
    return jax.core.eval_jaxpr(closed.jaxpr, closed.consts, x, y)


def summed(step):
    """The losses of the rows, added up one after the other."""
    return lambda x, y: jax.lax.scan(lambda c, row: (c + step(*row), None), 0.0, (x, y))[0]


def on_a_mesh(x, y):
    mesh = jax.make_mesh((1,), ("rows",), axis_types=(jax.sharding.AxisType.Auto,))
    rows = jax.P("rows")
    one_each = functools.partial(L.cross_entropy, reduction="none")
    return jax.shard_map(one_each, mesh=mesh, in_specs=rows, out_specs=rows)(x, y)


MODES = {
    "jit": jax.jit(one),
    "grad": jax.jit(jax.grad(one)),
    "value_and_grad": jax.jit(jax.value_and_grad(one)),
    "vmap": jax.jit(jax.vmap(one)),
    "vmap of grad": jax.jit(jax.vmap(jax.grad(one))),
    "jvp": jax.jit(lambda x, y: jax.jvp(lambda x: one(x, y), (x,), (x,))),
    "linearize": jax.jit(lambda x, y: jax.linearize(lambda a: one(a, y), x)[1](x)),
    "hessian": jax.jit(jax.hessian(one)),
    "scan": summed(one),
    "checkpoint": jax.jit(jax.grad(jax.checkpoint(one))),
    "gradient of a scan": jax.jit(jax.grad(summed(jax.checkpoint(one)))),
    "make_jaxpr": jax.jit(traced_first),
    "shard_map": jax.jit(on_a_mesh),
    "without jit": jax.grad(one),
}


@pytest.mark.parametrize("mode", MODES)
def test_a_label_outside_is_never_a_number(mode):
    run = MODES[mode]
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(run(X, jnp.asarray([0, 2]))))
    for wrong in (3, -1):
        said = ""
        try:
            found = run(X, jnp.asarray([wrong, 2]))
        except L.DomainError as error:
            said = str(error)
        if said:
            assert f"label must be a class index from 0 to 2, got {wrong} at index (0,)" in said
        else:
            assert all(np.isnan(x).any() for x in jax.tree.leaves(found))


def test_a_concrete_array_in_a_graph_is_checked_while_the_graph_is_made():
    x, endless = jnp.asarray([3.0, 1.0]), jnp.asarray([1.0, jnp.inf])
    value = jax.jit(lambda delta: L.huber(x, jnp.zeros(2), delta=delta))
    assert [float(value(d)) for d in (0.5, 0.25)] == [0.875, 0.46875]
    assert np.isnan([value(0.0), value(-1.0), value(jnp.inf)]).all()
    with pytest.raises(L.DomainError, match=r"huber: prediction .* got inf at index \(1,\)"):
        jax.jit(lambda d: L.huber(endless, x, delta=d))(1.0)
    with pytest.raises(L.DomainError, match=r"weight must be .* got -1 at index \(0,\)"):
        jax.jit(lambda x: L.huber(x, x, weight=np.array([-1.0, 1.0])))(x)


def test_a_class_weight_outside_is_never_a_number():
    table = jnp.asarray([1.0, -1.0, 1.0])
    run = jax.jit(lambda x, t: L.cross_entropy(x, np.array([0, 1]), class_weight=t))
    assert np.isfinite(run(X, jnp.ones(3)))
    assert np.isnan(run(X, table))


def test_what_does_not_count_may_be_anything_in_a_graph():
    values = jax.jit(jax.grad(lambda x, d: L.huber(x, jnp.zeros(2), delta=d, weight=[1.0, 0.0])))
    assert values(jnp.asarray([0.5, jnp.nan]), jnp.asarray([1.0, 0.0])).tolist() == [0.5, 0.0]


def test_a_changing_batch_and_number_compile_as_often_as_optax_own():
    losses = pytest.importorskip("optax").losses
    own = jax.jit(lambda x, y, d: L.huber(x, y, delta=d))
    peer = jax.jit(lambda x, y, d: losses.huber_loss(x, y, delta=d).mean())
    for n, delta in ((4, 0.5), (4, 0.6), (2, 0.7), (4, 0.8)):
        x = jnp.arange(n, dtype="float32")
        close(own(x, x * 0, delta), peer(x, x * 0, delta))
    assert own._cache_size() == peer._cache_size() == 2


@pytest.mark.parametrize("name", ["huber", "cross_entropy"])
def test_the_callers_settings_and_the_size_of_a_batch_do_not_matter(name):
    loss = L.catalogue[name]
    weight, _, data = good(loss)
    wanted = loss(*data, weight=weight)
    arrays = [jnp.asarray(x) for x in (weight, *data)]

    def call(w, *args):
        return loss(*args, weight=w)

    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        close(jax.jit(call)(*arrays), wanted)
    with jax.disable_jit():
        close(call(*arrays), wanted)
    with jax.enable_x64(True):
        close(jax.jit(call)(*(jnp.asarray(x) for x in (weight, *data))), wanted)
    assert jax.eval_shape(call, *arrays).dtype == "float32"
    donated = jax.jit(loss.gradient, donate_argnums=0)
    close(donated(jnp.array(arrays[1]), *arrays[2:]), loss.gradient(*data))
    assert float(jax.jit(call)(*(x[:0] for x in arrays))) == 0.0
    half = [x.astype("bfloat16") if x.dtype == "float32" else x for x in arrays]
    assert jax.jit(call)(*half).dtype == "float32"
    static = jax.jit(functools.partial(loss, *arrays[1:]), static_argnames="reduction")
    assert static(reduction="none").shape == (3,)


# ------------------------------------------------------------------------------ optax' door

NAN, INF = float("nan"), float("inf")
ROW = [0.0, 1.0, 2.0]
SHARES = [0.0, 0.25, 0.75]
OVERFLOWS = [
    ("softmax_cross_entropy", [[INF, 0.0, INF]], [SHARES], {}),
    ("softmax_cross_entropy", [[NAN, 0.0, 1.0]], [SHARES], {}),
    ("softmax_cross_entropy_with_integer_labels", [[INF, 0.0, INF]], [0], {}),
    ("softmax_cross_entropy_with_integer_labels", [[NAN, 0.0, 1.0]], [1], {}),
    ("multiclass_hinge_loss", [[NAN, 0.0, 1.0]], [1], {}),
    ("multiclass_hinge_loss", [[0.0, INF, 1.0]], [1], {}),
    ("multiclass_perceptron_loss", [[NAN, 0.0, 1.0]], [2], {}),
    ("kl_divergence", [[NAN, -1.0, -1.0]], [SHARES], {}),
    ("kl_divergence", [[INF, -1.0, -1.0]], [SHARES], {}),
    ("kl_divergence_with_log_targets", [[NAN, -1.0, -1.0]], [[-INF, -1.0, -1.0]], {}),
    ("cosine_distance", [[NAN, 0.0, 1.0]], [ROW], {}),
    ("cosine_similarity", [[INF, 0.0, 1.0]], [ROW], {}),
    ("cosine_distance", [ROW], [[2.0, 1.0, 0.0]], {"epsilon": NAN}),
    ("huber_loss", [ROW], [[2.0, 3.0, 4.0]], {"delta": INF}),
    ("huber_loss", [ROW], [[2.0, 3.0, 4.0]], {"delta": NAN}),
    ("sigmoid_focal_loss", [ROW], [[2.0, 2.0, 2.0]], {}),
    ("triplet_margin_loss", [[INF, 0.0, 1.0]], [ROW], {"negatives": [ROW]}),
]


@pytest.mark.parametrize(("name", "first", "second", "more"), OVERFLOWS)
def test_optax_door_has_nan_where_optax_has_it(name, first, second, more):
    losses = pytest.importorskip("optax").losses
    from lossary import optax as door

    named = {k: jnp.asarray(v) for k, v in more.items()}

    @functools.partial(jax.jit, compiler_options=QUICK)
    def both(x, y):
        return [
            jax.grad(lambda x, f=f: (f(x, y, **named).sum(),) * 2, has_aux=True)(x)
            for f in (getattr(door, name), getattr(losses, name))
        ]

    own, peer = both(jnp.asarray(first), jnp.asarray(second))
    assert np.isnan(peer[1]) or np.isnan(peer[0]).any()
    assert np.isnan(own[1])
    assert np.isnan(own[0]).any()
    assert np.isnan(own[0][np.isnan(peer[0])]).all()


def test_optax_door_leaves_a_row_out_whatever_its_label():
    losses = pytest.importorskip("optax").losses
    from lossary import optax as door

    for module in (losses, door):
        found = module.softmax_cross_entropy_with_integer_labels(
            jnp.zeros((3, 3)), jnp.asarray([5, -5, 2]), where=jnp.asarray([False, True, True])
        )
        assert np.isnan(found).tolist() == [False, True, False]
        assert found[0] == 0


@pytest.mark.parametrize("kind", [np.asarray, jnp.asarray], ids=["numpy", "jax"])
@pytest.mark.parametrize(
    "option",
    [
        {"mask": [True, False, True, True]},
        {"weight": [1.0, 0.0, 2.0, 3.0]},
        {"class_weight": [1.0, 2.0, 0.5]},
        {"mask": [True, True, True, True], "weight": [1.0, 1.0, 1.0, 1.0]},
        {"denominator": 3.0},
        {"ignore_index": 1},
    ],
    ids=" and ".join,
)
def test_options_that_a_graph_closes_over_are_those_of_eager_calls(option, kind):
    option = {name: kind(x) for name, x in option.items()}
    logits, labels = jnp.linspace(-1, 1, 12).reshape(4, 3), np.array([0, 1, 2, 0])
    if "ignore_index" in option:
        option["ignore_index"] = 1
    found = jax.jit(lambda x: L.cross_entropy(x, labels, **option))(logits)
    close(found, L.cross_entropy(logits, labels, **option))
