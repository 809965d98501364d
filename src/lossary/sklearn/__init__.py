"""Scikit-learn's door: metrics by its names and signatures, and any loss as a scorer.

>>> import lossary.sklearn as metrics
>>> metrics.mean_pinball_loss([1.0, 2.0], [0.0, 2.0], alpha=0.9)
0.45
>>> metrics.scorer("huber", delta=2.0)
scorer('huber', delta=2.0)
"""

from lossary.errors import needs

with needs("lossary.sklearn", sklearn="sklearn"):
    from lossary.sklearn import classification, regression
    from lossary.sklearn.classification import *  # noqa: F403
    from lossary.sklearn.contract import PEERS
    from lossary.sklearn.regression import *  # noqa: F403
    from lossary.sklearn.scoring import scorer

# A metric that the installed scikit-learn has not got yet is left out.
METRICS = tuple(n for n in (*classification.__all__, *regression.__all__) if n in PEERS)

__all__ = [  # noqa: PLE0604  (the names of both modules are strings)
    "scorer",
    *METRICS,
]  # pyright: ignore[reportUnsupportedDunderAll]
