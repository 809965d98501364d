"""Kernels of others that need a GPU: cross-entropy from logits, forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lossary.bench.cases import Case, Data
from lossary.bench.contestant import Contestant, Prepared
from lossary.bench.contestants import pytorch

__all__ = ["GPU"]

Loss = Callable[[Any, Any], Any]


def _on_gpu(load: Callable[[], Loss]) -> Callable[..., Prepared | None]:
    """Return how a loss of logits and labels gets ready; it leaves label -100 out."""

    def prepare(case: Case, data: Data, threads: int) -> Prepared | None:
        if case.device != "cuda" or case.loss != "cross_entropy":
            return None
        x, t, _ = pytorch.tensors(case, data)
        loss = load()
        return pytorch.backward(lambda: loss(x, t), x)

    return prepare


def _liger() -> Loss:
    from liger_kernel.transformers.functional import liger_cross_entropy

    # It writes the gradient over the logits; a clone keeps them, as a model's next layer would.
    return lambda x, t: liger_cross_entropy(x.clone(), t)


def _quack() -> Loss:
    from quack.cross_entropy import cross_entropy

    return lambda x, t: cross_entropy(x, t, reduction="mean")


def _flash_attention() -> Loss:
    from flash_attn.ops.triton.cross_entropy import cross_entropy_loss

    return lambda x, t: cross_entropy_loss(x, t)[0].sum() / (t >= 0).sum()


GPU = (
    Contestant("Liger", "liger_cross_entropy; logits cloned, for it overwrites them",
               ("liger_kernel",), _on_gpu(_liger), compiles=True),
    Contestant("QuACK", "quack.cross_entropy", ("quack",), _on_gpu(_quack), compiles=True),
    Contestant("flash-attn", "flash_attn.ops.triton.cross_entropy", ("flash_attn",),
               _on_gpu(_flash_attention), compiles=True),
)  # fmt: skip
