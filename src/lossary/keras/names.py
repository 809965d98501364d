"""String names: what ``keras.losses.get`` and saved configs know a loss by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from keras.src import losses as _keras

from lossary.keras import functions, losses

serialize: Callable[..., Any] = _keras.serialize


def names() -> dict[str, Callable[..., Any]]:
    """Return every string that stands for a loss here: Keras' own, and TensorFlow 2.3's.

    >>> names()["mse"].__name__
    'mean_squared_error'
    """
    classes = {name: getattr(losses, name) for name in losses.__all__ if name in losses.CLASSES}
    own = {name: getattr(functions, name) for name in functions.__all__}
    return {name: found for name, found in (classes | own).items() if found is not None}


_MISSING = object()
_replaced: dict[str, Any] = {}


def register() -> list[str]:
    """Let Keras' string names mean lossary's losses: ``model.compile(loss="mse")``.

    Returns the names. :func:`unregister` undoes it.

    >>> import keras
    >>> "mse" in register()
    True
    >>> keras.losses.get("mse").__module__
    'lossary.keras.regression'
    >>> unregister()
    """
    table = _keras.ALL_OBJECTS_DICT
    for name, found in names().items():
        _replaced.setdefault(name, table.get(name, _MISSING))
        table[name] = found
    return list(_replaced)


def unregister() -> None:
    """Let the names mean Keras' losses again.

    >>> import keras
    >>> unregister()
    >>> keras.losses.get("mse").__module__.partition(".")[0]
    'keras'
    """
    table = _keras.ALL_OBJECTS_DICT
    for name, found in _replaced.items():
        if found is _MISSING:
            table.pop(name, None)
        else:
            table[name] = found
    _replaced.clear()


@contextmanager
def registered() -> Iterator[list[str]]:
    """Do both around a block.

    >>> import keras
    >>> with registered():
    ...     keras.losses.get("huber").__module__
    'lossary.keras.regression'
    """
    before = bool(_replaced)
    try:
        yield register()
    finally:
        if not before:
            unregister()


def get(identifier: Any) -> Any:
    """Return a loss for a name, a config or a loss, as :func:`keras.losses.get` does.

    >>> get("Huber")
    Huber(reduction='sum_over_batch_size')
    """
    with registered():
        return _keras.get(identifier)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the loss of a config, as :func:`keras.losses.deserialize` does.

    >>> deserialize(serialize(losses.Huber(delta=2.0))).get_config()["delta"]
    2.0
    """
    with registered():
        return _keras.deserialize(name, custom_objects)
