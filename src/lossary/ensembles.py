"""Scores of ensembles of vectors: a loss of two draws, or of two coordinates, over all pairs.

An ensemble has shape (..., members, coordinates), what came (..., coordinates). A loss of two
draws and of what came, such as ``energy_score``, is averaged over all pairs of members:

>>> import lossary as L
>>> members, target = [[0.1, 0.3], [0.4, -0.2], [0.9, 0.0]], [0.5, 0.2]
>>> print(L.ensembles.value(L.energy_score, members, target).round(6))
0.204388

A loss of the members' numbers at two coordinates and of the two that came, such as
``variogram_score``, is summed over all pairs of coordinates, both ways round:

>>> print(L.ensembles.value(L.variogram_score, members, target).round(6))
0.061794
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from lossary.engine import Loss
from lossary.engine.libraries import Library, library_of
from lossary.engine.options import one_of
from lossary.engine.reading import read
from lossary.errors import DomainError, DtypeError, FormulaError, ShapeError

__all__ = ["value", "value_and_gradient"]

_ROOM = 1 << 20
"""As many numbers as the vectors of a block may have, for one of the two sides of its pairs."""


def value(
    loss: Loss,
    members: Any,
    target: Any,
    *,
    fair: bool = False,
    mask: Any = None,
    weight: Any = None,
    reduction: Literal["mean", "sum"] = "mean",
    block: int | None = None,
    **settings: Any,
) -> Any:
    """Return the score of ensembles, of shape (..., M, D), for targets of shape (..., D).

    Of draws, a member is a partner of its own too, as in the distribution that an ensemble is; with
    ``fair`` it is not, which is without bias for the distribution that its members come from.
    ``mask``, of shape (..., M), keeps the members where it is True, ``weight``, of shape (...),
    multiplies the score of an ensemble. An ensemble without a pair does not count. ``block`` is
    how many steps from a member to its partner are taken at once, ``settings`` are the loss's.

    What differentiates keeps what each block needs; :func:`value_and_gradient` does not.

    >>> import lossary as L
    >>> print(value(L.energy_score, [[0.0, 0.0], [2.0, 0.0]], [1.0, 0.0], fair=True))
    0.0
    """
    pairs = _Pairs.of(loss, members, target, fair, mask, weight, reduction, block, settings)
    return pairs.share * sum(loss(*x, **options) for _, x, options in pairs.blocks())


def value_and_gradient(
    loss: Loss,
    members: Any,
    target: Any,
    *,
    fair: bool = False,
    mask: Any = None,
    weight: Any = None,
    reduction: Literal["mean", "sum"] = "mean",
    block: int | None = None,
    **settings: Any,
) -> tuple[Any, Any]:
    """Return the score of :func:`value`, and its gradient in the members.

    >>> import lossary as L
    >>> _, slope = value_and_gradient(L.energy_score, [[0.0, 0.0], [2.0, 0.0]], [1.0, 1.0])
    >>> slope.shape
    (2, 2)
    """
    pairs = _Pairs.of(loss, members, target, fair, mask, weight, reduction, block, settings)
    return pairs.value_and_gradient()


@dataclass(frozen=True)
class _Pairs:
    """What is paired lies along the first axis, of the members and of all that goes with them."""

    loss: Loss
    library: Library
    draws: bool
    members: Any
    target: Any
    keep: Any
    weight: Any
    own: bool
    share: Any
    block: int
    settings: dict[str, Any]

    @classmethod
    def of(
        cls,
        loss: Loss,
        members: Any,
        target: Any,
        fair: bool,
        mask: Any,
        weight: Any,
        reduction: str,
        block: int | None,
        settings: dict[str, Any],
    ) -> _Pairs:
        """Read the arrays; raises FormulaError and ShapeError for what does not fit."""
        draws = _of_draws(loss)
        if fair and not draws:
            raise FormulaError(
                f"ensembles: {loss.name} is of two coordinates, and fair= of two draws"
            )
        one_of("ensembles", "reduction", reduction, ("mean", "sum"))
        library = library_of([members, target])
        x, y, keep, scale = _read(library, members, target, mask, weight)
        count, entries = library.shape(x)[-2:]
        if fair and count < 2:
            raise ShapeError("ensembles: fair= compares different members, and there is one")
        with library.wide():
            scale, share = _shares(library, y, keep, scale, draws, fair, count, reduction)
            size = max(1, _ROOM // max(1, library.count(x))) if block is None else block
            if draws:
                size, x = min(size, count), _led(library, x, -2)
                keep = None if keep is None else _led(library, keep, -1)
            else:
                size, x, y = min(size, entries), _led(library, x, -1), _led(library, y, -1)
            own = draws and not fair
            return cls(loss, library, draws, x, y, keep, scale, own, share, size, settings)

    def blocks(self) -> Iterator[tuple[range, tuple[Any, ...], dict[str, Any]]]:
        """Yield a few steps to a partner at a time, with the arguments of the loss for them."""
        count = self.library.shape(self.members)[0]
        for start in range(0 if self.own else 1, count, self.block):
            steps = range(start, min(start + self.block, count))
            with self.library.wide():
                data = [
                    y for x in self._paired() for y in (self._same(x, steps), self._next(x, steps))
                ]
                if self.draws:
                    data.append(self.library.broadcast(self.target, data[0]))
                yield steps, tuple(data), self._options(data[0], steps)

    def _paired(self) -> list[Any]:
        return [self.members] if self.draws else [self.members, self.target]

    def _same(self, x: Any, steps: range) -> Any:
        return self.library.joined([x] * len(steps))

    def _next(self, x: Any, steps: range) -> Any:
        return self.library.joined([part for step in steps for part in (x[step:], x[:step])])

    def _options(self, like: Any, steps: range) -> dict[str, Any]:
        options = {**self.settings, "reduction": "sum"}
        if self.weight is not None:
            options["weight"] = self.library.broadcast(self.weight, like[..., 0])
        if self.keep is not None and self.draws:
            options["mask"] = self._same(self.keep, steps) & self._next(self.keep, steps)
        elif self.keep is not None:
            options["mask"] = self.library.broadcast(self.keep, like)
        return options

    def value_and_gradient(self) -> tuple[Any, Any]:
        """Return the score and its gradient, to which each block adds its part."""
        library, wrt = self.library, tuple(a.name for a in self.loss.inputs[:2])
        count, found, slope = library.shape(self.members)[0], 0, 0
        for steps, data, options in self.blocks():
            more, parts = self.loss.value_and_gradient(*data, wrt=wrt, **options)
            with library.wide():
                found = found + more
                for k, step in enumerate(steps):
                    own, other = (part[k * count : (k + 1) * count] for part in parts)
                    slope = (
                        slope + own + library.joined([other[count - step :], other[: count - step]])
                    )
        with library.wide():
            back = _led(library, self.share * slope, -2 if self.draws else -1, back=True)
            return self.share * found, library.cast(back, self.members.dtype)


def _of_draws(loss: Loss) -> bool:
    """Whether a loss is of two draws and what came, rather than of two coordinates."""
    rows = [a.domain.class_axis for a in loss.inputs]
    if rows in ([True, True, True], [True, True, False, False]):
        return rows[-1]
    raise FormulaError(
        f"ensembles: {loss.name} takes {', '.join(a.name for a in loss.inputs)}, neither two draws "
        "and a target, all of them rows, nor the members and the targets at two coordinates\n"
        "hint: energy_score and variogram_score do"
    )


def _led(library: Library, x: Any, axis: int, back: bool = False) -> Any:
    """Return x with one axis first, or with the first one there."""
    order = list(range(len(library.shape(x))))
    place = order[axis]
    order = [*order[1 : place + 1], 0, *order[place + 1 :]] if back else [
        place, *order[:place], *order[place + 1 :]
    ]  # fmt: skip
    return library.ordered(x, order)


def _read(library: Library, members: Any, target: Any, mask: Any, weight: Any) -> list[Any]:
    """Return all of them as arrays; raises ShapeError for what does not fit the members."""
    x = read(library, "ensembles", "members", members, None)
    shape = tuple(library.shape(x))
    if len(shape) < 2 or None in shape[-2:]:
        raise ShapeError(
            f"ensembles: members have shape (..., members, coordinates), got {shape}\n"
            "hint: a graph has to know how many there are of both"
        )
    beside = {"target": (target, (*shape[:-2], shape[-1])), "mask": (mask, shape[:-1]),
              "weight": (weight, shape[:-2])}  # fmt: skip
    found = [x]
    for name, (data, expected) in beside.items():
        array = None if data is None else read(library, "ensembles", name, data, x)
        if array is not None and tuple(library.shape(array)) != expected:
            raise ShapeError(
                f"ensembles: {name} must have shape {expected} beside members of shape {shape}, "
                f"got {tuple(library.shape(array))}"
            )
        found.append(array)
    if mask is not None and library.kind(found[2]) != "boolean":
        raise DtypeError("ensembles: mask must be True (keep) or False, for each member")
    return found


def _shares(
    library: Library, y: Any, keep: Any, weight: Any, draws: bool, fair: bool, count: int,
    reduction: str,
) -> tuple[Any, Any]:  # fmt: skip
    """Return the factor of each pair of an ensemble, or None, and one of all."""
    pairs = count * (count - 1 if fair else count) if draws else 1
    if keep is None and weight is None:
        return None, 1 / pairs / (library.count(y[..., 0]) if reduction == "mean" else 1)
    work = library.work_dtype(y)
    one = library.cast(y[..., 0], work) * 0 + 1 if weight is None else library.cast(weight, work)
    if keep is not None:
        seen = library.squeeze(library.total_last(library.cast(keep, one.dtype)))
        pairs = seen * (seen - 1 if fair else seen) if draws else seen
        counts = pairs > 0
        one = library.where(counts, one, 0.0)
        pairs = library.where(counts, pairs, 1.0) if draws else 1
    whole = library.total(one) if reduction == "mean" else 1
    if reduction == "mean" and library.concrete([whole]) and not library.numpy(whole) > 0:
        raise DomainError("ensembles: the mean is empty: no ensemble counts")
    return one / pairs, 1 / whole
