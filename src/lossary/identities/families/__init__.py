"""The identities: on the left what authors write, on the right what is computed.

Each pair is the same real number for all symbols for which the left side is one. Left sides are in
normal form, in words that the other identities leave alone; where they are not,
`tests/language/test_identities.py` says so.
"""

from lossary.identities.families.boxes import BOXES
from lossary.identities.families.classes import CLASSES
from lossary.identities.families.differences import DIFFERENCES
from lossary.identities.families.divergences import DIVERGENCES
from lossary.identities.families.gains import GAINS
from lossary.identities.families.logarithms import LOGARITHMS
from lossary.identities.families.mixtures import MIXTURES
from lossary.identities.families.normals import NORMALS
from lossary.identities.families.orders import ORDERS
from lossary.identities.families.rivals import RIVALS
from lossary.identities.families.robust import ROBUST
from lossary.identities.families.scores import SCORES
from lossary.identities.families.shares import SHARES
from lossary.identities.families.sigmoids import QUALITIES, SIGMOIDS
from lossary.identities.families.vectors import VECTORS

IDENTITIES = (
    *SIGMOIDS,
    *QUALITIES,
    *LOGARITHMS,
    *DIFFERENCES,
    *ROBUST,
    *SCORES,
    *NORMALS,
    *CLASSES,
    *MIXTURES,
    *RIVALS,
    *DIVERGENCES,
    *VECTORS,
    *BOXES,
    *SHARES,
    *ORDERS,
    *GAINS,
)
