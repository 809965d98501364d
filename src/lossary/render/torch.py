"""PyTorch's spellings."""

from __future__ import annotations

from lossary.render.numpy import SPELLINGS
from lossary.render.target import ATOM, Target

_OWN = {
    "maximum": (ATOM, "torch.maximum({0}, {1})"),
    "minimum": (ATOM, "torch.minimum({0}, {1})"),
    "total": (ATOM, "torch.sum({0}, dim=-1, keepdim=True)"),
    "peak": (ATOM, "torch.amax({0}, dim=-1, keepdim=True)"),
    "argpeak": (ATOM, "torch.argmax({0}, dim=-1, keepdim=True)"),
    # take_along_dim looks at its sizes, and so ties a graph to those it was traced with.
    "pick": (ATOM, "torch.gather({0}, -1, {1})"),
    # What is differentiated by operations, an exported graph say, sees that it is held.
    "held": (ATOM, "torch.Tensor.detach({0})"),
    "class_index": (ATOM, "torch.arange({like}.shape[-1], device={like}.device)"),
}

TARGET = Target(
    "torch",
    "import torch",
    {name: (binding, text.replace("np.", "torch.")) for name, (binding, text) in SPELLINGS.items()}
    | _OWN,
    "{0}.to({like}.dtype)",
    # A length is Python's number, or a symbol of a graph; PyTorch's functions want tensors.
    typed="{like}.new_full((), {0})",
    mixes=False,
    count="{like}.new_full((), {0})",
    condition="{like}.new_full((), {0}, dtype=torch.bool)",
    bounds={"maximum": "torch.clamp({0}, min={1})", "minimum": "torch.clamp({0}, max={1})"},
)
