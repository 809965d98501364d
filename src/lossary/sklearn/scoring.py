"""Any loss as a scorer of scikit-learn's model selection.

The first argument of a loss is named after the space it lives in. That name says which method of
an estimator is asked, and how the answer gets there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics._scorer import _BaseScorer

from lossary import catalogue, find
from lossary.engine import Loss
from lossary.errors import DomainError, ShapeError
from lossary.sklearn.contract import refuse_masked

Numbers = NDArray[Any]


def _same(x: Numbers) -> Numbers:
    return x


def _log(x: Numbers) -> Numbers:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(x)


def _second(x: Numbers) -> Numbers:
    return x if x.ndim == 1 else x[:, -1]


def _log_odds(x: Numbers) -> Numbers:
    return _log(x[:, 1]) - _log(x[:, 0])


def _scores(x: Numbers) -> Numbers:
    """Return a column per class; of two classes the first has score 0."""
    return np.stack([np.zeros_like(x), x], axis=-1) if x.ndim == 1 else x


def _against_the_rest(x: Numbers) -> Numbers:
    return np.stack([-x, x], axis=-1) if x.ndim == 1 else x


_DECISION = ("decision_function", _same)

SPACES: dict[str, tuple[tuple[str, Callable[[Numbers], Numbers]], ...]] = {
    "prediction": (("predict", _same),),
    # Estimators of counts predict the rate itself.
    "log_rate": (("predict", _log),),
    "rate": (("predict", _same),),
    "logit": (_DECISION, ("predict_proba", _log_odds)),
    "score": (_DECISION,),
    "probability": (("predict_proba", _second),),
    "logits": (("decision_function", _scores), ("predict_proba", _log)),
    "scores": (("decision_function", _scores),),
    "probabilities": (("predict_proba", _same),),
    "log_probabilities": (("predict_log_proba", _same), ("predict_proba", _log)),
}
"""For each space: methods in order of preference, and the way from their answer to the space."""

_BINARY = {"logit", "score", "probability"}


class Response(NamedTuple):
    """What an estimator says of a sample, in the space of the loss, and its classes if it has."""

    prediction: Numbers
    classes: Numbers | None


class LossScorer(_BaseScorer):
    """Minus a loss, so that greater is better; made by :func:`scorer`."""

    def __init__(self, loss: Loss, settings: dict[str, Any], response_method: str | None) -> None:
        self.loss = loss
        self._asked = response_method
        methods: Any = [name for name, _ in _ways(loss, response_method)]
        super().__init__(_signature, -1, settings, methods)

    def _score(
        self, method_caller: Any, estimator: Any, X: Any, y_true: Any, **kwargs: Any
    ) -> float:
        weight = kwargs.get("sample_weight")
        refuse_masked("scorer", y_true, weight)
        response = _respond(self.loss, estimator, X, self._asked)
        target = _target(self.loss, y_true, response)
        prediction = response.prediction
        # (n, 1) and (n,) are the same predictions to scikit-learn, on either side.
        if prediction.size == target.size and not self.loss.class_axis:
            prediction = prediction.reshape(target.shape)
        weights: dict[str, Any] = {}
        if weight is not None:
            weights = _weights(self.loss, prediction, np.asarray(weight))
        return -float(self.loss(prediction, target, **weights, **self._kwargs))

    def __repr__(self) -> str:
        named = {} if self._asked is None else {"response_method": self._asked}
        known = catalogue.get(self.loss.name) is self.loss
        loss = repr(self.loss.name) if known else self.loss.name
        settings = [f"{key}={value!r}" for key, value in (self._kwargs | named).items()]
        return f"scorer({', '.join([loss, *settings])})"


def _signature(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> None:
    """Scikit-learn reads from here that a scorer takes weights."""


def scorer(loss: str | Loss, *, response_method: str | None = None, **settings: Any) -> LossScorer:
    """Return a scorer for ``cross_val_score``, ``GridSearchCV`` and their like: minus the loss.

    ``loss`` is a loss or its name, here or in another library; ``settings`` are its
    hyper-parameters and options. The estimator's method follows from the space of the loss's
    first argument (``SPACES``), unless ``response_method`` names another of its ways. Labels
    become what the loss asks for by the estimator's ``classes_``: indices, signs, 0 and 1, or
    one-hot rows. Sample weights weigh the mean.

    Raises KeyError for an unknown name, ValueError for a loss that is not a function of one
    response and one target, TypeError for unknown settings.

    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import HuberRegressor, Ridge
    >>> from sklearn.model_selection import cross_val_score
    >>> X, y = load_diabetes(return_X_y=True)
    >>> scores = cross_val_score(Ridge(), X, y, scoring=scorer("huber", delta=50.0))
    >>> print(scores.round(1))
    [-1365.2 -1428.4 -1538.  -1286.7 -1516.3]
    """
    found = find(loss) if isinstance(loss, str) else loss
    allowed = set(found.__signature__.parameters) - {a.name for a in found.inputs}
    if unknown := settings.keys() - (allowed - {"weight", "mask", "reduction", "axis"}):
        raise TypeError(
            f"scorer: {found.name} has no setting {', '.join(sorted(unknown))}\n"
            f"hint: it has {', '.join(a.name for a in found.parameters) or 'none'}"
        )
    return LossScorer(found, settings, response_method)


def _ways(loss: Loss, asked: str | None) -> list[tuple[str, Callable[[Numbers], Numbers]]]:
    """Return the methods that an estimator may have for this loss."""
    space = loss.inputs[0].name
    if space not in SPACES or len(loss.inputs) != 2:
        names = ", ".join(a.name for a in loss.inputs)
        raise ValueError(
            f"scorer: {loss.name} takes {names}; no method of an estimator returns its first "
            f"argument\nhint: losses of {', '.join(SPACES)} and a target have scorers"
        )
    known = SPACES[space]
    if loss.inputs[1].domain.name == "Binaries":
        # Each class is a question of its own: log-probabilities of exclusive classes are no answer.
        known = (("decision_function", _against_the_rest),)
    ways = [way for way in known if asked in {None, way[0]}]
    if not ways:
        names = " or ".join(name for name, _ in known)
        raise ValueError(
            f"scorer: response_method for {loss.name} must be {names}, got {asked!r}\n"
            f"hint: {loss.name} takes a {space}"
        )
    return ways


def _respond(loss: Loss, estimator: Any, X: Any, asked: str | None) -> Response:
    ways = _ways(loss, asked)
    way = next(((name, to) for name, to in ways if hasattr(estimator, name)), None)
    if way is None:
        names = " or ".join(name for name, _ in ways)
        raise AttributeError(
            f"scorer: {loss.name} needs {names}, which {type(estimator).__name__} does not have\n"
            f"hint: {loss.name} takes a {loss.inputs[0].name}; L.catalogue has losses of others"
        )
    classes = getattr(estimator, "classes_", None) if way[0] != "predict" else None
    if loss.inputs[0].name in _BINARY and classes is not None and len(classes) != 2:
        raise ShapeError(
            f"scorer: {loss.name} is a loss of two classes, the estimator has {len(classes)}\n"
            "hint: cross_entropy, crammer_singer and their like take any number"
        )
    answer = getattr(estimator, way[0])(X)
    if isinstance(answer, list):
        raise ShapeError(
            f"scorer: {type(estimator).__name__}.{way[0]} returns {len(answer)} arrays, one per "
            "output\nhint: score the outputs one by one"
        )
    numbers = np.asarray(answer)
    if numbers.dtype.kind in "biu":
        numbers = numbers.astype(np.float64)
    return Response(way[1](numbers), None if classes is None else np.asarray(classes))


def _weights(loss: Loss, prediction: Numbers, weight: Numbers) -> dict[str, Numbers]:
    """Return weights of samples as the option that weighs them; samples may be the positions."""
    if loss.over_positions and prediction.ndim == 1:
        return {"position_weight": weight}
    rank = 1 if loss.class_axis else prediction.ndim
    return {"weight": weight.reshape(-1, *[1] * (rank - 1))}


def _target(loss: Loss, y_true: ArrayLike, response: Response) -> Numbers:
    """Return the labels in the form that the loss asks for."""
    y, classes = np.asarray(y_true), response.classes
    if classes is None or y.ndim != 1:
        return y
    if not (known := np.isin(y, classes)).all():
        place = int(np.argmin(known))
        raise DomainError(
            f"scorer: y_true must hold classes of the estimator, got {y[place]!r} at index "
            f"({place},)\nhint: it was fitted on {', '.join(map(str, classes))}"
        )
    index = np.searchsorted(classes, y)
    domain = loss.inputs[1].domain
    if domain.integer:
        return index
    if domain.class_axis and not loss.over_positions:
        rows = np.eye(len(classes))[index]
        return _log(rows) if domain.name == "LogSimplex" else rows
    return index * 2.0 - 1 if domain.name == "Sign" else index.astype(np.float64)
