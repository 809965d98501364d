"""States that a loss needs from batch to batch: pure functions from the old one to the next.

The next state is a formula over positions, which here are the examples of a batch. So masks,
weights, libraries, compiled graphs and sums over machines are those of any loss over positions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossary.engine.libraries import library_of
from lossary.errors import ShapeError


@dataclass(frozen=True)
class NextState:
    """The state that comes after a batch, as a function of the batch and of the state before.

    >>> import lossary as L
    >>> print(L.dino.next_state([[2.0, 0.0], [0.0, 4.0]], center=[1.0, 1.0], momentum=0.5))
    [1.  1.5]
    """

    loss: Any
    formula: Any
    """The next state of the sums over the examples, for each class where there are classes."""

    def __call__(self, *data: Any, weight: Any = None, mask: Any = None, **settings: Any) -> Any:
        """Return the next state; an example that is masked, or has weight 0, takes no part."""
        sums = self.sums(*data, weight=weight, mask=mask, like=settings.get(self.name or ""))
        return self.of_sums(*sums, **settings)

    @property
    def name(self) -> str | None:
        """The name of the state, as the loss calls it; None where the old one is not asked for."""
        return next((a.name for a in self.formula.parameters if a.name in self.loss.domains), None)

    def sums(
        self, *data: Any, weight: Any = None, mask: Any = None, like: Any = None
    ) -> tuple[Any, ...]:
        """Return the sums over a batch that the next state is made of; those of batches add up.

        ``like`` is an array with an entry for each class, where the data are labels.
        """
        names = [a.name for a in self.formula.inputs]
        if len(data) != len(names):
            raise TypeError(
                f"{self.loss.name}.next_state takes {', '.join(names)}, got {len(data)} arrays\n"
                "hint: give the state and its settings by name"
            )
        rows = [self._rows(name, x, like) for name, x in zip(names, data, strict=True)]
        rank = len(rows[0].shape)
        axes = tuple(range(rank - 1)) if self._by_class else tuple(range(rank))
        return self.formula.sums(
            *rows, axis=axes, mask=self._beside(mask), position_weight=self._beside(weight)
        )

    def of_sums(self, *sums: Any, **settings: Any) -> Any:
        """Return the next state of sums, which may come from many batches or machines."""
        library = library_of(sums)
        sums = tuple(map(library.constant, sums))
        return self.formula.of_sums(*sums, reduction="none", **settings)

    @property
    def _by_class(self) -> bool:
        domains = [self.loss.domains[a.name] for a in self.formula.inputs]
        return any(domain.integer or domain.class_axis for domain in domains)

    def _of_labels(self, name: str) -> bool:
        return self.loss.domains[name].integer

    def _rows(self, name: str, x: Any, like: Any) -> Any:
        """Return data as an array; of a label, a 1 for its class and 0 for the others."""
        library = library_of([x, like])
        x = library.plain(x, self._of_labels(name)) if not hasattr(x, "shape") else x
        if not self._of_labels(name):
            return library.constant(x)
        like = np.asarray(like, float) if not hasattr(like, "shape") else like
        if len(like.shape) != 1:
            raise ShapeError(
                f"{self.loss.name}.next_state: {self.name} has one number for each class, got "
                f"shape {tuple(like.shape)}\nhint: start with zeros, one for each class"
            )
        with library.wide():
            classes = library.array(np.arange(like.shape[0]), x)
            here = x[..., None] == library.cast(classes, x.dtype)
            dtype = like.dtype if library.kind(like) == "floating" else library.work_dtype(like)
            return library.cast(here, dtype)

    def _beside(self, x: Any) -> Any:
        """Return a weight or mask of examples as one that each class has."""
        if x is None or not self._by_class:
            return x
        return (x if hasattr(x, "shape") else np.asarray(x))[..., None]
