"""The benchmark: everybody who computes a loss here, side by side in one run."""

from lossary.bench.contestants import CONTESTANTS
from lossary.bench.results import Results, ResultsError
from lossary.bench.run import Settings, measure
from lossary.bench.work import Case, cases, chosen

__all__ = [
    "CONTESTANTS", "Case", "Results", "ResultsError", "Settings", "cases", "chosen", "measure",
]  # fmt: skip
