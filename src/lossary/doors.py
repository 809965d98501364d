"""What a door is made of: it answers a call as its framework would, or leaves it to the framework.

A door is a function by a framework's name and signature; its *peer* is the framework's own. A new
door needs three things: a function for each name that turns what the framework says differently
into what the core knows, one place that calls the core, and :func:`as_peer` around each function.
``lossary.optax`` is the model.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from lossary.errors import LossaryError

P = ParamSpec("P")
R = TypeVar("R")


class NotMine(Exception):  # noqa: N818  (a request, not an error)
    """The door has no answer of its own: the framework's function of the same name has."""


def as_peer(
    door: Callable[P, R], peer: Callable[..., Any], trouble: tuple[type[Exception], ...]
) -> Callable[P, R]:
    """Return a door that gives its peer's answer where it raises NotMine, and its peer's errors.

    When a door fails with one of ``trouble``, its peer is asked too, so that the type and the words
    of the error are the ones existing code expects. What only lossary refuses, the peer answers; a
    failure of another kind that the peer does not share is the door's own, and is raised.

    >>> def half(x):
    ...     if x < 0:
    ...         raise NotMine
    ...     return x / 2
    >>> own = as_peer(half, lambda x: "the framework's", (ValueError,))
    >>> own(3), own(-3)
    (1.5, "the framework's")
    """

    @wraps(door)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return door(*args, **kwargs)
        except NotMine:
            wrong = None
        except trouble as error:
            wrong = error
        result = peer(*args, **kwargs)
        if wrong is None or isinstance(wrong, LossaryError):
            return result
        raise wrong

    return call
