"""What a loss computes, and the types that come back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, overload

from lossary.definition import Definition
from lossary.engine import evaluate, graph, recipes
from lossary.engine.autograph import as_written
from lossary.engine.hints import TARGET_FIRST, for_host

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lossary.typing import A, Data, F, Listed, Reduced, Reduction


class Calls(Definition):
    """The record with its value, sums and derivatives on the arrays of any library.

    An array comes back as one of its kind, what a list or a number is taken for as NumPy's, and a
    reduced loss on NumPy as one of its numbers. A loss whose data are named is typed as far as its
    names are known: ``docs/stubs.py`` writes the overloads out for each loss of the catalogue.
    """

    @overload
    def __call__(
        self, x: NDArray[F] | Listed, /, *data: Data, reduction: Reduced = "mean", **settings: Any
    ) -> F: ...
    @overload
    def __call__(
        self, x: A | Listed, /, *data: Data, reduction: Reduction = "mean", **settings: Any
    ) -> A: ...
    @overload
    def __call__(self, **named: Any) -> Any: ...
    @as_written
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the reduced loss."""
        if graph.is_compiling():
            return graph.node(self, "__call__", args, kwargs)
        caller = sys._getframe(1).f_globals.get("__name__", "")  # noqa: SLF001  (a host is refused)
        if caller.startswith(TARGET_FIRST):
            raise TypeError(for_host(self, caller))
        road = recipes.roads[type(args[0])] if args else None
        found = recipes.NO_RECIPE if road is None else road(self, args, kwargs)
        return found if found is not recipes.NO_RECIPE else evaluate.value(self, args, kwargs)

    @as_written
    @graph.one_node
    def sums(self, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Return (weighted sum, weight sum), which add up exactly across batches and ranks.

        Of a loss over positions these are the sums that it is made of, for each of its values:
        ``of_sums`` makes the loss of them.
        """
        return evaluate.sums(self, args, kwargs)

    @overload
    def value_and_gradient(
        self,
        x: NDArray[F] | Listed,
        /,
        *data: Data,
        wrt: str | None = None,
        out: NDArray[Any] | None = None,
        reduction: Reduced = "mean",
        **settings: Any,
    ) -> tuple[F, NDArray[F]]: ...
    @overload
    def value_and_gradient(
        self,
        x: NDArray[F] | Listed,
        /,
        *data: Data,
        wrt: tuple[str, ...],
        reduction: Reduced = "mean",
        **settings: Any,
    ) -> tuple[F, tuple[NDArray[F], ...]]: ...
    @overload
    def value_and_gradient(
        self,
        x: A | Listed,
        /,
        *data: Data,
        wrt: str | None = None,
        out: A | None = None,
        reduction: Reduction = "mean",
        **settings: Any,
    ) -> tuple[A, A]: ...
    @overload
    def value_and_gradient(
        self,
        x: A | Listed,
        /,
        *data: Data,
        wrt: tuple[str, ...],
        reduction: Reduction = "mean",
        **settings: Any,
    ) -> tuple[A, tuple[A, ...]]: ...
    @overload
    def value_and_gradient(self, **named: Any) -> Any: ...
    @as_written
    @graph.one_node
    def value_and_gradient(
        self,
        *args: Any,
        wrt: str | tuple[str, ...] | None = None,
        out: Any = None,
        **kwargs: Any,
    ) -> tuple[Any, Any]:
        """Return the reduced loss and its gradient, in the shape of the first argument.

        ``wrt`` names another argument, or several for a tuple of gradients. ``out`` is an array
        that the gradient is written into, of any floating-point type and memory order.
        """
        if isinstance(wrt, tuple):
            value = self._derive(args, kwargs, ("value",), None)[0]
            return value, self.gradient(*args, wrt=wrt, **kwargs)
        value, gradient = self._derive(args, kwargs, ("value", "gradient"), wrt, out)
        return value, gradient

    @overload
    def gradient(
        self,
        x: A | Listed,
        /,
        *data: Data,
        wrt: str | None = None,
        out: A | None = None,
        reduction: Reduction = "mean",
        **settings: Any,
    ) -> A: ...
    @overload
    def gradient(
        self,
        x: A | Listed,
        /,
        *data: Data,
        wrt: tuple[str, ...],
        reduction: Reduction = "mean",
        **settings: Any,
    ) -> tuple[A, ...]: ...
    @overload
    def gradient(self, **named: Any) -> Any: ...
    @as_written
    @graph.one_node
    def gradient(
        self,
        *args: Any,
        wrt: str | tuple[str, ...] | None = None,
        out: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Return the gradient of the reduced loss, in ``out`` if that is given."""
        if isinstance(wrt, tuple):
            return tuple(self._derive(args, kwargs, ("gradient",), name)[0] for name in wrt)
        return self._derive(args, kwargs, ("gradient",), wrt, out)[0]

    @overload
    def hessian(
        self,
        x: A | Listed,
        /,
        *data: Data,
        wrt: str | None = None,
        out: A | None = None,
        reduction: Reduction = "mean",
        **settings: Any,
    ) -> A: ...
    @overload
    def hessian(self, **named: Any) -> Any: ...
    @as_written
    @graph.one_node
    def hessian(self, *args: Any, wrt: str | None = None, out: Any = None, **kwargs: Any) -> Any:
        """Return the diagonal of the second derivative of the reduced loss."""
        return self._derive(args, kwargs, ("hessian",), wrt, out)[0]

    @overload
    def gradient_and_hessian(
        self,
        x: A | Listed,
        /,
        *data: Data,
        out: tuple[A | None, A | None] = (None, None),
        reduction: Reduction = "mean",
        **settings: Any,
    ) -> tuple[A, A]: ...
    @overload
    def gradient_and_hessian(self, **named: Any) -> Any: ...
    @as_written
    @graph.one_node
    def gradient_and_hessian(self, *args: Any, out: Any = (None, None), **kwargs: Any) -> Any:
        """Return both derivatives of the reduced loss with respect to the first argument.

        ``out`` is a pair of arrays that they are written into, or None for a new one.
        """
        first, second = out
        kinds = {"gradient": first, "hessian": second}
        return tuple(self._derive(args, kwargs, tuple(kinds), None, kinds))

    def explain(self, *args: Any, **kwargs: Any) -> str:
        """Say which engine would compute this call, and why."""
        return recipes.explained(self, args, kwargs) or evaluate.explain(self, args, kwargs)

    def _derive(
        self, args: Any, kwargs: Any, kinds: tuple[str, ...], wrt: str | None, out: Any = None
    ) -> list[Any]:
        name = wrt or self.inputs[0].name
        if name not in self.differentiable:
            kind = "a discrete argument" if name in self.domains else "no argument"
            kind = "a hyper-parameter" if name in {a.name for a in self.parameters} else kind
            raise ValueError(
                f"{self.name} has no gradient with respect to {name!r}, which is {kind}\n"
                f"hint: choose from {', '.join(self.differentiable)}"
            )
        if kinds in recipes.WANTED and name == self.inputs[0].name:
            road = recipes.roads[type(args[0])] if args else None
            found = recipes.NO_RECIPE if road is None else road(self, args, kwargs, kinds, out)
            if found is not recipes.NO_RECIPE:
                return found
        return evaluate.derivatives(self, args, kwargs, kinds, name, out)
