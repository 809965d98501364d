"""Blocks of rows by the ten thousand, as a booster asks for their derivatives.

Machine code takes the arrays themselves: to ask NumPy for their addresses would take longer than
all the rest of a call for a thousand rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossary.engine import forms
from lossary.engine.recipes import recipe as recipes
from lossary.engine.selection import kernels_allowed, numba_is_there

Block = Callable[..., float]


@dataclass(slots=True)
class _Kind:
    """What is known of the blocks with weights, or of those without."""

    calls: int = 0
    block: Block | None = None
    numbers: tuple[float, ...] = ()


class Repeated:
    """Both derivatives of a sum over elements, for calls that differ in their numbers alone."""

    def __init__(self, loss: Any, settings: Mapping[str, float]) -> None:
        self._loss = loss
        self._settings = settings
        self._kinds = {False: _Kind(), True: _Kind()}

    def fill(self, args: tuple[Any, ...], weight: Any, out: np.ndarray, factor: float) -> bool:
        """Write derivatives, times a factor, to the two rows of ``out``, an array of float64.

        False, with nothing promised of ``out``, where the loss itself has to be called.
        """
        kind = self._kinds[weight is not None]
        arrays = args if weight is None else (*args, weight)
        if not kernels_allowed():
            return False
        block = kind.block or self._asked(kind, args, weight, arrays)
        if block is None:
            return False
        try:
            return block(*arrays, out, *kind.numbers, factor) == 0
        except TypeError:  # arrays of another type, or with gaps
            return False

    def _asked(
        self, kind: _Kind, args: tuple[Any, ...], weight: Any, arrays: tuple[Any, ...]
    ) -> Block | None:
        """Have the machine code made once such calls have come often; return it if it is there."""
        if not all(type(x) is np.ndarray for x in arrays) or args[0].dtype != np.float64:
            return None
        kind.calls += 1
        if kind.calls == recipes.PATIENCE and numba_is_there():
            self._ask(kind, args, weight, arrays)
        elif kind.calls > recipes.PATIENCE:
            recipes.go_on()
        return kind.block

    def _ask(
        self, kind: _Kind, args: tuple[Any, ...], weight: Any, arrays: tuple[Any, ...]
    ) -> None:
        from lossary.kernels import background
        from lossary.kernels.compiling import Work
        from lossary.kernels.modules import imported_as
        from lossary.render.entry import BLOCK, block_text

        options = {"weight": weight, "reduction": "sum", **self._settings}
        draft = recipes.drafted(self._loss, args, options, (0,), curved=True)
        if draft is None:
            return
        recipe, modules = draft
        kind.numbers = tuple(recipe.values(options))
        types = [x.dtype.name for x in arrays]

        def work() -> Work:
            before = modules()
            step = forms.step_of(0, recipe.short)
            text = block_text(imported_as(*before[-1]), types, len(args), len(kind.numbers), step)
            return Work([*before, (f"block_{self._loss.name}", text)], BLOCK, [])

        def then(block: Block) -> None:
            kind.block = block

        background.ask(work, then)
