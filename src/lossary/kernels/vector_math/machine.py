"""Single machine instructions that Numba has no spelling for, and how functions here are compiled.

LLVM turns a loop into vector instructions only if its body is one straight line: no branch, no call
and no possible exception. Hence choices are made by ``select`` (both sides are computed), bits are
read without a change of type in memory, and rounding is done by adding a large constant.
"""

from collections.abc import Callable, Sequence
from typing import Any

import llvmlite.ir
import numba
from numba import types
from numba.extending import intrinsic

from lossary.kernels.elementary.coefficients import evaluated, polynomials
from lossary.kernels.elementary.formats import DOUBLE as CONSTANTS

# No fast-math flag: the compensated sums and the rounding constants below are exact statements
# about rounding, which reassociation would delete. Fused multiply-adds are written out instead.
vectorisable: Callable[..., Any] = numba.njit(forceinline=True, cache=True, error_model="numpy")

# Typed here because Numba's own decorator looks, to a type checker, like a call.
instruction: Callable[..., Any] = intrinsic

DOUBLE = llvmlite.ir.DoubleType()
INT64 = llvmlite.ir.IntType(64)
INT32 = llvmlite.ir.IntType(32)


@instruction
def fused(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a b + c with one rounding."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return types.float64(types.float64, types.float64, types.float64), generate


@instruction
def select(typing: Any, condition: Any, chosen: Any, otherwise: Any) -> Any:
    """Return ``chosen`` where the condition holds, else ``otherwise``; both are computed."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.select(*arguments)

    kind = types.int64 if isinstance(chosen, types.Integer) else types.float64
    return kind(types.boolean, kind, kind), generate


@instruction
def bits_of(typing: Any, x: Any) -> Any:
    """Return the 64 bits of a double as an integer."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], INT64)

    return types.int64(types.float64), generate


@instruction
def from_bits(typing: Any, bits: Any) -> Any:
    """Return the double with these 64 bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], DOUBLE)

    return types.float64(types.int64), generate


@instruction
def shifted_down(typing: Any, bits: Any, count: Any) -> Any:
    """Shift right and fill with zeros: AVX2 has no 64-bit shift that fills with the sign."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.lshr(*arguments)

    return types.int64(types.int64, types.int64), generate


def of_one_double(name: str) -> Any:
    """Return an intrinsic that calls the LLVM instruction ``name`` on one double."""

    @instruction
    def unary(typing: Any, x: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            declared = builder.module.declare_intrinsic(name, [DOUBLE])
            return builder.call(declared, arguments)

        return types.float64(types.float64), generate

    return unary


def polynomial(coefficients: Sequence[float]) -> Any:
    """Return an intrinsic that evaluates a polynomial, given from the lowest power."""

    @instruction
    def evaluate(typing: Any, x: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            numbers = [DOUBLE(c) for c in coefficients]
            return evaluated(numbers, arguments[0], builder.fma, builder.fmul)

        return types.float64(types.float64), generate

    return evaluate


square_root = of_one_double("llvm.sqrt")
rounded_down = of_one_double("llvm.floor")
magnitude = of_one_double("llvm.fabs")


@instruction
def with_sign_of(typing: Any, x: Any, y: Any) -> Any:
    """Return x with the sign of y."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        binary = llvmlite.ir.FunctionType(DOUBLE, [DOUBLE, DOUBLE])
        declared = builder.module.declare_intrinsic("llvm.copysign", [DOUBLE], binary)
        return builder.call(declared, arguments)

    return types.float64(types.float64, types.float64), generate


@instruction
def double_from_single_bits(typing: Any, bits: Any) -> Any:
    """Return the value of the float32 whose bits are the low 32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        single = builder.bitcast(builder.trunc(arguments[0], INT32), llvmlite.ir.FloatType())
        return builder.fpext(single, DOUBLE)

    return types.float64(types.int64), generate


@vectorisable
def clamped(x: float, low: float, high: float) -> float:
    """Return x moved between two numbers; NaN stays."""
    bounded = select(x > high, high, x)
    return select(bounded < low, low, bounded)


def words(prefix: str = "") -> dict[str, Any]:
    """Return what functions of doubles are written in, with the polynomials of a prefix."""
    instructions = {
        "fused": fused,
        "select": select,
        "clamped": clamped,
        "bits_of": bits_of,
        "from_bits": from_bits,
        "shifted_down": shifted_down,
        "magnitude": magnitude,
        "rounded_down": rounded_down,
        "square_root": square_root,
        "with_sign_of": with_sign_of,
    }
    series = {word: polynomial(own) for word, own in polynomials(prefix).items()}
    return {**CONSTANTS, **instructions, **series}
