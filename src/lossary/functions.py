"""The vocabulary of formulas: primitives, and named functions built from them.

A primitive is spelled once per target in ``render/``. A named function states three facts: what it
*means* (exact, evaluated in mpmath by the tests), how it is *computed* (stable, in primitives) and
its *slope* (the derivative of the meaning, never of the stable form).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any, Literal

from lossary.formula import Expression, apply, constant

__all__ = [
    "absolute",
    "argpeak",
    "class_count",
    "class_index",
    "cosine",
    "cosine_gap",
    "cross_entropy_at",
    "cross_entropy_with",
    "exp",
    "exp_difference",
    "exp_product",
    "expm1",
    "floor",
    "is_class",
    "jensen_gap",
    "log",
    "log1p",
    "log1p_difference",
    "log_cosh",
    "log_ratio",
    "log_sigmoid",
    "log_softmax",
    "logsumexp",
    "maximum",
    "mean_cross_entropy",
    "minimum",
    "norm",
    "peak",
    "pick",
    "sech_squared",
    "sigmoid",
    "sigmoid_power",
    "sign",
    "softmax",
    "softmax_complement",
    "softmax_complement_power_at",
    "softplus",
    "sqrt",
    "sum_of_three",
    "tanh",
    "tanimoto_gap",
    "total",
    "unit",
    "weighted",
    "where",
]

Shape = Literal["elementwise", "row", "class"]


@dataclass(frozen=True)
class Jacobian:
    """``d e_j / d x_k = diagonal_j [j = k] + sum over outer of column_j row_k``, j and k classes."""

    diagonal: Expression | None
    outer: tuple[tuple[Expression, Expression], ...] = ()


Slope = Expression | Jacobian | None


@dataclass(frozen=True)
class Function:
    """A named function: its meaning, its stable form and its slope with respect to each argument."""

    name: str
    computed: Callable[..., Expression]
    means: Callable[..., Any]
    slope: Callable[..., tuple[Slope, ...]]
    latex: str
    shape: Shape = "elementwise"


FUNCTIONS: dict[str, Function] = {}


def named(
    *,
    means: Callable[..., Any],
    slope: Callable[..., tuple[Slope, ...]],
    latex: str,
    shape: Shape = "elementwise",
) -> Callable[[Callable[..., Expression]], Callable[..., Expression]]:
    """Put a function with its three facts into the vocabulary."""

    def add(computed: Callable[..., Expression]) -> Callable[..., Expression]:
        name = computed.__name__
        FUNCTIONS[name] = Function(name, computed, means, slope, latex, shape)
        class_axis = {"elementwise": None, "row": False, "class": True}[shape]

        def build(*arguments: Any) -> Expression:
            return apply(name, *arguments, class_axis=class_axis)

        build.__name__, build.__doc__ = name, computed.__doc__
        return build

    return add


# Primitives. Those with an operator (add, less, logical_and, ...) are built by Expression itself.


def absolute(x: Any) -> Expression:
    """|x|, with derivative 0 at 0."""
    return apply("absolute", x)


def sign(x: Any) -> Expression:
    """-1, 0 or 1."""
    return apply("sign", x)


def floor(x: Any) -> Expression:
    """The largest whole number that is not above x."""
    return apply("floor", x)


def sqrt(x: Any) -> Expression:
    """Square root."""
    return apply("sqrt", x)


def exp(x: Any) -> Expression:
    """e to the power x."""
    return apply("exp", x)


def expm1(x: Any) -> Expression:
    """exp(x) - 1, right for small x."""
    return apply("expm1", x)


def log(x: Any) -> Expression:
    """Natural logarithm."""
    return apply("log", x)


def log1p(x: Any) -> Expression:
    """log(1 + x), right for small x."""
    return apply("log1p", x)


def tanh(x: Any) -> Expression:
    """Hyperbolic tangent."""
    return apply("tanh", x)


def maximum(x: Any, y: Any) -> Expression:
    """The larger of two; the derivative at a tie belongs to the second."""
    return apply("maximum", x, y)


def minimum(x: Any, y: Any) -> Expression:
    """The smaller of two; the derivative at a tie belongs to the second."""
    return apply("minimum", x, y)


def where(condition: Any, x: Any, y: Any) -> Expression:
    """X where the condition holds, else y."""
    return apply("where", condition, x, y)


def weighted(weight: Any, value: Any) -> Expression:
    """Weight times value, and exactly 0 where the weight is 0, whatever the value."""
    return apply("weighted", weight, value)


def total(x: Any) -> Expression:
    """Sum along the class axis."""
    return apply("total", x, class_axis=False)


def peak(x: Any) -> Expression:
    """Largest entry along the class axis."""
    return apply("peak", x, class_axis=False)


def argpeak(x: Any) -> Expression:
    """Class of the largest entry, the first one at a tie."""
    return apply("argpeak", x, class_axis=False)


def pick(x: Any, label: Any) -> Expression:
    """Entry of the class ``label``."""
    return apply("pick", x, label, class_axis=False)


def class_index() -> Expression:
    """0, 1, ..., C - 1 along the class axis."""
    return apply("class_index", class_axis=True)


def class_count() -> Expression:
    """The number of classes, C."""
    return apply("class_count", class_axis=False)


def is_class(label: Any) -> Expression:
    """Whether each class is the class ``label``."""
    return class_index() == label


# Compensated arithmetic (Knuth's two-sum, Dekker's two-product): exp of a rounded difference or
# product amplifies the rounding by its argument, so the rounding is carried along.


def _sum_error(x: Expression, y: Expression, rounded: Expression) -> Expression:
    back = rounded - x
    error = (x - (rounded - back)) + (y - back)
    return where(absolute(rounded) < inf, error, 0)


def _halves(x: Expression) -> tuple[Expression, Expression]:
    # 2^27 + 1 halves a float64; in float32 the high half becomes 0 and the correction vanishes.
    scaled = x * 134217729.0
    high = scaled - (scaled - x)
    return high, x - high


def _product_error(x: Expression, y: Expression, rounded: Expression) -> Expression:
    (x_high, x_low), (y_high, y_low) = _halves(x), _halves(y)
    error = ((x_high * y_high - rounded) + x_high * y_low + x_low * y_high) + x_low * y_low
    return where(absolute(error) < 1, error, 0)


@named(
    latex=r"\left({0} + {1} + {2}\right)",
    means=lambda m, x, y, z: x + y + z,
    slope=lambda x, y, z: (constant(1), constant(1), constant(1)),
)
def sum_of_three(x: Expression, y: Expression, z: Expression) -> Expression:
    """X + y + z with one rounding, also when the parts nearly cancel."""
    first = x + y
    second = first + z
    return second + (_sum_error(x, y, first) + _sum_error(first, z, second))


@named(
    latex="e^{{{0} - {1}}}",
    means=lambda m, x, y: m.exp(x - y),
    slope=lambda x, y: (exp_difference(x, y), -exp_difference(x, y)),
)
def exp_difference(x: Expression, y: Expression) -> Expression:
    """exp(x - y); the rounding of x - y is made good to first order."""
    difference = x - y
    return exp(difference) * (1 + _sum_error(x, -y, difference))


@named(
    latex="e^{{{0} {1}}}",
    means=lambda m, x, y: m.exp(x * y),
    slope=lambda x, y: (y * exp_product(x, y), x * exp_product(x, y)),
)
def exp_product(x: Expression, y: Expression) -> Expression:
    """exp(x y); the rounding of x y is made good to first order."""
    product = x * y
    return exp(product) * (1 + _product_error(x, y, product))


# Elementwise functions.


@named(
    latex=r"\log\left(1 + e^{{{0}}}\right)",
    means=lambda m, x: m.log1p(m.exp(x)),
    slope=lambda x: (sigmoid(x),),
)
def softplus(x: Expression) -> Expression:
    """log(1 + exp(x)), without overflow or cancellation."""
    return maximum(x, 0) + log1p(exp(-absolute(x)))


@named(
    latex=r"\sigma\left({0}\right)",
    means=lambda m, x: m.exp(x) / (1 + m.exp(x)) if x < 0 else 1 / (1 + m.exp(-x)),
    slope=lambda x: (sigmoid(x) * sigmoid(-x),),
)
def sigmoid(x: Expression) -> Expression:
    """1 / (1 + exp(-x)), with a right tail on both sides."""
    fade = exp(-absolute(x))
    return where(x < 0, fade, 1) / (1 + fade)


@named(
    latex=r"\log\sigma\left({0}\right)",
    means=lambda m, x: -m.log1p(m.exp(-x)),
    slope=lambda x: (sigmoid(-x),),
)
def log_sigmoid(x: Expression) -> Expression:
    """log(1 / (1 + exp(-x))), without overflow or cancellation."""
    return -softplus(-x)


# Below -40, sigmoid(x) is exp(x) to more digits than float64 holds.
_SIGMOID_TAIL = -40.0


@named(
    latex=r"\sigma\left({0}\right)^{{{1}}}",
    means=lambda m, x, p: m.mpf(1) if p == 0 else (m.exp(x) / (1 + m.exp(x)) if x < 0 else 1 / (1 + m.exp(-x))) ** p,
    slope=lambda x, p: (
        p * sigmoid_power(x, p) * sigmoid(-x),
        weighted(sigmoid_power(x, p), log_sigmoid(x)),
    ),
)  # fmt: skip
def sigmoid_power(x: Expression, power: Expression) -> Expression:
    """sigmoid(x) ** power: a power of the accurate probability, and compensated in the far tail."""
    near = sigmoid(maximum(x, _SIGMOID_TAIL)) ** power
    far = exp_product(maximum(x, -1e30), power)  # keeps -inf times 0 out
    return where(x < _SIGMOID_TAIL, far, near)


@named(
    latex=r"\log\cosh\left({0}\right)",
    means=lambda m, x: abs(x) - m.log(2) + m.log1p(m.exp(-2 * abs(x))),
    slope=lambda x: (tanh(x),),
)
def log_cosh(x: Expression) -> Expression:
    """log((exp(x) + exp(-x)) / 2): no overflow far out, no cancellation near 0."""
    size = absolute(x)
    growth = expm1(minimum(size, 4))
    near = log1p(growth * growth / (2 * (1 + growth)))  # cosh x - 1 = (e^x - 1)^2 / (2 e^x)
    far = size - (0.6931471805599453 - log1p(exp(-2 * size)))
    return where(size < 2, near, far)


@named(
    latex=r"\operatorname{{sech}}^2\left({0}\right)",
    means=lambda m, x: m.sech(x) ** 2,
    slope=lambda x: (-2 * tanh(x) * sech_squared(x),),
)
def sech_squared(x: Expression) -> Expression:
    """1 - tanh(x)^2, the slope of tanh, with a right tail."""
    fade = exp(-2 * absolute(x))
    return 4 * fade / ((1 + fade) * (1 + fade))


@named(
    latex=r"\log\frac{{1 + {0}}}{{1 + {1}}}",
    means=lambda m, x, y: m.log1p(x) - m.log1p(y),
    slope=lambda x, y: (1 / (1 + x), -1 / (1 + y)),
)
def log1p_difference(x: Expression, y: Expression) -> Expression:
    """log(1 + x) - log(1 + y), right also when x is close to y."""
    base = 1 + y
    return where(2 * absolute(x - y) < base, log1p((x - y) / base), log((1 + x) / base))


# Where a quotient of two numbers down to the smallest subnormal could overflow.
_TINY = 1e-290


@named(
    latex=r"\log\frac{{{0}}}{{{1}}}",
    means=lambda m, x, y: (m.log(x) if x else -m.inf) - (m.log(y) if y else -m.inf),
    slope=lambda x, y: (1 / x, -1 / y),
)
def log_ratio(x: Expression, y: Expression) -> Expression:
    """log(x / y) for numbers from 0, right also when x is close to y."""
    apart = where(y < _TINY, log(x) - log(y), log(x / y))
    return where(2 * absolute(x - y) < y, log1p((x - y) / y), apart)


def _mean_jensen_gap(m: Any, x: Any, y: Any) -> Any:
    middle = (x + y) / 2
    return sum((v * m.log(v / middle) / 2 for v in (x, y) if v), m.mpf(0))


@named(
    latex=r"\tfrac12 \left({0} \log\frac{{2 {0}}}{{{0} + {1}}} + {1} \log\frac{{2 {1}}}{{{0} + {1}}}\right)",
    means=_mean_jensen_gap,
    slope=lambda x, y: (
        where(x + y > 0, log1p((x - y) / (x + y)) / 2, 0),
        where(x + y > 0, log1p((y - x) / (x + y)) / 2, 0),
    ),
)
def jensen_gap(x: Expression, y: Expression) -> Expression:
    """Half the relative entropies of x and y to their middle; never negative."""
    middle = (x + y) / 2
    tilt = where(middle > 0, (x - y) / (x + y), 0)
    size = minimum(absolute(tilt), 0.5)
    near = log1p(-size * size) + size * log1p(2 * size / (1 - size))
    far = weighted(1 + tilt, log1p(tilt)) + weighted(1 - tilt, log1p(-tilt))
    return middle * where(absolute(tilt) < 0.5, near, far) / 2


# Functions along the class axis. They rest on one split of a row: its peak, counted as exactly 1,
# and the rest. Only the peak class can have more than half of the mass, so 1 - p is taken from the
# rest for that class and by subtraction for the others.


def _spread(x: Expression) -> tuple[Expression, Expression]:
    """Return exp(x - peak) and its sum without the peak's own class."""
    top = peak(x)
    # A row without any class left keeps a finite peak, so that nothing becomes inf - inf.
    mass = where(x == top, where(x == -inf, 0, 1), exp_difference(x, where(top == -inf, 0, top)))
    return mass, total(where(is_class(argpeak(x)), 0, mass))


def _shortfall(x: Expression, top: Expression) -> Expression:
    """Top - x; 0 for equal infinities, inf for an excluded class."""
    return where((x == top) & (x > -inf), 0, where(x == -inf, inf, top - x))


def _softmax_meaning(m: Any, x: list[Any]) -> list[Any]:
    top = max(x)
    if top == -m.inf:
        return [m.mpf(0) for _ in x]
    mass = [m.mpf(1) if v == top else m.exp(v - top) for v in x]
    return [v / m.fsum(mass) for v in mass]


def _nats_meaning(m: Any, x: list[Any]) -> list[Any]:
    """-log softmax, inf for an excluded class."""
    top = max(x)
    mass = m.fsum(m.mpf(1) if v == top else m.exp(v - top) for v in x)
    return [
        m.inf if v == -m.inf else (0 if v == top else top - v) + m.log(mass)
        for v in x
    ]  # fmt: skip


def _softmax_jacobian(x: Expression) -> Jacobian:
    p = softmax(x)
    return Jacobian(p, ((p, -p),))


@named(
    latex=r"\log \sum_c e^{{{0}_c}}",
    means=lambda m, x: -m.inf if max(x) == -m.inf else max(x) + m.log(m.fsum(m.exp(v - max(x)) for v in x)),
    slope=lambda x: (softmax(x),),
    shape="row",
)  # fmt: skip
def logsumexp(x: Expression) -> Expression:
    """log of the sum of exponentials along the class axis."""
    _, rest = _spread(x)
    return peak(x) + log1p(rest)


@named(
    latex=r"\operatorname{{softmax}}\left({0}\right)",
    means=_softmax_meaning,
    slope=lambda x: (_softmax_jacobian(x),),
    shape="class",
)
def softmax(x: Expression) -> Expression:
    """Exponentials divided by their sum along the class axis; 0 for excluded classes."""
    mass, rest = _spread(x)
    return mass / (1 + rest)


@named(
    latex=r"\left(1 - \operatorname{{softmax}}\left({0}\right)\right)",
    means=lambda m, x: [m.fsum(p for i, p in enumerate(_softmax_meaning(m, x)) if i != k) for k in range(len(x))],
    slope=lambda x: (Jacobian(-softmax(x), ((softmax(x), softmax(x)),)),),
    shape="class",
)  # fmt: skip
def softmax_complement(x: Expression) -> Expression:
    """1 - softmax(x), right also for the confident class."""
    mass, rest = _spread(x)
    return where(is_class(argpeak(x)), rest / (1 + rest), 1 - mass / (1 + rest))


@named(
    latex=r"\log\operatorname{{softmax}}\left({0}\right)",
    means=lambda m, x: [-v for v in _nats_meaning(m, x)],
    slope=lambda x: (Jacobian(constant(1), ((constant(-1), softmax(x)),)),),
    shape="class",
)
def log_softmax(x: Expression) -> Expression:
    """Log-probabilities along the class axis; -inf for excluded classes."""
    _, rest = _spread(x)
    return -(_shortfall(x, peak(x)) + log1p(rest))


@named(
    latex=r"-\log\operatorname{{softmax}}\left({0}\right)_{{{1}}}",
    means=lambda m, x, label: _nats_meaning(m, x)[int(label)],
    slope=lambda x, label: (softmax_residual(x, label), None),
    shape="row",
)
def cross_entropy_at(x: Expression, label: Expression) -> Expression:
    """Negative log-probability of one class, exact also when that class is the confident one."""
    _, rest = _spread(x)
    return _shortfall(pick(x, label), peak(x)) + log1p(rest)


@named(
    latex=r"\left(\operatorname{{softmax}}\left({0}\right) - e_{{{1}}}\right)",
    means=lambda m, x, label: [
        -m.fsum(v for i, v in enumerate(_softmax_meaning(m, x)) if i != k) * (x[k] > -m.inf)
        if k == int(label) else p
        for k, p in enumerate(_softmax_meaning(m, x))
    ],
    slope=lambda x, label: (_softmax_jacobian(x), None),
    shape="class",
)  # fmt: skip
def softmax_residual(x: Expression, label: Expression) -> Expression:
    """softmax(x) minus the unit vector of the label; 0 for excluded classes."""
    here = is_class(label) & (x > -inf)
    return where(here, -softmax_complement(x), softmax(x))


@named(
    latex=r"-\sum_c {1}_c \log\operatorname{{softmax}}\left({0}\right)_c",
    means=lambda m, x, t: m.fsum(w * v for w, v in zip(t, _nats_meaning(m, x), strict=True) if w),
    slope=lambda x, t: (softmax_minus(x, t), -log_softmax(x)),
    shape="row",
)
def cross_entropy_with(x: Expression, target: Expression) -> Expression:
    """Cross-entropy of a target distribution with softmax(x); classes without target mass add 0."""
    return total(weighted(target, -log_softmax(x)))


def _softmax_minus_meaning(m: Any, x: list[Any], t: list[Any]) -> list[Any]:
    p = _softmax_meaning(m, x)
    return [
        (p[k] * m.fsum(t) - t[k]) if x[k] > -m.inf else m.mpf(0)
        for k in range(len(x))
    ]  # fmt: skip


def _softmax_minus_slope(x: Expression, t: Expression) -> tuple[Slope, Slope]:
    p = softmax(x)
    here = where(x > -inf, constant(1), constant(0))
    return (
        Jacobian(total(t) * p, ((total(t) * p, -p),)),
        Jacobian(-here, ((p, constant(1)),)),
    )


@named(
    latex=r"\left(\operatorname{{softmax}}\left({0}\right) - {1}\right)",
    means=_softmax_minus_meaning,
    slope=_softmax_minus_slope,
    shape="class",
)
def softmax_minus(x: Expression, target: Expression) -> Expression:
    """softmax(x) minus the target distribution; 0 for excluded classes."""
    others = total(target) - target
    return where(x > -inf, softmax(x) * others - softmax_complement(x) * target, 0)


def _mean_cross_entropy_meaning(m: Any, x: list[Any]) -> Any:
    nats = [v for v in _nats_meaning(m, x) if v < m.inf]
    return m.fsum(nats) / len(nats) if nats else m.mpf(0)


def _supported(x: Expression) -> Expression:
    return where(x > -inf, constant(1), constant(0))


@named(
    latex=r"-\frac1C \sum_c \log\operatorname{{softmax}}\left({0}\right)_c",
    means=_mean_cross_entropy_meaning,
    slope=lambda x: (
        softmax(x) - _supported(x) / maximum(total(_supported(x)), 1),
    ),
    shape="row",
)  # fmt: skip
def mean_cross_entropy(x: Expression) -> Expression:
    """Cross-entropy of the uniform distribution over the classes that are not excluded."""
    _, rest = _spread(x)
    short = where(x > -inf, _shortfall(x, peak(x)), 0)
    return total(short) / maximum(total(_supported(x)), 1) + log1p(rest)


def _complement_power_meaning(m: Any, x: list[Any], label: Any, p: Any) -> Any:
    mass = _softmax_meaning(m, x)
    return m.fsum(v for k, v in enumerate(mass) if k != int(label)) ** p if p else m.mpf(1)


def _complement_power_slope(x: Expression, label: Expression, p: Expression) -> tuple[Slope, ...]:
    # d (1 - p_t)^g / d x_k = -g (1 - p_t)^(g - 1) p_t ([k = t] - p_k); the power that is left over
    # is taken from the residual, which for k = t is 1 - p_t itself and else p_k <= 1 - p_t.
    power = softmax_complement_power_at(x, label, p)
    share = where(is_class(label), constant(1), softmax_share_of_rest(x, label))
    along = where(is_class(label), constant(-1), share)
    log_rest = log(pick(softmax_complement(x), label))
    return p * power * pick(softmax(x), label) * along, None, weighted(power, log_rest)


@named(
    latex=r"\left(1 - \operatorname{{softmax}}\left({0}\right)_{{{1}}}\right)^{{{2}}}",
    means=_complement_power_meaning,
    slope=_complement_power_slope,
    shape="row",
)
def softmax_complement_power_at(x: Expression, label: Expression, power: Expression) -> Expression:
    """(1 - p)^power for the probability p of one class: a power of the accurate complement."""
    return pick(softmax_complement(x), label) ** power


def _rest_meaning(m: Any, x: list[Any], label: Any) -> list[Any]:
    others = [-m.inf if k == int(label) else v for k, v in enumerate(x)]
    return _softmax_meaning(m, others)


def _rest_slope(x: Expression, label: Expression) -> tuple[Slope, Slope]:
    r = softmax_share_of_rest(x, label)
    return Jacobian(r, ((r, -r),)), None


@named(
    latex=r"\operatorname{{softmax}}_{{c \ne {1}}}\left({0}\right)",
    means=_rest_meaning,
    slope=_rest_slope,
    shape="class",
)
def softmax_share_of_rest(x: Expression, label: Expression) -> Expression:
    """Softmax over the classes other than the label; 0 for the label."""
    return softmax(where(is_class(label), -inf, x))


# Vectors along the axis.


def _largest(x: Expression) -> Expression:
    """A scale that keeps squares from overflow and underflow: the largest size, or 1 for zeros."""
    size = peak(absolute(x))
    return where(size > 0, size, 1)


def _dot_meaning(m: Any, x: list[Any], y: list[Any]) -> Any:
    return m.fsum(a * b for a, b in zip(x, y, strict=True))


def _norm_meaning(m: Any, x: list[Any]) -> Any:
    return m.sqrt(_dot_meaning(m, x, x))


def _cosine_meaning(m: Any, x: list[Any], y: list[Any]) -> Any:
    size = _norm_meaning(m, x) * _norm_meaning(m, y)
    return _dot_meaning(m, x, y) / size if size else m.mpf(0)


@named(
    latex=r"\left\lVert {0} \right\rVert",
    means=_norm_meaning,
    slope=lambda x: (unit(x),),
    shape="row",
)
def norm(x: Expression) -> Expression:
    """Euclidean length; its slope at the zero vector is 0."""
    scale = _largest(x)
    ratio = x / scale
    return scale * sqrt(total(ratio * ratio))


def _unit_meaning(m: Any, x: list[Any]) -> list[Any]:
    size = _norm_meaning(m, x)
    return [v / size if size else m.mpf(0) for v in x]


@named(
    latex=r"\frac{{{0}}}{{\left\lVert {0} \right\rVert}}",
    means=_unit_meaning,
    slope=lambda x: (
        Jacobian(_inverse_norm(x), ((unit(x), -unit(x) * _inverse_norm(x)),)),
    ),
    shape="class",
)  # fmt: skip
def unit(x: Expression) -> Expression:
    """The vector divided by its length; the zero vector stays zero."""
    ratio = x / _largest(x)
    length = sqrt(total(ratio * ratio))
    return ratio / where(length > 0, length, 1)


def _inverse_norm(x: Expression) -> Expression:
    return where(norm(x) > 0, 1 / norm(x), 0)


def _cosine_slope(x: Expression, y: Expression) -> Expression:
    return (unit(y) - cosine(x, y) * unit(x)) * _inverse_norm(x)


@named(
    latex=r"\cos\left({0}, {1}\right)",
    means=_cosine_meaning,
    slope=lambda x, y: (_cosine_slope(x, y), _cosine_slope(y, x)),
    shape="row",
)
def cosine(x: Expression, y: Expression) -> Expression:
    """Cosine of the angle, within [-1, 1]; 0 with slope 0 if one vector is zero."""
    return maximum(minimum(total(unit(x) * unit(y)), 1), -1)


@named(
    latex=r"\left(1 - \cos\left({0}, {1}\right)\right)",
    means=lambda m, x, y: 1 - _cosine_meaning(m, x, y),
    slope=lambda x, y: (-_cosine_slope(x, y), -_cosine_slope(y, x)),
    shape="row",
)
def cosine_gap(x: Expression, y: Expression) -> Expression:
    """1 - cosine, right also for nearly parallel vectors: half the squared chord."""
    chord = unit(x) - unit(y)
    similarity = cosine(x, y)
    return where(similarity > 0.5, total(chord * chord) / 2, 1 - similarity)


def _tanimoto_meaning(m: Any, x: list[Any], y: list[Any]) -> Any:
    both = _dot_meaning(m, x, y)
    union = _dot_meaning(m, x, x) + _dot_meaning(m, y, y) - both
    return 1 - both / union if union else m.mpf(0)


def _tanimoto_parts(x: Expression, y: Expression) -> tuple[Expression, ...]:
    scale = maximum(peak(absolute(x)), peak(absolute(y)))
    scale = where(scale > 0, scale, 1)
    a, b = x / scale, y / scale
    apart = total((a - b) * (a - b))
    union = apart + total(a * b)
    return a, b, scale, apart, where(union > 0, union, 1)


def _tanimoto_slope(x: Expression, y: Expression) -> Expression:
    gap = tanimoto_gap(x, y)
    square = total(x * x) + total(y * y) - total(x * y)
    return where(square > 0, (2 * (x - y) - gap * (2 * x - y)) / square, 0)


@named(
    latex=r"\left(1 - \frac{{{0} \cdot {1}}}{{\lVert {0} \rVert^2 + \lVert {1} \rVert^2 - {0} \cdot {1}}}\right)",
    means=_tanimoto_meaning,
    slope=lambda x, y: (_tanimoto_slope(x, y), _tanimoto_slope(y, x)),
    shape="row",
)
def tanimoto_gap(x: Expression, y: Expression) -> Expression:
    """Squared distance over (squared distance + inner product); 0 for two zero vectors."""
    _, _, _, apart, union = _tanimoto_parts(x, y)
    return apart / union


PRIMITIVES = frozenset(
    "add subtract multiply divide negative power absolute sign floor sqrt exp expm1 log log1p tanh "
    "maximum minimum less less_equal equal logical_and logical_or logical_not where "
    "total peak argpeak pick class_index class_count".split()
)
