"""Inputs that nobody chose: the ordinary ones of a comparison, scaled and moved at random."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from .comparison import Case, Comparison

COUNT = 24  # for each comparison, in float32: what people train with
SCALES = (1e-6, 1e-3, 0.1, 3.0, 30.0, 100.0, 1e4)
SHARES = (0.0, 1.0, 0.5, 0.25, 1e-8, 1e-30, 0.999999)
STILL = {"target", "time", "times"}  # what was seen, as against what was predicted

Draw = Callable[[Random, float, float], float]
"""A number in place of another one, given the scale that all numbers of the argument share."""

DRAWS: dict[str, Draw] = {
    "Real": lambda random, x, scale: x * scale + random.choice((0.0, 0.0, 0.1, scale)),
    "Unit": lambda random, x, scale: random.choice((*SHARES, x)),
    "Positive": lambda random, x, scale: x * random.choice((1.0, 1e-6, 1e3)),
    "Negative": lambda random, x, scale: x * scale,
    "NonNegative": lambda random, x, scale: x * scale,
    "Box": lambda random, x, scale: x * scale,
}
"""By what an argument is; the rest of the sets stay as they are."""

ALIKE: dict[str, str] = {"Logit": "Real", "Logits": "Real", "Scores": "Real", "Embedding": "Real"}


def drawn(comparison: Comparison) -> Iterator[Case]:
    """Yield inputs, the same ones in every run."""
    random = Random(f"{comparison.row['name']} {comparison.row['loss']}")
    still = {*STILL, *comparison.row.get("still", ())}
    kinds = {name: ALIKE.get(x, x) for name, x in comparison.kinds.items() if name not in still}
    for number in range(COUNT):
        data: dict[str, Any] = {}
        for name, array in comparison.ordinary.data.items():
            draw = DRAWS.get(kinds.get(name, ""))
            scale = random.choice(SCALES)
            data[name] = _changed(array, draw, random, scale) if draw else array
        yield Case(f"drawn {number}", data, {})


def _changed(x: Any, draw: Draw, random: Random, scale: float) -> Any:
    if isinstance(x, list):
        return [_changed(part, draw, random, scale) for part in x]
    return draw(random, x, scale)
