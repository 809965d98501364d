"""Numbers that papers and other libraries print, for inputs that they share.

Values with their derivatives stand in ``values/``; here are those of conventions that a loss of the
catalogue is called with: other parameters, sums of rows, distances that come first.
"""

from math import lgamma, log, radians

import numpy as np
import pytest

import lossary as L
from lossary.boosters.definitions import cumulative_link

BOX = [0.0, 0.0, 4.0, 2.0], [1.0, 0.0, 4.0, 4.0]
APART = [0.0, 0.0, 1.0, 1.0], [2.0, 3.0, 4.0, 4.0]
LIST, GRADES = np.array([2.0, 0.5, 1.0, -1.0]), np.array([1.0, 2.0, 0.0, 0.0])
LOGITS = [1.2, -0.7, 0.3]
ROWS = np.array([[1.0, 0.0, 0.0], [0.8, 0.6, 0.0], [0.0, 1.0, 0.0], [0.0, 0.6, 0.8]])
WEIGHTS = np.array([[1.0, 0.2], [0.1, 1.0], [0.3, 0.4]])
LABELS = np.array([0, 0, 1, 1])
ONE = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
OTHER = np.array([[0.8, 0.6], [0.0, 1.0], [-0.6, 0.8]])
IMAGE = np.array([  # logits of three classes at two by three pixels
    [[2.0, 0.5, -1.0], [0.0, -0.5, 1.5]], [[-1.0, 1.0, 0.5], [0.3, 2.0, -0.7]],
    [[0.1, -0.2, 0.0], [1.2, 0.4, 0.6]],
])  # fmt: skip
SEGMENTS = 1.0 * (np.arange(3)[:, None, None] == np.array([[0, 1, 1], [2, 1, 0]]))
MASK, MASKED = np.array([0.9, 0.8, 0.3, 0.2, 0.6, 0.1]), np.array([1.0, 1.0, 0.0, 0.0, 1.0, 1.0])
LATER = [0.5, -0.2, 0.3, 0.1, -0.4], [5.0, 4.0, 3.0, 2.0, 1.0], [1.0, 1.0, 1.0, 0.0, 1.0]
SEEN = [1.2, -0.7, 0.3], [1.0, 0.0, 1.0]
COSINES = ROWS @ (WEIGHTS / np.linalg.norm(WEIGHTS, axis=0))
PAIRS = ONE @ OTHER.T


def negative_log_likelihood(log_mean, count, number):
    """Of a negative binomial distribution, with the constants that the catalogue leaves out."""
    constant = lgamma(number) + lgamma(count + 1) - lgamma(count + number) + count * log(number)
    return L.negative_binomial(log_mean, count, dispersion=1 / number) + constant


def deviance():
    return 2 * (L.tweedie(log(3.0), 2.0) - L.tweedie(log(2.0), 2.0))


def sigmoid_loss_of_pairs():
    return L.sigmoid_pair(PAIRS, 2 * np.eye(3) - 1, scale=2.0, bias=-1.0, reduction="sum") / 3


def softmax(logits):
    grown = np.exp(logits)
    return grown / grown.sum(0)


def dice_of_classes(smooth=0.0):
    return L.dice(softmax(IMAGE), SEGMENTS, axis=(1, 2), reduction="none", smooth=smooth)


def optax_generalized_dice():
    weight = 1 / SEGMENTS.sum((1, 2)) ** 2
    return (weight / weight.mean() * dice_of_classes()).mean()


def dice_and_cross_entropy():
    return dice_of_classes(1e-5).mean() + L.cross_entropy(IMAGE, SEGMENTS.argmax(0), axis=0)


def lovasz_of_classes():
    return L.lovasz_softmax(softmax(IMAGE), SEGMENTS, axis=(1, 2), reduction="none")


def gamma_of_shape(shape, rate, amount):
    """Of a gamma distribution, with the constants that the catalogue leaves out."""
    constant = lgamma(shape) - shape * log(shape) - (shape - 1) * log(amount)
    return shape * L.gamma(log(shape / rate), amount) + constant


def margins():
    return 0.5 * np.array([100.0, 10.0, 1.0]) ** -0.25


PRINTED = {
    "torchvision 0.28, complete_box_iou_loss, with 1e-7 in its divisors": (
        "0.62201717", lambda: L.complete_iou(*BOX)),
    "the same, apart": ("1.4782520", lambda: L.complete_iou(*APART)),
    "open_clip, SigLipLoss": ("1.864925905", sigmoid_loss_of_pairs),
    "TensorFlow Ranking, SoftmaxLoss": (
        "1.495181898", lambda: L.soft_cross_entropy(LIST, GRADES / GRADES.sum())),
    "rax, softmax_loss of raw labels": (
        "4.485545694", lambda: 3 * L.soft_cross_entropy(LIST, GRADES / GRADES.sum())),
    "rax, pairwise_logistic_loss: the mean over the pairs": (
        "0.6477505158", lambda: L.ranknet(LIST, GRADES) / 5),
    "allRank, lambdaLoss in logarithms of base 2": (
        "0.9016266408", lambda: L.lambdarank(LIST, GRADES) / log(2)),
    "scikit-learn 1.9, mean_tweedie_deviance, power 1.5": ("0.2332968848", deviance),
    "torch.distributions.NegativeBinomial, 5 and logits of 0.3": (
        "2.379493894", lambda: negative_log_likelihood(log(5) + 0.3, 3.0, 5.0)),
    "McCullagh 1980, proportional odds": (
        "1.091629782", lambda: cumulative_link(0.3, -1.0, 0.5)),
    "Wang 2019, eq. 6, A = -4": (
        "1.429534345", lambda: L.symmetric_cross_entropy(LOGITS, 0, alpha=1.0, beta=1.0)
        - L.cross_entropy(LOGITS, 0)),
    "Cao 2019, eq. 13, of margins with eight digits": (
        "2.15818e-10",
        lambda: L.label_distribution_margin(LOGITS, 0, margins=margins(), logit_scale=30.0)),
    "pytorch-metric-learning 2.9, ArcFaceLoss": (
        "0.5852322812",
        lambda: L.arcface(COSINES, LABELS, margin=radians(28.6), logit_scale=8.0)),
    "the same, NormalizedSoftmaxLoss": (
        "0.01927775103", lambda: L.cross_entropy(COSINES / 0.05, LABELS)),
    "the same, NTXentLoss, three of a class and one alone: a mean over anchors with a partner": (
        "0.6436880906",
        lambda: L.pairs.value(L.nt_xent, ROWS, label=[0, 0, 0, 1], temperature=0.5) * 4 / 3),
    "the same, NPairsLoss": (
        "0.5321239233",
        lambda: L.pairs.value(L.info_nce, ROWS[::2], ROWS[1::2], temperature=1.0)),
    "lightly, NegativeCosineSimilarity": (
        "0.5962847940", lambda: 1 - L.cosine_distance([1.0, 2.0, 2.0], [2.0, 0.0, 1.0])),
    "Grill 2020, eq. 2": (
        "0.8074304120", lambda: 2 * L.cosine_distance([1.0, 2.0, 2.0], [2.0, 0.0, 1.0])),
    "pycox 0.3, CoxPHLoss: 1e-7 in its logarithm, divided by the events": (
        "1.066053", lambda: L.cox(*LATER) / 4),
    "the same, of tied-free times in torchsurv 0.2, neg_partial_log_likelihood": (
        "4.2642126", lambda: L.cox(*LATER)),
    "MONAI 1.6, kornia 0.9, optax 0.2.8, Dice of the first class": (
        "0.28453607", lambda: dice_of_classes()[0]),
    "the same, of the second": ("0.28892660", lambda: dice_of_classes()[1]),
    "the same, of the third": ("0.55383013", lambda: dice_of_classes()[2]),
    "optax 0.2.8, multiclass_generalized_dice_loss, a weighted mean of Dice losses": (
        "0.4827432", optax_generalized_dice),
    "MONAI 1.6, DiceCELoss": ("0.8147560721", dice_and_cross_entropy),
    "MONAI 1.6, DiceFocalLoss, with its 1e-5": (
        "0.5070941", lambda: dice_of_classes(1e-5).mean() + L.focal(IMAGE, SEGMENTS)),
    "kornia 0.9, lovasz_softmax_loss, of the second class": (
        "0.38488776", lambda: lovasz_of_classes()[1]),
    "the same, of the third class": ("0.41443895", lambda: lovasz_of_classes()[2]),
    "segmentation-models-pytorch 0.6, MCCLoss, with 1e-5 on each count": (
        "0.6698", lambda: L.matthews_correlation(MASK, MASKED)),
    "torchvision 0.29, generalized_box_iou_loss, its slope": (
        "-0.085556", lambda: L.generalized_iou.gradient([0.0, 0, 4, 3], [1.0, 1, 5, 4])[0]),
    "the same, distance_box_iou_loss": (
        "0.041016", lambda: L.distance_iou.gradient(*APART)[0]),
    "the same, in y": ("0.025391", lambda: L.distance_iou.gradient(*APART)[1]),
    "torch.distributions.Gamma, of shape 2 and rate 1.5": (
        "0.6322169643", lambda: gamma_of_shape(2.0, 1.5, 0.5)),
    "timm 1.0.31, AsymmetricLossMultiLabel, with 1e-8 in its logarithms": (
        "0.2989412", lambda: L.asymmetric(*SEEN, reduction="sum")),
    "the same, its mean": ("0.0996471", lambda: L.asymmetric(*SEEN)),
    "Cao 2019, eq. 13, without a scale": (
        "0.5016261571",
        lambda: L.label_distribution_margin(LOGITS, 0, margins=margins(), logit_scale=1.0)),
    "SciPy, nbinom of mean 1.5 and dispersion 0.4": (
        "2.236125204", lambda: negative_log_likelihood(log(1.5), 3.0, 2.5)),
    "mpmath, a Gaussian likelihood": (
        "0.5134282243", lambda: L.gaussian(0.5, 1.5, 0.8)),
    "scikit-learn 1.9, HalfTweedieLoss without its constant": (
        "5.773502692", lambda: L.tweedie(log(3.0), 2.0)),
}  # fmt: skip


@pytest.mark.parametrize("origin", PRINTED)
def test_the_number_in_print(origin):
    printed, compute = PRINTED[origin]
    mantissa, _, exponent = printed.partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    assert abs(float(compute()) - float(printed)) <= 0.6 * unit
