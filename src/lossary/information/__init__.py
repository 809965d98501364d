"""Information theory behind the losses: how much is learned, left open, or wasted, in bits.

Probabilities are arrays with the outcomes along an axis; a single number is a Bernoulli distribution.
"""
from lossary.information.measures import *
from lossary.information.samples import *
from lossary.information.units import *
