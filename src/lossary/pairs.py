"""Losses of a batch of embeddings: the similarities of all pairs, by blocks of rows.

A contrastive loss takes rows of similarities. Here they are made of embeddings, ``anchors`` times
``candidates`` transposed, a few rows at a time: the matrix of all pairs is never kept, neither for
the value nor for the gradients. Embeddings should have length 1.

>>> import numpy as np
>>> import lossary as L
>>> images, texts = np.eye(3), np.array([[0.8, 0.6, 0.0], [0.0, 1.0, 0.0], [0.6, 0.0, 0.8]])
>>> print(L.pairs.value(L.info_nce, images, texts, temperature=0.5).round(6))
0.475558

Without candidates the anchors are compared with each other, and none with itself:

>>> print(L.pairs.value(L.supervised_contrastive, texts, label=[0, 1, 0]).round(6))
0.490493
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from math import inf
from typing import Any, Literal

import numpy as np

from lossary.engine import Loss
from lossary.engine.libraries import Library, library_of
from lossary.engine.options import one_of
from lossary.engine.reading import read
from lossary.errors import FormulaError, ShapeError

__all__ = ["value", "value_and_gradients"]

_LEAST, _SHARE, _ROOM = 32, 512, 1 << 21
"""Rows of a block: at least so many, a share of all, or as many as have so many similarities.

A kernel needs two arrays like a block, an array library's own operations some thirty; a product of
few rows is slow: with 64 of 8192 a batch of embeddings took twice the time of one with 256.
"""

_WRITING = {"numpy", "torch"}
"""Libraries that write a product where it is to lie, in this machine's own memory."""


def value(
    loss: Loss,
    anchors: Any,
    candidates: Any = None,
    *,
    label: Any = None,
    candidate_label: Any = None,
    reduction: Literal["mean", "sum"] = "mean",
    block: int | None = None,
    **settings: Any,
) -> Any:
    """Return the loss of a batch of embeddings, of shape (N, D) each.

    A loss of similarities and a label, such as ``info_nce``, takes as ``label`` the place of each
    anchor's positive among the candidates; without it, the anchor's own place. A loss of
    similarities and roles takes the class of each anchor, and of each candidate as
    ``candidate_label``: those of one class are positives, the others negatives; without labels,
    the candidate at an anchor's own place is its one positive. Where there are no candidates,
    ``label`` says what belongs together. ``block`` is how many rows are computed at once, and
    ``settings`` are those of the loss.

    In PyTorch the result carries its gradients, which are computed with it. What else
    differentiates keeps what each block needs; :func:`value_and_gradients` does not.

    >>> import lossary as L
    >>> print(value(L.info_nce, np.eye(2), np.eye(2), temperature=1.0).round(6))  # log(1 + 1 / e)
    0.313262
    """
    batch = _Batch.of(loss, anchors, candidates, label, candidate_label, block, settings)
    share = _share(batch, reduction)
    moving = {n: x for n in ("anchors", "candidates") if (x := getattr(batch, n)) is not None}
    if batch.library.name == "torch" and any(x.requires_grad for x in moving.values()):
        still = replace(batch, **{name: x.detach() for name, x in moving.items()})
        return _connected().apply(lambda: still.gradients(share), *moving.values())
    return share * sum(loss(*data, reduction="sum", **settings) for _, data in batch.blocks())


def value_and_gradients(
    loss: Loss,
    anchors: Any,
    candidates: Any = None,
    *,
    label: Any = None,
    candidate_label: Any = None,
    reduction: Literal["mean", "sum"] = "mean",
    block: int | None = None,
    **settings: Any,
) -> tuple[Any, Any] | tuple[Any, Any, Any]:
    """Return the loss of :func:`value`, and its gradient in the anchors and in the candidates.

    >>> import lossary as L
    >>> _, in_anchors = value_and_gradients(L.nt_xent, np.eye(4)[:3], label=[0, 0, 1])
    >>> in_anchors.shape
    (3, 4)
    """
    batch = _Batch.of(loss, anchors, candidates, label, candidate_label, block, settings)
    return batch.gradients(_share(batch, reduction))


def _added(total: Any, left: Any, right: Any) -> Any:
    """Add a product of matrices, in place where the library knows that."""
    total += left @ right
    return total


def _added_by_torch(total: Any, left: Any, right: Any) -> Any:
    """Add a product that is as large as all embeddings without making it first."""
    return left @ right if isinstance(total, int) else total.addmm_(left, right)


_ADDING: dict[str, Callable[[Any, Any, Any], Any]] = {"torch": _added_by_torch}


class _Rows:
    """An array that is made a few rows at a time, each as a product of matrices."""

    def __init__(self, library: Library, like: Any, count: int, *, in_place: bool) -> None:
        self._library = library
        self._blocks: list[Any] = []
        self._room: Any = None
        if in_place:
            self._room = library.blank(like, (count, library.shape(like)[1]), like.dtype)

    def multiply(self, part: slice, left: Any, right: Any) -> None:
        """Make the next rows, where they are to lie if that is possible."""
        if self._room is None:
            self._blocks.append(left @ right)
        else:
            self._library.own.matmul(left, right, out=self._room[part])

    def whole(self) -> Any:
        """Return the array."""
        if self._room is not None:
            return self._room
        blocks, self._blocks = self._blocks, []
        return self._library.joined(blocks)


@dataclass(frozen=True)
class _Batch:
    """Embeddings as rows, and what is needed to say who is whose positive."""

    loss: Loss
    library: Library
    anchors: Any
    candidates: Any
    label: Any
    candidate_label: Any
    block: int
    settings: dict[str, Any]

    @classmethod
    def of(
        cls,
        loss: Loss,
        anchors: Any,
        candidates: Any,
        label: Any,
        candidate_label: Any,
        block: int | None,
        settings: dict[str, Any],
    ) -> _Batch:
        """Read the arrays; raises FormulaError and ShapeError for what does not fit."""
        _check_loss(loss)
        library = library_of([anchors] if candidates is None else [anchors, candidates])
        rows = read(library, "pairs", "anchors", anchors, None)
        others = candidates
        if candidates is not None:
            others = read(library, "pairs", "candidates", candidates, rows)
        _check_shapes(library, rows, others)
        known = [label, candidate_label if others is not None else label]
        counts = [len(rows), len(rows if others is None else others)]
        if label is None and (others is None or (_by_place(loss) and counts[0] > counts[1])):
            raise ShapeError(
                f"pairs: {loss.name} of {counts[0]} anchors among {counts[1]} candidates needs "
                "label=, which says what belongs together"
            )
        if label is not None and others is not None and candidate_label is None:
            known[1] = None if _by_place(loss) else label
        labels = [_labels(library, x, n, rows) for x, n in zip(known, counts, strict=True)]
        size = block or max(_LEAST, -(-counts[0] // _SHARE), _ROOM // max(1, counts[1]))
        return cls(loss, library, rows, others, labels[0], labels[1], size, settings)

    def blocks(self) -> Iterator[tuple[slice, tuple[Any, Any]]]:
        """Yield a few rows at a time, with their similarities and what goes with them."""
        library = self.library
        others = self.anchors if self.candidates is None else self.candidates
        turned = library.ordered(self._wide(others), (1, 0))
        places = library.array(np.arange(len(others)), others)
        for start in range(0, len(self.anchors), self.block):
            part = slice(start, start + self.block)
            similarities = self._wide(self.anchors[part]) @ turned
            apart = None
            if self.candidates is None:
                apart = places[part][:, None] != places[None, :]
            yield part, self._data(similarities, part, apart)

    def _wide(self, x: Any) -> Any:
        """Return x in the type of the result, which is float32 for halves."""
        return self.library.cast(x, self.library.result_dtype(x))

    def _can_be_written_beside(self, x: Any) -> bool:
        """Whether a product with x may be written into memory: no graph or transform follows it."""
        library = self.library
        plain = library.name in _WRITING and library.memory(x) is not None
        return plain and not library.tracked(x)

    def _data(self, similarities: Any, part: slice, apart: Any) -> tuple[Any, Any]:
        library, label = self.library, self.label[part]
        if _by_place(self.loss):
            if apart is not None:
                similarities = library.where(apart, similarities, -inf)
            return similarities, label
        alike = label[:, None] == self.candidate_label[None, :]
        roles = library.cast(alike, library.result_dtype(similarities)) * 2 - 1
        return similarities, roles if apart is None else library.where(apart, roles, 0)

    def gradients(self, share: float) -> Any:
        """Return the value and the gradients, of which each block adds its part."""
        library = self.library
        others = self._wide(self.anchors if self.candidates is None else self.candidates)
        value: Any = 0
        in_others: Any = 0
        in_place = all(map(self._can_be_written_beside, (self.anchors, others)))
        add = _ADDING.get(library.name, _added) if in_place else _added
        own = _Rows(library, others, len(self.anchors), in_place=in_place)
        for part, data in self.blocks():
            more, slope = self.loss.value_and_gradient(*data, reduction="sum", **self.settings)
            value = value + more
            own.multiply(part, slope, others)
            turned = library.ordered(slope, (1, 0))
            in_others = add(in_others, turned, self._wide(self.anchors[part]))
            del data, slope, turned  # before the next block has them
        # The share is that of all slopes, which are many times as many as numbers here.
        in_anchors = own.whole()
        in_anchors *= share  # in place, as above
        in_others *= share
        if self.candidates is None:
            return share * value, library.cast(in_anchors + in_others, self.anchors.dtype)
        return (
            share * value,
            library.cast(in_anchors, self.anchors.dtype),
            library.cast(in_others, self.candidates.dtype),
        )


def _by_place(loss: Loss) -> bool:
    """Whether the positive is said by its place, and not by a role for each candidate."""
    return loss.inputs[1].domain.integer


def _check_loss(loss: Loss) -> None:
    domains = [argument.domain for argument in loss.inputs]
    fits = len(domains) == 2 and domains[0].class_axis and not domains[0].mass
    if not fits or not (domains[1].integer or domains[1].name == "Roles"):
        raise FormulaError(
            f"pairs: {loss.name} takes {', '.join(a.name for a in loss.inputs)}, not a row of "
            "similarities and a label or roles\n"
            "hint: info_nce, supervised_contrastive, nt_xent and their like do"
        )


def _check_shapes(library: Library, rows: Any, others: Any) -> None:
    shapes = [library.shape(x) for x in (rows, others) if x is not None]
    if any(len(shape) != 2 for shape in shapes) or len({shape[1] for shape in shapes}) > 1:
        raise ShapeError(
            f"pairs: embeddings have shape (N, D), with one D; got {' and '.join(map(str, shapes))}"
        )


def _labels(library: Library, label: Any, count: int, like: Any) -> Any:
    label = np.arange(count) if label is None else label
    label = read(library, "pairs", "label", label, like, labels=True)
    if tuple(library.shape(label)) != (count,):
        raise ShapeError(
            f"pairs: one label for each of {count} embeddings, got {tuple(library.shape(label))}"
        )
    return label


def _share(batch: _Batch, reduction: str) -> float:
    one_of("pairs", "reduction", reduction, ("mean", "sum"))
    return 1 / len(batch.anchors) if reduction == "mean" else 1.0


@cache
def _connected() -> Any:
    """Return the Function of PyTorch whose backward pass multiplies gradients that are known.

    They are as large as all embeddings, so that the last walk through the graph takes them over.
    """
    torch = import_module("torch")
    once = import_module("torch.autograd.function").once_differentiable
    stays = import_module("lossary.engine.recipes.torch_plan").graph_stays

    class Pairs(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, compute: Callable[[], Any], *_: Any) -> Any:
            value, *slopes = compute()
            ctx.save_for_backward(*slopes)
            return value

        @staticmethod
        @once
        def backward(ctx: Any, upstream: Any) -> Any:
            if stays():
                return None, *(upstream * slope for slope in ctx.saved_tensors)
            return None, *(slope.data.mul_(upstream) for slope in ctx.saved_tensors)

    return Pairs


def __getattr__(name: str) -> Any:
    raise AttributeError(
        f"module {__name__!r} has no attribute {name!r}\n"
        "hint: a loss is the first argument, as in pairs.value(lossary.info_nce, images, texts)"
    )
