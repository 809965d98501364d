"""Each rule of the calculus by itself: derivatives against exact differences, rewriting against
evaluation without it. `test_the_tests.py` spoils the rules one by one and runs these checks."""

import math
from functools import cache
from inspect import signature
from itertools import product

import numpy as np
import pytest

from expressions import EXACT, FLOATS, exact, exactly, interpret, run
from lossary import calculus, rewriting
from lossary import functions as f
from lossary.calculus import PARTIALS, PUSHES, REDUCTIONS, jacobians, rules
from lossary.formula import apply, constant, variable, walk
from lossary.functions import FUNCTIONS, PRIMITIVES, Jacobian, NoSlope
from lossary.rewriting.rules import DECISIONS, FOLDS

INF, NAN = math.inf, math.nan

# Symbols: all but a, b and label have classes; y and z are positive, p and q lie in (0, 1), m and n
# are negative, g and h boxes that overlap; a and b have one positive number per row, label is an
# integer.
x, y, z, p, q, m, n, g, h = (variable(name, class_axis=True) for name in "xyzpqmngh")
a, b = variable("a"), variable("b")
label = variable("label")
freedom = variable("f")  # above 1
k = variable("k", class_axis=True)  # a key with ties
u, v = variable("u", class_axis=True), variable("v", class_axis=True)  # boxes with an angle

VALUES = {
    "g": np.array([[0.1, 0.2, 2.3, 1.4], [-1.0, 0.5, 0.7, 3.0], [0.0, -2.0, 4.0, 3.5]]),
    "h": np.array([[0.6, -0.3, 2.9, 0.9], [-0.4, 0.8, 0.2, 2.1], [1.5, -1.0, 5.0, 4.5]]),
    "x": np.array([[0.3, -1.2, 0.7, 0.1], [2.1, 0.4, -0.3, 1.6], [-3.0, -0.2, -1.1, 0.9]]),
    "y": np.array([[0.2, 0.5, 0.1, 0.2], [1.1, 0.3, 0.6, 0.9], [0.25, 2.0, 0.4, 0.7]]),
    "z": np.array([[0.9, 0.1, 0.3, 1.4], [0.2, 0.8, 2.2, 0.5], [1.2, 0.6, 0.15, 0.35]]),
    "p": np.array([[0.3, 0.2, 0.4, 0.1], [0.9, 0.05, 0.5, 0.7], [0.6, 0.25, 0.15, 0.8]]),
    "q": np.array([[0.5, 0.1, 0.8, 0.6], [0.2, 0.95, 0.4, 0.3], [0.7, 0.35, 0.85, 0.55]]),
    "m": np.array([[-0.3, -1.2, -0.7, -2.1], [-0.2, -0.9, -1.5, -0.4], [-0.6, -3.0, -1.1, -0.8]]),
    "n": np.array([[-0.5, -0.4, -1.7, -0.1], [-1.3, -0.6, -0.8, -2.2], [-2.6, -0.7, -0.35, -1.4]]),
    "a": np.array([[0.6], [1.7], [0.2]]),
    "b": np.array([[1.3], [0.4], [2.5]]),
    "f": np.array([[1.5], [4.0], [2.5]]),
    "label": np.array([[0], [3], [1]]),
    "u": np.array(
        [[0.1, 0.2, 2.3, 1.4, 0.4], [-1.0, 0.5, 0.7, 3.0, -0.7], [0.0, -2.0, 4.0, 3.5, 0.6]]
    ),
    "v": np.array(
        [[0.6, -0.3, 2.9, 0.9, 0.35], [-0.4, 0.8, 0.2, 2.1, -0.9], [1.5, -1.0, 5.0, 4.5, 0.55]]
    ),
    "k": np.array([[2.0, 1.0, 2.0, 0.0], [1.0, 3.0, 1.0, 1.0], [0.5, -1.0, 2.0, 0.7]]),
}
STEP = exact.mpf(10) ** -20


def width(*expressions):
    """The entries of the rows in expressions: boxes with an angle have five, all others four."""
    names = {n.payload for e in expressions for n in walk(e) if n.operator == "variable"}
    return 5 if names & {"u", "v"} else 4


def used(*expressions, values=VALUES):
    """Only the values that the expressions mention."""
    names = {n.payload for e in expressions for n in walk(e) if n.operator == "variable"}
    # The first argument of a text lends it its dtype and its number of classes.
    first = "u" if names & {"u", "v"} else "g" if "g" in names else "x"
    return {k: v for k, v in values.items() if k in names or k == first}


def exact_values(values):
    return {k: v if k == "label" else exactly(v) for k, v in values.items()}


# --------------------------------------------------------- derivatives against exact differences


def differences(expression, argument):
    """d expression_j / d argument_k by exact central differences, with shape (rows, j, k)."""
    base = exact_values(used(expression, argument))
    shape = (len(VALUES["x"]), width(expression, argument) if expression.class_axis else 1)
    columns = []
    for k in range(base[argument.payload].shape[-1]):
        ends = []
        for step in (STEP, -STEP):
            moved = base[argument.payload].copy()
            moved[..., k] = moved[..., k] + step
            found = interpret(expression, base | {argument.payload: moved}, EXACT)
            ends.append(np.broadcast_to(found, shape))
        columns.append((ends[0] - ends[1]) / (2 * STEP))
    return np.stack(columns, axis=-1).astype(float)


def matrix(tangent, expression, argument):
    """What calculus says about the same derivative, through the NumPy text."""
    rows, entries = len(VALUES["x"]), width(expression, argument)
    shape = (rows, entries if expression.class_axis else 1, entries if argument.class_axis else 1)
    if tangent is None:
        return np.zeros(shape)
    evaluate = lambda e: run(e, used(e))  # noqa: E731
    if not isinstance(tangent, Jacobian):
        found = np.broadcast_to(evaluate(tangent), (rows, max(shape[1:])))
        return found.reshape(shape) if 1 in shape[1:] else found[..., None] * np.eye(entries)
    result = np.zeros(shape)
    if tangent.diagonal is not None:
        own = np.broadcast_to(evaluate(tangent.diagonal), (rows, entries))
        result += own[..., None] * np.eye(entries)
    for column, row in tangent.outer:
        wide = (
            np.broadcast_to(evaluate(column), (rows, entries)),
            np.broadcast_to(evaluate(row), (rows, entries)),
        )
        result += wide[0][:, :, None] * wide[1][:, None, :]
    for chain in tangent.chains:
        for k in range(entries):
            unit = f.where(f.is_class(k), constant(1), constant(0))
            result[:, :, k] += np.broadcast_to(evaluate(chain.times(unit)), (rows, entries))
    for number in tangent.by:
        result *= np.broadcast_to(evaluate(number), (rows, 1))[:, :, None]
    for number in tangent.over:
        result /= np.broadcast_to(evaluate(number), (rows, 1))[:, :, None]
    return result


def check_derivative(expression, argument):
    """The derivative is the limit of differences of what the expression means."""
    truth = differences(expression, argument)
    derived = [calculus.derivative(expression, argument)]
    if not expression.class_axis:
        derived.append(calculus.gradient(expression, argument))
    for tangent in derived:
        found = matrix(tangent, expression, argument)
        np.testing.assert_allclose(found, truth, rtol=1e-11, atol=1e-13)


# Operands at which every primitive is smooth.
OPERANDS = {"power": (x * x + 1, a), "sqrt": (x * x + 1,), "log": (x * x + 1,), "log1p": (x * x,)}


def operands(operator, count):
    return OPERANDS.get(operator, (x, y, a)[:count])


# sign and floor have no slope to compare with; the kinks show them.
PARTIAL_ROWS = [
    (name, i)
    for name, row in PARTIALS.items()
    for i in range(len(row))
    if name not in {"sign", "floor"}
]


def node_of(name, arguments):
    shape = FUNCTIONS[name].shape
    return apply(name, *arguments, class_axis={"row": False, "class": True}.get(shape))


def is_real(expression, values=VALUES):
    """Whether the meaning is a real number for these values: they lie in the domain."""
    try:
        interpret(expression, exact_values(used(expression, values=values)), EXACT).astype(float)
    except (TypeError, ValueError, ZeroDivisionError):
        return False
    return True


def arguments_of(name):
    """The first operands that lie in the domain of a named function, by what they are called."""
    function = FUNCTIONS[name]
    for first, second in ((x, y), (y, z), (p, q), (m, n)):
        rows = (z,) if function.shape != "elementwise" else (a, b)
        pool = iter((first, second, *rows, p, q))
        special = {"label": label, "power": a, **dict.fromkeys(("share", "probability", "rate"), p)}
        special |= {"box": g, "other": h, "tilted": u, "beside": v}
        special |= {"by": k, "event": p, "weight": q}
        special |= {"shape": b, "freedom": freedom}
        special |= {"place": p, "further": q, "length": b}
        special |= {
            "t1": a,
            "t2": b,
            "temperature": a,
            "part": p,
            "rest": q,
            "tp": p,
            "fp": q,
            "fn": a,
            "tn": b,
        }
        words = signature(function.computed).parameters
        chosen = tuple(special[word] if word in special else next(pool) for word in words)
        if is_real(node_of(name, chosen)):
            return chosen
    raise AssertionError(f"no operands for {name}")


def with_respect_to(expression):
    """Every symbol but the label that an expression holds."""
    return [s for s in (x, y, z, p, q, m, n, g, h, u, v, a, b) if s in set(walk(expression))]


SLOPE_ROWS = [
    (name, i)
    for name in FUNCTIONS
    for i, slope in enumerate(calculus.slopes(name, *arguments_of(name)))
    if slope is not None and not isinstance(slope, NoSlope)
]


NO_SLOPE = {"group", "label", "by", "event"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_only_labels_and_orders_have_no_slope(name):
    arguments = arguments_of(name)
    slopes = calculus.slopes(name, *arguments)
    words = signature(FUNCTIONS[name].computed).parameters
    assert [word in NO_SLOPE for word in words] == [slope is None for slope in slopes]


@pytest.mark.parametrize(("operator", "i"), PARTIAL_ROWS, ids=str)
def test_each_partial_derivative(operator, i):
    check_partial(operator, i)


def check_partial(operator, i):
    arguments = operands(operator, len(PARTIALS[operator]))
    for argument in with_respect_to(arguments[i]):
        check_derivative(apply(operator, *arguments), argument)


CHOICES = {
    "absolute": (x * y + x,),
    "maximum": (x, y),
    "minimum": (x, y),
    "where": (x < y, x * x, x * y),
    "weighted": (y, x),
}


@pytest.mark.parametrize("operator", PUSHES)
def test_each_choice_hands_on_the_right_tangent(operator):
    check_choice(operator)


def check_choice(operator):
    arguments = CHOICES[operator]
    for argument in (x, y):
        check_derivative(apply(operator, *arguments), argument)


@pytest.mark.parametrize("operator", REDUCTIONS)
def test_each_reduction_along_the_classes(operator):
    check_reduction(operator)


def check_reduction(operator):
    more = (label,) if operator == "pick" else ()
    for inner in (x * x * y, a * x, x * f.total(x), f.softmax(x * a)):
        reduced = apply(operator, inner, *more, class_axis=False)
        for argument in with_respect_to(reduced):
            check_derivative(reduced, argument)


@pytest.mark.parametrize(("name", "i"), SLOPE_ROWS, ids=str)
def test_each_slope_is_the_derivative_of_the_meaning(name, i):
    check_slope(name, i)


def check_slope(name, i):
    arguments = arguments_of(name)
    for argument in with_respect_to(arguments[i]):
        check_derivative(node_of(name, arguments), argument)


@pytest.mark.parametrize("name", [name for name, f in FUNCTIONS.items() if f.slope and f.means])
def test_a_slope_by_hand_is_none_that_the_meaning_gives(name):
    """Where the identities make the derivative of the meaning what is written, it need not be."""
    arguments = arguments_of(name)
    by_hand = FUNCTIONS[name].slope(*arguments)
    derived = calculus.slopes_of_meaning(name, *arguments)
    assert any(
        parts_of(jacobians.tidied(one)) != parts_of(jacobians.tidied(other))
        for one, other in zip(by_hand, derived, strict=True)
    )


def parts_of(tangent):
    """The expressions of a derivative, by which object they are: equal ones are one."""
    if not isinstance(tangent, Jacobian):
        return id(tangent)
    outer = [(id(column), id(row)) for column, row in tangent.outer]
    return id(tangent.diagonal), outer, [*map(id, tangent.over)], [*map(id, tangent.by)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_computed_form_is_its_meaning(name):
    check_computed(name)


# Where the stable forms have seams of their own.
SEAMS = (0.0, 1e-9, -1e-9, 0.4999, 0.5001, -0.49, 1.9, 2.1, -2.2, 25.0, -25.0, -39.9, -40.1, 80.0)


PAIRED = np.array(list(product(SEAMS, SEAMS)))
SHARES = np.array([0.5, 1e-9, 1 - 1e-9, 0.3, 0.8])[np.arange(2 * len(PAIRED)).reshape(-1, 2) % 5]
CORNERS = np.column_stack([PAIRED, PAIRED + np.abs(PAIRED[:, ::-1]) / 2])
OTHERS = np.column_stack([PAIRED - 0.125, PAIRED + np.abs(PAIRED) / 4])
WIDE = {
    "g": CORNERS,
    "h": OTHERS,
    "u": np.column_stack([CORNERS, PAIRED[:, 0]]),
    "v": np.column_stack([OTHERS, PAIRED[:, 1]]),
    "x": PAIRED,
    "y": np.abs(PAIRED[:, ::-1]) + 0.125,
    "z": np.abs(PAIRED) + 0.25,
    "p": SHARES,
    "q": SHARES[::-1],
    "m": -np.abs(PAIRED) - 0.25,
    "n": -np.abs(PAIRED[:, ::-1]) - 0.125,
    "a": np.full((len(PAIRED), 1), 0.75),
    "b": np.full((len(PAIRED), 1), 1.25),
    "f": np.full((len(PAIRED), 1), 2.25),
    "label": np.arange(len(PAIRED))[:, None] % 2,
    "k": np.round(PAIRED[:, ::-1]),
}


def allowed(name, truth):
    """Differences of rounded numbers: near a zero of theirs, or beside larger components, only the
    absolute error is small."""
    if FUNCTIONS[name].computed.__module__.endswith(("vectors", "triangles")):
        return 1e-14 * np.maximum(1.0, np.max(np.abs(truth), axis=-1, keepdims=True))
    # Elsewhere what the exact numbers have lost, where their difference is truly 0.
    lost = {"softmax_minus", "softmax_shift", "sum_of_three", "excess_from", "efron_excess"}
    lost |= {"log_mean_exp"}
    return 1e-15 if name in lost else 1e-140


def check_computed(name):
    """Both in the middle and at the seams; exactness in ulps is measured by the oracle's tests."""
    node = node_of(name, arguments_of(name))
    for values in (VALUES, WIDE):
        held = {k: v for k, v in values.items() if k in used(node)}
        truth = interpret(node, exact_values(held), EXACT).astype(float)
        found = run(node, held)
        with np.errstate(invalid="ignore"):
            near = np.abs(found - truth) <= allowed(name, truth) + 1e-11 * np.abs(truth)
        assert np.all(near | (found == truth))


def test_what_is_held_has_its_value_and_no_derivative():
    held = x * f.held(x * a)
    assert calculus.gradient(f.total(held), x) is f.held(x * a)
    assert calculus.gradient(f.total(held), a) is calculus.ZERO
    np.testing.assert_array_equal(run(held, used(held)), run(x * (x * a), used(held)))


# Every spelling of a target's table, at points where a slip would show.
SPELLED = {
    "where": (x < y, x, y),
    "logical_and": (x < y, x < 1),
    "logical_or": (x < y, x < 1),
    "logical_not": (x < y,),
    "pick": (x, label),
    "power": (x * x, a),
    "sqrt": (x * x,),
    "log": (y,),
    "log1p": (y,),
}


def spelled(operator):
    count = FLOATS[operator].nin if isinstance(FLOATS.get(operator), np.ufunc) else 1
    arguments = SPELLED.get(operator, (x, y)[:count])
    if operator in {"class_index", "class_count"}:
        arguments = ()
    row = operator in {"total", "peak", "argpeak", "pick", "class_count"}
    return apply(operator, *arguments, class_axis=not row)


@pytest.mark.parametrize("operator", sorted(PRIMITIVES))
def test_each_spelling_says_what_its_primitive_means(operator):
    check_spelling(operator)


def check_spelling(operator):
    node = spelled(operator)
    held = used(node)
    truth = interpret(node, held)
    if truth.dtype == bool:  # a text returns numbers; a condition chooses between two
        node, truth = f.where(node | (x > 9), x, -x), np.where(truth, VALUES["x"], -VALUES["x"])
    found = np.broadcast_to(run(node, held), truth.shape)
    np.testing.assert_allclose(found, truth, rtol=1e-14)


# ------------------------------------------------------------------------- small expressions

CLASS_SHAPED = (
    x * y,
    x * f.total(x),
    f.softmax(x),
    f.softmax(f.softmax(x)),
    f.softmax(x * y) * f.log_softmax(x),
    f.exp(a * x) + b,
    f.unit(f.softmax(x)),
    x - f.total(x) / f.class_count(),
    f.where(x > 0, x * f.peak(x), f.exp(x)),
    f.maximum(x, f.total(x * y)),
    f.maximum(f.total(x * y), x * x),
    f.weighted(y, f.log_softmax(x)),
    f.weighted(f.softmax(x), y),
    f.weighted(f.total(x), f.softmax(x)),
    f.cumulate(x * y, k),
    f.beyond(x * x, k) * y,
    f.cumulate(f.softmax(x), k) / f.total(y),
    f.tied(f.cumulate(x * a, k) * x, k),
    f.total_of_others(f.sigmoid(f.other(x) - x * a)) * y,
    f.total_of_others(f.other(f.softmax(x)) * x),
    f.sum_of_three(x, -f.pick(x, label), a),
    f.where(f.is_class(label), 0, f.softmax(x) * f.pick(x, label)),
    f.softmax_minus(x, y * x),
    f.log1p_difference(f.exp(x), y) * a,
)
ROW_SHAPED = (
    f.total(f.softmax(x) * y),
    f.total(x) * f.peak(x),
    f.pick(f.log_softmax(x * x), label),
    f.peak(x * y) ** 2,
    f.peak(f.softmax(x) * a),
    f.total(f.weighted(y, -f.log(f.softmax(x)))),
    f.norm(x - y),
    f.cosine_gap(x, y) * a,
    f.tanimoto_gap(x * x, y),
    f.cross_entropy_at(x * y, label) ** a,
    f.cross_entropy_with(x, f.softmax(y)),
    f.mean_cross_entropy(x * f.total(y)),
    f.softmax_complement_power_at(x, label, b) * f.cross_entropy_at(x, label),
    f.logsumexp(a * x) / a,
    f.total(f.cumulate(x * x, k) ** 2 * y),
    f.total(f.beyond(x * y, -k) * f.tied(x, k)),
    f.pick(f.cumulate(x * y, k), label) * f.total(x),
    f.peak(f.beyond(x * x, k) + x),
    f.total(f.excess_from(a * x, q, k) * y),
    f.total(f.logsumexp_from(x, k) * y),
    f.total(f.efron_excess(x * y, f.where(p > 0.22, 1, 0), k)),
    f.total(f.total_of_others(f.where(f.other(k) < k, f.softplus(f.other(x) - x), 0)) * y),
    f.total(f.log1p(f.total_of_others(f.exp(f.other(x * y) - a)))),
    f.total(f.total_of_others(f.other(x) * f.total(x) ** 2)),
    f.total(f.sparsemax(x) * y),
    f.total(f.tempered_softmax(x, a + 1) * y) + f.tempered_normalizer(x * y, b + 1),
    f.bi_tempered_at(x, label, a, b + 1),
    f.where(f.total(x) > 1, f.total(x * x), f.peak(y)),
    f.pick(x, 1) * f.pick(x * y, 3) + f.total(x),
    f.box_iou(g, h) ** a + f.centre_distance(h, g),
    f.maximum(f.total(x) - f.pick(x, label), b) * f.softplus(f.total(x * y)),
    f.total(f.jensen_gap(f.softmax(x), y)),
    f.total(f.unit(x) * y * f.total(x)),
    f.distance_difference(x, y, x * z),
    f.total(f.sigmoid_cross_entropy(x * f.total(x), p, a, q)),
    # Rows of one number stand for as many entries as there are classes.
    f.total(x + a),
    f.total(x + f.total(x)),
    f.total(x - f.peak(x)),
    f.total(x - f.pick(x, label)),
    f.total(f.sum_of_three(x, f.total(x), b)),
    f.total(f.log_softmax(x)),
    f.total(f.exp(a + 0 * x)),
    f.pick(x + a, label),
    f.pick(f.log_softmax(x), label),
    f.peak(f.log_softmax(x)),
    f.peak(x + f.total(x)),
)
ROW_ONLY = (
    f.softplus(a * b) - a / b,
    f.sigmoid_power(a, b) * f.log_sigmoid(a),
    f.where(a < 1, a**b, f.log_cosh_difference(b, a)),
    f.total(f.softmax(a * x) * x),
    f.peak(a * x) + f.pick(b * x, label),
)


def cases(expressions):
    return [
        pytest.param(e, v, id=f"{i}-{v.payload}")
        for i, e in enumerate(expressions)
        for v in with_respect_to(e)
    ]


@pytest.mark.parametrize(("expression", "argument"), cases(CLASS_SHAPED + ROW_SHAPED + ROW_ONLY))
def test_a_small_expression_has_the_derivative_of_its_meaning(expression, argument):
    check_derivative(expression, argument)


@pytest.mark.parametrize(("expression", "argument"), cases(CLASS_SHAPED + ROW_SHAPED + ROW_ONLY))
def test_products_with_a_derivative_are_those_of_the_matrix(expression, argument):
    """Reverse mode sends u^T J back, forward mode J v on."""
    check_products(expression, argument)


def check_products(expression, argument):
    full = differences(expression, argument)
    within = {"rtol": 1e-10, "atol": 1e-12}
    rng = np.random.default_rng(3)
    upstream, tangent = rng.uniform(0.5, 2, full.shape[:2]), rng.uniform(0.5, 2, full.shape[::2])
    u = variable("upstream", class_axis=expression.class_axis)
    back = calculus.pullback(expression, argument, u)
    found = np.broadcast_to(run(back, used(back) | {"upstream": upstream}), full.shape[::2])
    np.testing.assert_allclose(found, np.einsum("nj,njk->nk", upstream, full), **within)
    v = variable("tangent", class_axis=argument.class_axis)
    on = calculus.pushforward(expression, argument, v)
    found = np.broadcast_to(run(on, used(on) | {"tangent": tangent}), full.shape[:2])
    np.testing.assert_allclose(found, np.einsum("nk,njk->nj", tangent, full), **within)


@pytest.mark.parametrize(("expression", "argument"), cases(ROW_SHAPED + ROW_ONLY))
def test_the_diagonal_hessian_is_the_second_derivative(expression, argument):
    check_hessian(expression, argument)


def check_hessian(expression, argument):
    found = calculus.diagonal_hessian(expression, argument)
    gradient = calculus.gradient(expression, argument)
    # Differences of the derived gradient, whose own entries are compared with differences above.
    second = differences(gradient, argument)
    square = second.shape[1] == second.shape[2]
    truth = np.diagonal(second, axis1=1, axis2=2) if square else second[:, 0]
    np.testing.assert_allclose(
        np.broadcast_to(run(found, used(found)), truth.shape), truth, rtol=1e-10, atol=1e-12
    )


def test_a_class_shaped_expression_is_no_loss():
    with pytest.raises(TypeError, match="one number per row"):
        calculus.gradient(x * y, x)


def test_what_does_not_depend_on_the_argument_has_derivative_0():
    assert calculus.derivative(y * a, x) is None
    assert calculus.gradient(f.total(y), x) is rewriting.ZERO
    assert calculus.pullback(f.total(y), x, a) is rewriting.ZERO
    assert calculus.pushforward(f.total(y), x, x) is rewriting.ZERO


def test_a_reduction_of_one_number_is_rewritten_before_it_is_derived():
    for reduced in (f.total(f.total(x * x)), f.peak(f.total(x * y)), f.pick(f.total(x), label)):
        with pytest.raises(TypeError, match="should have been simplified"):
            calculus.derivative(reduced, x)
        check_derivative(rewriting.simplify(reduced), x)


# --------------------------------------------------------------------------------------- kinks

KINKED = {
    "absolute": (abs(x), 0.0, 0.0),
    "absolute, power": (abs(x) ** 0.5, 0.0, 0.0),
    "absolute, sqrt": (f.sqrt(abs(x)), 0.0, 0.0),
    "absolute, log": (f.log(abs(x)), 0.0, 0.0),
    "absolute, divide": (2 / abs(x), 0.0, 0.0),
    "absolute, log_ratio": (f.log_ratio(2, abs(x)) - f.log_ratio(abs(x), 3), 0.0, 0.0),
    "sign": (f.sign(x), 0.0, 0.0),
    "sign off the kink": (f.sign(x), 2.5, 0.0),
    "floor": (f.floor(x), 3.0, 0.0),
    "floor off the kink": (f.floor(x), 2.5, 0.0),
    "maximum, first": (f.maximum(x, 2), 2.0, 0.0),
    "maximum, second": (f.maximum(2, x), 2.0, 1.0),
    "minimum, first": (f.minimum(x, 2), 2.0, 0.0),
    "minimum, second": (f.minimum(2, x), 2.0, 1.0),
    "where, condition holds": (f.where(x <= 2, x * 3, x * 5), 2.0, 3.0),
    "where, condition fails": (f.where(x < 2, x * 3, x * 5), 2.0, 5.0),
    "peak": (f.peak(x), 1.0, [1.0, 0.0]),
}


@pytest.mark.parametrize("kink", KINKED)
def test_each_kink_follows_the_table(kink):
    check_kink(kink)


def check_kink(kink):
    expression, point, slope = KINKED[kink]
    assert kink.partition(",")[0].partition(" ")[0] in rules.KINKS
    derived = calculus.derivative(expression, x)
    values = np.full((1, 2), point)
    if isinstance(derived, Jacobian):
        derived = derived.diagonal
    found = np.zeros(2) if derived is None else run(derived, {"x": values})
    assert np.array_equal(np.broadcast_to(found, (1, 2)), np.broadcast_to(slope, (1, 2)))


def test_every_documented_kink_is_shown():
    assert {kink.partition(",")[0].partition(" ")[0] for kink in KINKED} == set(rules.KINKS)
    assert {f"absolute, {word}" for word in rules.STEEP} <= set(KINKED)


# ------------------------------------------------------------------------------- simplification

GRID = (0.0, 0.5, 1.0, -1.0, 3.0, -2.5, INF, -INF, NAN)
# A row with every class excluded has no distribution, and so no complement of one.
PAIRS = np.array([pair for pair in product(GRID, GRID) if pair != (-INF, -INF)])
POINTS = {"x": PAIRS, "y": PAIRS[:, ::-1]}
ATOMS = (
    *(constant(v) for v in (0.0, 1.0, -1.0, 2.0, -3.0, 0.25)),
    x,
    y,
    -x,
    2 * x,
    2 * y,
    x * 2,
    0.5 * y,
    x / 2,
    x / 3,
    1 / y,
    y / x,
    x - y,
    f.where(x < y, x, 0),
    f.where(x < y, 0, y),
    f.where(x < y, -2, -3),
    f.where(x < y, y, 2),
    f.where(x < y, f.where(x < y, x, 1), y),
    f.where(x < y, 1, f.where(x < y, x, y)),
    f.where(~(x < y), x, 2),
    f.where(x < y, 1, -1) * x,
    y * f.where(x < y, 1, -1),
    f.sigmoid(x),
    f.sigmoid(x) * y,
    y * f.sigmoid(x),
    f.sigmoid_power(x, constant(0)),
    f.sigmoid_power(x, constant(1)),
    f.softmax_complement_power_at(x, constant(1), constant(0)),
    f.softmax_complement_power_at(x, constant(1), constant(1)),
    -f.sigmoid(x) * y,
    f.log_sigmoid(x),
    f.weighted(x, y),
    f.weighted(-x, y),
    f.weighted(x, -y),
    f.weighted(2, y),
    f.weighted(y, 3),
    f.weighted(0, y),
    f.weighted(y, 0),
    f.weighted(y, f.sigmoid(x)),
    f.weighted(y, -f.sigmoid(x) * f.tanh(x)),
    abs(x),
    abs(-x),
    f.sign(-x),
    f.softmax(x),
    f.softmax_complement(x),
    f.total(x),
    f.total(-x),
    f.total(constant(0) * x),
    x**1,
    x**0,
)
BINARY = ("add", "subtract", "multiply", "divide", "weighted", "power")


@cache
def plainly(expression):
    """The value without rewriting; and where it depends on the sign of a zero, which can change."""
    with np.errstate(all="ignore"):
        value = interpret(expression, POINTS)
        unknown = np.isnan(value)
        for operator, place in (("divide", 1), ("power", 0)):
            if expression.operator == operator:
                unknown = unknown | (interpret(expression.arguments[place], POINTS) == 0)
    shape = (len(PAIRS), 2 if expression.class_axis else 1)
    return np.broadcast_to(value, shape), np.broadcast_to(unknown, shape)


SPOILT = np.isnan(PAIRS).any(axis=-1, keepdims=True)


def check_value_is_kept(expression):
    """Rewriting changes rounding and the sign of zero at most.

    A row that holds a NaN may keep it or lose it to a weight of 0; where the plain evaluation meets
    inf - inf or 0 * inf, the rewritten form may know better.
    """
    before, unknown = plainly(expression)
    with np.errstate(all="ignore"):
        after = np.broadcast_to(interpret(rewriting.simplify(expression), POINTS), before.shape)
    kept = ~unknown & ~(SPOILT & np.isnan(after))
    np.testing.assert_allclose(
        after[kept], before[kept], rtol=1e-14, atol=1e-15, err_msg=repr(expression)
    )


@pytest.mark.parametrize("operator", BINARY)
def test_rewriting_a_pair_keeps_the_value(operator):
    check_pairs(operator)


def check_pairs(operator):
    for first, second in product(ATOMS, ATOMS):
        check_value_is_kept(apply(operator, first, second))


UNARY = ("negative", "absolute", "sign", "total")


@pytest.mark.parametrize("operator", UNARY)
def test_rewriting_one_argument_keeps_the_value(operator):
    check_single(operator)


def check_single(operator):
    for atom in (*ATOMS, x * f.total(y), x * 0 + f.total(y)):
        class_axis = False if operator == "total" else None
        if atom.class_axis or operator != "total":
            check_value_is_kept(apply(operator, atom, class_axis=class_axis))


@pytest.mark.parametrize("operator", ["total", "peak", "pick"])
def test_one_number_for_all_classes_is_counted_for_each(operator):
    check_same_everywhere(operator)


def check_same_everywhere(operator):
    """A row-shaped value stands for as many equal entries as there are classes."""
    more = (constant(0),) if operator == "pick" else ()
    row = f.total(x * y)
    reduced = apply(operator, row, *more, class_axis=False)
    plain = apply(operator, row + 0 * f.class_index(), *more, class_axis=False)
    with np.errstate(all="ignore"):
        found = interpret(rewriting.simplify(reduced), POINTS)
        np.testing.assert_array_equal(found, interpret(plain, POINTS))


CHOSEN = (x < y, ~(x <= y), constant(1) < 2, constant(2) <= 1, apply("equal", constant(1), 1))


def test_rewriting_a_choice_keeps_the_value():
    check_choices()


def check_choices():
    for condition, first in product(CHOSEN, ATOMS):
        for second in (x, constant(0), first, f.where(condition, y, 2), f.where(x < y, 1, y)):
            check_value_is_kept(f.where(condition, first, second))
            check_value_is_kept(f.where(condition, second, first))


@pytest.mark.parametrize("operator", FOLDS)
def test_a_calculation_with_numbers_is_done_at_once(operator):
    check_fold(operator)


def check_fold(operator):
    table = FLOATS[operator]
    count = table.nin if isinstance(table, np.ufunc) else 2
    for numbers in product((2.0, -3.0, 0.25, 1.0, 0.0, -1.0), repeat=count):
        expression = apply(operator, *map(constant, numbers))
        folded = rewriting.simplify(expression)
        with np.errstate(all="ignore"):
            plain = interpret(expression, {})
            assert not folded.arguments or folded.operator == "negative"
            np.testing.assert_array_max_ulp(interpret(folded, {}), plain, 2)


@pytest.mark.parametrize("operator", DECISIONS)
def test_a_condition_between_numbers_is_decided_at_once(operator):
    check_decision(operator)


def check_decision(operator):
    for first, second in product((1.0, 2.0, INF), (1.0, 2.0, INF)):
        condition = apply(operator, constant(first), constant(second))
        holds = bool(FLOATS[operator](first, second))
        assert rewriting.simplify(f.where(condition, x, y)) is (x if holds else y)


def test_a_slope_that_nobody_has_is_refused_and_not_taken_for_0():
    density = calculus.gradient(f.gammainc(a, b), b)
    assert density is f.gamma_density(a, b)
    with pytest.raises(calculus.UnknownSlopeError, match="no derivative by a\nhint: make it a set"):
        calculus.gradient(f.log(f.gammainc(a, b)), a)
    assert calculus.gradient(f.gammainc(f.held(a), b), a) is calculus.ZERO
