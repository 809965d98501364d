"""A loss that can be called: the record with the engine behind it."""

from __future__ import annotations

import importlib
import inspect
import pickle
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cached_property
from types import FrameType
from typing import Any, overload

from lossary.definition import Definition, define
from lossary.engine.autograph import as_written
from lossary.engine.calls import Calls
from lossary.engine.describe import describe
from lossary.engine.numbered import number
from lossary.engine.options import options_of
from lossary.engine.program import text, variant
from lossary.engine.states import NextState
from lossary.notation import Written

_POSITIONAL, _KEYWORD = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY


@as_written
class Loss(Calls):
    """A loss: call it on arrays of any library, or ask for sums and derivatives."""

    def __init__(self, **facts: Any) -> None:
        super().__init__(**facts)
        object.__setattr__(self, "number", number(self))
        vars(self).update(_as_a_function(self))

    @cached_property
    def of_sums(self) -> Loss:
        """The loss as a function of its sums over positions, which may come from many batches.

        >>> import lossary as L
        >>> batches = [([0.9, 0.8], [1.0, 1.0]), ([0.3, 0.2], [0.0, 1.0])]
        >>> sums = [sum(parts) for parts in zip(*(L.dice.sums(p, y) for p, y in batches))]
        >>> print(round(L.dice.of_sums(*sums), 9))
        0.269230769
        >>> print(round(L.dice([0.9, 0.8, 0.3, 0.2], [1.0, 1.0, 0.0, 1.0]), 9))
        0.269230769
        """
        if not self.over_positions:
            raise AttributeError(
                f"{self.name} is no loss over positions: its sums() are a sum and a weight sum\n"
                "hint: the mean is the one over the other"
            )
        return bind(self.finish())

    @cached_property
    def next_state(self) -> NextState:
        """The state after a batch, of a loss that has one: a pure function, also of sums.

        >>> import lossary as L
        >>> print(L.seesaw.next_state([0, 2, 2], class_counts=[5.0, 0.0, 1.0]))
        [6. 0. 3.]
        """
        if self.state is None:
            raise AttributeError(
                f"{self.name} has no state: it depends on its arguments alone\n"
                "hint: a loss of one's own has one with @L.loss(state=formula)"
            )
        return NextState(self, bind(define(self.state, source=self.source)))

    def accuracy(self, dtype: str = "float64", size: int = 400, seed: int = 0) -> Any:
        """Return where digits are lost, by which part of the formula, and what would help.

        About ``size`` numbers from the whole domain are compared with the truth, and the ends of
        the type are searched for results that are not finite. Needs the extra ``accuracy``.
        """
        diagnosis = importlib.import_module("lossary.accuracy.diagnosis")
        return diagnosis.diagnose(self, dtype, size, seed)

    def text(self, target: str, order: int = 0) -> str:
        """Return the source that runs: the value (order 0), gradient (1) or Hessian (2)."""
        name = self.inputs[0].name
        what = ("value", f"gradient:{name}", f"hessian:{name}")[order]
        return text(variant(self, self.absent_by_default, ()), (what,), target)

    @cached_property
    def written(self) -> Written:
        """The formula as its author wrote it, and derivatives of it, for reading."""
        symbols = {argument.name: self.variable(argument.name) for argument in self.arguments}
        return Written(self.formula, symbols, {n: d.name for n, d in self.domains.items()})

    @cached_property
    def latex(self) -> str:
        """The formula."""
        return self.written.latex(0)

    @cached_property
    def gradient_latex(self) -> str:
        """The first derivative with respect to the prediction."""
        return self.written.latex(1)

    @cached_property
    def hessian_latex(self) -> str:
        """The diagonal second derivative with respect to the prediction."""
        return self.written.latex(2)

    @cached_property
    def __signature__(self) -> inspect.Signature:
        own = [
            inspect.Parameter(
                a.name,
                _POSITIONAL if a.positional else _KEYWORD,
                default=inspect.Parameter.empty if a.required else a.default,
            )
            for a in self.arguments
        ]  # fmt: skip
        options = [
            inspect.Parameter(name, _KEYWORD, default=default)
            for name, default in options_of(self).items()
        ]
        return inspect.Signature([*own, *options])

    @property
    def __doc__(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return describe(self)

    def __reduce__(self) -> tuple[Any, ...]:
        module, by_value = self.formula.__module__, _is_by_value(sys._getframe(1))  # noqa: SLF001
        name = _own_name(self)
        if name is not None and not (by_value and module == "__main__"):
            return restore, (module, name)
        if by_value:
            facts = {f.name: getattr(self, f.name) for f in fields(Definition)}
            return rebuild, (facts | {"declared": self.arguments},)  # annotations may be strings
        raise pickle.PicklingError(
            f"{self.name} cannot be pickled: {module} has no "
            f"{self.formula.__qualname__} that is this loss\n"
            "hint: define it at the top of a module, under its own name, or use cloudpickle"
        )

    def __copy__(self) -> Loss:
        return self  # as functions are

    def __deepcopy__(self, memo: Any) -> Loss:
        return self

    def __repr__(self) -> str:
        return f"<loss {self.name}{self.__signature__}>"


def _as_a_function(loss: Loss) -> dict[str, Any]:
    """Return what inspect, functools, joblib, doctest and their like ask a function for."""
    module = loss.formula.__module__
    return {
        "__name__": loss.name,
        "__qualname__": loss.name,
        "__module__": "lossary" if module.startswith("lossary.losses.") else module,
        "__wrapped__": loss.formula,
    }


def bind(definition: Definition) -> Loss:
    """Return the record with the engine behind it."""
    return Loss(**{f.name: getattr(definition, f.name) for f in fields(definition)})


def _own_name(loss: Loss) -> str | None:
    """Return the name by which its module leads to the loss, if there is one."""
    if _catalogue().get(loss.name) is loss:
        return loss.name
    module = sys.modules.get(loss.formula.__module__)
    names = (loss.formula.__qualname__, *(n for n, x in vars(module).items() if x is loss))
    return next((n for n in names if _attribute(module, n) is loss), None)


def _attribute(module: Any, name: str) -> Any:
    for part in name.split("."):
        module = getattr(module, part, None)
    return module


def _catalogue() -> Mapping[str, Loss]:
    return importlib.import_module("lossary").catalogue


def _is_by_value(frame: FrameType | None) -> bool:
    """Whether a pickler is at work that writes functions out, as plain pickle cannot.

    A pickler does not say who it is; who called does.
    """
    while frame is not None:
        if not _BY_VALUE.isdisjoint(frame.f_globals.get("__name__", "").split(".")):
            return True
        frame = frame.f_back
    return False


_BY_VALUE = {"cloudpickle", "dill"}
"""Packages, under whatever roof they have been copied to."""


def restore(module: str, name: str) -> Loss:
    """Return the loss that was pickled: by name, as functions are."""
    found = _attribute(importlib.import_module(module), name)
    if isinstance(found, Loss):
        return found
    if name in _catalogue():
        return _catalogue()[name]
    raise AttributeError(
        f"a loss was pickled as {name} of {module}, which has no such loss here\n"
        "hint: define it in a module that both sides import"
    )


def rebuild(facts: dict[str, Any]) -> Loss:
    """Return a loss made of what its record says."""
    return Loss(**facts)


@overload
def loss(formula: Callable[..., Any], /) -> Loss: ...
@overload
def loss(**facts: Any) -> Callable[[Callable[..., Any]], Loss]: ...
def loss(
    formula: Callable[..., Any] | None = None, /, **facts: Any
) -> Loss | Callable[[Callable[..., Any]], Loss]:
    """Turn a formula into a loss that runs everywhere, exact however it is written.

    >>> import lossary as L
    >>> from lossary.domain import Positive, Real
    >>> from lossary.functions import exp
    >>> @L.loss(source="Dennis and Welsch 1978, doi:10.1080/03610917808812083")
    ... def welsch(prediction: Real, target: Real, *, scale: Positive = 1.0):
    ...     '''Squared error near zero that saturates for outliers.'''
    ...     return scale**2 / 2 * (1 - exp(-(((prediction - target) / scale) ** 2)))
    >>> print(round(welsch([3.0], [0.0]), 12))
    0.499938295098

    Facts (source, promises, ...) are optional, and so are the parentheses:

    >>> from lossary.functions import log, sigmoid
    >>> @L.loss
    ... def preference(chosen: Real, rejected: Real):
    ...     return -log(sigmoid(chosen - rejected))
    >>> print(preference([800.0], [0.0]))
    0.0
    """

    def decorate(formula: Callable[..., Any]) -> Loss:
        return bind(define(formula, **facts))

    if formula is None:
        return decorate
    if not callable(formula):
        raise TypeError(f"loss takes facts by name, as in source={formula!r}")
    return decorate(formula)
