"""The frameworks that can be patched: where their losses are, and what watches their calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Function = Callable[..., Any]


def _never(*_: Any) -> bool:
    return False


@dataclass(frozen=True)
class Framework:
    """Where a framework's losses are, and the door that has them too.

    ``functions`` lists the names of the door and ``classes`` the framework's classes with the
    function each calls; ``holders`` are objects beside modules that hold functions. ``wrapper``
    names the class whose objects keep their function. ``kept`` names what the door has not got.
    ``watching`` returns what says of a call's arguments whether somebody waits to see the
    framework's function called, as a tracer does. ``compiles`` says that what it compiles is kept
    by the names of functions.
    """

    public: str
    module: str
    door: str
    functions: Callable[[Any], Iterable[str]]
    classes: Callable[[Any], Iterable[tuple[str, str]]] = lambda door: ()
    holders: Callable[[], Iterable[Any]] = lambda: ()
    wrapper: str = ""
    kept: tuple[str, ...] = ()
    watching: Callable[[], Callable[..., bool]] = lambda: _never
    compiles: bool = False

    @property
    def package(self) -> str:
        """The name of the top package."""
        return self.module.partition(".")[0]


def _criteria(door: Any) -> Iterable[tuple[str, str]]:
    from lossary.torch.modules import CRITERIA

    return ((f"torch.nn.{name}", function.__name__) for name, function in CRITERIA.items())


def _watching_torch() -> Callable[..., bool]:
    from lossary.torch.contract import awaited

    return awaited


def _keras_classes(door: Any) -> Iterable[tuple[str, str]]:
    from lossary.keras.tables import CLASSES

    return ((f"keras.losses.{name}", function) for name, function in CLASSES.items())


def _scorers() -> Iterable[Any]:
    from sklearn.metrics import _scorer

    return _scorer._SCORERS.values()  # noqa: SLF001  (scoring="neg_log_loss" finds its function there)


FRAMEWORKS = {
    "torch": Framework(
        "torch.nn.functional",
        "torch.nn.functional",
        "lossary.torch.functional",
        lambda door: door.__all__,
        _criteria,
        watching=_watching_torch,
        compiles=True,
    ),
    "keras": Framework(
        "keras.losses",
        "keras.src.losses.losses",
        "lossary.keras.functions",
        lambda door: door.OURS,
        _keras_classes,
        wrapper="LossFunctionWrapper",
        kept=("dice", "tversky", "circle"),
    ),
    "sklearn": Framework(
        "sklearn.metrics",
        "sklearn.metrics",
        "lossary.sklearn",
        lambda door: door.METRICS,
        holders=_scorers,
    ),
    "optax": Framework("optax.losses", "optax.losses", "lossary.optax", lambda door: door.DOORS),
    "tensorflow": Framework(
        "tf.nn", "tensorflow.nn", "lossary.tensorflow.nn", lambda door: door.__all__
    ),
}
