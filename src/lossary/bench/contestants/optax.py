"""optax, and Lossary's door with the same functions: under jit, as users of JAX have them."""

from __future__ import annotations

import importlib
from typing import Any

from lossary.bench.contestant import Contestant, Prepared
from lossary.bench.contestants import xla
from lossary.bench.work import Case, Data

_NAMES = {
    "squared_error": "squared_error",
    "huber": "huber_loss",
    "binary_cross_entropy": "sigmoid_binary_cross_entropy",
    "cross_entropy": "softmax_cross_entropy_with_integer_labels",
    "soft_cross_entropy": "softmax_cross_entropy",
}


def _of(module: str) -> dict[str, Any]:
    """Return the ways to get ready with the functions of a module."""

    def prepare(case: Case, data: Data, threads: int) -> Prepared | None:
        if case.loss not in _NAMES or case.dtype != "float32":
            return None
        each = getattr(importlib.import_module(module), _NAMES[case.loss])
        return xla.step(xla.mean(case, each), *xla.arrays(case, data))

    def train(case: Case, data: Data, threads: int) -> Prepared:
        each: Any = importlib.import_module(module).softmax_cross_entropy_with_integer_labels
        return xla.training(lambda x, t: each(x, t).mean(), case, data)

    return {"prepare": prepare, "train": train}


PEER, DOOR = "optax", "lossary.optax"
OPTAX = (
    Contestant(PEER, "optax.losses under jax.jit(jax.value_and_grad(...))", ("optax",),
               compiles=True, **_of("optax.losses")),
    Contestant(DOOR, "the functions with optax' names, in the same place", ("optax",),
               ours=True, compiles=True, **_of("lossary.optax")),
)  # fmt: skip
