"""What a fused kernel leaves in memory, as the results of a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossary.engine import reduction
from lossary.engine.fused import Fused
from lossary.errors import DtypeError, ShapeError


def value(kernel: Fused) -> Any:
    """Return the reduced loss; None if a value lies outside its set."""
    call, library = kernel.call, kernel.call.library
    if call.options.reduction == "none":
        values = blank_values(kernel)
        found = kernel.run({"value": kernel.output(values, "value")})
        return None if found is None else library.finish(values)
    total = kernel.run({}, value=True)
    return None if total is None else scalar(kernel, mean_of(kernel, total))


def blank_values(kernel: Fused) -> Any:
    """Return an array for the unreduced loss."""
    library, like = kernel.call.library, kernel.call.prediction
    return library.blank(like, kernel.call.shape, library.result_dtype(like))


def sums(kernel: Fused) -> tuple[Any, Any] | None:
    """Return (weighted sum, weight sum); None if a value lies outside its set."""
    total = kernel.run({}, value=True)
    if total is None:
        return None
    return scalar(kernel, total), scalar(kernel, kernel.weight_sum)


def mean_of(kernel: Fused, total: float) -> float:
    """Return the sum or the mean, as the call wants."""
    if kernel.call.options.reduction == "sum":
        return total
    divisor, empty = reduction.divisor_of(kernel.call, lambda: kernel.weight_sum)
    return float("nan") if empty is not None and bool(empty) else total / float(divisor)


def scale_of(kernel: Fused) -> float:
    """Return what every derivative is multiplied by."""
    if kernel.call.options.reduction != "mean":
        return 1.0
    divisor, _ = reduction.divisor_of(kernel.call, lambda: kernel.weight_sum)
    return 1.0 / float(divisor)


def scalar(kernel: Fused, value: float) -> Any:
    """Return a number as the library's users expect the reduced loss."""
    library = kernel.call.library
    dtype = library.result_dtype(kernel.call.prediction)
    return library.finish(library.cast(library.array(value, kernel.call.prediction), dtype))


def derivatives(
    kernel: Fused, kinds: tuple[str, ...], wrt: str, outs: Mapping[str, Any]
) -> list[Any] | None:
    """Return the reduced value and derivatives; None if a value lies outside its set."""
    call, library = kernel.call, kernel.call.library
    argument = call.arrays[wrt]
    floating = library.kind(argument) == "floating"
    dtype = argument.dtype if floating else library.result_dtype(call.prediction)
    arrays, outputs = {}, {}
    for kind in kinds:
        name = f"{kind}:{wrt}"
        if kind != "value":
            arrays[kind] = _target(kernel, argument, dtype, outs[kind])
            outputs[name] = kernel.output(arrays[kind], name)
    unreduced = call.options.reduction == "none"
    if unreduced and "value" in kinds:
        arrays["value"] = blank_values(kernel)
        outputs["value"] = kernel.output(arrays["value"], "value")
    summed = "value" in kinds and not unreduced
    total = kernel.run(outputs, value=summed, scale=scale_of(kernel))
    if total is None:
        return None
    if summed:
        arrays["value"] = scalar(kernel, mean_of(kernel, total))
    return [
        library.finish(arrays[kind])
        if kind == "value"
        else written(library, library.finish(_shaped(kernel, arrays[kind], wrt)), outs[kind])
        for kind in kinds
    ]


def _target(kernel: Fused, argument: Any, dtype: Any, out: Any) -> Any:
    """Return the array that the kernel writes: the caller's own where its layout allows that."""
    call, library = kernel.call, kernel.call.library
    shape = library.shape(argument)
    last = not call.definition.class_axis or call.axis in {-1, len(shape) - 1}
    if out is not None and last and library.owns(type(out)) and library.shape(out) == shape:
        memory = library.memory(out)
        if memory is not None and memory.writable and not kernel.overlaps(memory):
            return out
    return library.blank(call.prediction, shape, dtype)


def _shaped(kernel: Fused, x: Any, wrt: str) -> Any:
    """Put the class axis back where the caller has it."""
    call, library = kernel.call, kernel.call.library
    if not call.definition.class_axis:
        return x
    own = call.definition.domains[wrt].class_axis
    return library.move_last(x, call.axis, back=True) if own else library.squeeze(x)


def written(library: Any, x: Any, out: Any) -> Any:
    """Return x, or the caller's buffer with x in it."""
    if out is None or out is x:
        return x
    if not library.owns(type(out)) or not library.writable(out):
        raise DtypeError(
            f"out must be a writable {library.name} array of floating-point numbers, "
            f"got {getattr(out, 'dtype', type(out).__name__)}"
        )
    if library.shape(out) != library.shape(x):
        raise ShapeError(
            f"out must have the shape of the derivative, {library.shape(x)}, "
            f"got {library.shape(out)}"
        )
    library.copy_into(out, x)
    return out
