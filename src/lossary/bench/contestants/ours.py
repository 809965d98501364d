"""Lossary itself: what a call picks by itself, and each engine, on NumPy, PyTorch and JAX."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

import lossary
from lossary.bench.contestant import Contestant, Prepared, UnavailableError
from lossary.bench.contestants import pytorch, xla
from lossary.bench.work import IGNORED, Case, Data

Around = Callable[[], contextlib.AbstractContextManager[Any]]


def _engine(name: str) -> Around:
    """Return the context in which an engine computes; without the switch, arrays always do."""
    using: Any = getattr(lossary, "using", None)
    if using is not None:
        return lambda: using(engine=name)
    if name == "fused":
        raise UnavailableError("this version of Lossary has no fused kernels")
    return contextlib.nullcontext


def _options(case: Case, other: Any) -> dict[str, Any]:
    """Return what a call is given; ``other`` is the option's array, or which rows count."""
    if case.option:
        return {case.option: other}
    if not case.ignored:
        return {}
    return {"mask": other} if case.soft else {"ignore_index": IGNORED}


def _outcome(result: tuple[Any, Any]) -> tuple[float, np.ndarray]:
    value, gradient = result
    return float(value), gradient


def _numpy(engine: str, *, out: bool = False) -> Callable[..., Prepared | None]:
    def prepare(case: Case, data: Data, threads: int) -> Prepared | None:
        if case.device != "cpu" or case.linear:
            return None
        compute = lossary.catalogue[case.loss].value_and_gradient
        half = case.dtype == "bfloat16"
        arrays = data.bfloat16 if half else (data.prediction, data.target)
        options = _options(case, data.extra if case.option else data.keep)
        if out:
            options["out"] = np.empty_like(arrays[0])
        around = _engine(engine)
        return Prepared(lambda: compute(*arrays, **options), _outcome, around, fresh=not out)

    return prepare


def _torch(engine: str) -> Callable[..., Prepared | None]:
    def prepare(case: Case, data: Data, threads: int) -> Prepared | None:
        x, t, other = pytorch.tensors(case, data)
        if case.linear:
            loss = lossary.catalogue["cross_entropy"]
            return pytorch.backward(lambda: loss(x @ other.T, t), x, _engine(engine), other)
        loss = lossary.catalogue[case.loss]
        options = _options(case, other)
        return pytorch.backward(lambda: loss(x, t, **options), x, _engine(engine))

    return prepare


def _door(case: Case, data: Data, threads: int) -> Prepared | None:
    """Prepare the functions that have PyTorch's names, called as PyTorch's own are."""
    import lossary.torch
    import lossary.torch.functional as f

    x, t, keep = pytorch.tensors(case, data)
    if case.loss == "focal":
        focal = lossary.torch.Focal(gamma=2)
        return pytorch.backward(lambda: focal(x, t), x, _engine("auto"))
    formula = pytorch.formula(case, f)
    weight = keep if case.linear else None
    return pytorch.backward(lambda: formula(x, t, keep), x, _engine("auto"), weight)


def _jax(case: Case, data: Data, threads: int) -> Prepared | None:
    if case.linear:
        return None
    loss = lossary.catalogue[case.loss]
    compute = lambda x, t, other: loss(x, t, **_options(case, other))  # noqa: E731
    return xla.step(compute, *xla.arrays(case, data))


def _value(case: Case, data: Data, threads: int) -> Prepared:
    loss = lossary.catalogue[case.loss]
    return Prepared(lambda: loss(data.prediction, data.target), value_alone)


def value_alone(result: Any) -> tuple[float, np.ndarray]:
    """Return a value that comes without a gradient."""
    return float(result), np.empty(0)


def _train_torch(case: Case, data: Data, threads: int) -> Prepared:
    return pytorch.training(lossary.catalogue["cross_entropy"], case, data)


def _train_door(case: Case, data: Data, threads: int) -> Prepared:
    import lossary.torch.functional as f

    return pytorch.training(f.cross_entropy, case, data)


def _train_jax(case: Case, data: Data, threads: int) -> Prepared:
    return xla.training(lossary.catalogue["cross_entropy"], case, data)


def _sequences(case: Case, data: Data, threads: int) -> Prepared:
    compute = lossary.sequences.ctc.value_and_gradient
    return Prepared(lambda: compute(data.prediction, data.target), _outcome, _engine("auto"))


def _sequences_torch(case: Case, data: Data, threads: int) -> Prepared:
    x, t, _ = pytorch.tensors(case, data)
    return pytorch.backward(lambda: lossary.sequences.ctc(x, t), x, _engine("auto"))


def _sequences_door(case: Case, data: Data, threads: int) -> Prepared:
    import lossary.torch.functional as f

    return pytorch.ctc(f.ctc_loss, case, data)


AUTO = "Lossary auto"
ARRAY = "Lossary array"
FUSED = "Lossary fused"
FUSED_OUT = "Lossary fused, out="
ARRAY_TORCH = "Lossary array, torch"
FUSED_TORCH = "Lossary fused, torch"
AUTO_TORCH = "Lossary auto, torch"
AUTO_JAX = "Lossary auto, JAX jit"
DOOR = "lossary.torch"


def _ours(
    name: str, about: str, module: str, prepare: Any, *, compiles: bool, **ways: Any
) -> Contestant:
    return Contestant(name, about, (module,), prepare, ours=True, compiles=compiles, **ways)


OURS = (
    _ours(AUTO, "what value_and_gradient picks by itself on NumPy arrays", "numpy",
          _numpy("auto"), compiles=True, value=_value,
          sequences=_sequences),
    _ours(ARRAY, "the generated NumPy text: value_and_gradient", "numpy",
          _numpy("array"), compiles=False),
    _ours(FUSED, "one kernel on NumPy arrays: value_and_gradient", "numba",
          _numpy("fused"), compiles=True),
    _ours(FUSED_OUT, "the same into a buffer of the caller's", "numba",
          _numpy("fused", out=True), compiles=True),
    _ours(ARRAY_TORCH, "the generated PyTorch text and backward()", "torch",
          _torch("array"), compiles=False),
    _ours(FUSED_TORCH, "one kernel under autograd and backward()", "torch",
          _torch("fused"), compiles=True),
    _ours(AUTO_TORCH, "what L.huber(tensor, ...) picks by itself, and backward()", "torch",
          _torch("auto"), compiles=True, train=_train_torch, sequences=_sequences_torch),
    _ours(DOOR, "the functions with PyTorch's names, and backward()", "torch",
          _door, compiles=True, train=_train_door, sequences=_sequences_door),
    _ours(AUTO_JAX, "L.huber(array, ...) under jax.jit(jax.value_and_grad(...))", "jax",
          _jax, compiles=True, train=_train_jax),
)  # fmt: skip
