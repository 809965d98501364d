"""The errors that Lossary raises: each says what was seen, where, what is allowed, and the fix."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = [
    "DeviceError",
    "DomainError",
    "DtypeError",
    "FormulaError",
    "LossaryError",
    "MissingExtraError",
    "ShapeError",
    "UnknownLossError",
    "install_line",
    "needs",
    "warn",
]


class LossaryError(Exception):
    """Common base, so that one ``except`` catches whatever Lossary refuses."""


class DomainError(LossaryError, ValueError):
    """A value lies outside the set that its argument is declared in."""


class ShapeError(LossaryError, ValueError):
    """Two arguments do not have the shapes that the loss needs."""


class DtypeError(LossaryError, TypeError):
    """An argument has a type of number that the loss cannot use."""


class DeviceError(LossaryError, RuntimeError):
    """Two arguments lie on different devices."""


class FormulaError(LossaryError, TypeError, AttributeError):
    """A definition says something that the formula language does not have."""


class UnknownLossError(LossaryError, KeyError):
    """No loss of the catalogue has that name."""

    def __str__(self) -> str:
        return self.args[0]  # a KeyError would print it quoted, on one line


class MissingExtraError(LossaryError, ImportError):
    """An optional library is absent; the message holds the command that installs it."""

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs an extra: {install_line(extra)}")
        self.extra = extra


@contextmanager
def needs(purpose: str, **extras: str) -> Iterator[None]:
    """Turn the absence of a package into MissingExtraError; ``extras`` are named by packages."""
    try:
        yield
    except ModuleNotFoundError as error:
        extra = extras.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        raise MissingExtraError(extra, purpose) from error


def warn(text: str, category: type[Warning] | None = None, stacklevel: int = 1) -> None:
    """Warn at the line that called, which Python then shows once, in place of ``warnings.warn``."""
    frame, level = inspect.currentframe(), 1  # 1 is the line below
    while frame is not None and frame.f_globals.get("__name__", "").startswith(_INSIDE):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, category, stacklevel=level)


_INSIDE = ("lossary.", "keras.", "torch.")
"""Modules through which a caller's line leads here."""


@functools.cache
def install_line(extra: str) -> str:
    """Return the command that adds an extra, from where this copy was installed.

    pip writes down where that was: a folder, such as a clone, or a repository. Without a note it
    was an index of packages, or it runs from a clone without being installed.

    >>> install_line("plot").startswith("pip install ")
    True
    """
    import json
    from importlib import metadata
    from pathlib import Path

    try:
        note = metadata.distribution("lossary").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        clone = Path(__file__).parents[2]
        note = json.dumps({"url": clone.as_uri(), "dir_info": {}})
    return _line(extra, json.loads(note) if note else {})


def _line(extra: str, origin: dict[str, Any]) -> str:
    """Return the command for what pip noted (PEP 610)."""
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    url = origin.get("url", "")
    if "dir_info" in origin:
        editable = "-e " if origin["dir_info"].get("editable") else ""
        return f'pip install {editable}"{url2pathname(urlsplit(url).path)}[{extra}]"'
    if "vcs_info" in origin:
        url = f"{origin['vcs_info']['vcs']}+{url}"
    return f'pip install "lossary[{extra}] @ {url}"' if url else f'pip install "lossary[{extra}]"'
