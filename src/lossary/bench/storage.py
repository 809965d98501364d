"""Results in a file: written in one step, with the targets judged, and read back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lossary import files
from lossary.bench.limits import Limit
from lossary.bench.results import Absent, Crossover, Measured, Outcome, Results
from lossary.bench.targets import judge
from lossary.bench.work import Case
from lossary.errors import LossaryError

# 2 has options and kinds of work, and says what disturbed a run; limits may be missing.
SCHEMA = 2
READABLE = (1, 2)


class ResultsError(LossaryError, ValueError):
    """A file does not hold the results of a benchmark."""


def to_json(results: Results) -> dict[str, Any]:
    """Return dicts, lists and numbers, with the targets judged and derived numbers spelt out.

    Programs may rely on these names for as long as ``schema`` stays the same.
    """
    data = {"schema": SCHEMA, **dataclasses.asdict(results)}
    for plain, outcome in zip(data["outcomes"], results.outcomes, strict=True):
        limit = outcome.limit_seconds
        plain["name"], plain["limit_seconds"] = outcome.case.name, limit
        plain["bytes"] = outcome.case.bytes if limit else None
        for row in plain["rows"]:
            row["times_limit"] = row["seconds"] / limit if limit else None
    for plain, crossover in zip(data["crossovers"], results.crossovers, strict=True):
        plain["above"] = crossover.above
    data["targets"] = [verdict.to_json() for verdict in judge(results)]
    return data


def from_json(data: Mapping[str, Any]) -> Results:
    """Return the results that ``to_json`` wrote.

    Raises ``ResultsError`` for anything else.
    """
    if not isinstance(data, Mapping) or data.get("schema") not in READABLE:
        found = data.get("schema") if isinstance(data, Mapping) else type(data).__name__
        raise ResultsError(
            f"results must have schema {SCHEMA}, got {found}\n"
            "hint: write them with lossary bench --json FILE"
        )
    try:
        known = _known(Results, data)
        known["bandwidth"] = {k: Limit(**v) for k, v in data["bandwidth"].items()}
        known["outcomes"] = tuple(_outcome(one) for one in data["outcomes"])
        known["crossovers"] = tuple(_crossover(one) for one in data["crossovers"])
        known["absent"] = tuple(Absent(**one) for one in data["absent"])
        for name in ("skipped", "disturbed"):
            known[name] = tuple(data.get(name, ()))
        return Results(**known)
    except (KeyError, TypeError, AttributeError) as error:
        raise ResultsError(
            f"results lack or misplace {error}\n"
            "hint: write them anew with lossary bench --json FILE"
        ) from error


def save(results: Results, path: Path) -> None:
    """Write a file in one atomic step."""
    text = json.dumps(to_json(results), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    files.write(path, text.encode())


def load(path: Path) -> Results:
    """Read a file that ``save`` wrote."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ResultsError(
            f"{path}: {error}\nhint: write results with lossary bench --json FILE"
        ) from error
    return from_json(data)


def _known(kind: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries that are fields: the others were derived from them.

    What has a default may be missing: an older file did not have it.
    """
    return {
        field.name: data[field.name]
        for field in dataclasses.fields(kind)
        if field.name in data or _required(field)
    }


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is field.default_factory is dataclasses.MISSING


def _outcome(data: Mapping[str, Any]) -> Outcome:
    case = dict(data["case"])
    case["shape"] = tuple(case["shape"])
    return Outcome(
        Case(**case),
        Limit(**data["limit"]) if data["limit"] else None,
        tuple(Measured(**_known(Measured, row)) for row in data["rows"]),
        tuple(Absent(**one) for one in data["absent"]),
    )


def _crossover(data: Mapping[str, Any]) -> Crossover:
    known = _known(Crossover, data)
    for name in ("sizes", "array", "fused"):
        known[name] = tuple(known[name])
    return Crossover(**known)
