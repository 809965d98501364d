"""What shapes a kernel: its form, the text of a form, and how its work is laid out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from lossary.definition import Argument
from lossary.domain import Domain
from lossary.engine.program import Variant
from lossary.formula import variable, walk
from lossary.kernels import pool
from lossary.render.kernel import Kernel, Operand, Place, Result, Storage, check_of
from lossary.render.lowering import lower
from lossary.render.passes import COSTLY
from lossary.rewriting import substitute

PARALLEL_FROM = {"arithmetic": 1 << 19, "functions": 1 << 17}
"""Elements from which threads of ours share the work, by what it is made of: half a millisecond's.

Waking a thread costs some 30 µs, but a framework's own threads wait actively for their next work,
and beside them a short share comes late.
"""

READINESS = {"openmp": 8, "xla": 4}
"""How many times smaller the work is that a framework's own threads share."""

_ROW_BLOCK = 1 << 14
"""Elements in a block of long rows."""

SHORT = {"float64": 128, "float32": 32}
"""Classes up to which rows are computed side by side, by what a lane of them holds."""

_SHORT_BLOCK = 1 << 12
"""Elements in a block of short rows: its temporaries stay in the first cache."""

_STEP = 1 << 10
"""Elements in a block of an elementwise loss."""


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
