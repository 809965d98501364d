"""Processes that start anew, and come to know of a patch by what multiprocessing sends them.

A forked process has its parent's memory, with the patch in it. One that is spawned, or comes from
a fork server, has what its process object brings along: among it the settings that a process hands
on to its children, such as the key for its connections. The patches are one more.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable
from typing import Any

_SETTING = "lossary"


class Patches:
    """The frameworks that are patched when this is pickled; a pickle of none needs no lossary.

    ``again`` patches them where it is unpickled, and returns what is handed on from there.
    """

    def __init__(self, frameworks: Iterable[str], again: Callable[..., Patches]) -> None:
        self.frameworks: Iterable[str] = frameworks
        self.again: Callable[..., Patches] = again

    def __reduce__(self) -> tuple[Any, ...]:
        names = tuple(self.frameworks)
        return (self.again, names) if names else (type(None), ())


def hand_on(patches: Patches) -> None:
    """Let the processes that this one starts from now on patch the same frameworks as it does."""
    settings = getattr(multiprocessing.current_process(), "_config", None)
    if isinstance(settings, dict):
        settings[_SETTING] = patches
