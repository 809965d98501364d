"""Write docs/benchmarks.md from the results files in benchmarks/results.

Measuring takes minutes on a quiet machine and is done by hand; the page says what the files say,
the cases that Lossary loses included.
"""

from __future__ import annotations

from pathlib import Path

from lossary.bench import Results
from lossary.bench.report import markdown
from lossary.bench.targets import TARGETS

PAGE = Path(__file__).parent / "benchmarks.md"
RESULTS = Path(__file__).parent.parent / "benchmarks" / "results"

HEAD = """---
hide-toc: true
---

# Benchmarks

```sh
lossary bench                                 # what is installed here, in a minute or two
lossary bench --size full --json results.json # all of it
```

One command runs everybody side by side in one process: Lossary's generated array text and its
kernels, PyTorch eager and compiled, JAX, Keras, scikit-learn, NumPy with SciPy, and on a GPU the
kernels of others.

* **Same data, same question.** Each computes the value and the gradient of the mean loss of the
  same numbers. Outputs are compared first; whoever differs from the majority is named, and its
  time meets no target.
* **In turns.** The contestants alternate, every round begins with another one, and a short pause
  lets the threads of the last one come to rest. A slow one has its turn less often. The numbers are
  medians and quartiles of rounds, after warm-up; the first call is listed by itself.
* **Same threads.** Everybody gets as many threads as the process has cores, or `--threads`, to
  which the whole process is then confined, because XLA and TensorFlow take what they see.
* **Beside the limit.** The bytes that must move are those of each array read or written once. A
  copy and a triad (read two, write one) over arrays of the same size take their turns too, by NumPy
  on one thread and on all, and by PyTorch; the fastest counts.
* **Memory** is the largest resident size during a call beyond that before it, as Linux counts it,
  so it covers every library alike. Arrays below 4 MB are not weighed.
"""

EMPTY = "\nNo results are committed yet.\n"


def page() -> str:
    """Return the page: how it is measured, then each results file."""
    files = sorted(RESULTS.glob("*.json"))
    if not files:
        rows = [f"| `{t.work}` | {t.ours} | {t.against} | {t.asked} |" for t in TARGETS]
        heads = ["| work | by | against | asked |", "|---|---|---|---|"]
        return HEAD + EMPTY + "\n## Targets\n\n" + "\n".join([*heads, *rows]) + "\n"
    return HEAD + "".join(f"\n{section(Results.load(file))}" for file in files)


def section(results: Results) -> str:
    """Return one machine's results under a heading."""
    facts = results.machine
    where = facts.get("gpu") or f"{facts['processor']}, {results.settings['threads']} threads"
    return f"## {where}\n\n{markdown(results, level=3)}"
