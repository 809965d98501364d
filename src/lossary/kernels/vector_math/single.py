"""The same functions of one float32, for what has no digits to spare and need not have more."""

import numpy as np

from lossary.kernels.elementary import exponential, plain, spelled
from lossary.kernels.vector_math.machine import SINGLES, vectorisable

_MODULES = (plain, exponential)

FUNCTIONS = spelled(
    __name__, _MODULES, SINGLES.words("single "), vectorisable, np.float32, literals=True
)
globals().update(FUNCTIONS)
