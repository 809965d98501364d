"""Identities of boxes: what two have in common."""

from __future__ import annotations

from lossary.functions import (
    box_iou,
    box_iou_gap,
    box_iou_power,
    box_iou_power_gap,
    expm1,
    hellinger_of,
    log,
    log_box_iou,
    sqrt,
)
from lossary.identities.rules import identity

BOXES = (
    identity("gap of boxes", lambda B, A: 1 - box_iou(B, A), lambda B, A: box_iou_gap(B, A)),
    identity(
        "logarithm of an IoU", lambda B, A: log(box_iou(B, A)), lambda B, A: log_box_iou(B, A)
    ),
    identity(
        "power of an IoU",
        lambda B, A, p: box_iou(B, A) ** p,
        lambda B, A, p: box_iou_power(B, A, p),
    ),
    identity(
        "gap of a power of an IoU",
        lambda B, A, p: 1 - box_iou_power(B, A, p),
        lambda B, A, p: box_iou_power_gap(B, A, p),
    ),
    identity("Hellinger of a distance", lambda b: sqrt(-expm1(-b)), lambda b: hellinger_of(b)),
)
