"""The order of work in one call: prepare, weigh, check, compute, reduce."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lossary.definition import Argument, Definition
from lossary.engine import checking, gpu, reduction, results, selection, weighing
from lossary.engine.arguments import Call, prepare
from lossary.engine.fused import Fused, fused
from lossary.engine.libraries import Library
from lossary.engine.libraries.base import Operation
from lossary.engine.program import Variant, variant
from lossary.errors import ShapeError

__all__ = ["derivatives", "explain", "loss", "sums"]


@dataclass
class Work:
    """A call made ready: the operation, its arrays in the order of the text, and the weights."""

    call: Call
    operation: Operation
    arrays: list[Any]
    weight: Any
    keep: Any
    poison: Any

    @property
    def library(self) -> Library:
        """The library that the arrays belong to."""
        return self.call.library

    def poisoned(self, x: Any) -> Any:
        """Make x NaN where a value lies outside its set and nothing could be raised."""
        return x if self.poison is None else x * self.poison


@dataclass
class Choice:
    """What the text of a call depends on: the variant, and the parameters that it still takes."""

    variant: Variant
    parameters: dict[str, Any]


def choose(call: Call) -> Choice:
    """Sort hyper-parameters: absent ones, numbers fixed in the text, and what the text takes."""
    given: dict[str, Any] = {}
    fixed: list[tuple[str, float]] = []
    absent: list[str] = []
    for a in call.definition.parameters:
        value = call.parameters[a.name]
        if value is None and a.optional:
            absent.append(a.name)
        elif isinstance(value, (int, float)) and not a.domain.class_axis:
            checking.check_parameter(call.definition, a, value)
            if value in {0, 1, 2}:
                fixed.append((a.name, float(value)))
            else:
                given[a.name] = value
        else:
            given[a.name] = value
    return Choice(variant(call.definition, frozenset(absent), tuple(fixed)), given)


def kernel_for(call: Call, choice: Choice) -> Fused | gpu.OnGpu | str:
    """Return the call ready for a kernel where its data are, or why none can compute it."""
    make = gpu.ready if selection.on_gpu(call) else fused
    return make(call, choice.variant, choice.parameters)


def _after(kernel: Fused | gpu.OnGpu) -> Any:
    """Return the module that makes the results of a call of what such a kernel leaves."""
    return results if isinstance(kernel, Fused) else gpu


def ready(call: Call, choice: Choice) -> Work:
    """Do all that comes before the computation."""
    library, definition = call.library, call.definition
    original = call.prediction
    with library.wide():
        weight, keep = weighing.weights_of(call)
        if keep is not None:
            weighing.fill(call, keep)
        poison = _check(call) if call.options.check else None
        if call.options.class_weight is not None:
            weight = weighing.class_weighted(call, weight)
            keep = weight != 0 if keep is None else keep & (weight != 0)
            weighing.fill(call, keep)
    parameters = {
        a.name: _parameter(call, a, choice.parameters[a.name])
        for a in definition.parameters
        if a.name in choice.parameters
    }
    arrays = {**call.arrays, **parameters}
    moving = [a.name for a in definition.inputs if a.domain.continuous]
    moving += [n for n in parameters if library.owns(type(call.parameters[n]))]
    operation = Operation(
        choice.variant,
        library.name,
        tuple(n for n in moving if library.kind(arrays[n]) == "floating"),
        library.work_dtype(original),
        library.result_dtype(original),
    )
    ordered = [arrays[n] for n in choice.variant.arguments]
    return Work(call, operation, ordered, weight, keep, poison)


def _check(call: Call) -> Any:
    """Raise for values outside their sets; where that is impossible, return 1 or NaN for each."""
    library = call.library
    classes = library.shape(call.prediction)[-1] if call.definition.class_axis else None
    if library.concrete(list(call.arrays.values())):
        for a in call.definition.inputs:
            checking.check_data(library, call.definition, a, call.arrays[a.name], classes)
        return None
    good = None
    for a in call.definition.inputs:
        x = call.arrays[a.name]
        ok = checking.inside(library, a.domain, x, classes)
        if a.domain.integer:
            call.arrays[a.name] = library.where(ok, x, 0)
        if a.domain.class_axis:
            ok = library.all_last(ok)
        good = ok if good is None else good & ok
    ones = library.cast(good, library.work_dtype(call.prediction))
    return library.where(good, ones, float("nan"))


def _parameter(call: Call, argument: Argument, value: Any) -> Any:
    if not isinstance(value, (int, float)) or argument.domain.class_axis:
        return _array(call, argument, value)
    library = call.library
    with library.wide():
        x = library.array(value, call.prediction)
        return library.cast(x, library.work_dtype(call.prediction))


def _array(call: Call, argument: Argument, value: Any) -> Any:
    library = call.library
    x = weighing.given(call, argument.name, value)
    if argument.domain.class_axis:
        return _per_class(call, argument, x)
    weighing.fits(call, argument.name, library.shape(x))
    expanded = library.expand(x) if call.definition.class_axis else x
    if call.options.check and library.concrete([x]):
        checking.check_data(library, call.definition, argument, expanded, None)
    x = library.broadcast(x, call.rows)
    return library.expand(x) if call.definition.class_axis else x


def _per_class(call: Call, argument: Argument, x: Any) -> Any:
    library = call.library
    classes = library.shape(call.prediction)[-1]
    if library.shape(x) != (classes,):
        raise ShapeError(
            f"{call.definition.name}: {argument.name} must have one number for each of the "
            f"{classes} classes, got shape {library.shape(x)}"
        )
    if call.options.check and library.concrete([x]):
        checking.check_data(library, call.definition, argument, x, None)
    return library.broadcast(x, call.prediction)


def loss(definition: Definition, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return the reduced loss, differentiable in libraries that differentiate."""
    call = prepare(definition, args, kwargs)
    choice = choose(call)
    kernel = kernel_for(call, choice)
    if not isinstance(kernel, str):
        found = call.library.fused_loss(kernel, _by_operations, _after(kernel).loss)
        if found is not None:
            return found
    return _loss(call, choice)


def _by_operations(call: Call) -> Any:
    """Return the loss of a call without a kernel; the call stays as it is."""
    return _loss(replace(call, arrays=dict(call.arrays)), choose(call))


def _loss(call: Call, choice: Choice) -> Any:
    work = ready(call, choice)
    with work.library.wide():
        result = reduction.reduce(work.call, _values(work), work.weight, work.keep)
        return _finish(work, result)


def sums(definition: Definition, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return (weighted sum, weight sum)."""
    call = prepare(definition, args, kwargs)
    choice = choose(call)
    kernel = kernel_for(call, choice)
    tracked = any(map(call.library.tracked, call.arrays.values()))
    if not isinstance(kernel, str) and not tracked and (found := _after(kernel).sums(kernel)):
        return found
    work = ready(call, choice)
    with work.library.wide():
        total, weights = reduction.sums(work.call, _values(work), work.weight, work.keep)
        if isinstance(weights, int):
            weights = work.library.array(weights, work.call.prediction)
        return _finish(work, total), _finish(work, weights)


def explain(definition: Definition, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """Return which engine would compute this call, and why."""
    call = prepare(definition, args, kwargs)
    choice = choose(call)
    kernel = kernel_for(call, choice)
    if isinstance(kernel, str):
        return f"{definition.name}: {call.library.name} operations, because {kernel}"
    return f"{definition.name}: a fused kernel, {kernel.description}"


def _values(work: Work) -> Any:
    values = work.poisoned(work.library.operate(work.operation, work.arrays))
    return work.library.squeeze(values) if work.call.definition.class_axis else values


def _finish(work: Work, x: Any) -> Any:
    return work.library.finish(work.library.cast(x, work.operation.result))


def derivatives(
    definition: Definition,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    kinds: tuple[str, ...],
    wrt: str,
    out: Any = None,
) -> list[Any]:
    """Return the reduced value, gradient or Hessian diagonal with respect to one argument."""
    if wrt != definition.inputs[0].name and kwargs.get("class_weight") is not None:
        raise ValueError(
            f"{definition.name}: class_weight changes with a soft target, so that the gradient "
            f"with respect to {wrt} is not the loss's own\n"
            "hint: let your framework differentiate the loss, or give weight= instead"
        )
    call = prepare(definition, args, kwargs)
    choice = choose(call)
    kernel = kernel_for(call, choice)
    if not isinstance(kernel, str):
        found = _after(kernel).derivatives(kernel, kinds, wrt, out)
        if found is not None:
            return found
    work = ready(call, choice)
    call, library = work.call, work.library
    names = tuple(kind if kind == "value" else f"{kind}:{wrt}" for kind in kinds)
    with library.wide():
        found = library.evaluate(work.operation, names, work.arrays)
        found = [found] if len(names) == 1 else list(found)
        factor = reduction.scale(call, work.weight, work.keep, found[0].dtype)
        return [
            _reduced_value(work, x)
            if kind == "value"
            else results.written(library, _derivative(work, x, factor, wrt), out)
            for kind, x in zip(kinds, found, strict=True)
        ]


def _reduced_value(work: Work, values: Any) -> Any:
    values = work.poisoned(values)
    values = work.library.squeeze(values) if work.call.definition.class_axis else values
    return _finish(work, reduction.reduce(work.call, values, work.weight, work.keep))


def _derivative(work: Work, x: Any, factor: Any, wrt: str) -> Any:
    """Scale a derivative by weight over denominator, in the shape and dtype of its argument."""
    library, call = work.library, work.call
    rows = call.definition.class_axis
    x = work.poisoned(x)
    if factor is not None:
        spread = rows and len(getattr(factor, "shape", ())) > 0
        x = x * (library.expand(factor) if spread else factor)
    argument = call.arrays[wrt]
    if work.keep is not None:
        x = library.where(library.expand(work.keep) if rows else work.keep, x, 0.0)
    x = library.broadcast(x, argument)
    if rows:
        own = call.definition.domains[wrt].class_axis
        x = library.move_last(x, call.axis, back=True) if own else library.squeeze(x)
    dtype = argument.dtype if library.kind(argument) == "floating" else work.operation.result
    return library.finish(library.cast(x, dtype))
