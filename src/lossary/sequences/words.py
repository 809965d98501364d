"""What a recursion is written in: the operations of each array library under one name.

NumPy, ``jax.numpy``, ``tensorflow.experimental.numpy`` and PyTorch agree on most of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from math import inf
from typing import Any

from lossary.engine.libraries import Library, library

_MODULES = {
    "numpy": "numpy",
    "torch": "torch",
    "jax": "jax.numpy",
    "tensorflow": "tensorflow.experimental.numpy",
}

Step = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Words:
    """The operations of one library; arrays of it are called x, their last axis the places."""

    library: Library

    @property
    def own(self) -> Any:
        """The module whose functions are called as NumPy's are."""
        return import_module(_MODULES[self.library.name])

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)

    def of_class(self, x: Any, index: Any) -> Any:
        """Return the entries of the last axis that an integer array names there."""
        if self.library.name == "torch":
            return self.own.take_along_dim(x, index, -1)
        return self.own.take_along_axis(x, index, -1)

    def places(self, count: Any, like: Any) -> Any:
        """Return 0, 1, 2 … as many as ``count`` says, beside ``like``."""
        if self.library.name == "torch":
            return self.own.arange(count, device=like.device)
        if self.library.name == "tensorflow":
            return self.library.index(import_module("tensorflow").range(count))
        return self.own.arange(count)

    def moved_on(self, x: Any, shift: int) -> Any:
        """Return x with each entry so many places further; nothing comes from before the first."""
        if not shift:
            return x
        return self.own.concatenate(
            [self.own.full_like(x[..., :shift], -inf), x[..., :-shift]], axis=-1
        )

    def moved_back(self, x: Any, shift: int) -> Any:
        """Return x with each entry so many places back; nothing comes from behind the last."""
        if not shift:
            return x
        return self.own.concatenate(
            [x[..., shift:], self.own.full_like(x[..., :shift], -inf)], axis=-1
        )

    def log_sum(self, x: Any, axis: int = -1) -> Any:
        """Return the logarithm of the sum of exponentials along an axis, which stays."""
        peak = self.own.amax(x, axis=axis, keepdims=True)
        peak = self.finite(peak)  # of nothing the logarithm is -inf, and not NaN
        return peak + self.own.log(self.own.sum(self.own.exp(x - peak), axis=axis, keepdims=True))

    def finite(self, x: Any) -> Any:
        """Return x with 0 in the place of -inf."""
        return self.own.where(x == -inf, self.own.full_like(x, 0.0), x)

    def scan(
        self, step: Step, start: Any, steps: Any, *, reverse: bool = False, kept: int | None = None
    ) -> Any:
        """Return all that ``step`` makes of what it made before and of each of ``steps``.

        ``start`` and ``steps`` are tuples of arrays; those of ``steps`` have the axis of the scan
        first, and so have the results. ``reverse`` goes from the last step to the first. Of the
        results after the first ``kept`` only what the last step makes is returned.
        """
        kept = len(start) if kept is None else kept
        if self.library.name == "jax":
            lax = import_module("jax.lax")

            def both(held: Any, now: Any) -> Any:
                made = step(held, now)
                return made, made[:kept]

            last, found = lax.scan(both, start, steps, reverse=reverse)
            return *found, *last[kept:]
        if self.library.name == "tensorflow":
            found = import_module("tensorflow").scan(step, steps, start, reverse=reverse)
            joined = (self.own.concatenate([x[None], y]) for x, y in zip(start, found, strict=True))
            last = tuple(x[0 if reverse else -1] for x in joined)
            return *found[:kept], *last[kept:]
        count, held, made = len(steps[0]), start, []
        for n in range(count - 1, -1, -1) if reverse else range(count):
            held = step(held, tuple(x[n] for x in steps))
            made.append(held[:kept])
        if reverse:
            made.reverse()
        if not made:
            return *(x[None][:0] for x in start[:kept]), *held[kept:]
        return *(self.own.stack(x) for x in zip(*made, strict=True)), *held[kept:]


@cache
def words_of(name: str) -> Words:
    """Return the words of a library."""
    return Words(library(name))
