"""From text to running functions: pick the library, compile, weigh, mask, reduce."""

from lossary.engine.loss import Loss, bind, loss

__all__ = ["Loss", "bind", "loss"]
