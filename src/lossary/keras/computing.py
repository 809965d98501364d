"""From tensors of Keras' backend to the values of a loss: the one place that calls the core.

Each backend has one road. JAX would send every operator on its own, so it gets the call as one
compiled function, and so does TensorFlow where the memory of eager tensors is not this machine's;
PyTorch takes the road of :mod:`lossary.torch`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from lossary import catalogue
from lossary.doors import Parameters
from lossary.engine import Loss
from lossary.engine.checking import check_parameter
from lossary.engine.libraries import LIBRARIES, library

BACKEND: str = keras.backend.backend()
LIBRARY = library(BACKEND if BACKEND in LIBRARIES else "numpy")


def values(loss: str | Loss, *tensors: Any, check: bool = False, **parameters: Any) -> Any:
    """Return one value per element, or per row of a loss along the last axis.

    ``loss`` is a name of the catalogue or a loss of your own. The tensors come in its order,
    (prediction, target), in equal shapes; a parameter is a number or a tensor. ``check`` sends the
    call down a road that makes values NaN whose arguments lie outside their sets, or raises.
    """
    fixed = tuple((n, v) for n, v in parameters.items() if v is None or isinstance(v, int | float))
    arrays: Parameters = ()
    if len(fixed) < len(parameters):
        numbers = dict(fixed)
        arrays = tuple(
            (n, ops.convert_to_tensor(v)) for n, v in parameters.items() if n not in numbers
        )
    asked = _Asked(loss, tensors, fixed, arrays)
    return asked.values() if check else _evaluate(asked)


def _found(loss: str | Loss) -> Loss:
    return catalogue[loss] if isinstance(loss, str) else loss


class _Asked(NamedTuple):
    """A loss of tensors; of its parameters some are numbers, and some are tensors."""

    loss: str | Loss
    tensors: tuple[Any, ...]
    fixed: Parameters
    arrays: Parameters

    def values(self, **options: Any) -> Any:
        """Return what the core says."""
        given = {"reduction": "none", **dict(self.fixed), **dict(self.arrays), **options}
        return _found(self.loss)(*self.tensors, **given)


def _plain(asked: _Asked) -> Any:
    found = asked.values(check=False)
    return only(ops.equal(found, found), found)  # all but NaN


def only(good: Any, x: Any) -> Any:
    """Return x where it is good, else NaN, with a gradient that is NaN too."""
    return x * ops.cast(ops.where(good, 1.0, float("nan")), x.dtype)


def _torch(asked: _Asked) -> Any:
    from lossary.torch.computing import Request, reduced

    loss, tensors, fixed, arrays = asked
    if not isinstance(loss, str):
        return _plain(asked)
    return reduced(Request(loss, "none", tensors[0].dtype, fixed, arrays=arrays), *tensors)


def _shape_the_text(value: Any) -> bool:
    """Whether the core has a text of its own for this number; others are arguments of one."""
    return value is None or value in {0, 1, 2}


def _split(loss: str | Loss, fixed: Parameters) -> tuple[Parameters, Parameters]:
    """Return numbers that a compiled function keeps, and those that it takes as arguments.

    A function for every value that a number ever had would be compiled for each and kept. Raises
    DomainError for a number outside its set, which a graph would turn into NaN.
    """
    definition = _found(loss)
    for name, value in fixed:
        if value is not None and not definition.domains[name].class_axis:
            argument = next(a for a in definition.parameters if a.name == name)
            check_parameter(definition, argument, value)
    kept = tuple((n, v) for n, v in fixed if _shape_the_text(v))
    return kept, tuple((n, v) for n, v in fixed if not _shape_the_text(v))


@lru_cache(maxsize=256)
def _call_of(loss: str | Loss, fixed: Parameters, names: tuple[str, ...]) -> Callable[..., Any]:
    """Return the loss as a function of its tensors and of the parameters that are tensors."""
    count = len(_found(loss).inputs)

    def call(*tensors: Any) -> Any:
        arrays = tuple(zip(names, tensors[count:], strict=True))
        return _plain(_Asked(loss, tensors[:count], fixed, arrays))

    return call


@lru_cache(maxsize=256)
def _jitted(loss: str | Loss, fixed: Parameters, names: tuple[str, ...]) -> Callable[..., Any]:
    import jax

    return jax.jit(_call_of(loss, fixed, names))


def _jax(asked: _Asked) -> Any:
    loss, tensors, fixed, arrays = asked
    fixed, numbers = _split(loss, fixed)
    call = _jitted(loss, fixed, tuple(n for n, _ in (*arrays, *numbers)))
    return call(*tensors, *(v for _, v in arrays), *(_jax_number(float(v)) for _, v in numbers))


@lru_cache(maxsize=256)
def _jax_number(value: float) -> Any:
    """Return a number in all its digits, also while a graph is being made."""
    jax = library("jax")
    with jax.aside():
        return jax.array(value)


@lru_cache(maxsize=256)
def _graph(
    loss: str | Loss,
    fixed: Parameters,
    names: tuple[str, ...],
    numbers: int,
    ranks: tuple[int, ...],
) -> Callable[..., Any]:
    """Return the call as a graph; its last tensors are numbers that get no gradient."""
    import tensorflow as tf

    call = _call_of(loss, fixed, names)

    def run(*tensors: Any) -> Any:
        moving = len(tensors) - numbers
        return call(*tensors[:moving], *map(tf.stop_gradient, tensors[moving:]))

    return tf.function(run, autograph=False, reduce_retracing=True)


def _tensorflow(asked: _Asked) -> Any:
    import tensorflow as tf

    from lossary.engine.recipes.tensorflow import is_memory

    if not tf.executing_eagerly():
        return _plain(asked)
    loss, tensors, fixed, arrays = asked
    if all(map(is_memory, (*tensors, *(x for _, x in arrays)))):
        return _eager(asked)
    fixed, numbers = _split(loss, fixed)
    names = tuple(n for n, _ in (*arrays, *numbers))
    # A graph is for one number of axes: TensorFlow would else make one in which it is unknown.
    call = _graph(loss, fixed, names, len(numbers), tuple(len(x.shape) for x in tensors))
    more = (tf.constant(v, tf.float64) for _, v in numbers)
    return call(*tensors, *(v for _, v in arrays), *more)


def _eager(asked: _Asked) -> Any:
    """Return the values of tensors in memory, which NumPy's engine computes."""
    found = asked.values(check=False)
    if np.isnan(np.asarray(memoryview(found))).any():
        return only(ops.equal(found, found), found)
    return found


_evaluate = {"torch": _torch, "jax": _jax, "tensorflow": _tensorflow}.get(BACKEND, _plain)
