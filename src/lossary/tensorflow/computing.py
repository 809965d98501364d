"""From tensors to one value per example: the one place where the door calls the core."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from lossary import catalogue
from lossary.doors import Parameters
from lossary.engine.recipes.tensorflow import is_memory


class Request(NamedTuple):
    """Which loss, in which dtype.

    ``alone`` compares the tensor with 0 and adds the values up, ``check`` makes misfits NaN.
    """

    loss: str
    dtype: tf.DType
    parameters: Parameters = ()
    axis: int = -1
    alone: bool = False
    check: bool = False


def values(request: Request, *tensors: tf.Tensor, **arrays: tf.Tensor) -> tf.Tensor:
    """Return the loss of tensors; ``arrays`` are hyper-parameters that are tensors."""
    loss = catalogue[request.loss]
    if request.alone:
        tensors = (*tensors, tf.zeros_like(tensors[0]))
    options: dict[str, Any] = {"axis": request.axis} if loss.class_axis else {}
    found = loss(
        *tensors,
        reduction="sum" if request.alone else "none",
        check=request.check,
        **options,
        **dict(request.parameters),
        **arrays,
    )
    return found if found.dtype == request.dtype else tf.cast(found, request.dtype)


def numbers(x: tf.Tensor) -> np.ndarray | None:
    """Return the numbers of an eager tensor on the CPU; None where they cannot be looked at."""
    return x._numpy() if is_memory(x) else None  # noqa: SLF001  (the public one copies)
