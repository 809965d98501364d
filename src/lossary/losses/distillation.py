"""Losses of one distribution against another, from the logits of both."""

from __future__ import annotations

from lossary.definition import loss
from lossary.domain import Positive, Scores, Simplex
from lossary.functions import absolute, log_softmax, softmax, total


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
