"""Names: which loss is meant by a name of any library, and what to say where there is none."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Generic, TypeVar

from lossary.definition import Definition
from lossary.errors import UnknownLossError
from lossary.handbook import tables

D = TypeVar("D", bound=Definition)


@dataclass(frozen=True)
class NotYet:
    """A loss that others have: who has it, and what is nearest to it here."""

    name: str
    names: tuple[str, ...]
    elsewhere: tuple[str, ...]
    nearest: tuple[str, ...]
    how: str = ""

    @property
    def keys(self) -> set[str]:
        """What it is looked up by."""
        plain = (alias for alias in self.elsewhere if " (" not in alias)
        return {_short(name) for name in (self.name, *self.names, *plain)}


@dataclass(frozen=True)
class Beside:
    """A loss that stands beside the catalogue: ``place`` is its full name, in a room of its own."""

    place: str
    names: tuple[str, ...]
    elsewhere: tuple[str, ...]

    @property
    def keys(self) -> set[str]:
        """What it is looked up by."""
        return {_short(name) for name in (self.place, *self.names, *self.elsewhere)}


@dataclass(frozen=True)
class BuiltIn:
    """An objective that a booster has built in: which loss it is here, and how near that comes.

    ``same`` bounds the difference of margins, or is a word; see losses/objectives.toml.
    """

    host: str
    name: str
    also: tuple[str, ...]
    loss: str
    same: float | str
    why: str = ""

    @property
    def keys(self) -> set[str]:
        """What it is looked up by: its names, alone and behind that of the host."""
        names = {_key(x) for x in (self.name, *self.also)}
        return names | {f"{_key(self.host)}.{x}" for x in names}

    @property
    def advice(self) -> str:
        """The call that does the same here, with what there is to know, or why there is none."""
        if self.same in {"impossible", "missing"}:
            return f"{self.host} {self.name}: not the same here, {self.why}"
        near = {0: "the same model", "other": "", "untested": ""}.get(
            self.same, f"margins within {self.same}"
        )
        told = "; ".join(x for x in (near, self.why) if x)
        return f"lossary.boosters.{self.host}({self.loss!r}){f': {told}' if told else ''}"


@dataclass(frozen=True)
class Answer(Generic[D]):
    """What a name leads to: a loss, or one beside the catalogue or not here yet, or near names."""

    name: str
    loss: D | None
    not_yet: NotYet | None
    catalogue: Mapping[str, D]
    beside: Beside | None = None

    @cached_property
    def near(self) -> tuple[str, ...]:
        """Up to three other names of the catalogue, the most alike first."""
        return () if self.beside else _near(self.catalogue, self.name, self.loss)

    @property
    def objectives(self) -> tuple[BuiltIn, ...]:
        """The objectives of boosters that have this name."""
        wanted = _of_objective(self.name)
        return tuple(row for row in built_ins() if wanted in row.keys)

    @property
    def problem(self) -> str:
        """What stands in the way, and what to do, if there is no loss."""
        if self.beside:
            return (
                f"{self.name!r} stands beside the catalogue\n"
                f"hint: here it is {self.beside.place}, whose help says how to call it"
            )
        if self.not_yet:
            return f"{self.name!r} is not in lossary yet\nhint: {_instead(self.not_yet)}"
        hint = "lossary list shows all names; in Python lossary.catalogue has them"
        if self.near:
            hint = f"did you mean {', '.join(self.near)}?"
        return f"no loss is called {self.name!r} here or elsewhere\nhint: {hint}"


def find(catalogue: Mapping[str, D], name: str) -> D:
    """Return the loss of that name here or in another library; UnknownLossError if none."""
    answer = look_up(catalogue, name)
    if answer.loss is None:
        raise UnknownLossError(answer.problem)
    return answer.loss


def look_up(catalogue: Mapping[str, D], name: str) -> Answer[D]:
    """Return what a name leads to; capitals, ``_`` and ``-`` do not matter."""
    # LightGBM's rmse is an objective, squared error; anyone else's is another loss.
    row = built_in(name)
    own = row is not None and name.startswith(f"{row.host}.")
    loss = None if own else catalogue.get(name) or _named(catalogue, name)
    room = None if loss or own else next((x for x in beside() if _short(name) in x.keys), None)
    missing = None if loss or own or room else _missing(name)
    if row and not loss and not missing:
        loss = catalogue.get(row.loss)
    return Answer(name, loss, missing, catalogue, room)


@cache
def not_yet() -> tuple[NotYet, ...]:
    """Return the losses that the field knows and the catalogue has not got."""
    return tuple(
        NotYet(
            name, tuple(row["names"]), tuple(row["elsewhere"]), tuple(row["nearest"]),
            row.get("how", ""),
        )
        for name, row in tables("not_yet.toml").items()
    )  # fmt: skip


@cache
def beside() -> tuple[Beside, ...]:
    """Return the losses that stand beside the catalogue."""
    return tuple(
        Beside(place, tuple(row["names"]), tuple(row["elsewhere"]))
        for place, row in tables("beside.toml").items()
    )


@cache
def built_ins() -> tuple[BuiltIn, ...]:
    """Return the objectives that boosters have built in."""
    found = []
    for key, row in tables("objectives.toml").items():
        host, _, name = key.partition(".")
        found.append(BuiltIn(host, name, **{**row, "also": tuple(row.get("also", ()))}))
    return tuple(found)


def built_in(name: str, host: str | None = None) -> BuiltIn | None:
    """Return the objective that a host calls by a name; ``HOST.NAME`` says which host is meant.

    >>> built_in("Tweedie:variance_power=1.5").loss
    'tweedie'
    """
    wanted = _of_objective(name)
    rows = (row for row in built_ins() if host in {None, row.host})
    return next((row for row in rows if wanted in row.keys), None)


def _of_objective(name: str) -> str:
    """Return the key of an objective, without CatBoost's settings behind a colon."""
    return _key(name.partition(":")[0] if "=" in name else name)


def _named(catalogue: Mapping[str, D], name: str) -> D | None:
    wanted = _key(name)
    tails: dict[str, D] = {}
    for loss in catalogue.values():
        for alias in (loss.name, *loss.elsewhere):
            key = _key(alias)
            if key == wanted:
                return loss
            tails.setdefault(key.rpartition(".")[2], loss)
    if wanted in tails:
        return tails[wanted]
    if wanted.endswith("loss") and "." not in wanted:
        return _named(catalogue, wanted.removesuffix("loss"))
    return catalogue.get(_ABBREVIATIONS.get(_short(name), ""))


def _missing(name: str) -> NotYet | None:
    wanted = _short(name)
    return next((row for row in not_yet() if wanted in row.keys), None)


def _instead(row: NotYet) -> str:
    shown = " and ".join(row.elsewhere[:2])
    have = f"{shown} {'have' if len(row.elsewhere) > 1 else 'has'} it; " if shown else ""
    return f"{have}nearest here: {', '.join(row.nearest)}{f'; {row.how}' if row.how else ''}"


def _near(catalogue: Mapping[str, D], name: str, found: D | None) -> tuple[str, ...]:
    wanted = _short(name)
    scores = {
        loss.name: max(_likeness(wanted, _short(alias)) for alias in (loss.name, *loss.elsewhere))
        for loss in catalogue.values()
        if loss is not found
    }
    close = [n for n, score in scores.items() if score >= _ALIKE]
    return tuple(sorted(close, key=lambda n: -scores[n])[:3])


_ALIKE = 0.7
"""Below this share of common letters two names have nothing to do with each other."""


def _likeness(wanted: str, key: str) -> float:
    if len(wanted) > 3 and (wanted in key or key in wanted):
        return _ALIKE + (1 - _ALIKE) * min(len(wanted), len(key)) / max(len(wanted), len(key))
    matcher = difflib.SequenceMatcher(None, wanted, key)
    return matcher.ratio() if matcher.quick_ratio() >= _ALIKE else 0.0


# Keras' identifiers and other short names, by which no library has an attribute any more.
_ABBREVIATIONS = {
    "mse": "squared_error", "mae": "absolute_error", "mape": "absolute_percentage_error",
    "msle": "squared_log_error", "bce": "binary_cross_entropy_from_probability",
    "bcewithlogits": "binary_cross_entropy", "ce": "cross_entropy",
    "kld": "kl_divergence_from_probabilities", "kl": "kl_divergence", "jsd": "jensen_shannon",
    "nll": "negative_log_likelihood", "gce": "generalized_cross_entropy_from_probabilities",
    "l1": "absolute_error", "l2": "squared_error", "logistic": "binary_cross_entropy",
    "kullbackleiblerdivergence": "kl_divergence_from_probabilities", "pinball": "quantile",
    "meansquarederror": "squared_error", "meanabsoluteerror": "absolute_error",
    "rmse": "root_mean_squared_error", "dsc": "dice", "softdice": "dice",
    "dicecoefficient": "dice", "sorensendice": "dice", "dicescore": "dice", "binarydice": "dice",
    "softjaccard": "jaccard", "softiou": "jaccard", "intersectionoverunion": "jaccard",
    "mcc": "matthews_correlation", "matthews": "matthews_correlation",
    "dicebce": "dice_binary_cross_entropy", "bcedice": "dice_binary_cross_entropy",
    "boxiou": "iou", "giou": "generalized_iou", "diou": "distance_iou", "ciou": "complete_iou",
    "generalizediou": "generalized_iou", "generalisediou": "generalized_iou",
    "eiou": "efficient_iou", "focaleiou": "focal_efficient_iou", "alphaiou": "alpha_iou",
    "softmaxcrossentropy": "cross_entropy", "sigmoidcrossentropy": "binary_cross_entropy",
}  # fmt: skip


def _plain(name: str) -> str:
    """Return a name without what stands in brackets behind it."""
    return name.partition(" (")[0]


def _short(name: str) -> str:
    """Return the last word of a dotted name, without ``loss`` at its end."""
    last = _key(_plain(name)).rpartition(".")[2]
    return last.removesuffix("loss") or last


@lru_cache(maxsize=4096)
def _key(name: str) -> str:
    name = name.strip().lower().replace("_", "").replace("-", "").replace(" ", "")
    for prefix, short in (
        ("tensorflow.", "tf."), ("tf.keras.", "keras."), ("torch.nn.functional.", "f."),
        ("torch.nn.f.", "f."), ("torch.f.", "f."), ("nn.", "torch.nn."),
        ("sklearn.metrics.", "sklearn."),
    ):  # fmt: skip
        if name.startswith(prefix):
            name = short + name.removeprefix(prefix)
    return name
