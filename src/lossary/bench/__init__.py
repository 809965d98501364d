"""The benchmark: everybody who computes a loss here, side by side in one run."""

from lossary.bench.cases import SIZES, cases, chosen
from lossary.bench.contestants import CONTESTANTS
from lossary.bench.quiet import BusyError
from lossary.bench.results import Results
from lossary.bench.run import Settings, measure
from lossary.bench.storage import ResultsError, from_json, load, save, to_json
from lossary.bench.work import Case

__all__ = [
    "CONTESTANTS", "SIZES", "BusyError", "Case", "Results", "ResultsError", "Settings", "cases",
    "chosen", "from_json", "load", "measure", "save", "to_json",
]  # fmt: skip
