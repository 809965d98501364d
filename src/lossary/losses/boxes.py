"""Bounding boxes of detectors: how little two boxes have in common."""

from __future__ import annotations

from lossary.definition import loss
from lossary.domain import Box, NonNegative, Positive, RotatedBox
from lossary.functions import (
    aspect_distance,
    box_iou,
    centre_distance,
    enclosing_rest,
    exp,
    held,
    log,
    norm,
    normal_shape,
    normal_shift,
    share,
    side_distance,
    sqrt,
)


@loss(
    source="Jaccard 1912, doi:10.1111/j.1469-8137.1912.tb05611.x; Yu et al. 2016, arXiv:1608.01471",
    promises="non_negative zero_at_target symmetric",
)
def iou(prediction: Box, target: Box):
    """1 minus the intersection over the union of two boxes."""
    o = box_iou(prediction, target)
    return 1 - o


@loss(source="Yu et al. 2016, arXiv:1608.01471", promises="non_negative zero_at_target symmetric")
def log_iou(prediction: Box, target: Box):
    """Minus the logarithm of the intersection over the union of two boxes."""
    o = box_iou(prediction, target)
    return -log(o)


@loss(
    source="Rezatofighi et al. 2019, arXiv:1902.09630",
    promises="non_negative zero_at_target symmetric",
)
def generalized_iou(prediction: Box, target: Box):
    """1 - IoU, plus the share of the smallest enclosing box that neither box covers."""
    o = box_iou(prediction, target)
    r = enclosing_rest(prediction, target)
    return 1 - (o - r)


@loss(
    source="Zheng et al. 2020, arXiv:1911.08287", promises="non_negative zero_at_target symmetric"
)
def distance_iou(prediction: Box, target: Box):
    """1 - IoU, plus the squared distance of the centres over the enclosing box's diagonal."""
    o = box_iou(prediction, target)
    d = centre_distance(prediction, target)
    return 1 - o + d


@loss(
    source="Zheng et al. 2020, arXiv:1911.08287", promises="non_negative zero_at_target symmetric"
)
def complete_iou(prediction: Box, target: Box):
    """Distance-IoU, plus how the aspect ratios differ, with a trade-off that is held constant."""
    o = box_iou(prediction, target)
    d = centre_distance(prediction, target)
    v = aspect_distance(prediction, target)
    a = held(share(v, 1 - o))
    return 1 - o + d + a * v


@loss(
    source="Zhang et al. 2021, arXiv:2101.08158", promises="non_negative zero_at_target symmetric"
)
def efficient_iou(prediction: Box, target: Box):
    """Distance-IoU, plus squared differences of the sides over those of the enclosing box."""
    o = box_iou(prediction, target)
    d = centre_distance(prediction, target)
    s = side_distance(prediction, target)
    return 1 - o + d + s


@loss(
    source="Zhang et al. 2021, arXiv:2101.08158", promises="non_negative zero_at_target symmetric"
)
def focal_efficient_iou(prediction: Box, target: Box, *, gamma: NonNegative = 0.5):
    """Efficient IoU times IoU^gamma, so that boxes that overlap well count for more."""
    o = box_iou(prediction, target)
    d = centre_distance(prediction, target)
    s = side_distance(prediction, target)
    return o**gamma * (1 - o + d + s)


@loss(source="He et al. 2021, arXiv:2110.13675", promises="non_negative zero_at_target symmetric")
def alpha_iou(prediction: Box, target: Box, *, alpha: Positive = 3.0):
    """1 minus a power of the IoU: above 1 it weighs good boxes, below 1 bad ones."""
    o = box_iou(prediction, target)
    return 1 - o**alpha


@loss(
    source="Wang et al. 2021, arXiv:2110.13389, eq. 4-7",
    promises="non_negative zero_at_target symmetric bounded_gradient",
)
def normalized_wasserstein(prediction: Box, target: Box, *, mean_size: Positive = 12.8):
    """1 - exp(-distance / mean_size): boxes as normal distributions, by how far one is carried."""
    distance = norm(prediction - target) / sqrt(2)
    return 1 - exp(-distance / mean_size)


@loss(
    source="Llerena et al. 2021, arXiv:2106.06072, eq. 5-10 (L1)",
    promises="non_negative zero_at_target symmetric",
)
def prob_iou(prediction: RotatedBox, target: RotatedBox):
    """Hellinger's distance of two boxes with angles, taken as normal distributions."""
    d = normal_shift(prediction, target)
    u = normal_shape(prediction, target)
    return sqrt(1 - exp(-(d + u)))


@loss(
    source="Llerena et al. 2021, arXiv:2106.06072, eq. 5-10 (L2)",
    promises="non_negative zero_at_target symmetric",
)
def log_prob_iou(prediction: RotatedBox, target: RotatedBox):
    """Bhattacharyya's distance of two boxes with angles, taken as normal distributions."""
    d = normal_shift(prediction, target)
    u = normal_shape(prediction, target)
    return d + u
