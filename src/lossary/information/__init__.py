"""Information theory behind the losses: how much is learned, left open, or wasted, in bits.

Probabilities are arrays with the outcomes along an axis, and a single number is a Bernoulli
distribution; ``distribution_of`` makes probabilities of samples; frozen ``scipy.stats``
distributions and density functions are integrated.

Example
    >>> from lossary import information
    >>> truth, model = [0.5, 0.25, 0.25], [0.25, 0.25, 0.5]
    >>> information.entropy(truth), information.relative_entropy(truth, model)
    (1.5, 0.25)
    >>> information.cross_entropy(truth, model)
    1.75
"""

from lossary.information.coding import PrefixCode, code_length, huffman_code, kraft_sum
from lossary.information.importance import Importance, Ranking, variable_importance
from lossary.information.language import (
    bits_per_byte,
    bits_per_token,
    log_perplexity,
    perplexity,
)
from lossary.information.measures import (
    conditional_entropy,
    cross_entropy,
    entropy,
    mutual_information,
    relative_entropy,
    self_information,
)
from lossary.information.samples import Distribution, distribution_of, joint_distribution_of
from lossary.information.units import UNITS, Unit, convert, unit_of

__all__ = [
    "UNITS",
    "Distribution",
    "Importance",
    "PrefixCode",
    "Ranking",
    "Unit",
    "bits_per_byte",
    "bits_per_token",
    "code_length",
    "conditional_entropy",
    "convert",
    "cross_entropy",
    "distribution_of",
    "entropy",
    "huffman_code",
    "joint_distribution_of",
    "kraft_sum",
    "log_perplexity",
    "mutual_information",
    "perplexity",
    "relative_entropy",
    "self_information",
    "unit_of",
    "variable_importance",
]
