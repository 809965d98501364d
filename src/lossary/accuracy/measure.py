"""Measure every loss on every library against the truth, beside the peers installed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain, product
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np

import lossary
from lossary.accuracy import arrays
from lossary.accuracy.bars import bar, words
from lossary.accuracy.peers import Peer, peers_of
from lossary.accuracy.samples import CANCELLING, RANGE, SUBNORMAL, Batch, settings
from lossary.accuracy.table import Error, Row, Table
from lossary.accuracy.truth import Truth, measured, subnormal, truths, ulps_of
from lossary.accuracy.ulps import FORMATS

DTYPES = ("float64", "float32")
SIZE = 400
ENGINES = ("array", "fused")
TASKS = 24
"""How many losses and types one process of several measures."""
KERNELS_FOR = ("numpy", "torch")
"""The libraries whose arrays a CPU kernel reads."""

Progress = Callable[[int, int, str], None]


def measure(
    names: Sequence[str] | None = None,
    libraries: Sequence[str] | None = None,
    dtypes: Sequence[str] = DTYPES,
    progress: Progress | None = None,
    size: int = SIZE,
    seed: int = 0,
    engines: Sequence[str] = ("array",),
    processes: int = 1,
) -> Table:
    """Return how far values and gradients are from the truth, in units of the last place.

    ``names`` are losses (all by default), ``libraries`` among numpy, torch, jax and tensorflow (all
    that are installed), ``dtypes`` among float64, float32, float16 and bfloat16, ``size`` about the
    numbers per loss, ``progress`` is called with (done, total, what). ``engines`` are array (the
    library's own operations) and fused (the kernels, for arrays of numpy and torch). ``processes``
    share the losses among them. The truth is mpmath's, with as many digits as it takes; needs the
    extra ``accuracy``.

    Raises ValueError for an unknown library, dtype or engine, or for no process, KeyError for an
    unknown loss.

    >>> table = measure(["huber"], ["numpy"], ["float32"], size=50)
    >>> [row.met for row in table.rows if row.peer is None]
    [True]
    """
    work = planned(names, libraries, dtypes, engines, size, seed)
    return Table(tuple(chain.from_iterable(measured_each(work, progress, processes))), size, seed)


class Task(NamedTuple):
    """One loss in one type, on some libraries, by some engines."""

    loss: str
    dtype: str
    libraries: Sequence[str]
    engines: Sequence[str]
    size: int
    seed: int


def planned(
    names: Sequence[str] | None = None,
    libraries: Sequence[str] | None = None,
    dtypes: Sequence[str] = DTYPES,
    engines: Sequence[str] = ("array",),
    size: int = SIZE,
    seed: int = 0,
) -> list[Task]:
    """Return what there is to measure, each loss in each type; :func:`measure` has the words."""
    losses = [lossary.find(name) for name in names or lossary.catalogue]
    chosen = _known("library", libraries or arrays.available(), arrays.LIBRARIES)
    kinds = _known("dtype", dtypes or DTYPES, tuple(FORMATS))
    ways = _known("engine", engines, ENGINES)
    if "fused" in ways:
        _need_numba()
    return [Task(loss.name, dtype, chosen, ways, size, seed) for loss in losses for dtype in kinds]


def measured_each(
    work: Sequence[Task], progress: Progress | None = None, processes: int = 1
) -> Iterator[list[Row]]:
    """Yield the rows of one piece of work after the other."""
    if processes < 1:
        raise ValueError(f"processes must be at least 1, got {processes}")
    with _shared(processes) as each:
        yield from _told(each(_measured, work), work, progress)


@contextmanager
def _shared(processes: int) -> Iterator[Callable[..., Iterator[list[Row]]]]:
    """A ``map`` over this many processes, whose results come in order."""
    if processes == 1:
        yield map
        return
    # A framework that has started its threads does not survive a fork. JAX keeps all programs that
    # it has compiled, 7 GB of them for the catalogue, so a process ends after some losses.
    with get_context("spawn").Pool(processes, maxtasksperchild=TASKS) as pool:
        yield pool.imap


def _told(
    results: Iterator[list[Row]], work: Sequence[Task], progress: Progress | None
) -> Iterator[list[Row]]:
    """The same results, while ``progress`` is told what is awaited."""
    tell = progress or (lambda *_: None)
    for done, item in enumerate(work):
        tell(done, len(work), f"{item.loss} {item.dtype}")
        yield next(results)
    tell(len(work), len(work), "")


def _measured(work: Task) -> list[Row]:
    loss = lossary.find(work.loss)
    truth = truths(loss, work.dtype, work.size, work.seed)
    return list(_rows(loss, work.libraries, work.dtype, truth, work.engines))


def _known(what: str, given: Sequence[str], allowed: Sequence[str]) -> tuple[str, ...]:
    for name in given:
        if name not in allowed:
            raise ValueError(f"no {what} is called {name!r}; choose from {', '.join(allowed)}")
    return tuple(given)


def _need_numba() -> None:
    if not find_spec("numba"):
        raise lossary.MissingExtraError("cpu", "the fused engine")


def _rows(
    loss: Any, libraries: Sequence[str], dtype: str, truth: Sequence[Truth], engines: Sequence[str]
) -> Iterator[Row]:
    for library, engine in product(libraries, engines):
        if dtype == "bfloat16" and library == "numpy" and engine == "array":
            continue
        if engine == "fused" and library not in KERNELS_FOR:
            continue
        parts = errors(loss, library, dtype, truth, engine)
        bars = words(loss, dtype)
        yield Row(loss.name, library, None, dtype, bars, *_summary(parts), engine=engine)
    for peer in peers_of(loss.name):
        if peer.library in libraries and dtype in DTYPES:
            supported = [t for t in truth if peer.takes(loss, t.batch, settings(loss)[0])]
            parts = _peer_errors(loss, peer, dtype, supported)
            yield Row(loss.name, peer.library, peer.name, dtype, "", *_summary(parts))


@dataclass(frozen=True)
class Part:
    """The errors of some entries that share what was computed, their kind and their bar."""

    what: str
    kind: str
    bar: float
    errors: np.ndarray


def _parts(
    batch: Batch, what: str, limit: float, found: np.ndarray, truth: list[Any], dtype: str
) -> Iterator[Part]:
    """Sort entries by kind: one with a subnormal truth is subnormal, whatever its inputs."""
    small = subnormal(truth, dtype) | (batch.kind == SUBNORMAL)
    known = ~np.isnan(found)
    yield Part(what, batch.kind, limit, found[known & ~small])
    yield Part(what, SUBNORMAL, limit, found[known & small])


def _summary(parts: Sequence[Part]) -> tuple[dict[str, Error], tuple[str, ...]]:
    """Return the errors by what and kind, and which of them miss their bar."""
    found: dict[str, Error] = {}
    missed: list[str] = []
    for kind in (RANGE, CANCELLING, SUBNORMAL):
        for what in ("value", "gradient"):
            chosen = [p for p in parts if (p.what, p.kind) == (what, kind)]
            entries = np.concatenate([p.errors for p in chosen]) if chosen else np.empty(0)
            if not entries.size:
                continue
            worst, share = float(entries.max()), float((entries > 4).mean())
            found[f"{what} {kind}"] = Error(worst, share, entries.size)
            if any((p.errors > p.bar).any() for p in chosen):
                missed.append(f"{what} {kind}")
    return found, tuple(missed)


def errors(
    loss: Any, library: str, dtype: str, truth: Sequence[Truth], engine: str = "array"
) -> list[Part]:
    """Return the errors of values and gradients of a loss on a library, by one of the engines.

    What no kernel computes is left out of the fused engine's errors.
    """
    found: list[Part] = []
    # Half precision gives values in float32, and gradients in its own type.
    result = dtype if dtype in DTYPES else "float32"
    compute = _computing(loss, library, engine)
    with lossary.using(engine=engine):
        for t in truth:
            if engine == "fused" and not _has_kernel(loss, t.batch):
                continue
            limit = bar(loss, dtype, t.batch.parameters)
            values = _compare(t, lambda b: compute(b, None), t.values, result)
            found += _parts(t.batch, "value", limit, values, t.values, result)
            for name in measured(loss):
                slopes = t.gradients[name]
                mine = _compare(t, lambda b, n=name: compute(b, n), slopes, dtype)
                found += _parts(t.batch, "gradient", limit, mine, slopes, dtype)
    return found


def _computing(loss: Any, library: str, engine: str) -> Callable[[Batch, str | None], np.ndarray]:
    """Return a function that computes the values of a batch, or its gradient by a name."""

    def separately(batch: Batch, name: str | None) -> np.ndarray:
        if name is None:
            return values_of(loss, library, batch)
        return gradient_of(loss, library, batch, name)

    known: dict[int, dict[str | None, np.ndarray]] = {}
    names = measured(loss)

    def together(batch: Batch, name: str | None) -> np.ndarray:
        """Take all from one kernel, the same for both libraries: compiling it is the work."""
        if id(batch) not in known:

            def call(*xs: Any) -> list[Any]:
                options = {"reduction": "none", **batch.parameters}
                value, gradients = loss.value_and_gradient(*xs, wrt=names, **options)
                return [value, *gradients]

            found = arrays.values(library, call, list(batch.arrays.values()))
            known[id(batch)] = dict(zip((None, *names), found, strict=True))
        return known[id(batch)][name]

    return together if engine == "fused" else separately


def _has_kernel(loss: Any, batch: Batch) -> bool:
    return "a fused kernel" in loss.explain(*batch.arrays.values(), **batch.parameters)


def _compare(t: Truth, compute: Callable[[Batch], Any], truth: list[Any], dtype: str) -> np.ndarray:
    """Return errors; a library that flushes inputs to zero may refuse them as outside the set."""
    try:
        return ulps_of(compute(t.batch), truth, dtype)
    except lossary.DomainError:
        if t.batch.kind != SUBNORMAL:
            raise
        return np.full(len(subnormal(truth, dtype)), np.inf)


def values_of(loss: Any, library: str, batch: Batch) -> np.ndarray:
    """Return the loss of each element or row of a batch."""

    def call(*xs: Any) -> Any:
        return loss(*xs, reduction="none", **batch.parameters)

    return arrays.value(library, call, list(batch.arrays.values()))


def gradient_of(loss: Any, library: str, batch: Batch, name: str) -> np.ndarray:
    """Return the gradient of the sum of a batch with respect to an argument."""
    options = {"reduction": "sum", **batch.parameters}
    xs = list(batch.arrays.values())
    if library == "numpy":
        return loss.gradient(*xs, wrt=name, **options)
    place = list(batch.arrays).index(name)
    return arrays.gradient(library, lambda *x: loss(*x, **options), xs, place)


def _peer_errors(loss: Any, peer: Peer, dtype: str, truth: Sequence[Truth]) -> list[Part]:
    found: list[Part] = []
    for t in truth:
        limit = bar(loss, dtype, t.batch.parameters)
        xs = list(t.batch.arrays.values())
        call = peer.bound(tuple(t.batch.arrays), t.batch.parameters, peer.call)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # a peer's remarks on its own inputs
            values = ulps_of(arrays.value(peer.library, call, xs), t.values, dtype)
            found += _parts(t.batch, "value", limit, values, t.values, dtype)
            for name in measured(loss):
                gradient = _peer_gradient(peer, t.batch, name)
                if gradient is not None:
                    slopes = ulps_of(gradient, t.gradients[name], dtype)
                    found += _parts(t.batch, "gradient", limit, slopes, t.gradients[name], dtype)
    return found


def _peer_gradient(peer: Peer, batch: Batch, name: str) -> np.ndarray | None:
    names, xs = tuple(batch.arrays), list(batch.arrays.values())
    call = peer.bound(names, batch.parameters, peer.slope or peer.call)
    if peer.slope:
        return arrays.value(peer.library, call, xs)
    if peer.library == "numpy":
        return None
    return arrays.gradient(peer.library, call, xs, names.index(name))
