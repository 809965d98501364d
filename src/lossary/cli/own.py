"""A loss of one's own on the command line: ``FILE.py:NAME`` or ``module:NAME``."""

from __future__ import annotations

import difflib
import importlib
import re
import sys
import traceback
from contextlib import contextmanager, redirect_stdout
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import click

import lossary
from lossary.errors import LossaryError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lossary.engine import Loss

_OWN = re.compile(
    r"(?P<place>.+?\.py|[^\W\d][\w.]*)(?::(?P<name>[^\W\d]\w*))?(?P<rest>:.*=.*)?$", re.DOTALL
)


def split(text: str) -> tuple[str, str, str]:
    """Return the place, the name and the settings of a loss of one's own; empty where it is none.

    >>> split("mine.py:tilted:delta=2"), split("pack.losses:tilted"), split("mine.py")
    (('mine.py', 'tilted', 'delta=2'), ('pack.losses', 'tilted', ''), ('mine.py', '', ''))
    >>> split("huber:delta=2"), split("torch.nn.HuberLoss")
    (('', '', ''), ('', '', ''))
    >>> split("huber:delta")
    ('', '', '')
    """
    found = _OWN.match(text)
    if not found or not (found["name"] or found["place"].endswith(".py")):
        return "", "", ""
    if found["place"] in lossary.catalogue:  # what follows is a setting of that loss
        return "", "", ""
    return found["place"], found["name"] or "", (found["rest"] or "").removeprefix(":")


def is_own(text: str) -> bool:
    """Whether a name on the command line is a place with a loss in it."""
    return bool(split(text)[0])


def load(text: str) -> Loss:
    """Return the loss at a place; a file that was read before is not run again."""
    place, name, _ = split(text)
    module = _of_file(Path(place)) if place.endswith(".py") else _of_name(place)
    return _chosen(module, place, name)


def _of_file(path: Path) -> ModuleType:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not there"
        raise click.UsageError(f"the file {path} {what}\nhint: {_beside(path)}")
    path = path.resolve()
    for module in list(sys.modules.values()):
        if getattr(module, "__file__", None) == str(path):
            return module
    root, name = _package(path)
    with _importable(root), _worded(path):
        if "." in name:
            return importlib.import_module(name)
        return _executed(path, name)


def _beside(path: Path) -> str:
    """Say which files a reader may have meant."""
    folder = path.parent
    names = [p.name for p in folder.glob("*.py")] if folder.is_dir() else []
    close = difflib.get_close_matches(path.name, names, n=1)
    if close:
        return f"did you mean {folder / close[0]}?"
    return "give the path of a Python file, as in mine.py:my_loss"


def _package(path: Path) -> tuple[Path, str]:
    """Return the folder to import from, and the dotted name of a file in a package."""
    folder, parts = path.parent, [path.stem]
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    return folder, ".".join(parts)


def _executed(path: Path, name: str) -> ModuleType:
    """Run a file as a module under its own name, or under another if that one is taken."""
    taken = name in sys.modules or name in sys.stdlib_module_names
    spec = spec_from_file_location(f"loss_of_{name}" if taken else name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[spec.name]
        raise
    return module


def _of_name(name: str) -> ModuleType:
    if name.endswith(".ipynb"):
        raise click.UsageError(
            f"{name} is a notebook, which is not run here\n"
            "hint: move the loss to a .py file, or ask its accuracy() in the notebook"
        )
    with _importable(Path.cwd()), _worded(name):
        return importlib.import_module(name)


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let modules beside a file be imported, as they can be where Python runs it."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()
        try:
            yield
        finally:
            # What is imported later still finds them, after everything that is installed.
            sys.path.remove(str(folder))
            sys.path.append(str(folder))
    else:
        yield


@contextmanager
def _worded(place: Path | str) -> Iterator[None]:
    """Turn what goes wrong while a file runs into a sentence that names the line."""
    try:
        with redirect_stdout(sys.stderr):  # stdout is for the result
            yield
    except (LossaryError, click.ClickException, KeyboardInterrupt):
        raise
    except SyntaxError as error:
        line = (error.text or "").strip()
        raise click.UsageError(
            f"{error.filename}:{error.lineno}: {error.msg}: {line}\nhint: mend the line"
        ) from None
    except ModuleNotFoundError as error:
        if f"{place}.".startswith(f"{error.name}."):
            hint = f"for a file write {place}.py:NAME; modules are looked for here and on the path"
            raise click.UsageError(f"there is no module {place}\nhint: {hint}") from None
        hint = f"install {error.name}, or run lossary where it is installed"
        raise click.UsageError(f"{_line(error, place)}{error}\nhint: {hint}") from None
    except SystemExit as error:
        hint = 'put what runs behind if __name__ == "__main__":'
        raise click.UsageError(
            f"{_line(error, place)}the file ends the program\nhint: {hint}"
        ) from None
    except Exception as error:  # noqa: BLE001  (whatever a user's file raises)
        words = f"{type(error).__name__}: {error}".removesuffix(": ")
        hint = (
            f"run python {place} to see all of it" if isinstance(place, Path) else "mend the line"
        )
        raise click.UsageError(f"{_line(error, place)}{words}\nhint: {hint}") from None


def _line(error: BaseException, place: Path | str) -> str:
    """Name the last line of the user's own file that was at work."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if f.filename == str(place)] or [
        f for f in frames if "importlib" not in f.filename and f.filename != __file__
    ]
    return f"{own[-1].filename}:{own[-1].lineno}: " if own else ""


def _chosen(module: ModuleType, place: str, name: str) -> Loss:
    from lossary.engine import Loss

    losses = _losses(module)
    if name:
        found = getattr(module, name, None)
        if isinstance(found, Loss):
            return found
        if found is not None:
            raise click.UsageError(
                f"{name} in {place} is {_kind(found)}, not a loss\n"
                "hint: put @lossary.loss on the line above its def"
            )
        close = difflib.get_close_matches(name, list(losses), n=1)
        raise click.UsageError(f"{place} has no {name}\nhint: {_has(place, losses, close)}")
    if len(losses) == 1:
        return next(iter(losses.values()))
    problem = "has no loss" if not losses else f"has {len(losses)} losses"
    raise click.UsageError(f"{place} {problem}\nhint: {_has(place, losses)}")


def _losses(module: ModuleType) -> dict[str, Loss]:
    """Return the losses that a module defines; those of the catalogue are only imported there."""
    from lossary.engine import Loss

    catalogue = set(lossary.catalogue.values())
    found: dict[str, Loss] = {}
    for name, value in vars(module).items():
        if isinstance(value, Loss) and value not in catalogue and value not in found.values():
            found[name] = value
    return found


def _has(place: str, losses: dict[str, Loss], close: list[str] | tuple[str, ...] = ()) -> str:
    if close:
        return f"did you mean {place}:{close[0]}?"
    if not losses:
        return "put @lossary.loss on the line above the def of a formula"
    return f"choose {' or '.join(f'{place}:{name}' for name in losses)}"


def _kind(x: object) -> str:
    if callable(x) and hasattr(x, "__code__"):
        return "a plain function"
    name = type(x).__name__
    return f"{'an' if name[:1] in 'aeiou' else 'a'} {name}"
