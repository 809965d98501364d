"""Optional dependencies, asked for by name only when a study reaches for them."""

from __future__ import annotations

import importlib
from types import ModuleType

PACKAGES = {"sklearn": "scikit-learn", "matplotlib": "Matplotlib", "scipy": "SciPy"}


def need(module: str, *, extra: str = "study") -> ModuleType:
    """Import and return ``module``; a missing one raises ``ImportError`` with the line that installs it.

    >>> need("math").pi > 3
    True
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        top = module.partition(".")[0]
        if error.name != top:
            raise
        raise ModuleNotFoundError(
            f"this needs {PACKAGES.get(top, top)}; install it with: pip install 'lossary[{extra}]'",
            name=top,
        ) from None
