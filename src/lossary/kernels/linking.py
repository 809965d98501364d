"""Calls of compiled functions where their machine code lies.

Numba copies the code of a function into each that calls it, and has LLVM optimise all of it again:
a kernel that is reached through four functions would be compiled five times.
"""

from __future__ import annotations

from inspect import Parameter, Signature
from typing import Any

import llvmlite.binding
from numba.core import cgutils, sigutils
from numba.core.registry import cpu_target

from lossary.kernels.vector_math.machine import instruction


def begin() -> None:
    """Do what Numba does before its first function, which takes 0.3 s: it learns its own words."""
    target: Any = cpu_target
    target.typing_context.refresh()
    target.target_context.refresh()


def undispatched(function: Any) -> Any:
    """Return a function of one signature as Python calls it, without a look at argument types.

    Numba's dispatcher looks at each, which takes a short call half a microsecond.
    """
    (only,) = function.overloads.values()
    return only.entry_point


def by_address(function: Any, types: str = "") -> Any:
    """Return a word that calls a function of these types, which is compiled for them here.

    A function that says its types itself needs none. Machine code of a caller that is kept on disk
    knows the function by a name, which is that of its text; so the address is made known wherever
    a module that calls it is loaded.
    """
    if types:
        function.compile(types)
        compiled = function.overloads[sigutils.normalize_signature(types)[0]]
    else:
        (compiled,) = function.overloads.values()
    signature = compiled.signature
    name = f"{function.py_func.__module__}.{function.py_func.__name__}{signature.args}"
    address = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)
    llvmlite.binding.add_symbol(name, address)

    def word(typing: Any, *given: Any) -> Any:
        def generate(context: Any, builder: Any, own: Any, arguments: Any) -> Any:
            convention = context.call_conv
            kind = convention.get_function_type(own.return_type, own.args)
            called = cgutils.get_or_insert_function(builder.module, kind, name)
            status, found = convention.call_function(
                builder, called, own.return_type, own.args, arguments
            )
            with cgutils.if_unlikely(builder, status.is_error):
                convention.return_status_propagate(builder, status)
            return found

        return signature, generate

    # Numba would gather what a star takes into a tuple.
    names = ("typing", *(f"x{place}" for place in range(len(signature.args))))
    word.__signature__ = Signature([Parameter(n, Parameter.POSITIONAL_ONLY) for n in names])  # pyright: ignore[reportFunctionMemberAccess]
    return instruction(word)
