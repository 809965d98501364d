"""What the scikit-learn estimators of all hosts share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from lossary.boosters.objective import Objective
from lossary.boosters.rules import Ordinal
from lossary.boosters.targets import class_count

Numbers = NDArray[Any]
O = TypeVar("O", bound=Objective)


@contextmanager
def lent(estimator: Any, **attributes: Any) -> Iterator[None]:
    """Give an estimator other attributes for a while: its parameters stay those of its maker."""
    before = {name: vars(estimator)[name] for name in attributes if name in vars(estimator)}
    vars(estimator).update(attributes)
    try:
        yield
    finally:
        for name in attributes:
            del vars(estimator)[name]
        vars(estimator).update(before)


def set_nested(estimator: Any, name: str, params: dict[str, Any]) -> dict[str, Any]:
    """Set what belongs to the objective, as in ``objective__delta``; return what is left.

    The hosts' own set_params takes such names for parameters of theirs.
    """
    inner = {k: v for k, v in params.items() if k.startswith(f"{name}__")}
    if inner:
        objective: Any = clone(estimator.get_params()[name])
        objective.set_params(**{k.removeprefix(f"{name}__"): v for k, v in inner.items()})
        params = {**params, name: objective}
    return {k: v for k, v in params.items() if k not in inner}


def of_estimator(kind: type[O], given: Any) -> O:
    """Return a fresh objective for a fit; a name, or a loss, is one with its own parameters."""
    if isinstance(given, kind):
        return clone(given)  # pyright: ignore[reportArgumentType, reportReturnType]
    if isinstance(given, Objective):
        raise TypeError(
            f"objective is one of {given.host}, this estimator is {kind.host}'s\n"
            f"hint: lossary.boosters.{kind.host}({given.rule.name!r})"
        )
    return kind(given)


def outputs_of(objective: Objective, labels: Any, classes: Any = None) -> int:
    """Return how many margins a row has; ValueError where two sources disagree."""
    y = np.asarray(labels)
    said = {"num_class": int(classes) if classes else 0, "labels": y.shape[1] if y.ndim == 2 else 0}
    if objective.outputs:
        said["hyper-parameters"] = objective.outputs
    if objective.needs_classes and y.ndim == 1 and not classes:
        said["labels"] = max(2, class_count(y))
    counts = {n for n in said.values() if n > 1}
    if len(counts) > 1:
        found = ", ".join(f"{n} by {name}" for name, n in said.items() if n > 1)
        raise ValueError(
            f"{objective.rule.name}: how many outputs there are is said twice: {found}\n"
            "hint: leave num_class out, or make them agree"
        )
    return max(counts, default=1)


def check_classes(objective: Objective, labels: Any) -> None:
    """Raise ValueError for a classifier whose labels have another number of classes than its loss.

    Hosts give two classes one margin, and more of them one margin each.
    """
    classes, name = class_count(labels), objective.rule.name
    if classes < 2:
        raise ValueError(f"{name}: labels hold one class only")
    if objective.needs_classes and classes == 2:
        raise ValueError(
            f"{name} has a margin for each class, and two classes have one here\n"
            "hint: binary_cross_entropy and focal are losses of two classes"
        )
    if not objective.needs_classes and not isinstance(objective.rule, Ordinal) and classes > 2:
        raise ValueError(
            f"{name} is a loss of two classes, the labels have {classes}\n"
            "hint: cross_entropy and categorical_focal take any number; cumulative_link grades"
        )


def likeliest(objective: Objective, margin: Numbers) -> Numbers:
    """Return the likeliest class of each row, counted from 0."""
    if isinstance(objective.rule, Ordinal):
        margin = objective.inverse(margin)
    return margin.argmax(axis=1) if margin.ndim == 2 else (margin > 0).astype(int)


def probabilities(objective: Objective, margin: Numbers) -> Numbers:
    """Return a probability for each class; AttributeError for a loss of scores."""
    if objective.rule.link.name == "softmax" or isinstance(objective.rule, Ordinal):
        return objective.inverse(margin)
    if objective.rule.link.name != "sigmoid":
        raise AttributeError(
            f"{objective.rule.name} has scores, not probabilities\n"
            "hint: binary_cross_entropy, focal and cross_entropy have; or say link='sigmoid'"
        )
    second = objective.inverse(margin)
    return np.stack([1 - second, second], axis=1)
