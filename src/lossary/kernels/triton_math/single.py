"""Elementary functions for Triton in float32."""

from lossary.kernels.elementary.formats import SINGLE
from lossary.kernels.triton_math import functions

globals().update(functions(__name__, SINGLE, "single ", 32))
