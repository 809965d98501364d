"""One call by a Triton kernel on a GPU: no step of it waits for the device.

Weight sums, divisors and whatever is divided by them stay on the device as numbers of no dimension.
Nothing can be raised for a value outside its set: the kernel makes the element NaN.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, wraps
from importlib import import_module
from math import prod
from typing import Any, cast

from lossary.engine import kernel_results, reduction, weighing
from lossary.engine.arguments import Call
from lossary.engine.checking import tolerance
from lossary.engine.forms import Form, kernel_of
from lossary.engine.program import Variant
from lossary.engine.selection import obstacle_on_gpu
from lossary.render.kernel import Kernel, Storage

_refused: dict[Variant, str] = {}
"""Losses whose kernel Triton could not make, and why."""


class NoKernelError(Exception):
    """Triton cannot make a kernel; nothing has been computed or overwritten."""


def attempt(work: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function return None where its kernel cannot be made."""

    @wraps(work)
    def attempted(*args: Any) -> Any:
        try:
            return work(*args)
        except NoKernelError:
            return None

    return attempted


_STORAGES = ("float64", "float32", "bfloat16", "float16")


@dataclass
class OnGpu:
    """A call that a Triton kernel can compute; arrays have the class axis last."""

    call: Call
    variant: Variant
    arrays: list[Any]
    tolerances: tuple[float, ...]
    numbers: dict[str, Any]
    weight: Any
    mask: Any

    def run(
        self,
        wanted: Mapping[str, Storage],
        *,
        reduce: bool = False,
        factor: Any = None,
        upstream: Any = None,
        inplace: bool = False,
        over: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the wanted results: ``value``, ``gradient:ARGUMENT`` or ``hessian:ARGUMENT``.

        Derivatives are multiplied by what the reduction asks for, by ``factor`` (a number on the
        device) and by ``upstream`` (one for each element). With ``over``, arrays of an earlier
        pass, they are written there anew, unless the factor is 1.
        """
        from lossary.kernels import triton_launch

        form = Form(
            self.variant,
            tuple(wanted.items()),
            tuple(_storage(x) for x in self.arrays),
            self.tolerances,
            None if self.weight is None else _storage(self.weight),
            self.mask is not None,
            None if upstream is None else _storage(upstream),
            reduce,
            self.call.options.check,
            short=False,
            over=False,
        )
        kernel, names = _kernel(form)
        found = self._launched(
            triton_launch.run,
            kernel,
            dict(zip((o.name for o in kernel.operands), self.arrays, strict=False)),
            _numbers(kernel, self.numbers),
            scale=self.scale if factor is None else self.scale * factor,
            weight=self.weight,
            mask=self.mask,
            upstream=upstream,
            inplace=inplace,
            out=None if over is None else {names[what]: x for what, x in over.items()},
            unless=None if over is None else factor,
        )
        return {name: found[own] for name, own in names.items()}

    def _launched(self, run: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run a kernel; if Triton cannot make it, this loss goes without from now on."""
        errors = import_module("triton.errors")
        try:
            return run(*args, **kwargs)
        except errors.TritonError as error:  # such as a chip with less memory than a tile takes
            reason = f"Triton cannot make its kernel: {type(error).__name__}: {error}"
            _refused[self.variant] = reason
            name = self.call.definition.name
            warnings.warn(
                f"{name}: operations of the array library compute it, because {reason}",
                RuntimeWarning,
                stacklevel=2,
            )
            raise NoKernelError(reason) from error

    @cached_property
    def weight_sum(self) -> Any:
        """The sum of the weights of the elements that count, on the device if any are given."""
        library = self.call.library
        if self.weight is None:
            return prod(self.call.shape) if self.mask is None else library.total(self.mask)
        if self.mask is None:
            return library.total(self.weight)
        return library.total(library.where(self.mask, self.weight, 0.0))

    @cached_property
    def _divisor(self) -> tuple[Any, Any]:
        return reduction.divisor_of(self.call, lambda: self.weight_sum)

    @cached_property
    def scale(self) -> Any:
        """What every derivative is multiplied by."""
        if self.call.options.reduction != "mean":
            return 1.0
        divisor, library = self._divisor[0], self.call.library
        if not library.owns(type(divisor)):
            return 1.0 / divisor
        # A count or a float32 would round the quotient to float32.
        return library.array(1.0, self.call.prediction) / divisor

    def reduced(self, total: Any) -> Any:
        """Return the sum or the mean, as the call wants it."""
        if self.call.options.reduction == "mean":
            divisor, empty = self._divisor
            total = total / divisor
            if empty is not None:
                total = self.call.library.where(empty, float("nan"), total)
        return self.finished(total)

    def finished(self, x: Any) -> Any:
        """Return a number on the device in the dtype of the reduced loss."""
        library, like = self.call.library, self.call.prediction
        return library.finish(library.cast(x, library.result_dtype(like)))

    def storage(self, what: str) -> Storage:
        """Return how a result is stored: a derivative as its argument, the value as the loss."""
        library, like = self.call.library, self.call.prediction
        _, _, name = what.partition(":")
        x = self.call.arrays.get(name, like)
        floating = name and library.kind(x) == "floating"
        return _named(x.dtype if floating else library.result_dtype(like))

    @property
    def description(self) -> str:
        """Say what would run, and on what."""
        like = self.call.prediction
        elements = prod(self.call.library.shape(like))
        storages = ", ".join(_storage(x) for x in self.arrays)
        place = "Triton's interpreter" if like.device.type == "cpu" else f"Triton on {like.device}"
        return f"{place} over {elements} elements ({storages})"


def _named(dtype: Any) -> Storage:
    return cast("Storage", str(dtype).removeprefix("torch."))


def _storage(x: Any) -> Storage:
    kind = _named(x.dtype)
    return kind if kind in _STORAGES else "integer"


@lru_cache(maxsize=4096)
def _kernel(form: Form) -> tuple[Kernel, Mapping[str, str]]:
    """Return the kernel, and what it calls each result.

    Triton's text finds the operand of a derivative by the end of its name.
    """
    kernel = kernel_of(form)
    inputs = [argument.name for argument in form.variant.definition.inputs]
    words = {name: o.name for name, o in zip(inputs, kernel.operands, strict=False)}
    names = {}
    for what, _ in form.results:
        kind, _, argument = what.partition(":")
        names[what] = f"{kind}_of_{words[argument]}" if argument else kind
    renamed = [
        replace(r, name=own) for r, own in zip(kernel.results, names.values(), strict=True)
    ]  # fmt: skip
    return replace(kernel, results=tuple(renamed)), names


def _numbers(kernel: Kernel, numbers: Mapping[str, Any]) -> dict[str, Any]:
    own = [o.name for o in kernel.operands if o.place == "number"]
    return dict(zip(own, numbers.values(), strict=True))


def fused(call: Call, variant: Variant, parameters: Mapping[str, Any]) -> OnGpu | str:
    """Return the call ready for a Triton kernel, or why none can compute it."""
    if reason := obstacle_on_gpu(call):
        return reason
    if variant in _refused:
        return _refused[variant]
    library, options = call.library, call.options
    inputs = call.definition.inputs
    for name in (*(a.name for a in inputs), "weight", "mask", "class_weight", "denominator"):
        x = call.arrays.get(name, getattr(options, name, None))
        if reason := _unfit(call, name, x):
            return reason
    for name in ("weight", "mask", "class_weight", "denominator"):
        if library.tracked(getattr(options, name)):
            return f"{name} needs a gradient"
    numbers = {name: parameters[name] for name in variant.arguments[len(inputs) :]}
    for name, x in numbers.items():
        one = isinstance(x, (int, float)) or (
            library.owns(type(x)) and library.shape(x) == () and not library.tracked(x)
        )
        if not one or _unfit(call, name, x):
            return f"{name} is an array"
    if options.class_weight is not None and not inputs[1].domain.integer:
        return "class_weight changes targets that are not labels"
    arrays, tolerances = [], []
    for argument in inputs:
        x = call.arrays[argument.name]
        tolerances.append(tolerance(library, x) if argument.domain.mass else 0.0)
        if library.kind(x) != "floating" and not argument.domain.integer:
            x = library.cast(x, library.result_dtype(call.prediction))
        arrays.append(x)
    weight, mask = _weight(call), weighing.kept(call)
    if options.class_weight is not None:
        weight = _class_weighted(call, weight)
    return OnGpu(call, variant, arrays, tuple(tolerances), numbers, weight, mask)


def _unfit(call: Call, name: str, x: Any) -> str | None:
    """Return what keeps a kernel from reading x, if anything does."""
    if not call.library.owns(type(x)):
        return None
    if not call.library.dense(x):
        return f"{name} is not an ordinary array of numbers"
    if x.device != call.prediction.device:
        return f"{name} is on another device"
    return None


def _weight(call: Call) -> Any:
    if call.options.weight is None:
        return None
    x = weighing.spread(call, weighing.fitting(call, "weight", call.options.weight))
    floating = call.library.kind(x) == "floating"
    return x if floating else call.library.cast(x, call.library.work_dtype(call.prediction))


def _labels(call: Call) -> Any:
    return call.library.squeeze(call.arrays[call.definition.inputs[1].name])


def _class_weighted(call: Call, weight: Any) -> Any:
    """Return the class weight of each row times its weight.

    A label that is no class is made NaN by the kernel, or does not count.
    """
    library, label = call.library, _labels(call)
    classes = library.shape(call.prediction)[-1]
    table = weighing.class_table(call, classes)
    inside = (label >= 0) & (label < classes)
    own = library.where(inside, library.take(table, library.where(inside, label, 0)), 1.0)
    return own if weight is None else own * weight


@attempt
def value(kernel: OnGpu) -> Any:
    """Return the loss, without a graph behind it."""
    if kernel.call.options.reduction == "none":
        return kernel.run({"value": kernel.storage("value")})["value"]
    return kernel.reduced(kernel.run({"value": "float64"}, reduce=True)["value"])


@attempt
def sums(kernel: OnGpu) -> tuple[Any, Any]:
    """Return (weighted sum, weight sum)."""
    total = kernel.run({"value": "float64"}, reduce=True)["value"]
    weights = kernel.weight_sum
    if isinstance(weights, int):
        weights = kernel.call.library.array(weights, kernel.call.prediction)
    return kernel.finished(total), kernel.finished(weights)


@attempt
def derivatives(
    kernel: OnGpu, kinds: Sequence[str], wrt: str, outs: Mapping[str, Any]
) -> list[Any]:
    """Return the reduced value and derivatives with respect to one argument."""
    names = {kind: kind if kind == "value" else f"{kind}:{wrt}" for kind in kinds}
    reduce = "value" in kinds and kernel.call.options.reduction != "none"
    wanted: dict[str, Storage] = {name: kernel.storage(name) for name in names.values()}
    found = kernel.run(wanted, reduce=reduce)
    if reduce:
        found["value"] = kernel.reduced(found["value"])
    return [
        found[name] if kind == "value" else _placed(kernel.call, found[name], wrt, outs[kind])
        for kind, name in names.items()
    ]


def _placed(call: Call, x: Any, wrt: str, out: Any) -> Any:
    if call.definition.domains[wrt].class_axis:
        x = call.library.move_last(x, call.axis, back=True)
    return kernel_results.written(call.library, x, out)
