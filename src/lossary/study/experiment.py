"""What a study is: a name, a purpose, default settings and the function that runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from lossary.errors import LossaryError
from lossary.study.report import Findings

Progress = Callable[[int, int, str], object]
"""Called as ``progress(done, total, what)`` while a study runs."""


class StudyError(LossaryError, ValueError):
    """A study does not have this name, setting or seed, or cannot use these data."""


class MissingDataError(LossaryError, FileNotFoundError):
    """A study needs files that are not there."""


class Runner(Protocol):
    """Runs a study with its own settings."""

    def __call__(
        self, settings: Any, *, seed: int, data: Path | None, progress: Progress
    ) -> Findings:
        """Run with checked settings and return what was found."""
        ...


@dataclass(frozen=True)
class Study:
    """A reproducible experiment: ``settings`` is a frozen dataclass that holds the defaults."""

    name: str
    title: str
    purpose: str
    settings: Any
    run: Runner


def silent(done: int, total: int, what: str) -> None:
    """Report progress to nobody."""
