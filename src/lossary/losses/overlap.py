"""Overlap of regions: sums over positions come first, and the loss is computed from them."""

from __future__ import annotations

from typing import Annotated

from lossary.definition import loss
from lossary.domain import Exponent, Logit, NonNegative, Real, Unit, positions
from lossary.functions import absolute, binary_nats, log, mean, sigmoid, sqrt, total

_EMPTY = "Where neither prediction nor target has anything the overlap is perfect: the loss is 0."
_BATCH = (
    "The mean over images is not the loss of the data set: sums() adds up over batches, and "
    "of_sums makes the loss of them; axis=(0, 2, 3) is the loss of a batch."
)
_ABSENT = (
    "A class that the target lacks counts, with a loss of 1 for any prediction above 0; some "
    "libraries leave it out: weight=(target.sum(axis) > 0) does."
)
_SMOOTH = (
    "smooth is 0 here; MONAI adds 1e-5 to both sums, optax 1 to half of them, Keras 1e-7 and "
    "kornia 1e-8 to the lower one."
)


@loss(
    source="Dice 1945, doi:10.2307/1932409; Sørensen 1948, Biologiske Skrifter 5(4)",
    elsewhere=("monai.losses.DiceLoss", "segmentation_models_pytorch.losses.DiceLoss",
               "kornia.losses.dice_loss", "optax.losses.dice_loss",
               "optax.losses.binary_dice_loss", "keras.losses.Dice"),
    promises="non_negative symmetric",
    choose="Regions that fill a small part of an image: true negatives do not count.",
    traps=(_SMOOTH, _ABSENT, _BATCH, _EMPTY),
    empty="zero",
)  # fmt: skip
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
    elsewhere=("monai.losses.DiceLoss (squared_pred=True)",),
    promises="non_negative zero_at_target symmetric",
    choose="As dice, with squares in the sizes: 0 only where prediction and target are equal.",
    traps=(_SMOOTH, _ABSENT, _BATCH, _EMPTY),
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


@loss(
    source="Wong et al. 2018, arXiv:1809.00076",
    elsewhere=("segmentation_models_pytorch.losses.DiceLoss (log_loss=True)",),
    promises="non_negative symmetric",
    choose="As dice, with a steep slope where the overlap is small.",
    traps=("Infinite where nothing overlaps, unless smooth is above 0.", _ABSENT, _BATCH, _EMPTY),
    empty="zero",
)
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
    elsewhere=("monai.losses.DiceLoss (soft_label=True)",),
    promises="non_negative zero_at_target symmetric",
    choose="Soft targets: the one Dice loss that is least at the target itself.",
    traps=("Equal to dice for targets of 0 and 1.", _BATCH, _EMPTY),
    empty="zero",
)
def semimetric_dice(prediction: Annotated[Unit, positions], target: Annotated[Unit, positions]):
    """The distance of prediction and target over the sum of both sizes."""
    apart = total(absolute(prediction - target), over=positions)
    return apart / (total(prediction, over=positions) + total(target, over=positions))


@loss(
    source="Jaccard 1912, doi:10.1111/j.1469-8137.1912.tb05611.x",
    elsewhere=("segmentation_models_pytorch.losses.JaccardLoss",
               "monai.losses.DiceLoss (jaccard=True)"),
    promises="non_negative symmetric",
    choose="As dice, when the intersection over the union is what is reported.",
    traps=(_SMOOTH, _ABSENT, _BATCH, _EMPTY),
    empty="zero",
)  # fmt: skip
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
    elsewhere=("keras.losses.Tversky", "monai.losses.TverskyLoss", "kornia.losses.tversky_loss",
               "segmentation_models_pytorch.losses.TverskyLoss",
               "optax.losses.dice_loss (alpha, beta)"),
    promises="non_negative",
    choose="As dice, when missing a region costs more than finding too much of it, or less.",
    traps=(
        "alpha weighs false positives, beta false negatives; Keras up to 3.15.1 swaps them.",
        "With alpha = beta = 1/2 it is dice, with 1 and 1 jaccard.",
        _ABSENT, _BATCH, _EMPTY,
    ),
    empty="zero",
)  # fmt: skip
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


@loss(
    source="Abraham and Khan 2018, arXiv:1810.07842",
    elsewhere=("segmentation_models_pytorch.losses.TverskyLoss (gamma)",),
    promises="non_negative",
    choose="As tversky, with a steep slope where the overlap is almost perfect.",
    traps=(
        "The exponent is 1 / gamma, as in the paper; segmentation_models_pytorch takes gamma as "
        "the exponent, MONAI's unified focal 1 - gamma.",
        "The slope is infinite at a perfect overlap for gamma above 1.",
        _ABSENT, _BATCH, _EMPTY,
    ),
    empty="zero",
)  # fmt: skip
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
    elsewhere=("segmentation_models_pytorch.losses.MCCLoss", "monai.losses.MCCLoss"),
    promises="non_negative symmetric",
    choose="As dice, when true negatives count too.",
    traps=(
        "From 0 to 2; 1 where prediction or target say the same everywhere, with gradient 0.",
        "segmentation_models_pytorch adds 1e-5 to each count.",
        _BATCH,
    ),
    empty="one",
)
def matthews_correlation(
    prediction: Annotated[Unit, positions], target: Annotated[Unit, positions]
):
    """1 minus the correlation of prediction and target as counts of four kinds."""
    tp = total(prediction * target, over=positions)
    fp = total(prediction * (1 - target), over=positions)
    fn = total((1 - prediction) * target, over=positions)
    tn = total((1 - prediction) * (1 - target), over=positions)
    sizes = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return 1 - (tp * tn - fp * fn) / sqrt(sizes)


@loss(
    source="Isensee et al. 2021 (nnU-Net), doi:10.1038/s41592-020-01008-z",
    promises="non_negative",
    choose="The usual start for segmentation: the overlap, and a slope where there is none.",
    traps=(
        "The sum of both, each with weight 1; nnU-Net itself adds -Dice, which is lower by 1.",
        "For several classes give logits of yes or no, one for each class.",
        _BATCH,
    ),
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
    nats = binary_nats(logit, target, 1, 1)
    return 1 - (2 * overlap + smooth) / (sizes + smooth) + mean(nats, over=positions)


@loss(
    source="Gauss 1823, Theoria combinationis observationum",
    elsewhere=("sklearn.metrics.root_mean_squared_error", "keras.metrics.RootMeanSquaredError"),
    promises="non_negative zero_at_target symmetric convex bounded_gradient",
    choose="An error in the unit of the data, one for each image, series or data set.",
    traps=(
        "The root is taken over the positions that axis= names; a mean of roots over batches is "
        "not the root over all, which sums() and of_sums give.",
        "Its gradient at 0 is 0 by convention.",
    ),
)
def root_mean_squared_error(
    prediction: Annotated[Real, positions], target: Annotated[Real, positions]
):
    """Root of the mean squared difference."""
    return sqrt(mean((prediction - target) ** 2, over=positions))
