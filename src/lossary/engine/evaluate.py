"""The order of work in one call: prepare, weigh, check, compute, reduce."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import and_
from typing import Any

from lossary.definition import Argument, Definition
from lossary.engine import checking, gpu, kernel_results, reduction, selection, weighing
from lossary.engine.arguments import Call, prepare
from lossary.engine.fused import Fused, fused
from lossary.engine.inside import Inside, inside_of, weighs
from lossary.engine.libraries import Library
from lossary.engine.libraries.base import Operation
from lossary.engine.program import POSITION_WEIGHT, Variant, variant
from lossary.engine.reading import given
from lossary.errors import DtypeError
from lossary.kinds import refusal


@dataclass
class Work:
    """A call made ready: the operation, its arrays in the order of the text, and the weights."""

    call: Call
    operation: Operation
    arrays: list[Any]
    weight: Any
    keep: Any
    poison: Any
    inside: Inside | None = None

    @property
    def library(self) -> Library:
        """The library that the arrays belong to."""
        return self.call.library

    def poisoned(self, x: Any) -> Any:
        """Make x NaN where a value lies outside its set and nothing could be raised."""
        return x if self.poison is None else x * self.poison

    def values(self, x: Any) -> Any:
        """Return the values of the text as they are reduced."""
        found = self.library.settled(self.poisoned(x))
        return self.library.squeeze(found) if self.call.definition.class_axis else found


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
    chosen = variant(call.definition, frozenset(absent), tuple(fixed), weighs(call))
    return Choice(chosen, given)


def kernel_for(call: Call, choice: Choice) -> Fused | gpu.OnGpu | str:
    """Return the call ready for a kernel where its data are, or why none can compute it."""
    make = gpu.fused if selection.on_gpu(call) else fused
    return make(call, choice.variant, choice.parameters)


def _after(kernel: Fused | gpu.OnGpu) -> Any:
    """Return the module that makes the results of a call of what such a kernel leaves."""
    return kernel_results if isinstance(kernel, Fused) else gpu


def work_of(call: Call, choice: Choice) -> Work:
    """Return the work of a call, after all that comes before the computation."""
    library, definition = call.library, call.definition
    original = call.prediction
    with library.wide():
        weight, keep = weighing.weights_of(call)
        inside = inside_of(call)
        if inside is not None:
            keep = weighing.counting_too(call, keep, inside.some)
            weighing.fill(call, inside.keep, inside=True)
        if keep is not None:
            weighing.fill(call, keep)
        doubts = _check(call) if call.options.check else []
        if call.options.class_weight is not None:
            weight = weighing.class_weighted(call, weight)
            keep = weighing.counting(call, weight, keep)
            if keep is not None:
                weighing.fill(call, keep)
    parameters = {
        a.name: _parameter(call, a, choice.parameters[a.name], doubts)
        for a in definition.parameters
        if a.name in choice.parameters
    }
    arrays = {**call.arrays, **parameters}
    if inside is not None:
        arrays[POSITION_WEIGHT] = inside.weight
    moving = [a.name for a in definition.inputs if a.domain.continuous]
    moving += [n for n in parameters if library.owns(type(call.parameters[n]))]
    work = library.work_dtype(original)
    operation = Operation(
        choice.variant,
        library.target(work, [arrays[n] for n in moving]),
        tuple(n for n in moving if library.kind(arrays[n]) == "floating"),
        work,
        library.result_dtype(original),
    )
    ordered = [arrays[n] for n in choice.variant.arguments]
    return Work(call, operation, ordered, weight, keep, _poison(call, doubts), inside)


def _check(call: Call) -> list[Any]:
    """Raise for values outside their sets; where that is impossible, return which are inside."""
    library = call.library
    classes = library.classes(call.prediction) if call.definition.class_axis else None
    doubts: list[Any] = []
    for a in call.definition.inputs:
        x = call.arrays[a.name]
        ok = checking.admitted(library, call.definition, a, x, classes)
        if ok is not None and a.domain.integer:
            call.arrays[a.name] = library.where(ok, x, 0)
        doubts += _per_row(call, a, ok)
        if a is not call.definition.inputs[0]:
            rows = call.definition.class_axis and not a.domain.class_axis
            alike = library.alike(x, call.prediction, rows)
            doubts += [] if alike is None else [alike]
    return doubts


def _per_row(call: Call, argument: Argument, ok: Any) -> list[Any]:
    if ok is None:
        return []
    return [call.library.all_last(ok) if argument.domain.class_axis else ok]


def _poison(call: Call, doubts: list[Any]) -> Any:
    """Return NaN where a value lies outside its set, else 1; None if all were looked at."""
    if not doubts:
        return None
    library = call.library
    with library.wide():
        good = reduce(and_, doubts)
        return library.where(
            good, library.cast(good, library.work_dtype(call.prediction)), float("nan")
        )


def _parameter(call: Call, argument: Argument, value: Any, doubts: list[Any]) -> Any:
    if not isinstance(value, (int, float)) or argument.domain.class_axis:
        return _array(call, argument, value, doubts)
    library = call.library
    with library.wide():
        x = library.array(value, call.prediction)
        return library.cast(x, library.work_dtype(call.prediction))


def _array(call: Call, argument: Argument, value: Any, doubts: list[Any]) -> Any:
    library = call.library
    with library.wide():
        x = given(call, argument.name, value)
        if argument.domain.class_axis:
            weighing.fits_classes(call, argument.name, x)
        else:
            weighing.fits(call, argument.name, library.shape(x))
        rows = call.definition.class_axis and not argument.domain.class_axis
        x = library.expand(x) if rows else x
        if call.options.check:
            ok = checking.admitted(library, call.definition, argument, x, None)
            doubts += _per_row(call, argument, ok)
        if not rows:
            return library.broadcast(x, call.prediction)
        return library.broadcast(x, library.expand(call.rows))


def value(definition: Definition, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return the reduced loss, differentiable in libraries that differentiate."""
    call = begun(definition, args, kwargs)
    choice = choose(call)
    with call.library.calm():
        kernel = kernel_for(call, choice)
        if not isinstance(kernel, str):
            found = call.library.fused_value(kernel, _by_operations, _after(kernel).value)
            if found is not None:
                return found
        return _value(call, choice)


def by_operations(definition: Definition, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return the reduced loss by the array library's own operations."""
    call = begun(definition, args, kwargs)
    with call.library.calm():
        return _value(call, choose(call))


def _by_operations(call: Call) -> Any:
    """Return the loss of a call without a kernel; the call stays as it is."""
    return _value(replace(call, arrays=dict(call.arrays)), choose(call))


def begun(definition: Definition, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call:
    """Return the call, in which what masked arrays leave out is masked."""
    call = prepare(definition, args, kwargs)
    if call.masks:
        with call.library.calm():
            weighing.leave_out(call)
    return call


def _value(call: Call, choice: Choice) -> Any:
    work = work_of(call, choice)
    with work.library.wide():
        result = reduction.reduce(work.call, _values(work), work.weight, work.keep)
        return _finish(work, result)


def sums(definition: Definition, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return (weighted sum, weight sum), or the sums over positions."""
    call = begun(definition, args, kwargs)
    if definition.over_positions:
        return _aggregates(call)
    choice = choose(call)
    with call.library.calm():
        kernel = kernel_for(call, choice)
        tracked = any(map(call.library.tracked, call.arrays.values()))
        if not isinstance(kernel, str) and not tracked and (found := _after(kernel).sums(kernel)):
            return found
        return _sums(work_of(call, choice))


def _sums(work: Work) -> tuple[Any, Any]:
    with work.library.wide():
        total, weights = reduction.sums(work.call, _values(work), work.weight, work.keep)
        if isinstance(weights, int):
            weights = work.library.array(weights, work.call.prediction)
        return _finish(work, total), _finish(work, weights)


def _aggregates(call: Call) -> tuple[Any, ...]:
    """Return the sums over positions of each value, from which it can be computed."""
    if call.options.weight is not None:
        raise ValueError(
            f"{call.definition.name}: weight multiplies the finished loss, and its sums are not "
            "finished\nhint: position_weight= weighs within the sums; give weight= to "
            "of_sums"
        )
    definition = call.definition
    places = range(len(definition.aggregates()))
    with call.library.calm():
        work = work_of(call, choose(call))
        library, inside = work.library, work.inside
        with library.wide():
            names = tuple(f"sum:{place}" for place in places)
            found = library.evaluate(work.operation, names, work.arrays)
            like = library.expand(call.rows)
            found = [
                library.squeeze(library.broadcast(work.poisoned(x), like))
                for x in (found if len(names) > 1 else [found])
            ]
            if inside is not None:
                found = [library.where(inside.some, x, 0.0) for x in found]
            return tuple(_finish(work, x) for x in found)


def explain(definition: Definition, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """Return which engine would compute this call, and why."""
    call = begun(definition, args, kwargs)
    kernel = kernel_for(call, choose(call))
    if isinstance(kernel, Fused):
        kernel = selection.without_numba() or kernel
    if isinstance(kernel, str):
        return f"{definition.name}: {call.library.name} operations, because {kernel}"
    return f"{definition.name}: a fused kernel, {kernel.description}"


def _values(work: Work) -> Any:
    return work.values(work.library.operate(work.operation, work.arrays))


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
    """Return the reduced value, gradient or Hessian diagonal with respect to one argument.

    ``out`` is the array for a derivative, or one (or None) for each kind.
    """
    if wrt != definition.inputs[0].name and kwargs.get("class_weight") is not None:
        raise ValueError(
            f"{definition.name}: class_weight changes with a soft target, so that the gradient "
            f"with respect to {wrt} is not the loss's own\n"
            "hint: let your framework differentiate the loss, or give weight= instead"
        )
    call = begun(definition, args, kwargs)
    outs = out if isinstance(out, dict) else dict.fromkeys(kinds, out)
    for buffer in outs.values():
        if buffer is not None and (wrong := refusal(type(buffer))):
            raise DtypeError(f"{definition.name}: out must be a plain array, got {wrong}")
    choice = choose(call)
    with call.library.calm():
        kernel = kernel_for(call, choice)
        if not isinstance(kernel, str):
            found = _after(kernel).derivatives(kernel, kinds, wrt, outs)
            if found is not None:
                again = partial(derivatives_by_operations, definition, args, kwargs, kinds, wrt)
                return call.library.derived(found, (*args, *kwargs.values()), again)
        return _derivatives(work_of(call, choice), kinds, wrt, outs)


def derivatives_by_operations(
    definition: Definition,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    kinds: tuple[str, ...],
    wrt: str,
) -> list[Any]:
    """Return the value and derivatives by the array library's own operations."""
    call = begun(definition, args, kwargs)
    with call.library.calm():
        return _derivatives(work_of(call, choose(call)), kinds, wrt, dict.fromkeys(kinds))


def _derivatives(
    work: Work, kinds: tuple[str, ...], wrt: str, outs: Mapping[str, Any]
) -> list[Any]:
    call, library = work.call, work.library
    names = tuple(kind if kind == "value" else f"{kind}:{wrt}" for kind in kinds)
    with library.wide():
        found = library.evaluate(work.operation, names, work.arrays)
        found = [found] if len(names) == 1 else list(found)
        factor = reduction.scale(call, work.weight, work.keep, found[0].dtype)
        return [
            _reduced_value(work, x)
            if kind == "value"
            else kernel_results.written(library, _derivative(work, x, factor, wrt), outs[kind])
            for kind, x in zip(kinds, found, strict=True)
        ]


def _reduced_value(work: Work, values: Any) -> Any:
    return _finish(work, reduction.reduce(work.call, work.values(values), work.weight, work.keep))


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
        if own and work.inside is not None and work.inside.keep is not None:
            x = library.where(work.inside.keep, x, 0.0)
        x = _as_given(call, x) if own else library.squeeze(x)
    dtype = argument.dtype if library.kind(argument) == "floating" else work.operation.result
    return library.finish(library.cast(x, dtype))


def _as_given(call: Call, x: Any) -> Any:
    """Put the axes of a row back where the caller has them."""
    if call.axes:
        return call.library.parted(x, call.axes, call.given)
    return call.library.move_last(x, call.axis, back=True)
