"""JAX's spellings: NumPy's under another name."""

from __future__ import annotations

from lossary.render.numpy import SPELLINGS
from lossary.render.target import Target

TARGET = Target(
    "jax",
    "import jax.numpy as jnp",
    {name: (binding, text.replace("np.", "jnp.")) for name, (binding, text) in SPELLINGS.items()},
    "{0}.astype({like}.dtype)",
)
