"""Any loss as the ``compute_loss_func`` of Hugging Face's Trainer.

The Trainer hands over what a model returned, the labels, and how many items the whole accumulated
batch has on all devices. The loss is the sum over the items of this part divided by that number,
so that accumulating parts of any size gives the gradient of one big batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossary import catalogue, find
from lossary.engine import Loss
from lossary.errors import DtypeError, ShapeError

__all__ = ["TrainerLoss", "hf"]

IGNORED = -100
"""The label that the Trainer and its collators leave out."""

_SPACES = ("prediction", "logit", "logits", "score", "scores", "log_rate")
_OWN = {"weight", "mask", "reduction", "denominator", "ignore_index"}


class TrainerLoss:
    """A loss in the form that the Trainer calls; made by :func:`hf`."""

    def __init__(
        self, loss: Loss, settings: dict[str, Any], shift: bool | None, ignore_index: int | None
    ) -> None:
        self.loss, self.settings = loss, settings
        self.shift, self.ignore_index = shift, ignore_index

    def __call__(self, outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        """Return the loss of a model's outputs, over ``num_items_in_batch`` or its own items."""
        logits = _logits(outputs)
        if labels is None:
            raise ValueError(
                f"{self!r} got no labels\n"
                "hint: the data set needs a column 'labels', and the collator must keep it"
            )
        labels = labels.to(logits.device)
        keep = None if self.ignore_index is None else labels != self.ignore_index
        if _shifts(self.shift, outputs, labels, logits):
            labels, keep = _shifted(labels, keep)
        loss, items = self.loss, num_items_in_batch
        prediction, target, keep = _fitted(loss, logits, labels, keep, self.settings)
        if hasattr(items, "sum"):
            # Under DataParallel there is one entry for each replica, and all of them share outputs.
            items = items.sum().to(logits.device)
        if items is not None and loss.inputs[1].domain.class_axis:
            # The Trainer counts the entries of soft labels; an item is a row of them.
            items = items / prediction.shape[self.settings.get("axis", -1)]
        return loss(prediction, target, mask=keep, denominator=items, **self.settings)

    def __repr__(self) -> str:
        known = catalogue.get(self.loss.name) is self.loss
        own = {"shift": (self.shift, None), "ignore_index": (self.ignore_index, IGNORED)}
        words = self.settings | {k: v for k, (v, default) in own.items() if v != default}
        shown = [repr(self.loss.name) if known else self.loss.name]
        return f"hf({', '.join([*shown, *(f'{k}={v!r}' for k, v in words.items())])})"


def hf(
    name: str | Loss,
    *,
    shift: bool | None = None,
    ignore_index: int | None = IGNORED,
    **settings: Any,
) -> TrainerLoss:
    """Return a loss for ``Trainer(compute_loss_func=...)``.

    ``name`` is a loss or its name, here or in another library, of logits, scores or plain
    predictions; ``settings`` are its hyper-parameters and options, such as ``label_smoothing``,
    ``class_weight``, or ``axis`` for images. The outputs' ``logits`` are (batch, tokens, classes)
    or (batch, classes) with labels of the shape without the classes, or both have one shape; a
    last axis of length 1 is dropped where only one of the two has it.

    ``shift`` says whether position n predicts label n + 1. By default the model's kind of output
    says it: causal language models shift, all others are aligned; plain tuples of tokens need it.
    Labels equal to ``ignore_index`` do not count, as the Trainer does not count them: None keeps
    all of them. With a ``class_weight`` the weights scale the loss and are not divided out.

    The number of items is the Trainer's. It knows a causal model by its ``loss_type``, which models
    such as GPT2LMHeadModel lack: it then counts the first label of each row, too, and the loss is
    a little too small. ``model.loss_type = "ForCausalLM"`` before the Trainer is made corrects it.

    Raises KeyError for an unknown name, ValueError for a loss of probabilities or of more than one
    target, TypeError for unknown settings.

    >>> import torch
    >>> loss = hf("cross_entropy", label_smoothing=0.1)
    >>> loss
    hf('cross_entropy', label_smoothing=0.1)
    >>> outputs = {"logits": torch.tensor([[2.0, 0.0], [1.0, 0.0]])}
    >>> loss(outputs, torch.tensor([0, -100]), num_items_in_batch=4)
    tensor(0.0567)
    """
    found = find(name) if isinstance(name, str) else name
    space = found.inputs[0].name
    if space not in _SPACES or len(found.inputs) != 2:
        twin = found.name.removesuffix("_from_probability").removesuffix("_from_probabilities")
        instead = twin if twin in catalogue and twin != found.name else "cross_entropy"
        raise ValueError(
            f"hf: {found.name} takes {', '.join(a.name for a in found.inputs)}, a model returns "
            f"logits and the Trainer one set of labels\nhint: {instead} takes logits"
        )
    allowed = set(found.__signature__.parameters) - {a.name for a in found.inputs} - _OWN
    if unknown := settings.keys() - allowed:
        raise TypeError(
            f"hf: {found.name} has no setting {', '.join(sorted(unknown))}\n"
            f"hint: it has {', '.join(sorted(allowed | {'shift', 'ignore_index'}))}"
        )
    missing = [a.name for a in found.parameters if a.required and a.name not in settings]
    if missing:
        raise TypeError(f"hf: {found.name} needs {', '.join(missing)}")
    return TrainerLoss(found, settings, shift, ignore_index)


def _logits(outputs: Any) -> Any:
    """Return what the model said: the entry "logits", or the first of a tuple."""
    if not isinstance(outputs, Mapping):
        return outputs[0] if isinstance(outputs, (tuple, list)) else outputs
    if "logits" not in outputs:
        raise ValueError(
            f"the model returned {', '.join(outputs)}, no logits\n"
            "hint: compute_loss_func serves models with one head; answers to questions have two"
        )
    return outputs["logits"]


def _shifts(shift: bool | None, outputs: Any, labels: Any, logits: Any) -> bool:
    """Whether position n predicts label n + 1."""
    if shift is not None:
        return shift
    kind = type(outputs).__name__
    if kind.endswith("Output") or "OutputWith" in kind:
        return "CausalLMOutput" in kind
    if labels.ndim > 1 and logits.ndim > labels.ndim:
        raise ValueError(
            f"a {kind} does not say whether its model is a causal one\n"
            "hint: hf(..., shift=True) if position n predicts label n + 1, else shift=False"
        )
    return False


def _shifted(labels: Any, keep: Any) -> tuple[Any, Any]:
    """Return the label after each position; the last position has none."""
    keep = (labels == labels) if keep is None else keep  # noqa: PLR0124  (an array of True)
    keep = keep.roll(-1, -1)
    keep[..., -1] = False
    return labels.roll(-1, -1), keep


def _fitted(
    loss: Loss, logits: Any, labels: Any, keep: Any, settings: dict[str, Any]
) -> tuple[Any, Any, Any]:
    """Return prediction, target and mask in shapes that fit the loss."""
    target = loss.inputs[1].domain
    if target.integer and labels.dtype.is_floating_point:
        raise DtypeError(
            f"{loss.name}: labels must be class indices, got {labels.dtype}\n"
            "hint: soft_cross_entropy takes a distribution per item, binary_cross_entropy 0 and 1"
        )
    if loss.class_axis and not target.class_axis:
        axis = settings.get("axis", -1) % logits.ndim
        rows = logits.shape[:axis] + logits.shape[axis + 1 :]
    else:
        rows = logits.shape
        if tuple(rows) == (*labels.shape, 1) and not loss.class_axis:
            logits, rows = logits[..., 0], labels.shape
    if tuple(labels.shape) == (*rows, 1):
        labels, keep = labels[..., 0], None if keep is None else keep[..., 0]
    if tuple(labels.shape) != tuple(rows):
        raise ShapeError(
            f"{loss.name}: labels of shape {tuple(labels.shape)} do not fit logits of shape "
            f"{tuple(logits.shape)}\nhint: {loss.name} needs labels of shape {tuple(rows)}"
        )
    if keep is not None and target.class_axis:
        keep = keep.all(settings.get("axis", -1))
    return logits, labels, keep
