"""The criteria of :mod:`torch.nn`: the same constructors, buffers and names, lossary's losses.

Each is a subclass of PyTorch's, so that ``isinstance``, state dicts, ``repr`` and the legacy
arguments stay what they were; only ``forward`` differs. The classes are made from one table;
``modules.pyi`` spells them out for editors and type checkers (``python -m lossary.torch.stubs``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from torch import Tensor, nn

from lossary.torch import functional as F
from lossary.torch.contract import refuse_scripting

# PyTorch before 2.13 has no linear cross-entropy; its criterion is then left out.
CRITERIA: dict[str, Callable[..., Tensor]] = {
    "L1Loss": F.l1_loss,
    "MSELoss": F.mse_loss,
    "SmoothL1Loss": F.smooth_l1_loss,
    "HuberLoss": F.huber_loss,
    "KLDivLoss": F.kl_div,
    "PoissonNLLLoss": F.poisson_nll_loss,
    "GaussianNLLLoss": F.gaussian_nll_loss,
    "NLLLoss": F.nll_loss,
    "CrossEntropyLoss": F.cross_entropy,
    "LinearCrossEntropyLoss": F.linear_cross_entropy,
    "BCELoss": F.binary_cross_entropy,
    "BCEWithLogitsLoss": F.binary_cross_entropy_with_logits,
    "MultiLabelSoftMarginLoss": F.multilabel_soft_margin_loss,
    "SoftMarginLoss": F.soft_margin_loss,
    "HingeEmbeddingLoss": F.hinge_embedding_loss,
    "MarginRankingLoss": F.margin_ranking_loss,
    "MultiMarginLoss": F.multi_margin_loss,
    "MultiLabelMarginLoss": F.multilabel_margin_loss,
    "CosineEmbeddingLoss": F.cosine_embedding_loss,
    "TripletMarginLoss": F.triplet_margin_loss,
    "TripletMarginWithDistanceLoss": F.triplet_margin_with_distance_loss,
    "CTCLoss": F.ctc_loss,
}

_LEGACY = {"size_average", "reduce"}


def _criterion(name: str, function: Callable[..., Tensor]) -> type[nn.Module]:
    """Return PyTorch's criterion with the function of the door behind ``forward``."""
    base = getattr(nn, name)
    accepted = list(inspect.signature(function).parameters)
    constructed = inspect.signature(base.__init__).parameters
    settings = tuple(n for n in accepted if n in constructed and n not in _LEGACY)
    tensors = list(inspect.signature(base.forward).parameters)[1:]
    # PoissonNLLLoss calls its first tensor log_input, which the function has for something else.
    words = {own: word for own, word in zip(tensors, accepted, strict=False) if own != word}

    @wraps(base.forward)
    def forward(self: Any, *args: Tensor, **kwargs: Tensor) -> Tensor:
        chosen = {key: getattr(self, key) for key in settings}
        for key, value in kwargs.items():
            chosen[words.get(key, key)] = value
        return function(*args, **chosen)

    own = f"lossary.torch.functional.{function.__name__}"
    described = f":class:`torch.nn.{name}`, computed by :func:`{own}`."
    return _subclass(base, described, forward)


def _subclass(base: Any, described: str, forward: Callable[..., Tensor]) -> type[nn.Module]:
    name = base.__name__
    body = {
        "__doc__": described,
        "__module__": __name__,
        "forward": forward,
        "__prepare_scriptable__": lambda _: refuse_scripting(name),
    }
    return type(name, (base,), body)


def _linear(base: Any) -> type[nn.Module]:
    """Return the criterion that owns a linear layer."""

    def forward(self: Any, input: Tensor, target: Tensor) -> Tensor:
        layer = self.linear
        shape = (self.num_classes, *self.out_features)
        return F.linear_cross_entropy(
            input,
            layer.weight.reshape(*shape, layer.in_features),
            target,
            linear_bias=None if layer.bias is None else layer.bias.reshape(shape),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )

    described = (
        ":class:`torch.nn.LinearCrossEntropyLoss`, computed by "
        ":func:`lossary.torch.functional.linear_cross_entropy`."
    )
    return _subclass(base, described, forward)


for _name, _function in CRITERIA.items():
    if _function is not F.linear_cross_entropy:
        globals()[_name] = _criterion(_name, _function)
    elif hasattr(nn, _name):
        globals()[_name] = _linear(getattr(nn, _name))

__all__ = [name for name in CRITERIA if name in globals()]  # pyright: ignore[reportUnsupportedDunderAll]
