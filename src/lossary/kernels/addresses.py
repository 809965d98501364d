"""Arrays by their addresses, for calls that are too short to make an array for each argument."""

from __future__ import annotations

from typing import Any

from numba import types

from lossary.kernels.vector_math.machine import instruction


@instruction
def at(typing: Any, address: Any, like: Any) -> Any:
    """Return the pointer with that address, to numbers of the type of ``like``."""
    pointer = types.CPointer(like)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(pointer))

    return pointer(address, like), generate
