"""The studies: small experiments that train with Lossary's own values and gradients.

>>> from lossary.study import run, studies
>>> list(studies)
['neuron', 'digits', 'mnist', 'outliers', 'imbalance', 'convergence', 'boosting']
>>> report = run("neuron")
>>> round(report.tables[0].rows[0][4], 4)
0.094
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import time
from pathlib import Path
from typing import Any

from lossary.study import boosting, convergence, digits, imbalance, neuron, outliers
from lossary.study.experiment import MissingDataError, Progress, Study, StudyError, silent
from lossary.study.figure import draw_report
from lossary.study.needs import one_thread
from lossary.study.report import Claim, Report
from lossary.study.terminal import print_report
from lossary.tables import Table

__all__ = [
    "Claim",
    "MissingDataError",
    "Progress",
    "Report",
    "Study",
    "StudyError",
    "Table",
    "draw_report",
    "print_report",
    "run",
    "studies",
]

studies: dict[str, Study] = {
    study.name: study
    for study in (
        neuron.study,
        digits.digits,
        digits.mnist,
        outliers.study,
        imbalance.study,
        convergence.study,
        boosting.study,
    )
}


def run(
    name: str,
    *,
    seed: int = 0,
    data: str | Path | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Report:
    """Run the study called ``name`` and return its report.

    ``seed`` is an integer of at least 0 and fixes every random choice; ``data`` is a folder with
    the files of a study that reads any (``mnist``); ``progress`` is called as
    ``progress(done, total, what)``; further keywords replace the study's default settings.

    Raises ``StudyError`` for an unknown study, setting or seed or for damaged data,
    ``MissingDataError`` without the data, ``MissingExtraError`` without the libraries that a study
    fits with.

    >>> run("neuron", steps=10).settings["steps"]
    10
    """
    study = find(name)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise StudyError(f"study {name}: seed must be an integer of at least 0, got {seed!r}")
    chosen = replace(study, settings)
    start = time.perf_counter()
    folder = None if data is None else Path(data)
    with one_thread():
        found = study.run(chosen, seed=seed, data=folder, progress=progress or silent)
    told = dataclasses.asdict(chosen)
    return Report(name, study.title, seed, told, *found, time.perf_counter() - start)


def find(name: str) -> Study:
    """Return the study called ``name`` or raise ``StudyError`` with the nearest name."""
    if name in studies:
        return studies[name]
    near = difflib.get_close_matches(name, studies, n=1)
    hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(studies)}"
    raise StudyError(f"no study is called {name!r}\nhint: {hint}")


def replace(study: Study, settings: dict[str, Any]) -> Any:
    """Return the study's settings with some replaced, refusing what they cannot be."""
    defaults = {
        item.name: getattr(study.settings, item.name) for item in dataclasses.fields(study.settings)
    }
    for name, value in settings.items():
        if name not in defaults:
            known = ", ".join(f"{name}={default!r}" for name, default in defaults.items())
            raise StudyError(f"study {study.name} has no setting {name!r}\nhint: it has {known}")
        if complaint := objection(value, defaults[name]):
            raise StudyError(
                f"study {study.name}: {name} must be {complaint}, got {value!r}\n"
                f"hint: its default is {defaults[name]!r}"
            )
    return dataclasses.replace(study.settings, **settings)


def objection(value: Any, default: Any) -> str | None:
    """Return what a setting like ``default`` must be, or ``None`` when ``value`` is that.

    >>> objection(-1, 300), objection(3, 300)
    ('a positive whole number', None)
    """
    many = isinstance(default, tuple)
    word = "whole number" if isinstance(default[0] if many else default, int) else "number"
    kinds = int if word == "whole number" else int | float
    numbers = list(value) if many and isinstance(value, tuple | list) else [value]
    right = all(
        isinstance(one, kinds) and not isinstance(one, bool) and math.isfinite(one)
        for one in numbers
    )
    if many:
        return None if right and numbers and numbers != [value] else f"a tuple of {word}s"
    return None if right and numbers[0] > 0 else f"a positive {word}"
