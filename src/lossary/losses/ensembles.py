"""Ensembles of vectors, two draws or two coordinates at a time; lossary.ensembles adds all up."""

from __future__ import annotations

from typing import Annotated, Any

from lossary.definition import loss
from lossary.domain import Domain, Embedding, Real, positions
from lossary.functions import absolute, mean, norm

UpToTwo = Annotated[
    Any,
    Domain("UpToTwo", "a number above 0, at most 2", r"(0, 2]", lambda x: (x > 0) & (x <= 2),
           (0.5, 1.0, 2.0), (0.0, -1.0, 2.5, float("nan")), neutral=1.0, interval=True),
]  # fmt: skip


@loss(
    source="Gneiting and Raftery 2007, doi:10.1198/016214506000001437, eq. 22 with beta = 1; of "
    "two draws it is without bias, as Ferro 2014, doi:10.1002/qj.2270, shows for one variable",
    promises="non_negative bounded_gradient",
)
def energy_score(draw: Embedding, other_draw: Embedding, target: Embedding):
    """How far two draws lie from what came, less how far they lie apart, halved: energy score."""
    missed = norm(draw - target) + norm(other_draw - target)
    return (missed - norm(draw - other_draw)) / 2


@loss(
    source="Scheuerer and Hamill 2015, doi:10.1175/MWR-D-14-00269.1, eq. 3, for two coordinates",
    promises="non_negative",
)
def variogram_score(
    member: Annotated[Real, positions],
    other_member: Annotated[Real, positions],
    target: Real,
    other_target: Real,
    *,
    power: UpToTwo = 0.5,
):
    """How far two coordinates lie apart, in a power, against the mean over an ensemble, squared."""
    apart = mean(absolute(member - other_member) ** power, over=positions)
    return (absolute(target - other_target) ** power - apart) ** 2
