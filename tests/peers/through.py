"""What a loss takes, computed from what a peer takes: as one does it in PyTorch, and exactly.

Each has the call here (``ours``), the rows that the loss is taken of with all their digits
(``rows``), and the chain rule from their slopes back to the data (``back``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch

import lossary as L
from lossary.accuracy.exact import context

BITS = 200  # of intermediate results: three times what a float64 shows

Rows = list[list[Any]]
Data = Mapping[str, Any]


class Through(NamedTuple):
    """A way from the data to what a loss takes."""

    call: Callable[[str, Data, list[str]], str]
    ours: Callable[[Any, dict[str, torch.Tensor], dict[str, Any]], Any]
    rows: Callable[[Any, Data], tuple[str, list[dict[str, Any]]]]
    back: Callable[[Data, list[Any]], Rows]


def _matrix(x: Any) -> Rows:
    return [[context().mpf(v) for v in row] for row in x]


def _named(loss: Any, first: Rows, data: Data) -> tuple[str, list[dict[str, Any]]]:
    """Return the argument that is computed, and the rows with it and the other data."""
    names, others = [a.name for a in loss.inputs], list(data.values())[1:]
    rows = zip(first, *others, strict=True)
    return names[0], [dict(zip(names, row, strict=True)) for row in rows]


def _changed(change: Callable[[Any], Any], written: str) -> tuple[Any, Any]:
    """Return the call here and its words, for a loss of what the first array is changed to."""

    def ours(loss: Any, data: dict[str, torch.Tensor], options: dict[str, Any]) -> Any:
        first, *others = data.values()
        return loss(change(first), *others, **options)

    def call(loss: str, data: Data, words: list[str]) -> str:
        first, *others = data
        return f"L.{loss}({', '.join([written.format(first), *others, *words])})"

    return call, ours


# --------------------------------------- softmax over the classes, a row of positions for each


def _softmax(logits: Any) -> Rows:
    m = context()
    with m.workprec(BITS):
        grown = [[m.exp(v) for v in row] for row in _matrix(logits)]
        sums = [m.fsum(column) for column in zip(*grown, strict=True)]
        return [[v / s for v, s in zip(row, sums, strict=True)] for row in grown]


def _softmax_back(data: Data, slopes: list[Any]) -> Rows:
    m = context()
    with m.workprec(BITS):
        p = _softmax(next(iter(data.values())))
        means = [
            m.fsum(a * b for a, b in zip(c, d, strict=True))
            for c, d in zip(zip(*p, strict=True), zip(*slopes, strict=True), strict=True)
        ]
        return [
            [v * (s - mean) for v, s, mean in zip(row, slope, means, strict=True)]
            for row, slope in zip(p, slopes, strict=True)
        ]


# ------------------------------------------------------------------------- vectors of length 1


def _unit(vectors: Any) -> Rows:
    m = context()
    with m.workprec(BITS):
        rows = _matrix(vectors)
        lengths = [m.sqrt(m.fsum(v * v for v in row)) for row in rows]
        return [[v / n for v in row] for row, n in zip(rows, lengths, strict=True)]


def _unit_back(data: Data, slopes: list[Any]) -> Rows:
    m = context()
    with m.workprec(BITS):
        rows = _matrix(next(iter(data.values())))
        found = []
        for row, unit, slope in zip(rows, _unit(rows), slopes, strict=True):
            length = m.sqrt(m.fsum(v * v for v in row))
            along = m.fsum(a * b for a, b in zip(unit, slope, strict=True))
            found.append([(s - along * u) / length for u, s in zip(unit, slope, strict=True)])
        return found


# ------------------------------------------------------------ cosines of all pairs of a batch


def _cosines(vectors: Any) -> Rows:
    m = context()
    with m.workprec(BITS):
        units = _unit(vectors)
        return [[m.fsum(a * b for a, b in zip(x, y, strict=True)) for y in units] for x in units]


def _cosine_rows(loss: Any, data: Data) -> tuple[str, list[dict[str, Any]]]:
    vectors, labels = data.values()
    places = range(len(labels))
    roles = [[0 if i == j else 1 if labels[i] == labels[j] else -1 for j in places] for i in places]
    return _named(loss, _cosines(vectors), {"vectors": vectors, "roles": roles})


def _cosines_back(data: Data, slopes: list[Any]) -> Rows:
    m = context()
    with m.workprec(BITS):
        units, n = _unit(next(iter(data.values()))), range(len(slopes))
        width = range(len(units[0]))
        inner = [
            [m.fsum((slopes[i][j] + slopes[j][i]) * units[j][d] for j in n) for d in width]
            for i in n
        ]
        return _unit_back(data, inner)


def _cosines_ours(loss: Any, data: dict[str, torch.Tensor], options: dict[str, Any]) -> Any:
    vectors, label = data.values()
    return L.pairs.value(loss, torch.nn.functional.normalize(vectors), label=label, **options)


def _cosines_call(loss: str, data: Data, words: list[str]) -> str:
    vectors, label = data
    inner = ", ".join([f"L.{loss}", f"normalize({vectors})", f"label={label}", *words])
    return f"L.pairs.value({inner})"


THROUGH = {
    "softmax": Through(
        *_changed(lambda x: x.softmax(0), "{}.softmax(0)"),
        lambda loss, data: _named(loss, _softmax(next(iter(data.values()))), data),
        _softmax_back,
    ),
    "normalize": Through(
        *_changed(torch.nn.functional.normalize, "normalize({})"),
        lambda loss, data: _named(loss, _unit(next(iter(data.values()))), data),
        _unit_back,
    ),
    "cosines": Through(_cosines_call, _cosines_ours, _cosine_rows, _cosines_back),
}
"""By the word in the files: softmax over the first axis, rows of length 1, cosines of all pairs."""
