"""Any loss as the ``compute_loss_func`` of Hugging Face's Trainer.

The Trainer hands over what a model returned, the labels, and how many items the whole accumulated
batch has on all devices. The loss is the sum over the items of this part divided by that number,
so that accumulating parts of any size gives the gradient of one big batch. In evaluation the
Trainer averages batches; :func:`exact_evaluation` makes it add up sums instead.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from lossary import catalogue, find
from lossary.engine import Loss
from lossary.errors import DtypeError, ShapeError

__all__ = ["TrainerLoss", "exact_evaluation", "hf"]

T = TypeVar("T")

IGNORED = -100
"""The label that the Trainer and its collators leave out."""

_SPACES = ("prediction", "logit", "logits", "score", "scores", "log_rate")
_OWN = {"weight", "mask", "reduction", "denominator", "ignore_index"}


class TrainerLoss:
    """A loss in the form that the Trainer calls; made by :func:`hf`."""

    _looked = False
    _sums: list[Any] | None = None

    def __init__(
        self, loss: Loss, settings: dict[str, Any], shift: bool | None, ignore_index: int | None
    ) -> None:
        self.loss: Loss = loss
        self.settings: dict[str, Any] = settings
        self.shift: bool | None = shift
        self.ignore_index: int | None = ignore_index

    def __call__(self, outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        """Return the loss of a model's outputs, over ``num_items_in_batch`` or its own items."""
        if not self._looked:
            self._looked = True
            _warn_of_arguments(self, sys._getframe(1).f_locals.get("self"))  # noqa: SLF001
        logits = _logits(outputs)
        if labels is None:
            raise ValueError(
                f"{self!r} got no labels\n"
                "hint: the data set needs a column 'labels', and the collator must keep it"
            )
        if not hasattr(labels, "to"):
            raise DtypeError(
                f"{self!r} takes one tensor of labels, got {type(labels).__name__}\n"
                "hint: a model of several tasks needs a function of its own, which may call one "
                "hf(...) for each task"
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
        if self._sums is not None:
            self._sums.append(_sums_of(loss, prediction, target, keep, self.settings))
        return loss(prediction, target, mask=keep, denominator=items, **self.settings)

    @contextmanager
    def watched(self) -> Iterator[list[Any]]:
        """Collect the loss and the number of items of each example, in a tensor for each call."""
        self._sums = []
        try:
            yield self._sums
        finally:
            self._sums = None

    def __repr__(self) -> str:
        known = catalogue.get(self.loss.name) is self.loss
        own = {"shift": (self.shift, None), "ignore_index": (self.ignore_index, IGNORED)}
        words = self.settings | {k: v for k, (v, default) in own.items() if v != default}
        shown = [repr(self.loss.name) if known else self.loss.name]
        return f"hf({', '.join([*shown, *(f'{k}={v!r}' for k, v in words.items())])})"


def _sums_of(loss: Loss, prediction: Any, target: Any, keep: Any, settings: Any) -> Any:
    import torch

    values = loss(prediction, target, mask=keep, reduction="none", **settings)
    items = torch.ones_like(values) if keep is None else keep.to(values.dtype)
    return torch.stack([x.reshape(len(x), -1).sum(-1) for x in (values, items)], -1).detach()


def exact_evaluation(trainer: type[T]) -> type[T]:
    """Return a subclass of a Trainer whose ``eval_loss`` is the loss over all items.

    The Trainer itself averages the losses of batches as if each had as many items as the others,
    so that the result changes with the batch size. Here sums are added up, over all processes and
    without the examples that fill the last batch. Your own ``compute_metrics``, best checkpoints
    and ``predict``, whose ``test_loss`` this is too, work as before. ``compute_loss_func`` has to
    be an :func:`hf`; with another one nothing changes.

    >>> from transformers import Trainer
    >>> exact_evaluation(Trainer).__name__
    'ExactTrainer'
    """
    base: Any = trainer

    class Exact(base):
        _lossary_sums: Any = None

        def prediction_step(self, *args: Any, **kwargs: Any) -> Any:
            loss = self.compute_loss_func
            if self._lossary_sums is None or not isinstance(loss, TrainerLoss):
                return super().prediction_step(*args, **kwargs)
            with loss.watched() as sums:
                found = super().prediction_step(*args, **kwargs)
            for each in sums:
                gathered = self.accelerator.gather_for_metrics(each)
                self._lossary_sums += gathered.cpu().double().sum(0)
            return found

        def evaluation_loop(
            self,
            dataloader: Any,
            description: str,
            prediction_loss_only: bool | None = None,
            ignore_keys: list[str] | None = None,
            metric_key_prefix: str = "eval",
        ) -> Any:
            import torch

            self._lossary_sums = torch.zeros(2, dtype=torch.float64)
            output = super().evaluation_loop(
                dataloader, description, prediction_loss_only, ignore_keys, metric_key_prefix
            )
            total, items = self._lossary_sums.tolist()
            self._lossary_sums = None
            if items:
                output.metrics[f"{metric_key_prefix}_loss"] = total / items
            return output

    Exact.__name__ = Exact.__qualname__ = f"Exact{trainer.__name__}"
    made: Any = Exact
    return made


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


def _warn_of_arguments(loss: TrainerLoss, trainer: Any) -> None:
    """Warn of what the Trainer was told about its loss and does not hand over.

    It has no hook that could know them: it is found where it calls from.
    """
    arguments: Any = getattr(trainer, "args", None)
    smoothing = getattr(arguments, "label_smoothing_factor", 0)
    if smoothing and "label_smoothing" not in loss.settings:
        has = "label_smoothing" in loss.loss.__signature__.parameters
        warnings.warn(
            f"TrainingArguments(label_smoothing_factor={smoothing}) has no effect beside "
            f"compute_loss_func={loss!r}: the Trainer smooths in its own loss only\nhint: "
            + (
                f"hf({loss.loss.name!r}, label_smoothing={smoothing})"
                if has
                else f"{loss.loss.name} has no label_smoothing; cross_entropy has it"
            ),
            stacklevel=3,
        )
    if getattr(arguments, "world_size", 1) > 1 and not arguments.average_tokens_across_devices:
        warnings.warn(
            "TrainingArguments(average_tokens_across_devices=False): each process divides by its "
            "own number of items, and the mean of their means is not the loss of the batch\n"
            "hint: leave it at True, its default",
            stacklevel=3,
        )


def _logits(outputs: Any) -> Any:
    """Return what the model said: the entry "logits", or the first of a tuple."""
    if not isinstance(outputs, Mapping):
        return outputs[0] if isinstance(outputs, (tuple, list)) else outputs
    if "logits" not in outputs:
        raise ValueError(
            f"the model returned {', '.join(outputs)}, no logits\n"
            "hint: compute_loss_func serves models with one head; answers to questions have two"
        )
    if outputs["logits"] is None:
        raise ValueError(
            "the model returned no logits, which a compute_loss_func is computed from\n"
            "hint: TrainingArguments(use_liger_kernel=False); Liger's models leave them out"
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
