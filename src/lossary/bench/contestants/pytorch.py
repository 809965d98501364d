"""PyTorch: its own functions, eager and compiled, forward and backward."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from lossary.bench import digits
from lossary.bench.contestant import Contestant, Prepared, UnavailableError
from lossary.bench.work import CLASS_WEIGHT, Case, Data

Around = Callable[[], contextlib.AbstractContextManager[Any]]


def tensors(case: Case, data: Data) -> tuple[Any, Any, Any]:
    """Return prediction, target, and mask, weight or option; in float32 they share memory."""
    import torch

    if case.device == "cuda" and not torch.cuda.is_available():
        raise UnavailableError("PyTorch sees no GPU")
    dtype = getattr(torch, case.dtype)
    x = torch.from_numpy(data.prediction).to(case.device, dtype)
    t = torch.from_numpy(data.target).to(case.device)
    t = t.to(dtype) if t.is_floating_point() else t
    # Detached, so that each contestant has a leaf of its own over the shared numbers.
    x = x.detach().requires_grad_()
    if data.weight is not None:
        weight = torch.from_numpy(data.weight).to(case.device, dtype)
        return x, t, weight.detach().requires_grad_()
    other = data.extra if case.option else data.keep
    return x, t, None if other is None else torch.from_numpy(other).to(case.device)


def formula(case: Case, f: Any) -> Callable[..., Any]:
    """Return the loss as PyTorch's users write it, with a module of functions ``f``."""
    if case.linear:
        return lambda x, t, weight: f.cross_entropy(x @ weight.T, t)
    if case.loss == "focal":
        return lambda x, t, keep: _focal(f, x, t)
    function = getattr(f, _NAMES[case.loss])
    if case.option == CLASS_WEIGHT:
        return lambda x, t, weight: function(x, t, weight=weight)
    if case.option or (case.soft and case.ignored):
        # The mean of what has a weight, as people write it.
        return lambda x, t, w: (function(x, t, reduction="none") * w).sum() / w.sum()
    return lambda x, t, keep: function(x, t)


_NAMES = {
    "squared_error": "mse_loss",
    "huber": "huber_loss",
    "binary_cross_entropy": "binary_cross_entropy_with_logits",
    "poisson": "poisson_nll_loss",
    "cross_entropy": "cross_entropy",
    "soft_cross_entropy": "cross_entropy",
}


def _focal(f: Any, x: Any, t: Any) -> Any:
    """Return the mean of Lin et al. 2017, eq. 4, from PyTorch's functions."""
    p = x.sigmoid()
    missed = p * (1 - t) + (1 - p) * t
    return (missed**2 * f.binary_cross_entropy_with_logits(x, t, reduction="none")).mean()


def backward(
    forward: Callable[[], Any],
    x: Any,
    around: Around = contextlib.nullcontext,
    weight: Any = None,
) -> Prepared:
    """Return the step of a training loop: forward, backward, and no gradient left behind."""

    def step() -> tuple[Any, Any]:
        value = forward()
        value.backward()
        gradient, x.grad = x.grad, None
        if weight is not None:
            weight.grad = None
        return value, gradient

    if x.is_cuda:
        import torch

        return Prepared(step, _outcome, around, torch.cuda.synchronize)
    return Prepared(step, _outcome, around)


def training(loss: Callable[[Any, Any], Any], case: Case, data: Data) -> Prepared:
    """Return a whole training with a loss in the place of ``F.cross_entropy``."""
    import torch

    layers = torch.nn.Linear(digits.PIXELS, digits.HIDDEN), torch.nn.Linear(digits.HIDDEN, 10)
    model = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1])
    parameters = [part for layer in layers for part in (layer.weight, layer.bias)]
    begin = [torch.from_numpy(part).t().contiguous() for part in digits.first(data)]
    x, t = torch.from_numpy(data.prediction), torch.from_numpy(data.target)
    optimizer = torch.optim.SGD(parameters, digits.RATE)

    def step() -> list[Any]:
        with torch.no_grad():
            for parameter, value in zip(parameters, begin, strict=True):
                parameter.copy_(value)
        for _ in range(digits.EPOCHS):
            for part in digits.batches(len(x), case.shape[0]):
                optimizer.zero_grad()
                loss(model(x[part]), t[part]).backward()
                optimizer.step()
        return [parameter.detach().t().clone() for parameter in parameters]

    return Prepared(step, lambda weights: digits.outcome(data, weights))


def _outcome(result: tuple[Any, Any]) -> tuple[float, np.ndarray]:
    value, gradient = result
    return float(value.detach()), gradient.detach().float().cpu().numpy()


def _eager(case: Case, data: Data, threads: int) -> Prepared:
    import torch.nn.functional as f

    x, t, other = tensors(case, data)
    function = formula(case, f)
    return backward(lambda: function(x, t, other), x, weight=other if case.linear else None)


def _train(case: Case, data: Data, threads: int) -> Prepared:
    from torch.nn.functional import cross_entropy

    return training(cross_entropy, case, data)


def _compiled(case: Case, data: Data, threads: int) -> Prepared:
    import torch
    import torch.nn.functional as f

    if case.device == "cpu" and not any(map(shutil.which, ("g++", "clang++", "cl"))):
        raise UnavailableError("torch.compile needs a C++ compiler, and there is none")
    x, t, other = tensors(case, data)
    # Each case is a function of its own: old ones must not count as its recompilations.
    torch.compiler.reset()
    function = torch.compile(formula(case, f), fullgraph=True, dynamic=False)
    return backward(lambda: function(x, t, other), x, weight=other if case.linear else None)


def ctc(function: Callable[..., Any], case: Case, data: Data) -> Prepared:
    """Return the step of CTC of logits, by PyTorch's function or one called as that is."""
    import torch

    x, t, _ = tensors(case, data)
    frames, labels = (torch.full((len(t),), n) for n in (x.shape[1], t.shape[1]))

    def forward() -> Any:
        log_masses = x.log_softmax(-1).transpose(0, 1)
        return function(log_masses, t, frames, labels, reduction="sum") / len(t)

    return backward(forward, x)


def _sequences(case: Case, data: Data, threads: int) -> Prepared:
    import torch.nn.functional as f

    return ctc(f.ctc_loss, case, data)


EAGER, COMPILED = "torch eager", "torch.compile"

PYTORCH = (
    Contestant(
        EAGER,
        "torch.nn.functional and backward(); focal is composed",
        ("torch",),
        _eager,
        train=_train,
        sequences=_sequences,
    ),
    Contestant(
        COMPILED,
        "the same under torch.compile(fullgraph=True, dynamic=False)",
        ("torch",) if sys.platform != "win32" else ("torch", "triton"),
        _compiled,
        compiles=True,
    ),
)
