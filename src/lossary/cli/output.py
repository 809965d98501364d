"""Where words go: results to stdout in one piece, talk to stderr."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import StringIO, TextIOWrapper
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

SCHEMA = 1


def tolerate_any_encoding() -> None:
    """Print a question mark rather than fail where a terminal has no letter for ``ŷ``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def say(text: str) -> None:
    """Talk to the person at the terminal."""
    click.echo(text, err=True)


def emit(text: str) -> None:
    """Write a result; a reader that has seen enough, such as ``head``, is no error."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes stdout once more on its way out: let it flush into nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(0) from None


def emit_json(data: Mapping[str, Any]) -> None:
    """Write a result for programs; numbers that are not finite become "inf", "-inf" and "nan"."""
    text = json.dumps(
        _plain({"schema": SCHEMA, **data}), ensure_ascii=False, indent=2, allow_nan=False
    )
    emit(text + "\n")


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


@contextmanager
def page() -> Iterator[Console]:
    """Collect what is printed with Rich, and write it at once, lines without trailing spaces."""
    from rich.console import Console

    buffer = StringIO()
    yield Console(
        file=buffer,
        force_terminal=True if sys.stdout.isatty() else None,
        width=shutil.get_terminal_size().columns,
        highlight=False,
        emoji=False,
    )
    emit(re.sub(r"[ \t]+$", "", buffer.getvalue(), flags=re.MULTILINE))
