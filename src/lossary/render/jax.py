"""JAX's spellings: NumPy's under another name."""

from __future__ import annotations

from lossary.render.numpy import SPELLINGS
from lossary.render.target import ATOM, Target

_OWN = {
    # jnp.log1p of float64 is off by up to 80 ulp between -0.5 and -0.29 on CPUs (jax 0.10), where
    # log(1 + x) is right to 2.
    "log1p": (ATOM, "jnp.where({0} < -0.25, jnp.log(1.0 + {0}), jnp.log1p({0}))"),
    # jnp.argmax chooses its index type again when it is lowered, outside the local enable_x64.
    "argpeak": (
        ATOM,
        "jnp.min(jnp.where({0} == jnp.max({0}, axis=-1, keepdims=True), "
        "jnp.arange({0}.shape[-1], dtype='int32'), {0}.shape[-1]), axis=-1, keepdims=True)",
    ),
}

TARGET = Target(
    "jax",
    "import jax.numpy as jnp",
    {name: (binding, text.replace("np.", "jnp.")) for name, (binding, text) in SPELLINGS.items()}
    | _OWN,
    "{0}.astype({like}.dtype)",
)
