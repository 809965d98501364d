"""The fits behind the study of boosting: for each loss data of its kind, and two models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossary import boosters
from lossary.study.experiment import Progress
from lossary.study.needs import need, one_thread

Numbers = Any
EVERY = 5
"""How many trees lie between two looks at held-out rows."""
GROUP = 20
"""How many rows a list has that is to be ranked."""
RATES = (0.05, 0.15, 0.4)
"""Learning rates that each side may choose from."""
COUNTS = ("tweedie", "negative_binomial")
"""Losses of a mean's logarithm that are told as half their deviance."""
TOLD: dict[str, dict[str, Any]] = {"xgboost": {"nthread": 1, "max_depth": 3},
         "lightgbm": {"num_threads": 1, "num_leaves": 8, "verbose": -1,
                      "deterministic": True, "force_row_wise": True},
         "hist_gradient_boosting": {"max_leaf_nodes": 8, "early_stopping": False}}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """Sizes of the study."""

    rows: int = 2000
    held_out: int = 4000
    trees: int = 150
    repetitions: int = 5


@dataclass(frozen=True)
class Task:
    """A loss, data that it is for, and the nearest objective that the host has built in."""

    loss: str
    draw: Callable[[Numbers, np.random.Generator], Numbers]
    own: str
    settings: tuple[tuple[str, float], ...] = ()
    told: tuple[tuple[str, Any], ...] = ()
    curvature: str | None = None
    host: str = "xgboost"
    about: str = ""
    """What sets it apart from another task of the same loss."""
    theory: str = ""
    """How the two models differ before anything is measured."""

    @property
    def name(self) -> str:
        """The loss, and what is special about the task."""
        return f"{self.loss}, {self.about}" if self.about else self.loss


@dataclass(frozen=True)
class Fits:
    """Losses by [repetition, model, learning rate, look]; model 0 is the built-in's, 1 ours."""

    valid: Numbers
    test: Numbers

    @property
    def chosen(self) -> Numbers:
        """The loss of held-out rows, [repetition, model], where that of other rows is least."""
        looks = self.test.reshape(*self.test.shape[:2], -1)
        return np.take_along_axis(looks, self._best()[..., None], axis=-1)[..., 0]

    @property
    def rates(self) -> Numbers:
        """The learning rate that was chosen, [repetition, model]."""
        return np.array(RATES)[self._best() // self.valid.shape[-1]]

    @property
    def trees(self) -> Numbers:
        """The number of trees that was chosen, [repetition, model]."""
        return (self._best() % self.valid.shape[-1] + 1) * EVERY

    @property
    def curves(self) -> Numbers:
        """The loss of held-out rows by [repetition, model, look], at the rate that was chosen."""
        rate = (self._best() // self.valid.shape[-1])[..., None, None]
        return np.take_along_axis(self.test, rate, axis=2)[:, :, 0]

    def _best(self) -> Numbers:
        return self.valid.reshape(*self.valid.shape[:2], -1).argmin(axis=-1)


def _signal(x: Numbers) -> Numbers:
    return x[:, 0] + x[:, 1] ** 2 / 2 - 0.5


def _rare(x: Numbers, rng: np.random.Generator) -> Numbers:
    return (rng.random(len(x)) < 1 / (1 + np.exp(4 - 1.5 * _signal(x)))).astype(float)


def _outliers(x: Numbers, rng: np.random.Generator) -> Numbers:
    return _signal(x) + rng.standard_t(1.5, len(x))


def _spread(x: Numbers, rng: np.random.Generator) -> Numbers:
    return _signal(x) + np.exp(x[:, 2] / 2) * rng.normal(size=len(x))


def _claims(x: Numbers, rng: np.random.Generator) -> Numbers:
    count = rng.poisson(np.exp(_signal(x) / 2))
    return rng.gamma(np.maximum(count, 1) * 2.0, 0.5) * (count > 0)


def _crowds(x: Numbers, rng: np.random.Generator) -> Numbers:
    """Counts whose variance is that of a dispersion of 2."""
    mean = np.exp(2 + _signal(x))
    return rng.poisson(mean * rng.gamma(0.5, 2.0, len(x))).astype(float)


def _cities(x: Numbers, rng: np.random.Generator) -> Numbers:
    """The same where means go from below 1 to ten thousands."""
    mean = np.exp(3 + 3 * x[:, 0] + x[:, 1] ** 2 / 2)
    return rng.poisson(mean * rng.gamma(0.5, 2.0, len(x))).astype(float)


def _grades(x: Numbers, rng: np.random.Generator) -> Numbers:
    return np.digitize(_signal(x) + rng.logistic(size=len(x)), [-1.5, -0.5, 0.5, 1.5]).astype(float)


def _months(x: Numbers, rng: np.random.Generator) -> Numbers:
    """Whole months to an event, many of them the same."""
    time = np.ceil(2 * np.exp(-_signal(x) + rng.normal(size=len(x))))
    return np.where(rng.random(len(x)) < 0.7, time, -time)


def _register(x: Numbers, rng: np.random.Generator) -> Numbers:
    """The same of a register that is kept in the order of its first column, as of age."""
    x[:] = x[np.argsort(x[:, 0])[::-1]]
    return _months(x, rng)


def _relevance(x: Numbers, rng: np.random.Generator) -> Numbers:
    return np.digitize(_signal(x) + rng.normal(size=len(x)), [0.0, 1.0, 2.0]).astype(float)


ALMOST = "both are squares near 0 and sizes far out: all but the same minimiser"
MEAN = "the minimiser of both is the mean; Poisson's rows count with it, ours alike"

TASKS = (
    Task("focal", _rare, "binary:logistic", (("gamma", 2.0),),
         theory="another minimiser: cases that are easy count less"),
    Task("log_cosh", _outliers, "reg:pseudohubererror", theory=ALMOST),
    Task("huber", _outliers, "reg:pseudohubererror", (("delta", 0.5),), (("huber_slope", 0.5),),
         theory=ALMOST),
    Task("expectile", _spread, "reg:squarederror", (("expectile", 0.8),),
         theory="another minimiser: the mean is the expectile of 0.5"),
    Task("quantile", _spread, "reg:quantileerror", (("quantile", 0.9),),
         (("quantile_alpha", 0.9),), "majorise",
         theory="the same minimiser; the built-in puts exact quantiles into its leaves"),
    Task("quantile", _spread, "quantile", (("quantile", 0.9),), (("quantile", 0.9),),
         host="hist_gradient_boosting", about="leaves renewed",
         theory="the same model: leaves are exact quantiles in both"),
    Task("tweedie", _claims, "reg:tweedie", curvature="expected",
         theory="the same loss; no step of ours is longer than a factor of e"),
    Task("negative_binomial", _crowds, "count:poisson", (("dispersion", 2.0),), theory=MEAN),
    Task("cumulative_link", _grades, "multi:softprob", (), (("num_class", 5),),
         theory="one score between thresholds in place of five scores: fewer numbers to learn"),
    Task("cox_efron", _register, "survival:cox", about="rows in order",
         theory="the same but for ties, which the built-in counts in the order of the rows"),
    Task("cox_efron", _months, "survival:cox", about="rows shuffled",
         theory="the same but for ties, whose order is chance here and averages out"),
    Task("lambdarank", _relevance, "lambdarank", host="lightgbm",
         theory="the same model: the same lambdas, but for a table of sigmoids"),
    Task("negative_binomial", _cities, "count:poisson", (("dispersion", 2.0),),
         about="means of all sizes", theory=MEAN),
)  # fmt: skip


def fit_all(settings: Settings, seed: int, progress: Progress) -> dict[str, Fits]:
    """Fit every loss and its neighbour, each repetition on other data."""
    need("xgboost", extra="boosters")
    need("lightgbm", extra="boosters")
    found, total = {}, len(TASKS) * settings.repetitions
    for place, task in enumerate(TASKS):
        runs = []
        for repetition in range(settings.repetitions):
            progress(place * settings.repetitions + repetition, total, task.name)
            runs.append(_both(task, settings, np.random.default_rng([seed, place, repetition])))
        both = np.array(runs)  # [repetition, model, rate, look, valid or test]
        found[task.name] = Fits(both[..., 0], both[..., 1])
    progress(total, total, "done")
    return found


def _both(task: Task, settings: Settings, rng: np.random.Generator) -> Numbers:
    """Return losses by [built-in or ours, learning rate, look, valid or test]."""
    sizes = (settings.rows, settings.rows, settings.held_out)
    sets = []
    for rows in sizes:
        x = rng.normal(size=(rows // GROUP * GROUP, 5))
        sets.append((x, task.draw(x, rng)))
    judge = getattr(boosters, task.host)(task.loss, curvature=task.curvature, **dict(task.settings))
    judge.prepare(sets[0][1], None, 1, _group(sets[0][1]))
    fit = {"xgboost": _xgboost, "lightgbm": _lightgbm,
           "hist_gradient_boosting": _hist_gradient_boosting}[task.host]  # fmt: skip
    return np.array(
        [
            [
                _looks(judge, fit(task, judge, settings.trees, rate, sets, own), sets)
                for rate in RATES
            ]
            for own in (True, False)
        ]
    )


def _looks(judge: Any, margins: Iterator[tuple[Numbers, ...]], sets: list[Any]) -> Numbers:
    """Return losses by [look, valid or test]."""
    held = [y for _, y in sets[1:]]
    return np.array(
        [[_judged(judge, f, y) for f, y in zip(look, held, strict=True)] for look in margins]
    )


def _group(y: Numbers) -> Numbers:
    return np.full(len(y) // GROUP, GROUP)


def _judged(judge: Any, margin: Numbers, y: Numbers) -> float:
    """Return the loss of margins, or of a score what is missing to 1: less is better."""
    if margin.ndim == 2:  # of classes: minus the log-probability of the grade
        share = np.exp(margin - margin.max(axis=1, keepdims=True))
        share = (share / share.sum(axis=1, keepdims=True))[np.arange(len(y)), y.astype(int)]
        return float(-np.log(share).mean())
    value = judge.value(margin.astype(np.float64), y, None, _group(y))
    return 1 - value if judge.higher_is_better else value - _least(judge, y)


def _least(judge: Any, y: Numbers) -> float:
    """Return the loss of who knows each label, which counts have much of: the rest is deviance."""
    if judge.rule.name not in COUNTS:
        return 0.0
    return judge.value(np.log(np.maximum(y, np.finfo(float).tiny)), y)


def _xgboost(
    task: Task, judge: Any, trees: int, rate: float, sets: list[Any], own: bool
) -> Iterator[tuple[Numbers, ...]]:
    xgb = need("xgboost", extra="boosters")
    data, *held = (xgb.DMatrix(x, y, nthread=1) for x, y in sets)
    told = {**TOLD["xgboost"], "eta": rate}
    if own:
        model = xgb.train({**told, **dict(task.told), "objective": task.own}, data, trees)
    else:
        model = judge.train(told, data, trees).model
    for count in range(EVERY, trees + 1, EVERY):
        yield tuple(model.predict(m, output_margin=True, iteration_range=(0, count)) for m in held)


def _lightgbm(
    task: Task, judge: Any, trees: int, rate: float, sets: list[Any], own: bool
) -> Iterator[tuple[Numbers, ...]]:
    lgb = need("lightgbm", extra="boosters")
    told = {**TOLD["lightgbm"], "learning_rate": rate}
    data = lgb.Dataset(*sets[0], group=_group(sets[0][1]), params=told)
    if own:
        model = lgb.train({**told, **dict(task.told), "objective": task.own}, data, trees)
    else:
        model = judge.train(told, data, trees).model
    for count in range(EVERY, trees + 1, EVERY):
        yield tuple(model.predict(x, raw_score=True, num_iteration=count) for x, _ in sets[1:])


def _hist_gradient_boosting(
    task: Task, judge: Any, trees: int, rate: float, sets: list[Any], own: bool
) -> Iterator[tuple[Numbers, ...]]:
    ensemble = need("sklearn.ensemble", extra="boosters")
    told = {**TOLD["hist_gradient_boosting"], "learning_rate": rate, "max_iter": trees}
    if own:
        kind: Any = ensemble.HistGradientBoostingRegressor
        model = kind(loss=task.own, **dict(task.told), **told)
    else:
        model = boosters.HistGradientBoostingRegressor(loss=judge, **told)
    with one_thread("openmp"):
        model.fit(*sets[0])
        looks = [list(model.staged_predict(x))[EVERY - 1 :: EVERY] for x, _ in sets[1:]]
    yield from zip(*looks, strict=True)
