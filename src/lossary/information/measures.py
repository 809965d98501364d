"""Self-information, entropy, cross-entropy, relative entropy, mutual information.

Each takes probabilities along an axis, counts gathered by ``distribution_of``, or continuous
distributions (then the sum becomes an integral, see ``continuous``). Results are float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lossary.errors import ShapeError
from lossary.information import bivariate, continuous
from lossary.information.density import Support, is_density
from lossary.information.discrete import (
    expected_information,
    information_of_joint,
    relative_information,
    remaining_information,
)
from lossary.information.masses import (
    Axis,
    check_unit,
    masses_of,
    numbers,
    paired_masses,
    scalar_or_array,
)
from lossary.information.samples import aligned, plain
from lossary.information.units import Array, unit_of


@np.errstate(all="ignore")
def self_information(probability: Any, *, unit: str | float = "bits") -> Any:
    """What one learns when an outcome of this probability occurs: -log p.

    Arguments
        probability  number in [0, 1], any shape; probability of the outcome; no unit
        unit         a name in ``UNITS`` or a base above 1; unit of the result

    Returns
        real, at least 0, inf where probability is 0; shape of probability; float64

    Raises
        DomainError  a probability outside [0, 1]
        DtypeError   not real numbers

    Example
        >>> self_information([1, 0.5, 0.125, 0])
        array([ 0.,  1.,  3., inf])

    Source       Shannon 1948; Cover and Thomas 2006, Elements of Information Theory, section 2.1
    """
    p, _ = numbers("self_information", "probability", plain(probability))
    check_unit("self_information", "probability", p)
    with np.errstate(divide="ignore"):
        return scalar_or_array(0.0 - unit_of(unit, function="self_information").log(p))


@np.errstate(all="ignore")
def entropy(
    probabilities: Any,
    *,
    axis: Axis = -1,
    unit: str | float = "bits",
    support: Support | None = None,
    points: Any = (),
) -> Any:
    """Expected self-information: how uncertain an outcome is, -sum p log p.

    Arguments
        probabilities  numbers in [0, 1] that sum to 1 along axis (within the square root of their
                       precision; divided by their exact sum); or a Distribution; or a continuous
                       distribution, whose differential entropy -integral p log p is returned
        axis           axis or axes of the outcomes; several give the joint entropy. None, or a
                       scalar argument: each number p is a Bernoulli distribution (p, 1 - p)
        unit           a name in ``UNITS`` or a base above 1; unit of the result
        support        (low, high); where a density is positive; only for continuous distributions
        points         numbers near which a density has its mass; only for continuous distributions

    Returns
        real, at least 0 (a differential entropy may be negative); shape without axis; float64

    Raises
        DomainError      a probability outside [0, 1], a sum that is not 1
        ShapeError       no outcome, or an axis that does not exist
        DtypeError       not real numbers
        ArithmeticError  an integral that the quadrature cannot settle

    Example
        >>> entropy([0.5, 0.25, 0.125, 0.125])
        1.75
        >>> round(entropy(0.3), 6)
        0.881291
        >>> import scipy.stats
        >>> round(entropy(scipy.stats.norm(0, 1), unit="nats"), 6)
        1.418939

    Source       Shannon 1948, section 6; Cover and Thomas 2006, sections 2.1 and 8.1
    """
    per = unit_of(unit, function="entropy")
    if is_density(probabilities):
        named = {"probabilities": probabilities}
        found = continuous.densities("entropy", named, support, points)
        return continuous.entropy(*found) / per.nats
    masses = masses_of("entropy", "probabilities", plain(probabilities), axis)
    return scalar_or_array(expected_information(masses, masses, per))


@np.errstate(all="ignore")
def cross_entropy(
    probabilities: Any,
    model: Any,
    *,
    axis: Axis = -1,
    unit: str | float = "bits",
    support: Support | None = None,
    points: Any = (),
) -> Any:
    """Expected self-information as the model sees it: -sum p log q = entropy + relative entropy.

    Arguments
        probabilities  numbers in [0, 1] that sum to 1 along axis; the true distribution p; or a
                       Distribution, or a continuous distribution
        model          the same kind and shape; the predicted distribution q
        axis           axis or axes of the outcomes; None: each number is a Bernoulli distribution
        unit           a name in ``UNITS`` or a base above 1; unit of the result
        support        (low, high); where densities are positive; only for continuous distributions
        points         numbers near which densities have mass; only for continuous distributions

    Returns
        real, at least 0; inf where q is 0 and p is not; shape without axis; float64

    Raises
        as ``entropy``, and ShapeError for two shapes that differ

    Example
        >>> round(cross_entropy([0.5, 0.5], [0.25, 0.75]), 6)
        1.207519
        >>> cross_entropy([1, 0], [0, 1])
        inf

    Source       Cover and Thomas 2006, theorem 5.4.3
    """
    per = unit_of(unit, function="cross_entropy")
    if is_density(probabilities) or is_density(model):
        named = {"probabilities": probabilities, "model": model}
        pair = continuous.densities("cross_entropy", named, support, points)
        return continuous.cross_entropy(*pair) / per.nats
    p, q = paired_masses("cross_entropy", _NAMES, aligned(probabilities, model), axis)
    return scalar_or_array(expected_information(p, q, per))


@np.errstate(all="ignore")
def relative_entropy(
    probabilities: Any,
    model: Any,
    *,
    axis: Axis = -1,
    unit: str | float = "bits",
    support: Support | None = None,
    points: Any = (),
) -> Any:
    """Extra information that a wrong model costs (Kullback-Leibler): sum p log(p / q).

    Accurate also where both distributions nearly agree: see ``lossary.information.exact``.

    Arguments
        probabilities  numbers in [0, 1] that sum to 1 along axis; the true distribution p; or a
                       Distribution, or a continuous distribution
        model          the same kind and shape; the predicted distribution q
        axis           axis or axes of the outcomes; None: each number is a Bernoulli distribution
        unit           a name in ``UNITS`` or a base above 1; unit of the result
        support        (low, high); where densities are positive; only for continuous distributions
        points         numbers near which densities have mass; only for continuous distributions

    Returns
        real, at least 0, and 0 only for equal distributions; inf where q is 0 and p is not; shape
        without axis; float64

    Raises
        as ``entropy``, and ShapeError for two shapes that differ

    Example
        >>> round(relative_entropy([0.5, 0.5], [0.75, 0.25]), 4)
        0.2075
        >>> round(relative_entropy([0.75, 0.25], [0.5, 0.5]), 4)
        0.1887

    Source       Kullback and Leibler 1951, doi:10.1214/aoms/1177729694
    """
    per = unit_of(unit, function="relative_entropy")
    if is_density(probabilities) or is_density(model):
        named = {"probabilities": probabilities, "model": model}
        pair = continuous.densities("relative_entropy", named, support, points)
        return continuous.relative_entropy(*pair) / per.nats
    p, q = paired_masses("relative_entropy", _NAMES, aligned(probabilities, model), axis)
    return scalar_or_array(relative_information(p, q, per))


@np.errstate(all="ignore")
def mutual_information(
    joint: Any,
    *,
    axes: tuple[int, int] = (-2, -1),
    unit: str | float = "bits",
    support: tuple[Support, Support] | None = None,
    points: tuple[Any, Any] = ((), ()),
) -> Any:
    """What one variable tells about another, in the mean.

    It is the relative entropy of their joint distribution against the product of its margins. For
    two columns of data, gather the joint distribution with ``joint_distribution_of``.

    Arguments
        joint    numbers in [0, 1] that sum to 1 over both axes; the joint distribution; or a
                 Distribution of pairs; or a density of two numbers (a function of two arrays, or an
                 object with ``logpdf`` of an (n, 2) array)
        axes     two axes: outcomes of the first and of the second variable
        unit     a name in ``UNITS`` or a base above 1; unit of the result
        support  ((low, high), (low, high)); where a density is positive
        points   two sequences of numbers between which a density is smooth

    Returns
        real, at least 0, and 0 only for independent variables; shape without axes; float64

    Raises
        as ``entropy``

    Example
        >>> mutual_information([[0.5, 0], [0, 0.5]])
        1.0
        >>> mutual_information([[0.25, 0.25], [0.25, 0.25]])
        0.0

    Source       Cover and Thomas 2006, section 2.3
    """
    per = unit_of(unit, function="mutual_information")
    if is_density(joint):
        return bivariate.mutual_information(joint, support, points) / per.nats
    table = _tables("mutual_information", joint, axes)
    return scalar_or_array(information_of_joint(table, per))


@np.errstate(all="ignore")
def conditional_entropy(
    joint: Any, *, axes: tuple[int, int] = (-2, -1), unit: str | float = "bits"
) -> Any:
    """Uncertainty that is left about the second variable when the first is known: H(Y | X).

    Arguments
        joint    numbers in [0, 1] that sum to 1 over both axes; the joint distribution; or a
                 Distribution of pairs
        axes     two axes: outcomes of the known variable, outcomes of the other
        unit     a name in ``UNITS`` or a base above 1; unit of the result

    Returns
        real, at least 0; shape without axes; float64

    Raises
        as ``entropy``

    Example
        >>> conditional_entropy([[0.5, 0], [0.25, 0.25]])
        0.5

    Source       Cover and Thomas 2006, section 2.2
    """
    per = unit_of(unit, function="conditional_entropy")
    table = _tables("conditional_entropy", joint, axes)
    return scalar_or_array(remaining_information(table, per))


_NAMES = ("probabilities", "model")


def _tables(function: str, joint: Any, axes: tuple[int, int]) -> Array:
    array, _ = numbers(function, "joint", plain(joint))
    if array.ndim < 2:
        raise ShapeError(
            f"{function}: joint must have two axes, one for each variable, got shape "
            f"{array.shape}; joint_distribution_of(first, second) counts two columns"
        )
    masses_of(
        function, "joint", plain(joint), axes
    )  # names axes and places as the caller knows them
    return np.moveaxis(array, axes, (-2, -1))
