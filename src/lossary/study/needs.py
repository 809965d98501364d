"""Optional packages, imported only when a study reaches for them."""

from __future__ import annotations

import importlib
from types import ModuleType

from lossary.errors import MissingExtraError

PACKAGES = {"sklearn": "scikit-learn", "matplotlib": "Matplotlib", "scipy": "SciPy"}


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
