"""Optional packages, imported only when a study reaches for them."""

from __future__ import annotations

import importlib
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType

from lossary.errors import MissingExtraError

PACKAGES = {"sklearn": "scikit-learn", "matplotlib": "Matplotlib", "scipy": "SciPy",
            "xgboost": "XGBoost", "lightgbm": "LightGBM"}  # fmt: skip


def need(module: str, *, extra: str = "study") -> ModuleType:
    """Import ``module``; if its package is absent, raise ``MissingExtraError``.

    >>> need("math").pi > 3
    True
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name != package:
            raise
        raise MissingExtraError(extra, PACKAGES.get(package, package)) from error


def one_thread(of: str = "blas") -> AbstractContextManager[object]:
    """Keep linear algebra, or "openmp", on one thread: the same bits, and no threads that spin.

    The products of the studies are small. On a busy machine with two cores, OpenBLAS's second
    thread made the MNIST study burn 80 s of processor time instead of 8 s. threadpoolctl comes with
    scikit-learn; without it, the studies that can run do so anyway.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ModuleNotFoundError:
        return nullcontext()
    return threadpool_limits(limits=1, user_api=of)
