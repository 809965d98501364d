"""What scikit-learn's metrics agree on: how arguments are read, who answers, what is refused."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, ParamSpec

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config, metrics
from sklearn.utils.validation import check_array, check_consistent_length

from lossary.doors import NotMine
from lossary.kinds import is_masked, plain

P = ParamSpec("P")

PEERS: dict[str, Callable[..., Any]] = {}
"""Scikit-learn's own function behind each door that the installed version has."""


def refuse_masked(who: str, *args: Any, **kwargs: Any) -> None:
    """Raise DtypeError for a masked array, whose mask scikit-learn's own functions do not see."""
    for x in (*args, *kwargs.values()):
        if is_masked(type(x)):
            plain(f"{who}: an argument", x)


class Warned(NamedTuple):
    """A result of which scikit-learn warns: its own function is asked to say so."""

    value: Any


def as_sklearn(door: Callable[P, Any]) -> Callable[P, Any]:
    """Give a door scikit-learn's answer where it raises NotMine, and its errors.

    A door raises NotMine for what lies outside the core (the quantiles 0 and 1, deviances of a
    power, arrays of another library under ``array_api_dispatch``) and to what scikit-learn refuses:
    the function of the same name then answers, warns or raises as existing code expects.
    """
    peer = getattr(metrics, door.__name__, None)
    if peer is None:
        return door

    @wraps(door)
    def call(*args: P.args, **kwargs: P.kwargs) -> Any:
        refuse_masked(door.__name__, *args, **kwargs)
        try:
            result = door(*args, **kwargs)
        except (NotMine, ValueError, TypeError):
            pass
        else:
            if not isinstance(result, Warned):
                return result
            peer(*args, **kwargs)
            return result.value
        return peer(*args, **kwargs)

    PEERS[door.__name__] = peer
    call.__signature__ = inspect.signature(peer)  # pyright: ignore[reportAttributeAccessIssue]
    return call


def doubles(x: Any) -> NDArray[np.float64]:
    """Return finite numbers as float64; ValueError or TypeError, as scikit-learn's check raises."""
    wanted: Any = np.float64
    return check_array(x, ensure_2d=False, dtype=wanted)


def weights(sample_weight: Any, count: int) -> NDArray[np.float64] | None:
    """Return one weight per sample, or None for 1; ValueError where no mean is possible."""
    if sample_weight is None:
        return None
    weight = doubles(sample_weight)
    if weight.shape != (count,) or weight.sum() == 0:
        raise ValueError("sample_weight must hold one number per sample, with a sum other than 0")
    return weight


def float_dtype(*arrays: Any) -> Any:
    """Return the type in which scikit-learn computes: of the floats among these, else float64."""
    kinds = [np.dtype(x.dtype) for x in arrays if isinstance(getattr(x, "dtype", None), np.dtype)]
    floats = [kind for kind in kinds if kind.kind == "f"]
    return np.result_type(*floats) if floats else np.dtype(np.float64)


class Targets(NamedTuple):
    """Numbers to predict and their predictions, a column for each output, in float64."""

    true: NDArray[np.float64]
    predicted: NDArray[np.float64]
    weight: NDArray[np.float64] | None
    dtype: Any


def targets(y_true: Any, y_pred: Any, sample_weight: Any) -> Targets | None:
    """Read the arguments of a regression metric; None if scikit-learn has to answer."""
    if get_config()["array_api_dispatch"]:
        return None
    check_consistent_length(y_true, y_pred, sample_weight)
    true = doubles(y_true)
    predicted = doubles(y_pred)
    count = len(true)
    true, predicted = true.reshape(count, -1), predicted.reshape(count, -1)
    if true.shape != predicted.shape:
        return None
    weight = weights(sample_weight, count)
    return Targets(true, predicted, weight, float_dtype(y_true, y_pred, sample_weight))
