"""One call by a fused kernel: its operands as memory, and the results that it fills."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from lossary.engine import weighing
from lossary.engine.arguments import Call
from lossary.engine.checking import tolerance
from lossary.engine.forms import Form, laid_out, step_of, workers
from lossary.engine.machine_code import KernelError, machine_code
from lossary.engine.memory import Memory
from lossary.engine.program import Variant
from lossary.engine.selection import ELSEWHERE, obstacle
from lossary.kernels import pool
from lossary.render.kernel import Storage


@dataclass
class Fused:
    """A call that a kernel can compute: what lies where in memory."""

    call: Call
    variant: Variant
    operands: list[Memory]
    tolerances: tuple[float, ...]
    numbers: list[float]
    weight: Memory | None
    mask: Memory | None

    @np.errstate(all="ignore")
    def run(
        self,
        outputs: Mapping[str, Memory],
        *,
        value: bool = False,
        scale: float = 1.0,
        upstream: Memory | None = None,
        over: bool = False,
    ) -> float | None:
        """Fill the outputs, and return the weighted sum with ``value``.

        None if a value is wrong, or the kernel is not compiled yet.

        Outputs are called ``value`` (unreduced), ``gradient:ARGUMENT`` or ``hessian:ARGUMENT``;
        with ``over`` the gradient with respect to the prediction goes where the prediction is.
        """
        results: dict[str, Storage] = {"value": "float64"} if value else {}
        results |= {name: memory.storage for name, memory in outputs.items()}
        extras = (self.weight, self.mask, upstream)
        form = self.form(
            tuple(results.items()), reduce=value, upstream=upstream and upstream.storage, over=over
        )
        step = step_of(self.classes, form.short)
        blocks = -(-prod(self.call.shape) // step)
        sums, wrong = np.empty(blocks), np.empty(blocks, np.int64)
        read = [x.words for x in (*self.operands, *extras) if x is not None]
        if over:
            read[1:] = [_apart(words, read[0]) for words in read[1:]]
        count = len(self.operands)
        arguments = [
            *read[:count],
            *self.numbers,
            *read[count:],
            scale,
            *(x.words for name, x in outputs.items() if not (over and name == self.over)),
            sums,
            wrong,
        ]

        try:
            function = machine_code(form, step, arguments)
        except KernelError as error:
            warnings.warn(str(error), RuntimeWarning, stacklevel=2)
            return None
        if function is None:
            return None

        def work(first: int, last: int) -> None:
            function(first, last, step, *arguments)

        pool.run(work, blocks, self.workers)
        if np.count_nonzero(wrong):
            return None
        return float(sums.sum()) if value else 0.0

    def form(
        self,
        results: tuple[tuple[str, Storage], ...],
        *,
        reduce: bool,
        upstream: Storage | None = None,
        over: bool = False,
    ) -> Form:
        """Return what shapes the text of a kernel with these results."""
        form = Form(
            self.variant,
            results,
            tuple(operand.storage for operand in self.operands),
            self.tolerances,
            self.weight and self.weight.storage,
            self.mask is not None,
            upstream,
            reduce,
            self.call.options.check,
            False,
            over,
        )
        return laid_out(form, self.classes)

    @property
    def over(self) -> str:
        """The one result that can take the memory of its operand."""
        return f"gradient:{self.call.definition.inputs[0].name}"

    @property
    def classes(self) -> int:
        """How long a row is; 0 for elementwise losses."""
        if not self.call.definition.class_axis:
            return 0
        return self.call.library.shape(self.call.prediction)[-1]

    @property
    def workers(self) -> int:
        """On how many threads the work is worth sharing."""
        return workers(self.variant, prod(self.call.library.shape(self.call.prediction)))

    @property
    def description(self) -> str:
        """Say what would run: the storages, the blocks and the threads."""
        storages = ", ".join(operand.storage for operand in self.operands)
        elements = prod(self.call.library.shape(self.call.prediction))
        threads = max(1, min(pool.threads(), self.workers))
        return f"Numba on {threads} threads over {elements} elements ({storages})"

    def output(self, array: Any, name: str) -> Memory:
        """Return where a result of that name is written; the array is contiguous."""
        _, _, argument = name.partition(":")
        rows = bool(argument) and self.call.definition.domains[argument].class_axis
        memory = self.call.library.memory(array)
        assert memory is not None  # noqa: S101  (the engine made the array, or has looked)
        return memory.flat(rows)

    def overlaps(self, memory: Memory) -> bool:
        """Whether writing there would change what the kernel reads."""
        read = [*self.operands, *(x for x in (self.weight, self.mask) if x is not None)]
        return any(np.may_share_memory(memory.words, x.words) for x in read)

    @cached_property
    def weight_sum(self) -> Any:
        """Return the sum of the weights of the elements that count."""
        if self.weight is None and self.mask is None:
            return prod(self.call.shape)
        if self.weight is None:
            assert self.mask is not None  # noqa: S101  (one of the two is there)
            return float(np.count_nonzero(self.mask.words))
        where: Any = True if self.mask is None else self.mask.words
        return float(np.sum(self.weight.numbers, dtype=np.float64, where=where))


def fused(call: Call, variant: Variant, parameters: Mapping[str, Any]) -> Fused | str:
    """Return the call ready for a kernel, or why no kernel computes it."""
    return obstacle(call) or in_memory(call, variant, parameters)


@np.errstate(all="ignore")  # the caller's traps are not for what a kernel or a mask leaves out
def in_memory(call: Call, variant: Variant, parameters: Mapping[str, Any]) -> Fused | str:
    """Return the call with its operands as memory, or why no kernel can read them."""
    if call.definition.without_kernel:
        return call.definition.without_kernel
    operands, tolerances = [], []
    for argument in call.definition.inputs:
        x = call.arrays[argument.name]
        memory = call.library.memory(x)
        if memory is None:
            return f"{argument.name} {ELSEWHERE}"
        operands.append(memory.flat(argument.domain.class_axis))
        tolerances.append(tolerance(call.library, x) if argument.domain.mass else 0.0)
    numbers = []
    for name in variant.arguments[len(call.definition.inputs) :]:
        if not isinstance(parameters[name], (int, float)):
            return f"{name} is an array"
        numbers.append(float(parameters[name]))
    options = call.options
    for name in ("weight", "mask", "class_weight", "denominator"):
        if call.library.tracked(getattr(options, name)):
            return f"{name} needs a gradient"
    weight, mask = _weight(call), _mask(call)
    if "elsewhere" in (weight, mask):
        return "the weight or the mask is not in this machine's own memory"
    if options.class_weight is not None:
        if not call.definition.inputs[1].domain.integer:
            return "class_weight changes targets that are not labels"
        weight = _class_weighted(call, weight, mask)
    return Fused(call, variant, operands, tuple(tolerances), numbers, weight, mask)


def _weight(call: Call) -> Any:
    if call.options.weight is None:
        return None
    return _flat(call, weighing.spread(call, weighing.fitting(call, "weight", call.options.weight)))


def _mask(call: Call) -> Any:
    with call.library.wide():
        keep = weighing.kept(call)
    return None if keep is None else _flat(call, keep)


def _flat(call: Call, x: Any) -> Memory | str:
    memory = call.library.memory(x)
    return "elsewhere" if memory is None else memory.flat(False)


def _labels(call: Call) -> np.ndarray:
    return call.library.numpy(call.arrays[call.definition.inputs[1].name]).reshape(-1)


def _class_weighted(call: Call, weight: Memory | None, mask: Memory | None) -> Memory:
    """Return the class weight of each row times its weight."""
    classes = call.library.shape(call.prediction)[-1]
    table = call.library.numpy(weighing.class_table(call, classes))
    label = _labels(call)
    # A label that is no class is reported by the kernel; an ignored one does not count.
    inside = (label >= 0) & (label < classes)
    own = np.where(inside, table[np.where(inside, label, 0)], 1.0)
    if mask is not None:
        own = np.where(mask.words, own, 0.0)
    return Memory(own if weight is None else own * weight.numbers, "float64")


def _apart(words: np.ndarray, written: np.ndarray) -> np.ndarray:
    """Copy what lies where a kernel writes: it is compiled for arrays that lie apart."""
    return words.copy() if np.may_share_memory(words, written) else words
