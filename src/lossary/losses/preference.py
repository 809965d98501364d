"""Losses that learn from comparisons: which of two answers is preferred, and by how much."""

from __future__ import annotations

from lossary.definition import loss
from lossary.domain import (
    BelowHalf,
    Negative,
    NonNegative,
    OpenUnit,
    Positive,
    Real,
    Sign,
    Smoothing,
)
from lossary.functions import exp, log, log_odds, maximum, minimum, sigmoid, weighted, where

_SUMS = (
    "Takes the log-probabilities of whole answers, summed over their tokens; with their means the "
    "same beta is far weaker."
)
_ORDER = (
    "The four arguments are the policy's two log-probabilities, then the reference's two: chosen "
    "first. Only the policy's should receive a gradient."
)


@loss(
    source="Bradley and Terry 1952, doi:10.1093/biomet/39.3-4.324; margin: Touvron et al. 2023, "
    "arXiv:2307.09288, eq. 2",
    elsewhere=("trl.RewardTrainer", "reward_model"),
    promises="non_negative convex bounded_gradient",
    choose="A reward model from pairs of answers, or a rating from games: the probability that the "
    "first wins is the sigmoid of the difference.",
    traps=(
        "Only differences count: the level of the scores drifts unless something holds it.",
        "trl divides nothing and adds a penalty on the mean score only if asked.",
    ),
)
def bradley_terry(chosen: Real, rejected: Real, *, margin: Real = 0.0):
    """Negative log-probability that the chosen score beats the rejected one by ``margin``."""
    return -log(sigmoid(chosen - rejected - margin))


@loss(
    source="Rafailov et al. 2023, arXiv:2305.18290, eq. 7",
    elsewhere=("trl.DPOTrainer", "liger_kernel.chunked_loss.LigerFusedLinearDPOLoss", "DPO"),
    promises="non_negative convex bounded_gradient",
    choose="To tune a language model on pairs of answers without a reward model. With labels of "
    "which some are wrong choose conservative_preference or robust_preference.",
    traps=(
        _SUMS,
        _ORDER,
        "It falls as well when both answers become less likely, the rejected one faster.",
    ),
)
def direct_preference(
    chosen: Real,
    rejected: Real,
    reference_chosen: Real,
    reference_rejected: Real,
    *,
    beta: Positive = 0.1,
):
    """Logistic loss of how much more the policy prefers the chosen answer than the reference."""
    gain = (chosen - reference_chosen) - (rejected - reference_rejected)
    return -log(sigmoid(beta * gain))


@loss(
    source="Mitchell 2023, A note on DPO with noisy preferences, eq. 3; Rafailov et al. 2023, "
    "arXiv:2305.18290",
    elsewhere=("cDPO",),
    promises="non_negative convex bounded_gradient",
    choose="direct_preference with pairs of which a share is labelled the wrong way round: it is "
    "least at a finite preference.",
    traps=(
        _SUMS,
        _ORDER,
        "trl 1.16 ignores label_smoothing for its loss type 'sigmoid', without a word.",
        "label_smoothing is the probability of a wrong label, not twice that.",
    ),
)
def conservative_preference(
    chosen: Real,
    rejected: Real,
    reference_chosen: Real,
    reference_rejected: Real,
    *,
    beta: Positive = 0.1,
    label_smoothing: Smoothing = 0.1,
):
    """Direct preference whose labels are wrong with probability ``label_smoothing``."""
    gain = (chosen - reference_chosen) - (rejected - reference_rejected)
    right = (1 - label_smoothing) * log(sigmoid(beta * gain))
    return -right - label_smoothing * log(sigmoid(-beta * gain))


@loss(
    source="Chowdhury, Kini and Natarajan 2024, arXiv:2403.00409, eq. 12",
    elsewhere=("trl.DPOConfig (loss_type='robust')", "rDPO"),
    promises="convex bounded_gradient",
    choose="direct_preference with labels of which a known share is wrong: in expectation it is "
    "the loss of the clean labels.",
    traps=(
        _SUMS,
        _ORDER,
        "Not bounded below: a large gain is rewarded without end unless label_smoothing is 0.",
    ),
)
def robust_preference(
    chosen: Real,
    rejected: Real,
    reference_chosen: Real,
    reference_rejected: Real,
    *,
    beta: Positive = 0.1,
    label_smoothing: BelowHalf = 0.1,
):
    """Direct preference, corrected for labels that are wrong with a known probability."""
    gain = (chosen - reference_chosen) - (rejected - reference_rejected)
    right = (1 - label_smoothing) * log(sigmoid(beta * gain))
    return (label_smoothing * log(sigmoid(-beta * gain)) - right) / (1 - 2 * label_smoothing)


@loss(
    source="Azar et al. 2023, arXiv:2310.12036, eq. 17",
    elsewhere=("trl.DPOConfig (loss_type='ipo')", "IPO"),
    promises="non_negative convex",
    choose="direct_preference that does not run off where every annotator agrees: the gain is "
    "pulled to 1 / (2 beta).",
    traps=(
        _ORDER,
        "As in the paper, of sums of log-probabilities; trl divides them by the length of each "
        "answer since 2024.",
    ),
)
def identity_preference(
    chosen: Real,
    rejected: Real,
    reference_chosen: Real,
    reference_rejected: Real,
    *,
    beta: Positive = 0.1,
):
    """Squared distance of the gain over the reference from ``1 / (2 beta)``: IPO."""
    gain = (chosen - reference_chosen) - (rejected - reference_rejected)
    return (gain - 1 / (2 * beta)) ** 2


@loss(
    source="Liu et al. 2023, arXiv:2309.06657, eq. 9; Zhao et al. 2023, arXiv:2305.10425",
    elsewhere=("trl.DPOConfig (loss_type='hinge')",),
    promises="non_negative convex bounded_gradient",
    choose="direct_preference that lets go of a pair once its gain reaches 1 / beta.",
    traps=(_SUMS, _ORDER),
)
def hinge_preference(
    chosen: Real,
    rejected: Real,
    reference_chosen: Real,
    reference_rejected: Real,
    *,
    beta: Positive = 0.1,
):
    """Hinge of ``beta`` times the gain over the reference."""
    gain = (chosen - reference_chosen) - (rejected - reference_rejected)
    return maximum(1 - beta * gain, 0)


@loss(
    source="Zhao et al. 2023, arXiv:2305.10425, eq. 5",
    elsewhere=("SLiC",),
    promises="non_negative convex bounded_gradient",
    choose="Calibration of a language model on ranked answers, without a reference model. Add the "
    "cross-entropy of good answers, as the paper does.",
    traps=("Takes log-probabilities of whole answers; longer answers have lower ones.",),
)
def sequence_calibration(chosen: Real, rejected: Real, *, margin: NonNegative = 1.0):
    """How far the chosen answer's log-probability falls short of the rejected one's: SLiC."""
    return maximum(margin - chosen + rejected, 0)


@loss(
    source="Meng et al. 2024, arXiv:2405.14734, eq. 6",
    elsewhere=("trl.CPOConfig (loss_type='simpo')",
               "liger_kernel.chunked_loss.LigerFusedLinearSimPOLoss", "SimPO"),
    promises="non_negative convex bounded_gradient",
    choose="Preferences without a reference model, on log-probabilities per token, so that longer "
    "answers have no advantage.",
    traps=(
        "Takes means over the tokens, not sums; beta is 2 to 10 here, not 0.1.",
        "margin is the paper's gamma, after beta: some codes take gamma / beta inside.",
    ),
)  # fmt: skip
def simple_preference(
    chosen: Real, rejected: Real, *, beta: Positive = 2.0, margin: NonNegative = 1.0
):
    """Logistic loss of ``beta`` times the difference of mean log-probabilities, less a margin."""
    return -log(sigmoid(beta * chosen - beta * rejected - margin))


@loss(
    source="Hong, Lee and Thorne 2024, arXiv:2403.07691, eq. 7",
    elsewhere=("trl.ORPOTrainer", "liger_kernel.chunked_loss.LigerFusedLinearORPOLoss", "ORPO"),
    promises="non_negative",
    choose="Preferences during supervised fine-tuning, without a reference model: add it, times "
    "0.1 or so, to the cross-entropy of the chosen answer.",
    traps=(
        "Takes means of log-probabilities over the tokens; sums are so low that the odds are the "
        "probabilities.",
        "Only the term of the odds: the paper adds the cross-entropy of the chosen answer.",
        "A log-probability of 0 has infinite odds, and is refused.",
    ),
)
def odds_ratio_preference(chosen: Negative, rejected: Negative):
    """Logistic loss of the logarithm of the ratio of odds of two answers: ORPO."""
    return -log(sigmoid(log_odds(chosen) - log_odds(rejected)))


@loss(
    source="Ethayarajh et al. 2024, arXiv:2402.01306, eq. 7 and 8",
    elsewhere=("trl.KTOTrainer", "liger_kernel.chunked_loss.LigerFusedLinearKTOLoss", "KTO"),
    promises="non_negative bounded_gradient",
    choose="Answers that are marked good or bad one by one, without pairs.",
    traps=(
        "baseline is the KL divergence from the reference, estimated over a batch and at least 0; "
        "let no gradient through it.",
        "As in the paper, a value lies between 0 and the weight of its sign. Liger leaves the "
        "weights out.",
        "Signs are 1 for desirable and -1 for undesirable answers.",
    ),
)
def kahneman_tversky(
    log_probability: Real,
    reference: Real,
    baseline: NonNegative,
    sign: Sign,
    *,
    beta: Positive = 0.1,
    desirable: NonNegative = 1.0,
    undesirable: NonNegative = 1.0,
):
    """How little a good answer gains over the baseline, or a bad one loses: KTO."""
    gain = log_probability - reference - baseline
    return where(sign > 0, desirable, undesirable) * sigmoid(-sign * beta * gain)


@loss(
    source="Schulman et al. 2017, arXiv:1707.06347, eq. 7",
    elsewhere=("trl.GRPOTrainer", "stable_baselines3.PPO", "torchrl.objectives.ClipPPOLoss", "PPO"),
    promises="",
    choose="Policy gradients that take several steps on the same samples: a step beyond a ratio of "
    "1 + clip brings nothing more.",
    traps=(
        "The negative of the paper's objective, to be minimised.",
        "Its value says nothing of progress: with fresh samples it is minus the mean advantage.",
        "GRPO and its kin have this per token; they differ in what the sum is divided by.",
    ),
)
def clipped_policy(
    log_probability: Real, old_log_probability: Real, advantage: Real, *, clip: OpenUnit = 0.2
):
    """Minus the advantage times the ratio of probabilities, clipped to ``1 ± clip``: PPO."""
    ratio = exp(log_probability - old_log_probability)
    near = minimum(maximum(ratio, 1 - clip), 1 + clip)
    return -minimum(weighted(advantage, ratio), advantage * near)
