"""An objective: a loss as a booster takes it, the same for every host but for the calls."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, NoReturn, Self

import numpy as np
from numpy.typing import NDArray

from lossary import catalogue, find
from lossary.boosters.curvature import EXACT, Curvature, curvature_of
from lossary.boosters.definitions import LOSSES
from lossary.boosters.lists import LISTS, Cox, LambdaRank
from lossary.boosters.margins import LINKS, link_of
from lossary.boosters.rules import Censored, Ordinal, Rule
from lossary.boosters.start import start_of
from lossary.boosters.versions import check_version
from lossary.engine import Loss
from lossary.engine.checking import check_parameter
from lossary.errors import ShapeError
from lossary.lookup import built_in

Numbers = NDArray[Any]


class Objective:
    """A loss for one host: derivatives as it wants them, start, link, metric and curvature.

    ``loss`` is a loss, its name here or in another library, or the host's name for an objective;
    ``parameters`` are its hyper-parameters, a list for one number for each output. ``curvature``
    is ``"host"``, ``"exact"``, ``"majorise"`` or ``"expected"``; ``floor`` the least curvature of
    a row, ``start`` the margin to start at, ``link`` the way from margins to predictions.

    Raises TypeError for unknown hyper-parameters, DomainError for a loss whose predictions are no
    margins or that has no curvature, UnknownLossError, and ValueError for a host of a version whose
    ways are not known.
    """

    host = ""

    rounds_before_weights = False
    """Whether the host multiplies by weights in float32, as its objectives do to the last bit."""

    def __init__(
        self,
        loss: str | Loss,
        *,
        curvature: str | None = None,
        floor: float | None = None,
        start: float | list[float] | None = None,
        link: str | None = None,
        **parameters: Any,
    ) -> None:
        self._given = {
            "loss": loss, "curvature": curvature, "floor": floor, "start": start, "link": link,
            **parameters,
        }  # fmt: skip
        check_version(self.host, curvature)
        if floor is not None and not floor >= 0:
            raise ValueError(f"floor must be at least 0, got {floor!r}")
        _refuse_reduction(parameters)
        self.rule: Any = _rule(self.host, loss, link, parameters)
        self.curvature: Curvature = self._curvature(curvature, floor)

    def _curvature(self, policy: str | None, floor: float | None) -> Curvature:
        if isinstance(self.rule, (Cox, LambdaRank)):
            if policy not in {None, "host", "exact"}:
                raise ValueError(f"{self.rule.name}: curvature must be 'exact', got {policy!r}")
            return EXACT
        if floor and policy in {None, "exact"}:
            return EXACT
        row = built_in(self.rule.name, self.host) or _row_of(self.host, self.rule.name)
        return curvature_of(self.rule, self.host, row, policy)

    def refuse_list(self, why: str) -> NoReturn:
        """Raise ValueError for a loss of lists, with the hosts that have it."""
        others = " or ".join(f"lossary.boosters.{h}({self.rule.name!r})" for h in self.rule.hosts)
        raise ValueError(f"{self.rule.name}: {why}\nhint: {others}")

    def refuse_outputs(self, host: str) -> None:
        """Raise ValueError for hyper-parameters of several outputs, which a host does not train."""
        if self.outputs:
            raise ValueError(
                f"{self.rule.name}: {host} trains one output for one target\n"
                "hint: lossary.boosters.xgboost and lightgbm take lists of hyper-parameters"
            )

    def prepare(self, labels: Any, weight: Any = None, outputs: int = 1, group: Any = None) -> None:
        """Look at all labels, weights and groups before training; raise for what is wrong."""
        self.rule.prepare(labels, weight, outputs, group)

    def start(self, labels: Any, weight: Any = None, outputs: int = 1) -> Numbers:
        """Return the margin of each output to start at, in float64."""
        given = self._given["start"]
        if given is not None:
            found = np.atleast_1d(np.asarray(given, np.float64))
            if len(found) not in {1, outputs}:
                raise ShapeError(f"start has {len(found)} numbers, there are {outputs} outputs")
            return np.broadcast_to(found, (outputs,))
        if isinstance(self.rule, Ordinal):
            return np.zeros(1)
        if isinstance(self.rule, Rule):
            return start_of(self.rule, labels, _given(weight), outputs)
        return self.rule.start(labels, weight, outputs)

    def derivatives(
        self,
        margin: Numbers,
        labels: Any,
        weight: Any = None,
        group: Any = None,
        out: tuple[Numbers, Numbers] | None = None,
    ) -> tuple[Numbers, Numbers]:
        """Return gradient and curvature of the weighted sum of losses, each row's own.

        Margins have shape (rows,) or (rows, outputs); so have the results, in float32, in the
        memory order of the margins, or in the arrays ``out``.
        """
        weight = _given(weight)
        if out is None:
            out = np.empty_like(margin, np.float32), np.empty_like(margin, np.float32)
        gradient, hessian = out
        if isinstance(self.rule, Rule):
            data = self.rule.data(labels, margin.shape)
            first = None if self.rounds_before_weights else weight
            self.curvature.fill(self.rule, margin, data, first, gradient, hessian)
            if weight is not None and self.rounds_before_weights:
                each = weight if margin.ndim == 1 else weight[:, None]
                gradient *= each
                hessian *= each
        else:
            gradient[...], hessian[...] = self.rule.derivatives(margin, labels, weight, group)
        if floor := self._given["floor"]:
            np.maximum(hessian, hessian.dtype.type(floor), out=hessian)
        return gradient, hessian

    def value(self, margin: Numbers, labels: Any, weight: Any = None, group: Any = None) -> float:
        """Return the loss of margins: the weighted mean over rows, or the score of a ranking."""
        weight = _given(weight)
        if isinstance(self.rule, Rule):
            return self.rule.value(margin, self.rule.data(labels, margin.shape), weight)
        return self.rule.value(margin, labels, weight, group)

    def inverse(self, margin: Numbers) -> Numbers:
        """Return the predictions that margins stand for: rates, probabilities, grades."""
        return self.rule.inverse(margin)

    @property
    def higher_is_better(self) -> bool:
        """The direction of :meth:`value`."""
        return self.rule.higher_is_better

    @property
    def outputs(self) -> int | None:
        """How many outputs the hyper-parameters say there are; None if they say nothing."""
        return self.rule.outputs

    @property
    def needs_classes(self) -> bool:
        """Whether there is a margin for each class."""
        return isinstance(self.rule, Rule) and self.rule.loss.class_axis

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return what the objective was made of, as scikit-learn asks an estimator."""
        return dict(self._given)

    def set_params(self, **params: Any) -> Self:
        """Change what the objective is made of: ``objective__delta`` in a grid search."""
        fresh = type(self)(**{**self._given, **params})
        vars(self).clear()
        vars(self).update(vars(fresh))
        return self

    def __sklearn_clone__(self) -> Self:
        return type(self)(**copy.deepcopy(self._given))

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self._given, self._learnt())

    def _learnt(self) -> dict[str, Any]:
        """Return what a fit has told the objective, and a copy of a trained model must know."""
        return {"thresholds": getattr(self.rule, "thresholds", None)}

    def __repr__(self) -> str:
        given = {k: v for k, v in self._given.items() if k != "loss" and v is not None}
        own = [repr(self.rule.name), *(f"{k}={v!r}" for k, v in given.items())]
        return f"lossary.boosters.{self.host}({', '.join(own)})"


def _given(weight: Any) -> Numbers | None:
    """Return weights as an array; None for those of a host that has none, which are empty."""
    return None if weight is None or not np.size(weight) else np.asarray(weight)


def _restored(kind: type[Objective], given: dict[str, Any], learnt: dict[str, Any]) -> Objective:
    found = kind(**given)
    thresholds = learnt.pop("thresholds")
    if isinstance(found.rule, Ordinal):
        found.rule.thresholds = thresholds
    vars(found).update(learnt)
    return found


def _refuse_reduction(parameters: dict[str, Any]) -> None:
    reduction = parameters.pop("reduction", "sum")
    if reduction != "sum":
        raise ValueError(
            f"reduction must be 'sum', got {reduction!r}: a booster adds derivatives up itself, "
            "and those of a mean train a model that hardly leaves its start"
        )


def _row_of(host: str, loss: str) -> Any:
    """Return the built-in objective of a host that is this loss, if it has one."""
    from lossary.lookup import built_ins

    return next((row for row in built_ins() if (row.host, row.loss) == (host, loss)), None)


def _rule(host: str, loss: str | Loss, link: str | None, parameters: Mapping[str, Any]) -> Any:
    name = loss if isinstance(loss, str) else loss.name
    if isinstance(loss, str) and (row := built_in(loss, host)) and loss not in catalogue:
        name = row.loss
    if isinstance(loss, str) and name in LISTS:
        return _list_rule(name, parameters)
    found = loss if isinstance(loss, Loss) else LOSSES.get(name) or find(name)
    if found is LOSSES["cumulative_link"]:
        extra = dict(parameters)
        thresholds = extra.pop("thresholds", None)
        settings = _settings(found, extra)
        return Ordinal(found, settings, LINKS["identity"], _in_order(thresholds))
    names = tuple(a.name for a in found.inputs)
    if names == Censored.inputs:  # a time is predicted, not its logarithm
        return Censored(found, _settings(found, parameters), link_of(found, link or "exp"))
    if len(names) != 2:
        _refuse_arguments(host, loss, found.name, names)
    return Rule(found, _settings(found, parameters), link_of(found, link))


def _refuse_arguments(host: str, given: str | Loss, name: str, arguments: Any) -> NoReturn:
    """Raise for a loss of more than a response and a target, with what is known of the host's."""
    row = built_in(given, host) if isinstance(given, str) else None
    if row and isinstance(row.same, str):
        raise ValueError(f"{row.name} of {host} is {name} here, and no objective: {row.why}")
    raise TypeError(
        f"{name} takes {', '.join(arguments)}; a booster has one response and one target\n"
        "hint: write a loss of two arguments with lossary.loss"
    )


def _in_order(thresholds: Any) -> tuple[float, ...] | None:
    if thresholds is None:
        return None
    found = tuple(map(float, thresholds))
    if not found or not np.all(np.diff(found) > 0):
        raise ValueError(f"thresholds must be numbers in growing order, got {thresholds!r}")
    return found


def _list_rule(name: str, parameters: Mapping[str, Any]) -> Any:
    known = [f for f in LISTS[name].__dataclass_fields__ if f != "link"]
    if unknown := parameters.keys() - set(known):
        raise TypeError(_unknown(name, unknown, known))
    return LISTS[name](**parameters)


def _unknown(name: str, unknown: Any, known: list[str]) -> str:
    return (
        f"{name} has no hyper-parameter {', '.join(sorted(unknown))}\n"
        f"hint: it has {', '.join(known) or 'none'}"
    )


def _settings(loss: Loss, parameters: Mapping[str, Any]) -> tuple[Mapping[str, float], ...]:
    """Return the hyper-parameters, or those of each output where one of them is a list."""
    arguments = {a.name: a for a in loss.parameters}
    if unknown := parameters.keys() - arguments.keys():
        raise TypeError(_unknown(loss.name, unknown, list(arguments)))
    given = {name: x for name, x in parameters.items() if x is not None}
    missing = [n for n, a in arguments.items() if a.required and n not in given]
    if missing:
        raise TypeError(f"{loss.name} needs {', '.join(missing)}")
    lengths = {len(x) for x in given.values() if np.ndim(x) == 1}
    if len(lengths) > 1:
        raise ShapeError(f"{loss.name}: lists of {sorted(lengths)} hyper-parameters do not match")
    found = [
        {name: float(x[k] if np.ndim(x) else x) for name, x in given.items()}
        for k in range(max(lengths, default=1))
    ]
    for settings in found:
        for name, x in settings.items():
            check_parameter(loss, arguments[name], x)
    return tuple(found)
