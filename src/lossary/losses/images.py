"""Images and signals: how alike the structure of two is, beside the values of single places."""

from __future__ import annotations

from typing import Annotated, Any

from lossary.definition import loss
from lossary.domain import Positive, Real, Scores, positions
from lossary.functions import (
    class_count,
    class_index,
    common_scale,
    hypot,
    mean,
    next_above,
    squared_deviations,
    total,
    where,
)


def _apart(prediction: Any, target: Any, *, data_range: Any, k1: Any, k2: Any) -> Any:
    """What both factors are short of 1, by the differences of two windows; no square overflows."""
    scale = common_scale(prediction, target)
    x, y, size = prediction / scale, target / scale, data_range / scale
    bright = hypot(hypot(mean(x, over=positions), mean(y, over=positions)), k1 * size)
    darker = mean(x - y, over=positions) / where(bright > 0, bright, 1)
    spread = squared_deviations(x) + squared_deviations(y) + class_count() * (k2 * size) ** 2
    unlike = squared_deviations(x - y) / where(spread > 0, spread, 1)
    return darker * darker + unlike * (1 - darker * darker)


@loss(
    source="Wang, Bovik, Sheikh and Simoncelli 2004, doi:10.1109/TIP.2003.819861, eq. 13, "
    "for one window",
    promises="non_negative zero_at_target symmetric",
    computed=_apart,
)
def structural_similarity(
    prediction: Annotated[Real, positions],
    target: Annotated[Real, positions],
    *,
    data_range: Positive = 1.0,
    k1: Positive = 0.01,
    k2: Positive = 0.03,
):
    """1 minus SSIM: how unlike two windows are in brightness, contrast and structure."""
    m, n = mean(prediction, over=positions), mean(target, over=positions)
    x, y = prediction - m, target - n
    v, w = mean(x**2, over=positions), mean(y**2, over=positions)
    both = mean(x * y, over=positions)
    c, d = (k1 * data_range) ** 2, (k2 * data_range) ** 2
    alike = (2 * m * n + c) * (2 * both + d)
    return 1 - alike / ((m**2 + n**2 + c) * (v + w + d))


@loss(
    source="Rudin, Osher and Fatemi 1992, doi:10.1016/0167-2789(92)90242-F; along one axis, as in "
    "Tibshirani et al. 2005, doi:10.1111/j.1467-9868.2005.00490.x",
    promises="non_negative convex bounded_gradient shift_invariant",
)
def total_variation(signals: Scores):
    """Sum of the steps between neighbours along an axis, up and down."""
    place = class_index()
    step = next_above(signals, by=place) - signals
    return total(abs(step), where=place < class_count() - 1)
