"""Losses that learn from comparisons: which of two answers is preferred, and by how much."""

from __future__ import annotations

from typing import Annotated, Any

from lossary.definition import loss
from lossary.domain import (
    BelowHalf,
    Group,
    Negative,
    NonNegative,
    OpenUnit,
    Positive,
    Real,
    Sign,
    Smoothing,
    Unit,
    positions,
)  # fmt: skip
from lossary.formula import Expression
from lossary.functions import (
    class_count,
    exp,
    expm1_of_rounded,
    held,
    log,
    log_odds,
    maximum,
    mean,
    minimum,
    peak,
    sigmoid,
    sqrt,
    total,
    weighted,
    where,
)  # fmt: skip


@loss(
    source="Bradley and Terry 1952, doi:10.1093/biomet/39.3-4.324; margin: Touvron et al. 2023, "
    "arXiv:2307.09288, eq. 2",
    promises="non_negative convex bounded_gradient",
)
def bradley_terry(chosen: Real, rejected: Real, *, margin: Real = 0.0):
    """Negative log-probability that the chosen score beats the rejected one by ``margin``."""
    return -log(sigmoid(chosen - rejected - margin))


@loss(
    source="Rafailov et al. 2023, arXiv:2305.18290, eq. 7",
    promises="non_negative convex bounded_gradient",
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
    h = (chosen - reference_chosen) - (rejected - reference_rejected)
    return -log(sigmoid(beta * h))


@loss(
    source="Mitchell 2023, A note on DPO with noisy preferences and relationship to IPO, eq. 3; "
    "Rafailov et al. 2023, arXiv:2305.18290",
    promises="non_negative convex bounded_gradient",
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
    h = (chosen - reference_chosen) - (rejected - reference_rejected)
    p = sigmoid(beta * h)
    return -((1 - label_smoothing) * log(p) + label_smoothing * log(1 - p))


@loss(
    source="Chowdhury, Kini and Natarajan 2024, arXiv:2403.00409",
    promises="convex bounded_gradient",
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
    h = (chosen - reference_chosen) - (rejected - reference_rejected)
    p = sigmoid(beta * h)
    right = (1 - label_smoothing) * log(p)
    return (label_smoothing * log(1 - p) - right) / (1 - 2 * label_smoothing)


@loss(source="Azar et al. 2023, arXiv:2310.12036, eq. 17", promises="non_negative convex")
def identity_preference(
    chosen: Real,
    rejected: Real,
    reference_chosen: Real,
    reference_rejected: Real,
    *,
    beta: Positive = 0.1,
):
    """Squared distance of the gain over the reference from ``1 / (2 beta)``: IPO."""
    h = (chosen - reference_chosen) - (rejected - reference_rejected)
    return (h - 1 / (2 * beta)) ** 2


@loss(
    source="Liu et al. 2023, arXiv:2309.06657; Zhao et al. 2023, arXiv:2305.10425",
    promises="non_negative convex bounded_gradient",
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
    h = (chosen - reference_chosen) - (rejected - reference_rejected)
    return maximum(1 - beta * h, 0)


@loss(
    source="D'Oosterlinck et al. 2024, arXiv:2408.06266, eq. 7",
    promises="non_negative bounded_gradient",
)
def anchored_preference_zero(
    chosen: Real,
    rejected: Real,
    reference_chosen: Real,
    reference_rejected: Real,
    *,
    beta: Positive = 0.1,
):
    """How little the chosen answer gains over the reference, and the rejected one loses."""
    up = 1 - sigmoid(beta * (chosen - reference_chosen))
    return up + sigmoid(beta * (rejected - reference_rejected))


@loss(source="Wu et al. 2024, arXiv:2405.00675, eq. 4.4", promises="non_negative convex")
def self_play_preference(
    log_probability: Real, reference: Real, win_probability: Unit, *, eta: Positive = 1000.0
):
    """Squared distance of an answer's gain from ``eta`` times how often it wins, less 1/2: SPPO."""
    return (log_probability - reference - eta * (win_probability - 1 / 2)) ** 2


@loss(
    source="Schulman 2020, Approximating KL divergence; Shao et al. 2024, arXiv:2402.03300, eq. 4",
    promises="non_negative zero_at_target convex",
)
def reference_divergence(log_probability: Real, reference: Real):
    """An unbiased estimate of the relative entropy to a reference that is never below 0: k3."""
    return exp(reference - log_probability) - (reference - log_probability) - 1


@loss(source="Zhao et al. 2023, arXiv:2305.10425", promises="non_negative convex bounded_gradient")
def sequence_calibration(chosen: Real, rejected: Real, *, margin: NonNegative = 1.0):
    """How far the chosen answer's log-probability falls short of the rejected one's: SLiC."""
    return maximum(margin - chosen + rejected, 0)


@loss(
    source="Meng et al. 2024, arXiv:2405.14734, eq. 6",
    promises="non_negative convex bounded_gradient",
)
def simple_preference(
    chosen: Real, rejected: Real, *, beta: Positive = 2.0, margin: NonNegative = 1.0
):
    """Logistic loss of ``beta`` times the difference of mean log-probabilities, less a margin."""
    return -log(sigmoid(beta * chosen - beta * rejected - margin))


@loss(source="Hong, Lee and Thorne 2024, arXiv:2403.07691, eq. 7", promises="non_negative")
def odds_ratio_preference(chosen: Negative, rejected: Negative):
    """Logistic loss of the logarithm of the ratio of odds of two answers: ORPO."""
    return -log(sigmoid(log_odds(chosen) - log_odds(rejected)))


def mean_gain(
    log_probability: Annotated[Real, positions], reference: Annotated[Real, positions]
) -> Expression:
    """How far answers to other questions have moved from the reference, sec. 4.1; at least 0."""
    gain = mean(log_probability - reference, over=positions)
    return where(class_count() > 0, maximum(gain, 0), 0)


@loss(
    source="Ethayarajh et al. 2024, arXiv:2402.01306, eq. 7",
    promises="non_negative bounded_gradient",
    state=mean_gain,
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
    r = log_probability - reference
    return where(sign > 0, desirable, undesirable) * sigmoid(-(sign * beta * (r - baseline)))


@loss(source="Schulman et al. 2017, arXiv:1707.06347, eq. 7", promises="")
def clipped_policy(
    log_probability: Real, old_log_probability: Real, advantage: Real, *, clip: OpenUnit = 0.2
):
    """Minus the advantage times the ratio of probabilities, clipped to ``1 ± clip``: PPO."""
    r = exp(log_probability - old_log_probability)
    near = minimum(maximum(r, 1 - clip), 1 + clip)
    return -minimum(weighted(advantage, r), advantage * near)


@loss(source="Yu et al. 2025, arXiv:2503.14476, sec. 3.1", promises="")
def decoupled_clip_policy(
    log_probability: Real,
    old_log_probability: Real,
    advantage: Real,
    *,
    clip_low: OpenUnit = 0.2,
    clip_high: Positive = 0.28,
):
    """The clipped policy loss with a bound of its own above, so that rare tokens can grow: DAPO."""
    r = exp(log_probability - old_log_probability)
    near = minimum(maximum(r, 1 - clip_low), 1 + clip_high)
    return -minimum(weighted(advantage, r), advantage * near)


@loss(source="MiniMax 2025, arXiv:2506.13585", promises="")
def clipped_importance_policy(
    log_probability: Real, old_log_probability: Real, advantage: Real, *, clip_high: Positive = 0.28
):
    """Policy gradient whose ratio of probabilities is a bounded weight, and held: CISPO."""
    weight = held(minimum(exp(log_probability - old_log_probability), 1 + clip_high))
    return -(weight * advantage * log_probability)


@loss(source="Chen et al. 2024, arXiv:2402.05369", promises="non_negative convex bounded_gradient")
def noise_contrastive_alignment(
    chosen: Real,
    rejected: Real,
    reference_chosen: Real,
    reference_rejected: Real,
    *,
    beta: Positive = 0.1,
):
    """Logistic losses of the gains of both answers, which hold their own likelihoods up: NCA."""
    up, down = beta * (chosen - reference_chosen), beta * (rejected - reference_rejected)
    return -log(sigmoid(up)) - (log(sigmoid(-up)) + log(sigmoid(-down))) / 2


def running_middle(
    log_probability: Annotated[Real, positions],
    reference: Annotated[Real, positions],
    sign: Annotated[Sign, positions],
    *,
    baseline: Real = 0.0,
    momentum: Unit = 0.9,
    beta: Positive = 0.1,
) -> Expression:
    """The running middle of the mean rewards of good and of bad answers; both have to be there."""
    r = beta * (log_probability - reference)
    good, bad = where(sign > 0, 1, 0), where(sign > 0, 0, 1)
    n, m = total(good, over=positions), total(bad, over=positions)
    middle = (total(good * r, over=positions) / n + total(bad * r, over=positions) / m) / 2
    return where((n > 0) & (m > 0), momentum * baseline + (1 - momentum) * middle, baseline)


@loss(
    source="Jung et al. 2024, arXiv:2404.04656",
    promises="non_negative convex bounded_gradient",
    state=running_middle,
)
def binary_classifier_preference(
    log_probability: Real,
    reference: Real,
    baseline: Real,
    sign: Sign,
    *,
    beta: Positive = 0.1,
):
    """Logistic loss of a good answer's gain above the baseline, or of a bad one's below: BCO."""
    r = beta * (log_probability - reference)
    return -log(sigmoid(sign * (r - baseline)))


@loss(source="Xu et al. 2024, arXiv:2401.08417", promises="non_negative convex")
def contrastive_preference(chosen: Negative, rejected: Negative, *, beta: Positive = 0.1):
    """Logistic loss of the difference of log-probabilities, plus the chosen one's own: CPO."""
    return -log(sigmoid(beta * chosen - beta * rejected)) - chosen


@loss(
    source="Amini, Vieira and Cotterell 2024, arXiv:2402.10571",
    promises="non_negative convex bounded_gradient",
)
def offset_preference(
    chosen: Real,
    rejected: Real,
    reference_chosen: Real,
    reference_rejected: Real,
    offset: NonNegative,
    *,
    beta: Positive = 0.1,
):
    """Direct preference that asks for a lead of ``offset``, how much better the answer is: ODPO."""
    h = (chosen - reference_chosen) - (rejected - reference_rejected)
    return -log(sigmoid(beta * h - offset))


@loss(source="Xiao et al. 2024, arXiv:2412.14516", promises="non_negative convex")
def calibrated_preference(
    chosen: Real,
    rejected: Real,
    reference_chosen: Real,
    reference_rejected: Real,
    *,
    beta: Positive = 0.1,
):
    """Direct preference whose gains are also pulled to ``±1 / (2 beta)``: Cal-DPO."""
    up, down = chosen - reference_chosen, rejected - reference_rejected
    pull = (up - 1 / (2 * beta)) ** 2 + (down + 1 / (2 * beta)) ** 2
    return -log(sigmoid(up - down)) + pull


@loss(source="Williams 1992, doi:10.1007/BF00992696", promises="convex bounded_gradient")
def policy_gradient(log_probability: Real, advantage: Real):
    """Minus the advantage times the log-probability of what was done: REINFORCE."""
    return -advantage * log_probability


@loss(source="Peng et al. 2019, arXiv:1910.00177", promises="convex bounded_gradient")
def advantage_weighted(log_probability: Real, advantage: Real, *, temperature: Positive = 1.0):
    """Minus the log-probability, times the exponential of the advantage: AWR."""
    return -exp(advantage / temperature) * log_probability


def _advantage(better: Any, group: Any) -> Any:
    """What a reward is above the mean of its group, in standard deviations of the group."""
    spread, others = total(better * better, within=group), total(1, within=group) - 1
    return held(where(spread > 0, better * sqrt(others / spread), 0))


def _of_gains(
    log_probability: Any, old_log_probability: Any, reward: Any, group: Any, *, clip: Any
) -> Any:
    """Take 1 from each ratio: a group's advantages add up to 0, and so nothing cancels."""
    rest = reward - peak(reward, within=group)  # of equal rewards exactly 0
    better = rest - mean(rest, within=group)
    most = peak(abs(better), within=group)  # beside which no square overflows
    advantage = _advantage(better / where(most > 1e-290, most, 1), group)
    gain = expm1_of_rounded(log_probability - old_log_probability)
    near = minimum(maximum(gain, -clip), clip)
    return -mean(minimum(weighted(advantage, gain), advantage * near), over=positions)


@loss(
    source="Shao et al. 2024, arXiv:2402.03300, eq. 3", promises="needs_rivals", computed=_of_gains
)
def group_relative_policy(
    log_probability: Annotated[Real, positions],
    old_log_probability: Annotated[Real, positions],
    reward: Annotated[Real, positions],
    group: Annotated[Group, positions],
    *,
    clip: OpenUnit = 0.2,
):
    """PPO's loss of answers whose advantage is what their reward is above their group's: GRPO."""
    advantage = _advantage(reward - mean(reward, within=group), group)
    r = exp(log_probability - old_log_probability)
    near = minimum(maximum(r, 1 - clip), 1 + clip)
    return -mean(minimum(weighted(advantage, r), advantage * near), over=positions)
