"""The page of failures: what each of a hundred bug reports must give here, and the tests of it.

Tests name theirs by ``@pytest.mark.failure(10)``; ``failures.toml`` says why some have none.
"""

from __future__ import annotations

from typing import Any

from lossary.tables import Column, Table

COLUMNS = (Column("", numbers=True), Column("what holds here"), Column("shown by"))
ELSEWHERE = (Column("", numbers=True), Column("about"), Column("why not here"))
COUNT = 100

Places = dict[int, list[str]]


def sentence(test: str) -> str:
    """The name of a test as people read it."""
    words = test.rpartition("::")[2].removeprefix("test_").replace("_", " ")
    return words[0].upper() + words[1:]


def page(failures: dict[str, Any], places: Places) -> str:
    """All failures, those with tests first."""
    rows = [
        (number, "; ".join(map(sentence, tests)), "<br>".join(f"`{test}`" for test in tests))
        for number, tests in sorted(places.items())
    ]
    elsewhere = [
        (", ".join(map(str, row["numbers"])), row["about"], row["because"])
        for row in failures["elsewhere"]
    ]
    lines = [
        "<!-- Written by docs/requirements.py from docs/failures.toml and marks of the tests. -->",
        "",
        "# A hundred failures, and what holds here",
        "",
        "A collection of bug reports against PyTorch, Keras, optax, JAX, TensorFlow, scikit-learn",
        "and others: NaN where numbers were expected, gradients of another function, labels that",
        "were never read.",
        "Each has a test that keeps it from coming back, on every array library.",
        "",
        *Table(COLUMNS, rows).markdown(),
        "",
        "## Without a test",
        "",
        *Table(ELSEWHERE, elsewhere).markdown(),
    ]
    return "\n".join(lines) + "\n"


def problems(failures: dict[str, Any], places: Places) -> list[str]:
    """Failures that nothing tells of, or that are told of twice."""
    elsewhere = {number for row in failures["elsewhere"] for number in row["numbers"]}
    known = set(range(1, COUNT + 1))
    untold = sorted(known - elsewhere - set(places))
    twice, strange = sorted(elsewhere & set(places)), sorted(set(places) - known)
    return [
        *(f"failure {n}: no test shows it, docs/failures.toml does not say why" for n in untold),
        *(f"failure {n} has a test: take it out of docs/failures.toml" for n in twice),
        *(f"{places[n][0]} is marked failure({n}); known are 1 to {COUNT}" for n in strange),
    ]
