"""Measure every loss on every library against the truth, beside the peers installed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import lossary
from lossary.accuracy import arrays
from lossary.accuracy.bars import bar, words
from lossary.accuracy.peers import Peer, peers_of
from lossary.accuracy.samples import CANCELLING, RANGE, Batch, settings
from lossary.accuracy.table import Error, Row, Table
from lossary.accuracy.truth import Truth, measured, truths, ulps_of
from lossary.accuracy.ulps import FORMATS

__all__ = ["errors", "measure"]

DTYPES = ("float64", "float32")
SIZE = 400

Progress = Callable[[int, int, str], None]


def measure(
    names: Sequence[str] | None = None,
    libraries: Sequence[str] | None = None,
    dtypes: Sequence[str] = DTYPES,
    progress: Progress | None = None,
    size: int = SIZE,
    seed: int = 0,
) -> Table:
    """Return how far values and gradients are from the truth, in units of the last place.

    ``names`` are losses (all by default), ``libraries`` among numpy, torch, jax and tensorflow (all
    that are installed), ``dtypes`` among float64, float32, float16 and bfloat16, ``size`` about the
    numbers per loss, ``progress`` is called with (done, total, what). The truth is mpmath's, with
    as many digits as it takes; needs the extra ``accuracy``.

    Raises ValueError for an unknown library or dtype, KeyError for an unknown loss.

    >>> table = measure(["huber"], ["numpy"], ["float32"], size=50)
    >>> [row.met for row in table.rows if row.peer is None]
    [True]
    """
    losses = [lossary.find(name) for name in names or lossary.catalogue]
    chosen = _known("library", libraries or arrays.available(), arrays.LIBRARIES)
    kinds = _known("dtype", dtypes or DTYPES, tuple(FORMATS))
    work = [(loss, dtype) for loss in losses for dtype in kinds]
    rows: list[Row] = []
    for done, (loss, dtype) in enumerate(work):
        if progress:
            progress(done, len(work), f"{loss.name} {dtype}")
        truth = truths(loss, dtype, size, seed)
        rows += _rows(loss, chosen, dtype, truth)
    if progress:
        progress(len(work), len(work), "")
    return Table(tuple(rows), size, seed)


def _known(what: str, given: Sequence[str], allowed: Sequence[str]) -> tuple[str, ...]:
    for name in given:
        if name not in allowed:
            raise ValueError(f"no {what} is called {name!r}; choose from {', '.join(allowed)}")
    return tuple(given)


def _rows(loss: Any, libraries: Sequence[str], dtype: str, truth: Sequence[Truth]) -> Iterator[Row]:
    for library in libraries:
        if dtype == "bfloat16" and library == "numpy":
            continue
        found = errors(loss, library, dtype, truth)
        bars = [bar(loss, dtype, t.batch.parameters) for t in truth]
        yield Row(loss.name, library, None, dtype, words(loss, dtype), *_summary(found, bars))
    for peer in peers_of(loss.name):
        if peer.library in libraries and dtype in DTYPES:
            supported = [t for t in truth if peer.takes(loss, t.batch, settings(loss)[0])]
            found = _peer_errors(loss, peer, dtype, supported)
            bars = [bar(loss, dtype, t.batch.parameters) for t in supported]
            yield Row(loss.name, peer.library, peer.name, dtype, "", *_summary(found, bars))


Found = list[tuple[str, dict[str, np.ndarray]]]


def _summary(found: Found, bars: list[float]) -> tuple[dict[str, Error], bool, int]:
    """Return the errors of each kind, whether all are within their bars, and the points."""
    result: dict[str, Error] = {}
    for kind in (RANGE, CANCELLING):
        for what in ("value", "gradient"):
            parts = [errors[what] for k, errors in found if k == kind and what in errors]
            entries = np.concatenate(parts) if parts else np.empty(0)
            entries = entries[~np.isnan(entries)]
            if entries.size:
                worst, share = float(entries.max()), float((entries > 4).mean())
                result[f"{what} {kind}"] = Error(worst, share, entries.size)
    met = all(
        not np.any(entries > limit)
        for (_, errors), limit in zip(found, bars, strict=True)
        for entries in errors.values()
    )
    return result, met, sum(len(errors["value"]) for _, errors in found)


def errors(loss: Any, library: str, dtype: str, truth: Sequence[Truth]) -> Found:
    """Return for each batch its kind, and the errors of its values and of its gradients."""
    found: Found = []
    # Half precision gives values in float32, and gradients in its own type.
    result = dtype if dtype in DTYPES else "float32"
    for t in truth:
        values = ulps_of(_values(loss, library, t.batch), t.values, result)
        slopes = [
            ulps_of(_gradient(loss, library, t.batch, name), t.gradients[name], dtype)
            for name in measured(loss)
        ]
        found.append((t.batch.kind, {"value": values, "gradient": np.concatenate(slopes)}))
    return found


def _values(loss: Any, library: str, batch: Batch) -> np.ndarray:
    def call(*xs: Any) -> Any:
        return loss(*xs, reduction="none", **batch.parameters)

    return arrays.value(library, call, list(batch.arrays.values()))


def _gradient(loss: Any, library: str, batch: Batch, name: str) -> np.ndarray:
    options = {"reduction": "sum", **batch.parameters}
    xs = list(batch.arrays.values())
    if library == "numpy":
        return loss.gradient(*xs, wrt=name, **options)
    place = list(batch.arrays).index(name)
    return arrays.gradient(library, lambda *x: loss(*x, **options), xs, place)


def _peer_errors(loss: Any, peer: Peer, dtype: str, truth: Sequence[Truth]) -> Found:
    found: Found = []
    for t in truth:
        xs = list(t.batch.arrays.values())
        call = peer.bound(tuple(t.batch.arrays), t.batch.parameters, peer.call)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # a peer's remarks on its own inputs
            parts = {"value": ulps_of(arrays.value(peer.library, call, xs), t.values, dtype)}
            slopes = [
                ulps_of(gradient, t.gradients[name], dtype)
                for name in measured(loss)
                if (gradient := _peer_gradient(peer, t.batch, name)) is not None
            ]
        if slopes:
            parts["gradient"] = np.concatenate(slopes)
        found.append((t.batch.kind, parts))
    return found


def _peer_gradient(peer: Peer, batch: Batch, name: str) -> np.ndarray | None:
    names, xs = tuple(batch.arrays), list(batch.arrays.values())
    call = peer.bound(names, batch.parameters, peer.slope or peer.call)
    if peer.slope:
        return arrays.value(peer.library, call, xs)
    if peer.library == "numpy":
        return None
    return arrays.gradient(peer.library, call, xs, names.index(name))
