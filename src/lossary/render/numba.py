"""Numba's spellings, and the loops of a CPU kernel: one pass over memory, in float64 throughout."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lossary.formula import Expression, variable, walk
from lossary.render.kernel import Kernel, Result
from lossary.render.passes import row_parts
from lossary.render.target import ATOM, COMPARE, PRODUCT, SUM, UNARY, Printer, Target
from lossary.rewriting import substitute

__all__ = ["TARGET", "kernel_text"]

SPELLINGS = {
    "add": (SUM, "{0} + {1}"),
    "subtract": (SUM, "{0} - {1}"),
    "multiply": (PRODUCT, "{0} * {1}"),
    "divide": (PRODUCT, "{0} / {1}"),
    "negative": (UNARY, "-{0}"),
    "power": (ATOM, "power({0}, {1})"),
    "absolute": (ATOM, "abs({0})"),
    "sign": (ATOM, "sign({0})"),
    "floor": (ATOM, "floor({0})"),
    "sqrt": (ATOM, "sqrt({0})"),
    "exp": (ATOM, "exp({0})"),
    "expm1": (ATOM, "expm1({0})"),
    "log": (ATOM, "log({0})"),
    "log1p": (ATOM, "log1p({0})"),
    "tanh": (ATOM, "tanh({0})"),
    "maximum": (ATOM, "maximum({0}, {1})"),
    "minimum": (ATOM, "minimum({0}, {1})"),
    "less": (COMPARE, "{0} < {1}"),
    "less_equal": (COMPARE, "{0} <= {1}"),
    "equal": (COMPARE, "{0} == {1}"),
    "logical_and": (ATOM, "both({0}, {1})"),
    "logical_or": (ATOM, "either({0}, {1})"),
    "logical_not": (UNARY, "not {0}"),
    "where": (ATOM, "select({0}, {1}, {2})"),
    "total": (ATOM, "lane_sum({0})"),
    "peak": (ATOM, "block_peak({0}, n)"),
    "argpeak": (ATOM, "first_place({0}, n, {1})"),
    "pick": (ATOM, "{0}"),
    "class_index": (ATOM, "j"),
    "class_count": (ATOM, "float64(classes)"),
}

TARGET = Target("numba", "from numba import njit", SPELLINGS, "{0}", number="{0}")

LOADS = {
    "float64": "{0}",
    "float32": "float64({0})",
    "bfloat16": "bfloat16_to_float64({0})",
    "float16": "float16_to_float64({0})",
    "integer": "float64({0})",
    "boolean": "float64({0})",
}
STORES = {
    "float64": "{0}",
    "float32": "float32({0})",
    "bfloat16": "float64_to_bfloat16({0})",
    "float16": "float64_to_float16({0})",
}

# Where the words of a kernel come from.
_SOURCES = {
    "numba": ("float32", "float64", "njit"),
    "math": ("inf", "nan"),
    "lossary.kernels.vector_math": (
        "bfloat16_to_float64", "float16_to_float64", "float64_to_bfloat16", "float64_to_float16",
        "floor", "maximum", "minimum", "sign", "sqrt",
    ),
    "lossary.kernels.sums": ("add", "block_peak", "both", "either", "first_place", "lane_sum",
                             "select"),
}  # fmt: skip

# Functions that come exact, and faster where float64 has precision to spare.
_PRECISE = {
    "lossary.kernels.vector_math": ("exp", "expm1", "log", "log1p", "power", "tanh"),
}
_SPARE = {
    "lossary.kernels.vector_math": ("power_plain as power",),
    "lossary.kernels.vector_math.spare": ("exp", "expm1", "log", "log1p", "tanh"),
}

BLOCK = 1024
"""Elements, or classes, whose temporaries stay in the first cache."""


def kernel_text(kernel: Kernel, *, cached: bool) -> str:
    """Print a kernel as the source of a module with one function, named like the kernel."""
    body = list(_rows(kernel) if kernel.class_axis else _elements(kernel))
    header = f"def {kernel.name}({', '.join(_parameters(kernel))}):"
    options = f"nogil=True, error_model='numpy', cache={cached}"
    text = "\n".join([f"@njit({options})", header, *(f"    {line}" for line in body)]) + "\n"
    return f"{_imports(text, _SPARE if kernel.spare else _PRECISE)}\n\n\n{text}"


def _imports(text: str, functions: Mapping[str, tuple[str, ...]]) -> str:
    words = set(re.findall(r"\w+", text))
    lines = ["import numpy as np"]
    for module in dict.fromkeys([*_SOURCES, *functions]):
        names = (*_SOURCES.get(module, ()), *functions.get(module, ()))
        if used := sorted(name for name in names if name.split()[-1] in words):
            lines.append(f"from {module} import {', '.join(used)}")
    return "\n".join(lines)


def _parameters(kernel: Kernel) -> list[str]:
    names = [o.name if o.place == "number" else f"{o.name}_" for o in kernel.operands]
    names += ["weight_"] * bool(kernel.weight) + ["mask_"] * kernel.mask
    names += ["upstream_"] * bool(kernel.upstream)
    written = [f"{r.name}_" for r in kernel.results if r.derivative or not kernel.reduce]
    return ["first", "last", "step", *names, "scale", *written, "sums", "wrong"]


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"    {line}" for line in lines)


class _Scope:
    """Prints expressions in one place of the text, where some parts already have a name."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.known = kernel, dict[Expression, Expression]()
        self.peaks: dict[Expression, str] = {}
        self.count = 0

    def fresh(self, word: str) -> str:
        """Return a name that no other part has."""
        self.count += 1
        return f"{word}{self.count}"

    def name(self, node: Expression, name: str) -> None:
        """From here on the node is called so."""
        self.known[node] = variable(name, class_axis=node.class_axis)

    def texts(self, roots: Sequence[Expression], prefix: str) -> tuple[list[str], list[str]]:
        """Return the lines that compute the roots, and the text of each root."""
        replaced = [substitute(root, self.known) for root in roots]
        printer = Printer(TARGET, replaced, "", self.fresh(prefix) + "_")
        texts = [printer.text(root, 0) for root in replaced]
        return printer.lines, texts


def _factor(kernel: Kernel) -> str:
    parts = ["weight"] * bool(kernel.weight) + ["upstream"] * bool(kernel.upstream)
    return " * ".join(["scale", *parts])


def _keep(kernel: Kernel) -> str:
    """Return the condition under which an element counts; empty for always."""
    parts = ["weight != 0.0"] * bool(kernel.weight) + ["mask"] * kernel.mask
    return f"both({', '.join(parts)})" if len(parts) == 2 else "".join(parts)


def _extras(kernel: Kernel, index: str, suffix: str) -> Iterator[str]:
    """Load what belongs to an element or row beside the data."""
    if kernel.weight:
        yield f"weight = {LOADS[kernel.weight].format(f'weight_{suffix}[{index}]')}"
    if kernel.mask:
        yield f"mask = mask_{suffix}[{index}]"
    if kernel.upstream:
        yield f"upstream = {LOADS[kernel.upstream].format(f'upstream_{suffix}[{index}]')}"


def _weighed(kernel: Kernel, result: Result, text: str) -> str:
    factor = _factor(kernel) if result.derivative else "weight" if kernel.weight else ""
    return f"({text}) * {factor}" if factor else text


def _guarded(kernel: Kernel, text: str) -> str:
    keep = _keep(kernel)
    return f"select(keep, {text}, 0.0)" if keep else text


# Elementwise losses.


def _elements(kernel: Kernel) -> Iterator[str]:
    arrays = [name for name in _parameters(kernel) if name.endswith("_")]
    yield f"size = {arrays[0]}.shape[0]"
    yield "for block in range(first, last):"
    yield from _indented(_one_block(kernel, arrays))


def _one_block(kernel: Kernel, arrays: Sequence[str]) -> Iterator[str]:
    yield "begin = block * step"
    yield "n = min(step, size - begin)"
    for name in arrays:
        yield f"{name[:-1]}_b = {name}[begin : begin + n]"
    yield "bad = 0"
    yield "sum = 0.0"
    yield "for i in range(n):"
    yield from _indented(_one_element(kernel))
    yield "wrong[block] = bad"
    yield "sums[block] = sum"


def _one_element(kernel: Kernel) -> Iterator[str]:
    for operand in kernel.operands:
        if operand.place != "number":
            place = f"{operand.name}_b[i]"
            yield f"{operand.name} = {LOADS[operand.storage].format(place)}"
    yield from _extras(kernel, "i", "b")
    if _keep(kernel):
        yield f"keep = {_keep(kernel)}"
    lines, texts = _Scope(kernel).texts(kernel.plan.results, "t")
    yield from lines
    outcomes, checks = texts[: len(kernel.results)], texts[len(kernel.results) :]
    for result, text in zip(kernel.results, outcomes, strict=True):
        final = _guarded(kernel, _weighed(kernel, result, text))
        if result.derivative or not kernel.reduce:
            yield f"{result.name}_b[i] = {STORES[result.storage].format(final)}"
        else:
            yield f"sum = lane_sum(sum, {final})"
    if kernel.weight and kernel.check:
        yield "bad += select(both(weight >= 0.0, weight < inf), 0, 1)"
    if checks:
        right = checks[0]
        for check in checks[1:]:
            right = f"both({right}, {check})"
        yield f"right = either(not keep, {right})" if _keep(kernel) else f"right = {right}"
        yield "bad += select(right, 0, 1)"


# Losses with a class axis: a row at a time, as many passes over it as the plan has.


def _rows(kernel: Kernel) -> Iterator[str]:
    shaped = next(o for o in kernel.operands if o.place == "class")
    yield f"rows, classes = {shaped.name}_.shape"
    for index in _blocks(kernel):
        yield f"block{index} = np.empty({BLOCK})"
    for index, _ in enumerate(_kept(kernel)):
        yield f"kept{index} = np.empty(classes)"
    yield "for block in range(first, last):"
    yield "    bad = 0"
    yield "    sum = 0.0"
    yield "    rest = 0.0"
    yield "    for r in range(block * step, min(block * step + step, rows)):"
    yield from _indented(_indented(_one_row(kernel)))
    yield "    wrong[block] = bad"
    if _summed(kernel):
        yield "    sums[block] = sum + rest"


def _summed(kernel: Kernel) -> Result | None:
    """Return the result that is added up instead of written, if there is one."""
    return next((r for r in kernel.results if kernel.reduce and not r.derivative), None)


def _arguments(reductions: Iterable[Expression]) -> list[Expression]:
    """Return what the reductions of a pass reduce, each once."""
    return list(dict.fromkeys(node.arguments[0] for node in reductions))


def _peaks(reductions: Iterable[Expression]) -> list[Expression]:
    """Return what a pass takes the peak of, each once."""
    return _arguments(node for node in reductions if node.operator != "total")


def _blocks(kernel: Kernel) -> range:
    """Peaks are taken of a block of values; those of an array itself need no copy."""
    return range(max(len(_computed(kernel, nodes)) for nodes in kernel.plan.reductions))


def _computed(kernel: Kernel, reductions: Iterable[Expression]) -> list[Expression]:
    return [x for x in _peaks(reductions) if not _lies_in_memory(kernel, x)]


def _lies_in_memory(kernel: Kernel, x: Expression) -> bool:
    """Whether x is an argument that can be compared as it is stored."""
    return not x.arguments and kernel.operand(str(x.payload)).storage in {"float32", "float64"}


def _kept(kernel: Kernel) -> dict[Expression, int]:
    return {node: i for i, node in enumerate(n for kept in kernel.plan.kept for n in kept)}


def _one_row(kernel: Kernel) -> Iterator[str]:
    scope = _Scope(kernel)
    for operand in kernel.operands:
        if operand.place == "row":
            yield f"{operand.name} = {LOADS[operand.storage].format(f'{operand.name}_[r]')}"
        elif operand.place == "label":
            yield f"{operand.name} = {operand.name}_[r]"
    yield from _extras(kernel, "r", "")
    yield from _skipped(kernel)
    _name_picks(kernel, scope)
    last = len(kernel.plan.reductions) - 1
    for number in range(last + 1):
        checks = _class_checks(kernel) if number == last else []
        yield from _one_pass(kernel, scope, number, checks)
    yield from _row_results(kernel, scope)


def _skipped(kernel: Kernel) -> Iterator[str]:
    """Leave out rows that do not count, and rows whose label is no class."""
    if kernel.weight and kernel.check:
        yield "bad += select(both(weight >= 0.0, weight < inf), 0, 1)"
    if keep := _keep(kernel):
        yield f"if not {keep}:"
        yield from _indented(_zeros(kernel))
        yield "    continue"
    for operand in kernel.operands:
        if operand.place == "label":
            yield f"if {operand.name} < 0 or {operand.name} >= classes:"
            yield "    bad += 1"
            yield from _indented(_zeros(kernel))
            yield "    continue"


def _zeros(kernel: Kernel) -> Iterator[str]:
    for result in kernel.results:
        if result.derivative or not kernel.reduce:
            place = (
                f"{result.name}_[r, :]" if result.expression.class_axis else f"{result.name}_[r]"
            )
            yield f"{place} = 0"


def _name_picks(kernel: Kernel, scope: _Scope) -> None:
    """An entry of an array at a label is one load."""
    for node in walk(*kernel.plan.results):
        if node.operator == "pick":
            array, label = (argument.payload for argument in node.arguments)
            load = LOADS[kernel.operand(str(array)).storage].format(f"{array}_[r, {label}]")
            scope.name(node, load)


def _class_checks(kernel: Kernel) -> list[Expression]:
    return [check for check in kernel.plan.results[len(kernel.results) :] if check.class_axis]


def _one_pass(
    kernel: Kernel, scope: _Scope, number: int, checks: list[Expression]
) -> Iterator[str]:
    reductions, stored = kernel.plan.reductions[number], kernel.plan.kept[number]
    places = [p for p in kernel.plan.written(number) if p < len(kernel.results)]
    totals = [node for node in reductions if node.operator == "total"]
    peaks = _peaks(reductions)
    computed = _computed(kernel, reductions)
    roots = [
        *stored,
        *(node.arguments[0] for node in totals),
        *computed,
        *(kernel.plan.results[place] for place in places),
        *checks,
    ]
    if not roots and not peaks:
        return
    yield from _before(roots, scope)
    yield from _starts(reductions, scope)
    loads = list(_class_loads(kernel, roots, scope))
    lines, texts = scope.texts(roots, "c")
    parts = iter(texts)
    body = [line for _, line in loads] + lines
    body += [f"kept{_kept(kernel)[node]}_b[i] = {next(parts)}" for node in stored]
    for node in totals:
        part = f"part_of_{scope.known[node]}"
        body.append(f"{part} = lane_sum({part}, {next(parts)})")
    body += [f"block{i}[i] = {next(parts)}" for i, _ in enumerate(computed)]
    for place in places:
        result = kernel.results[place]
        final = STORES[result.storage].format(_weighed(kernel, result, next(parts)))
        body.append(f"{result.name}_b[i] = {final}")
    body += [f"bad += select({text}, 0, 1)" for text in parts]
    yield f"for start in range(0, classes, {BLOCK}):"
    yield f"    n = min({BLOCK}, classes - start)"
    inside = [f"{x.payload}_b" for x in peaks if _lies_in_memory(kernel, x)]
    yield from _indented(_views([*body, *inside]))
    yield from (f"    part_of_{scope.known[node]} = 0.0" for node in totals)
    if body:
        yield "    for i in range(n):"
        if any(re.search(r"\bj\b", line) for line in body):
            yield "        j = start + i"
        yield from _indented(_indented(body))
    yield from _indented(_steps(reductions, computed, scope))
    yield from (f"{scope.known[node]} += error_of_{scope.known[node]}" for node in totals)
    for node in stored:
        scope.name(node, f"kept{_kept(kernel)[node]}_b[i]")


def _before(roots: Sequence[Expression], scope: _Scope) -> Iterator[str]:
    """Compute for the whole row what the loop needs of it."""
    parts = row_parts(roots, scope.known)
    lines, texts = scope.texts(parts, "r")
    yield from lines
    for part, text in zip(parts, texts, strict=True):
        name = scope.fresh("row")
        yield f"{name} = {text}"
        scope.name(part, name)


def _class_loads(
    kernel: Kernel, roots: Sequence[Expression], scope: _Scope
) -> Iterator[tuple[str, str]]:
    replaced = [substitute(root, scope.known) for root in roots]
    used = {node.payload for node in walk(*replaced) if node.operator == "variable"}
    for operand in kernel.operands:
        if operand.place == "class" and operand.name in used:
            load = LOADS[operand.storage].format(f"{operand.name}_b[i]")
            yield operand.name, f"{operand.name} = {load}"


def _views(body: Sequence[str]) -> Iterator[str]:
    """Cut the block out of each array: an index from 0 is one that vectorises."""
    for name in dict.fromkeys(re.findall(r"\b(\w+)_b\b", "\n".join(body))):
        whole = f"{name}[" if name.startswith("kept") else f"{name}_[r, "
        yield f"{name}_b = {whole}start : start + n]"


def _starts(reductions: Sequence[Expression], scope: _Scope) -> Iterator[str]:
    for node in reductions:
        if node.operator == "total":
            name = scope.fresh("total")
            yield f"{name} = error_of_{name} = 0.0"
            scope.name(node, name)
    for argument in _peaks(reductions):
        name = scope.fresh("peak")
        yield f"{name} = -inf"
        yield f"place_of_{name} = 0"
        for node in reductions:
            if node.arguments[0] is argument and node.operator != "total":
                scope.name(node, name if node.operator == "peak" else f"place_of_{name}")
        scope.peaks[argument] = name


def _steps(
    reductions: Sequence[Expression],
    computed: Sequence[Expression],
    scope: _Scope,
) -> Iterator[str]:
    """Add what a block has given to what the row has so far."""
    for node in reductions:
        if node.operator == "total":
            total = scope.known[node]
            yield f"{total}, error_of_{total} = add({total}, error_of_{total}, part_of_{total})"
    blocks = {node: f"block{i}" for i, node in enumerate(computed)}
    for argument in _peaks(reductions):
        peak, values = scope.peaks[argument], blocks.get(argument, f"{argument.payload}_b")
        yield f"highest = float64(block_peak({values}, n))"
        yield f"if highest > {peak}:"
        yield f"    {peak} = highest"
        if any(n.operator == "argpeak" and n.arguments[0] is argument for n in reductions):
            yield f"    place_of_{peak} = start + first_place({values}, n, highest)"


def _row_results(kernel: Kernel, scope: _Scope) -> Iterator[str]:
    results, checks = (
        kernel.plan.results[: len(kernel.results)],
        kernel.plan.results[len(kernel.results) :],
    )
    rows = [(r, e) for r, e in zip(kernel.results, results, strict=True) if not e.class_axis]
    wanted = [e for _, e in rows] + [check for check in checks if not check.class_axis]
    lines, texts = scope.texts(wanted, "r")
    yield from lines
    for (result, _), text in zip(rows, texts, strict=False):
        final = _weighed(kernel, result, text)
        if result is _summed(kernel):
            yield f"sum, rest = add(sum, rest, {final})"
        else:
            yield f"{result.name}_[r] = {STORES[result.storage].format(final)}"
    for text in texts[len(rows) :]:
        yield f"bad += select({text}, 0, 1)"
