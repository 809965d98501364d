"""Which loss takes what another one refuses."""

from __future__ import annotations

from lossary.definition import Definition
from lossary.losses import definitions


def base(definition: Definition) -> str:
    """Return the name of the loss without the space that it takes its prediction from."""
    return definition.name.partition("_from_")[0]


def for_logits(definition: Definition) -> str:
    """Return the loss for logits beside one for probabilities, or nothing."""
    twin = definitions.get(base(definition))
    takes_logits = twin is not None and twin.inputs[0].domain.name in {"Logit", "Logits"}
    return twin.name if twin is not None and takes_logits else ""


def soft(definition: Definition) -> str:
    """Return the loss for target distributions beside one for labels."""
    name = f"soft_{definition.name}"
    return name if name in definitions else "soft_cross_entropy"


def hard(definition: Definition) -> str:
    """Return the loss for labels beside one for target distributions."""
    name = definition.name.removeprefix("soft_")
    return name if name != definition.name and name in definitions else "cross_entropy"


def order(definition: Definition) -> str:
    """Return the names of the data, in their order."""
    return ", ".join(a.name for a in definition.inputs)
