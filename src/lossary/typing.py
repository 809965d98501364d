"""The words that the types of losses are spelled with.

They are for annotations, in your code as in the signatures of this package::

    from lossary.typing import Data, Reduction

    def score(prediction: Data, target: Data, reduction: Reduction = "mean"): ...

An array is told by its shape and its dtype, so that no array library has to be installed for the
types of another one. What a loss returns is of the kind that its first argument has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypedDict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import TypeVar

    A = TypeVar("A", bound="Array", default=NDArray[np.float64])
    """Arrays of one kind. Lists and numbers become NumPy's."""

    F = TypeVar("F", bound=np.floating[Any], default=np.float64)
    """The type of NumPy's numbers: a reduced loss is one of them."""

Reduction: TypeAlias = Literal["mean", "sum", "none"]
Reduced: TypeAlias = Literal["mean", "sum"]
Empty: TypeAlias = Literal["zero", "nan", "raise"]


class Array(Protocol):
    """An array or tensor of any library."""

    @property
    def shape(self) -> Any:
        """Its lengths."""
        ...

    @property
    def dtype(self) -> Any:
        """The type of its numbers."""
        ...


class Column(Protocol):
    """A column of a table, such as pandas' Series, which is read as a NumPy array."""

    def to_numpy(self) -> Any:
        """Return the array."""
        ...


Rows: TypeAlias = Sequence[float] | Sequence[Sequence[float]] | Sequence[Sequence[Sequence[float]]]
Listed: TypeAlias = float | Rows | Column
"""Data that no array library owns."""

Data: TypeAlias = Array | Listed
Number: TypeAlias = float | Array
"""A hyper-parameter: one number, or an array of them."""


class Kept(TypedDict, total=False):
    """Options that belong to a loss, so that a module is made with them."""

    empty: Empty
    check: bool
    inplace: bool


class Batch(TypedDict, total=False):
    """Options that belong to the data of a call."""

    weight: Data | None
    mask: Data | None
    denominator: Number | None


class Options(Kept, Batch, total=False):
    """The keywords of every loss, but for ``reduction``, which decides what comes back."""
