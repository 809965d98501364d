"""Put lossary's losses in a framework's own places, for code that is not to be touched.

A framework's function is exchanged by a stand-in wherever a module holds it: in the framework, and
in every module that imported it by name. The framework's classes stay the objects they are and come
to call the stand-ins, so that ``isinstance``, subclasses, pickles, saved configurations, and
criteria made before the patch keep working. Undoing puts the functions back, also where they were
imported in between; a stand-in that something still holds then calls the framework's own function.

Who waits for a call of the framework's function, such as a tracer, gets it with the stand-in as
the function; ``torch.compile`` treats stand-ins as it treats what they stand for, and keeps what it
compiles under keys of their own; processes started by multiprocessing are patched as well.

Out of reach are functions kept anywhere but in a module (a closure, ``functools.partial``) before
the patch, and operators below the functions (``torch.ops``, ``torch.kl_div``). TorchScript compiles
PyTorch's own functions still. What jax or TensorFlow compiled before or during a patch stays as it
was compiled; ``torch.compile`` looks whether a function has changed. A stand-in that an object
holds beyond the end of the patch works, but can no longer be pickled.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from lossary.errors import MissingExtraError
from lossary.patching import compiled, processes
from lossary.patching.frameworks import FRAMEWORKS, Framework
from lossary.tables import Column, Table

__all__ = ["Replacement", "Report", "patch", "patched"]

Function = Callable[..., Any]


class Replacement(NamedTuple):
    """One of the framework's names, what stands for it, and how many names led to it."""

    name: str
    by: str
    places: tuple[str, ...]


@dataclass(eq=False)
class Report:
    """What a patch replaced; ``undo()`` ends it."""

    framework: str
    version: str
    functions: list[Replacement] = field(default_factory=list)
    classes: list[Replacement] = field(default_factory=list)
    kept: tuple[str, ...] = ()
    active: bool = False
    pairs: list[tuple[Function, Function]] = field(default_factory=list)
    """The framework's functions, each with its stand-in."""
    restore: list[Callable[[], None]] = field(default_factory=list)
    """What else is to be done at the end."""
    blocks: int = 0
    """How many blocks are inside, in all threads."""
    lasting: bool = False
    """Whether the patch outlives them."""

    def undo(self) -> None:
        """Give every name back to the framework; a second call does nothing."""
        with _lock:
            if not self.active:
                return
            self.active = False
            back = [(new, old) for old, new in self.pairs]
            _exchange(back, FRAMEWORKS[self.framework])
            if FRAMEWORKS[self.framework].compiles:
                compiled.exchange_rules(back)
            while self.restore:
                self.restore.pop()()
            if _active.get(self.framework) is self:
                del _active[self.framework]

    def __repr__(self) -> str:
        names = sum(len(row.places) for row in self.functions)
        state = "active" if self.active else "undone"
        return (
            f"<lossary in {self.framework} {self.version}: {len(self.functions)} functions, "
            f"{names} names, {len(self.classes)} classes, {state}>"
        )

    def __str__(self) -> str:
        rows = [f"{row.name} -> {row.by}" for row in (*self.functions, *self.classes)]
        return "\n".join([repr(self), *rows])

    def __rich__(self) -> Any:
        """Return the table that :func:`patch` prints."""
        kept = f"left as they are: {', '.join(self.kept)}; " if self.kept else ""
        columns = [Column(head) for head in ("function, now lossary's", "names", "called by")]
        rows = []
        for row in self.functions:
            users = [c.name.rpartition(".")[2] for c in self.classes if c.by == row.by]
            rows.append((row.name, len(row.places), ", ".join(users)))
        return Table(columns, rows, repr(self)[1:-1], f"{kept}report.undo() gives all back")


_lock = threading.RLock()
_active: dict[str, Report] = {}


def patch(framework: str, *, quiet: bool = False) -> Report:
    """Replace a framework's own loss functions by lossary's, until ``undo()`` of the report.

    ``framework`` is "torch", "keras", "tensorflow" (``tf.nn``), "optax" or "sklearn". Classes call
    what was replaced, and so do scikit-learn's scorers. A table of all of it goes to the standard
    error stream unless ``quiet``. Patching twice changes nothing and returns the same report.

    Raises ValueError for another framework and MissingExtraError for one that is not installed.

    >>> import torch
    >>> report = patch("torch", quiet=True)
    >>> torch.nn.CrossEntropyLoss()(torch.tensor([[17.0, 0.0]]), torch.tensor([0]))
    tensor(4.1399e-08)
    >>> report.undo()
    >>> torch.nn.CrossEntropyLoss()(torch.tensor([[17.0, 0.0]]), torch.tensor([0]))
    tensor(0.)
    """
    with _lock:
        report = _enter(framework, quiet)
        report.lasting = True
    return report


@contextmanager
def patched(framework: str, *, quiet: bool = False) -> Iterator[Report]:
    """Replace a framework's own loss functions within a block, as :func:`patch` does.

    The last block to end undoes it, in whatever thread it is; a :func:`patch` outlives them.

    >>> import torch
    >>> with patched("torch", quiet=True) as report:
    ...     torch.nn.functional.cross_entropy(torch.tensor([[17.0, 0.0]]), torch.tensor([0]))
    tensor(4.1399e-08)
    >>> report.active
    False
    """
    with _lock:
        report = _enter(framework, quiet)
        report.blocks += 1
    try:
        yield report
    finally:
        with _lock:
            report.blocks -= 1
            if not report.blocks and not report.lasting:
                report.undo()


def _enter(framework: str, quiet: bool) -> Report:
    """Return the active report; print it."""
    report = _active.get(framework)
    if report is None:
        report = _active[framework] = _install(framework)
        processes.hand_on(processes.Patches(_active, _patch_again))
    if not quiet:
        from rich.console import Console

        Console(stderr=True).print(report)
    return report


def _patch_again(*frameworks: str) -> processes.Patches:
    """Do in this process what was done in its parent; return what its own children get."""
    for framework in frameworks:
        try:
            patch(framework, quiet=True)
        except Exception as error:  # noqa: BLE001  (the process has other work as well)
            warnings.warn(
                f"lossary: {framework} is patched in the parent process and could not be here, "
                f"where its own losses compute: {type(error).__name__}: {error}",
                stacklevel=2,
            )
    return processes.Patches(_active, _patch_again)


def _install(framework: str) -> Report:
    if framework not in FRAMEWORKS:
        raise ValueError(
            f"patch: framework must be one of {', '.join(map(repr, FRAMEWORKS))}, "
            f"got {framework!r}\nhint: arrays of any library can be given to lossary's own losses"
        )
    known = FRAMEWORKS[framework]
    try:
        package = importlib.import_module(known.package)
        peers, door = (importlib.import_module(name) for name in (known.module, known.door))
    except ImportError as error:
        raise MissingExtraError(framework, f"patching {framework}") from error
    report = Report(framework, package.__version__, kept=known.kept, active=True)
    names = [name for name in known.functions(door) if hasattr(peers, name)]
    if delegated := tuple(name for name in names if _is_the_frameworks(getattr(door, name))):
        report.kept += delegated
        names = [name for name in names if name not in delegated]
    awaited = known.watching()
    for name in names:
        original = getattr(peers, name)
        report.pairs.append((original, _stand_in(original, getattr(door, name), report, awaited)))
    try:
        places = _exchange(report.pairs, known)
        if known.compiles:
            compiled.exchange_rules(report.pairs)
            report.restore.append(compiled.mark_keys())
        if known.wrapper:
            _exchange_calls(getattr(peers, known.wrapper), report)
    except BaseException:
        report.undo()
        raise
    for name, (original, _) in zip(names, report.pairs, strict=True):
        by = f"{known.door}.{name}"
        found = Replacement(f"{known.public}.{name}", by, places[id(original)])
        report.functions.append(found)
    for name, function in known.classes(door):
        if function in names:
            report.classes.append(Replacement(name, f"{known.door}.{function}", (name,)))
    return report


def _is_the_frameworks(door: Function) -> bool:
    """Whether a door calls the framework's function of its own name, which would be itself."""
    return door.__name__ in inspect.unwrap(door).__code__.co_names


def _stand_in(
    original: Function, door: Function, report: Report, awaited: Callable[..., bool]
) -> Function:
    """Return the function that a framework's names are bound to, under the framework's own name.

    Where somebody waits for the call, the original announces it, and the stand-in is called by him.
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        if report.active and not awaited(*args, *kwargs.values()):
            return door(*args, **kwargs)
        return original(*args, **kwargs)

    if hasattr(original, "__globals__"):
        # TorchScript reads the text of the original, and looks its names up here.
        call = FunctionType(
            call.__code__, original.__globals__, original.__name__, None, call.__closure__
        )
    return wraps(original)(call)


def _exchange(
    pairs: Iterable[tuple[Function, Function]], known: Framework
) -> dict[int, tuple[str, ...]]:
    """Replace functions wherever a module, or a table in the framework, holds them.

    Returns for the ``id`` of each old function the names it was found under.
    """
    table = {id(old): new for old, new in pairs}
    found: dict[int, list[str]] = {key: [] for key in table}

    def visit(names: dict[Any, Any], owner: str) -> None:
        for name, value in list(names.items()):
            if id(value) in table:
                found[id(value)].append(f"{owner}.{name}")
                names[name] = table[id(value)]

    for module in {id(m): m for m in list(sys.modules.values())}.values():
        if not isinstance(module, ModuleType):
            continue
        owner = str(vars(module).get("__name__", ""))
        package = owner.partition(".")[0]
        # Classes that keep their functions get those of the framework: see _exchange_calls.
        if package == "lossary" or (known.wrapper and owner == known.module):
            continue
        for names in _namespaces(module):
            visit(names, owner)
        if package == known.package:
            for name, value in list(vars(module).items()):
                if type(value) is dict:
                    visit(value, f"{owner}.{name}")
    for holder in known.holders():
        visit(vars(holder), type(holder).__name__)
    return {key: tuple(names) for key, names in found.items()}


def _namespaces(module: ModuleType) -> Iterator[dict[Any, Any]]:
    """Yield the names of a module; a spawned process has those of its script twice.

    There, ``__mp_main__`` is a copy of the names that the script's own functions look up.
    """
    names = vars(module)
    yield names
    if names.get("__name__") == "__mp_main__":
        values = list(names.values())
        for kind in (x for x in list(values) if isinstance(x, type)):
            values += vars(kind).values()
        own = (x for x in values if isinstance(x, FunctionType) and x.__module__ == "__mp_main__")
        yield from {id(g): g for x in own if (g := x.__globals__) is not names}.values()


def _exchange_calls(wrapper: Any, report: Report) -> None:
    """Let a class that keeps its function call the stand-in of that function."""
    original = wrapper.call
    doors = dict(report.pairs)

    @wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not report.active or self.fn not in doors:
            return original(self, *args, **kwargs)
        # A twin, because the loss itself may be at work in another thread.
        twin = object.__new__(type(self))
        vars(twin).update(vars(self), fn=doors[self.fn])
        return original(twin, *args, **kwargs)

    def restore() -> None:
        if wrapper.call is call:
            wrapper.call = original

    wrapper.call = call
    report.restore.append(restore)
