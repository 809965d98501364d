"""The kernels for GPUs against the truth; ``test_triton.py`` runs this file where one can run.

That is on a GPU, or in Triton's interpreter, which has to be chosen (``TRITON_INTERPRET=1``) before
anything imports Triton: so in a process of its own.
"""

import math
import tomllib
from pathlib import Path

import mpmath
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("triton")

import lossary as L  # noqa: E402
from lossary.accuracy.bars import bar  # noqa: E402
from lossary.accuracy.samples import RANGE, SUBNORMAL  # noqa: E402
from lossary.accuracy.truth import measured, subnormal, truths, ulps_of  # noqa: E402
from lossary.domain import Positive, Real  # noqa: E402
from lossary.formula import apply, variable  # noqa: E402
from lossary.functions import expm1  # noqa: E402
from lossary.kernels import triton_launch  # noqa: E402
from lossary.kernels.triton_math import double, single  # noqa: E402
from lossary.render.kernel import Kernel, Operand, Result  # noqa: E402
from made_kernels import kernel  # noqa: E402
from samples import LOSSES, each_with_kernels, has_kernels, sample, those  # noqa: E402

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

pytestmark = [
    pytest.mark.representative,
    pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning"),  # the interpreter's
]


def tensors(arrays, dtype=None):
    """NumPy arrays on the device, floating ones in a dtype."""
    # ml_dtypes' bfloat16, a type of kind V, is unknown to PyTorch.
    plain = {n: x.astype(np.float32) if x.dtype.kind == "V" else x for n, x in arrays.items()}
    found = {n: torch.as_tensor(np.ascontiguousarray(x), device=DEVICE) for n, x in plain.items()}
    return {n: x.to(dtype) if dtype and x.is_floating_point() else x for n, x in found.items()}


def evaluate(loss, arrays, what=("value", "gradient"), *, parameters=None, inplace=False, **given):
    """The results of a kernel on tensors; ``given`` are scale, weight, mask and upstream."""
    floating = next(x for x in arrays.values() if x.is_floating_point())
    storage = str(floating.dtype).removeprefix("torch.")
    options = {k: given.pop(k) for k in ("reduce", "check") if k in given}
    for extra in ("weight", "upstream"):
        if given.get(extra) is not None:
            options[extra] = str(given[extra].dtype).removeprefix("torch.")
    options["mask"] = given.get("mask") is not None
    made, numbers = kernel(loss, what, parameters, storage, **options)
    return triton_launch.run(made, arrays, numbers, inplace=inplace, **given)


@pytest.fixture
def streamed(monkeypatch):
    """Take rows of any length in blocks of 64 classes."""
    tile = triton_launch.Tile(1, 64, 4, streamed=True)
    monkeypatch.setattr(triton_launch, "tile", lambda kernel, classes: tile)


# ---------------------------------------------------------------------------------- the truth

SIZE = 24
LEDGER = tomllib.loads(Path(__file__).with_name("triton_gaps.toml").read_text(encoding="utf-8"))
GAPS = {(g["loss"], g["dtype"], g["what"]): g["worst"] for g in LEDGER["gaps"]}
# The oracle takes seconds for some losses; float64 runs the text of float32 with other constants.
TRUE = [
    pytest.param(loss, dtype, id=f"{loss.name}-{dtype}")
    for loss in filter(has_kernels, LOSSES)
    for dtype in ("float32", "float64")
    if loss.name != "poly_cross_entropy" and (dtype == "float32" or not loss.class_axis)
]
TRUE += [
    pytest.param(loss, "bfloat16", id=f"{loss.name}-bfloat16")
    for loss in filter(has_kernels, LOSSES)
    if not loss.class_axis or loss.name in {"cross_entropy", "categorical_focal"}
]


def errors(loss, dtype):
    """Yield what (with the kind of input), worst error and bar, over the oracle's batches."""
    for truth in truths(loss, dtype, SIZE):
        if any(isinstance(v, np.ndarray) for v in truth.batch.parameters.values()):
            continue  # an array of hyper-parameters is left to the array engine
        names = measured(loss)
        what = ("value", *(f"gradient:{name}" for name in names))
        arrays = tensors(truth.batch.arrays, getattr(torch, dtype))
        got = evaluate(loss, arrays, what, parameters=truth.batch.parameters, reduce=False)
        limit = bar(loss, dtype, truth.batch.parameters)
        true = {"value": truth.values}
        true |= {f"gradient_of_{name}": truth.gradients[name] for name in names}
        for name, x in got.items():
            form = "float32" if (name, dtype) == ("value", "bfloat16") else dtype
            found = ulps_of(x.double().cpu().numpy(), true[name], form)
            small = subnormal(true[name], form) | (truth.batch.kind == SUBNORMAL)
            if dtype == "bfloat16" and DEVICE == "cpu":
                found[small] = np.nan  # the interpreter misreads subnormal bfloat16 numbers
            for kind, chosen in ((truth.batch.kind, ~small), (SUBNORMAL, small)):
                entries = found[chosen & ~np.isnan(found)]
                if entries.size:
                    word = "" if kind == RANGE else f" {kind}"
                    yield name.partition("_")[0] + word, float(entries.max()), limit


def missed(loss, dtype):
    """The worst error of each quantity that misses its bar."""
    worst = {}
    for what, error, limit in errors(loss, dtype):
        if error > limit:
            worst[what] = max(error, worst.get(what, 0.0))
    return worst


@pytest.mark.parametrize(("loss", "dtype"), TRUE)
def test_values_and_gradients_are_true(loss, dtype):
    """Within the core's bars, but for the gaps of ``triton_gaps.toml``."""
    found = missed(loss, dtype)
    for what, worst in found.items():
        known = GAPS.get((loss.name, dtype, what))
        assert known is not None, f"{what}: {worst:.3g} ulp"
        assert worst <= 2 * known, f"{what}: {worst:.3g} ulp, where the ledger has {known:.3g}"
    if DEVICE == "cpu":
        closed = {w for n, d, w in GAPS if (n, d) == (loss.name, dtype)} - found.keys()
        assert not closed, "a gap has closed: take it out of triton_gaps.toml"


def test_the_ledger_gives_reasons():
    assert {gap["because"] for gap in LEDGER["gaps"]} == LEDGER["reasons"].keys()


FUNCTIONS = ("exp", "expm1", "log", "log1p", "log1p_unit", "tanh", "sqrt")
FORM = {"float32": (np.float32, -104, 89), "float64": (np.float64, -746, 710)}


@pytest.mark.parametrize("dtype", FORM)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_right_to_an_ulp(name, dtype):
    kind, low, high = FORM[dtype]
    random = np.random.default_rng(0)
    limits = np.finfo(kind)
    special = [0.0, 0.5, 1.0, limits.tiny, limits.smallest_subnormal, 0.9999, 1.0001]
    usual = [*random.uniform(low, high, 60), *random.uniform(-0.9, 2, 60)]
    spread = 10.0 ** random.uniform(np.log10(limits.tiny), np.log10(limits.max), 60)
    x = np.array([*special, *usual, *spread]).astype(kind)
    x = abs(x) if name in {"log", "sqrt"} else np.where(x <= -1, -x, x) if name == "log1p" else x
    x = x[(x != 0) | (name != "log")]
    if name == "log1p_unit":
        x = abs(x[abs(x) <= 1])
    got = elementary(name, x, dtype)
    function = getattr(mpmath, name.removesuffix("_unit"))
    with mpmath.workprec(200):
        truth = [function(mpmath.mpf(float(v))) for v in x]
        assert ulps_of(got, truth, dtype).max() <= (1.3 if name == "log1p_unit" else 1.0)


def test_the_functions_of_both_formats_stand_side_by_side():
    """The interpreter reads a text when it is first called: by then both have been loaded."""
    assert double.exp is not single.exp


def test_functions_know_their_ends():
    ends = np.array([np.inf, -np.inf, np.nan, -2.0], np.float32)
    expected = {
        "exp": [np.inf, 0, np.nan, np.exp(-2)],
        "expm1": [np.inf, -1, np.nan, np.expm1(-2)],
        "log": [np.inf, np.nan, np.nan, np.nan],
        "log1p": [np.inf, np.nan, np.nan, np.nan],
        "tanh": [1, -1, np.nan, np.tanh(-2)],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(elementary(name, ends, "float32"), values, rtol=2e-7)


def elementary(name, x, dtype):
    """One function of the kernels by itself, in a loss whose value it is."""
    operand = Operand("x", "element", dtype)
    result = Result("value", apply(name, variable("x")), dtype, derivative=False)
    made = Kernel(f"only_{name}", (operand,), (result,), class_axis=False, reduce=False)
    x = torch.as_tensor(x, device=DEVICE)
    return triton_launch.run(made, {"x": x}, {})["value"].cpu().numpy()


@pytest.mark.parametrize("dtype", FORM)
def test_powers_are_right_to_an_ulp(dtype):
    kind, low, high = FORM[dtype]
    random = np.random.default_rng(0)
    base = 10.0 ** random.uniform(-30, 30, 100)
    exponent = (random.uniform(low, high, 100) / np.log(base)).astype(kind)
    base, exponent = np.append(base.astype(kind), [0, 0, 1]), np.append(exponent, [0, 2, np.inf])
    operands = tuple(Operand(name, "element", dtype) for name in ("x", "y"))
    power = apply("power", variable("x"), variable("y"))
    result = Result("value", power, dtype, derivative=False)
    made = Kernel("only_power", operands, (result,), class_axis=False, reduce=False)
    arrays = tensors({"x": base, "y": exponent.astype(kind)})
    got = triton_launch.run(made, arrays, {})["value"].cpu().numpy()
    with mpmath.workprec(200):
        pairs = zip(base[:-3], exponent[:-3], strict=True)
        truth = [mpmath.mpf(float(a)) ** mpmath.mpf(float(b)) for a, b in pairs]
        assert ulps_of(got[:-3], truth, dtype).max() <= 1.0
    assert got[-3:].tolist() == [1, 0, 1]


def test_the_confident_class_keeps_its_digits():
    """A probability of 1 - 4e-8: where torch's cross_entropy returns 0."""
    logits = torch.tensor([[17.0, 0.0]], device=DEVICE)
    label = torch.tensor([0], device=DEVICE)
    for dtype in (torch.float32, torch.bfloat16):
        got = evaluate(L.cross_entropy, {"logits": logits.to(dtype), "label": label})
        assert got["value"].item() == pytest.approx(4.139937718785167e-08, rel=2e-7)
        slope = got["gradient_of_logits"].double().tolist()[0]
        rounding = torch.finfo(dtype).eps  # the interpreter cuts a bfloat16 off, a GPU rounds
        assert slope == pytest.approx([-4.139937633e-08, 4.139937633e-08], rel=rounding)


# ----------------------------------------------------------------------- shapes and layouts


def rows_of(loss, rows, classes, dtype=torch.float64, seed=0):
    """Arrays of a loss with a class axis; one class has no logarithm of odds to speak of."""
    arrays, parameters = sample(loss, seed, (rows,), classes)
    names = [a.name for a in loss.inputs]
    return tensors(dict(zip(names, arrays, strict=True)), dtype), parameters


def reference(loss, arrays, parameters, **options):
    """Value and gradient of the array engine on the CPU, in float64."""
    data = [x.cpu().double() if x.is_floating_point() else x.cpu() for x in arrays.values()]
    with L.using(engine="array"):
        return loss.value_and_gradient(*data, reduction="sum", **parameters, **options)


def agree(got, expected, tolerance):
    """Whether results are the reference's up to a share of the largest entry."""
    value, slope = expected
    own = next(x for name, x in got.items() if name.startswith("gradient")).cpu().double()
    assert own.shape == slope.shape
    torch.testing.assert_close(got["value"].cpu(), value, rtol=tolerance, atol=tolerance)
    scale = max(float(slope.abs().max()), 1e-30) if slope.numel() else 1.0
    torch.testing.assert_close(own, slope.double(), rtol=0, atol=tolerance * scale)


along_classes = those(lambda loss: loss.class_axis and has_kernels(loss))
between_numbers = those(lambda loss: not loss.class_axis)


@between_numbers
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_an_elementwise_loss_agrees_with_the_array_engine(loss, dtype):
    arrays, parameters = rows_of(loss, 1100, 1, dtype)
    got = evaluate(loss, arrays, parameters=parameters, scale=2.0**-6)  # within float16's range
    tolerance = {torch.float64: 1e-13, torch.float32: 1e-5, torch.float16: 2e-3}.get(dtype, 1e-2)
    value, slope = reference(loss, arrays, parameters)
    agree(got, (value, slope.double() * 2.0**-6), tolerance)
    slope = got[f"gradient_of_{loss.inputs[0].name}"]
    assert slope.dtype == dtype


@along_classes
@pytest.mark.parametrize("classes", [1, 3, 130])
@pytest.mark.filterwarnings("ignore:.*nothing is learned")
def test_short_and_streamed_rows_agree_with_the_array_engine(loss, classes, streamed):
    if classes == 1 and any(a.domain.name == "LogSimplex" for a in loss.inputs):
        pytest.skip("one class: its logarithm is always 0")
    arrays, parameters = rows_of(loss, 3, classes)
    expected = reference(loss, arrays, parameters)
    agree(evaluate(loss, arrays, parameters=parameters), expected, 1e-12)


@along_classes
def test_resident_rows_agree_with_the_array_engine(loss):
    arrays, parameters = rows_of(loss, 5, 37)
    agree(evaluate(loss, arrays, parameters=parameters), reference(loss, arrays, parameters), 1e-12)


SOME = ("cross_entropy", "soft_cross_entropy", "euclidean_distance")


LONG = [*((name, classes) for name in SOME for classes in (1023, 1024, 1025)), (SOME[0], 40_000)]


@pytest.mark.parametrize(("name", "classes"), LONG)
def test_long_rows(name, classes):
    loss = L.catalogue[name]
    arrays, parameters = rows_of(loss, 2, classes, torch.float32)
    agree(evaluate(loss, arrays, parameters=parameters), reference(loss, arrays, parameters), 2e-6)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", SOME)
def test_halves_compute_in_float32(name, dtype):
    loss = L.catalogue[name]
    arrays, parameters = rows_of(loss, 4, 50, dtype)
    got = evaluate(loss, arrays, parameters=parameters, check=False)
    value, slope = reference(loss, arrays, parameters, check=False)
    assert got["value"].item() == pytest.approx(value.item(), rel=1e-6)
    own = next(x for n, x in got.items() if n.startswith("gradient"))
    assert own.dtype == dtype
    spacing = torch.finfo(dtype).eps * slope.abs().double() + torch.finfo(dtype).tiny
    assert bool(((own.cpu().double() - slope.double()).abs() <= spacing).all())


def test_views_are_read_where_they_lie():
    """Transposed, cut, spread out with steps, and one row for all."""
    whole = torch.randn(40, 30, device=DEVICE, dtype=torch.float64)
    label = torch.randint(0, 10, (7,), device=DEVICE)
    views = [whole[:10, :7].T, whole[:7, 3:13], whole[::5, ::3][:7], whole[:1, :10].expand(7, 10)]
    for logits in views:
        arrays = {"logits": logits, "label": label}
        agree(evaluate(L.cross_entropy, arrays), reference(L.cross_entropy, arrays, {}), 1e-13)
    prediction, target = whole.T, whole[:30, :].repeat(1, 2)[:, :40]
    arrays = {"prediction": prediction, "target": target}
    agree(evaluate(L.huber, arrays), reference(L.huber, arrays, {}), 1e-13)


def test_more_axes_before_the_classes():
    arrays = {
        "logits": torch.randn(2, 3, 4, 5, device=DEVICE),
        "label": torch.randint(0, 5, (2, 3, 4), device=DEVICE),
    }
    agree(evaluate(L.cross_entropy, arrays), reference(L.cross_entropy, arrays, {}), 1e-6)


def test_nothing_to_do():
    empty = torch.empty(0, 5, device=DEVICE)
    label = torch.empty(0, dtype=torch.int64, device=DEVICE)
    got = evaluate(L.cross_entropy, {"logits": empty, "label": label})
    assert (got["value"].item(), got["gradient_of_logits"].shape) == (0.0, (0, 5))


# ------------------------------------------------------- what counts, and what is left out


@pytest.fixture
def dirty(monkeypatch):
    """Make new memory hold NaN, so that an element that is never written shows."""
    plain = torch.empty
    monkeypatch.setattr(torch, "empty", lambda *a, **k: plain(*a, **k).fill_(float("nan")))


def ignoring(loss, rows, classes):
    """Arrays with NaN in the rows that a mask leaves out, labels that are no class among them."""
    arrays, parameters = rows_of(loss, rows, classes)
    mask = torch.arange(rows, device=DEVICE) % 2 == 0
    masked = {}
    for name, x in arrays.items():
        kept = mask.reshape(-1, *[1] * (x.dim() - 1))
        masked[name] = torch.where(kept, x, float("nan") if x.is_floating_point() else -100)
    only = {name: x[mask] for name, x in arrays.items()}
    return masked, only, mask, parameters


@each_with_kernels
@pytest.mark.usefixtures("dirty")
def test_what_is_left_out_does_not_exist(loss):
    leave_out(loss, 5)


@pytest.mark.parametrize("name", ["cross_entropy", "soft_cross_entropy", "cosine_distance"])
@pytest.mark.usefixtures("dirty", "streamed")
def test_rows_left_out_are_not_streamed(name):
    leave_out(L.catalogue[name], 130)


def leave_out(loss, classes):
    """Check that masked rows, and rows of weight 0, add nothing and get a gradient of zeros."""
    arrays, only, mask, parameters = ignoring(loss, 6, classes)
    value, slope = reference(loss, only, parameters)
    expected = torch.zeros((6, *slope.shape[1:]), dtype=torch.float64)
    expected[mask.cpu()] = slope
    agree(evaluate(loss, arrays, parameters=parameters, mask=mask), (value, expected), 1e-12)
    weight = mask * 2.0
    doubled = (2 * value, 2 * expected)
    agree(evaluate(loss, arrays, parameters=parameters, weight=weight), doubled, 1e-12)


@pytest.mark.parametrize("classes", [6, 130])
@pytest.mark.usefixtures("dirty", "streamed")
def test_in_place(classes):
    """The gradient takes the logits' own memory, whatever their layout."""
    for whole in (torch.randn(5, 200, device=DEVICE), torch.randn(200, 5, device=DEVICE).T):
        logits = whole[:, :classes]
        arrays = {"logits": logits, "label": torch.tensor([0, 1, 2, 3, 5], device=DEVICE)}
        mask = torch.tensor([True, True, False, True, True], device=DEVICE)
        rest = whole[:, classes:].clone()
        expected = evaluate(L.cross_entropy, arrays, mask=mask)
        got = evaluate(L.cross_entropy, arrays, mask=mask, inplace=True)
        assert got["gradient_of_logits"] is logits
        assert torch.equal(logits, expected["gradient_of_logits"])
        assert torch.equal(got["value"], expected["value"])
        assert torch.equal(whole[:, classes:], rest)


@pytest.mark.parametrize("name", ["huber", "cross_entropy"])
def test_a_kernel_may_leave_what_is_there(name):
    """The backward pass of an upstream of 1, found out on the device."""
    loss = L.catalogue[name]
    arrays, parameters = rows_of(loss, 6, 5, torch.float32)
    made, numbers = kernel(loss, ("gradient",), parameters)
    (slope,) = triton_launch.run(made, arrays, numbers).values()
    (key,) = triton_launch.run(made, arrays, numbers)
    for upstream, factor in ((1.0, 1.0), (3.0, 3.0)):
        there = slope.clone()
        one = torch.tensor(upstream, device=DEVICE)
        given = {"scale": one, "out": {key: there}, "unless": one}
        got = triton_launch.run(made, arrays, numbers, **given)
        assert got[key] is there
        torch.testing.assert_close(there, slope * factor)
    there = torch.zeros_like(slope)
    triton_launch.run(made, arrays, numbers, out={key: there}, unless=torch.ones_like(one))
    assert not there.any()


def test_in_place_beside_an_array_in_the_same_memory():
    """The target is the logits themselves, one class further: nothing is read after it is lost."""
    whole = torch.rand(4, 9, device=DEVICE)
    logits, target = whole[:, :8], whole[:, 1:]
    arrays = {"logits": logits, "target": target}
    expected = evaluate(L.soft_cross_entropy, arrays, check=False)["gradient_of_logits"]
    got = evaluate(L.soft_cross_entropy, arrays, check=False, inplace=True)["gradient_of_logits"]
    assert got is logits
    assert torch.equal(got, expected)


@pytest.mark.parametrize(
    "name", ["scale", "row", "t1_0", "known_x", "tl", "range", "sums_", "x_", "x_step", "total2"]
)
def test_an_argument_may_have_any_name(name):
    symbol = variable(name)
    operands = (Operand("x", "element", "float32"), Operand(name, "number", "float64"))
    result = Result("value", variable("x") * symbol, "float32", derivative=False)
    made = Kernel(name, operands, (result,), class_axis=False, reduce=False)
    got = triton_launch.run(made, {"x": torch.ones(3, device=DEVICE)}, {name: 7.0}, scale=2.0)
    assert got["value"].tolist() == [7.0] * 3


def test_weight_scale_and_upstream():
    arrays, _ = rows_of(L.huber, 50, 1)
    weight = torch.rand(50, device=DEVICE, dtype=torch.float64)
    upstream = torch.randn(50, device=DEVICE)
    _, slope = reference(L.huber, arrays, {})
    given = {"weight": weight, "upstream": upstream, "reduce": False}
    for scale in (3.0, torch.tensor(3.0, device=DEVICE)):
        got = evaluate(L.huber, arrays, scale=scale, **given)
        expected = 3 * slope * weight.cpu() * upstream.cpu()
        torch.testing.assert_close(got["gradient_of_prediction"].cpu(), expected)
    with L.using(engine="array"):
        values = L.huber(*arrays.values(), reduction="none") * weight
    torch.testing.assert_close(got["value"], values)


def test_a_hyper_parameter_on_the_device():
    arrays, _ = rows_of(L.huber, 50, 1, torch.float32)
    made, _ = kernel(L.huber, parameters={"delta": 0.7})
    number, tensor = 0.7, torch.tensor(0.7, device=DEVICE)
    one = triton_launch.run(made, arrays, {"delta": number})
    two = triton_launch.run(made, arrays, {"delta": tensor})
    assert torch.equal(one["value"], two["value"])


WRONG = [
    ("huber", "prediction", math.inf),
    ("focal", "target", 0.3),
    ("poisson", "target", -1.0),
    ("cross_entropy", "label", 9),
    ("cross_entropy", "label", -1),
    ("cross_entropy", "logits", math.nan),
    ("soft_cross_entropy", "target", 0.9),
]


@pytest.mark.parametrize(("name", "argument", "bad"), WRONG)
def test_a_value_outside_its_set_becomes_nan_and_spoils_nothing_else(name, argument, bad):
    """On a GPU nothing can be raised without waiting for it."""
    loss = L.catalogue[name]
    arrays, parameters = rows_of(loss, 4, 5)
    good = evaluate(loss, arrays, parameters=parameters)
    arrays[argument].reshape(4, -1)[2, 0] = bad
    got = evaluate(loss, arrays, parameters=parameters)
    assert math.isnan(got["value"].item())
    slope, clean = (next(x for n, x in r.items() if n.startswith("grad")) for r in (got, good))
    assert bool(slope[2].isnan().all())
    others = torch.tensor([0, 1, 3], device=DEVICE)
    assert torch.equal(slope[others], clean[others])


def test_excluded_classes(streamed):
    logits = torch.randn(3, 100, device=DEVICE)
    logits[0, 3:] = -math.inf
    logits[1, 70:] = -math.inf
    arrays = {"logits": logits, "label": torch.tensor([1, 69, 4], device=DEVICE)}
    got = evaluate(L.cross_entropy, arrays)
    agree(got, reference(L.cross_entropy, arrays, {}), 1e-6)
    assert bool((got["gradient_of_logits"][0, 3:] == 0).all())


# --------------------------------------------------------------------------- a user's own loss


def test_a_users_own_loss_needs_no_extra_line():
    @L.loss(source="Dennis and Welsch 1978")
    def welsch(prediction: Real, target: Real, *, scale: Positive = 1.5):
        """Squared error that fades out far away."""
        return scale**2 / 2 * -expm1(-(((prediction - target) / scale) ** 2))

    arrays, _ = rows_of(welsch, 30, 1)
    what = ("value", "gradient", "hessian")
    got = evaluate(welsch, arrays, what)
    agree(got, reference(welsch, arrays, {}), 1e-13)
    with L.using(engine="array"):
        hessian = welsch.hessian(*(x.cpu() for x in arrays.values()), reduction="sum")
    torch.testing.assert_close(got["hessian_of_prediction"].cpu(), hessian)


def test_a_mean_of_many_numbers():
    """A float32 sum of as many tenths would be off in the fourth digit."""
    prediction = torch.full((200_000,), 0.1, device=DEVICE)
    arrays = {"prediction": prediction, "target": torch.zeros_like(prediction)}
    got = evaluate(L.absolute_error, arrays, ("value",))
    assert got["value"].item() == pytest.approx(200_000 * float(np.float32(0.1)), rel=1e-12)
