"""What a door is made of: it answers a call as its framework would, or leaves it to the framework.

A door is a function by a framework's name and signature; its *peer* is the framework's own. A new
door needs three things: a function for each name that turns what the framework says differently
into what the core knows, one place that calls the core, and :func:`as_peer` around each function.
``lossary.optax`` is the model. Where a framework has classes, :func:`drop_in` and :func:`made_for`
make them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import Signature
from typing import Any, NamedTuple, ParamSpec, TypeVar

from lossary import catalogue
from lossary.engine import Loss
from lossary.engine.checking import check_parameter
from lossary.engine.program import compiled, variant
from lossary.errors import LossaryError

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

Parameters = tuple[tuple[str, Any], ...]
"""Hyper-parameters by name."""


class NotMine(Exception):  # noqa: N818  (a request, not an error)
    """The door has no answer of its own: the framework's function of the same name has."""


class HasWarned(NotMine):
    """The same, of a door that has warned: its peer is to answer without doing so again."""


def as_peer(
    door: Callable[P, R],
    peer: Callable[..., Any],
    trouble: tuple[type[Exception], ...],
    *,
    warned: Callable[..., Any] | None = None,
) -> Callable[P, R]:
    """Return a door that gives its peer's answer where it raises NotMine, and its peer's errors.

    When a door fails with one of ``trouble``, its peer is asked too, so that the type and the words
    of the error are the ones existing code expects. What only lossary refuses, the peer answers; a
    failure of another kind that the peer does not share is the door's own, and is raised. Where the
    door has warned, ``warned`` answers in the peer's place.

    >>> def half(x):
    ...     if x < 0:
    ...         raise NotMine
    ...     return x / 2
    >>> own = as_peer(half, lambda x: "the framework's", (ValueError,))
    >>> own(3), own(-3)
    (1.5, "the framework's")
    """
    silent = warned or peer

    @wraps(door)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return door(*args, **kwargs)
        except HasWarned:
            wrong, ask = None, silent
        except NotMine:
            wrong, ask = None, peer
        except trouble as error:
            wrong, ask = error, peer
        result = ask(*args, **kwargs)
        if wrong is None or isinstance(wrong, LossaryError):
            return result
        raise wrong

    return call


class Function(NamedTuple):
    """A compiled function and its last arguments; which inputs are labels, and which ones move.

    ``rows`` says that the classes are the last axis of the others.
    """

    run: Callable[..., Any]
    parameters: tuple[Any, ...]
    labels: tuple[bool, ...]
    moving: tuple[bool, ...]
    rows: bool


def function_of(
    loss: Loss,
    parameters: Parameters,
    arrays: tuple[str, ...],
    needed: tuple[bool, ...],
    library: str,
) -> Function:
    """Return the function for the value of a loss and the gradients that are needed.

    A door runs it where a call of the loss would cost more than the arithmetic. ``needed`` says so
    of each input in turn; ``arrays`` are hyper-parameters that get no number here.
    """
    given = {a.name: a.default for a in loss.parameters if a.name not in arrays}
    given |= dict(parameters)
    absent = frozenset(name for name, value in given.items() if value is None)
    for a in loss.parameters:
        if a.name in given and a.name not in absent:
            check_parameter(loss, a, given[a.name])
    fixed = tuple((n, float(v)) for n, v in given.items() if n not in absent and v in {0, 1, 2})
    chosen = variant(loss, absent, fixed)
    inputs = loss.inputs[: len(needed)]
    moving = tuple(need and a.domain.continuous for a, need in zip(inputs, needed, strict=True))
    wanted = [f"gradient:{a.name}" for a, moves in zip(inputs, moving, strict=True) if moves]
    return Function(
        compiled(chosen, ("value", *wanted), library),
        tuple(given.get(name, name) for name in chosen.arguments[len(loss.inputs) :]),
        tuple(loss.class_axis and not a.domain.class_axis for a in inputs),
        moving,
        loss.class_axis,
    )


def drop_in(bases: tuple[Any, ...], peer: str, door: str, module: str, **body: Any) -> Any:
    """Return a framework's class with a door behind it: a subclass of the last base, by its name.

    ``peer`` and ``door`` are where the docstring says that the class and the door's function stand.
    """
    described = f":class:`{peer}`, computed by :func:`{door}`."
    return type(bases[-1].__name__, bases, {"__doc__": described, "__module__": module, **body})


def made_for(
    loss: Loss, base: type[T], name: str, what: str, signature: Signature, **body: Any
) -> type[T]:
    """Return the class of one loss: a ``base`` of that name whose ``loss`` it is.

    It is looked for where the loss stands: beside the base, or in the module of a user's own loss.
    """
    described = f"{loss.summary}\n\nThe {what} of ``{loss.name}``, whose help says more."
    module = base.__module__ if is_ours(loss) else loss.formula.__module__
    own = {"loss": loss, "__doc__": described, "__module__": module, "__signature__": signature}
    made: Any = type(name, (base,), own | body)
    return made


def is_ours(loss: Loss) -> bool:
    """Whether a loss is the catalogue's, rather than one by a name of its."""
    return catalogue.get(loss.name) is loss


def as_called(maker: str, loss: Loss, settings: dict[str, Any]) -> str:
    """Return the call that makes something of a loss, which is its ``repr``.

    >>> import lossary as L
    >>> as_called("scorer", L.huber, {"delta": 2.0})
    "scorer('huber', delta=2.0)"
    """
    named = repr(loss.name) if is_ours(loss) else loss.name
    return f"{maker}({', '.join([named, *(f'{k}={v!r}' for k, v in settings.items())])})"
