"""Write docs/accuracy.md from docs/accuracy.json: how exact each loss is on each library.

``python docs/generate.py --accuracy`` measures what is not there yet or has other texts by now, and
keeps each loss as soon as it is done, so that an interrupted run goes on where it stopped;
``--accuracy NAME...`` measures these again, ``--accuracy all`` every loss.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import lossary
from lossary.accuracy import Table
from lossary.accuracy.measure import ENGINES, SIZE, measured_each, planned
from lossary.files import write
from lossary.render.target import TARGETS

HERE = Path(__file__).parent
PAGE = HERE / "accuracy.md"
KEPT = HERE / "accuracy.json"
SEED = 0
NUMBERS = ("worst", "share_above_4_ulp", "entries")

HEAD = """---
hide-toc: true
---

# Accuracy

`lossary accuracy --engine array --engine fused --markdown` measured:

"""


def kept() -> dict[str, Any]:
    """Return what was measured, by loss: the digest of its texts, and the rows of its table."""
    return json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}


def digest(name: str) -> str:
    """Return a digest of the texts by which the libraries compute a loss and its gradient."""
    loss = lossary.find(name)
    texts = "".join(loss.text(target, order) for target in TARGETS for order in (0, 1))
    return hashlib.sha256(texts.encode()).hexdigest()[:16]


def changed() -> list[str]:
    """Return the losses that have no rows, or other texts than when they were measured."""
    found = kept()
    return [
        name
        for name in lossary.catalogue
        if name not in found or found[name]["texts"] != digest(name)
    ]


def measure(names: list[str]) -> None:
    """Measure these losses, all of them, or those that changed, and keep the rows of each."""
    chosen = list(lossary.catalogue) if names == ["all"] else names or changed()
    if not chosen:
        return
    work = planned(chosen, engines=ENGINES, seed=SEED)
    done = zip(work, measured_each(work, processes=os.cpu_count() or 1), strict=True)
    found = kept()
    for count, (name, parts) in enumerate(groupby(done, lambda part: part[0].loss), 1):
        rows = chain.from_iterable(part for _, part in parts)
        brought = brief(Table(tuple(rows), SIZE, SEED).to_json()["rows"])
        found[name] = {"texts": digest(name), "rows": brought}
        keep(found)
        print(f"measured {name}, {count} of {len(chosen)}", file=sys.stderr, flush=True)


def brief(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows with each error as its three numbers, in as many digits as anybody reads."""
    return [
        row
        | {"errors": {name: [rounded(x) for x in e.values()] for name, e in row["errors"].items()}}
        for row in rows
    ]


def rounded(x: float | str) -> float | str:
    """Return a number in four digits; an infinity is a word.

    >>> rounded(1.2340774), rounded("inf")
    (1.234, 'inf')
    """
    return x if isinstance(x, str | int) else float(f"{x:.4g}")


def whole(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with the names of its numbers."""
    errors = {name: dict(zip(NUMBERS, e, strict=True)) for name, e in row["errors"].items()}
    return row | {"errors": errors}


def keep(found: dict[str, Any]) -> None:
    """Write what was measured down, whole or not at all, a line for each row."""
    lines = [
        f'"{loss}": {{"texts": "{found[loss]["texts"]}", "rows": [\n'
        + ",\n".join(json.dumps(row, ensure_ascii=False) for row in found[loss]["rows"])
        + "\n]}"
        for loss in lossary.catalogue
        if loss in found
    ]
    write(KEPT, ("{\n" + ",\n".join(lines) + "\n}\n").encode())


def page() -> str:
    """Return the page: what is kept, as the command prints it."""
    rows = [whole(row) for found in kept().values() for row in found["rows"]]
    return HEAD + Table.from_json({"rows": rows, "size": SIZE, "seed": SEED}).markdown()
