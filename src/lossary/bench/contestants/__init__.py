"""Who takes part: Lossary first, then the others, each beside its door."""

from lossary.bench.contestants.boosters import BOOSTERS
from lossary.bench.contestants.gpu import GPU
from lossary.bench.contestants.keras import KERAS
from lossary.bench.contestants.optax import OPTAX
from lossary.bench.contestants.ours import OURS
from lossary.bench.contestants.plain import PLAIN
from lossary.bench.contestants.pytorch import PYTORCH
from lossary.bench.contestants.tensorflow import TENSORFLOW
from lossary.bench.contestants.xla import JAX

__all__ = ["CONTESTANTS"]

CONTESTANTS = (*OURS, *PYTORCH, *JAX, *OPTAX, *KERAS, *TENSORFLOW, *PLAIN, *BOOSTERS, *GPU)
