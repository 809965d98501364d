"""What the programs of all Triton kernels share: names, parameters, weights and checks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from lossary.formula import Expression, variable, walk
from lossary.functions import peak, where
from lossary.render.kernel import Kernel, Operand, Result
from lossary.render.lowering import lower
from lossary.render.passes import Plan
from lossary.render.spare import relax
from lossary.render.target import Target
from lossary.render.triton import TARGETS, fitted
from lossary.render.walk import Scope
from lossary.rewriting import substitute

# Names that the text needs for itself; an argument of the loss that is called so gets another one.
_OWN = re.compile(
    r"row|rows|column|classes|class_count|size|start|begin|lane|limit|there|keep|inside|present|"
    r"scale|factor|right|weight|mask|upstream|sums|real|tl|triton|ROWS|BLOCK|float|range|highest|"
    r"(at|known)_\w+|[crt]\d+_\d+|row\d+|(\w+_of_)?(total|peak)\d+|\w+_|\w+_step|\w+_of_loss|"
    r"\w+_kernel"
)


def word(name: str) -> str:
    """Return what an argument of the loss is called in the text."""
    return f"{name}_of_loss" if _OWN.fullmatch(name) else name


class TritonProgram:
    """One kernel in Triton, resident or streamed.

    ``pointers`` names the numbers (``word`` of hyper-parameters, and ``scale``) that are given as
    tensors on the device, so that the host need not wait for them. With ``unless`` the program ends
    at once where a number on the device is 1.
    """

    def __init__(
        self,
        kernel: Kernel,
        *,
        streamed: bool = False,
        pointers: frozenset[str] = frozenset(),
        unless: bool = False,
    ) -> None:
        self.kernel: Kernel = kernel
        self.streamed: bool = streamed
        self.pointers: frozenset[str] = pointers
        self.unless: bool = unless

    # What is computed.

    @cached_property
    def work(self) -> str:
        """The arithmetic: float64 where the data are, else float32."""
        stored = [o.storage for o in self.kernel.operands if o.place != "number"]
        stored += [r.storage for r in self.kernel.results if r.derivative]
        return "float64" if "float64" in stored else "float32"

    @cached_property
    def scope(self) -> Scope:
        """What has a name in the text so far."""
        return Scope(self.target)

    @cached_property
    def target(self) -> Target:
        """The spellings for the data: float64, float32, or halves alone."""
        stored = {o.storage for o in self.kernel.operands if o.place not in {"number", "label"}}
        return TARGETS["halves" if stored <= {"bfloat16", "float16"} else self.work]

    @cached_property
    def results(self) -> tuple[Expression, ...]:
        """The results in primitives."""
        # The difference of two halves is exact in float32, or nearly; a sum of three need not be.
        spare = self.target is TARGETS["halves"] and self.kernel.class_axis
        lowered = [lower(result.expression, spare=spare) for result in self.kernel.results]
        if self.work == "float32":
            lowered = relax(lowered)
        return tuple(self._named(fitted(e, self.work)) for e in Plan.of(lowered).results)

    @cached_property
    def right(self) -> Expression | None:
        """Whether all values of an element or row lie in their sets; None for no question."""
        conditions = []
        for check in self.kernel.checks:
            lowered = fitted(lower(check), self.work)
            # One class outside its set makes the whole row wrong.
            wrong = peak(where(lowered, 0, 1)) if lowered.class_axis else None
            conditions.append(self._named(lowered if wrong is None else wrong <= 0))
        labels = [o.name for o in self.kernel.operands if o.place == "label"]
        conditions += [variable(f"known_{name}") for name in labels]
        if not conditions:
            return None
        right = conditions[0]
        for condition in conditions[1:]:
            right = right & condition
        return right

    def _named(self, expression: Expression) -> Expression:
        """Give the arguments of the loss their names in the text."""
        names = {
            node: str(node.payload) for node in walk(expression) if node.operator == "variable"
        }
        own = {o.name for o in self.kernel.operands}
        changed = {
            node: variable(word(name), class_axis=node.class_axis)
            for node, name in names.items()
            if name in own and word(name) != name
        }
        return substitute(expression, changed)

    @property
    def roots(self) -> tuple[Expression, ...]:
        """All that is computed."""
        return self.results if self.right is None else (*self.results, self.right)

    # Parameters.

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of the function in order; those of arrays end with an underscore."""
        kernel = self.kernel
        names = [self._parameter(o) for o in kernel.operands]
        names += [f"{name}_" for name in kernel.extras]
        names += ["scale_" if "scale" in self.pointers else "scale"]
        names += [f"{r.name}_" for r in kernel.results if kernel.written(r)]
        names += ["sums_"] * (kernel.summed is not None) + ["unless_"] * self.unless
        if not kernel.class_axis:
            return (*names, "size", "BLOCK: tl.constexpr")
        steps = [f"{word(o.name)}_step" for o in kernel.operands if o.place == "class"]
        steps += [f"{r.name}_step" for r in kernel.results if self.spread(r)]
        return (*names, "rows", "classes", *steps, "ROWS: tl.constexpr", "BLOCK: tl.constexpr")

    def _parameter(self, operand: Operand) -> str:
        plain = operand.place == "number" and word(operand.name) not in self.pointers
        return word(operand.name) if plain else f"{word(operand.name)}_"

    def spread(self, result: Result) -> bool:
        """Whether a result has an entry for each class: the derivative for such an operand."""
        return result.derivative and self.derived(result).place == "class"

    def derived(self, result: Result) -> Operand:
        """Return the operand of a derivative, whose name ends with the operand's."""
        ending = [o for o in self.kernel.operands if result.name.endswith(f"_{o.name}")]
        return max(ending, key=lambda operand: len(operand.name))

    # Statements.

    def numbers(self) -> Iterator[str]:
        """Make tensors of the plain numbers."""
        names = [o.name for o in self.kernel.operands if o.place == "number"]
        for name in names:
            yield from self._number(word(name), word(name) in self.pointers)
        yield from self._number("scale", "scale" in self.pointers)

    def _number(self, name: str, pointer: bool) -> Iterator[str]:
        if pointer:
            yield f"{name} = tl.load({name}_).to(tl.{self.work})"
        else:
            yield f"{name} = tl.full((), {name}, tl.{self.work})"

    def load(self, place: str, mask: str, storage: str = "float32") -> str:
        """Read numbers into the arithmetic; whole numbers stay whole."""
        cast = {"integer": "", "boolean": " != 0"}.get(storage, f".to(tl.{self.work})")
        return f"tl.load({place}, {mask}, 0){cast}"

    def keep(self, place: str, there: str) -> Iterator[str]:
        """Find out which elements or rows count; of the others nothing is read."""
        kernel, conditions = self.kernel, [there]
        if kernel.weight:
            yield f"weight = {self.load(f'weight_ + {place}', there)}"
            conditions.append("(weight != 0.0)")
        if kernel.mask:
            yield f"mask = {self.load(f'mask_ + {place}', there, 'boolean')}"
            conditions.append("mask")
        yield f"keep = {' & '.join(conditions)}"
        if kernel.upstream:
            yield f"upstream = {self.load(f'upstream_ + {place}', 'keep')}"

    def factor(self, texts: Sequence[str]) -> Iterator[str]:
        """Compute what derivatives are multiplied by: NaN where a value lies outside its set."""
        if self.right is not None:
            yield f"right = {texts[-1]}"
        derivative = next((r for r in self.kernel.results if r.derivative), None)
        if derivative is not None:
            yield f"factor = {self._or_nan(' * '.join(self.kernel.factors(derivative)))}"

    def _or_nan(self, text: str) -> str:
        return text if self.right is None else f'tl.where(right, {text}, float("nan"))'

    def final(self, result: Result, text: str) -> str:
        """Weigh a result, and make it 0 where it does not count."""
        kernel = self.kernel
        if result.derivative:
            final = f"({text}) * factor"
        else:
            final = self._or_nan(f"({text}) * weight" if kernel.weight else text)
        skipping = kernel.weight or kernel.mask or not kernel.written(result)
        return f"tl.where(keep, {final}, 0.0)" if skipping else final

    def sum(self, result: Result, text: str) -> str:
        """Add up a result over the program, for the launcher to add up over all."""
        # In float64, so that a mean of 10^8 numbers is right: one addition for 8 bytes read.
        wide = f"{self.final(result, text)}.to(tl.float64)"
        return f"tl.store(sums_ + tl.program_id(0), tl.sum({wide}))"
