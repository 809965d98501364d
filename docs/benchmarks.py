"""Write docs/benchmarks.md and its pictures from the results files in benchmarks/results.

Measuring takes minutes on a quiet machine and is done by hand; the page says what the files say,
the cases that Lossary loses included. A file that is marked as disturbed is refused.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lossary.bench import Results, load
from lossary.bench.picture import draw_ratios, shown
from lossary.bench.report import WORK, markdown
from lossary.bench.targets import TARGETS
from lossary.tables import Column, Table

PAGE = Path(__file__).parent / "benchmarks.md"
FIGURES = Path(__file__).parent / "figures"
RESULTS = Path(__file__).parent.parent / "benchmarks" / "results"

HEAD = """---
hide-toc: true
---

# Benchmarks

Is Lossary slower than what it replaces? Each section below is a machine, and begins with the
answer: Lossary's time where the peer takes 1, for each size, with what is lost in red.
[How it is measured](measured) stands at the end.

```sh
lossary bench                                     # what is installed here, in a minute or two
lossary bench --size everyday -o ratios.png       # the sizes that people train with, in a picture
lossary bench --size full --json results.json     # all of it
```
"""

HOW = """
(measured)=
## How it is measured

One command runs everybody side by side in one process: Lossary's own ways, its doors, PyTorch
eager and compiled, JAX, optax, Keras, TensorFlow, scikit-learn, NumPy with SciPy, and on a GPU the
kernels of others.

* **Same data, same question.** Each computes the value and the gradient of the mean loss of the
  same numbers. Outputs are compared first; whoever differs from the majority is named, and its
  time meets no target.
* **Forward and backward**, by the framework's own way to a gradient, which is a fresh one in each
  step, with Lossary's checks on; with a weight, a mask, class weights or ignored labels in some
  cases. A training is whole: a small network learns scikit-learn's digits for five epochs, from the
  same weights, in the same batches, and the weights it ends with are compared.
* **In turns.** The contestants alternate, every round begins with another one, and a short pause
  lets the threads of the last one come to rest. A slow one has its turn less often. The numbers are
  medians and quartiles of rounds, after warm-up, when nothing is compiled in the background any
  more; the first call is listed by itself.
* **Same threads.** Everybody gets as many threads as the process has cores, or `--threads`, to
  which the whole process is then confined, because XLA and TensorFlow take what they see.
* **On a quiet machine.** What other programs work is counted before and during a run, and the
  spread of repeated times is looked at. A run with a file ends at once on a busy machine; one that
  is disturbed later is marked, and this page is not made from it.
* **Beside the limit.** The bytes that must move are those of each array read or written once. A
  copy and a triad (read two, write one) over arrays of the same size take their turns too, by NumPy
  on one thread and on all, and by PyTorch; the fastest counts.
* **Memory** is the largest resident size during a call beyond that before it, as Linux counts it,
  so it covers every library alike. Arrays below 4 MB are not weighed.
"""

EMPTY = "\nNo results are committed yet.\n"
WHICH = {
    "small": "a first look",
    "everyday": "everyday sizes",
    "full": "all sizes",
    "chosen": "chosen cases",
}
"""What a heading says of the work that was measured, by the size that was asked for."""


def page() -> str:
    """Return the page: each results file, then how it is measured."""
    files = sorted(RESULTS.glob("*.json"))
    if not files:
        columns = [WORK, *(Column(name) for name in ("by", "against", "asked"))]
        asked = Table(columns, [(t.work, t.ours, t.against, t.asked) for t in TARGETS])
        return HEAD + EMPTY + "\n## Targets\n\n" + "\n".join(asked.markdown()) + "\n" + HOW
    return HEAD + "".join(f"\n{section(file)}" for file in files) + HOW


def section(file: Path) -> str:
    """Return one machine's results under a heading."""
    results = published(file)
    facts = results.machine
    where = facts.get("gpu") or f"{facts['processor']}, {results.settings['threads']} threads"
    figure = f"{FIGURES.name}/{picture(file).name}" if shown(results) else ""
    which = WHICH[results.settings["size"]]
    return f"## {where}: {which}, {results.date}\n\n{markdown(results, level=3, picture=figure)}"


def published(file: Path) -> Results:
    """Return the results of a file, or end where they are marked as not to be published."""
    results = load(file)
    if results.disturbed:
        sys.exit(
            f"docs/benchmarks.py: {file.name} is marked as not to be published: "
            f"{'; '.join(results.disturbed)}\nhint: measure again on a quiet machine"
        )
    return results


def picture(file: Path) -> Path:
    """Return where the picture of a results file lies."""
    return FIGURES / f"benchmarks-{file.stem}.svg"


def draw() -> None:
    """Draw the picture of each results file that has one."""
    for file in sorted(RESULTS.glob("*.json")):
        if shown(results := published(file)):
            draw_ratios(results, picture(file))
