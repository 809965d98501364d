"""An array's own kind decides before its memory is read: masks are honoured, the rest is named."""

import numpy as np
import pytest
from numpy import ma

import lossary as L
from engines import by_kernels, by_operations, plain
from libraries import NAMES, Library
from lossary import class_weights, information
from lossary.errors import DomainError, DtypeError
from samples import CLASSES, each_loss, has_sums, of_rows, parameters, sample, those

KEPT = np.array([True, False, True, True, False])
MASKED = ~KEPT


def hidden(x, domain):
    """The array with rows masked, and what no loss could use stored there."""
    junk = 9 if domain.integer else np.nan
    x = np.where(MASKED.reshape(-1, *[1] * (x.ndim - 1)), junk, x).astype(x.dtype)
    return ma.array(x, mask=np.broadcast_to(MASKED.reshape(-1, *[1] * (x.ndim - 1)), x.shape))


def everything(loss, *data, **options):
    """What all methods of a loss say, as plain numbers."""
    found = [
        loss(*data, **options),
        loss(*data, reduction="none", **options),
        *sums_of(loss, *data, **options),
        *loss.value_and_gradient(*data, **options),
        loss.gradient(*data, reduction="sum", **options),
        loss.hessian(*data, **options),
    ]
    return [plain(x) for x in found]


def sums_of(loss, *data, **options):
    unfinished = loss.over_positions and "weight" in options
    return loss.sums(*data, **options) if has_sums(loss) and not unfinished else ()


def same(found, expected, rtol=0.0):
    for mine, own in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, own, rtol=rtol, atol=0)


@each_loss
def test_what_is_masked_in_the_data_does_not_count(loss):
    """Bit for bit as `mask=` leaves it out, whichever argument brings the mask."""
    data, settings = sample(loss)
    expected = everything(loss, *data, mask=of_rows(loss, KEPT), **settings)
    for place, argument in enumerate(loss.inputs):
        given = [*data]
        given[place] = hidden(data[place], argument.domain)
        same(everything(loss, *given, **settings), expected)
    given = [hidden(x, a.domain) for x, a in zip(data, loss.inputs, strict=True)]
    mask = of_rows(loss, [True] * 4 + [False])
    same(everything(loss, *given, mask=mask, **settings), expected)
    weight = np.arange(1.0, 6.0)
    expected = everything(loss, *data, weight=np.where(KEPT, weight, 0.0), **settings)
    # A mask of positions stands in the formula, whose second derivative then adds in other order.
    near = 1e-14 if loss.over_positions else 0.0
    same(everything(loss, *given, weight=weight, **settings), expected, near)


@each_loss
def test_a_masked_weight_or_setting_leaves_its_element_out(loss):
    data, settings = sample(loss)
    expected = everything(loss, *data, mask=of_rows(loss, KEPT), **settings)
    junk = np.where(MASKED, np.nan, 1.0)
    weight = ma.array(np.where(MASKED, -1.0, 1.0), mask=MASKED)
    unlike = slice(2, -4 if loss.over_positions else 2)  # the sums know no weight there
    found = everything(loss, *data, weight=weight, **settings)
    same(found, expected[: unlike.start] + expected[unlike.stop :])
    mask = ma.array(of_rows(loss, np.ones(5, bool)), mask=of_rows(loss, MASKED))
    same(everything(loss, *data, mask=mask, **settings), expected)
    for a in loss.parameters:
        if not a.domain.class_axis:
            own = np.full(5, settings.get(a.name, a.domain.inside[-1]))
            call = {"mask": of_rows(loss, KEPT), **settings, a.name: own}
            expected = everything(loss, *data, **call)
            masked = ma.array(own * junk, mask=MASKED)
            same(everything(loss, *data, **{**settings, a.name: masked}), expected)


@pytest.mark.parametrize("engine", [by_kernels, by_operations])
@pytest.mark.parametrize("name", ["squared_error", "cross_entropy"])
def test_large_masked_arrays_on_both_engines(engine, name):
    loss = L.catalogue[name]
    data, settings = sample(loss, shape=(40_000,), dtype=np.float32)
    masked = np.random.default_rng(0).random(40_000) < 0.3
    rows = np.broadcast_to(masked[:, None], data[0].shape) if loss.class_axis else masked
    prediction = ma.array(np.where(rows, np.nan, data[0]), mask=rows)
    expected = engine(loss.value_and_gradient, *data, mask=~masked, **settings)
    out = np.empty_like(data[0])
    found = engine(loss.value_and_gradient, prediction, data[1], out=out, **settings)
    same(found, expected)
    assert found[1] is out
    assert not np.any(out[rows])


@pytest.mark.parametrize("name", NAMES[1:])
def test_a_masked_target_beside_another_library(name):
    library = Library(name)
    x, y = np.arange(5.0), np.array([0.0, np.nan, 1.0, 1.0, np.inf])
    prediction = library.array(x)
    found = L.squared_error(prediction, ma.array(y, mask=MASKED))
    expected = np.mean((x[KEPT] - y[KEPT]) ** 2)
    np.testing.assert_allclose(library.plain(found), expected, rtol=1e-7)
    label = ma.array([0, -1, 2, 1, 2**40], mask=MASKED)
    logits = library.array(np.eye(5, 3))
    found = L.cross_entropy(logits, label, class_weight=[1.0, 2.0, 3.0])
    mask = library.array(KEPT, "bool_" if name == "jax" else "bool")
    expected = L.cross_entropy(logits, [0, 0, 2, 1, 0], mask=mask, class_weight=[1.0, 2.0, 3.0])
    np.testing.assert_array_equal(library.plain(found), library.plain(expected))


def test_a_masked_array_of_which_nothing_is_masked_is_plain():
    x = ma.array([1.0, 3.0])
    assert L.squared_error(x, [0.0, 0.0]) == 5.0
    assert L.squared_error(ma.masked, 0.0) == 0.0
    with pytest.raises(DomainError, match="the mean is empty"):
        L.squared_error(ma.masked_all(3), np.zeros(3), empty="raise")


def test_a_class_cannot_be_masked_alone():
    mask = np.array([[False, False], [False, True]])
    with pytest.raises(DomainError, match=r"logits must be masked in whole rows.*\(1, 1\)"):
        L.cross_entropy(ma.array(np.zeros((2, 2)), mask=mask), [0, 1])
    with pytest.raises(DomainError, match=r"class_weight must be known.*\(1,\)"):
        L.cross_entropy(np.zeros((2, 2)), [0, 1], class_weight=ma.array([1.0, 2.0], mask=[0, 1]))
    with pytest.raises(DomainError, match="denominator must be known"):
        L.squared_error([1.0], [0.0], denominator=ma.masked)
    rows = ma.array(np.zeros((2, 3)), mask=[[0, 1, 0], [0, 1, 0]])
    found = L.cross_entropy.gradient(rows, [0, 9, 1], axis=0)
    np.testing.assert_array_equal(found, [[-0.25, 0, 0.25], [0.25, 0, -0.25]])


def test_the_gradient_is_not_written_into_a_masked_array():
    with pytest.raises(DtypeError, match="out must be a plain array, got a masked array"):
        L.squared_error.gradient([1.0], [0.0], out=ma.zeros(1))


class Bare(np.ndarray):
    """A subclass that adds nothing."""


class WithUnits(np.ndarray):
    """A subclass whose arithmetic is its own."""

    def __array_ufunc__(self, *args, **kwargs):
        raise NotImplementedError


class Convertible:
    """Not an array, but it can become one, as data frames and their columns can."""

    def __init__(self, numbers):
        self.numbers = numbers

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.numbers)


def test_subclasses_and_strangers_that_are_plain_numbers(tmp_path):
    stored = np.memmap(tmp_path / "x", float, "w+", shape=2)
    stored[:] = [1.0, 3.0]
    for x in (stored, np.array([1.0, 3.0]).view(Bare), Convertible([1.0, 3.0])):
        assert L.squared_error(x, [0.0, 0.0]) == 5.0
        assert L.squared_error([0.0, 0.0], x) == 5.0
        assert L.squared_error([2.0, 2.0], [0.0, 0.0], weight=x) == 4.0
        assert type(L.squared_error(x, [0.0, 0.0], reduction="none")) is np.ndarray


def strange():
    """Objects whose memory is not the numbers that they stand for, and words of their refusal."""
    numbers = np.arange(3.0)
    yield "matrix", numbers[None].view(np.matrix), r"numpy\.matrix\nhint: pass np\.asarray"
    yield "units", numbers.view(WithUnits), r"WithUnits, a subclass of numpy\.ndarray"
    yield (
        "object",
        np.array([1.0, None, 2.0], object),
        r"(object.*x\.astype\(float\)|None at index \(1,\).*mask=)",
    )
    yield (
        "missing",
        Convertible(np.array([1, None, 2], object)),
        r"(filled or masked|None at index \(1,\).*mask=)",
    )
    yield (
        "strings",
        np.array(["a", "b", "c"]),
        r"(U1.*np\.unique|'a' at index \(0,\).*astype\(float\))",
    )
    yield (
        "bytes",
        np.array([b"a", b"b", b"c"]),
        r"(S1.*np\.unique|b'a' at index \(0,\).*astype\(float\))",
    )
    yield "dates", np.array(["2020-01-01"] * 3, "M8[D]"), "timedelta64"
    yield "durations", np.array([1, 2, 3], "m8[s]"), "divide by a unit"
    yield "records", np.zeros(3, [("height", float)]), r"x\['height'\]"
    yield "complex", numbers + 0j, "complex128"
    yield "list of masked", [ma.masked, 1.0, 2.0], r"list with masked arrays\nhint.*np\.ma\.array"


ROLES = {
    "prediction": lambda x: L.squared_error(x, np.zeros(3)),
    "target": lambda x: L.squared_error(np.zeros(3), x),
    "weight": lambda x: L.squared_error(np.ones(3), np.zeros(3), weight=x),
    "mask": lambda x: L.squared_error(np.ones(3), np.zeros(3), mask=x),
    "delta": lambda x: L.huber(np.ones(3), np.zeros(3), delta=x),
    "class_weight": lambda x: L.cross_entropy(np.eye(3), [0, 1, 2], class_weight=x),
}


@pytest.mark.parametrize("kind", [*strange()], ids=lambda kind: kind[0])
@pytest.mark.parametrize("role", ROLES)
def test_what_is_no_plain_array_is_refused_by_name(role, kind):
    _, x, words = kind
    loss = {"delta": "huber", "class_weight": "cross_entropy"}.get(role, "squared_error")
    with pytest.raises(DtypeError, match=rf"(?s)^{loss}: {role} must be .*{words}"):
        ROLES[role](x)


@pytest.mark.parametrize("role", ROLES)
def test_sparse_arrays_of_scipy_are_refused_by_name(role):
    sparse = pytest.importorskip("scipy.sparse")
    for x in (sparse.csr_array(np.eye(3)), sparse.coo_matrix(np.eye(3))):
        with pytest.raises(
            DtypeError, match=rf"{role} must be .*sparse array\nhint: pass x\.toarr"
        ):
            ROLES[role](x)


def torch_kinds():
    torch = Library("torch").module
    from torch.masked import masked_tensor

    one = torch.ones(3)
    ragged = [torch.ones(2), torch.ones(3)]
    yield masked_tensor(one, one > 0), "MaskedTensor.*get_mask"
    yield torch.nested.nested_tensor(ragged), "nested tensor.*to_padded_tensor"
    yield torch.nested.nested_tensor(ragged, layout=torch.jagged), "nested tensor"
    yield one.to_sparse(), r"layout sparse_coo\nhint: pass x\.to_dense"
    yield torch.eye(3).to_sparse_csr(), "layout sparse_csr"
    yield one.to_mkldnn(), "layout mkldnn"
    yield torch.quantize_per_tensor(one, 0.1, 0, torch.qint8), "qint8.*dequantize"
    yield one.to(torch.float8_e4m3fn), "float8_e4m3fn.*hint: cast it"


@pytest.mark.filterwarnings("ignore")
def test_tensors_that_are_no_plain_memory_are_refused_by_name():
    torch = Library("torch").module
    for x, words in torch_kinds():
        for role, call in {
            "prediction": lambda x: L.squared_error(x, torch.zeros(3)),
            "target": lambda x: L.squared_error(torch.zeros(3), x),
            "weight": lambda x: L.squared_error(torch.ones(3), torch.zeros(3), weight=x),
        }.items():
            with pytest.raises(DtypeError, match=rf"(?s)squared_error: {role} must.*{words}"):
                call(x)


def test_bare_unsigned_tensors_are_numbers():
    torch = Library("torch").module
    for dtype in (torch.uint16, torch.uint32, torch.uint64):
        x = torch.tensor([1, 2, 2]).to(dtype)
        assert L.squared_error(torch.zeros(3), x) == 3.0
        assert L.squared_error(torch.ones(3), torch.zeros(3), weight=x) == 1.0
        assert L.cross_entropy(torch.zeros(3, 3), x) == L.cross_entropy(
            torch.zeros(3, 3), [1, 2, 2]
        )


def test_arrays_of_jax_that_are_no_plain_memory_are_refused_by_name():
    jax = Library("jax").module
    from jax.experimental import sparse

    for x, words in (
        (sparse.BCOO.fromdense(jax.numpy.ones(3)), r"sparse array\nhint: pass x\.todense"),
        (jax.random.split(jax.random.key(0), 3), r"key<fry>\nhint: pass jax\.random\.key_data"),
        (jax.numpy.ones(3, "float8_e4m3fn"), "float8_e4m3fn\nhint: cast it"),
    ):
        with pytest.raises(DtypeError, match=f"squared_error: target must be.*{words}"):
            L.squared_error(jax.numpy.zeros(3), x)


def test_tensors_of_tensorflow_that_are_no_plain_memory_are_refused_by_name():
    tf = Library("tensorflow").module
    import keras

    for x, words in (
        (tf.ragged.constant([[1.0], [1.0, 2.0]]), r"RaggedTensor\nhint: pass x\.to_tensor"),
        (tf.sparse.from_dense([1.0, 0.0, 0.0]), r"SparseTensor\nhint: pass tf\.sparse\.to_dense"),
        (tf.IndexedSlices(tf.ones((1, 3)), tf.constant([0])), "IndexedSlices"),
        (keras.Variable(np.ones(3)), r"a Keras variable\nhint: pass x\.value"),
        (keras.KerasTensor((3,)), "symbolic KerasTensor"),
        (tf.constant(["a", "b", "c"]), "string"),
    ):
        with pytest.raises(DtypeError, match=f"squared_error: prediction must be.*{words}"):
            L.squared_error(x, np.zeros(3))


def test_masked_arrays_outside_the_losses_are_refused_or_plain():
    masked = ma.array([0.25, 0.75], mask=[0, 1])
    label = ma.array([0, 1], mask=[0, 1])
    for call in (
        lambda: information.entropy(masked),
        lambda: information.relative_entropy([0.5, 0.5], masked),
        lambda: information.distribution_of(label),
        lambda: information.convert(masked, "nats", "bits"),
        lambda: class_weights.counts(label, classes=2),
        lambda: class_weights.inverse_frequency(masked),
    ):
        with pytest.raises(DtypeError, match="got a masked array"):
            call()
    whole = ma.array([0.25, 0.75])
    assert information.entropy(whole) == information.entropy([0.25, 0.75])
    assert class_weights.counts(ma.array([0, 1, 1]), classes=2).tolist() == [1, 2]


def test_the_door_of_scikit_learn_refuses_masked_arrays():
    pytest.importorskip("sklearn")
    from sklearn.linear_model import Ridge

    from lossary import sklearn as door

    y = ma.array([1.0, 2.0, 1e20], mask=[0, 0, 1])
    with pytest.raises(DtypeError, match=r"mean_squared_error.*masked array"):
        door.mean_squared_error(y, [1.0, 2.0, 3.0])
    with pytest.raises(DtypeError, match=r"log_loss.*masked array"):
        door.log_loss([0, 1, 1], [0.5, 0.5, 0.5], sample_weight=y)
    model = Ridge().fit(np.eye(3), [1.0, 2.0, 3.0])
    with pytest.raises(DtypeError, match=r"scorer.*masked array"):
        door.scorer("squared_error")(model, np.eye(3), y)
    assert door.mean_squared_error(ma.array([1.0, 2.0]), [1.0, 3.0]) == 0.5


@those(lambda loss: any(a.domain.class_axis for a in loss.parameters))
def test_parameters_of_the_class_axis_are_known(loss):
    data, settings = sample(loss)
    settings |= parameters(loss, np.random.default_rng(1))
    (name,) = [a.name for a in loss.parameters if a.domain.class_axis]
    settings[name] = ma.array(np.ones(CLASSES), mask=[1, 0, 0, 0])
    with pytest.raises(DomainError, match=f"{name} must be known"):
        loss(*data, **settings)
