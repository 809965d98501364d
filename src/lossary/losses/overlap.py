"""Overlap of regions: sums over positions come first, and the loss is computed from them."""

from __future__ import annotations

from typing import Annotated, Any

from lossary.definition import loss
from lossary.domain import (
    Binary,
    Exponent,
    Group,
    Logit,
    NonNegative,
    Positive,
    Real,
    Unit,
    positions,
)
from lossary.functions import (
    absolute,
    beyond,
    cumulate,
    held,
    log,
    maximum,
    mean,
    peak,
    rest_share,
    share_power,
    sigmoid,
    sqrt,
    total,
    where,
)


@loss(
    source="Dice 1945, doi:10.2307/1932409; Sørensen 1948, Biologiske Skrifter 5(4)",
    promises="non_negative symmetric",
    empty="zero",
)
def dice(
    prediction: Annotated[Unit, positions],
    target: Annotated[Unit, positions],
    *,
    smooth: NonNegative = 0.0,
):
    """1 minus twice the overlap over the sum of both sizes."""
    overlap = total(prediction * target, over=positions)
    sizes = total(prediction, over=positions) + total(target, over=positions)
    return 1 - (2 * overlap + smooth) / (sizes + smooth)


@loss(
    source="Milletari, Navab and Ahmadi 2016 (V-Net), arXiv:1606.04797",
    promises="non_negative zero_at_target symmetric",
    empty="zero",
)
def squared_dice(
    prediction: Annotated[Unit, positions],
    target: Annotated[Unit, positions],
    *,
    smooth: NonNegative = 0.0,
):
    """1 minus twice the overlap over the sum of squares of both."""
    overlap = total(prediction * target, over=positions)
    sizes = total(prediction**2, over=positions) + total(target**2, over=positions)
    return 1 - (2 * overlap + smooth) / (sizes + smooth)


@loss(source="Wong et al. 2018, arXiv:1809.00076", promises="non_negative symmetric", empty="zero")
def log_dice(
    prediction: Annotated[Unit, positions],
    target: Annotated[Unit, positions],
    *,
    smooth: NonNegative = 0.0,
):
    """Minus the logarithm of the Dice coefficient."""
    overlap = total(prediction * target, over=positions)
    sizes = total(prediction, over=positions) + total(target, over=positions)
    return -log((2 * overlap + smooth) / (sizes + smooth))


@loss(
    source="Wang, Popordanoska et al. 2023, arXiv:2303.16296",
    promises="non_negative zero_at_target symmetric",
    empty="zero",
)
def semimetric_dice(prediction: Annotated[Unit, positions], target: Annotated[Unit, positions]):
    """The distance of prediction and target over the sum of both sizes."""
    apart = total(absolute(prediction - target), over=positions)
    return apart / (total(prediction, over=positions) + total(target, over=positions))


@loss(
    source="Jaccard 1912, doi:10.1111/j.1469-8137.1912.tb05611.x",
    promises="non_negative symmetric",
    empty="zero",
)
def jaccard(
    prediction: Annotated[Unit, positions],
    target: Annotated[Unit, positions],
    *,
    smooth: NonNegative = 0.0,
):
    """1 minus the intersection over the union."""
    overlap = total(prediction * target, over=positions)
    union = total(prediction, over=positions) + total(target, over=positions) - overlap
    return 1 - (overlap + smooth) / (union + smooth)


@loss(
    source="Salehi, Erdogmus and Gholipour 2017, arXiv:1706.05721, equation 3",
    promises="non_negative",
    empty="zero",
)
def tversky(
    prediction: Annotated[Unit, positions],
    target: Annotated[Unit, positions],
    *,
    alpha: NonNegative = 0.3,
    beta: NonNegative = 0.7,
    smooth: NonNegative = 0.0,
):
    """1 minus the overlap over overlap, weighted false positives and weighted false negatives."""
    overlap = total(prediction * target, over=positions)
    false_positives = total(prediction * (1 - target), over=positions)
    false_negatives = total((1 - prediction) * target, over=positions)
    whole = overlap + alpha * false_positives + beta * false_negatives
    return 1 - (overlap + smooth) / (whole + smooth)


@loss(source="Abraham and Khan 2018, arXiv:1810.07842", promises="non_negative", empty="zero")
def focal_tversky(
    prediction: Annotated[Unit, positions],
    target: Annotated[Unit, positions],
    *,
    alpha: NonNegative = 0.3,
    beta: NonNegative = 0.7,
    gamma: Exponent = 4 / 3,
):
    """The Tversky loss to the power 1 / gamma."""
    overlap = total(prediction * target, over=positions)
    false_positives = total(prediction * (1 - target), over=positions)
    false_negatives = total((1 - prediction) * target, over=positions)
    whole = overlap + alpha * false_positives + beta * false_negatives
    return (1 - overlap / whole) ** (1 / gamma)


@loss(
    source="Matthews 1975, doi:10.1016/0005-2795(75)90109-9; Abhishek and Hamarneh 2021, "
    "arXiv:2010.13454",
    promises="non_negative symmetric",
    empty="one",
)
def matthews_correlation(
    prediction: Annotated[Unit, positions], target: Annotated[Unit, positions]
):
    """1 minus the correlation of prediction and target as counts of four kinds."""
    t_p = total(prediction * target, over=positions)
    f_p = total(prediction * (1 - target), over=positions)
    f_n = total((1 - prediction) * target, over=positions)
    t_n = total((1 - prediction) * (1 - target), over=positions)
    sizes = (t_p + f_p) * (t_p + f_n) * (t_n + f_p) * (t_n + f_n)
    return 1 - (t_p * t_n - f_p * f_n) / sqrt(sizes)


@loss(
    source="Isensee et al. 2021 (nnU-Net), doi:10.1038/s41592-020-01008-z",
    promises="non_negative",
    empty="zero",
)
def dice_binary_cross_entropy(
    logit: Annotated[Logit, positions],
    target: Annotated[Unit, positions],
    *,
    smooth: NonNegative = 0.0,
):
    """Dice loss plus the mean cross-entropy of yes-or-no targets, from log-odds."""
    p = sigmoid(logit)
    overlap = total(p * target, over=positions)
    sizes = total(p, over=positions) + total(target, over=positions)
    entropy = -(target * log(p) + (1 - target) * log(1 - p))
    return 1 - (2 * overlap + smooth) / (sizes + smooth) + mean(entropy, over=positions)


@loss(
    source="Gauss 1823, Theoria combinationis observationum",
    promises="non_negative zero_at_target symmetric convex bounded_gradient",
)
def root_mean_squared_error(
    prediction: Annotated[Real, positions], target: Annotated[Real, positions]
):
    """Root of the mean squared difference."""
    return sqrt(mean((prediction - target) ** 2, over=positions))


@loss(
    source="Brosch et al. 2015, doi:10.1007/978-3-319-24574-4_1",
    promises="non_negative zero_at_target",
    empty="zero",
)
def sensitivity_specificity(
    prediction: Annotated[Unit, positions],
    target: Annotated[Unit, positions],
    *,
    sensitivity_share: Unit = 0.05,
):
    """Mean squared error inside the region and that outside, with a weight for each."""
    square = (target - prediction) ** 2
    inside = total(square * target, over=positions) / total(target, over=positions)
    outside = total(square * (1 - target), over=positions) / total(1 - target, over=positions)
    return sensitivity_share * inside + (1 - sensitivity_share) * outside


@loss(
    source="Wang et al. 2020, doi:10.1109/TMI.2020.3000314",
    promises="non_negative zero_at_target symmetric",
    empty="zero",
)
def noise_robust_dice(
    prediction: Annotated[Unit, positions],
    target: Annotated[Unit, positions],
    *,
    gamma: Exponent = 1.5,
):
    """Sum of a power of the errors over both squared sizes: between MAE and squared Dice."""
    apart = total(absolute(prediction - target) ** gamma, over=positions)
    return apart / (total(prediction**2, over=positions) + total(target**2, over=positions))


@loss(
    source="van Rijsbergen 1979, Information Retrieval, ch. 7; Hashemi et al. 2018, "
    "arXiv:1803.11078",
    promises="non_negative",
    empty="zero",
)
def f_beta(
    prediction: Annotated[Unit, positions],
    target: Annotated[Unit, positions],
    *,
    beta: Positive = 1.0,
):
    """1 minus the F measure, which weighs recall ``beta`` times as much as precision."""
    t_p = total(prediction * target, over=positions)
    f_p = total(prediction * (1 - target), over=positions)
    f_n = total((1 - prediction) * target, over=positions)
    found = (1 + beta**2) * t_p
    return 1 - found / (found + beta**2 * f_n + f_p)


@loss(
    source="Berman, Rannen Triki and Blaschko 2018, arXiv:1705.08790; Yu and Blaschko 2015, "
    "arXiv:1512.07797",
    promises="non_negative convex",
)
def lovasz_hinge(logit: Annotated[Real, positions], target: Annotated[Binary, positions]):
    """Hinge losses, each times what the Jaccard index loses when the next worst is missed too."""
    margin = logit * (2 * target - 1)
    size, missed = total(target, over=positions), beyond(target, by=-margin)
    added, before = cumulate(1 - target, by=-margin), beyond(1 - target, by=-margin)
    left = (size - missed) / ((size + added) * (size + before))
    lost = where(target == 1, 1 / (size + added), where(size + before > 0, left, 1 / added))
    return total(maximum(1 - margin, 0) * lost, over=positions)


@loss(
    source="Berman, Rannen Triki and Blaschko 2018, arXiv:1705.08790, eq. 9, for one class",
    promises="non_negative zero_at_target convex",
)
def lovasz_softmax(prediction: Annotated[Unit, positions], target: Annotated[Binary, positions]):
    """Errors of probabilities, each times what the Jaccard index loses when it is added."""
    error = where(target == 1, 1 - prediction, prediction)
    size, missed = total(target, over=positions), beyond(target, by=error)
    added, before = cumulate(1 - target, by=error), beyond(1 - target, by=error)
    left = (size - missed) / ((size + added) * (size + before))
    lost = where(target == 1, 1 / (size + added), where(size + before > 0, left, 1 / added))
    return total(error * lost, over=positions)


def _missing(prediction: Any, target: Any, region: Any, *, power: Any) -> Any:
    """What is missing over the whole; a factor of all weights cancels, and keeps them in range."""
    size = total(target, within=region)
    least = held(maximum(-peak(-size, over=positions, where=size > 0), 2.2250738585072014e-308))
    w = where(size > 0, share_power(least, maximum(least, size), power), 1)
    apart = prediction * (1 - target) + target * (1 - prediction)
    return rest_share(
        2 * total(prediction * target * w, over=positions), total(apart * w, over=positions)
    )


@loss(
    source="Sudre et al. 2017, arXiv:1707.03237",
    promises="non_negative",
    empty="zero",
    computed=_missing,
)
def generalized_dice(
    prediction: Annotated[Unit, positions],
    target: Annotated[Unit, positions],
    region: Annotated[Group, positions],
    *,
    power: NonNegative = 2.0,
):
    """Dice loss of several classes at once, each weighed by 1 over a power of its size."""
    size = total(target, within=region)
    least = -peak(-size, over=positions, where=size > 0)
    w = where(size > 0, least / size, 1) ** power
    overlap = total(w * prediction * target, over=positions)
    sizes = total(w * prediction, over=positions) + total(w * target, over=positions)
    return 1 - 2 * overlap / sizes
