"""Machine code of a kernel's form: compiled beside the program, or loaded from the disk."""

from __future__ import annotations

from collections.abc import Callable
from pickle import PickleError
from typing import Any

import numpy as np

from lossary.engine.forms import Form, source
from lossary.engine.selection import chosen, without_numba


class KernelError(RuntimeError):
    """A kernel that does not compile."""


def machine_code(form: Form, step: int, arguments: list[Any]) -> Callable[..., None] | None:
    """Return the compiled function of ``(first block, last block, step, *arguments)``.

    Where nobody has chosen the engine, no call waits for a compiler: None until it is done. Raises
    KernelError if it does not compile.
    """
    found = _machine_code.get(form)
    if found is not None:
        return found
    from lossary.kernels import background

    if chosen() == "fused" or background.way() == "now":
        return None if without_numba() else _compile(form, step, arguments)
    if form not in _asked:
        _ask(form, step, arguments)
    background.go_on()
    return _machine_code.get(form)


_asked: set[Form] = set()
"""Kernels that are being compiled, or do not compile."""


def _ask(form: Form, step: int, arguments: list[Any]) -> None:
    """Have the kernel compiled beside the program."""
    from lossary.kernels import background
    from lossary.kernels.compiling import Work

    trial = [[x.dtype.name, x.ndim, x.flags.writeable] if isinstance(x, np.ndarray) else x
             for x in arguments]  # fmt: skip

    def then(function: Callable[..., None]) -> None:
        _machine_code[form] = function

    def make() -> Work:
        name, text = source(form)
        return Work([(name, text)], name, [0, 0, step, *trial])

    _asked.add(form)
    background.ask(make, then)


_machine_code: dict[Form, Callable[..., None]] = {}
"""Kernels whose machine code is there."""


def _compile(form: Form, step: int, arguments: list[Any]) -> Callable[..., None]:
    """Compile the kernel, or load its machine code, by a call that does no work.

    A cache that is damaged or belongs to another machine must not cost more than time.
    """
    from numba.core.errors import NumbaError

    from lossary.kernels import modules

    name, text = source(form)
    try:
        function = getattr(modules.load(name, text), name)
        try:
            function(0, 0, step, *arguments)
        except (ImportError, OSError, EOFError, ValueError, RuntimeError, PickleError):
            function = getattr(modules.in_memory(name, text), name)
            function(0, 0, step, *arguments)
    except (NumbaError, SyntaxError) as error:
        raise KernelError(
            f"{name} does not compile, so the array operations compute it: {error}\n"
            "hint: please report this; lossary.using(engine='array') silences it"
        ) from error
    _machine_code[form] = function
    return function
