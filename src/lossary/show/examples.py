"""A call of a loss that a reader can paste, with what it prints, made from the record alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lossary.errors import LossaryError

if TYPE_CHECKING:
    from lossary.definition import Argument
    from lossary.engine import Loss

# Data by domain: of the first argument, and of those compared with it.
DATA: dict[str, tuple[Any, ...]] = {
    "Real": ([2.0, -1.0, 0.5], [1.5, -1.0, 3.0]),
    "Unit": ([0.8, 0.3, 0.6], [1.0, 0.0, 0.5]),
    "OpenUnit": ([0.8, 0.3, 0.6], [0.9, 0.1, 0.5]),
    "Binary": ([1.0, 0.0, 1.0],),
    "Sign": ([1.0, 1.0, -1.0],),
    "Negative": ([-0.5, -2.0, -1.0], [-1.5, -1.0, -0.3]),
    "Group": ([7.0, 7.0, 3.0],),
    "Groups": ([[7.0, 7.0, 3.0], [7.0, 3.0, 3.0]],),
    "Count": ([2.0, 0.0, 1.0],),
    "Label": ([0, 2],),
    "Binaries": ([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]],),
    "Roles": ([[1.0, -1.0, 1.0], [-1.0, 1.0, -1.0]],),
    "Logits": ([[2.0, -1.0, 0.5], [0.0, 1.5, 1.0]],),
    "Simplex": ([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]], [[0.9, 0.05, 0.05], [0.1, 0.1, 0.8]]),
    "Cosines": ([[0.8, -0.3, 0.1], [0.2, 0.5, 0.4]],),
    "Units": ([[0.8, 0.3, 0.1], [0.2, 0.5, 0.6]],),
    "Box": (
        [[0.0, 0.0, 4.0, 3.0], [0.0, 0.0, 1.0, 1.0]],
        [[1.0, 1.0, 5.0, 4.0], [2.0, 3.0, 4.0, 4.0]],
    ),
    "RotatedBox": (
        [[0.0, 0.0, 4.0, 3.0, 0.0], [0.0, 0.0, 2.0, 1.0, 0.5]],
        [[1.0, 1.0, 4.0, 2.0, 0.25], [0.5, 0.0, 2.0, 1.0, -0.5]],
    ),
    "Embedding": (
        [[1.0, 2.0, 0.0], [0.5, -1.0, 2.0]],
        [[1.0, 1.0, 0.5], [1.0, 0.0, 1.0]],
        [[-1.0, 0.5, 2.0], [0.0, 1.0, -1.0]],
    ),
}
DATA |= {"Logit": DATA["Real"], "Scores": DATA["Logits"], "LogSimplex": DATA["Simplex"]}
POSITIVE: tuple[Any, ...] = ([2.0, 0.5, 1.0], [1.0, 3.0, 1.0])


def example(loss: Loss) -> list[str]:
    """Return the lines of a session that computes value and gradient.

    >>> import lossary as L
    >>> example(L.half_squared_error)[2:4]
    ['>>> prediction = np.array([2.0, -1.0, 0.5])', '>>> target = np.array([1.5, -1.0, 3.0])']
    >>> example(L.half_squared_error)[-1]
    '[ 0.166667  0.       -0.833333]'
    """
    import lossary

    data = {a.name: _data(loss, a, place) for place, a in enumerate(loss.inputs)}
    needed = {a.name: _number(a, place) for place, a in enumerate(_required(loss))}
    arrays = [
        np.log(x) if loss.domains[n].mass == "sum of exponentials" else x for n, x in data.items()
    ]
    try:
        value, gradient = loss.value_and_gradient(*arrays, **needed)
    except LossaryError:
        return []  # a loss of somebody's own may ask for more than its domains say
    known = lossary.catalogue.get(loss.name) is loss
    call = ", ".join([*data, *(f"{name}={number!r}" for name, number in needed.items())])
    return [
        ">>> import numpy as np",
        *([">>> import lossary as L"] if known else []),
        *(f">>> {name} = {_spell(loss, name, x)}" for name, x in data.items()),
        f">>> value, gradient = {'L.' if known else ''}{loss.name}.value_and_gradient({call})",
        ">>> print(value.round(6))",
        *str(np.asarray(value).round(6)).splitlines(),
        ">>> print(gradient.round(6))",
        *str(np.asarray(gradient).round(6)).splitlines(),
    ]


def _required(loss: Loss) -> Sequence[Argument]:
    return [argument for argument in loss.parameters if argument.required]


def _data(loss: Loss, argument: Argument, place: int) -> np.ndarray:
    """Return three numbers, or one for each of two rows, or the rows."""
    known = DATA.get(argument.domain.name, POSITIVE)
    data = np.array(known[min(place, len(known) - 1)])
    if loss.over_positions and not all(a.domain.class_axis for a in loss.inputs):
        return np.array([data, -data]) if argument.domain.class_axis else data[:2]
    return data if data.ndim > 1 or not loss.class_axis else data[:2]


def _number(argument: Argument, place: int) -> float:
    """Return a setting: counts such as those of classes differ."""
    return (
        (10.0, 90.0)[place % 2] if argument.domain.name == "Positive" else argument.domain.inside[0]
    )


def _spell(loss: Loss, name: str, data: np.ndarray) -> str:
    text = f"np.array({data.tolist()})"
    return f"np.log({data.tolist()})" if loss.domains[name].mass == "sum of exponentials" else text
