"""The identities: on the left what authors write, on the right what is computed.

Each pair is the same real number for all symbols for which the left side is one. Left sides are in
normal form, in words that the other identities leave alone; where they are not,
`tests/language/test_identities.py` says so.
"""

from lossary.identities.pairs.boxes import BOXES
from lossary.identities.pairs.classes import CLASSES
from lossary.identities.pairs.differences import DIFFERENCES
from lossary.identities.pairs.divergences import DIVERGENCES
from lossary.identities.pairs.logarithms import LOGARITHMS
from lossary.identities.pairs.rivals import RIVALS
from lossary.identities.pairs.robust import ROBUST
from lossary.identities.pairs.scores import SCORES
from lossary.identities.pairs.shares import SHARES
from lossary.identities.pairs.sigmoids import QUALITIES, SIGMOIDS
from lossary.identities.pairs.vectors import VECTORS

IDENTITIES = (
    *SIGMOIDS,
    *QUALITIES,
    *LOGARITHMS,
    *DIFFERENCES,
    *ROBUST,
    *SCORES,
    *CLASSES,
    *RIVALS,
    *DIVERGENCES,
    *VECTORS,
    *BOXES,
    *SHARES,
)
