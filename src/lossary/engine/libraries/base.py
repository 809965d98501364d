"""What the engine asks of an array library."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import reduce
from itertools import chain, repeat
from math import prod
from operator import mul
from typing import Any, Literal

from lossary.domain import Domain
from lossary.engine.memory import Memory
from lossary.engine.program import Variant, compiled

Kind = Literal["floating", "integer", "boolean", "complex", "other"]


_SYMBOLS = frozenset({"SymInt", "SymFloat", "_DimExpr"})


def symbolic(x: Any) -> bool:
    """Whether x is a number that a graph knows only when it runs, of PyTorch or JAX."""
    return type(x).__name__ in _SYMBOLS


@dataclass(frozen=True)
class Operation:
    """One loss on prepared arrays: what a library wraps in its custom gradient.

    ``differentiable`` names the arguments that may receive a gradient, ``work`` is the dtype
    inside, ``result`` the dtype outside. Class-axis losses have the class axis last; arguments and
    results without it keep a last axis of length 1.
    """

    variant: Variant
    target: str
    differentiable: tuple[str, ...]
    work: Any
    result: Any

    def function(self, *results: str) -> Callable[..., Any]:
        """Return the function that computes these results."""
        return compiled(self.variant, results, self.target)

    def sums(self, name: str) -> bool:
        """Whether a gradient entry of this argument belongs to a class of a row-shaped loss."""
        return self.variant.symbol(name).class_axis


def _axes_last(rank: int, axes: Sequence[int]) -> list[int]:
    return [*(k for k in range(rank) if k not in axes), *axes]


class Library(ABC):
    """An array library. Arrays of the library are called x; dtypes are the library's own.

    What has a body here is what most of them agree on, in NumPy's words.
    """

    name: str
    own: Any
    """The module whose functions are called."""
    index_dtype: Any
    """The dtype of labels."""

    @abstractmethod
    def owns(self, kind: type) -> bool:
        """Whether arrays of this type belong to the library."""

    @abstractmethod
    def array(self, data: Any, like: Any = None) -> Any:
        """Return data as an array, on the device of ``like``."""

    @abstractmethod
    def kind(self, x: Any) -> Kind:
        """What sort of numbers x holds."""

    @abstractmethod
    def work_dtype(self, x: Any) -> Any:
        """The dtype in which a loss of x is computed."""

    @abstractmethod
    def result_dtype(self, x: Any) -> Any:
        """The dtype in which a loss of x is returned: that of x, float32 for halves."""

    def target(self, work: Any, moving: Sequence[Any]) -> str:
        """Return which texts compute in the dtype ``work``; ``moving`` may get gradients."""
        return self.name

    @abstractmethod
    def epsilon(self, x: Any) -> float:
        """The spacing of x' dtype at 1; 0 for integers."""

    @abstractmethod
    def cast(self, x: Any, dtype: Any) -> Any:
        """Return x in another dtype."""

    @abstractmethod
    def concrete(self, arrays: Sequence[Any]) -> bool:
        """Whether values can be looked at now, without tracing and without a transfer."""

    @abstractmethod
    def numpy(self, x: Any) -> Any:
        """Return x as a NumPy array, for error messages."""

    @abstractmethod
    def operate(self, operation: Operation, arrays: Sequence[Any]) -> Any:
        """Return the unreduced loss, with its derived gradient attached."""

    def device(self, x: Any) -> Any:
        """Where x must be computed with; None if it goes wherever it is needed."""
        return None

    def plain(self, x: Any, labels: bool) -> Any:
        """Return an array of the library as one that it can compute with."""
        return x

    def refusal(self, x: Any) -> str | None:
        """Return what an array of the library is and the way out, if its memory is not enough."""
        return None

    def index(self, x: Any) -> Any:
        """Return labels in the library's dtype for them.

        A label beyond its range becomes the largest in it, which no class has.
        """
        return self.cast(x, self.index_dtype)

    def narrowed(self, x: Any) -> Any:
        """Return an integer array of NumPy whose labels stay themselves in the library's width."""
        return x

    def differs(self, label: Any, number: int) -> Any:
        """Return where a label is not this number, which need not be one of its dtype."""
        return label != number

    def together(self, arrays: dict[str, Any]) -> dict[str, Any]:
        """Return arrays that can be computed with each other."""
        return arrays

    def memory(self, x: Any) -> Memory | None:
        """Return the memory of x, without a copy; None where a CPU kernel cannot reach it."""
        return None

    def on_gpu(self, x: Any) -> bool:
        """Whether x is where Triton's kernels run."""
        return False

    def dense(self, x: Any) -> bool:
        """Whether x is numbers side by side, or in steps, that a kernel can be pointed at."""
        return False

    def tracked(self, x: Any) -> bool:
        """Whether a gradient with respect to x is being recorded."""
        return False

    def blank(self, like: Any, shape: tuple[int, ...], dtype: Any) -> Any:
        """Return an array whose contents are arbitrary, where ``like`` is."""
        raise NotImplementedError(f"{self.name} arrays cannot be written")

    def writable(self, x: Any) -> bool:
        """Whether floating-point numbers can be written into x."""
        memory = self.memory(x)
        flags = None if memory is None else memory.words.flags
        return flags is not None and self.kind(x) == "floating" and flags.writeable

    def copy_into(self, out: Any, x: Any) -> None:
        """Write x into an array of the same shape."""
        raise NotImplementedError(f"{self.name} arrays cannot be written")

    def fused_value(
        self, kernel: Any, by_operations: Callable[..., Any], plain: Callable[..., Any]
    ) -> Any:
        """Return the loss by a kernel; None if a value lies outside its set.

        ``plain`` makes it of the kernel, without a gradient; ``by_operations`` computes it from the
        call without a kernel.
        """
        return plain(kernel)

    def derived(
        self, found: list[Any], given: Iterable[Any], again: Callable[[], list[Any]]
    ) -> list[Any]:
        """Return what a kernel has derived, so that it can be differentiated where others can."""
        return found

    def evaluate(
        self, operation: Operation, results: tuple[str, ...], arrays: Sequence[Any]
    ) -> Any:
        """Return several results from one text, in the work dtype and without a gradient."""
        with self.wide():
            found = operation.function(*results)(*self.widened(operation, arrays))
            if len(results) > 1:
                return tuple(self._as_array(operation, x, arrays) for x in found)
            return self._as_array(operation, found, arrays)

    def _as_array(self, operation: Operation, x: Any, arrays: Sequence[Any]) -> Any:
        """A result can be a plain number: the Hessian of the squared error, a loss without slope.

        It is that of each element, also where elements are counted.
        """
        if hasattr(x, "dtype"):
            return x
        x = self.cast(self.array(x, arrays[0]), operation.work)
        rows = operation.variant.definition.class_axis
        return self.broadcast(x, arrays[0][..., :1] if rows else arrays[0])

    def widened(self, operation: Operation, arrays: Sequence[Any]) -> list[Any]:
        """Return the arrays in the work dtype; labels stay integers.

        What a derivative is multiplied by comes after the arguments, and is no label.
        """
        each = zip(arrays, chain(operation.variant.labels, repeat(False)), strict=False)
        return [x if label else self.cast(x, operation.work) for x, label in each]

    def wide(self) -> AbstractContextManager[Any]:
        """Return the context in which the work dtype exists."""
        return nullcontext()

    def aside(self) -> AbstractContextManager[Any]:
        """Return the context in which concrete arrays are computed with at once, graph or not."""
        return nullcontext()

    def calm(self) -> AbstractContextManager[Any]:
        """Return the context in which a NaN or an overflow on the way to a result is no event.

        Branches that ``where`` discards may be both; results say inf or NaN themselves.
        """
        return nullcontext()

    def shape(self, x: Any) -> Any:
        """Return the shape of x as far as a graph knows it: None for a length, or for the whole."""
        return tuple(x.shape)

    def alike(self, x: Any, y: Any, rows: bool) -> Any:
        """Return whether a graph will find x and y of one shape; None where that is known now.

        With ``rows`` all but the last axis must agree.
        """
        return None

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """Return x where the condition holds, else y; y may be a plain number."""
        return self.own.where(condition, x, y)

    def joined(self, arrays: Sequence[Any]) -> Any:
        """Return one array of several, one after the other along the first axis."""
        return self.own.concatenate(list(arrays), 0)

    @abstractmethod
    def total(self, x: Any) -> Any:
        """Return the sum of all entries in a wide accumulator."""

    def number_of(self, keep: Any, dtype: Any) -> Any:
        """Return how many hold, as a number of that dtype where there is one."""
        return self.total(self.cast(keep, dtype))

    def total_last(self, x: Any) -> Any:
        """Return the sum along the last axis, which stays with length 1."""
        return self.own.sum(x, axis=-1, keepdims=True)

    def all(self, ok: Any) -> bool:
        """Whether all hold; the values must be concrete."""
        return bool(self.numpy(ok).all())

    def all_last(self, x: Any) -> Any:
        """Return whether all along the last axis hold; the axis stays with length 1."""
        return self.own.all(x, axis=-1, keepdims=True)

    def extremes(self, domain: Domain, x: Any) -> tuple[Any, ...]:
        """Return arrays that lie in an interval where x does, all along its last axis."""
        return (x,)

    def ends(self, x: Any) -> tuple[Any, ...]:
        """Return the least and the largest number where that costs less than to compare each.

        Both are NaN where one of the numbers is; nothing is returned where it would cost more.
        """
        return ()

    def apart(self, x: Any) -> Any:
        """Return x, where a compiler is not to share what is made of it with other results."""
        return x

    def constant(self, x: Any) -> Any:
        """Return x, which nothing is differentiated through."""
        return x

    def settled(self, x: Any) -> Any:
        """Return x as one array, before it is summed, where a compiler would take it apart."""
        return x

    def exp(self, x: Any) -> Any:
        """Return the exponential."""
        return self.own.exp(x)

    def take(self, table: Any, index: Any) -> Any:
        """Return the entries of a vector at integer places."""
        return table[index]

    @abstractmethod
    def broadcast(self, x: Any, like: Any) -> Any:
        """Return x repeated to the shape of another array."""

    def count(self, x: Any) -> Any:
        """Return how many entries x has: a number, or an array in a graph for many sizes."""
        return prod(self.shape(x))

    def classes(self, x: Any) -> Any:
        """Return how long the last axis is: a number, or an array in a graph for many sizes."""
        return self.shape(x)[-1]

    def first(self, x: Any) -> Any:
        """Return a vector as long as the last axis that is true for the first class only."""
        return self.array([True] + [False] * (self.shape(x)[-1] - 1), x)

    def move_last(self, x: Any, axis: int, back: bool = False) -> Any:
        """Move an axis to the end, or the last one to ``axis``."""
        if axis == len(self.shape(x)) - 1:
            return x
        return self.own.moveaxis(x, -1, axis) if back else self.own.moveaxis(x, axis, -1)

    def ordered(self, x: Any, order: Sequence[int]) -> Any:
        """Return x with its axes in another order."""
        return self.own.transpose(x, order)

    def reshaped(self, x: Any, sizes: Sequence[Any]) -> Any:
        """Return x in another shape, of lengths as ``sizes`` gives them."""
        return self.own.reshape(x, sizes)

    def sizes(self, x: Any) -> list[Any]:
        """Return the length of each axis: numbers, or arrays in a graph for many sizes."""
        return list(x.shape)

    def merged(self, x: Any, axes: Sequence[int]) -> Any:
        """Return x with these axes as one, the last."""
        rank = len(self.shape(x))
        if tuple(axes) == (rank - 1,):
            return x
        x = self.ordered(x, _axes_last(rank, axes))
        sizes, rest = self.sizes(x), rank - len(axes)
        return self.reshaped(x, [*sizes[:rest], reduce(mul, sizes[rest:])])

    def parted(self, x: Any, axes: Sequence[int], like: Any) -> Any:
        """Return x, whose last axis stands for these of ``like``, in the shape of that."""
        rank = len(self.shape(like))
        if tuple(axes) == (rank - 1,):
            return x
        order, sizes = _axes_last(rank, axes), self.sizes(like)
        x = self.reshaped(x, [sizes[k] for k in order])
        return self.ordered(x, [order.index(k) for k in range(rank)])

    def expand(self, x: Any) -> Any:
        """Append an axis of length 1."""
        return x[..., None]

    def squeeze(self, x: Any) -> Any:
        """Drop the last axis, of length 1."""
        return x[..., 0]

    def finish(self, x: Any) -> Any:
        """Return a result as the library's users expect it."""
        return x
