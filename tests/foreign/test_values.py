"""Values, gradients and second derivatives against numbers from elsewhere.

To add a loss, add two rows to the file of its family in `values/`; a formula in
`values/textbook.toml` lets the tests check the rows' own digits too.
"""

import numpy as np
import pytest

import lossary as L
from foreign import (
    ROWS,
    TEXTBOOK,
    derivatives,
    exact,
    samples,
    textbook,
    ulps,
    worst_ulps,
)
from samples import each_loss, of_each_loss, those

EVERY = [
    pytest.param(name, row, id=f"{name}-{number}")
    for table in ROWS.values()
    for name, rows in table.items()
    for number, row in enumerate(rows, 1)
]


def having(*keys):
    return [case for case in EVERY if all(key in case.values[1] for key in keys)]


def call(function, row, **options):
    arrays = [np.asarray(v) for v in row["inputs"].values()]
    return np.asarray(function(*arrays, **row.get("parameters", {}), **options))


# ------------------------------------------------------------------------------ the library


def limit(name, row):
    """The accuracy promised, in units of the last place: of a number, of a vector, of a power."""
    return row.get("ulps", 8 if L.catalogue[name].class_axis else 2)


@of_each_loss(EVERY)
def test_the_value_is_the_foreign_value(name, row):
    value = call(L.catalogue[name], row, reduction=row.get("reduction", "none"))
    assert value.dtype == np.float64
    assert ulps(value, row["value"]) <= limit(name, row)


@of_each_loss(having("gradient"))
def test_the_gradient_is_the_foreign_gradient(name, row):
    loss = L.catalogue[name]
    gradient = call(loss.gradient, row, reduction="sum")
    # Components of a direction cancel at special angles: they count beside the largest of them.
    distance = ulps_of_largest if loss.family == "similarity" else worst_ulps
    assert distance(gradient, row["gradient"]) <= limit(name, row)


def ulps_of_largest(gradient, true):
    largest = max(abs(exact.mpf(v)) for v in true)
    off = max(abs(exact.mpf(v) - exact.mpf(t)) for v, t in zip(gradient, true, strict=True))
    return float(off and off / exact.mpf(np.spacing(float(largest)).item()))


@of_each_loss(having("hessian"))
def test_the_second_derivative_is_the_foreign_one(name, row):
    hessian = call(L.catalogue[name].hessian, row, reduction="sum")
    assert worst_ulps(hessian, row["hessian"]) <= max(8, limit(name, row))


@of_each_loss(EVERY)
def test_the_row_names_the_arguments_of_the_definition(name, row):
    loss = L.catalogue[name]
    assert list(row["inputs"]) == [argument.name for argument in loss.inputs]
    assert set(row.get("parameters", {})) <= {argument.name for argument in loss.parameters}


@each_loss
def test_every_loss_has_two_foreign_values_in_the_file_of_its_family(loss):
    rows = ROWS.get(loss.family, {}).get(loss.name, [])
    assert len(rows) >= 2, f"{loss.name} needs two rows in tests/values/{loss.family}.toml"
    assert any("gradient" in row for row in rows), f"{loss.name} has no foreign gradient"
    assert all(row["origin"].strip() for row in rows), f"{loss.name} has a row without an origin"


def test_every_row_belongs_to_a_loss():
    assert {name for table in ROWS.values() for name in table} <= set(L.catalogue)
    assert set(TEXTBOOK) <= set(L.catalogue)


@those(lambda loss: loss.parameters)
def test_every_parameter_is_tried_away_from_its_default(loss):
    rows = ROWS[loss.family][loss.name]
    for parameter in loss.parameters:
        tried = [row["parameters"].get(parameter.name) for row in rows if "parameters" in row]
        away = [value for value in tried if value not in (None, parameter.default)]
        assert away, f"no row of {loss.name} sets {parameter.name} away from its default"


# -------------------------------------------------------------------------------- the numbers


@of_each_loss(case for case in EVERY if case.values[0] in TEXTBOOK)
def test_the_digits_are_those_of_the_textbook(name, row):
    parameters = row.get("parameters", {})
    if "reduction" in row:
        values = [textbook(name, one | parameters) for one in samples(name, row["inputs"])]
        value = sum(values) / (len(values) if row["reduction"] == "mean" else 1)
        assert same_digits(row["value"], value)
        return
    arguments = row["inputs"] | parameters
    try:
        value = textbook(name, arguments)
    except (ValueError, ZeroDivisionError):
        assert row["convention"], "the textbook has no value here"
        return
    assert same_digits(row["value"], value)
    if "convention" not in row:
        assert same_digits(row["gradient"], derivatives(name, arguments))
        if "hessian" in row:
            assert same_digits(row["hessian"], derivatives(name, arguments, order=2))


def same_digits(given, true):
    """All 32 digits agree; an exact zero is zero up to the numerical derivative's own error."""
    if isinstance(given, list):
        return all(same_digits(g, t) for g, t in zip(given, true, strict=True))
    if not exact.isfinite(exact.mpf(given)):
        return exact.mpf(given) == true
    return abs(exact.mpf(given) - true) <= exact.mpf(10) ** -31 * max(
        abs(true), exact.mpf("1e-200")
    )


@of_each_loss(having("printed"))
def test_the_digits_round_to_what_the_source_prints(name, row):
    decimals = len(row["printed"].partition(".")[2])
    assert f"{float(row['value']):.{decimals}f}" == row["printed"].rstrip("."), name


# Peers round each step of their own formulas; a row names a peer only where that costs little.
PEER_ULPS = 16
WIDEST = np.finfo(np.float64).eps


@pytest.mark.filterwarnings("ignore")  # the peers' own, at their import or about their defaults
@pytest.mark.parametrize(("name", "row"), having("peer"))
def test_a_peer_confirms_the_number(name, row):
    library, _, expression = row["peer"].partition(": ")
    value, gradient = PEERS[library](expression, row["inputs"])
    value = np.asarray(value)
    allowed = PEER_ULPS * np.finfo(value.dtype).eps / WIDEST
    assert ulps(value.astype(np.float64).reshape(()), row["value"]) <= allowed, name
    if gradient is not None and "gradient" in row:
        assert worst_ulps(gradient, row["gradient"]) <= PEER_ULPS, name


def by_torch(expression, inputs):
    torch = pytest.importorskip("torch")
    names = {name: torch.as_tensor(np.asarray(value)) for name, value in inputs.items()}
    first = next(iter(names.values())).requires_grad_()
    value = eval(expression, {"torch": torch, "F": torch.nn.functional} | names)
    value.sum().backward()
    return value.detach(), first.grad


def by_optax(expression, inputs):
    jax = pytest.importorskip("jax")
    optax = pytest.importorskip("optax")
    with jax.enable_x64(True):
        names = {name: jax.numpy.asarray(np.asarray(value)) for name, value in inputs.items()}
        return np.asarray(eval(expression, {"jax": jax, "optax": optax} | names)), None


def by_keras(expression, inputs):
    keras = pytest.importorskip("keras")
    names = {n: keras.ops.convert_to_tensor(np.asarray(v)) for n, v in inputs.items()}
    value = keras.ops.convert_to_numpy(eval(expression, {"keras": keras} | names))
    # Its PyTorch backend takes losses of float64 through float32, whatever it returns.
    return value.astype("float32") if keras.backend.backend() == "torch" else value, None


def by_scikit_learn(expression, inputs):
    metrics = pytest.importorskip("sklearn.metrics")
    private = pytest.importorskip("sklearn._loss")
    names = {"metrics": metrics, "HalfSquaredError": private.HalfSquaredError, "np": np}
    return eval(expression, names | inputs), None


def by_scipy(expression, inputs):
    special = pytest.importorskip("scipy.special")
    stats = pytest.importorskip("scipy.stats")
    distance = pytest.importorskip("scipy.spatial.distance")
    names = {"special": special, "stats": stats, "distance": distance}
    return eval(expression, names | {n: np.asarray(v) for n, v in inputs.items()}), None


PEERS = {
    "torch": by_torch,
    "optax": by_optax,
    "keras": by_keras,
    "sklearn": by_scikit_learn,
    "scipy": by_scipy,
}
