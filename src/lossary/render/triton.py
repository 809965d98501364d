"""Triton's spellings, and the programs of a GPU kernel: one read and one write of the data.

Elementwise losses take a block of elements per program. Losses with a class axis take a tile of
whole rows where a row fits on the chip (``resident``: it is read once), else one row in blocks, as
often as the plan has passes (``streamed``: the row stays in the second cache). The arithmetic is
float32, and float64 where the data are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from lossary.formula import Expression, apply, constant, variable, walk
from lossary.functions import peak, where
from lossary.render.kernel import Kernel, Operand, Result
from lossary.render.passes import Plan, row_parts
from lossary.render.spare import WORDS, relax
from lossary.render.target import ATOM, BITS, COMPARE, PRODUCT, SUM, UNARY, Printer, Target, lower
from lossary.rewriting import rebuild, substitute

__all__ = ["TARGETS", "Text", "word"]

SPELLINGS = {
    "add": (SUM, "{0} + {1}"),
    "subtract": (SUM, "{0} - {1}"),
    "multiply": (PRODUCT, "{0} * {1}"),
    "divide": (PRODUCT, "{0} / {1}"),
    "negative": (UNARY, "-{0}"),
    "power": (ATOM, "real.power({0}, {1})"),
    "absolute": (ATOM, "tl.abs({0})"),
    "sign": (ATOM, "real.sign({0})"),
    "floor": (ATOM, "tl.floor({0})"),
    "sqrt": (ATOM, "real.sqrt({0})"),
    "exp": (ATOM, "real.exp({0})"),
    "expm1": (ATOM, "real.expm1({0})"),
    "log": (ATOM, "real.log({0})"),
    "log1p": (ATOM, "real.log1p({0})"),
    "tanh": (ATOM, "real.tanh({0})"),
    "maximum": (ATOM, "real.maximum({0}, {1})"),
    "minimum": (ATOM, "real.minimum({0}, {1})"),
    "less": (COMPARE, "{0} < {1}"),
    "less_equal": (COMPARE, "{0} <= {1}"),
    "equal": (COMPARE, "{0} == {1}"),
    "logical_and": (BITS, "{0} & {1}"),
    "logical_or": (BITS, "{0} | {1}"),
    "logical_not": (UNARY, "~{0}"),
    "where": (ATOM, "tl.where({0}, {1}, {2})"),
    # Lanes beyond the row hold f(0), whatever f is: they are masked here, after f.
    "total": (ATOM, "tl.sum(tl.where(inside, {0}, 0.0), 1, keep_dims=True)"),
    "peak": (ATOM, 'tl.max(tl.where(inside, {0}, float("-inf")), 1, keep_dims=True)'),
    "argpeak": (
        ATOM,
        "tl.min(tl.where(inside & ({0} == {1}), column, classes), 1, keep_dims=True)",
    ),
    "pick": (ATOM, "{0}"),
    "class_index": (ATOM, "column"),
    "class_count": (ATOM, "class_count"),
    "log1p_unit": (ATOM, "real.log1p_unit({0})"),
    "power_of_positive": (ATOM, "real.power_of_positive({0}, {1})"),
}

_DOUBLE = Target("triton", "import triton", SPELLINGS, "{0}", own=WORDS)
# Triton's float32 quotient is an approximation within 2 ulp, which compensated sums cannot bear.
_SINGLE = replace(_DOUBLE, spellings={**SPELLINGS, "divide": (ATOM, "tl.div_rn({0}, {1})")})
# Sums and products of two halves are exact in float32, or nearly: it has precision to spare.
_SPARE = replace(_DOUBLE, spellings={**SPELLINGS, "exp": (ATOM, "real.exp_of_half({0})")})

TARGETS: Mapping[str, Target] = {"float64": _DOUBLE, "float32": _SINGLE, "halves": _SPARE}

# Numbers in a definition that stand for the precision or the range of float64, and what they are in
# float32: what halves a number, what rounds it to one bit, and the ends of the safe range.
_IN_SINGLE = {
    2.0**27 + 1: 2.0**12 + 1,
    2.0**52 + 1: 2.0**23 + 1,
    2.0**-100: 2.0**-42,
    1e-290: 1e-34,
    1e290: 1e34,
    1e300: 1e36,
}

_IMPORTS = """import triton
import triton.language as tl

import lossary.kernels.triton_math as real
"""

# Names that the text needs for itself; an argument of the loss that is called so gets another one.
_OWN = re.compile(
    r"row|rows|column|classes|class_count|size|start|begin|lane|limit|there|keep|inside|present|"
    r"scale|factor|right|weight|mask|upstream|sums|real|tl|triton|ROWS|BLOCK|float|range|highest|"
    r"(at|known)_\w+|\w*\d|\w+_|\w+_step|\w+_of_loss|\w+_kernel"
)

_INDENT = "    "


def word(name: str) -> str:
    """Return what an argument of the loss is called in the text."""
    return f"{name}_of_loss" if _OWN.fullmatch(name) else name


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (_INDENT + line for line in lines)


class Text:
    """The text of one kernel, resident or streamed.

    ``pointers`` names the numbers (``word`` of hyper-parameters, and ``scale``) that are given as
    tensors on the device, so that the host need not wait for them.
    """

    def __init__(
        self, kernel: Kernel, *, streamed: bool = False, pointers: frozenset[str] = frozenset()
    ) -> None:
        self.kernel, self.streamed, self.pointers = kernel, streamed, pointers
        self.known: dict[Expression, Expression] = {}
        self.count = 0

    # What is computed.

    @cached_property
    def work(self) -> str:
        """The arithmetic: float64 where the data are, else float32."""
        stored = [o.storage for o in self.kernel.operands if o.place != "number"]
        stored += [r.storage for r in self.kernel.results if r.derivative]
        return "float64" if "float64" in stored else "float32"

    @cached_property
    def target(self) -> Target:
        """The spellings for the data: float64, float32, or halves alone."""
        stored = {o.storage for o in self.kernel.operands if o.place not in {"number", "label"}}
        return TARGETS["halves" if stored <= {"bfloat16", "float16"} else self.work]

    @cached_property
    def results(self) -> tuple[Expression, ...]:
        """The results in primitives."""
        spare = self.target is _SPARE
        lowered = [lower(result.expression, spare=spare) for result in self.kernel.results]
        if self.work == "float32":
            lowered = relax(lowered)
        return tuple(self._fitted(e) for e in Plan.of(lowered).results)

    @cached_property
    def right(self) -> Expression | None:
        """Whether all values of an element or row lie in their sets; None for no question."""
        conditions = []
        for check in self.kernel.checks:
            lowered = lower(check)
            # One class outside its set makes the whole row wrong.
            wrong = peak(where(lowered, 0, 1)) if lowered.class_axis else None
            conditions.append(lowered if wrong is None else wrong <= 0)
        labels = [o.name for o in self.kernel.operands if o.place == "label"]
        conditions += [variable(f"known_{name}") for name in labels]
        if not conditions:
            return None
        right = conditions[0]
        for condition in conditions[1:]:
            right = right & condition
        return self._fitted(right)

    @property
    def roots(self) -> tuple[Expression, ...]:
        """All that is computed."""
        return self.results if self.right is None else (*self.results, self.right)

    def _fitted(self, expression: Expression) -> Expression:
        """Fit constants to the precision, and names to the text."""
        done: dict[Expression, Expression] = {}
        for node in walk(expression):
            if node.operator == "variable":
                name = str(node.payload)
                done[node] = variable(word(name), class_axis=node.class_axis)
            elif node.operator == "constant":
                done[node] = self._constant(node)
            else:
                done[node] = rebuild(node, tuple(done[a] for a in node.arguments))
                done[node] = self._spelled(done[node])
        return done[expression]

    def _constant(self, node: Expression) -> Expression:
        fitting = _IN_SINGLE.get(float(node.payload or 0)) if self.work == "float32" else None
        return node if fitting is None else constant(fitting)

    def _spelled(self, node: Expression) -> Expression:
        """Rewrite what Triton would misread or float32 cannot bear."""
        x, *rest = node.arguments or (None,)
        if node.operator == "power" and x is not None:
            if rest[0].payload == 2:
                return apply("multiply", x, x)
            return apply("power", self._typed(x), self._typed(rest[0]))
        if node.operator == "multiply" and _is_reciprocal(rest[0]) and x is not None:
            divisor = rest[0].arguments[1]
            return node if _is_one_plus(divisor) else apply("divide", x, divisor)
        plain = node.operator == "where" and all(e.operator == "constant" for e in rest)
        if plain and self.work == "float64":
            return apply("where", x, self._typed(rest[0]), rest[1])
        return node

    def _typed(self, node: Expression) -> Expression:
        """Give a plain number the type of the work; by itself it is a float32, or no tensor."""
        if node.operator != "constant":
            return node
        text = repr(node.payload)
        text = f'float("{text}")' if text in {"inf", "-inf", "nan"} else text
        return variable(f"tl.full((), {text}, tl.{self.work})")

    # The function.

    @property
    def source(self) -> str:
        """The source of a module with one function, ``NAME_kernel``."""
        kernel = self.kernel
        body = self._elements() if not kernel.class_axis else self._rows()
        header = [f"{name}," for name in self.parameters]
        lines = ["@triton.jit", f"def {kernel.name}_kernel(", *_indented(header), "):"]
        return "\n".join([_IMPORTS, "", *lines, *_indented(body)]) + "\n"

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of the function in order; those of arrays end with an underscore."""
        kernel = self.kernel
        names = [self._parameter(o) for o in kernel.operands]
        names += ["weight_"] * bool(kernel.weight) + ["mask_"] * kernel.mask
        names += ["upstream_"] * bool(kernel.upstream)
        names += ["scale_" if "scale" in self.pointers else "scale"]
        names += [f"{r.name}_" for r in kernel.results if self.written(r)]
        names += ["sums_"] * (self.summed is not None)
        if not kernel.class_axis:
            return (*names, "size", "BLOCK: tl.constexpr")
        steps = [f"{word(o.name)}_step" for o in kernel.operands if o.place == "class"]
        steps += [f"{r.name}_step" for r in kernel.results if self.spread(r)]
        return (*names, "rows", "classes", *steps, "ROWS: tl.constexpr", "BLOCK: tl.constexpr")

    def _parameter(self, operand: Operand) -> str:
        plain = operand.place == "number" and word(operand.name) not in self.pointers
        return word(operand.name) if plain else f"{word(operand.name)}_"

    def written(self, result: Result) -> bool:
        """Whether a result is an array, not a sum."""
        return result.derivative or not self.kernel.reduce

    def spread(self, result: Result) -> bool:
        """Whether a result has an entry for each class: the derivative for such an operand."""
        return result.derivative and self.derived(result).place == "class"

    def derived(self, result: Result) -> Operand:
        """Return the operand of a derivative, whose name ends with the operand's."""
        ending = [o for o in self.kernel.operands if result.name.endswith(f"_{o.name}")]
        return max(ending, key=lambda operand: len(operand.name))

    @cached_property
    def summed(self) -> Result | None:
        """The result that is added up."""
        return next((r for r in self.kernel.results if not self.written(r)), None)

    # What all kernels share.

    def _numbers(self) -> Iterator[str]:
        names = [o.name for o in self.kernel.operands if o.place == "number"]
        for name in names:
            yield from self._number(word(name), word(name) in self.pointers)
        yield from self._number("scale", "scale" in self.pointers)

    def _number(self, name: str, pointer: bool) -> Iterator[str]:
        if pointer:
            yield f"{name} = tl.load({name}_).to(tl.{self.work})"
        else:
            yield f"{name} = tl.full((), {name}, tl.{self.work})"

    def _load(self, place: str, mask: str, storage: str = "float32") -> str:
        cast = {"integer": "", "boolean": " != 0"}.get(storage, f".to(tl.{self.work})")
        return f"tl.load({place}, {mask}, 0){cast}"

    def _keep(self, place: str, there: str) -> Iterator[str]:
        """Find out which elements or rows count; of the others nothing is read."""
        kernel, conditions = self.kernel, [there]
        if kernel.weight:
            yield f"weight = {self._load(f'weight_ + {place}', there)}"
            conditions.append("(weight != 0.0)")
        if kernel.mask:
            yield f"mask = {self._load(f'mask_ + {place}', there, 'boolean')}"
            conditions.append("mask")
        yield f"keep = {' & '.join(conditions)}"
        if kernel.upstream:
            yield f"upstream = {self._load(f'upstream_ + {place}', 'keep')}"

    def _factor(self, texts: Sequence[str]) -> Iterator[str]:
        """Compute what derivatives are multiplied by: NaN where a value lies outside its set."""
        kernel = self.kernel
        if self.right is not None:
            yield f"right = {texts[-1]}"
        factors = ["weight"] * bool(kernel.weight) + ["upstream"] * bool(kernel.upstream)
        if any(result.derivative for result in kernel.results):
            factor = " * ".join(["scale", *factors])
            yield f"factor = {self._or_nan(factor)}"

    def _or_nan(self, text: str) -> str:
        return text if self.right is None else f'tl.where(right, {text}, float("nan"))'

    def _final(self, result: Result, text: str) -> str:
        """Weigh a result, and make it 0 where it does not count."""
        kernel = self.kernel
        if result.derivative:
            final = f"({text}) * factor"
        else:
            final = self._or_nan(f"({text}) * weight" if kernel.weight else text)
        skipping = kernel.weight or kernel.mask or not self.written(result)
        return f"tl.where(keep, {final}, 0.0)" if skipping else final

    def _sum(self, result: Result, text: str) -> str:
        # In float64, so that a mean of 10^8 numbers is right: one addition for 8 bytes read.
        wide = f"{self._final(result, text)}.to(tl.float64)"
        return f"tl.store(sums_ + tl.program_id(0), tl.sum({wide}))"

    def _printed(self, roots: Sequence[Expression]) -> tuple[list[str], list[str]]:
        """Return the lines that compute the roots, and the text of each root."""
        replaced = [substitute(root, self.known) for root in roots]
        self.count += 1
        printer = Printer(self.target, replaced, "", f"t{self.count}_")
        texts = [printer.text(root, 0) for root in replaced]
        return printer.lines, texts

    # Elementwise losses: a block of elements per program.

    def _elements(self) -> Iterator[str]:
        yield "begin = tl.program_id(0).to(tl.int64) * BLOCK"
        yield "lane = tl.arange(0, BLOCK)"
        yield "there = lane < size - begin"
        yield from self._numbers()
        yield from self._keep("begin + lane", "there")
        for operand in self.kernel.operands:
            if operand.place != "number":
                name = word(operand.name)
                yield f"{name} = {self._load(f'{name}_ + begin + lane', 'keep', operand.storage)}"
        lines, texts = self._printed(self.roots)
        yield from lines
        yield from self._factor(texts)
        for result, text in zip(self.kernel.results, texts, strict=False):
            if self.written(result):
                final = self._final(result, text)
                yield f"tl.store({result.name}_ + begin + lane, {final}, there)"
            else:
                yield self._sum(result, text)

    # Losses with a class axis: a tile of rows per program.

    def _rows(self) -> Iterator[str]:
        yield "row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]"
        yield "there = row < rows"
        yield f"class_count = tl.full((), classes, tl.{self.work})"
        yield from self._numbers()
        yield from self._keep("row", "there")
        for operand in self.kernel.operands:
            name = word(operand.name)
            if operand.place in {"row", "label"}:
                yield f"{name} = {self._load(f'{name}_ + row', 'keep', operand.storage)}"
            if operand.place == "label":
                known = word(f"known_{operand.name}")
                yield f"{known} = ({name} >= 0) & ({name} < classes)"
        yield from self._picks()
        yield from self._streamed() if self.streamed else self._resident()

    def _picks(self) -> Iterator[str]:
        """Read the entries at labels at the start: a kernel in place overwrites them."""
        found = [n for n in walk(*self.roots) if n.operator == "pick"]
        for node in found:
            array, label = (str(argument.payload) for argument in node.arguments)
            place, name = f"{array}_ + row * {array}_step + {label}", f"at_{label}_{array}"
            valid = f"keep & {word(f'known_{label}')}" if self._is_label(label) else "keep"
            yield f"{name} = {self._load(place, valid)}"
            self.known[node] = variable(name)

    def _is_label(self, name: str) -> bool:
        return any(word(o.name) == name and o.place == "label" for o in self.kernel.operands)

    def _loads(self, roots: Iterable[Expression]) -> Iterator[str]:
        used = {str(node.payload) for node in walk(*roots) if node.operator == "variable"}
        for operand in self.kernel.operands:
            name = word(operand.name)
            if operand.place == "class" and name in used:
                place = f"{name}_ + row * {name}_step + column"
                yield f"{name} = {self._load(place, 'inside', operand.storage)}"

    def _tile(self, first: str) -> Iterator[str]:
        yield f"column = {first}tl.arange(0, BLOCK)[None, :]"
        yield "present = there & (column < classes)"
        yield "inside = keep & present"

    def _store(self, result: Result, text: str) -> str:
        place = f"{result.name}_ + row * {result.name}_step + column"
        return f"tl.store({place}, {self._final(result, text)}, present)"

    def _row_result(self, result: Result, text: str) -> str:
        if result is self.summed:
            return self._sum(result, text)
        return f"tl.store({result.name}_ + row, {self._final(result, text)}, there)"

    def _barrier(self) -> Iterator[str]:
        """No warp may overwrite in place what another one has still to pick."""
        if self.known and any(self.spread(r) for r in self.kernel.results):
            yield "tl.debug_barrier()"

    def _resident(self) -> Iterator[str]:
        roots = [_by_peak(root) for root in self.roots]
        yield from self._tile("")
        yield from self._loads(self._replaced(roots))
        lines, texts = self._printed(roots)
        yield from lines
        yield from self._barrier()
        yield from self._factor(texts)
        for result, text in zip(self.kernel.results, texts, strict=False):
            spread = self.spread(result)
            yield self._store(result, text) if spread else self._row_result(result, text)

    def _streamed(self) -> Iterator[str]:
        kernel, plan = self.kernel, Plan(self.roots)
        skipping = kernel.weight or kernel.mask
        if skipping:
            yield "# Of a row that does not count nothing is read."
        counts = " * tl.max(tl.max(keep.to(tl.int32), 1), 0)" if skipping else ""
        yield f"limit = classes{counts}"
        for reductions in plan.reductions:
            if reductions:
                yield from self._reduction_pass(reductions)
        yield from self._barrier()
        spread = [place for place, r in enumerate(kernel.results) if self.spread(r)]
        yield from self._row_values([self.results[place] for place in spread])
        rest = [place for place in range(len(kernel.results)) if place not in spread]
        roots = [self.results[place] for place in rest]
        lines, texts = self._printed([*roots, self.right] if self.right is not None else roots)
        yield from lines
        yield from self._factor(texts)
        if spread:
            yield from self._writing_pass(spread)
        for place, text in zip(rest, texts, strict=False):
            yield self._row_result(kernel.results[place], text)

    def _row_values(self, roots: Sequence[Expression]) -> Iterator[str]:
        """Compute what a loop over the row needs and does not change, and name it."""
        parts = row_parts(roots, self.known)
        lines, texts = self._printed(parts)
        yield from lines
        for number, (part, text) in enumerate(zip(parts, texts, strict=True)):
            name = f"r{self.count}_{number}"
            yield f"{name} = {text}"
            self.known[part] = variable(name)

    def _reduction_pass(self, reductions: Sequence[Expression]) -> Iterator[str]:
        arguments = list(dict.fromkeys(node.arguments[0] for node in reductions))
        yield from self._row_values(arguments)
        lines, texts = self._printed(arguments)
        body = [*self._tile("start + "), *self._loads(self._replaced(arguments)), *lines]
        ends: list[str] = []
        for argument, text in zip(arguments, texts, strict=True):
            self.count += 1
            own = [node for node in reductions if node.arguments[0] is argument]
            yield from _starts({node.operator for node in own}, self.count, self.work)
            body += _steps({node.operator for node in own}, self.count, text)
            for node in own:
                self.known[node] = variable(f"{_KINDS[node.operator]}{self.count}")
                if node.operator == "total":
                    ends.append(f"total{self.count} += error{self.count}")
        yield "for start in range(0, limit, BLOCK):"
        yield from _indented(body)
        yield from ends

    def _replaced(self, roots: Iterable[Expression]) -> list[Expression]:
        return [substitute(root, self.known) for root in roots]

    def _writing_pass(self, places: Sequence[int]) -> Iterator[str]:
        kernel = self.kernel
        roots = [self.results[place] for place in places]
        lines, texts = self._printed(roots)
        stores = [self._store(kernel.results[p], t) for p, t in zip(places, texts, strict=True)]
        yield "for start in range(0, limit, BLOCK):"
        yield from _indented(self._tile("start + "))
        yield from _indented([*self._loads(self._replaced(roots)), *lines, *stores])
        if kernel.weight or kernel.mask:
            yield "for start in range(limit, classes, BLOCK):"
            yield from _indented(self._tile("start + "))
            for place in places:
                name = kernel.results[place].name
                zeros = f"tl.zeros((ROWS, BLOCK), tl.{self.work})"
                yield f"    tl.store({name}_ + row * {name}_step + column, {zeros}, present)"


def _is_reciprocal(node: Expression) -> bool:
    return node.operator == "divide" and node.arguments[0] is constant(1)


def _is_one_plus(node: Expression) -> bool:
    """Whether a reciprocal is safe: that of a subnormal divisor would be infinite."""
    one = node.operator == "add" and any(a is constant(1) for a in node.arguments)
    return one and any(a.operator in {"exp", "total"} for a in node.arguments)


def _by_peak(root: Expression) -> Expression:
    """Look for the place of the peak by its value: a comparison less for each class."""
    done: dict[Expression, Expression] = {}
    for node in walk(root):
        arguments = tuple(done[a] for a in node.arguments)
        if node.operator == "argpeak":
            done[node] = apply("argpeak", *arguments, peak(*arguments), class_axis=False)
        else:
            done[node] = rebuild(node, arguments)
    return done[root]


_KINDS = {"total": "total", "peak": "peak", "argpeak": "place"}


def _starts(operators: set[str], mark: int, work: str) -> Iterator[str]:
    """Begin the sums and peaks of one argument of reductions."""
    if "total" in operators:
        yield f"total{mark} = tl.zeros((ROWS, 1), tl.{work})"
        yield f"error{mark} = tl.zeros((ROWS, 1), tl.{work})"
    if operators & {"peak", "argpeak"}:
        yield f'peak{mark} = tl.full((ROWS, 1), float("-inf"), tl.{work})'
    if "argpeak" in operators:
        yield f"place{mark} = tl.zeros((ROWS, 1), tl.int32)"


def _steps(operators: set[str], mark: int, text: str) -> Iterator[str]:
    """Take a block into the sums and peaks."""
    if "total" in operators:
        part = SPELLINGS["total"][1].format(text)
        yield f"total{mark}, error{mark} = real.add(total{mark}, error{mark}, {part})"
    if operators & {"peak", "argpeak"}:
        yield f"highest = {SPELLINGS['peak'][1].format(text)}"
    if "argpeak" in operators:
        place = SPELLINGS["argpeak"][1].format(text, "highest")
        yield f"place{mark} = tl.where(highest > peak{mark}, {place}, place{mark})"
    if operators & {"peak", "argpeak"}:
        yield f"peak{mark} = tl.maximum(peak{mark}, highest)"
