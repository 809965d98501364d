"""JAX's spellings: NumPy's under another name, and those for precision to spare."""

from __future__ import annotations

from lossary.render.numpy import SPELLINGS
from lossary.render.spare import WORDS
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

_SPELLINGS = {
    name: (binding, text.replace("np.", "jnp.")) for name, (binding, text) in SPELLINGS.items()
} | _OWN

TARGET = Target("jax", "import jax.numpy as jnp", _SPELLINGS, "{0}.astype({like}.dtype)")

_FAST = {
    name: (ATOM, f"jax_math.{name}({{0}})")
    for name in ("exp", "expm1", "log", "log1p", "log1p_unit", "tanh")
} | {"power_of_positive": (ATOM, "jax_math.power_of_positive({0}, {1})")}

SPARE = Target(
    "jax spare",
    "import jax.numpy as jnp\nfrom lossary.kernels import jax_math",
    _SPELLINGS
    | _FAST
    | {
        "argpeak": (ATOM, "jax_math.first_peak({0}, jnp.max({0}, axis=-1, keepdims=True))"),
    },
    "{0}.astype({like}.dtype)",
    own=WORDS,
    of_data={
        "peak": "jax_math.peak_of_single({0})",
        "argpeak": "jax_math.first_peak({0}, jax_math.peak_of_single({0}))",
    },
    spare=True,
)
"""For float32 and narrower on a CPU, computed in float64: shorter functions, fewer passes."""
