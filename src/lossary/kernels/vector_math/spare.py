"""The same functions for values that have digits to spare: ``elementary.spare`` says which."""

from lossary.kernels.elementary import (
    error_function,
    gamma,
    logarithm,
    plain,
    spare,
    spare_gamma,
    spelled,
)
from lossary.kernels.vector_math import FUNCTIONS as EXACT
from lossary.kernels.vector_math.machine import DOUBLES, vectorisable

_MODULES = (plain, logarithm, gamma, spare, error_function, spare_gamma)
_WORDS = {**DOUBLES.words("spare "), "precise_log": EXACT["log"]}

FUNCTIONS = spelled(__name__, _MODULES, _WORDS, vectorisable)
globals().update(FUNCTIONS)
