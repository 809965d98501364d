"""Print where the doors of ``lossary.torch`` are right and PyTorch is not, with the numbers.

    python -m tests.peers.torch_differences

The calls stand in ``torch.toml``. The exact numbers are those of the door in float64, whose losses
the oracle has checked; PyTorch's own float64 has the same troubles.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lossary.torch import functional

from .difference import Difference, Kept, show, shown

LEDGER = Path(__file__).with_name("torch.toml")
PEER = "PyTorch"
KEPT = (
    Kept("binary_cross_entropy", "LOG_FLOOR = -100", "no logarithm of a probability below -100"),
    Kept("binary_cross_entropy", "SLOPE_FLOOR = 1e-12", "its gradient divides by at least this"),
    Kept("cosine_embedding_loss", "SQUARED_LENGTH_EPSILON = 1e-12", "added to squared lengths"),
    Kept("gaussian_nll_loss", "eps = 1e-6", "a smaller variance counts as this one"),
    Kept("poisson_nll_loss", "eps = 1e-8", "added inside the logarithm of a rate"),
    Kept("poisson_nll_loss", "_stirling", "full=True approximates log(target!) above 1"),
    Kept("triplet_margin_loss", "eps = 1e-6", "added to every coordinate of a difference"),
    Kept("huber_loss", "weighted_mean=False", "a weighted mean divides by the count"),
    Kept("kl_div", "reduction", "'mean' divides by the number of elements, and warns"),
    Kept("cross_entropy", "weight", "with probabilities a weighted mean divides by the rows"),
    Kept("cross_entropy", "empty mean", "NaN where every label is ignored"),
    Kept("cross_entropy", "FORMULAS", "NaN for a logit of +inf, and for a row of -inf only"),
    Kept(
        "all functions",
        "NotFiniteError",
        "an infinite or NaN result is PyTorch's own, gradient "
        "and all: GradScaler skips the same steps",
    ),
)


def improvements() -> list[dict[str, Any]]:
    """Return the calls of the ledger."""
    return tomllib.loads(LEDGER.read_text(encoding="utf-8"))["improvement"]


def outcome(function: Any, entry: dict[str, Any], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return value and gradient of one call."""
    names = {"tensor": torch.tensor, "inf": math.inf, "nan": math.nan}
    tensors = eval(f"[{entry['inputs']}]", names)
    tensors = [x.to(dtype) if x.is_floating_point() else x for x in tensors]
    x = tensors[entry.get("differentiate", 0)].requires_grad_()
    if entry.get("compiled"):
        torch.compiler.reset()
        function = torch.compile(function, backend="aot_eager")
    value = function(*tensors, **entry.get("settings", {}))
    (gradient,) = torch.autograd.grad(value, x)
    return value.detach(), gradient


def rows() -> Iterator[Difference]:
    """Yield what the door and PyTorch answer to each call."""
    for entry in improvements():
        own, peer = getattr(functional, entry["door"]), getattr(nn.functional, entry["door"])
        settings = "".join(f", {k}={v}" for k, v in entry.get("settings", {}).items())
        name = f"torch.compile({entry['door']})" if entry.get("compiled") else entry["door"]
        yield Difference(
            f"{name}({entry['inputs']}{settings})",
            shown(*outcome(own, entry, torch.float32)),
            shown(*outcome(peer, entry, torch.float32)),
            shown(*outcome(own, entry, torch.float64)),
            entry["why"],
        )


if __name__ == "__main__":
    show(PEER, rows(), KEPT)
