"""Losses of one distribution against another, from the logits of both."""

from __future__ import annotations

from typing import Annotated

from lossary.definition import loss
from lossary.domain import Positive, Real, Scores, Simplex, Unit, positions
from lossary.formula import Expression
from lossary.functions import (
    absolute,
    class_count,
    held,
    log_softmax,
    mean,
    softmax,
    total,
    where,
)


@loss(
    source="Hinton, Vinyals and Dean 2015, arXiv:1503.02531, sec. 2",
    promises="non_negative zero_at_target shift_invariant",
)
def distillation(logits: Scores, target: Scores, *, temperature: Positive = 2.0):
    """Relative entropy of the teacher to the student, both softened by ``temperature``."""
    student, teacher = log_softmax(logits / temperature), log_softmax(target / temperature)
    return temperature**2 * total(softmax(target / temperature) * (teacher - student))


@loss(
    source="Gu et al. 2023, arXiv:2306.08543, sec. 2.1 (MiniLLM)",
    promises="non_negative zero_at_target shift_invariant",
)
def reverse_kl_divergence(logits: Scores, target: Scores):
    """Relative entropy of the prediction to the target, from the logits of both."""
    return total(softmax(logits) * (log_softmax(logits) - log_softmax(target)))


@loss(
    source="Levin and Peres 2017, Markov Chains and Mixing Times, prop. 4.2",
    promises="non_negative zero_at_target symmetric convex",
)
def total_variation_distance(probabilities: Simplex, target: Simplex):
    """Half the sum of the absolute differences of two distributions."""
    return total(absolute(probabilities - target)) / 2


def running_center(
    target: Annotated[Real, positions], *, center: Real = 0.0, momentum: Unit = 0.9
) -> Expression:
    """The running mean of the teacher's outputs, eq. 4; of no outputs it stays what it is."""
    found = momentum * center + (1 - momentum) * mean(target, over=positions)
    return where(class_count() > 0, found, center)


@loss(
    source="Caron et al. 2021, arXiv:2104.14294, eq. 1-2 and alg. 1",
    promises="non_negative convex bounded_gradient shift_invariant",
    state=running_center,
)
def dino(
    logits: Scores,
    target: Scores,
    *,
    center: Scores | None = None,
    student_temperature: Positive = 0.1,
    teacher_temperature: Positive = 0.04,
):
    """Cross-entropy of a centred and sharpened teacher, which has no gradient, with a student."""
    fixed = held(target if center is None else target - center)
    p = softmax(fixed / teacher_temperature)
    return -total(p * log_softmax(logits / student_temperature))
