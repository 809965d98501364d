"""Single machine instructions that Numba has no spelling for, and how functions here are compiled.

LLVM turns a loop into vector instructions only if its body is one straight line: no branch, no call
and no possible exception. Hence choices are made by ``select`` (both sides are computed), bits are
read without a change of type in memory, and rounding is done by adding a large constant.
"""

from collections.abc import Callable, Sequence
from inspect import Parameter, Signature
from typing import Any

import llvmlite.ir
import numba
from numba.core.types import Integer, boolean, float64, int64
from numba.extending import intrinsic

from lossary.kernels.elementary.coefficients import evaluated, polynomials
from lossary.kernels.elementary.formats import DOUBLE as CONSTANTS

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


def own(name: str) -> Callable[..., Any]:
    """Return what builds the instruction ``name`` of LLVM on doubles."""

    def build(builder: Any, *arguments: Any) -> Any:
        kind = llvmlite.ir.FunctionType(DOUBLE, [DOUBLE] * len(arguments))
        return builder.call(builder.module.declare_intrinsic(name, [DOUBLE], kind), arguments)

    return build


def from_single_bits(builder: Any, bits: Any) -> Any:
    """Build the double of the float32 whose bits are the low 32."""
    return builder.fpext(builder.bitcast(builder.trunc(bits, INT32), SINGLE), DOUBLE)


fused: Word = instruction_of(
    lambda builder, *abc: builder.fma(*abc), float64, float64, float64, float64
)
bits_of: Word = instruction_of(lambda builder, x: builder.bitcast(x, INT64), int64, float64)
from_bits: Word = instruction_of(
    lambda builder, bits: builder.bitcast(bits, DOUBLE), float64, int64
)
# AVX2 has no 64-bit shift that fills with the sign: this one fills with zeros.
shifted_down: Word = instruction_of(lambda builder, *both: builder.lshr(*both), int64, int64, int64)
square_root: Word = instruction_of(own("llvm.sqrt"), float64, float64)
rounded_down: Word = instruction_of(own("llvm.floor"), float64, float64)
magnitude: Word = instruction_of(own("llvm.fabs"), float64, float64)
with_sign_of: Word = instruction_of(own("llvm.copysign"), float64, float64, float64)
double_from_single_bits: Word = instruction_of(from_single_bits, float64, int64)


@instruction
def select(typing: Any, condition: Any, chosen: Any, otherwise: Any) -> Any:
    """Return ``chosen`` where the condition holds, else ``otherwise``; both are computed."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.select(*arguments)

    kind = int64 if isinstance(chosen, Integer) else float64
    return kind(boolean, kind, kind), generate


def polynomial(coefficients: Sequence[float]) -> Any:
    """Return an intrinsic that evaluates a polynomial, given from the lowest power."""

    @instruction
    def evaluate(typing: Any, x: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            numbers = [DOUBLE(c) for c in coefficients]
            return evaluated(numbers, arguments[0], builder.fma, builder.fmul)

        return float64(float64), generate

    return evaluate


@vectorisable
def clamped(x: float, low: float, high: float) -> float:
    """Return x moved between two numbers; NaN stays."""
    bounded = select(x > high, high, x)
    return select(bounded < low, low, bounded)


_INSTRUCTIONS = {
    "fused": fused, "select": select, "clamped": clamped, "bits_of": bits_of,
    "from_bits": from_bits, "shifted_down": shifted_down, "magnitude": magnitude,
    "rounded_down": rounded_down, "square_root": square_root, "with_sign_of": with_sign_of,
}  # fmt: skip


def words(prefix: str = "") -> dict[str, Any]:
    """Return what functions of doubles are written in, with the polynomials of a prefix."""
    series = {word: polynomial(own) for word, own in polynomials(prefix).items()}
    return {**CONSTANTS, **_INSTRUCTIONS, **series}
