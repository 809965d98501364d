"""Docstrings are laid out for ``help()``, with aligned columns; make them safe for Sphinx."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any


def restructure(lines: list[str]) -> list[str]:
    """Keep examples, show aligned blocks as they are, and take paragraphs literally."""
    result: list[str] = []
    for blank, group in groupby(lines, key=lambda line: not line.strip()):
        if not blank:
            result += [*block(list(group)), ""]
    return result


def block(lines: list[str]) -> list[str]:
    """One block between blank lines as reStructuredText."""
    if lines[0].lstrip().startswith(">>>"):
        return lines
    if any(line.startswith(" ") for line in lines):
        return ["::", "", *(f"    {line}" for line in lines)]
    return [escape(line) for line in lines]


def escape(line: str) -> str:
    """Take away the meaning of ``|``, ``*`` and a final underscore outside of literals."""
    parts = re.split(r"(``.*?``)", line)
    parts[::2] = [re.sub(r"([|*])|(?<=\w)(_)(?!\w)", r"\\\g<0>", part) for part in parts[::2]]
    return "".join(parts)


def process(*event: Any) -> None:
    """Rewrite the lines of a docstring in place (Sphinx's autodoc-process-docstring)."""
    lines = event[-1]
    lines[:] = restructure(lines)
