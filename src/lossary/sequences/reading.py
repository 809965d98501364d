"""What callers give: arrays of sequences, lengths and labels, each refused by name and place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from math import inf, nan
from operator import index, mul
from typing import Any

import numpy as np

from lossary.engine.libraries import Library, library_of
from lossary.engine.reading import read
from lossary.errors import DomainError, DtypeError, ShapeError
from lossary.kinds import first_place
from lossary.sequences.words import words_of

REDUCTIONS = ("none", "sum", "mean")
POLICIES = ("inf", "zero")
PADDING = "\nhint: padding may hold anything: the lengths of the call say where it begins"


@dataclass(frozen=True)
class Reader:
    """One call: who asks, the library, and the axes before those of a sequence."""

    who: str
    library: Library
    like: Any
    lead: tuple[Any, ...]

    @classmethod
    def of(cls, who: str, argument: str, data: Any, axes: str) -> tuple[Reader, Any]:
        """Return a reader by the first argument, and that as (sequences, *axes).

        ``axes`` names the axes of a sequence, such as "frames, classes".
        """
        library = library_of([data])
        x = read(library, who, argument, data, None)
        if library.kind(x) != "floating":
            raise DtypeError(
                f"{who}: {argument} must be floating-point numbers, got {x.dtype}\n"
                "hint: labels come second"
            )
        shape, rank = library.shape(x), len(axes.split(", "))
        if shape is None or len(shape) < rank:
            raise ShapeError(f"{who}: {argument} must have shape (…, {axes}), got {shape}")
        reader = cls(who, library, x, tuple(library.sizes(x)[: len(shape) - rank]))
        return reader, reader.flat(x, rank)

    def real(self, argument: str, data: Any) -> Any:
        """Return another array of floating-point numbers, as it is."""
        x = read(self.library, self.who, argument, data, self.like)
        if self.library.kind(x) != "floating":
            raise DtypeError(
                f"{self.who}: {argument} must be floating-point numbers, got {x.dtype}"
            )
        return x

    @property
    def count(self) -> Any:
        """How many sequences there are: a number, or an array where only a graph's run says so."""
        return reduce(mul, self.lead, 1)

    def flat(self, x: Any, rank: int) -> Any:
        """Return x, whose last axes are those of a sequence, with one axis before them."""
        sizes = self.library.sizes(x)
        return self.library.reshaped(x, [self.count, *sizes[len(sizes) - rank :]])

    def as_given(self, x: Any) -> Any:
        """Return what is like the first argument, sequences along one axis, in its shape."""
        return self.library.reshaped(x, self.library.sizes(self.like))

    def whole(self, argument: str, data: Any, after: int) -> Any:
        """Return integers with so many axes for each sequence, flat."""
        x = read(self.library, self.who, argument, data, self.like, labels=True)
        if self.library.kind(x) != "integer":
            raise DtypeError(
                f"{self.who}: {argument} must be integers, got {x.dtype}\n"
                f"hint: {argument}.astype(int), if they are whole numbers"
            )
        shape = self.library.shape(x)
        self._fits(argument, shape, after)
        return self.library.cast(self.flat(x, after), self.library.index_dtype)

    def _fits(self, argument: str, shape: Any, after: int) -> None:
        lead = self.lead
        good = False
        if shape is not None and len(shape) == len(lead) + after:
            both = zip(shape, lead, strict=False)
            good = all(n == m or not (isinstance(n, int) and isinstance(m, int)) for n, m in both)
        if not good:
            axes = ", ".join([*map(str, lead), *["…"] * after])
            raise ShapeError(
                f"{self.who}: {argument} must have shape ({axes}), one for each sequence, "
                f"got {shape}"
            )

    def lengths(self, argument: str, data: Any, limit: Any, what: str, weight: Any) -> Any:
        """Return how long each sequence is; all of it where nothing is said.

        A length outside 0 to ``limit`` is refused, and is -1 where nothing can be. Of a sequence
        that weighs nothing, nothing counts.
        """
        found = self.every(limit) if data is None else self._said(argument, data, limit, what)
        return found if weight is None else self.library.where(weight == 0, found * 0, found)

    def _said(self, argument: str, data: Any, limit: Any, what: str) -> Any:
        if isinstance(data, int):
            data = np.full(self.lead, data)
        x = self.whole(argument, data, 0)
        most = self.library.cast(limit, x.dtype) if hasattr(limit, "dtype") else limit
        return self.admitted(
            argument, x, (x < 0) | (x > most), f"from 0 to {limit}, the number of {what}", ""
        )

    def every(self, number: Any) -> Any:
        """Return an integer for each sequence."""
        if isinstance(self.count, int) and isinstance(number, int):
            x = self.library.array(np.full(self.count, number), self.like)
        else:
            words = words_of(self.library.name)
            x = words.places(self.count, self.like)
            x = x * 0 + (self.library.cast(number, x.dtype) if hasattr(number, "dtype") else number)
        return self.library.cast(x, self.library.index_dtype)

    def admitted(self, argument: str, x: Any, wrong: Any, allowed: str, hint: str) -> Any:
        """Return integers, one or a row for each sequence; DomainError for the first wrong one.

        Where nothing can be raised, the wrong ones are -1.
        """
        if not self.library.concrete([wrong, x]):
            return self.library.where(wrong, x * 0 - 1, x)
        found = self.library.numpy(wrong)
        if found.any():
            first = first_place(found)
            got = self.library.numpy(x)[first]
            raise DomainError(
                f"{self.who}: {argument} must be {allowed}, got {got}{self.place(*first)}{hint}"
            )
        return x

    def refuse(
        self,
        argument: str,
        x: Any,
        ends: Sequence[Any],
        wrong: np.ndarray,
        is_bad: Callable[[np.ndarray], np.ndarray],
        allowed: str,
    ) -> None:
        """Raise for the first bad number, or row, before the ends of the sequences that are wrong.

        ``ends`` are, for each axis of a sequence but the last, how much of it counts.
        """
        numbers, limits = self.library.numpy(x), [self.library.numpy(n) for n in ends]
        for b in np.flatnonzero(wrong):
            found = numbers[b][tuple(slice(0, max(0, int(n[b]))) for n in limits)]
            bad = is_bad(found)
            if bad.any():
                place = first_place(bad)
                got = f"{allowed}, got {found[place]}" if bad.ndim == found.ndim else allowed
                raise DomainError(
                    f"{self.who}: {argument} {got}{self.place(int(b), *place)}{PADDING}"
                )

    def place(self, sequence: int, *more: int) -> str:
        """Say where a value stands in what was given; a single sequence has no number."""
        where = (*np.unravel_index(sequence, self.lead), *more) if self.lead else more
        return f" at index {tuple(map(int, where))}" if where else ""

    def class_index(self, argument: str, number: Any, classes: Any) -> int:
        """Return the index of a class that is an option."""
        try:
            found = index(number)
        except TypeError:
            raise DtypeError(
                f"{self.who}: {argument} must be an integer, got {type(number).__name__} {number!r}"
            ) from None
        if isinstance(classes, int) and not 0 <= found < classes:
            raise DomainError(
                f"{self.who}: {argument} must be a class from 0 to {classes - 1}, got {found}"
                + ("\nhint: the last class is blank=logits.shape[-1] - 1" if found < 0 else "")
            )
        return found

    def classes_of(
        self, argument: str, x: Any, counts: Any, classes: Any, blank: int | None = None
    ) -> Any:
        """Return flat rows of classes with something harmless behind their ends.

        A label outside the classes, and the blank, is refused, and is -1 where nothing can be.
        """
        words = words_of(self.library.name)
        places = words.places(self.library.sizes(x)[1], x)
        inside = places[None, :] < counts[:, None]
        most = self.library.cast(classes, x.dtype) if hasattr(classes, "dtype") else classes
        wrong = inside & ((x < 0) | (x >= most))
        wrong = wrong if blank is None else wrong | (inside & (x == blank))
        last = f"{classes - 1}" if isinstance(classes, int) else "the last"
        allowed = f"a class from 0 to {last}"
        allowed += "" if blank is None else f" other than the blank, {blank}"
        x = self.library.where(inside, x, x * 0 + (0 if blank is None else blank))
        hint = (
            f"\nhint: padding may hold anything behind its end: {argument[:-1]}_lengths= says where"
            " that is"
        )
        return self.admitted(argument, x, wrong, allowed, hint)

    def weight(self, data: Any) -> Any:
        """Return a weight for each sequence, flat; None if nothing is said."""
        if data is None:
            return None
        x = read(self.library, self.who, "weight", data, self.like)
        if self.library.kind(x) in {"complex", "other"}:
            raise DtypeError(f"{self.who}: weight must be real numbers, got {x.dtype}")
        self._fits("weight", self.library.shape(x), 0)
        x = self.flat(self.library.cast(x, self.library.result_dtype(self.like)), 0)
        if not self.library.concrete([x]):
            return self.library.where((x >= 0) & (x < inf), x, x * nan)
        found = self.library.numpy(x)
        good = (found >= 0) & (found < inf)
        if not good.all():
            first = int(np.argmin(good))
            raise DomainError(
                f"{self.who}: weight must be a finite number from 0, "
                f"got {found[first]:g}{self.place(first)}"
            )
        return x
