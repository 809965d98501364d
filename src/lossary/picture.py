"""What every picture shares: colours, strokes, type, and a file that is never seen half written."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossary import files
from lossary.errors import LossaryError, MissingExtraError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito 2008, "Color Universal Design", without yellow, which fades on white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9", "#7F7F7F")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.6)), (0, (1.2, 1.4)), (0, (6, 1.5, 1.2, 1.5)))
INK = "#222222"
STYLE = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titlepad": 9,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#8A8A8A",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 1.9,
    "legend.frameon": False,
    "svg.hashsalt": "lossary",
}
SUFFIXES = (".png", ".svg")


class FileError(LossaryError, ValueError):
    """A picture cannot be written where it was asked for."""


def check(path: Path) -> None:
    """Raise ``FileError`` before any work is done for a picture that could not be written."""
    if path.suffix.lower() not in SUFFIXES:
        raise FileError(
            f"{path}: a picture ends in {' or '.join(SUFFIXES)}\nhint: try {path.stem}.png"
        )
    if path.is_dir():
        raise FileError(f"{path} is a folder\nhint: name a file in it")
    if not path.parent.is_dir():
        raise FileError(f"{path}: there is no folder {path.parent}\nhint: create it first")


def matplotlib() -> Any:
    """Return Matplotlib, or raise ``MissingExtraError`` with the line that installs it."""
    try:
        import matplotlib as mpl
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise MissingExtraError("plot", "a picture") from error
    return mpl


def save(figure: Figure, path: Path) -> None:
    """Write a figure in one atomic step; the same figure gives the same bytes."""
    kind = path.suffix.lower().removeprefix(".")
    buffer = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    figure.savefig(buffer, format=kind, dpi=150, metadata=metadata)
    files.write(path, buffer.getvalue())
