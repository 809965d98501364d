"""From text to running functions: pick the library, compile, weigh, mask, reduce."""

from lossary.engine.leases import release_memory
from lossary.engine.loss import Loss, bind, loss
from lossary.engine.selection import using

__all__ = ["Loss", "bind", "loss", "release_memory", "using"]
