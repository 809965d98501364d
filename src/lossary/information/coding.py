"""Entropies as code lengths: what a code costs, which lengths a code can have, the best code.

A prefix code gives each outcome a word of 0s and 1s so that no word begins another. Its expected
length L is at least the entropy H, and the best one (Huffman's) has L < H + 1.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from typing import Any

import numpy as np

from lossary.errors import DomainError, DtypeError, ShapeError
from lossary.information.exact import row_sum
from lossary.information.masses import Masses, masses_of, numbers
from lossary.information.measures import cross_entropy, entropy
from lossary.information.samples import plain
from lossary.information.units import convert, unit_of

LONGEST = 65536  # of a word; Kraft sums are exact fractions, which grow with it


@np.errstate(all="ignore")
def code_length(
    probabilities: Any,
    *,
    model: Any = None,
    lengths: Any = None,
    unit: str | float = "bits",
) -> Any:
    """Expected length of the code words when outcomes have these probabilities.

    With nothing else, the ideal code for ``probabilities``: its entropy, the least possible. With a
    ``model``, the code that would be ideal if the model were true: the cross-entropy. With
    ``lengths``, a prefix code whose words have these lengths.

    Arguments
        probabilities  numbers in [0, 1] that sum to 1, shape (n,), or without lengths (..., n);
                       or a Distribution; or, without lengths, a continuous distribution (integrals
                       instead of sums; a differential length counts from cells of size 1)
        model          as probabilities, or None; the distribution that the code was made for
        lengths        integers from 0 to 65536, or inf for an outcome without a word, shape (n,),
                       or None; lengths of the words; in binary digits
        unit           a name in ``UNITS`` or a base above 1; unit of the result

    Returns
        real, at least 0 (a differential length may be negative); inf if an outcome that can occur
        has no word; a scalar, or shape (...); float64

    Raises
        DomainError  lengths that no prefix code has (their Kraft sum is above 1), bad probabilities
        ShapeError   two shapes, or lengths with more than one axis
        DtypeError   model and lengths together, or no numbers

    Example
        >>> p = [0.5, 0.25, 0.125, 0.125]
        >>> code_length(p), code_length(p, model=[0.25] * 4), code_length(p, lengths=[1, 2, 3, 3])
        (1.75, 2.0, 1.75)

    Source       Shannon 1948, theorem 9; Cover and Thomas 2006, theorems 5.3.1 and 5.4.3
    """
    if model is not None and lengths is not None:
        raise DtypeError(
            "code_length: model and lengths were both given; a model stands for its ideal code, "
            "lengths for a code of your own: give one of them"
        )
    if lengths is not None:
        return _given_length(probabilities, lengths, unit)
    if model is not None:
        return cross_entropy(probabilities, model, unit=unit)
    return entropy(probabilities, unit=unit)


@np.errstate(all="ignore")
def kraft_sum(lengths: Any) -> float:
    """Sum of 2^-length: at most 1 exactly if there is a prefix code with these lengths.

    Arguments
        lengths  integers from 0 to 65536, or inf, shape (n,); lengths of words; in binary digits

    Returns
        float, at least 0; 1 if no word can be added to the code

    Raises
        DomainError  a length below 0, above 65536 or between two integers

    Example
        >>> kraft_sum([1, 2, 3, 3]), kraft_sum([1, 1, 2])
        (1.0, 1.25)

    Source       Kraft 1949; McMillan 1956, doi:10.1109/TIT.1956.1056818
    """
    return float(_kraft(_read_lengths("kraft_sum", lengths)))


@dataclass(frozen=True)
class PrefixCode:
    """A word of 0s and 1s for each outcome, by its index; None for an outcome that never occurs.

    Example
        >>> code = huffman_code([0.5, 0.25, 0.25])
        >>> code.encode([0, 2, 1])
        '01110'
        >>> code.decode("01110")
        [0, 2, 1]
    """

    words: tuple[str | None, ...]

    @property
    def lengths(self) -> tuple[float, ...]:
        """Lengths of the words; inf for an outcome without one."""
        return tuple(math.inf if word is None else len(word) for word in self.words)

    def encode(self, outcomes: Iterable[int]) -> str:
        """The words of a sequence of outcomes, joined."""
        return "".join(self._word(outcome) for outcome in outcomes)

    def decode(self, bits: str) -> list[int]:
        """The outcomes behind joined words: no word begins another, so there is one way to cut."""
        outcome_of = {word: i for i, word in enumerate(self.words) if word}
        outcomes, word = [], ""
        for bit in bits:
            word += bit
            if word in outcome_of:
                outcomes.append(outcome_of[word])
                word = ""
        if word:
            raise DomainError(
                f"PrefixCode.decode: bits must be whole words of the code, got {word!r} left over "
                f"at the end (after {len(outcomes)} words); decode what encode returned"
            )
        return outcomes

    def _word(self, outcome: int) -> str:
        word = self.words[outcome] if 0 <= outcome < len(self.words) else None
        if word is None:
            raise DomainError(
                f"PrefixCode.encode: outcomes must have a word, got {outcome!r}; make the code "
                f"from probabilities above 0 there (it has {len(self.words)} outcomes)"
            )
        return word

    def __str__(self) -> str:
        texts = ("(none)" if word is None else word or "(empty)" for word in self.words)
        return ", ".join(f"{i}: {text}" for i, text in enumerate(texts))


@np.errstate(all="ignore")
def huffman_code(probabilities: Any) -> PrefixCode:
    """A prefix code of the least expected length for these probabilities.

    Ties are broken towards the outcome with the smaller index, so the code is reproducible. An
    outcome of probability 0 gets no word; a certain outcome gets the empty word.

    Arguments
        probabilities  numbers in [0, 1] that sum to 1, shape (n,); or a Distribution

    Returns
        PrefixCode

    Raises
        as ``entropy``

    Example
        >>> print(huffman_code([0.5, 0.25, 0.125, 0.125]))
        0: 0, 1: 10, 2: 110, 3: 111

    Source       Huffman 1952, doi:10.1109/JRPROC.1952.273898
    """
    shares = _one_distribution("huffman_code", probabilities).value[0]
    order = count(len(shares))
    # Exact sums: which two trees are lightest must not depend on the order of rounding.
    heap: list[tuple[Fraction, int, Any]]
    heap = [(Fraction(p), i, i) for i, p in enumerate(shares.tolist()) if p > 0]
    heapq.heapify(heap)
    while len(heap) > 1:
        light, _, first = heapq.heappop(heap)
        heavy, _, second = heapq.heappop(heap)
        heapq.heappush(heap, (light + heavy, next(order), (first, second)))
    return PrefixCode(_words(heap[0][2], len(shares)))


def _words(tree: Any, size: int) -> tuple[str | None, ...]:
    depth: dict[int, int] = {}
    pending = [(tree, 0)]
    while pending:
        node, level = pending.pop()
        if isinstance(node, tuple):
            pending += [(child, level + 1) for child in node]
        else:
            depth[node] = level
    # Canonical words: by length and then by index, each is the last one plus one (Schwartz 1964).
    words: list[str | None] = [None] * size
    word, last = 0, 0
    for level, outcome in sorted((level, outcome) for outcome, level in depth.items()):
        word <<= level - last
        words[outcome] = format(word, f"0{level}b") if level else ""
        word, last = word + 1, level
    return tuple(words)


def _given_length(probabilities: Any, lengths: Any, unit: str | float) -> float:
    target = unit_of(unit, function="code_length")
    masses = _one_distribution("code_length", probabilities)
    read = _read_lengths("code_length", lengths)
    if len(read) != len(masses.shares):
        raise ShapeError(
            f"code_length: lengths must be one for each of the {len(masses.shares)} probabilities, "
            f"got {len(read)}; give inf to an outcome without a word"
        )
    kraft = _kraft(read)
    if kraft > 1:
        raise DomainError(
            f"code_length: lengths must have a Kraft sum of at most 1, got {float(kraft):g}: no "
            "prefix code has words this short; lengthen some, or take huffman_code(p).lengths"
        )
    terms = [p * n if p else 0.0 for p, n in zip(masses.shares.tolist(), read, strict=True)]
    return convert(row_sum(np.array(terms))[0], "bits", target.base)


def _kraft(lengths: Sequence[float]) -> Fraction:
    return sum((Fraction(1, 2 ** int(n)) for n in lengths if n < math.inf), Fraction(0))


def _read_lengths(function: str, lengths: Any) -> list[float]:
    array, _ = numbers(function, "lengths", lengths)
    if array.ndim != 1:
        raise ShapeError(
            f"{function}: lengths must have one axis, got shape {array.shape}; pass a flat list"
        )
    for i, length in enumerate(array.tolist()):
        if length != math.inf and not (0 <= length <= LONGEST and length == int(length)):
            raise DomainError(
                f"{function}: lengths must be integers from 0 to {LONGEST}, or inf, got {length:g} "
                f"at index {i}; round an ideal length -log2(p) up"
            )
    return array.tolist()


def _one_distribution(function: str, probabilities: Any) -> Masses:
    array, _ = numbers(function, "probabilities", plain(probabilities))
    if array.ndim != 1:
        raise ShapeError(
            f"{function}: probabilities must have one axis, got shape {array.shape}; for two "
            "outcomes pass [p, 1 - p], for several distributions call it once for each"
        )
    return masses_of(function, "probabilities", plain(probabilities))
