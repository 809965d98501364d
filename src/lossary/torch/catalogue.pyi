# Written by `python -m lossary.torch.stubs`.
# ruff: noqa: RUF022  (names stand in the order of the tables)

import inspect
from collections.abc import Sequence
from typing import Any, Literal, TypedDict, Unpack

from torch import Tensor, nn

from lossary.engine import Loss

__all__ = [
    "LossModule",
    "module_of",
    "SquaredError",
    "HalfSquaredError",
    "AbsoluteError",
    "AbsolutePercentageError",
    "SquaredLogError",
    "Huber",
    "SmoothL1",
    "LogCosh",
    "Quantile",
    "Poisson",
    "PoissonFromRate",
    "Gaussian",
    "BinaryCrossEntropy",
    "BinaryCrossEntropyFromProbability",
    "BalancedCrossEntropy",
    "Focal",
    "SoftFocal",
    "SoftMargin",
    "MultiLabelSoftMargin",
    "CrossEntropy",
    "SoftCrossEntropy",
    "CrossEntropyFromProbabilities",
    "SoftCrossEntropyFromProbabilities",
    "NegativeLogLikelihood",
    "CategoricalFocal",
    "SoftCategoricalFocal",
    "PolyCrossEntropy",
    "GeneralizedCrossEntropyFromProbabilities",
    "Hinge",
    "Perceptron",
    "SquaredHinge",
    "CategoricalHinge",
    "CrammerSinger",
    "MulticlassPerceptron",
    "MultiMargin",
    "HingeEmbedding",
    "MarginRanking",
    "KlDivergence",
    "KlDivergenceFromProbabilities",
    "KlDivergenceWithLogTarget",
    "JensenShannon",
    "CosineSimilarity",
    "CosineDistance",
    "CosineEmbedding",
    "EuclideanDistance",
    "PearsonDistance",
    "TanimotoDistance",
    "TripletMargin",
    "Dice",
    "SquaredDice",
    "LogDice",
    "SemimetricDice",
    "Jaccard",
    "Tversky",
    "FocalTversky",
    "MatthewsCorrelation",
    "DiceBinaryCrossEntropy",
    "RootMeanSquaredError",
    "Exponential",
    "ModifiedHuber",
    "Distillation",
    "ReverseKlDivergence",
    "TotalVariationDistance",
    "Gamma",
    "Tweedie",
    "NegativeBinomial",
    "Laplace",
    "GaussianKl",
    "CrpsLogistic",
    "CrpsLaplace",
    "IntervalScore",
    "SmoothedBinaryCrossEntropy",
    "Brier",
    "MulticlassBrier",
    "SymmetricCrossEntropy",
    "NormalizedCrossEntropy",
    "LogitAdjusted",
    "LabelDistributionMargin",
    "ZeroBoundedRanking",
    "QualityFocal",
    "Varifocal",
    "SigmoidPair",
    "Coral",
    "LogisticHazard",
    "BradleyTerry",
    "DirectPreference",
    "ConservativePreference",
    "RobustPreference",
    "IdentityPreference",
    "HingePreference",
    "SequenceCalibration",
    "SimplePreference",
    "OddsRatioPreference",
    "KahnemanTversky",
    "ClippedPolicy",
    "EpsilonInsensitive",
    "SquaredEpsilonInsensitive",
    "Charbonnier",
    "PseudoHuber",
    "Cauchy",
    "GemanMcclure",
    "Welsch",
    "Tukey",
    "Fair",
    "Wing",
    "Expectile",
    "SymmetricAbsolutePercentageError",
]

class _Options(TypedDict, total=False):
    reduction: Literal["mean", "sum", "none"]
    empty: Literal["zero", "nan", "raise"]
    check: bool
    inplace: bool

class _Weighed(_Options, total=False):
    class_weight: Tensor | Sequence[float] | None

class _Rows(_Options, total=False):
    axis: int

class _WeighedRows(_Rows, total=False):
    class_weight: Tensor | Sequence[float] | None

class _Labelled(_WeighedRows, total=False):
    ignore_index: int | None

class _Positions(_Options, total=False):
    axis: int | tuple[int, ...] | None

class _Batch(TypedDict, total=False):
    weight: Tensor | float | None
    mask: Tensor | None
    denominator: Tensor | float | None

class _PositionsBatch(_Batch, total=False):
    position_weight: Tensor | float | None

class LossModule(nn.Module):
    loss: Loss
    def __init__(self, **settings: Any) -> None: ...
    def forward(self, *args: Tensor, **kwargs: Any) -> Tensor: ...

def class_name(loss: Loss) -> str: ...
def constructor(loss: Loss) -> inspect.Signature: ...
def module_of(loss: Loss) -> type[LossModule]: ...

class SquaredError(LossModule):
    def __init__(self, **options: Unpack[_Options]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class HalfSquaredError(LossModule):
    def __init__(self, **options: Unpack[_Options]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class AbsoluteError(LossModule):
    def __init__(self, **options: Unpack[_Options]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class AbsolutePercentageError(LossModule):
    def __init__(self, **options: Unpack[_Options]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class SquaredLogError(LossModule):
    def __init__(self, **options: Unpack[_Options]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class Huber(LossModule):
    def __init__(self, *, delta: Tensor | float = 1.0, **options: Unpack[_Options]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class SmoothL1(LossModule):
    def __init__(self, *, beta: Tensor | float = 1.0, **options: Unpack[_Options]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class LogCosh(LossModule):
    def __init__(self, **options: Unpack[_Options]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class Quantile(LossModule):
    def __init__(self, *, quantile: Tensor | float = 0.5, **options: Unpack[_Options]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class Poisson(LossModule):
    def __init__(self, **options: Unpack[_Options]) -> None: ...
    def __call__(self, log_rate: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class PoissonFromRate(LossModule):
    def __init__(self, **options: Unpack[_Options]) -> None: ...
    def __call__(self, rate: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class Gaussian(LossModule):
    def __init__(self, **options: Unpack[_Options]) -> None: ...
    def __call__(
        self, mean: Tensor, target: Tensor, variance: Tensor, **batch: Unpack[_Batch]
    ) -> Tensor: ...

class BinaryCrossEntropy(LossModule):
    def __init__(
        self, *, positive_weight: Tensor | float = 1.0, **options: Unpack[_Weighed]
    ) -> None: ...
    def __call__(self, logit: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class BinaryCrossEntropyFromProbability(LossModule):
    def __init__(self, **options: Unpack[_Weighed]) -> None: ...
    def __call__(self, probability: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class BalancedCrossEntropy(LossModule):
    def __init__(
        self, *, positives: Tensor | float, negatives: Tensor | float, **options: Unpack[_Weighed]
    ) -> None: ...
    def __call__(self, logit: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class Focal(LossModule):
    def __init__(
        self,
        *,
        gamma: Tensor | float = 2.0,
        alpha: Tensor | float | None = None,
        **options: Unpack[_Weighed],
    ) -> None: ...
    def __call__(self, logit: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class SoftFocal(LossModule):
    def __init__(
        self,
        *,
        gamma: Tensor | float = 2.0,
        alpha: Tensor | float | None = None,
        **options: Unpack[_Weighed],
    ) -> None: ...
    def __call__(self, logit: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class SoftMargin(LossModule):
    def __init__(self, **options: Unpack[_Weighed]) -> None: ...
    def __call__(self, score: Tensor, sign: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class MultiLabelSoftMargin(LossModule):
    def __init__(
        self, *, class_weight: Tensor | float | None = None, **options: Unpack[_Rows]
    ) -> None: ...
    def __call__(self, logits: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class CrossEntropy(LossModule):
    def __init__(
        self, *, label_smoothing: Tensor | float = 0.0, **options: Unpack[_Labelled]
    ) -> None: ...
    def __call__(self, logits: Tensor, label: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class SoftCrossEntropy(LossModule):
    def __init__(self, **options: Unpack[_WeighedRows]) -> None: ...
    def __call__(self, logits: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class CrossEntropyFromProbabilities(LossModule):
    def __init__(self, **options: Unpack[_Labelled]) -> None: ...
    def __call__(self, probabilities: Tensor, label: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class SoftCrossEntropyFromProbabilities(LossModule):
    def __init__(self, **options: Unpack[_WeighedRows]) -> None: ...
    def __call__(
        self, probabilities: Tensor, target: Tensor, **batch: Unpack[_Batch]
    ) -> Tensor: ...

class NegativeLogLikelihood(LossModule):
    def __init__(self, **options: Unpack[_Labelled]) -> None: ...
    def __call__(
        self, log_probabilities: Tensor, label: Tensor, **batch: Unpack[_Batch]
    ) -> Tensor: ...

class CategoricalFocal(LossModule):
    def __init__(self, *, gamma: Tensor | float = 2.0, **options: Unpack[_Labelled]) -> None: ...
    def __call__(self, logits: Tensor, label: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class SoftCategoricalFocal(LossModule):
    def __init__(self, *, gamma: Tensor | float = 2.0, **options: Unpack[_WeighedRows]) -> None: ...
    def __call__(self, logits: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class PolyCrossEntropy(LossModule):
    def __init__(
        self, *, epsilon: Tensor | float = 2.0, **options: Unpack[_WeighedRows]
    ) -> None: ...
    def __call__(self, logits: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class GeneralizedCrossEntropyFromProbabilities(LossModule):
    def __init__(self, *, q: Tensor | float = 0.5, **options: Unpack[_Labelled]) -> None: ...
    def __call__(self, probabilities: Tensor, label: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class Hinge(LossModule):
    def __init__(self, **options: Unpack[_Weighed]) -> None: ...
    def __call__(self, score: Tensor, sign: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class Perceptron(LossModule):
    def __init__(self, **options: Unpack[_Weighed]) -> None: ...
    def __call__(self, score: Tensor, sign: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class SquaredHinge(LossModule):
    def __init__(self, **options: Unpack[_Weighed]) -> None: ...
    def __call__(self, score: Tensor, sign: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class CategoricalHinge(LossModule):
    def __init__(self, **options: Unpack[_WeighedRows]) -> None: ...
    def __call__(self, scores: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class CrammerSinger(LossModule):
    def __init__(self, **options: Unpack[_Labelled]) -> None: ...
    def __call__(self, scores: Tensor, label: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class MulticlassPerceptron(LossModule):
    def __init__(self, **options: Unpack[_Labelled]) -> None: ...
    def __call__(self, scores: Tensor, label: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class MultiMargin(LossModule):
    def __init__(
        self, *, margin: Tensor | float = 1.0, p: Tensor | float = 1.0, **options: Unpack[_Labelled]
    ) -> None: ...
    def __call__(self, scores: Tensor, label: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class HingeEmbedding(LossModule):
    def __init__(self, *, margin: Tensor | float = 1.0, **options: Unpack[_Weighed]) -> None: ...
    def __call__(self, distance: Tensor, sign: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class MarginRanking(LossModule):
    def __init__(self, *, margin: Tensor | float = 0.0, **options: Unpack[_Options]) -> None: ...
    def __call__(
        self, first: Tensor, second: Tensor, sign: Tensor, **batch: Unpack[_Batch]
    ) -> Tensor: ...

class KlDivergence(LossModule):
    def __init__(self, **options: Unpack[_WeighedRows]) -> None: ...
    def __call__(
        self, log_probabilities: Tensor, target: Tensor, **batch: Unpack[_Batch]
    ) -> Tensor: ...

class KlDivergenceFromProbabilities(LossModule):
    def __init__(self, **options: Unpack[_WeighedRows]) -> None: ...
    def __call__(
        self, probabilities: Tensor, target: Tensor, **batch: Unpack[_Batch]
    ) -> Tensor: ...

class KlDivergenceWithLogTarget(LossModule):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...
    def __call__(
        self, log_probabilities: Tensor, log_target: Tensor, **batch: Unpack[_Batch]
    ) -> Tensor: ...

class JensenShannon(LossModule):
    def __init__(self, **options: Unpack[_WeighedRows]) -> None: ...
    def __call__(
        self, probabilities: Tensor, target: Tensor, **batch: Unpack[_Batch]
    ) -> Tensor: ...

class CosineSimilarity(LossModule):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class CosineDistance(LossModule):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class CosineEmbedding(LossModule):
    def __init__(self, *, margin: Tensor | float = 0.0, **options: Unpack[_Rows]) -> None: ...
    def __call__(
        self, first: Tensor, second: Tensor, sign: Tensor, **batch: Unpack[_Batch]
    ) -> Tensor: ...

class EuclideanDistance(LossModule):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class PearsonDistance(LossModule):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class TanimotoDistance(LossModule):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class TripletMargin(LossModule):
    def __init__(self, *, margin: Tensor | float = 1.0, **options: Unpack[_Rows]) -> None: ...
    def __call__(
        self, anchor: Tensor, positive: Tensor, negative: Tensor, **batch: Unpack[_Batch]
    ) -> Tensor: ...

class Dice(LossModule):
    def __init__(self, *, smooth: Tensor | float = 0.0, **options: Unpack[_Positions]) -> None: ...
    def __call__(
        self, prediction: Tensor, target: Tensor, **batch: Unpack[_PositionsBatch]
    ) -> Tensor: ...

class SquaredDice(LossModule):
    def __init__(self, *, smooth: Tensor | float = 0.0, **options: Unpack[_Positions]) -> None: ...
    def __call__(
        self, prediction: Tensor, target: Tensor, **batch: Unpack[_PositionsBatch]
    ) -> Tensor: ...

class LogDice(LossModule):
    def __init__(self, *, smooth: Tensor | float = 0.0, **options: Unpack[_Positions]) -> None: ...
    def __call__(
        self, prediction: Tensor, target: Tensor, **batch: Unpack[_PositionsBatch]
    ) -> Tensor: ...

class SemimetricDice(LossModule):
    def __init__(self, **options: Unpack[_Positions]) -> None: ...
    def __call__(
        self, prediction: Tensor, target: Tensor, **batch: Unpack[_PositionsBatch]
    ) -> Tensor: ...

class Jaccard(LossModule):
    def __init__(self, *, smooth: Tensor | float = 0.0, **options: Unpack[_Positions]) -> None: ...
    def __call__(
        self, prediction: Tensor, target: Tensor, **batch: Unpack[_PositionsBatch]
    ) -> Tensor: ...

class Tversky(LossModule):
    def __init__(
        self,
        *,
        alpha: Tensor | float = 0.3,
        beta: Tensor | float = 0.7,
        smooth: Tensor | float = 0.0,
        **options: Unpack[_Positions],
    ) -> None: ...
    def __call__(
        self, prediction: Tensor, target: Tensor, **batch: Unpack[_PositionsBatch]
    ) -> Tensor: ...

class FocalTversky(LossModule):
    def __init__(
        self,
        *,
        alpha: Tensor | float = 0.3,
        beta: Tensor | float = 0.7,
        gamma: Tensor | float = 1.3333333333333333,
        **options: Unpack[_Positions],
    ) -> None: ...
    def __call__(
        self, prediction: Tensor, target: Tensor, **batch: Unpack[_PositionsBatch]
    ) -> Tensor: ...

class MatthewsCorrelation(LossModule):
    def __init__(self, **options: Unpack[_Positions]) -> None: ...
    def __call__(
        self, prediction: Tensor, target: Tensor, **batch: Unpack[_PositionsBatch]
    ) -> Tensor: ...

class DiceBinaryCrossEntropy(LossModule):
    def __init__(self, *, smooth: Tensor | float = 0.0, **options: Unpack[_Positions]) -> None: ...
    def __call__(
        self, logit: Tensor, target: Tensor, **batch: Unpack[_PositionsBatch]
    ) -> Tensor: ...

class RootMeanSquaredError(LossModule):
    def __init__(self, **options: Unpack[_Positions]) -> None: ...
    def __call__(
        self, prediction: Tensor, target: Tensor, **batch: Unpack[_PositionsBatch]
    ) -> Tensor: ...

class Exponential(LossModule):
    def __init__(self, **options: Unpack[_Weighed]) -> None: ...
    def __call__(self, score: Tensor, sign: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class ModifiedHuber(LossModule):
    def __init__(self, **options: Unpack[_Weighed]) -> None: ...
    def __call__(self, score: Tensor, sign: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class Distillation(LossModule):
    def __init__(self, *, temperature: Tensor | float = 2.0, **options: Unpack[_Rows]) -> None: ...
    def __call__(self, logits: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class ReverseKlDivergence(LossModule):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...
    def __call__(self, logits: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class TotalVariationDistance(LossModule):
    def __init__(self, **options: Unpack[_WeighedRows]) -> None: ...
    def __call__(
        self, probabilities: Tensor, target: Tensor, **batch: Unpack[_Batch]
    ) -> Tensor: ...

class Gamma(LossModule):
    def __init__(self, **options: Unpack[_Options]) -> None: ...
    def __call__(self, log_mean: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class Tweedie(LossModule):
    def __init__(self, *, power: Tensor | float = 1.5, **options: Unpack[_Options]) -> None: ...
    def __call__(self, log_mean: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class NegativeBinomial(LossModule):
    def __init__(
        self, *, dispersion: Tensor | float = 1.0, **options: Unpack[_Options]
    ) -> None: ...
    def __call__(self, log_mean: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class Laplace(LossModule):
    def __init__(self, **options: Unpack[_Options]) -> None: ...
    def __call__(
        self, location: Tensor, target: Tensor, scale: Tensor, **batch: Unpack[_Batch]
    ) -> Tensor: ...

class GaussianKl(LossModule):
    def __init__(self, **options: Unpack[_Options]) -> None: ...
    def __call__(self, mean: Tensor, variance: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class CrpsLogistic(LossModule):
    def __init__(self, **options: Unpack[_Options]) -> None: ...
    def __call__(
        self, location: Tensor, target: Tensor, scale: Tensor, **batch: Unpack[_Batch]
    ) -> Tensor: ...

class CrpsLaplace(LossModule):
    def __init__(self, **options: Unpack[_Options]) -> None: ...
    def __call__(
        self, location: Tensor, target: Tensor, scale: Tensor, **batch: Unpack[_Batch]
    ) -> Tensor: ...

class IntervalScore(LossModule):
    def __init__(self, *, alpha: Tensor | float = 0.1, **options: Unpack[_Options]) -> None: ...
    def __call__(
        self, lower: Tensor, upper: Tensor, target: Tensor, **batch: Unpack[_Batch]
    ) -> Tensor: ...

class SmoothedBinaryCrossEntropy(LossModule):
    def __init__(
        self, *, label_smoothing: Tensor | float = 0.1, **options: Unpack[_Options]
    ) -> None: ...
    def __call__(self, logit: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class Brier(LossModule):
    def __init__(self, **options: Unpack[_Options]) -> None: ...
    def __call__(self, probability: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class MulticlassBrier(LossModule):
    def __init__(self, **options: Unpack[_Labelled]) -> None: ...
    def __call__(self, probabilities: Tensor, label: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class SymmetricCrossEntropy(LossModule):
    def __init__(
        self,
        *,
        alpha: Tensor | float = 0.1,
        beta: Tensor | float = 1.0,
        log_zero: Tensor | float = -4.0,
        **options: Unpack[_Labelled],
    ) -> None: ...
    def __call__(self, logits: Tensor, label: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class NormalizedCrossEntropy(LossModule):
    def __init__(self, **options: Unpack[_Labelled]) -> None: ...
    def __call__(self, logits: Tensor, label: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class LogitAdjusted(LossModule):
    def __init__(
        self,
        *,
        class_counts: Tensor | float | None = None,
        tau: Tensor | float = 1.0,
        **options: Unpack[_Labelled],
    ) -> None: ...
    def __call__(self, logits: Tensor, label: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class LabelDistributionMargin(LossModule):
    def __init__(
        self,
        *,
        margins: Tensor | float | None = None,
        logit_scale: Tensor | float = 30.0,
        **options: Unpack[_Labelled],
    ) -> None: ...
    def __call__(self, logits: Tensor, label: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class ZeroBoundedRanking(LossModule):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...
    def __call__(self, scores: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class QualityFocal(LossModule):
    def __init__(self, *, beta: Tensor | float = 2.0, **options: Unpack[_Options]) -> None: ...
    def __call__(self, logit: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class Varifocal(LossModule):
    def __init__(
        self,
        *,
        alpha: Tensor | float = 0.75,
        gamma: Tensor | float = 2.0,
        **options: Unpack[_Options],
    ) -> None: ...
    def __call__(self, logit: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class SigmoidPair(LossModule):
    def __init__(
        self,
        *,
        scale: Tensor | float = 10.0,
        bias: Tensor | float = -10.0,
        **options: Unpack[_Weighed],
    ) -> None: ...
    def __call__(self, similarity: Tensor, sign: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class Coral(LossModule):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...
    def __call__(self, logits: Tensor, levels: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class LogisticHazard(LossModule):
    def __init__(self, **options: Unpack[_Labelled]) -> None: ...
    def __call__(
        self, logits: Tensor, label: Tensor, event: Tensor, **batch: Unpack[_Batch]
    ) -> Tensor: ...

class BradleyTerry(LossModule):
    def __init__(self, *, margin: Tensor | float = 0.0, **options: Unpack[_Options]) -> None: ...
    def __call__(self, chosen: Tensor, rejected: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class DirectPreference(LossModule):
    def __init__(self, *, beta: Tensor | float = 0.1, **options: Unpack[_Options]) -> None: ...
    def __call__(
        self,
        chosen: Tensor,
        rejected: Tensor,
        reference_chosen: Tensor,
        reference_rejected: Tensor,
        **batch: Unpack[_Batch],
    ) -> Tensor: ...

class ConservativePreference(LossModule):
    def __init__(
        self,
        *,
        beta: Tensor | float = 0.1,
        label_smoothing: Tensor | float = 0.1,
        **options: Unpack[_Options],
    ) -> None: ...
    def __call__(
        self,
        chosen: Tensor,
        rejected: Tensor,
        reference_chosen: Tensor,
        reference_rejected: Tensor,
        **batch: Unpack[_Batch],
    ) -> Tensor: ...

class RobustPreference(LossModule):
    def __init__(
        self,
        *,
        beta: Tensor | float = 0.1,
        label_smoothing: Tensor | float = 0.1,
        **options: Unpack[_Options],
    ) -> None: ...
    def __call__(
        self,
        chosen: Tensor,
        rejected: Tensor,
        reference_chosen: Tensor,
        reference_rejected: Tensor,
        **batch: Unpack[_Batch],
    ) -> Tensor: ...

class IdentityPreference(LossModule):
    def __init__(self, *, beta: Tensor | float = 0.1, **options: Unpack[_Options]) -> None: ...
    def __call__(
        self,
        chosen: Tensor,
        rejected: Tensor,
        reference_chosen: Tensor,
        reference_rejected: Tensor,
        **batch: Unpack[_Batch],
    ) -> Tensor: ...

class HingePreference(LossModule):
    def __init__(self, *, beta: Tensor | float = 0.1, **options: Unpack[_Options]) -> None: ...
    def __call__(
        self,
        chosen: Tensor,
        rejected: Tensor,
        reference_chosen: Tensor,
        reference_rejected: Tensor,
        **batch: Unpack[_Batch],
    ) -> Tensor: ...

class SequenceCalibration(LossModule):
    def __init__(self, *, margin: Tensor | float = 1.0, **options: Unpack[_Options]) -> None: ...
    def __call__(self, chosen: Tensor, rejected: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class SimplePreference(LossModule):
    def __init__(
        self,
        *,
        beta: Tensor | float = 2.0,
        margin: Tensor | float = 1.0,
        **options: Unpack[_Options],
    ) -> None: ...
    def __call__(self, chosen: Tensor, rejected: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class OddsRatioPreference(LossModule):
    def __init__(self, **options: Unpack[_Options]) -> None: ...
    def __call__(self, chosen: Tensor, rejected: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class KahnemanTversky(LossModule):
    def __init__(
        self,
        *,
        beta: Tensor | float = 0.1,
        desirable: Tensor | float = 1.0,
        undesirable: Tensor | float = 1.0,
        **options: Unpack[_Options],
    ) -> None: ...
    def __call__(
        self,
        log_probability: Tensor,
        reference: Tensor,
        baseline: Tensor,
        sign: Tensor,
        **batch: Unpack[_Batch],
    ) -> Tensor: ...

class ClippedPolicy(LossModule):
    def __init__(self, *, clip: Tensor | float = 0.2, **options: Unpack[_Options]) -> None: ...
    def __call__(
        self,
        log_probability: Tensor,
        old_log_probability: Tensor,
        advantage: Tensor,
        **batch: Unpack[_Batch],
    ) -> Tensor: ...

class EpsilonInsensitive(LossModule):
    def __init__(self, *, epsilon: Tensor | float = 0.1, **options: Unpack[_Options]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class SquaredEpsilonInsensitive(LossModule):
    def __init__(self, *, epsilon: Tensor | float = 0.1, **options: Unpack[_Options]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class Charbonnier(LossModule):
    def __init__(self, *, scale: Tensor | float = 1.0, **options: Unpack[_Options]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class PseudoHuber(LossModule):
    def __init__(self, *, delta: Tensor | float = 1.0, **options: Unpack[_Options]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class Cauchy(LossModule):
    def __init__(self, *, scale: Tensor | float = 1.0, **options: Unpack[_Options]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class GemanMcclure(LossModule):
    def __init__(self, *, scale: Tensor | float = 1.0, **options: Unpack[_Options]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class Welsch(LossModule):
    def __init__(self, *, scale: Tensor | float = 1.0, **options: Unpack[_Options]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class Tukey(LossModule):
    def __init__(self, *, scale: Tensor | float = 4.685, **options: Unpack[_Options]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class Fair(LossModule):
    def __init__(self, *, scale: Tensor | float = 1.0, **options: Unpack[_Options]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class Wing(LossModule):
    def __init__(
        self,
        *,
        width: Tensor | float = 10.0,
        curvature: Tensor | float = 2.0,
        **options: Unpack[_Options],
    ) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class Expectile(LossModule):
    def __init__(self, *, expectile: Tensor | float = 0.5, **options: Unpack[_Options]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...

class SymmetricAbsolutePercentageError(LossModule):
    def __init__(self, **options: Unpack[_Options]) -> None: ...
    def __call__(self, prediction: Tensor, target: Tensor, **batch: Unpack[_Batch]) -> Tensor: ...
