"""How accurate the losses are: truth from mpmath, errors in units of the last place."""

from lossary.accuracy.measure import measure
from lossary.accuracy.table import Table

__all__ = ["Table", "measure"]
