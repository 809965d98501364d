"""Processes that start anew, and come to know of a patch by what multiprocessing sends them.

A forked process has its parent's memory, with the patch in it. One that is spawned, or comes from
a fork server, has what its process object brings along: among it the settings that a process hands
on to its children, such as the key for its connections. The patches are one more.
"""

from __future__ import annotations

import multiprocessing
import warnings
from collections.abc import Iterable
from typing import Any

__all__ = ["hand_on"]

_SETTING = "lossary"


class _Patches:
    """The frameworks that are patched when this is pickled; a pickle of none needs no lossary."""

    def __init__(self, frameworks: Iterable[str]) -> None:
        self.frameworks = frameworks

    def __reduce__(self) -> tuple[Any, ...]:
        names = tuple(self.frameworks)
        return (_patch_here, names) if names else (type(None), ())


def _patch_here(*frameworks: str) -> _Patches:
    """Do in this process what was done in its parent; return what its own children get."""
    from lossary.patching import _active, patch

    for framework in frameworks:
        try:
            patch(framework, quiet=True)
        except Exception as error:  # noqa: BLE001  (the process has other work as well)
            warnings.warn(
                f"lossary: {framework} is patched in the parent process and could not be here, "
                f"where its own losses compute: {type(error).__name__}: {error}",
                stacklevel=2,
            )
    return _Patches(_active)


def hand_on(frameworks: Iterable[str]) -> None:
    """Let the processes that this one starts from now on patch the same frameworks as it does."""
    settings = getattr(multiprocessing.current_process(), "_config", None)
    if isinstance(settings, dict):
        settings[_SETTING] = _Patches(frameworks)
