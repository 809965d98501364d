"""Numbers on the command line: ``3``, ``1,2,3``, rows ``'1,2;3,4'``, JSON ``[[1,2],[3,4]]``."""

from __future__ import annotations

import json
import re
from typing import Any

import click
import numpy as np

# A leading hyphen would make an option of a number: positional -3 travels with a real minus sign.
MINUS = "\N{MINUS SIGN}"
WORDS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}


def hide_minus(arguments: list[str]) -> list[str]:
    """Protect negative numbers from being read as options.

    >>> hide_minus(["-3,-1", "--delta", "-2", "-o"])
    ['−3,-1', '--delta', '−2', '-o']
    """
    return [re.sub(r"^-(?=\.?\d|inf|nan)", MINUS, argument) for argument in arguments]


def numbers(text: str, name: str, *, whole: bool = False, dtype: str = "float64") -> np.ndarray:
    """Return the numbers of a text as an array of any rank; one number has rank 0.

    >>> numbers("1,2;3,4", "target").tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    >>> numbers("17", "label", whole=True)
    array(17)
    """
    text = text.replace(MINUS, "-").strip()
    rows = _from_json(text, name) if text.startswith("[") else _from_signs(text, name)
    try:
        array = np.asarray(rows, float)
    except (ValueError, TypeError):
        raise _bad(
            name, f"the rows of {text!r} differ in length", "all rows need the same length"
        ) from None
    if whole and np.all(np.mod(array, 1) == 0) and not re.search(r"[.eE]", text):
        return array.astype(int)
    with np.errstate(over="ignore"):
        return array.astype(dtype)


def _from_json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise _bad(
            name, f"cannot read {text!r}", "brackets hold JSON, as in '[[1, 2], [3, 4]]'"
        ) from None


def _from_signs(text: str, name: str) -> Any:
    rows = [
        [number(word, name) for word in re.split(r"\s*,\s*|\s+", row.strip()) if word]
        for row in text.split(";")
        if row.strip()
    ]
    if not any(rows):
        raise _bad(name, "there is no number", "give a number, or several as 1,2,3")
    if ";" in text:
        return rows
    return rows[0] if "," in text or len(rows[0]) > 1 else rows[0][0]


def number(word: str, name: str) -> float:
    """Return one number."""
    word = word.replace(MINUS, "-").strip()
    try:
        return WORDS[word.lower()] if word.lower() in WORDS else float(word)
    except ValueError:
        raise _bad(
            name, f"{word!r} is not a number", "write numbers as 3, -0.5, 1e-3, inf; lists as 1,2,3"
        ) from None


def truths(text: str, name: str) -> np.ndarray:
    """Return a mask; 1, true and yes keep an element.

    >>> truths("1,0", "mask").tolist()
    [True, False]
    """
    array = numbers(text, name)
    if not np.all((array == 0) | (array == 1)):
        raise _bad(name, f"{text!r} is not a mask", "a mask holds 0 and 1")
    return array.astype(bool)


def _bad(name: str, problem: str, hint: str) -> click.UsageError:
    return click.UsageError(f"{name}: {problem}\nhint: {hint}")
