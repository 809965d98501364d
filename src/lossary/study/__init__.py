"""The studies: small experiments that train with Lossary's own values and gradients.

>>> from lossary.study import run, studies
>>> list(studies)
['neuron', 'digits', 'mnist', 'outliers', 'imbalance', 'convergence']
>>> report = run("neuron")
>>> round(report.tables[0].rows[0][4], 4)
0.094
"""

from __future__ import annotations

import dataclasses
import difflib
import time
from pathlib import Path
from typing import Any

from lossary.study import convergence, digits, imbalance, neuron, outliers
from lossary.study.experiment import Progress, Study, silent
from lossary.study.needs import one_thread
from lossary.study.report import Claim, Report, Table

__all__ = ["Claim", "Progress", "Report", "Study", "Table", "run", "studies"]

studies: dict[str, Study] = {
    study.name: study
    for study in (
        neuron.study,
        digits.digits,
        digits.mnist,
        outliers.study,
        imbalance.study,
        convergence.study,
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

    Raises ``ValueError`` for an unknown study, setting or seed, ``FileNotFoundError`` when data are
    missing and ``MissingExtraError`` when scikit-learn, SciPy or Matplotlib is.

    >>> run("neuron", steps=10).settings["steps"]
    10
    """
    study = find(name)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"study {name}: seed must be an integer of at least 0, got {seed!r}")
    chosen = replace(study, settings)
    start = time.perf_counter()
    folder = None if data is None else Path(data)
    with one_thread():
        report = study.run(chosen, seed=seed, data=folder, progress=progress or silent)
    return dataclasses.replace(report, seconds=time.perf_counter() - start)


def find(name: str) -> Study:
    """Return the study called ``name`` or raise ``ValueError`` with the nearest name."""
    if name in studies:
        return studies[name]
    near = difflib.get_close_matches(name, studies, n=1)
    guess = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"study: unknown name {name!r}, expected one of {', '.join(studies)}{guess}")


def replace(study: Study, settings: dict[str, Any]) -> Any:
    """Return the study's settings with some replaced, refusing names that it does not have."""
    known = [item.name for item in dataclasses.fields(study.settings)]
    for name in settings:
        if name not in known:
            raise ValueError(
                f"study {study.name}: unknown setting {name!r}, expected one of {', '.join(known)}"
            )
    return dataclasses.replace(study.settings, **settings)
