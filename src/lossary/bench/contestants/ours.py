"""Lossary itself: array text and fused kernels, on NumPy arrays and under PyTorch's autograd."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

import lossary
from lossary.bench.contestant import Contestant, Prepared, UnavailableError
from lossary.bench.contestants import pytorch
from lossary.bench.work import IGNORED, Case, Data

__all__ = ["ARRAY", "AUTO_TORCH", "DOOR", "FUSED", "FUSED_OUT", "FUSED_TORCH", "OURS"]

Around = Callable[[], contextlib.AbstractContextManager[Any]]


def _engine(name: str) -> Around:
    """Return the context in which an engine computes; without the switch, arrays always do."""
    using: Any = getattr(lossary, "using", None)
    if using is not None:
        return lambda: using(engine=name)
    if name == "fused":
        raise UnavailableError("this version of Lossary has no fused kernels")
    return contextlib.nullcontext


def _options(case: Case, data: Data) -> dict[str, Any]:
    if not case.ignored:
        return {}
    return {"mask": data.keep} if case.soft else {"ignore_index": IGNORED}


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
        options = _options(case, data)
        if out:
            options["out"] = np.empty_like(arrays[0])
        around = _engine(engine)
        return Prepared(lambda: compute(*arrays, **options), _outcome, around, fresh=not out)

    return prepare


def _torch(engine: str) -> Callable[..., Prepared | None]:
    def prepare(case: Case, data: Data, threads: int) -> Prepared | None:
        x, t, keep = pytorch.tensors(case, data)
        if case.linear:
            loss = lossary.catalogue["cross_entropy"]
            return pytorch.backward(lambda: loss(x @ keep.T, t), x, _engine(engine), keep)
        loss = lossary.catalogue[case.loss]
        options = {"mask": keep} if case.soft and case.ignored else _options(case, data)
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


ARRAY = "Lossary array"
FUSED = "Lossary fused"
FUSED_OUT = "Lossary fused, out="
ARRAY_TORCH = "Lossary array, torch"
FUSED_TORCH = "Lossary fused, torch"
AUTO_TORCH = "Lossary auto, torch"
DOOR = "lossary.torch"


def _ours(name: str, about: str, module: str, prepare: Any, *, compiles: bool) -> Contestant:
    return Contestant(name, about, (module,), prepare, ours=True, compiles=compiles)


OURS = (
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
          _torch("auto"), compiles=True),
    _ours(DOOR, "the functions with PyTorch's names, and backward()", "torch",
          _door, compiles=True),
)  # fmt: skip
