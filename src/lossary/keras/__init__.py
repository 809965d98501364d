"""Keras' door: the classes, functions and string names of ``keras.losses``.

>>> import lossary.keras as losses
>>> huber = losses.Huber(delta=2.0)
>>> print(float(huber([[0.0], [0.0]], [[1.0], [3.0]])))
2.25
>>> print(float(losses.BinaryCrossentropy(from_logits=True)([[1.0]], [[40.0]])))
4.24835...e-18
>>> print(round(float(losses.Focal(gamma=2.0)([[1.0]], [[0.0]])), 4))
0.1733

Import Keras, or set ``KERAS_BACKEND``, first: the backend is chosen once.
"""

from typing import Any

from lossary.errors import needs

# Keras imports the library of its backend.
with needs("lossary.keras", keras="keras", tensorflow="tensorflow", torch="torch", jax="jax"):
    from lossary.keras import catalogue, functions, losses
    from lossary.keras.catalogue import *  # noqa: F403
    from lossary.keras.functions import *  # noqa: F403
    from lossary.keras.losses import *  # noqa: F403
    from lossary.keras.names import deserialize, get, names, register, serialize, unregister

__all__ = [  # noqa: PLE0604  (the names of both tables are strings)
    "deserialize",
    "get",
    "names",
    "register",
    "serialize",
    "unregister",
    *functions.__all__,
    *losses.__all__,
    *catalogue.__all__,
]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name in catalogue.RENAMED:
        return getattr(catalogue, name)  # which says what it is called now
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
