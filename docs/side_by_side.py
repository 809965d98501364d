"""Write docs/peers.md from docs/peers.json: losses here beside those of installed packages.

``tests/peers/comparisons/*.toml`` says what is compared; ``python docs/generate.py --peers`` runs
what is installed, each package in a process of its own, and keeps the answers with their versions.
The page says what the answers say.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from differences import ROOT, printed

from lossary.tables import Column, Table

HERE = Path(__file__).parent
PAGE = HERE / "peers.md"
ANSWERS = HERE / "peers.json"
FILES = ROOT / "tests" / "peers" / "comparisons"
SHOWN = 6  # entries of a gradient; of a longer one only the first four are printed

HEAD = """---
hide-toc: true
---

# Beside other libraries

What do you get when you replace a loss of another library by the one here? Every call below was
made on both sides with PyTorch {torch}, value and gradient, and beside them stands what is exact:
the definition as it is written, evaluated by the [oracle](contract.md) with as many digits as it
takes. [Where the doors differ](differences.md) says the same of PyTorch, Keras, TensorFlow, optax
and scikit-learn, whose losses have doors here.

Each section has two tables.

* **Ordinary input.** How many digits of value · gradient are right: of 7 in float32 and of 16 in
  float64; a digit less than all is rounding, on whichever side. Fewer means another number: an
  epsilon in a denominator, or float32 inside.
* **Hard input**, finite like all input: large logits, empty masks, equal and flat boxes, ties. The
  column *right* says whose value and gradient are the exact ones but for their last digits. At a
  corner, where the exact slope is written `-1 to 1`, any slope between counts. *A choice* marks
  inputs for which the two define the loss differently and neither is wrong.

`python docs/generate.py --peers` makes the calls again for what is installed
(`pip install -e ".[peers]"`), and a test compares the page with today's answers.
"""

END = """## What is not here

* torchaudio's RNN-T loss is compiled code that its wheel on PyPI has for CUDA only; mmdetection,
  lightly, allRank and rax are not compared. [The catalogue](losses/index.md) names them where they
  have a loss.
* Losses of these packages without a counterpart here: `lossary find` names what is nearest.
* Speed: [the benchmarks](benchmarks.md) compare with the frameworks only.
"""


class Verdict(NamedTuple):
    """Who is right about an input, and why the answers differ."""

    who: str
    why: str


def packages() -> list[str]:
    """Return the names of the files, in the order of the page."""
    return sorted(path.stem for path in FILES.glob("*.toml"))


def content(key: str) -> dict[str, Any]:
    """Return what stands in the file of a package."""
    return tomllib.loads((FILES / f"{key}.toml").read_text(encoding="utf-8"))


def answers() -> dict[str, Any]:
    """Return what is kept of all packages."""
    return json.loads(ANSWERS.read_text(encoding="utf-8")) if ANSWERS.exists() else {}


def installed(key: str) -> bool:
    """Whether all that the calls of a package need can be imported here."""
    return all(find_spec(module.partition(".")[0]) for module in content(key)["modules"])


def run(*arguments: str) -> dict[str, Any]:
    """Return today's answers by package; with ``--own`` Lossary's only."""
    places = [str(ROOT / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])]
    # A kernel that is compiled in the background would answer some time during the run.
    paths = {"PYTHONPATH": os.pathsep.join(places), "LOSSARY_COMPILE": "now"}
    text = printed("installed", *arguments, **paths)
    return json.loads(text[text.index("{") :])


def measure(names: list[str]) -> None:
    """Ask these packages anew, or all that are installed; what is not keeps its answers."""
    found = answers()
    for key in names or packages():
        if installed(key):
            print(f"asking {key}", file=sys.stderr)
            found |= run(key)
            keep(found)
        else:
            print(f"{key} is not installed: its answers stay", file=sys.stderr)


def keep(found: dict[str, Any]) -> None:
    """Write the answers down, in the order of the page."""
    kept = {key: found[key] for key in packages() if key in found}
    ANSWERS.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def verdict(title: str, case: dict[str, Any], own: dict[str, Any], peer: dict[str, Any]) -> Verdict:
    """Return who is right about a hard input.

    >>> case = {"why": "0 / 0."}
    >>> verdict("X", case, {"ours is right": True}, {"theirs is right": False}).who
    'Lossary'
    """
    if case.get("convention"):
        return Verdict("a choice", case["why"])
    right = own["ours is right"], peer["theirs is right"]
    words = {(True, True): "both", (True, False): "Lossary", (False, True): title}
    return Verdict(words.get(right, "neither"), case["why"])


def _brief(answer: str) -> str:
    value, _, gradient = answer.partition("; ")
    entries = gradient.split(", ")
    if "Error: " in answer or len(entries) <= SHOWN:
        return answer.replace("|", "/")
    return f"{value}; {', '.join(entries[:4])}, …"


def _digits(found: list[int] | None, reason: str = "") -> str:
    return f"raises: {reason}" if found is None else f"{found[0]} · {found[1]}"


def _called(row: dict[str, Any]) -> str:
    """Return a call as it is made: without the shapes and the mean that the comparison adds."""
    return row.get("shown", row["theirs"])


def _rows(key: str) -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    for row, found in zip(content(key)["comparison"], answers()[key]["rows"], strict=True):
        yield row, found["own"], found["beside"]


def judged(key: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any], Verdict]]:
    """Yield loss, our answer, theirs and the verdict of each hard input."""
    title = content(key)["title"]
    for row, own, peer in _rows(key):
        for case, ours, theirs in zip(
            row.get("case", ()), own["cases"], peer["cases"], strict=True
        ):
            yield row["loss"], ours, theirs, verdict(title, case, ours, theirs)


def section(key: str) -> list[str]:
    """Return the lines of a package."""
    file, kept = content(key), answers()[key]
    title = file["title"]
    lines = [f"## {title}", "", f"Version {kept['version']}: {file['family']}. {file['note']}", ""]
    head = (title, "here", "float32", "here", "float64", "here")
    table = [
        (
            f"`{_called(row)}`", f"`{own['ours']}`",
            *(_digits(side["digits"][kind], row.get("raises", ""))
              for kind in ("float32", "float64") for side in (peer, own)),
        )
        for row, own, peer in _rows(key)
    ]  # fmt: skip
    lines += Table([Column(name) for name in head], table).markdown()
    cases = [
        (
            f"`{loss}`: {ours['name']}" + (f" ({ours['dtype']})" * (ours["dtype"] != "float32")),
            f"`{ours['input']}`" if ours["input"] else "", judgement.who, _brief(ours["ours"]),
            _brief(theirs["theirs"]), _brief(ours["exact"]), judgement.why,
        )
        for loss, ours, theirs, judgement in judged(key)
    ]  # fmt: skip
    if cases:
        head = ("hard input", "data", "right", "Lossary: value; gradient", title, "exact", "why")
        lines += ["", *Table([Column(name) for name in head], cases).markdown()]
    return [*lines, ""]


def summary() -> list[str]:
    """Return the table of all packages: how often who is right."""
    words = ("Lossary", "both", "a choice", "theirs", "neither")
    rows = []
    for key in answers():
        file = content(key)
        title, anchor = file["title"], re.sub(r"[^a-z0-9]+", "-", file["title"].lower()).strip("-")
        found = Counter(v.who for *_, v in judged(key))
        found["theirs"] = found.pop(title, 0)
        counts = [Counter(p["drawn"]) for *_, p in _rows(key) if p["digits"]["float32"]]
        drawn = sum(counts, Counter())
        rows.append(
            (
                f"[{title}](#{anchor})", answers()[key]["version"], len(file["comparison"]),
                *(found[word] for word in words),
                *(drawn[word] for word in ("ours", "both", "theirs", "neither")),
            )
        )  # fmt: skip
    total = [sum(row[k] for row in rows) for k in range(2, len(rows[0]))]
    heads = ("losses", "Lossary", "both", "a choice", "the package", "neither")
    heads += ("drawn: Lossary", "both", "the package", "neither")
    columns = [Column(name) for name in ("package", "version")]
    columns += [Column(name, numbers=True) for name in heads]
    return [
        "Who alone is right, in numbers of inputs: of the hard ones below, which we chose, and of",
        "some that nobody chose: ordinary ones, scaled by 1e-6 to 1e4 and moved at random, in",
        "float32.",
        "",
        *Table(columns, [*rows, ("together", "", *total)]).markdown(),
        "",
        "An answer counts as right within 64 units of the last place: an epsilon that shows is",
        "not. Where neither is right on what was drawn, a softmax has rounded probabilities before",
        "the loss saw them. A package that raises is not counted.",
        "",
    ]


def page() -> str:
    """Return the page of what is kept."""
    torch = sorted({kept["torch"].partition("+")[0] for kept in answers().values()})
    lines = [HEAD.replace("{torch}", " and ".join(torch)), *summary()]
    for key in answers():
        lines += section(key)
    return "\n".join([*lines, END])
