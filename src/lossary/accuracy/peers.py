"""The equivalent calls of other libraries, one table; each unreduced, on logits where it can be.

A call takes the module of its library, the data and those hyper-parameters that it supports, under
this library's names; a batch with other hyper-parameters is left out. Gradients are taken by the
peer's own differentiation; ``slope`` is for libraries that have a function for it. ``refuses``
names hyper-parameters that the peer raises for.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lossary.accuracy.samples import Batch
from lossary.definition import Definition

Call = Callable[..., Any]


@dataclass(frozen=True)
class Peer:
    """A function elsewhere: its public name, the module it is reached by, and how it is called."""

    name: str
    module: str
    call: Call
    slope: Call | None = None
    refuses: Mapping[str, float] = field(default_factory=dict)

    @property
    def library(self) -> str:
        """The array library that its data belong to."""
        if self.module == "keras":
            return importlib.import_module("keras").backend.backend()
        return _LIBRARIES[self.module]

    def installed(self) -> bool:
        """Whether it can be imported here."""
        return importlib.util.find_spec(self.module.partition(".")[0]) is not None

    def takes(self, definition: Definition, batch: Batch, usual: Mapping[str, Any]) -> bool:
        """Whether the call supports the hyper-parameters of a batch."""
        own = inspect.signature(self.call).parameters
        if any(batch.parameters.get(n) == v for n, v in self.refuses.items()):
            return False
        return all(n in own or v is usual[n] for n, v in batch.parameters.items())

    def bound(self, names: tuple[str, ...], parameters: Mapping[str, Any], call: Call) -> Call:
        """Return a function of arrays in the order of ``names``."""
        module = importlib.import_module(self.module)
        own = inspect.signature(call).parameters
        fixed = {n: v for n, v in parameters.items() if n in own}
        return lambda *arrays: call(module, **dict(zip(names, arrays, strict=True)), **fixed)


_LIBRARIES = {
    "torch.nn.functional": "torch",
    "optax": "jax",
    "tensorflow": "tensorflow",
    "scipy.special": "numpy",
    "scipy.spatial.distance": "numpy",
    "sklearn._loss": "numpy",
}


def _torch(name: str, call: Call) -> Peer:
    return Peer(f"torch {name}", "torch.nn.functional", call)


def _optax(name: str, call: Call) -> Peer:
    return Peer(f"optax {name}", "optax", call)


def _keras(name: str, call: Call) -> Peer:
    return Peer(f"keras {name}", "keras", call)


def _tf(name: str, call: Call) -> Peer:
    return Peer(f"tf.nn {name}", "tensorflow", call)


def _sklearn(name: str, call: Call, slope: Call) -> Peer:
    return Peer(f"sklearn {name}", "sklearn._loss", call, slope)


def _scipy(name: str, module: str, call: Call) -> Peer:
    return Peer(f"scipy {name}", f"scipy.{module}", call)


def _column(keras_loss: str) -> Call:
    """Call a Keras function, which averages the last axis, on a last axis of length 1."""
    return lambda k, prediction, target: getattr(k.losses, keras_loss)(
        target[..., None], prediction[..., None]
    )


def _pairs(distance: str) -> Call:
    """Call a function of two vectors on every row."""

    def call(d: Any, prediction: Any, target: Any) -> Any:
        import numpy as np

        found = np.full(len(prediction), np.nan)
        for place, (a, b) in enumerate(zip(prediction, target, strict=True)):
            with contextlib.suppress(ValueError):  # SciPy refuses what overflows inside it
                found[place] = getattr(d, distance)(a, b)
        return found

    return call


def _flat(x: Any, dtype: Any) -> Any:
    return x.astype(dtype).copy()


PEERS: Mapping[str, tuple[Peer, ...]] = {
    "squared_error": (
        _torch("mse_loss", lambda f, prediction, target: f.mse_loss(
            prediction, target, reduction="none")),
        _optax("squared_error", lambda o, prediction, target: o.squared_error(prediction, target)),
        _keras("mean_squared_error", _column("mean_squared_error")),
    ),
    "half_squared_error": (
        _optax("l2_loss", lambda o, prediction, target: o.l2_loss(prediction, target)),
    ),
    "absolute_error": (
        _torch("l1_loss", lambda f, prediction, target: f.l1_loss(
            prediction, target, reduction="none")),
        _keras("mean_absolute_error", _column("mean_absolute_error")),
    ),
    "absolute_percentage_error": (
        _keras("mean_absolute_percentage_error", _column("mean_absolute_percentage_error")),
    ),
    "squared_log_error": (
        _keras("mean_squared_logarithmic_error", _column("mean_squared_logarithmic_error")),
    ),
    "huber": (
        _torch("huber_loss", lambda f, prediction, target, delta: f.huber_loss(
            prediction, target, reduction="none", delta=delta)),
        _optax("huber_loss", lambda o, prediction, target, delta: o.huber_loss(
            prediction, target, delta=delta)),
        _keras("huber", lambda k, prediction, target, delta: k.losses.huber(
            target[..., None], prediction[..., None], delta=delta)),
        _scipy("special.huber", "special", lambda s, prediction, target, delta: s.huber(
            delta, prediction - target)),
        _sklearn(
            "HuberLoss",
            lambda s, prediction, target, delta: s.HuberLoss(delta=delta).loss(target, prediction),
            lambda s, prediction, target, delta: s.HuberLoss(delta=delta).gradient(
                target, prediction),
        ),
    ),
    "smooth_l1": (
        _torch("smooth_l1_loss", lambda f, prediction, target, beta: f.smooth_l1_loss(
            prediction, target, reduction="none", beta=beta)),
    ),
    "log_cosh": (
        _keras("log_cosh", _column("log_cosh")),
        _optax("log_cosh", lambda o, prediction, target: o.losses.log_cosh(prediction, target)),
    ),
    "quantile": (
        _sklearn(
            "PinballLoss",
            lambda s, prediction, target, quantile: s.PinballLoss(quantile=quantile).loss(
                target, prediction),
            lambda s, prediction, target, quantile: s.PinballLoss(quantile=quantile).gradient(
                target, prediction),
        ),
    ),
    "poisson": (
        _torch("poisson_nll_loss", lambda f, log_rate, target: f.poisson_nll_loss(
            log_rate, target, log_input=True, reduction="none")),
        _tf("log_poisson_loss", lambda tf, log_rate, target: tf.nn.log_poisson_loss(
            target, log_rate)),
        _sklearn(
            "HalfPoissonLoss",
            lambda s, log_rate, target: s.HalfPoissonLoss().loss(target, log_rate),
            lambda s, log_rate, target: s.HalfPoissonLoss().gradient(target, log_rate),
        ),
    ),
    "binary_cross_entropy": (
        _torch("binary_cross_entropy_with_logits", lambda f, logit, target, positive_weight:
            f.binary_cross_entropy_with_logits(
                logit, target, pos_weight=logit.new_tensor(positive_weight), reduction="none")),
        _optax("sigmoid_binary_cross_entropy", lambda o, logit, target:
            o.sigmoid_binary_cross_entropy(logit, target)),
        _keras("binary_crossentropy", lambda k, logit, target: k.losses.binary_crossentropy(
            target[..., None], logit[..., None], from_logits=True)),
        _tf("weighted_cross_entropy_with_logits", lambda tf, logit, target, positive_weight:
            tf.nn.weighted_cross_entropy_with_logits(target, logit, positive_weight)),
        _sklearn(
            "HalfBinomialLoss",
            lambda s, logit, target: s.HalfBinomialLoss().loss(target, logit),
            lambda s, logit, target: s.HalfBinomialLoss().gradient(target, logit),
        ),
    ),
    "binary_cross_entropy_from_probability": (
        _torch("binary_cross_entropy", lambda f, probability, target: f.binary_cross_entropy(
            probability, target, reduction="none")),
        _keras("binary_crossentropy", lambda k, probability, target: k.losses.binary_crossentropy(
            target[..., None], probability[..., None])),
    ),
    "focal": (
        _optax("sigmoid_focal_loss", lambda o, logit, target, gamma, alpha:
            o.losses.sigmoid_focal_loss(logit, target, alpha=alpha, gamma=gamma)),
        _keras("binary_focal_crossentropy", lambda k, logit, target, gamma:
            k.losses.binary_focal_crossentropy(
                target[..., None], logit[..., None], gamma=gamma, from_logits=True)),
    ),
    "soft_margin": (
        _torch("soft_margin_loss", lambda f, score, sign: f.soft_margin_loss(
            score, sign, reduction="none")),
    ),
    "multi_label_soft_margin": (
        _torch("multilabel_soft_margin_loss", lambda f, logits, target:
            f.multilabel_soft_margin_loss(logits, target, reduction="none")),
    ),
    "cross_entropy": (
        _torch("cross_entropy", lambda f, logits, label, label_smoothing: f.cross_entropy(
            logits, label, reduction="none", label_smoothing=label_smoothing)),
        _optax("softmax_cross_entropy_with_integer_labels", lambda o, logits, label:
            o.softmax_cross_entropy_with_integer_labels(logits, label)),
        _keras("sparse_categorical_crossentropy", lambda k, logits, label:
            k.losses.sparse_categorical_crossentropy(label, logits, from_logits=True)),
        _tf("sparse_softmax_cross_entropy_with_logits", lambda tf, logits, label:
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=label, logits=logits)),
        _sklearn(
            "HalfMultinomialLoss",
            lambda s, logits, label: s.HalfMultinomialLoss(n_classes=logits.shape[1]).loss(
                _flat(label, logits.dtype), logits),
            lambda s, logits, label: s.HalfMultinomialLoss(n_classes=logits.shape[1]).gradient(
                _flat(label, logits.dtype), logits),
        ),
    ),
    "soft_cross_entropy": (
        _torch("cross_entropy", lambda f, logits, target: f.cross_entropy(
            logits, target, reduction="none")),
        _optax("softmax_cross_entropy", lambda o, logits, target:
            o.softmax_cross_entropy(logits, target)),
        _optax("safe_softmax_cross_entropy", lambda o, logits, target:
            o.safe_softmax_cross_entropy(logits, target)),
        _keras("categorical_crossentropy", lambda k, logits, target:
            k.losses.categorical_crossentropy(target, logits, from_logits=True)),
        _tf("softmax_cross_entropy_with_logits", lambda tf, logits, target:
            tf.nn.softmax_cross_entropy_with_logits(labels=target, logits=logits)),
    ),
    "cross_entropy_from_probabilities": (
        _keras("sparse_categorical_crossentropy", lambda k, probabilities, label:
            k.losses.sparse_categorical_crossentropy(label, probabilities)),
    ),
    "soft_cross_entropy_from_probabilities": (
        _keras("categorical_crossentropy", lambda k, probabilities, target:
            k.losses.categorical_crossentropy(target, probabilities)),
    ),
    "negative_log_likelihood": (
        _torch("nll_loss", lambda f, log_probabilities, label: f.nll_loss(
            log_probabilities, label, reduction="none")),
    ),
    "categorical_focal": (
        _keras("categorical_focal_crossentropy", lambda k, logits, label, gamma:
            k.losses.categorical_focal_crossentropy(
                k.ops.one_hot(label, logits.shape[-1], dtype=logits.dtype), logits,
                alpha=1.0, gamma=gamma, from_logits=True)),
    ),
    "hinge": (
        _keras("hinge", lambda k, score, sign: k.losses.hinge(sign[..., None], score[..., None])),
        _optax("hinge_loss", lambda o, score, sign: o.hinge_loss(score, sign)),
    ),
    "squared_hinge": (
        _keras("squared_hinge", lambda k, score, sign: k.losses.squared_hinge(
            sign[..., None], score[..., None])),
    ),
    "categorical_hinge": (
        _keras("categorical_hinge", lambda k, scores, target: k.losses.categorical_hinge(
            target, scores)),
    ),
    "crammer_singer": (
        _optax("multiclass_hinge_loss", lambda o, scores, label: o.losses.multiclass_hinge_loss(
            scores, label)),
    ),
    "multi_margin": (
        _torch("multi_margin_loss", lambda f, scores, label, margin: f.multi_margin_loss(
            scores, label, margin=margin, reduction="none")),
    ),
    "hinge_embedding": (
        _torch("hinge_embedding_loss", lambda f, distance, sign, margin: f.hinge_embedding_loss(
            distance, sign, margin=margin, reduction="none")),
    ),
    "margin_ranking": (
        _torch("margin_ranking_loss", lambda f, first, second, sign, margin: f.margin_ranking_loss(
            first, second, sign, margin=margin, reduction="none")),
    ),
    "kl_divergence": (
        _torch("kl_div", lambda f, log_probabilities, target: f.kl_div(
            log_probabilities, target, reduction="none").sum(-1)),
        _optax("kl_divergence", lambda o, log_probabilities, target: o.losses.kl_divergence(
            log_probabilities, target)),
    ),
    "kl_divergence_from_probabilities": (
        _keras("kl_divergence", lambda k, probabilities, target: k.losses.kl_divergence(
            target, probabilities)),
        _scipy("special.rel_entr", "special", lambda s, probabilities, target: s.rel_entr(
            target, probabilities).sum(-1)),
    ),
    "jensen_shannon": (
        _scipy("distance.jensenshannon²", "spatial.distance", lambda d, probabilities, target:
            d.jensenshannon(probabilities, target, axis=-1) ** 2),
    ),
    "cosine_similarity": (
        _keras("cosine_similarity", lambda k, prediction, target: -k.losses.cosine_similarity(
            target, prediction)),
        _torch("cosine_similarity", lambda f, prediction, target: -f.cosine_similarity(
            prediction, target, dim=-1)),
    ),
    "cosine_distance": (
        _optax("cosine_distance", lambda o, prediction, target: o.cosine_distance(
            prediction, target)),
        _scipy("distance.cosine", "spatial.distance", _pairs("cosine")),
    ),
    "cosine_embedding": (
        _torch("cosine_embedding_loss", lambda f, first, second, sign, margin:
            f.cosine_embedding_loss(first, second, sign, margin=margin, reduction="none")),
    ),
    "euclidean_distance": (
        _torch("pairwise_distance", lambda f, prediction, target: f.pairwise_distance(
            prediction, target)),
        _scipy("distance.euclidean", "spatial.distance", _pairs("euclidean")),
    ),
    "pearson_distance": (
        _scipy("distance.correlation", "spatial.distance", _pairs("correlation")),
    ),
    "triplet_margin": (
        Peer(
            "torch triplet_margin_loss", "torch.nn.functional",
            lambda f, anchor, positive, negative, margin: f.triplet_margin_loss(
                anchor, positive, negative, margin=margin, reduction="none"),
            refuses={"margin": 0.0},
        ),
        _optax("triplet_margin_loss", lambda o, anchor, positive, negative, margin:
            o.losses.triplet_margin_loss(anchor, positive, negative, margin=margin)),
    ),
}  # fmt: skip


def peers_of(name: str) -> tuple[Peer, ...]:
    """Return the peers of a loss that are installed."""
    return tuple(peer for peer in PEERS.get(name, ()) if peer.installed())
