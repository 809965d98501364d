"""A trained model that predicts what its loss predicts: with start and link."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossary.boosters.definitions import LOSSES
from lossary.boosters.margins import LINKS
from lossary.boosters.objective import Objective
from lossary.boosters.rules import Ordinal

Numbers = NDArray[Any]


@dataclass(frozen=True)
class Meaning:
    """What the margins of a model mean: it goes into a file beside the model's own."""

    host: str
    loss: str
    link: str
    start: tuple[float, ...]
    thresholds: tuple[float, ...] | None = None
    schema: int = 1

    def inverse(self, margin: Numbers) -> Numbers:
        """Return the predictions that margins stand for."""
        link = LINKS[self.link]
        if self.thresholds is None:
            return link.inverse(margin)
        return Ordinal(LOSSES["cumulative_link"], ({},), link, self.thresholds).inverse(margin)


def meaning_of(objective: Objective, start: Numbers) -> Meaning:
    """Return the meaning of a model that an objective trains from a start."""
    rule = objective.rule
    return Meaning(
        objective.host, rule.name, rule.link.name, tuple(start.tolist()),
        getattr(rule, "thresholds", None),
    )  # fmt: skip


Margins = Callable[[Any, Any, Meaning, dict[str, Any]], Numbers]
"""How a host's model is asked for margins, start included, of shape (rows,) or (rows, outputs)."""


class Predictor:
    """A host's model with the start and the link of its loss; ``model`` is the host's own."""

    def __init__(self, model: Any, meaning: Meaning, margins: Margins) -> None:
        self.model = model
        self.meaning = meaning
        self._margins = margins

    def predict(self, data: Any, **options: Any) -> Numbers:
        """Return predictions: numbers, rates, or probabilities of classes along the last axis."""
        return self.meaning.inverse(self.margin(data, **options))

    def margin(self, data: Any, **options: Any) -> Numbers:
        """Return margins: the start and the trees, added up."""
        return np.asarray(self._margins(self.model, data, self.meaning, options))

    def save(self, path: str | Path) -> None:
        """Write the host's model to ``path``, and what it means to ``path.lossary.json``."""
        self.model.save_model(str(path))
        beside(path).write_text(json.dumps(asdict(self.meaning), indent=1), encoding="utf-8")

    def __repr__(self) -> str:
        return f"<{self.meaning.loss} of {self.meaning.host}, link {self.meaning.link}>"


def beside(path: str | Path) -> Path:
    """Return the file that says what the model at a path means."""
    return Path(f"{path}.lossary.json")


def read_meaning(path: str | Path) -> Meaning:
    """Return what the model at a path means; FileNotFoundError if nothing says so."""
    file = beside(path)
    if not file.exists():
        raise FileNotFoundError(
            f"{file} is missing, which says with what start and link the model predicts\n"
            "hint: save models with the predictor's own save"
        )
    facts = json.loads(file.read_text(encoding="utf-8"))
    facts["start"] = tuple(facts["start"])
    facts["thresholds"] = facts["thresholds"] and tuple(facts["thresholds"])
    return Meaning(**facts)
