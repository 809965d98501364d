"""Print where the doors of ``lossary.optax`` are right and optax is not, with the numbers.

    python -m tests.peers.optax_differences

The exact column is optax' result in float64, where that is a number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from optax import losses

from lossary import optax as doors

from .difference import Difference, Kept, show, shown

PEER = "optax"


class Case(NamedTuple):
    """A call: the function, its arrays as written, and which of them is differentiated."""

    door: str
    arrays: str
    why: str
    settings: str = ""
    differentiate: int = 0


CASES = (
    Case(
        "softmax_cross_entropy_with_integer_labels",
        "[17.0, 0.0], 0",
        "1 minus the probability of the confident class rounds to 0; the sum over the others does "
        "not.",
    ),
    Case(
        "softmax_cross_entropy",
        "[17.0, 0.0], [1.0, 0.0]",
        "The same for one-hot labels.",
    ),
    Case(
        "softmax_cross_entropy_with_integer_labels",
        "[1e8, 1e8], 0",
        "The largest logit is taken away before logarithms are added to it.",
    ),
    Case(
        "softmax_cross_entropy",
        "[0.0, 0.0, -inf], [0.5, 0.5, 0.0]",
        "A class without logit and without target mass has no term: 0 times infinity is 0 here.",
    ),
    Case(
        "sigmoid_binary_cross_entropy",
        "[inf], [1.0]",
        "A certain answer that is right costs 0.",
    ),
    Case(
        "kl_divergence",
        "[-inf, 0.0], [0.0, 1.0]",
        "A class without target mass has no term.",
    ),
    Case(
        "kl_divergence_with_log_targets",
        "[-1.0, -0.5], [-inf, 0.0]",
        "A class without target mass has no term.",
    ),
    Case(
        "log_cosh",
        "[1e-4], [0.0]",
        "Near 0 it is half the square; the difference of two logarithms near log 2 is rounding.",
    ),
    Case(
        "cosine_similarity",
        "[0.0, 0.0], [1.0, 1.0]",
        "A zero vector has the cosine 0 with gradient 0, where 0 / 0 is NaN.",
    ),
    Case(
        "cosine_distance",
        "[1.0, 1e-4], [1.0, 0.0]",
        "Small angles come from the sine, not from 1 minus a cosine near 1.",
    ),
    Case(
        "softmax_cross_entropy",
        "[0.0, 0.0, 9.0], [0.5, 0.5, 0.0]",
        "What where= leaves out has no gradient by its label either.",
        "where=jnp.array([True, True, False])",
        differentiate=1,
    ),
    Case(
        "sigmoid_focal_loss",
        "[1.0], [0.0]",
        "By a label at an end of [0, 1] too the gradient is that of the formula.",
        differentiate=1,
    ),
    Case(
        "hinge_loss",
        "[1.0], [1.0]",
        "A corner has one slope, 0: max(x, 0)'(0) = 0; JAX' maximum shares it between both sides.",
    ),
    Case(
        "perceptron_loss",
        "[0.0], [1.0]",
        "The same corner.",
    ),
    Case(
        "multiclass_hinge_loss",
        "[1.0, 2.0], 5",
        "A label outside gives NaN with gradient 0; optax takes the row for one without a label.",
    ),
)

KEPT = (
    Kept(
        "cosine_similarity, cosine_distance",
        "epsilon",
        "no squared length counts as less than this: a coordinate of its own makes up for it",
    ),
    Kept(
        "triplet_margin_loss",
        "eps = 1e-6",
        "added to the squared distances: the square of one more coordinate",
    ),
    Kept(
        "softmax_cross_entropy_with_integer_labels",
        "labels below 0",
        "count from the end, as indices do; a label that where= leaves out is still taken away",
    ),
    Kept("all functions", "dtype", "half-precision arguments give a half-precision loss"),
)


def outcome(module: Any, case: Case, dtype: str) -> list[Any]:
    """Return value and gradient of one call."""
    arrays = [
        jnp.asarray(x) if isinstance(x, int) else jnp.asarray(x, dtype)
        for x in eval(f"[{case.arrays}]", {"inf": math.inf})
    ]
    settings = eval(f"dict({case.settings})", {"jnp": jnp})
    k = case.differentiate

    def loss(x: Any) -> Any:
        given = [*arrays[:k], x, *arrays[k + 1 :]]
        return getattr(module, case.door)(*given, **settings).sum()

    return list(jax.jit(jax.value_and_grad(loss))(arrays[k]))


def rows() -> Iterator[Difference]:
    """Yield the calls with both answers."""
    for case in CASES:
        more = f", {case.settings}" if case.settings else ""
        with jax.enable_x64(True):
            exact = shown(*outcome(losses, case, "float64"))
        peer = shown(*outcome(losses, case, "float32"))
        yield Difference(
            f"{case.door}({case.arrays}{more})",
            shown(*outcome(doors, case, "float32")),
            peer,
            "" if "nan" in exact or exact == peer else exact,
            case.why,
        )


if __name__ == "__main__":
    show(PEER, rows(), KEPT)
