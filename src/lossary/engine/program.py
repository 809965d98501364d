"""From a definition to running functions: which expressions, which text, compiled once."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from lossary import calculus
from lossary.definition import Argument, Definition
from lossary.formula import Expression, constant, variable
from lossary.render import Program, render
from lossary.rewriting import simplify, substitute
from lossary.spaces import measured


class Variant:
    """A definition with its structural choices made: absent parameters, and fixed small numbers.

    Parameters that are exactly 0, 1 or 2 go into the text, so that a label smoothing of 0 costs
    nothing and gamma = 2 is a square.
    """

    def __init__(
        self,
        definition: Definition,
        absent: frozenset[str],
        fixed: tuple[Any, ...],
        weighted: bool = False,
    ) -> None:
        self.definition: Definition = definition
        self.weighted: bool = weighted
        self.absent: frozenset[str] = absent
        self.fixed: dict[str, Any] = dict(fixed)
        self.arguments: tuple[str, ...] = (
            tuple(
                a.name
                for a in definition.arguments
                if a.name not in absent and a.name not in self.fixed
            )
            + (POSITION_WEIGHT,) * weighted
        )
        labels = {a.name for a in definition.arguments if a.domain.integer}
        self.labels: tuple[bool, ...] = tuple(name in labels for name in self.arguments)

    def symbol(self, name: str) -> Expression:
        """Return the symbol of an argument."""
        if self.weighted and name == POSITION_WEIGHT:
            return self.definition.position_weight
        return self.definition.variable(name)

    def _fix(self, expression: Expression) -> Expression:
        replacements = {self.symbol(n): constant(float(v)) for n, v in self.fixed.items()}
        return simplify(substitute(expression, replacements))

    def value(self) -> Expression:
        """Return the loss."""
        if self.weighted:
            return self._fix(self.definition.weighted_expression(self.absent))
        return self._fix(self.definition.expression(self.absent))

    def aggregate(self, place: int) -> Expression:
        """Return one of the sums over positions that the loss can be computed from."""
        part = self.definition.aggregates(self.absent)[place]
        if self.weighted:
            part = measured(part, self.definition.position_weight)
        return self._fix(part)

    def gradient(self, name: str) -> Expression:
        """Return the gradient with respect to one argument."""
        return calculus.gradient(self.value(), self.symbol(name))

    def result(self, what: str) -> Expression:
        """Return ``value``, ``gradient:ARG``, ``hessian:ARG``, or a product of the second order.

        ``sum:PLACE`` is one of the sums over positions.

        ``pullback:A:B`` is the cotangent of B for the cotangent ``upstream`` of the gradient
        with respect to A; ``pushforward:A:B`` the tangent of that gradient for ``tangent`` of B.
        """
        kind, *names = what.split(":")
        if kind == "value":
            return self.value()
        if kind == "sum":
            return self.aggregate(int(names[0]))
        gradient = self.gradient(names[0])
        if kind == "gradient":
            return gradient
        if kind == "hessian":
            return calculus.diagonal_hessian(self.value(), self.symbol(names[0]))
        other = self.symbol(names[1])
        if kind == "pullback":
            upstream = variable("upstream", class_axis=self.symbol(names[0]).class_axis)
            return calculus.pullback(gradient, other, upstream)
        tangent = variable("tangent", class_axis=other.class_axis)
        return calculus.pushforward(gradient, other, tangent)


@lru_cache(maxsize=4096)
def variant(
    definition: Definition,
    absent: frozenset[str],
    fixed: tuple[Any, ...],
    weighted: bool = False,
) -> Variant:
    """Return the one variant for these choices."""
    return Variant(definition, absent, fixed, weighted)


POSITION_WEIGHT = "position_weight"
"""The argument of a text that weighs the positions."""


_EXTRA = {"pullback": ("upstream",), "pushforward": ("tangent",)}


def program(chosen: Variant, results: tuple[str, ...]) -> Program:
    """Name the function that computes these results."""
    kinds = [result.replace(":", "_") for result in results]
    extra = _EXTRA.get(results[0].partition(":")[0], ())
    name = chosen.definition.name
    plain = results == ("value",)
    return Program(
        name=name if plain else f"{name}_{'_and_'.join(kinds)}",
        arguments=(*chosen.arguments, *extra),
        results=tuple(chosen.result(result) for result in results),
        summary="\n\n".join(_words(chosen, plain=plain)),
    )


def _words(chosen: Variant, *, plain: bool) -> list[str]:
    """Say what a function is, and which shapes it wants if it works along the class axis."""
    definition = chosen.definition
    words = [definition.summary] if plain else []
    if not definition.class_axis:
        return words
    taken = [a for a in definition.arguments if a.name in chosen.arguments]
    shapes = [f"{a.name} {_shape(a)}" for a in taken]
    if chosen.weighted:
        shapes.append(f"{POSITION_WEIGHT} (..., positions)")
    axis = "positions" if definition.over_positions else "class axis"
    return [*words, f"Shapes: {', '.join(shapes)}; the result has the {axis} or 1 last."]


def _shape(argument: Argument) -> str:
    if argument.domain.class_axis:
        (axis,) = argument.domain.axes
        return f"(..., {axis})" if argument.positional else f"({axis})"
    if not argument.positional:
        return "()"
    return "(..., 1) of integers" if argument.domain.integer else "(..., 1)"


def text(chosen: Variant, results: tuple[str, ...], target: str) -> str:
    """Return the source of the function that computes these results."""
    return render(program(chosen, results), target)


@lru_cache(maxsize=4096)
def compiled(chosen: Variant, results: tuple[str, ...], target: str) -> Callable[..., Any]:
    """Return the function, with its source in ``linecache`` so that tracebacks show it."""
    made = program(chosen, results)
    source = render(made, target)
    filename = f"<lossary {target} {made.name} {sorted(chosen.fixed.items())}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {}
    exec(compile(source, filename, "exec"), namespace)  # noqa: S102  (our own rendered text)
    return namespace[made.name]
