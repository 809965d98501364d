"""The elementary functions, written once in machine words; each target spells the words.

The functions are straight lines: no branch, no call of a library, no table in memory. So LLVM runs
a loop over them with whatever vectors the processor has, and a GPU without divergence; their errors
are stated, and tested in units in the last place. ``words`` declares what they are written in,
``formats`` and ``coefficients`` hold the numbers of each format. ``vector_math`` spells them for
Numba, ``triton_math`` for Triton.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

from lossary.kernels.modules import fingerprint

__all__ = ["spelled"]


def spelled(
    title: str,
    modules: Iterable[ModuleType],
    words: Mapping[str, Any],
    compiled: Callable[[FunctionType], Any],
    number: Callable[[float], Any] = float,
    literals: bool = False,
) -> dict[str, Any]:
    """Return the functions of modules, compiled with a target's words in the place of their own.

    ``title`` names the module that will hold them; ``number`` makes a constant of a plain number,
    with ``literals`` of those inside the functions too. Where two modules have a function of one
    name all others call the later one.
    """
    namespace: dict[str, Any] = {"__name__": title, **words}
    functions: dict[str, Any] = {}
    for module in modules:
        for name, value in vars(module).items():
            if isinstance(value, float):
                namespace[name] = number(value)
            elif isinstance(value, FunctionType) and value.__module__ == module.__name__:
                code = _with_numbers(value.__code__, number) if literals else value.__code__
                own = FunctionType(code, namespace, name)
                # Both compilers tell functions apart by these names, also in what they store.
                own.__module__, own.__qualname__ = title, f"{title}.{name}.{fingerprint()}"
                own.__annotations__, own.__doc__ = value.__annotations__, value.__doc__
                namespace[name] = functions[name] = compiled(own)
    return functions


def _with_numbers(code: CodeType, number: Callable[[float], Any]) -> CodeType:
    """Return the code with its plain numbers in a format of their own."""
    consts = tuple(number(x) if isinstance(x, float) else x for x in code.co_consts)
    return code.replace(co_consts=consts)
