"""Kernels of others that need a GPU: cross-entropy from logits, or from hidden states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lossary.bench.contestant import Contestant, Prepared
from lossary.bench.contestants import pytorch
from lossary.bench.work import LINEAR, Case, Data

Loss = Callable[..., Any]


def _on_gpu(**losses: Callable[[], Loss]) -> Callable[..., Prepared | None]:
    """Return how losses of prediction, label and weight get ready; they leave label -100 out."""

    def prepare(case: Case, data: Data, threads: int) -> Prepared | None:
        if case.device != "cuda" or case.loss not in losses or case.option:
            return None
        x, t, other = pytorch.tensors(case, data)
        loss = losses[case.loss]()
        if case.linear:
            return pytorch.backward(lambda: loss(x, t, other), x, weight=other)
        return pytorch.backward(lambda: loss(x, t), x)

    return prepare


def _liger() -> Loss:
    from liger_kernel.transformers.functional import liger_cross_entropy

    # It writes the gradient over the logits; a clone keeps them for the next call.
    return lambda x, t: liger_cross_entropy(x.clone(), t)


def _liger_linear() -> Loss:
    from liger_kernel.transformers.functional import liger_fused_linear_cross_entropy

    return lambda x, t, weight: liger_fused_linear_cross_entropy(x, weight, t)


def _quack() -> Loss:
    from quack.cross_entropy import cross_entropy

    return lambda x, t: cross_entropy(x, t, reduction="mean")


def _flash_attention() -> Loss:
    from flash_attn.ops.triton.cross_entropy import cross_entropy_loss

    return lambda x, t: cross_entropy_loss(x, t)[0].sum() / (t >= 0).sum()


def _cut() -> Loss:
    from cut_cross_entropy import linear_cross_entropy

    return lambda x, t, weight: linear_cross_entropy(x, weight, t)


def _contestant(name: str, about: str, module: str, **losses: Callable[[], Loss]) -> Contestant:
    return Contestant(name, about, (module,), _on_gpu(**losses), compiles=True)


GPU = (
    _contestant("Liger", "its functions; logits are cloned, for it overwrites them",
                "liger_kernel", cross_entropy=_liger, **{LINEAR: _liger_linear}),
    _contestant("QuACK", "quack.cross_entropy", "quack", cross_entropy=_quack),
    _contestant("flash-attn", "flash_attn.ops.triton.cross_entropy", "flash_attn",
                cross_entropy=_flash_attention),
    _contestant("Apple CCE", "cut_cross_entropy.linear_cross_entropy, from hidden states",
                "cut_cross_entropy", **{LINEAR: _cut}),
)  # fmt: skip
