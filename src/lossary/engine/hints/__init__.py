"""Ways out: what to do about an argument that was refused, chosen by what was found in it.

Nothing here is called before something has gone wrong.
"""

from lossary.engine.hints.keywords import TARGET_FIRST, for_host, for_keyword, for_missing
from lossary.engine.hints.shapes import for_shape, for_weight
from lossary.engine.hints.types import (
    dtype_name,
    for_classes,
    for_dtype,
    for_labels,
    for_mask,
    for_nesting,
)
from lossary.engine.hints.values import ORDER, for_row, for_value

__all__ = [
    "ORDER",
    "TARGET_FIRST",
    "dtype_name",
    "for_classes",
    "for_dtype",
    "for_host",
    "for_keyword",
    "for_labels",
    "for_mask",
    "for_missing",
    "for_nesting",
    "for_row",
    "for_shape",
    "for_value",
    "for_weight",
]
