"""The benchmark: everybody who computes a loss here, side by side in one run."""

from lossary.bench.cases import Case, cases, chosen
from lossary.bench.contestants import CONTESTANTS
from lossary.bench.results import Results, ResultsError
from lossary.bench.run import Settings, measure

__all__ = [
    "CONTESTANTS", "Case", "Results", "ResultsError", "Settings", "cases", "chosen", "measure",
]  # fmt: skip
