"""A loss of whole sequences beside the same loss of a package.

The exact numbers are sums over all paths, one by one (``tests/sequence_oracles.py``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

import lossary as L
import sequence_oracles

from .answer import Answer
from .comparison import Case, Comparison

ORACLES = {
    "ctc": lambda data, settings: sequence_oracles.ctc_of_paths(data["logits"], data["labels"]),
    "soft_dtw": lambda data, settings: sequence_oracles.warping(
        data["first"], data["second"], settings.get("gamma", 1.0)
    ),
}
"""By the name of the loss: its value, and its slopes in the first argument, or in each."""


class OfSequences(Comparison):
    """A comparison of one sequence, or of one pair of them."""

    @property
    def loss(self) -> Any:
        """The loss of sequences."""
        return getattr(L.sequences, self.row["loss"].partition(".")[2])

    @property
    def kinds(self) -> dict[str, str]:
        """The sets in which the arguments lie by which the loss has a slope."""
        return dict.fromkeys(("logits", "first", "second"), "Real")

    def exact(self, case: Case, dtype: str) -> Answer:
        """Return the sum over all paths, and its slopes in the first argument."""
        data = {name: x.double().numpy() for name, x in case.tensors(dtype).items()}
        value, slopes = ORACLES[self.loss.name](data, self.settings)
        found = slopes[0] if isinstance(slopes, tuple) else slopes
        shape = np.shape(data[self.by])
        slopes = np.zeros(shape) if found is None else np.array(found, object).reshape(shape)
        return Answer(value, slopes)
