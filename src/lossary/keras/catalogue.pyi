# Written by `python -m lossary.keras.stubs`.
# ruff: noqa: RUF022  (names stand in the order of the tables)

import inspect
from typing import Any, Literal, TypeAlias, TypedDict, Unpack

from lossary.engine import Loss as CoreLoss
from lossary.keras import losses

__all__ = [
    "CatalogueLoss",
    "class_of",
    "SquaredError",
    "HalfSquaredError",
    "AbsoluteError",
    "AbsolutePercentageError",
    "SquaredLogError",
    "SmoothL1",
    "Quantile",
    "PoissonFromLogRate",
    "PoissonFromRate",
    "BinaryCrossEntropyFromLogit",
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
    "Perceptron",
    "CrammerSinger",
    "MulticlassPerceptron",
    "MultiMargin",
    "HingeEmbedding",
    "KlDivergenceFromLogProbabilities",
    "KlDivergenceFromProbabilities",
    "KlDivergenceWithLogTarget",
    "JensenShannon",
    "CosineDistance",
    "EuclideanDistance",
    "PearsonDistance",
    "TanimotoDistance",
    "SquaredDice",
    "LogDice",
    "SemimetricDice",
    "Jaccard",
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
    "GaussianKl",
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
    "BradleyTerry",
    "SequenceCalibration",
    "SimplePreference",
    "OddsRatioPreference",
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

_Reduction: TypeAlias = (
    Literal["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none"] | None
)

class _Options(TypedDict, total=False):
    reduction: _Reduction
    name: str | None
    dtype: Any

class _Rows(_Options, total=False):
    axis: int

RENAMED: dict[str, str]

class CatalogueLoss(losses.Loss):
    loss: CoreLoss
    settings: dict[str, Any]
    axis: int
    def __init__(self, **settings: Any) -> None: ...

def class_name(loss: CoreLoss) -> str: ...
def class_of(loss: CoreLoss) -> type[CatalogueLoss]: ...
def folded(name: str) -> str: ...
def constructor(loss: CoreLoss) -> inspect.Signature: ...
def offered() -> list[CoreLoss]: ...

class SquaredError(CatalogueLoss):
    def __init__(self, **options: Unpack[_Options]) -> None: ...

class HalfSquaredError(CatalogueLoss):
    def __init__(self, **options: Unpack[_Options]) -> None: ...

class AbsoluteError(CatalogueLoss):
    def __init__(self, **options: Unpack[_Options]) -> None: ...

class AbsolutePercentageError(CatalogueLoss):
    def __init__(self, **options: Unpack[_Options]) -> None: ...

class SquaredLogError(CatalogueLoss):
    def __init__(self, **options: Unpack[_Options]) -> None: ...

class SmoothL1(CatalogueLoss):
    def __init__(self, *, beta: Any = 1.0, **options: Unpack[_Options]) -> None: ...

class Quantile(CatalogueLoss):
    def __init__(self, *, quantile: Any = 0.5, **options: Unpack[_Options]) -> None: ...

class PoissonFromLogRate(CatalogueLoss):
    def __init__(self, **options: Unpack[_Options]) -> None: ...

class PoissonFromRate(CatalogueLoss):
    def __init__(self, **options: Unpack[_Options]) -> None: ...

class BinaryCrossEntropyFromLogit(CatalogueLoss):
    def __init__(self, *, positive_weight: Any = 1.0, **options: Unpack[_Options]) -> None: ...

class BinaryCrossEntropyFromProbability(CatalogueLoss):
    def __init__(self, **options: Unpack[_Options]) -> None: ...

class BalancedCrossEntropy(CatalogueLoss):
    def __init__(self, *, positives: Any, negatives: Any, **options: Unpack[_Options]) -> None: ...

class Focal(CatalogueLoss):
    def __init__(
        self, *, gamma: Any = 2.0, alpha: Any | None = None, **options: Unpack[_Options]
    ) -> None: ...

class SoftFocal(CatalogueLoss):
    def __init__(
        self, *, gamma: Any = 2.0, alpha: Any | None = None, **options: Unpack[_Options]
    ) -> None: ...

class SoftMargin(CatalogueLoss):
    def __init__(self, **options: Unpack[_Options]) -> None: ...

class MultiLabelSoftMargin(CatalogueLoss):
    def __init__(self, *, class_weight: Any | None = None, **options: Unpack[_Rows]) -> None: ...

class CrossEntropy(CatalogueLoss):
    def __init__(self, *, label_smoothing: Any = 0.0, **options: Unpack[_Rows]) -> None: ...

class SoftCrossEntropy(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class CrossEntropyFromProbabilities(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class SoftCrossEntropyFromProbabilities(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class NegativeLogLikelihood(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class CategoricalFocal(CatalogueLoss):
    def __init__(self, *, gamma: Any = 2.0, **options: Unpack[_Rows]) -> None: ...

class SoftCategoricalFocal(CatalogueLoss):
    def __init__(self, *, gamma: Any = 2.0, **options: Unpack[_Rows]) -> None: ...

class PolyCrossEntropy(CatalogueLoss):
    def __init__(self, *, epsilon: Any = 2.0, **options: Unpack[_Rows]) -> None: ...

class GeneralizedCrossEntropyFromProbabilities(CatalogueLoss):
    def __init__(self, *, q: Any = 0.5, **options: Unpack[_Rows]) -> None: ...

class Perceptron(CatalogueLoss):
    def __init__(self, **options: Unpack[_Options]) -> None: ...

class CrammerSinger(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class MulticlassPerceptron(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class MultiMargin(CatalogueLoss):
    def __init__(self, *, margin: Any = 1.0, p: Any = 1.0, **options: Unpack[_Rows]) -> None: ...

class HingeEmbedding(CatalogueLoss):
    def __init__(self, *, margin: Any = 1.0, **options: Unpack[_Options]) -> None: ...

class KlDivergenceFromLogProbabilities(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class KlDivergenceFromProbabilities(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class KlDivergenceWithLogTarget(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class JensenShannon(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class CosineDistance(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class EuclideanDistance(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class PearsonDistance(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class TanimotoDistance(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class SquaredDice(CatalogueLoss):
    def __init__(self, *, smooth: Any = 0.0, **options: Unpack[_Rows]) -> None: ...

class LogDice(CatalogueLoss):
    def __init__(self, *, smooth: Any = 0.0, **options: Unpack[_Rows]) -> None: ...

class SemimetricDice(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class Jaccard(CatalogueLoss):
    def __init__(self, *, smooth: Any = 0.0, **options: Unpack[_Rows]) -> None: ...

class FocalTversky(CatalogueLoss):
    def __init__(
        self,
        *,
        alpha: Any = 0.3,
        beta: Any = 0.7,
        gamma: Any = 1.3333333333333333,
        **options: Unpack[_Rows],
    ) -> None: ...

class MatthewsCorrelation(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class DiceBinaryCrossEntropy(CatalogueLoss):
    def __init__(self, *, smooth: Any = 0.0, **options: Unpack[_Rows]) -> None: ...

class RootMeanSquaredError(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class Exponential(CatalogueLoss):
    def __init__(self, **options: Unpack[_Options]) -> None: ...

class ModifiedHuber(CatalogueLoss):
    def __init__(self, **options: Unpack[_Options]) -> None: ...

class Distillation(CatalogueLoss):
    def __init__(self, *, temperature: Any = 2.0, **options: Unpack[_Rows]) -> None: ...

class ReverseKlDivergence(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class TotalVariationDistance(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class Gamma(CatalogueLoss):
    def __init__(self, **options: Unpack[_Options]) -> None: ...

class Tweedie(CatalogueLoss):
    def __init__(self, *, power: Any = 1.5, **options: Unpack[_Options]) -> None: ...

class NegativeBinomial(CatalogueLoss):
    def __init__(self, *, dispersion: Any = 1.0, **options: Unpack[_Options]) -> None: ...

class GaussianKl(CatalogueLoss):
    def __init__(self, **options: Unpack[_Options]) -> None: ...

class SmoothedBinaryCrossEntropy(CatalogueLoss):
    def __init__(self, *, label_smoothing: Any = 0.1, **options: Unpack[_Options]) -> None: ...

class Brier(CatalogueLoss):
    def __init__(self, **options: Unpack[_Options]) -> None: ...

class MulticlassBrier(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class SymmetricCrossEntropy(CatalogueLoss):
    def __init__(
        self, *, alpha: Any = 0.1, beta: Any = 1.0, log_zero: Any = -4.0, **options: Unpack[_Rows]
    ) -> None: ...

class NormalizedCrossEntropy(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class LogitAdjusted(CatalogueLoss):
    def __init__(
        self, *, class_counts: Any | None = None, tau: Any = 1.0, **options: Unpack[_Rows]
    ) -> None: ...

class LabelDistributionMargin(CatalogueLoss):
    def __init__(
        self, *, margins: Any | None = None, logit_scale: Any = 30.0, **options: Unpack[_Rows]
    ) -> None: ...

class ZeroBoundedRanking(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class QualityFocal(CatalogueLoss):
    def __init__(self, *, beta: Any = 2.0, **options: Unpack[_Options]) -> None: ...

class Varifocal(CatalogueLoss):
    def __init__(
        self, *, alpha: Any = 0.75, gamma: Any = 2.0, **options: Unpack[_Options]
    ) -> None: ...

class SigmoidPair(CatalogueLoss):
    def __init__(
        self, *, scale: Any = 10.0, bias: Any = -10.0, **options: Unpack[_Options]
    ) -> None: ...

class Coral(CatalogueLoss):
    def __init__(self, **options: Unpack[_Rows]) -> None: ...

class BradleyTerry(CatalogueLoss):
    def __init__(self, *, margin: Any = 0.0, **options: Unpack[_Options]) -> None: ...

class SequenceCalibration(CatalogueLoss):
    def __init__(self, *, margin: Any = 1.0, **options: Unpack[_Options]) -> None: ...

class SimplePreference(CatalogueLoss):
    def __init__(
        self, *, beta: Any = 2.0, margin: Any = 1.0, **options: Unpack[_Options]
    ) -> None: ...

class OddsRatioPreference(CatalogueLoss):
    def __init__(self, **options: Unpack[_Options]) -> None: ...

class EpsilonInsensitive(CatalogueLoss):
    def __init__(self, *, epsilon: Any = 0.1, **options: Unpack[_Options]) -> None: ...

class SquaredEpsilonInsensitive(CatalogueLoss):
    def __init__(self, *, epsilon: Any = 0.1, **options: Unpack[_Options]) -> None: ...

class Charbonnier(CatalogueLoss):
    def __init__(self, *, scale: Any = 1.0, **options: Unpack[_Options]) -> None: ...

class PseudoHuber(CatalogueLoss):
    def __init__(self, *, delta: Any = 1.0, **options: Unpack[_Options]) -> None: ...

class Cauchy(CatalogueLoss):
    def __init__(self, *, scale: Any = 1.0, **options: Unpack[_Options]) -> None: ...

class GemanMcclure(CatalogueLoss):
    def __init__(self, *, scale: Any = 1.0, **options: Unpack[_Options]) -> None: ...

class Welsch(CatalogueLoss):
    def __init__(self, *, scale: Any = 1.0, **options: Unpack[_Options]) -> None: ...

class Tukey(CatalogueLoss):
    def __init__(self, *, scale: Any = 4.685, **options: Unpack[_Options]) -> None: ...

class Fair(CatalogueLoss):
    def __init__(self, *, scale: Any = 1.0, **options: Unpack[_Options]) -> None: ...

class Wing(CatalogueLoss):
    def __init__(
        self, *, width: Any = 10.0, curvature: Any = 2.0, **options: Unpack[_Options]
    ) -> None: ...

class Expectile(CatalogueLoss):
    def __init__(self, *, expectile: Any = 0.5, **options: Unpack[_Options]) -> None: ...

class SymmetricAbsolutePercentageError(CatalogueLoss):
    def __init__(self, **options: Unpack[_Options]) -> None: ...
