"""Print where the doors of ``lossary.torch`` are right and PyTorch is not, with the numbers.

    python -m tests.peers.torch_differences

The calls stand in ``torch.toml``; the last column is PyTorch's result in float64, where it has one.
"""

# ruff: noqa: T201  (a command that talks to a terminal)

from __future__ import annotations

import math
import tomllib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lossary.torch import functional

LEDGER = Path(__file__).with_name("torch.toml")


def improvements() -> list[dict[str, Any]]:
    """Return the calls of the ledger."""
    return tomllib.loads(LEDGER.read_text(encoding="utf-8"))["improvement"]


def outcome(function: Any, entry: dict[str, Any], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return value and gradient of one call."""
    tensors = eval(f"[{entry['inputs']}]", {"tensor": torch.tensor, "inf": math.inf})
    tensors = [x.to(dtype) if x.is_floating_point() else x for x in tensors]
    x = tensors[entry.get("differentiate", 0)].requires_grad_()
    value = function(*tensors, **entry.get("settings", {}))
    (gradient,) = torch.autograd.grad(value, x)
    return value.detach(), gradient


def rows() -> Iterator[tuple[str, str, str, str, str]]:
    """Yield call, result of the door, of PyTorch, of PyTorch in float64, and the reason."""
    for entry in improvements():
        own, peer = getattr(functional, entry["door"]), getattr(nn.functional, entry["door"])
        settings = "".join(f", {k}={v}" for k, v in entry.get("settings", {}).items())
        yield (
            f"`{entry['door']}({entry['inputs']}{settings})`",
            _shown(*outcome(own, entry, torch.float32)),
            _shown(*outcome(peer, entry, torch.float32)),
            _shown(*outcome(peer, entry, torch.float64)),
            entry["why"],
        )


def _shown(value: Tensor, gradient: Tensor) -> str:
    slopes = ", ".join(f"{g:.7g}" for g in gradient.flatten().tolist())
    return f"{value.item():.7g}; {slopes}"


def main() -> None:
    """Print the table in Markdown."""
    print("| call (float32) | lossary: value; gradient | PyTorch | PyTorch in float64 | why |")
    print("|---|---|---|---|---|")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row in rows():
            print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
