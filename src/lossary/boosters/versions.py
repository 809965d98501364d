"""The versions of hosts whose ways are known."""

from __future__ import annotations

from functools import cache
from importlib import metadata

KNOWN = {
    "xgboost": (("xgboost", "xgboost-cpu"), (3, 1), (3, 5)),
    "lightgbm": (("lightgbm",), (4, 0), (5, 0)),
    "catboost": (("catboost",), (1, 2), (1, 3)),
    "hist_gradient_boosting": (("scikit-learn",), (1, 6), (1, 10)),
}
"""For each host its packages, the first version that is known and the first that is not."""


@cache
def release(host: str) -> tuple[int, int]:
    """Return the first two numbers of the installed version of a host."""
    for package in KNOWN[host][0]:
        try:
            words = metadata.version(package).split(".")
        except metadata.PackageNotFoundError:
            continue
        return int(words[0]), int(words[1])
    raise ModuleNotFoundError(f"no package of {host} is installed", name=host)


def check_version(host: str, curvature: str | None) -> None:
    """Raise ValueError if what the host does with an objective is not known of its version."""
    if not host:
        return
    packages, first, beyond = KNOWN[host]
    found = release(host)
    if first <= found < beyond:
        return
    said = ".".join(map(str, found))
    if found >= beyond and curvature in {"exact", "majorise", "expected"} and host != _PRIVATE:
        return
    hint = f"install {packages[0]}>={first[0]}.{first[1]},<{beyond[0]}.{beyond[1]}"
    if found >= beyond and host != _PRIVATE:
        hint += "; or curvature='exact', which does not rest on what the host has built in"
    raise ValueError(
        f"{packages[0]} {said} is not known: from {first[0]}.{first[1]} to below "
        f"{beyond[0]}.{beyond[1]} it is known what it does with an objective\nhint: {hint}"
    )


_PRIVATE = "hist_gradient_boosting"
"""Its losses are scikit-learn's private class, which may change with any version."""
