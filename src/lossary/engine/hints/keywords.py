"""Words of other libraries, and calls that lack something."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Any

from lossary.definition import Definition, pascal_case
from lossary.engine.hints.relatives import for_logits, order
from lossary.losses import definitions


def for_keyword(definition: Definition, key: str, value: Any, known: list[str]) -> str:
    """Return what a keyword of another library is here, or the nearest one."""
    if key == "from_logits":
        return _from_logits(definition, value)
    told = _WORDS.get(key, "")
    if said := told(definition) if callable(told) else told:
        return said
    close = difflib.get_close_matches(key, known, n=1)
    return f"did you mean {close[0]}?" if close else f"it takes {', '.join(known)}"


def _from_logits(definition: Definition, value: Any) -> str:
    name, logits = definition.name, for_logits(definition)
    first = definition.inputs[0]
    if first.domain.name in {"Simplex", "Unit"}:
        takes = "probabilities"
        other = f"for logits use {logits}" if logits else "apply softmax to logits first"
    elif first.domain.name in {"Logit", "Logits"}:
        twins = [n for n in definitions if n.startswith(f"{name}_from_prob")]
        other = f"for probabilities use {twins[0]}" if twins else "take the logarithm first"
        takes = "logits"
    else:
        return f"{name} has one form, that of {first.name}: leave from_logits out"
    if bool(value) == (takes == "logits"):
        other = "leave from_logits out"
    return f"{name} always takes {takes}: {other}"


def _place(place: int) -> Callable[[Definition], str]:
    def told(definition: Definition) -> str:
        if place >= len(definition.inputs):
            return ""
        return f"it is called {definition.inputs[place].name}; the order is ({order(definition)})"

    return told


def _ignored(definition: Definition) -> str:
    if any(a.domain.integer for a in definition.inputs):
        return "it is called ignore_index"
    return "there are no labels; leave elements out with mask="


def _positive(definition: Definition) -> str:
    return "it is called positive_weight" if "positive_weight" in definition.domains else ""


_WORDS: dict[str, str | Callable[[Definition], str]] = {
    **dict.fromkeys(("size_average", "reduce"), 'say reduction="mean", "sum" or "none"'),
    **dict.fromkeys(("weights", "sample_weight", "sample_weights"), "it is called weight"),
    "pos_weight": _positive,
    **dict.fromkeys(("dim", "axes"), lambda d: "it is called axis" if d.class_axis else ""),
    **dict.fromkeys(
        ("logits", "logit", "pred", "preds", "predictions", "outputs", "y_hat", "scores"), _place(0)
    ),
    **dict.fromkeys(("label", "labels", "targets", "y"), _place(1)),
    **dict.fromkeys(("ignore_index", "ignore_class"), _ignored),
    **dict.fromkeys(("eps", "epsilon", "smooth"), "nothing is added or clipped: it is exact"),
    **dict.fromkeys(("num_classes", "n_classes"), "the number of classes is read from the shape"),
    "log_target": "kl_divergence_with_log_target takes log-probabilities for the target",
    "log_input": "poisson takes the logarithm of the rate, poisson_from_rate the rate",
    "dtype": "cast the arrays: the result has the dtype of the prediction",
}
"""Words of other libraries, and what to say about them here."""


def for_missing(definition: Definition, given: int, keywords: Iterable[str]) -> str:
    """Return what to do about a call without all of its data."""
    if given or not (chosen := [k for k in keywords if k in definition.domains]):
        return f"call it as {definition.name}({order(definition)})"
    settings = ", ".join(f"{name}=..." for name in chosen)
    own, made = definition.name, f"lossary.torch.module_of({definition.name})"
    if own in definitions:
        own, made = f"lossary.{own}", f"lossary.torch.{pascal_case(own)}"
    return (
        f"a loss is a function; to fix {', '.join(chosen)} for later calls write "
        f"functools.partial({own}, {settings}), or {made}({settings})"
    )


TARGET_FIRST = (
    "keras.src.losses",
    "sklearn.metrics._scorer",
    "sklearn.model_selection._validation",
)
"""Modules of hosts that call ``(y_true, y_pred)``: a loss would read one in place of the other."""


def for_host(definition: Definition, caller: str) -> str:
    """Return what to say where a host calls a loss, with the target first."""
    return _for_keras(definition) if caller.startswith("keras") else _for_scorer(definition)


def _for_scorer(definition: Definition) -> str:
    own = [repr(definition.name), *(f"{a.name}=..." for a in definition.parameters)]
    return (
        f"{definition.name} takes ({order(definition)}); scikit-learn's scorers give "
        f"(y_true, y_pred)\nhint: scoring=lossary.sklearn.scorer({', '.join(own)})"
    )


def _for_keras(definition: Definition) -> str:
    name = f"lossary.{definition.name}" if definition.name in definitions else definition.name
    return (
        f"{definition.name} was called by Keras, which gives (y_true, y_pred); it takes "
        f"({order(definition)})\nhint: loss=lossary.keras.class_of({name})() for model.compile, or "
        f"loss=lambda y_true, y_pred: {name}(y_pred, y_true)"
    )
