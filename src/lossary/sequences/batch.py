"""A call of a loss of sequences: its values weighed and reduced, with their gradients."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper
from math import inf, nan
from typing import Any, Generic, Literal, ParamSpec

import numpy as np

from lossary.engine.autograph import as_written
from lossary.engine.graph import one_node
from lossary.engine.libraries import Library
from lossary.engine.numbered import number
from lossary.errors import DomainError
from lossary.sequences.recursion import Arrays, Recursion

P = ParamSpec("P")

Reduction = Literal["none", "sum", "mean"]
Impossible = Literal["inf", "zero"]


@dataclass(frozen=True)
class Batch:
    """Sequences that have been read: ``lead`` are the axes before those of a sequence.

    ``weight`` has one number for each sequence, or is None. ``blame`` raises for the first number
    that made a value NaN. ``alike`` turns slopes, one axis for all sequences, into the shape of
    what was given.
    """

    recursion: Recursion
    library: Library
    moving: Arrays
    still: Arrays
    lead: tuple[Any, ...]
    weight: Any
    reduction: Reduction
    impossible: Impossible
    blame: Callable[[np.ndarray], None]
    alike: Callable[[Arrays], Arrays]

    def value(self) -> Any:
        """Return the reduced loss, which the library can differentiate."""
        values = self.recursion.values(self.library, self.moving, self.still)
        self._check(values)
        return self._reduced(values)

    def value_and_slopes(self) -> tuple[Any, Any]:
        """Return the reduced loss and its gradient, in all that moves."""
        library = self.library
        values, slopes = self.recursion.computed(library, self.moving, self.still, wanted=True)
        self._check(values)
        with library.wide():
            factor = self._factor(values)
            found = []
            for slope, x in zip(slopes, self.moving, strict=True):
                if factor is not None:
                    slope = slope * self._spread(factor, slope)  # noqa: PLW2901
                found.append(library.cast(slope, x.dtype))
        made = self.alike(tuple(found))
        return self._reduced(values), made[0] if len(made) == 1 else made

    def _check(self, values: Any) -> None:
        if self.library.concrete([values]):
            found = self.library.numpy(values)
            if np.isnan(found).any():
                self.blame(np.isnan(found))

    def _reduced(self, values: Any) -> Any:
        library, weight = self.library, self.weight
        with library.wide(), library.calm():
            if self.impossible == "zero":
                values = library.where(values != inf, values, 0.0)
            if weight is not None:  # what weighs 0 was read as empty: its value is 0, not infinity
                values = values * library.cast(weight, values.dtype)
            if self.reduction == "none":
                return library.finish(library.reshaped(values, list(self.lead)))
            total = library.total(values)
            if self.reduction == "mean":
                total = total / self._divisor(values)
            return library.finish(library.cast(total, values.dtype))

    def _divisor(self, values: Any) -> Any:
        """Return the sum of the weights; NaN where it is 0 and cannot be refused."""
        library = self.library
        if self.weight is None:
            count = library.count(values)
            if isinstance(count, (int, float)) and not count:
                self._refuse_empty()
            return count
        total = library.total(library.cast(self.weight, values.dtype))
        if library.concrete([total]):
            if not library.numpy(total):
                self._refuse_empty()
            return total
        return library.where(total == 0, total * nan, total)

    def _refuse_empty(self) -> None:
        raise DomainError(
            f"{self.recursion.name}: the mean of no sequences is no number; "
            "reduction='sum' of none is 0"
        )

    def _factor(self, values: Any) -> Any:
        """Return what each sequence counts in the reduced loss; None for 1."""
        factor = None if self.weight is None else self.library.cast(self.weight, values.dtype)
        if self.reduction != "mean":
            return factor
        divisor = self._divisor(values)
        return (1 if factor is None else factor) / divisor

    def _spread(self, factor: Any, slope: Any) -> Any:
        if not hasattr(factor, "dtype"):
            return factor
        if not len(factor.shape):
            return self.library.cast(factor, slope.dtype)
        ones = [1] * (len(slope.shape) - 1)
        return self.library.cast(self.library.reshaped(factor, [-1, *ones]), slope.dtype)


@as_written
class SequenceLoss(Generic[P]):
    """A loss of whole sequences: call it for the value, or ask for ``gradient``.

    On PyTorch, JAX and TensorFlow the value is differentiable as any other.
    """

    def __init__(
        self,
        read: Callable[P, Batch],
        source: str,
        elsewhere: tuple[str, ...],
        traps: tuple[str, ...],
    ) -> None:
        update_wrapper(self, read)
        self._read = read
        self.name: str = read.__name__
        self.source: str = source
        self.elsewhere: tuple[str, ...] = elsewhere
        self.traps: tuple[str, ...] = traps
        self.__signature__: inspect.Signature = inspect.signature(read)
        self.number: int = number(self)
        self.over_positions = True  # no operator of the engine computes it

    @property
    def summary(self) -> str:
        """The first sentence of its description."""
        return (inspect.getdoc(self._read) or "").partition("\n")[0]

    def __repr__(self) -> str:
        return f"<loss of sequences lossary.sequences.{self.name}>"

    @as_written
    @one_node
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Return the loss."""
        return self._read(*args, **kwargs).value()

    @as_written
    @one_node
    def gradient(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Return the gradient of the reduced loss, in the shape and type of what was given."""
        return self._read(*args, **kwargs).value_and_slopes()[1]

    @as_written
    @one_node
    def value_and_gradient(self, *args: P.args, **kwargs: P.kwargs) -> tuple[Any, Any]:
        """Return the loss and its gradient, which are computed together."""
        return self._read(*args, **kwargs).value_and_slopes()


def sequence_loss(
    *, source: str, elsewhere: tuple[str, ...] = (), traps: tuple[str, ...] = ()
) -> Callable[[Callable[P, Batch]], SequenceLoss[P]]:
    """Make a loss of a function that reads the arguments of its call."""
    return lambda read: SequenceLoss(read, source, elsewhere, traps)
