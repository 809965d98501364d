"""Losses of packages that take more than a line to call: those that are parts of a trainer or net.

TRL has no functions for its losses: each is a part of its trainer's step, between the model and the
metrics. Here the step is TRL's own; the model is one that answers with the log-probabilities that
are given, one token for each answer, so that sums and means over tokens are the same.
"""

from __future__ import annotations

from collections import defaultdict
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import torch
from torch import Tensor
from torch.nn.functional import normalize

__all__ = [
    "arcface", "cosface", "cpo", "dpo", "grpo", "kto", "of_axes", "orpo", "proxy_nca", "reward",
    "sphereface", "triplets",
]  # fmt: skip


def cosface(cosines: Tensor, label: Tensor) -> Tensor:
    """Return pytorch-metric-learning's CosFace with the axes for proxies."""
    return _with_axes("CosFaceLoss", cosines, label)


def sphereface(cosines: Tensor, label: Tensor) -> Tensor:
    """Return pytorch-metric-learning's SphereFace with the axes for proxies."""
    return _with_axes("SphereFaceLoss", normalize(cosines), label, scale=64)


def arcface(cosines: Tensor, label: Tensor) -> Tensor:
    """Return pytorch-metric-learning's ArcFace with the axes for proxies."""
    return _with_axes("ArcFaceLoss", cosines, label)


def proxy_nca(cosines: Tensor, label: Tensor) -> Tensor:
    """Return pytorch-metric-learning's Proxy-NCA with the axes for proxies."""
    loss = import_module("pytorch_metric_learning.losses").ProxyNCALoss(*[cosines.shape[-1]] * 2)
    loss.proxies = torch.nn.Parameter(torch.eye(cosines.shape[-1], dtype=cosines.dtype))
    return loss(cosines, label)


def of_axes(cosines: Tensor, label: Tensor) -> Tensor:
    """Return pytorch-metric-learning's normalised softmax with the axes for proxies."""
    return _with_axes("NormalizedSoftmaxLoss", cosines, label, temperature=0.1)


def _with_axes(name: str, cosines: Tensor, label: Tensor, **settings: float) -> Tensor:
    losses = import_module("pytorch_metric_learning.losses")
    size = cosines.shape[-1]
    loss = getattr(losses, name)(size, size, **settings)
    loss.W = torch.nn.Parameter(torch.eye(size, dtype=cosines.dtype))
    return loss(cosines, label)


def triplets(anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Return the mean triplet loss of pytorch-metric-learning for these triplets."""
    losses = import_module("pytorch_metric_learning.losses")
    distances = import_module("pytorch_metric_learning.distances")
    reducers = import_module("pytorch_metric_learning.reducers")
    loss = losses.TripletMarginLoss(
        margin=1.0,
        distance=distances.LpDistance(normalize_embeddings=False),
        reducer=reducers.MeanReducer(),
    )
    n = len(anchor)
    places = tuple(torch.arange(n) + k * n for k in range(3))
    return loss(torch.cat([anchor, positive, negative]), indices_tuple=places)


def _trainer(**settings: Any) -> Any:
    """Return what a step asks its trainer for; what it logs goes nowhere."""
    trainer = MagicMock()
    trainer.accelerator.device = torch.device("cpu")
    trainer.accelerator.gather_for_metrics = lambda x: x
    trainer.accelerator.gather = lambda x: x
    trainer.accelerator.reduce = lambda x, reduction: x
    trainer.accelerator.num_processes = 1
    trainer.model.training = False
    trainer._metrics = {"eval": defaultdict(list)}
    trainer.aux_loss_enabled = False
    for name, value in settings.items():
        setattr(trainer, name, value)
    return trainer


def _answers(log_probabilities: Tensor) -> Any:
    """Return a model that gives every answer, of one token, its log-probability."""
    rows = log_probabilities[:, None]
    still = torch.zeros_like(rows.detach())
    outputs = SimpleNamespace(
        log_probs=rows, entropy=still, mean_logits=still, aux_loss=None,
        is_top1=still.bool(),
    )  # fmt: skip
    return MagicMock(return_value=outputs)


def _tokens(count: int) -> dict[str, Tensor]:
    """Return a prompt of one token and a completion of one, as often as there are answers."""
    ones = torch.ones(count, 2, dtype=torch.int64)
    return {
        "input_ids": ones,
        "attention_mask": ones,
        "completion_mask": torch.tensor([[0, 1]]).expand(count, 2),
    }


def dpo(
    loss_type: str, chosen: Tensor, rejected: Tensor, reference_chosen: Tensor,
    reference_rejected: Tensor, **settings: Any,
) -> Tensor:  # fmt: skip
    """Return the loss of a step of ``trl.DPOTrainer``."""
    trainer_class = import_module("trl.trainer.dpo_trainer").DPOTrainer
    options = {"beta": 0.1, "label_smoothing": 0.0, **settings}
    trainer = _trainer(
        loss_types=[loss_type], loss_weights=[1.0], f_divergence_type="reverse_kl",
        precompute_ref_logps=True, ld_alpha=None, use_weighting=False, **options,
    )  # fmt: skip
    model = _answers(torch.cat([chosen, rejected]))
    inputs = {
        **_tokens(2 * len(chosen)),
        "ref_chosen_logps": reference_chosen,
        "ref_rejected_logps": reference_rejected,
    }
    return trainer_class._compute_loss(trainer, model, inputs, return_outputs=False)


def kto(log_probability: Tensor, reference: Tensor, baseline: Tensor, sign: Tensor) -> Tensor:
    """Return the loss of a step of ``trl.KTOTrainer`` whose divergence is the first baseline."""
    trainer_class = import_module("trl.trainer.kto_trainer").KTOTrainer
    trainer = _trainer(
        precompute_ref_logps=True, calculate_KL=True, loss_type="kto", beta=0.1,
        desirable_weight=1.0, undesirable_weight=1.0, _compute_kl_logps=lambda *_: baseline,
    )  # fmt: skip
    inputs = {
        **_tokens(len(sign)),
        "label": (sign > 0).to(torch.int64),
        "ref_logps": reference,
        "ref_KL_logps": torch.zeros_like(baseline),
    }
    return trainer_class._compute_loss(
        trainer, _answers(log_probability), inputs, return_outputs=False
    )


def cpo(loss_type: str, chosen: Tensor, rejected: Tensor, **settings: Any) -> Tensor:
    """Return the mean of the losses of ``trl.experimental.cpo.CPOTrainer``."""
    trainer_class = import_module("trl.experimental.cpo.cpo_trainer").CPOTrainer
    options = {"alpha": 0.0, "label_smoothing": 0.0, "simpo_gamma": 1.0, "beta": 0.1, **settings}
    trainer = _trainer(loss_type=loss_type, **options)
    return trainer_class.cpo_loss(trainer, chosen, rejected)[0].mean()


def orpo(chosen: Tensor, rejected: Tensor) -> Tensor:
    """Return minus the mean odds ratio term of ``trl.experimental.orpo.ORPOTrainer``, beta = 1."""
    trainer_class = import_module("trl.experimental.orpo.orpo_trainer").ORPOTrainer
    return -trainer_class.odds_ratio_loss(_trainer(beta=1.0), chosen, rejected)[0].mean()


def reward(chosen: Tensor, rejected: Tensor, margin: float = 0.0) -> Tensor:
    """Return the loss of a step of ``trl.RewardTrainer``."""
    trainer_class = import_module("trl.trainer.reward_trainer").RewardTrainer
    trainer = _trainer(_tp_size=1, _total_train_tokens=0)
    trainer.args.center_rewards_coefficient = None
    logits = torch.cat([chosen, rejected])[:, None]
    model = MagicMock(return_value=SimpleNamespace(logits=logits, aux_loss=None))
    inputs = {"margin": torch.full_like(chosen.detach(), margin), **_tokens(2 * len(chosen))}
    return trainer_class.compute_loss(trainer, model, inputs)


def grpo(
    log_probability: Tensor, old_log_probability: Tensor, advantage: Tensor,
    reference: Tensor | None = None, loss_type: str = "grpo", epsilon_high: float = 0.2,
) -> Tensor:  # fmt: skip
    """Return the loss of a step of ``trl.GRPOTrainer``; with a reference, its divergence only."""
    trainer_class = import_module("trl.trainer.grpo_trainer").GRPOTrainer
    rows = log_probability[:, None]
    trainer = _trainer(
        top_entropy_quantile=1.0, off_policy_mask_threshold=None, importance_sampling_level="token",
        beta=0.0 if reference is None else 1.0, loss_type=loss_type, epsilon_low=0.2,
        epsilon_high=epsilon_high, use_vllm=False, _entropy_bonus_enabled=False,
        _get_per_token_logps_and_entropies=lambda *_, **__: (
            rows, torch.zeros_like(rows.detach()), None,
        ),
    )  # fmt: skip
    trainer.args.delta = None
    trainer.args.use_bias_correction_kl = False
    ones = torch.ones(len(advantage), 1, dtype=torch.int64)
    inputs = {
        "prompt_ids": ones, "prompt_mask": ones, "completion_ids": ones, "completion_mask": ones,
        "advantages": advantage, "old_per_token_logps": old_log_probability[:, None],
        "num_items_in_batch": ones.sum(),
    }  # fmt: skip
    if reference is not None:
        inputs["ref_per_token_logps"] = reference[:, None]
    return trainer_class._compute_loss(trainer, MagicMock(), inputs)
