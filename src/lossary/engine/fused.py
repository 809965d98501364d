"""One call by a fused kernel: its operands as memory, its text, its blocks of work."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import prod
from pickle import PickleError
from typing import Any

import numpy as np

from lossary.definition import Argument
from lossary.domain import Domain
from lossary.engine import weighing
from lossary.engine.arguments import Call
from lossary.engine.checking import tolerance
from lossary.engine.memory import Memory
from lossary.engine.program import Variant
from lossary.engine.selection import ELSEWHERE, chosen, obstacle
from lossary.formula import variable, walk
from lossary.kernels import pool
from lossary.render.kernel import Kernel, Operand, Place, Result, Storage, check_of
from lossary.render.passes import COSTLY
from lossary.render.target import lower
from lossary.rewriting import substitute

PARALLEL_FROM = {"arithmetic": 1 << 19, "functions": 1 << 17}
"""Elements from which several threads share the work, by what it is made of: half a millisecond's.

Waking a thread costs some 30 µs, but a framework's own threads wait actively for their next work,
and beside them a short share comes late.
"""

_ROW_BLOCK = 1 << 14
"""Elements in a block of long rows."""

SHORT = {"float64": 128, "float32": 32}
"""Classes up to which rows are computed side by side, by what a lane of them holds."""

_SHORT_BLOCK = 1 << 12
"""Elements in a block of short rows: its temporaries stay in the first cache."""

_STEP = 1 << 10
"""Elements in a block of an elementwise loss."""


class KernelError(RuntimeError):
    """A kernel that does not compile."""


@dataclass(frozen=True)
class Form:
    """All that shapes a kernel's text; equal forms share one compiled function."""

    variant: Variant
    results: tuple[tuple[str, Storage], ...]
    storages: tuple[Storage, ...]
    tolerances: tuple[float, ...]
    weight: Storage | None
    mask: bool
    upstream: Storage | None
    reduce: bool
    check: bool
    short: bool
    over: bool


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
    memory = call.library.memory(
        weighing.spread(call, weighing.fitting(call, "weight", call.options.weight))
    )
    return "elsewhere" if memory is None else memory.flat(False)


def _mask(call: Call) -> Any:
    mask = None
    if call.options.mask is not None:
        memory = call.library.memory(weighing.mask_of(call))
        if memory is None:
            return "elsewhere"
        mask = memory.flat(False).words
    if call.options.ignore_index is not None:
        counts = _labels(call) != weighing.ignored(call.options.ignore_index)
        mask = counts if mask is None else mask & counts
    return None if mask is None else Memory(mask, "boolean")


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


def workers(variant: Variant, elements: int) -> int:
    """Return on how many threads a kernel of so many elements is worth sharing."""
    return pool.workers(elements, shared_from(variant))


def shared_from(variant: Variant) -> int:
    """Return from how many elements on threads share a kernel."""
    return PARALLEL_FROM[_made_of(variant)]


@lru_cache(maxsize=4096)
def _made_of(variant: Variant) -> str:
    value = lower(variant.result("value"))
    return "functions" if any(n.operator in COSTLY for n in walk(value)) else "arithmetic"


def laid_out(form: Form, classes: int) -> Form:
    """Return the form with its layout for rows of so many classes; 0 stands for no rows."""
    return replace(form, short=0 < classes <= SHORT[_lanes(form)])


@lru_cache(maxsize=4096)
def _lanes(form: Form) -> str:
    return "float32" if kernel_of(form).suits_single else "float64"


def step_of(classes: int, short: bool) -> int:
    """Return how many elements, or rows of so many classes, make a block."""
    if short:
        return min(128, max(32, _SHORT_BLOCK // classes))
    return max(1, _ROW_BLOCK // classes) if classes else _STEP


def machine_code(form: Form, step: int, arguments: list[Any]) -> Callable[..., None] | None:
    """Return the compiled function of ``(first block, last block, step, *arguments)``.

    Where nobody has chosen the engine, no call waits for a compiler: None until it is done. Raises
    KernelError if it does not compile.
    """
    found = _machine_code.get(form)
    if found is not None:
        return found
    from lossary.kernels import background

    if chosen() == "fused" or background.way() == "now":
        return _compile(form, step, arguments)
    if form not in _asked:
        _ask(form, step, arguments)
    background.go_on()
    return _machine_code.get(form)


_asked: set[Form] = set()
"""Kernels that are being compiled, or do not compile."""


def _ask(form: Form, step: int, arguments: list[Any]) -> None:
    """Have the kernel compiled beside the program."""
    from lossary.kernels import background
    from lossary.kernels.compiling import Work

    trial = [[x.dtype.name, x.ndim, x.flags.writeable] if isinstance(x, np.ndarray) else x
             for x in arguments]  # fmt: skip

    def then(function: Callable[..., None]) -> None:
        _machine_code[form] = function

    def make() -> Work:
        name, text = source(form)
        return Work([(name, text)], name, [0, 0, step, *trial])

    _asked.add(form)
    background.ask(make, then)


_machine_code: dict[Form, Callable[..., None]] = {}
"""Kernels whose machine code is there."""


def _compile(form: Form, step: int, arguments: list[Any]) -> Callable[..., None]:
    """Compile the kernel, or load its machine code, by a call that does no work.

    A cache that is damaged or belongs to another machine must not cost more than time.
    """
    from numba.core.errors import NumbaError

    from lossary.kernels import modules

    name, text = source(form)
    try:
        function = getattr(modules.load(name, text), name)
        try:
            function(0, 0, step, *arguments)
        except (ImportError, OSError, EOFError, ValueError, RuntimeError, PickleError):
            function = getattr(modules.in_memory(name, text), name)
            function(0, 0, step, *arguments)
    except (NumbaError, SyntaxError) as error:
        raise KernelError(
            f"{name} does not compile, so the array operations compute it: {error}\n"
            "hint: please report this; lossary.using(engine='array') silences it"
        ) from error
    _machine_code[form] = function
    return function


@lru_cache(maxsize=4096)
def source(form: Form) -> tuple[str, str]:
    """Return the name and the text of a kernel."""
    from lossary.render.loops import kernel_text

    kernel = kernel_of(form)
    return kernel.name, kernel_text(kernel, cached=True, short=form.short)


def kernel_of(form: Form) -> Kernel:
    """Describe the kernel of a form."""
    definition = form.variant.definition
    # No word of a kernel's own ends so, and none of another argument, whatever they are called.
    names = {a.name: f"{a.name}_x{place}" for place, a in enumerate(definition.arguments)}
    symbols = {
        definition.variable(old): variable(new, class_axis=definition.domains[old].class_axis)
        for old, new in names.items()
    }
    operands = [
        _operand(names[a.name], _place(a, definition.class_axis), storage, a.domain, tolerance)
        for a, storage, tolerance in zip(
            definition.inputs, form.storages, form.tolerances, strict=True
        )
    ]
    given = {a.name for a in definition.inputs}
    operands += [
        Operand(names[n], "number", "float64")
        for n in form.variant.arguments
        if n not in given
    ]  # fmt: skip
    first = definition.inputs[0].name
    results = tuple(
        Result(
            _result_name(what, names),
            substitute(form.variant.result(what), symbols),
            storage,
            derivative=what != "value",
            over=names[first] if form.over and what == f"gradient:{first}" else None,
        )
        for what, storage in form.results
    )
    return Kernel(
        f"fused_{definition.name}",
        tuple(operands),
        results,
        definition.class_axis,
        form.reduce,
        form.weight,
        form.mask,
        form.upstream,
        form.check,
    )


def _result_name(what: str, names: Mapping[str, str]) -> str:
    kind, _, argument = what.partition(":")
    return f"{kind}_of_{names[argument]}" if argument else kind


def _place(argument: Argument, class_axis: bool) -> Place:
    if argument.domain.integer:
        return "label"
    if argument.domain.class_axis:
        return "class"
    return "row" if class_axis else "element"


def _operand(
    name: str, place: Place, storage: Storage, domain: Domain, tolerance: float
) -> Operand:
    if place == "label":
        return Operand(name, place, storage)
    return Operand(name, place, storage, **check_of(name, domain, tolerance=tolerance))
