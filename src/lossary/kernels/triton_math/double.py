"""Elementary functions for Triton in float64."""

from lossary.kernels.elementary.formats import DOUBLE
from lossary.kernels.triton_math import functions

globals().update(functions(__name__, DOUBLE, "", 64))
