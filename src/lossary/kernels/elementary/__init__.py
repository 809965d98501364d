"""The elementary functions, written once in machine words; each target spells the words.

The functions are straight lines: no branch, no call of a library, no table in memory. So LLVM runs
a loop over them with whatever vectors the processor has, and a GPU without divergence; their errors
are stated, and tested in units in the last place. ``words`` declares what they are written in,
``formats`` and ``coefficients`` hold the numbers of each format. ``vector_math`` spells them for
Numba, ``triton_math`` for Triton.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import FunctionType, ModuleType
from typing import Any

from lossary.kernels.modules import fingerprint

__all__ = ["spelled"]


def spelled(
    title: str,
    modules: Iterable[ModuleType],
    words: Mapping[str, Any],
    compiled: Callable[[FunctionType], Any],
    number: Callable[[float], Any] = float,
) -> dict[str, Any]:
    """Return the functions of modules, compiled with a target's words in the place of their own.

    ``title`` names the module that will hold them; ``number`` makes a constant of a plain number.
    Where two modules have a function of one name all others call the later one.
    """
    namespace: dict[str, Any] = {"__name__": title, **words}
    functions: dict[str, Any] = {}
    for module in modules:
        for name, value in vars(module).items():
            if isinstance(value, float):
                namespace[name] = number(value)
            elif isinstance(value, FunctionType) and value.__module__ == module.__name__:
                own = FunctionType(value.__code__, namespace, name)
                # Both compilers tell functions apart by these names, also in what they store.
                own.__module__, own.__qualname__ = title, f"{title}.{name}.{fingerprint()}"
                own.__annotations__, own.__doc__ = value.__annotations__, value.__doc__
                namespace[name] = functions[name] = compiled(own)
    return functions
