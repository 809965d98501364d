"""Single machine instructions that Numba has no spelling for, and how functions here are compiled.

LLVM turns a loop into vector instructions only if its body is one straight line: no branch, no call
and no possible exception. Hence choices are made by ``select`` (both sides are computed), bits are
read without a change of type in memory, and rounding is done by adding a large constant.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Any

import llvmlite.ir
import numba
import numpy as np
from numba.core.types import Integer, boolean, float32, float64, int32, int64
from numba.extending import intrinsic

from lossary.kernels.elementary import formats
from lossary.kernels.elementary.coefficients import evaluated, polynomials

# No fast-math flag: the compensated sums and the rounding constants below are exact statements
# about rounding, which reassociation would delete. Fused multiply-adds are written out instead.
vectorisable: Callable[..., Any] = numba.njit(forceinline=True, cache=True, error_model="numpy")

# Typed here because Numba's own decorator looks, to a type checker, like a call.
instruction: Callable[..., Any] = intrinsic
Word = Callable[..., Any]

DOUBLE: Any = llvmlite.ir.DoubleType()
SINGLE: Any = llvmlite.ir.FloatType()
INT64: Any = llvmlite.ir.IntType(64)
INT32: Any = llvmlite.ir.IntType(32)


def instruction_of(build: Callable[..., Any], result: Any, *kinds: Any) -> Word:
    """Return a word of these types; ``build`` makes it of LLVM's builder and the arguments."""

    def word(typing: Any, *given: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return build(builder, *arguments)

        return result(*kinds), generate

    # Numba would gather what a star takes into a tuple.
    names = ("typing", "a", "b", "c")[: len(kinds) + 1]
    word.__signature__ = Signature([Parameter(n, Parameter.POSITIONAL_ONLY) for n in names])  # pyright: ignore[reportFunctionMemberAccess]
    return instruction(word)


@dataclass(frozen=True)
class Format:
    """A format of numbers: Numba's types of a number and of its bits, LLVM's, the constants."""

    number: Any
    bits: Any
    llvm_number: Any
    llvm_bits: Any
    constants: Mapping[str, Any]

    def own(self, name: str) -> Callable[..., Any]:
        """Return what builds the instruction ``name`` of LLVM on these numbers."""

        def build(builder: Any, *arguments: Any) -> Any:
            kind = llvmlite.ir.FunctionType(self.llvm_number, [self.llvm_number] * len(arguments))
            declared = builder.module.declare_intrinsic(name, [self.llvm_number], kind)
            return builder.call(declared, arguments)

        return build

    def instructions(self) -> dict[str, Word]:
        """Return the words that are single instructions."""
        number, bits = self.number, self.bits
        fma = instruction_of(lambda builder, *abc: builder.fma(*abc), number, *[number] * 3)
        to_bits = instruction_of(lambda b, x: b.bitcast(x, self.llvm_bits), bits, number)
        to_number = instruction_of(lambda b, x: b.bitcast(x, self.llvm_number), number, bits)
        # AVX2 has no 64-bit shift that fills with the sign: this one fills with zeros.
        shift = instruction_of(lambda builder, *both: builder.lshr(*both), bits, bits, bits)
        return {
            "fused": fma,
            "bits_of": to_bits,
            "from_bits": to_number,
            "shifted_down": shift,
            "square_root": instruction_of(self.own("llvm.sqrt"), number, number),
            "rounded_down": instruction_of(self.own("llvm.floor"), number, number),
            "magnitude": instruction_of(self.own("llvm.fabs"), number, number),
            "with_sign_of": instruction_of(self.own("llvm.copysign"), number, number, number),
        }

    def polynomial(self, coefficients: Sequence[float]) -> Any:
        """Return an intrinsic that evaluates a polynomial, given from the lowest power."""
        number, llvm_number = self.number, self.llvm_number

        @instruction
        def evaluate(typing: Any, x: Any) -> Any:
            def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
                numbers = [llvm_number(c) for c in coefficients]
                return evaluated(numbers, arguments[0], builder.fma, builder.fmul)

            return number(number), generate

        return evaluate

    def words(self, prefix: str = "") -> dict[str, Any]:
        """Return what functions of these numbers are written in, polynomials of a prefix too."""
        series = {word: self.polynomial(own) for word, own in polynomials(prefix).items()}
        shared = {"select": select, "clamped": clamped}
        return {**self.constants, **self.instructions(), **shared, **series}


def from_single_bits(builder: Any, bits: Any) -> Any:
    """Build the double of the float32 whose bits are the low 32."""
    return builder.fpext(builder.bitcast(builder.trunc(bits, INT32), SINGLE), DOUBLE)


double_from_single_bits: Word = instruction_of(from_single_bits, float64, int64)


@instruction
def select(typing: Any, condition: Any, chosen: Any, otherwise: Any) -> Any:
    """Return ``chosen`` where the condition holds, else ``otherwise``; both are computed."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.select(*arguments)

    single = chosen == otherwise == float32
    kind = int64 if isinstance(chosen, Integer) else float32 if single else float64
    return kind(boolean, kind, kind), generate


@vectorisable
def clamped(x: float, low: float, high: float) -> float:
    """Return x moved between two numbers; NaN stays."""
    bounded = select(x > high, high, x)
    return select(bounded < low, low, bounded)


DOUBLES = Format(float64, int64, DOUBLE, INT64, formats.DOUBLE)
_OF_DOUBLES = DOUBLES.instructions()
bits_of: Word = _OF_DOUBLES["bits_of"]
from_bits: Word = _OF_DOUBLES["from_bits"]
magnitude: Word = _OF_DOUBLES["magnitude"]
shifted_down: Word = _OF_DOUBLES["shifted_down"]

SINGLES = Format(
    float32,
    int32,
    SINGLE,
    INT32,
    {name: np.float32(x) if isinstance(x, float) else x for name, x in formats.SINGLE.items()},
)
