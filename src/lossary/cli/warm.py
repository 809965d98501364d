"""``lossary warm``: compile kernels before they are needed, and keep their cache in order."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from lossary.cli.lab import progress
from lossary.cli.names import JSON, find
from lossary.cli.output import emit_json, page, say
from lossary.errors import LossaryError, MissingExtraError

if TYPE_CHECKING:
    from lossary.engine import Loss

DTYPES = ("float64", "float32", "float16", "bfloat16")

# Rows so long have kernels of their own, whose loops go along the classes or across the rows.
CLASSES = (3, 1000)


@click.command(short_help="Compile kernels ahead of time.")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option(
    "--dtype", "dtypes", multiple=True, type=click.Choice(DTYPES),
    help="Only for this type; repeat it for several. By default float64 and float32.",
)  # fmt: skip
@click.option("--hessian", is_flag=True, help="The second derivatives too.")
@click.option("--weight", is_flag=True, help="For calls with a weight or class_weight.")
@click.option("--mask", is_flag=True, help="For calls with a mask or ignore_index.")
@click.option("--jax", "for_jax", is_flag=True, help="For graphs of JAX, where XLA calls them.")
@click.option("--clear", is_flag=True, help="Remove the kernels of other versions, compile none.")
@JSON
def warm(
    names: tuple[str, ...],
    dtypes: tuple[str, ...],
    hessian: bool,
    weight: bool,
    mask: bool,
    for_jax: bool,
    clear: bool,
    as_json: bool,
) -> None:
    """Compile the kernels of value and gradient into the cache; without NAME, of every loss.

    A kernel is compiled when it is first needed, which takes about a second; from the cache it
    takes a fraction of that. The cache lies where the system keeps such things, or in the folder
    that LOSSARY_CACHE_DIR names.

    lossary warm huber cross_entropy
    lossary warm cross_entropy --dtype bfloat16 --mask
    lossary warm cross_entropy --dtype float32 --jax
    lossary warm mine.py:my_loss
    lossary warm --clear
    """
    if clear:
        if names or dtypes or hessian or weight or mask or for_jax:
            raise click.UsageError("--clear stands alone\nhint: warm after it, in a second command")
        _report(_cleared(_folder()), as_json)
        return
    if not find_spec("numba"):
        raise MissingExtraError("cpu", "a kernel")
    if for_jax and hessian:
        raise click.UsageError("--jax has no kernels of second derivatives")
    if for_jax and not find_spec("jax"):
        raise MissingExtraError("jax", "a graph of JAX")
    folder = _folder()
    losses = [find(name) for name in names] or _everything()
    work = list(_work(losses, dtypes or DTYPES[:2], hessian))
    before, start = _machine_code(folder), perf_counter()
    with progress("warm") as report_progress:
        for done, task in enumerate(work):
            report_progress(done, len(work), f"{task.loss.name} {task.dtype}")
            task.run(weight=weight, mask=mask, for_jax=for_jax)
    compiled = len(_machine_code(folder) - before)
    _report(
        {
            **_contents(folder),
            "compiled": compiled,
            "seconds": round(perf_counter() - start, 2),
            "losses": [loss.name for loss in losses],
        },
        as_json,
    )


def _everything() -> list[Loss]:
    import lossary

    return list(lossary.catalogue.values())


@dataclass(frozen=True)
class _Task:
    """One kernel to have ready: a method of a loss, for a type and a length of rows."""

    loss: Loss
    method: str
    dtype: str
    classes: int

    def run(self, *, weight: bool, mask: bool, for_jax: bool) -> None:
        """Compile the kernel by a call of two elements, or two rows."""
        import numpy as np

        import lossary

        options: dict[str, Any] = {
            a.name: _number(a.domain.inside) for a in self.loss.parameters if a.required
        }
        options |= {"weight": np.ones(2)} if weight else {}
        options |= {"mask": np.ones(2, bool)} if mask else {}
        arrays = [_array(a.domain, self.dtype, self.classes) for a in self.loss.inputs]
        with lossary.using(engine="fused"):
            if for_jax:
                self._trace(arrays, options)
            else:
                getattr(self.loss, self.method)(*arrays, **options)

    def _trace(self, arrays: list[Any], options: dict[str, Any]) -> None:
        """Make the graph of a call, which has its kernel compiled, and do not run it."""
        import jax

        with jax.enable_x64(self.dtype == "float64"):
            known = {
                n: x if isinstance(x, float) else jax.numpy.asarray(x) for n, x in options.items()
            }
            compute = partial(getattr(self.loss, self.method), **known)
            jax.jit(compute).lower(*map(jax.numpy.asarray, arrays))


def _work(losses: Sequence[Loss], dtypes: Sequence[str], hessian: bool) -> Iterator[_Task]:
    methods = ["__call__", "value_and_gradient", *(["hessian"] if hessian else [])]
    for loss in losses:
        if loss.without_kernel:
            continue
        for dtype in dtypes:
            for method in methods:
                for classes in _row_lengths(loss):
                    yield _Task(loss, method, dtype, classes)


def _row_lengths(loss: Any) -> tuple[int, ...]:
    """Return how long the rows are that kernels are compiled for; 0 stands for no rows."""
    if loss.entries:
        return (len(loss.entries),)
    return CLASSES if loss.class_axis else (0,)


def _number(inside: tuple[float, ...]) -> float:
    """Return a number for a hyper-parameter; 0, 1 and 2 would make a shorter text."""
    return next((x for x in inside if x not in {0, 1, 2}), inside[0])


def _array(domain: Any, dtype: str, classes: int) -> Any:
    import numpy as np

    shape = (2, classes) if domain.class_axis else (2,)
    if domain.integer:
        return np.zeros(shape, np.int64)
    number = domain.inside[0]
    if domain.mass:
        number = 1 / classes if domain.mass == "sum" else -np.log(classes)
    return np.full(shape, number).astype(_dtype(dtype))


def _dtype(name: str) -> Any:
    if name != "bfloat16":
        return name
    try:
        from ml_dtypes import bfloat16
    except ModuleNotFoundError as error:
        raise click.UsageError(
            "bfloat16 needs the package ml_dtypes\nhint: pip install ml_dtypes"
        ) from error
    return bfloat16


def _folder() -> Path:
    from lossary.kernels.modules import directory

    folder = directory()
    if folder is None:
        raise LossaryError(
            "the folder for compiled kernels cannot be written"
            "\nhint: set LOSSARY_CACHE_DIR to one that can"
        )
    return folder


def _machine_code(folder: Path) -> set[Path]:
    return set(folder.rglob("*.nbc"))


def _contents(folder: Path) -> dict[str, Any]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        "directory": str(folder),
        "kernels": len(list(folder.glob("*.py"))),
        "bytes": sum(path.stat().st_size for path in files),
    }


def _cleared(folder: Path) -> dict[str, Any]:
    """Remove the folders beside this one: each belongs to another version of us or of Numba."""
    others = [
        path
        for path in folder.parent.iterdir()
        if path.is_dir() and path != folder and re.fullmatch("[0-9a-f]{12}", path.name)
    ]
    found = [_contents(path) for path in others]
    for path in others:
        shutil.rmtree(path)
    return {
        **_contents(folder),
        "removed_kernels": sum(item["kernels"] for item in found),
        "removed_bytes": sum(item["bytes"] for item in found),
    }


def _report(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        emit_json(facts)
        return
    if "compiled" in facts:
        say(f"compiled {facts['compiled']} functions in {facts['seconds']:.1f} s")
    else:
        size = _megabytes(facts["removed_bytes"])
        say(f"removed {facts['removed_kernels']} kernels of other versions, {size}")
    with page() as console:
        size = _megabytes(facts["bytes"])
        console.print(f"{facts['kernels']} kernels, {size}, in", soft_wrap=True)
        console.print(facts["directory"], soft_wrap=True, markup=False)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
