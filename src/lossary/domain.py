"""The sets of numbers that arguments live in.

A domain stands in a signature as the annotation, ``target: Binary``. It checks values, words the
error, prints the set in the documentation and gives the tests their samples. Predicates use
operators only, so that they hold for the arrays of every library.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from math import inf
from typing import Annotated, Any, Literal, get_args


@dataclass(frozen=True)
class Axis:
    """A named index set: what a sum or a peak can be taken over.

    A signature says which sets have one: ``prediction: Annotated[Unit, positions]``.
    """

    name: str
    place: str
    symbol: str


classes: Axis = Axis("classes", "class", "C")
"""The classes of a row, or the entries of a vector: the last axis, or what ``axis=`` says."""

CLASSES = (classes.name,)

positions: Axis = Axis("positions", "position", "U")
"""Pixels, voxels, tokens, times: any axes of the arrays, taken together as ``axis=`` says."""

others: Axis = Axis("others", "other member", "U")
"""The other members of a row, for each of its members: what a sum over partners goes over."""

pairs: Axis = Axis("pairs", "pair", "U")
"""The pairs of two different members of a row, both ways round."""


@dataclass(frozen=True)
class Domain:
    """A set of numbers, or of vectors along the class axis."""

    name: str
    description: str
    symbol: str
    contains: Callable[[Any], Any]
    inside: tuple[float, ...]
    outside: tuple[float, ...]
    neutral: float = 0.0
    continuous: bool = True
    integer: bool = False
    axes: tuple[str, ...] = ()
    mass: Literal["sum", "sum of exponentials"] | None = None
    hint: str = ""
    interval: bool = False
    """Whether numbers that lie between two members are known to be members."""
    entries: tuple[str, ...] = ()
    """What the numbers along the axis are called, where there is a fixed number of them."""
    ascending: tuple[tuple[int, int], ...] = ()
    """Places of which the first holds no larger number than the second."""

    @cached_property
    def class_axis(self) -> bool:
        """Whether a member has entries along an axis, rather than being one number."""
        return bool(self.axes)

    @cached_property
    def by_row(self) -> bool:
        """Whether a row of members of the right kind may yet be no member."""
        return bool(self.mass or self.ascending)

    def along(self, axis: Axis) -> Domain:
        """Return the set of what has a member of this one at each place of an axis."""
        return replace(
            self,
            description=f"{self.description} at each {axis.place}",
            symbol=f"{{{self.symbol}}}^{axis.symbol}",
            axes=(*self.axes, axis.name),
        )

    def __str__(self) -> str:
        return self.description


def metadata_of(annotation: Any) -> list[Any]:
    """Return what an annotation, or one of those it is a choice of, says beside a type."""
    parts = (annotation, *get_args(annotation))
    return [item for part in parts for item in getattr(part, "__metadata__", ())]


def domain_of(annotation: Any) -> tuple[Domain | None, str]:
    """Return the domain and the description that an annotation carries."""
    metadata = metadata_of(annotation)
    domain = next((item for item in metadata if isinstance(item, Domain)), None)
    description = next((item for item in metadata if isinstance(item, str)), "")
    if domain is not None:
        more = [x for x in metadata if isinstance(x, Axis) and x.name not in domain.axes]
        domain = reduce(Domain.along, more, domain)
    return domain, description


Real = Annotated[
    Any,
    Domain("Real", "a finite number", r"\mathbb{R}", lambda x: abs(x) < inf,
           (0.0, 0.5, -1.0, 3.0, -20.0), (inf, -inf, float("nan")), interval=True),
]  # fmt: skip
Logit = Annotated[
    Any,
    Domain("Logit", "a number (log-odds; ±inf means certain)", r"\overline{\mathbb{R}}",
           lambda x: x == x,  # noqa: PLR0124  (false only for NaN)
           (0.0, 0.5, -1.0, 3.0, -20.0), (float("nan"),), interval=True),
]  # fmt: skip
NonNegative = Annotated[
    Any,
    Domain("NonNegative", "a finite number, at least 0", r"\mathbb{R}_{\ge 0}",
           lambda x: (x >= 0) & (x < inf), (0.0, 0.5, 1.0, 7.0), (-1e-3, inf, float("nan")),
           interval=True),
]  # fmt: skip
Positive = Annotated[
    Any,
    Domain("Positive", "a finite number above 0", r"\mathbb{R}_{> 0}",
           lambda x: (x > 0) & (x < inf), (1.0, 0.25, 3.0), (0.0, -1.0, inf, float("nan")),
           neutral=1.0, interval=True),
]  # fmt: skip
NonZero = Annotated[
    Any,
    Domain("NonZero", "a finite number other than 0", r"\mathbb{R} \setminus \{0\}",
           lambda x: (x != 0) & (abs(x) < inf), (1.0, -0.25, 3.0), (0.0, inf, float("nan")),
           neutral=1.0),
]  # fmt: skip
AboveMinusOne = Annotated[
    Any,
    Domain("AboveMinusOne", "a finite number above -1", r"(-1, \infty)",
           lambda x: (x > -1) & (x < inf), (0.0, 0.5, -0.5, 9.0), (-1.0, -5.0, float("nan")),
           interval=True),
]  # fmt: skip
Unit = Annotated[
    Any,
    Domain("Unit", "a number in [0, 1]", r"[0, 1]", lambda x: (x >= 0) & (x <= 1),
           (0.5, 0.0, 1.0, 0.125), (-0.25, 1.5, float("nan")), neutral=0.5, interval=True),
]  # fmt: skip
OpenUnit = Annotated[
    Any,
    Domain("OpenUnit", "a number strictly between 0 and 1", r"(0, 1)", lambda x: (x > 0) & (x < 1),
           (0.5, 0.1, 0.9), (0.0, 1.0, float("nan")), neutral=0.5, interval=True),
]  # fmt: skip
Smoothing = Annotated[
    Any,
    Domain("Smoothing", "a number in [0, 1]", r"[0, 1]", lambda x: (x >= 0) & (x <= 1),
           (0.0, 0.1, 1.0), (-0.25, 1.5, float("nan")), interval=True),
]  # fmt: skip
BelowHalf = Annotated[
    Any,
    Domain("BelowHalf", "a number in [0, 1/2)", r"[0, \tfrac12)", lambda x: (x >= 0) & (x < 0.5),
           (0.0, 0.1, 0.25), (-0.25, 0.5, float("nan")), interval=True),
]  # fmt: skip
Negative = Annotated[
    Any,
    Domain("Negative", "a finite number below 0", r"\mathbb{R}_{< 0}",
           lambda x: (x < 0) & (x > -inf), (-1.0, -0.25, -3.0), (0.0, 1.0, -inf, float("nan")),
           neutral=-1.0, interval=True),
]  # fmt: skip
Cosine = Annotated[
    Any,
    Domain("Cosine", "a number in [-1, 1]", r"[-1, 1]", lambda x: (x >= -1) & (x <= 1),
           (0.0, 0.5, -0.5), (-1.5, 1.5, float("nan")), interval=True),
]  # fmt: skip
Angle = Annotated[
    Any,
    Domain("Angle", "an angle in radians, from -pi to pi", r"[-\pi, \pi]",
           lambda x: abs(x) <= 3.141592653589794, (0.0, 0.5, -1.0, 3.0), (4.0, -7.0, float("nan")),
           interval=True),
]  # fmt: skip
Exponent = Annotated[
    Any,
    Domain("Exponent", "a finite number, at least 1", r"[1, \infty)",
           lambda x: (x >= 1) & (x < inf), (1.0, 2.0, 1.5), (0.5, inf, float("nan")), neutral=1.0,
           interval=True),
]  # fmt: skip
Binary = Annotated[
    Any,
    Domain("Binary", "0 or 1", r"\{0, 1\}", lambda x: (x == 0) | (x == 1),
           (0.0, 1.0), (0.3, -1.0, 2.0, float("nan")), continuous=False),
]  # fmt: skip
Sign = Annotated[
    Any,
    Domain("Sign", "-1 or 1", r"\{-1, 1\}", lambda x: (x == 1) | (x == -1),
           (1.0, -1.0), (0.0, 0.5, float("nan")), neutral=1.0, continuous=False),
]  # fmt: skip
Count = Annotated[
    Any,
    Domain("Count", "a whole number, at least 0", r"\mathbb{N}_0",
           lambda x: (x >= 0) & (x < inf) & (x % 1 == 0), (0.0, 1.0, 7.0), (-1.0, 0.5, inf),
           continuous=False),
]  # fmt: skip
Group = Annotated[
    Any,
    Domain("Group", "a finite number that names a group", r"\mathbb{R}",
           lambda x: abs(x) < inf, (0.0, 1.0, 7.0, -3.0), (inf, float("nan")), continuous=False),
]  # fmt: skip
Groups = Annotated[
    Any,
    Domain("Groups", "a finite number for each entry that names its group", r"\mathbb{R}^C",
           lambda x: abs(x) < inf, (0.0, 1.0, 7.0, -3.0), (inf, float("nan")), continuous=False,
           axes=CLASSES),
]  # fmt: skip
Label = Annotated[
    Any,
    Domain("Label", "a class index, 0 or more and below the number of classes",
           r"\{0, \dots, C-1\}", lambda x: x >= 0, (0.0, 1.0), (-1.0,),
           continuous=False, integer=True, interval=True),
]  # fmt: skip
Logits = Annotated[
    Any,
    Domain("Logits", "numbers along the class axis (-inf excludes a class)",
           r"\overline{\mathbb{R}}^C", lambda x: x == x,  # noqa: PLR0124  (false only for NaN)
           (0.0, 0.5, -1.0, 3.0, -20.0), (float("nan"),), axes=CLASSES, interval=True),
]  # fmt: skip
Scores = Annotated[
    Any,
    Domain("Scores", "finite numbers along the class axis", r"\mathbb{R}^C",
           lambda x: abs(x) < inf, (0.0, 0.5, -1.0, 3.0, -20.0), (inf, float("nan")),
           axes=CLASSES, interval=True),
]  # fmt: skip
Embedding = Annotated[
    Any,
    Domain("Embedding", "a vector of finite numbers along the axis", r"\mathbb{R}^D",
           lambda x: abs(x) < inf, (0.0, 0.5, -1.0, 3.0, -20.0), (inf, float("nan")),
           axes=CLASSES, interval=True),
]  # fmt: skip
Binaries = Annotated[
    Any,
    Domain("Binaries", "0 or 1 for each class", r"\{0, 1\}^C", lambda x: (x == 0) | (x == 1),
           (0.0, 1.0), (0.3, -1.0, float("nan")), continuous=False, axes=CLASSES),
]  # fmt: skip
Roles = Annotated[
    Any,
    Domain("Roles", "1 for a positive, -1 for a negative, 0 to leave out, for each entry",
           r"\{-1, 0, 1\}^C", lambda x: (x == 0) | (x == 1) | (x == -1), (1.0, -1.0, 0.0),
           (0.3, 2.0, float("nan")), continuous=False, axes=CLASSES),
]  # fmt: skip
ClassWeights = Annotated[
    Any,
    Domain("ClassWeights", "a finite number, at least 0, for each class", r"\mathbb{R}_{\ge 0}^C",
           lambda x: (x >= 0) & (x < inf), (1.0, 0.25, 0.0, 3.0), (-1.0, inf, float("nan")),
           neutral=1.0, axes=CLASSES, interval=True),
]  # fmt: skip
Cosines = Annotated[
    Any,
    Domain("Cosines", "a number in [-1, 1] for each class", r"[-1, 1]^C",
           lambda x: (x >= -1) & (x <= 1), (0.0, 0.5, -0.5), (-1.5, 1.5, float("nan")),
           axes=CLASSES, interval=True),
]  # fmt: skip
Units = Annotated[
    Any,
    Domain("Units", "a number in [0, 1] for each entry", r"[0, 1]^C", lambda x: (x >= 0) & (x <= 1),
           (0.5, 0.0, 1.0, 0.125), (-0.25, 1.5, float("nan")), neutral=0.5, axes=CLASSES,
           interval=True),
]  # fmt: skip
Levels = Annotated[
    Any,
    Domain("Levels", "a number strictly between 0 and 1 for each class", r"(0, 1)^C",
           lambda x: (x > 0) & (x < 1), (0.5, 0.1, 0.9), (0.0, 1.0, float("nan")), neutral=0.5,
           axes=CLASSES, interval=True),
]  # fmt: skip
Simplex = Annotated[
    Any,
    Domain("Simplex", "probabilities, at least 0, with sum 1 along the class axis", r"\Delta^{C-1}",
           lambda x: (x >= 0) & (x < inf), (0.5, 0.25, 0.0, 1.0), (-0.25, inf, float("nan")),
           axes=CLASSES, interval=True, mass="sum"),
]  # fmt: skip
LogSimplex = Annotated[
    Any,
    Domain("LogSimplex", "log-probabilities, at most 0, whose exponentials have sum 1",
           r"\log \Delta^{C-1}", lambda x: x <= 0, (-0.7, -1.0, -20.0), (0.5, float("nan")),
           axes=CLASSES, interval=True, mass="sum of exponentials"),
]  # fmt: skip
Box = Annotated[
    Any,
    Domain("Box", "the finite corners x1, y1, x2, y2 of a box, x1 <= x2 and y1 <= y2",
           r"\{x \in \mathbb{R}^4 : x_0 \le x_2,\ x_1 \le x_3\}", lambda x: abs(x) < inf,
           (0.0, 0.5, -1.0, 3.0, -20.0), (inf, float("nan")), axes=CLASSES, interval=True,
           entries=("x1", "y1", "x2", "y2"), ascending=((0, 2), (1, 3))),
]  # fmt: skip
RotatedBox = Annotated[
    Any,
    Domain("RotatedBox", "the finite centre x, y, width, height and angle in radians of a box",
           r"\mathbb{R}^5", lambda x: abs(x) < inf, (0.5, 1.0, -1.0, 3.0, 20.0),
           (inf, float("nan")), neutral=1.0, axes=CLASSES, interval=True,
           entries=("x", "y", "width", "height", "angle")),
]  # fmt: skip
