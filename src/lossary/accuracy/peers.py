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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
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
    "optax.losses": "jax",
    "tensorflow": "tensorflow",
    "scipy.special": "numpy",
    "scipy.spatial.distance": "numpy",
    "sklearn._loss": "numpy",
}


def _taking(names: Sequence[str], call: Call) -> Call:
    """Say in the signature of a call what it takes behind the module."""
    own = [inspect.Parameter("module", inspect.Parameter.POSITIONAL_ONLY)]
    own += [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in names]
    vars(call)["__signature__"] = inspect.Signature(own)
    return call


def _in_order(function: str, data: str, *settings: str, **always: Any) -> Call:
    """Return a call that gives data by position, hyper-parameters by name, and what is constant."""
    names = data.split()

    def call(module: Any, **given: Any) -> Any:
        named = {name: given[name] for name in settings if name in given}
        return attrgetter(function)(module)(*(given[name] for name in names), **named, **always)

    return _taking([*names, *settings], call)


def _torch(name: str, *taken: str, **more: Any) -> Peer:
    call = _in_order(name, *taken, reduction="none")
    return Peer(f"torch {name}", "torch.nn.functional", call, **more)


def _optax(name: str, *taken: str) -> Peer:
    return Peer(f"optax {name}", "optax.losses", _in_order(name, *taken))


def _tf(name: str, *taken: str) -> Peer:
    return Peer(f"tf.nn {name}", "tensorflow", _in_order(f"nn.{name}", *taken))


def _keras_rows(name: str, *taken: str, **always: Any) -> Peer:
    return Peer(f"keras {name}", "keras", _in_order(f"losses.{name}", *taken, **always))


def _keras(name: str, data: str, *settings: str, **always: Any) -> Peer:
    """Give a function of Keras', which averages the last axis, one of length 1."""
    rows = _keras_rows(name, data, *settings, **always)

    def call(keras: Any, **given: Any) -> Any:
        columns = {name: given[name][..., None] for name in data.split()}
        return rows.call(keras, **given | columns)

    return replace(rows, call=_taking([*data.split(), *settings], call))


def _sklearn(name: str, prediction: str, *settings: str) -> Peer:
    def of(method: str) -> Call:
        def call(module: Any, **given: Any) -> Any:
            loss = getattr(module, name)(**{n: given[n] for n in settings})
            return getattr(loss, method)(given["target"], given[prediction])

        return _taking(["target", prediction, *settings], call)

    return Peer(f"sklearn {name}", "sklearn._loss", of("loss"), of("gradient"))


def _multinomial(method: str) -> Call:
    def call(module: Any, logits: Any, label: Any) -> Any:
        loss = module.HalfMultinomialLoss(n_classes=logits.shape[1])
        return getattr(loss, method)(label.astype(logits.dtype), logits)

    return call


def _scipy(name: str, call: Call) -> Peer:
    return Peer(f"scipy special.{name}", "scipy.special", call)


def _pairs(distance: str) -> Peer:
    """Call a function of two vectors on every row."""

    def call(d: Any, prediction: Any, target: Any) -> Any:
        import numpy as np

        found = np.full(len(prediction), np.nan)
        for place, (a, b) in enumerate(zip(prediction, target, strict=True)):
            with contextlib.suppress(ValueError):  # SciPy refuses what overflows inside it
                found[place] = getattr(d, distance)(a, b)
        return found

    return Peer(f"scipy distance.{distance}", "scipy.spatial.distance", call)


PEERS: Mapping[str, tuple[Peer, ...]] = {
    "squared_error": (
        _torch("mse_loss", "prediction target"),
        _optax("squared_error", "prediction target"),
        _keras("mean_squared_error", "target prediction"),
    ),
    "half_squared_error": (_optax("l2_loss", "prediction target"),),
    "absolute_error": (
        _torch("l1_loss", "prediction target"),
        _keras("mean_absolute_error", "target prediction"),
    ),
    "absolute_percentage_error": (
        _keras("mean_absolute_percentage_error", "target prediction"),
    ),
    "squared_log_error": (_keras("mean_squared_logarithmic_error", "target prediction"),),
    "huber": (
        _torch("huber_loss", "prediction target", "delta"),
        _optax("huber_loss", "prediction target", "delta"),
        _keras("huber", "target prediction", "delta"),
        _scipy("huber", lambda s, prediction, target, delta: s.huber(
            delta, prediction - target)),
        _sklearn("HuberLoss", "prediction", "delta"),
    ),
    "smooth_l1": (_torch("smooth_l1_loss", "prediction target", "beta"),),
    "log_cosh": (
        _keras("log_cosh", "target prediction"),
        _optax("log_cosh", "prediction target"),
    ),
    "quantile": (_sklearn("PinballLoss", "prediction", "quantile"),),
    "poisson": (
        _torch("poisson_nll_loss", "log_rate target"),
        _tf("log_poisson_loss", "target log_rate"),
        _sklearn("HalfPoissonLoss", "log_rate"),
    ),
    "binary_cross_entropy": (
        Peer("torch binary_cross_entropy_with_logits", "torch.nn.functional",
            lambda f, logit, target, positive_weight: f.binary_cross_entropy_with_logits(
                logit, target, pos_weight=logit.new_tensor(positive_weight), reduction="none")),
        _optax("sigmoid_binary_cross_entropy", "logit target"),
        _keras("binary_crossentropy", "target logit", from_logits=True),
        _tf("weighted_cross_entropy_with_logits", "target logit positive_weight"),
        _sklearn("HalfBinomialLoss", "logit"),
    ),
    "binary_cross_entropy_from_probability": (
        _torch("binary_cross_entropy", "probability target"),
        _keras("binary_crossentropy", "target probability"),
    ),
    "focal": (
        _optax("sigmoid_focal_loss", "logit target", "gamma", "alpha"),
        _keras("binary_focal_crossentropy", "target logit", "gamma", from_logits=True),
    ),
    "soft_margin": (_torch("soft_margin_loss", "score sign"),),
    "multi_label_soft_margin": (_torch("multilabel_soft_margin_loss", "logits target"),),
    "cross_entropy": (
        _torch("cross_entropy", "logits label", "label_smoothing"),
        _optax("softmax_cross_entropy_with_integer_labels", "logits label"),
        _keras_rows("sparse_categorical_crossentropy", "label logits", from_logits=True),
        _tf("sparse_softmax_cross_entropy_with_logits", "label logits"),
        Peer("sklearn HalfMultinomialLoss", "sklearn._loss", _multinomial("loss"),
            _multinomial("gradient")),
    ),
    "soft_cross_entropy": (
        _torch("cross_entropy", "logits target"),
        _optax("softmax_cross_entropy", "logits target"),
        _optax("safe_softmax_cross_entropy", "logits target"),
        _keras_rows("categorical_crossentropy", "target logits", from_logits=True),
        _tf("softmax_cross_entropy_with_logits", "target logits"),
    ),
    "cross_entropy_from_probabilities": (
        _keras_rows("sparse_categorical_crossentropy", "label probabilities"),
    ),
    "soft_cross_entropy_from_probabilities": (
        _keras_rows("categorical_crossentropy", "target probabilities"),
    ),
    "negative_log_likelihood": (_torch("nll_loss", "log_probabilities label"),),
    "categorical_focal": (
        Peer("keras categorical_focal_crossentropy", "keras", lambda k, logits, label, gamma:
            k.losses.categorical_focal_crossentropy(
                k.ops.one_hot(label, logits.shape[-1], dtype=logits.dtype), logits,
                alpha=1.0, gamma=gamma, from_logits=True)),
    ),
    "hinge": (_keras("hinge", "sign score"), _optax("hinge_loss", "score sign")),
    "squared_hinge": (_keras("squared_hinge", "sign score"),),
    "categorical_hinge": (_keras_rows("categorical_hinge", "target scores"),),
    "crammer_singer": (_optax("multiclass_hinge_loss", "scores label"),),
    "multi_margin": (_torch("multi_margin_loss", "scores label", "margin"),),
    "hinge_embedding": (_torch("hinge_embedding_loss", "distance sign", "margin"),),
    "margin_ranking": (_torch("margin_ranking_loss", "first second sign", "margin"),),
    "kl_divergence": (
        Peer("torch kl_div", "torch.nn.functional", lambda f, log_probabilities, target: f.kl_div(
            log_probabilities, target, reduction="none").sum(-1)),
        _optax("kl_divergence", "log_probabilities target"),
    ),
    "kl_divergence_from_probabilities": (
        _keras_rows("kl_divergence", "target probabilities"),
        _scipy("rel_entr", lambda s, probabilities, target: s.rel_entr(
            target, probabilities).sum(-1)),
    ),
    "jensen_shannon": (
        Peer("scipy distance.jensenshannon²", "scipy.spatial.distance",
            lambda d, probabilities, target: d.jensenshannon(
                probabilities, target, axis=-1) ** 2),
    ),
    "cosine_similarity": (
        Peer("keras cosine_similarity", "keras", lambda k, prediction, target:
            -k.losses.cosine_similarity(target, prediction)),
        Peer("torch cosine_similarity", "torch.nn.functional", lambda f, prediction, target:
            -f.cosine_similarity(prediction, target, dim=-1)),
    ),
    "cosine_distance": (_optax("cosine_distance", "prediction target"), _pairs("cosine")),
    "cosine_embedding": (_torch("cosine_embedding_loss", "first second sign", "margin"),),
    "euclidean_distance": (
        Peer("torch pairwise_distance", "torch.nn.functional",
            _in_order("pairwise_distance", "prediction target")),
        _pairs("euclidean"),
    ),
    "pearson_distance": (_pairs("correlation"),),
    "triplet_margin": (
        _torch("triplet_margin_loss", "anchor positive negative", "margin",
            refuses={"margin": 0.0}),
        _optax("triplet_margin_loss", "anchor positive negative", "margin"),
    ),
}  # fmt: skip


def peers_of(name: str) -> tuple[Peer, ...]:
    """Return the peers of a loss that are installed."""
    return tuple(peer for peer in PEERS.get(name, ()) if peer.installed())
