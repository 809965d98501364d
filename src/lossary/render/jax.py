"""JAX's spellings: NumPy's under another name, and those for precision to spare."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from lossary.formula import Expression, apply, constant, walk
from lossary.functions import where
from lossary.render.numpy import SPELLINGS
from lossary.render.spare import WORDS, by_rules
from lossary.render.target import ATOM, Target
from lossary.rewriting import rebuild

_OWN = {
    # jnp.log1p of float64 is off by up to 80 ulp between -0.5 and -0.29 on CPUs (jax 0.10), where
    # log(1 + x) is right to 2.
    "log1p": (ATOM, "jnp.where({0} < -0.25, jnp.log(1.0 + {0}), jnp.log1p({0}))"),
    # jnp.argmax chooses its index type again when it is lowered, outside the local enable_x64.
    "argpeak": (
        ATOM,
        "jnp.min(jnp.where({0} == jnp.max({0}, axis=-1, keepdims=True), "
        "jnp.arange({0}.shape[-1], dtype='int32'), {0}.shape[-1]), axis=-1, keepdims=True)",
    ),
}

_SPELLINGS = {
    name: (binding, text.replace("np.", "jnp.")) for name, (binding, text) in SPELLINGS.items()
} | _OWN

TARGET = Target("jax", "import jax.numpy as jnp", _SPELLINGS, "{0}.astype({like}.dtype)")

_WORDS = WORDS | {"masses", "rest_of_masses", "total_of_some"}

_FAST = {
    name: (ATOM, f"jax_math.{name}({{0}})")
    for name in (
        "argpeak", "exp", "expm1", "log", "log1p", "log1p_unit", "tanh", "total_of_some",
    )
} | {
    name: (ATOM, f"jax_math.{name}({{0}}, {{1}})")
    for name in ("masses", "power_of_positive", "rest_of_masses")
}  # fmt: skip

_OF_DATA = {name: f"jax_math.{name}_of_singles({{0}})" for name in ("argpeak", "peak", "total")}


def _relax(expressions: Sequence[Expression]) -> tuple[Expression, ...]:
    """Apply the rules for spare precision, after those that spare XLA arrays in memory."""
    done: dict[Expression, Expression] = {}
    for node in walk(*expressions):
        changed = rebuild(node, tuple(done[a] for a in node.arguments))
        done[node] = _RULES[changed.operator](changed) if changed.operator in _RULES else changed
    return by_rules([done[expression] for expression in expressions])


def _where(node: Expression) -> Expression:
    """Name exp(x - peak(x)), counted as exactly 1 at the peak; and spare 1 - softmax an argpeak."""
    condition, here, other = node.arguments
    if condition.operator != "equal":
        return node
    x, peak = condition.arguments
    if other.operator == "exp" and peak is apply("peak", x, class_axis=False):
        (power,) = other.arguments
        if power is x - where(peak == -inf, 0, peak) and here is where(x == -inf, 0, 1):
            return apply("masses", x, peak)
    # rest / (1 + rest) is 1 - mass / (1 + rest) for every class whose mass is 1.
    x = _first_of(condition)
    if x is not None and here.operator == "divide" and here.arguments[0] is _rest(x):
        return where(x == apply("peak", x, class_axis=False), here, other)
    return node


def _total(node: Expression) -> Expression:
    """Name the sum of a row's masses without the peak's own, and the sums of float32 numbers."""
    (terms,) = node.arguments
    if terms.operator != "where" or terms.arguments[1] is not constant(0):
        return node
    condition, _, term = terms.arguments
    if term.operator == "variable":
        return apply("total_of_some", terms, class_axis=False)
    own = term.operator == "masses" and term.arguments[0] is _first_of(condition)
    return _rest(term.arguments[0]) if own else node


def _first_of(condition: Expression) -> Expression | None:
    """Return x if the condition is that a class is the first of the largest of x."""
    tops = [a.arguments[0] for a in condition.arguments if a.operator == "argpeak"]
    return tops[0] if condition.operator == "equal" and tops else None


def _rest(x: Expression) -> Expression:
    return apply("rest_of_masses", x, apply("peak", x, class_axis=False), class_axis=False)


_RULES = {"where": _where, "total": _total}

SPARE = Target(
    "jax spare",
    "import jax.numpy as jnp\nfrom lossary.kernels import jax_math",
    _SPELLINGS | _FAST,
    "{0}.astype({like}.dtype)",
    own=_WORDS,
    of_data=_OF_DATA,
    relax=_relax,
)
"""For float32 and narrower on a CPU, computed in float64: shorter functions, fewer passes."""
