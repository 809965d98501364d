"""What a reader must see of curves: which panels, in which range, and where they jump."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lossary.show.curves import PANELS, Curves

FLAT = "0 wherever it exists"


def flat(curves: Curves) -> bool:
    """Whether every second derivative is 0, where there is one: a panel of it would be empty."""
    return all(
        np.all(curve.panels[2][np.isfinite(curve.panels[2])] == 0) for curve in curves.curves
    )


def titles(curves: Curves) -> list[str]:
    """Return the titles of the panels to draw; derivatives say with respect to what."""
    arguments = curves.arguments
    if len(arguments) == 1:
        own = f"d loss / d {arguments[0].replace('_', ' ')}"
    else:
        own = "each by its first argument"
    shown = [PANELS[0], f"{PANELS[1]}, {own}", PANELS[2]]
    return shown[:2] if flat(curves) else shown


def limits(panel: Sequence[np.ndarray]) -> tuple[float, float]:
    """Return the range of y that shows the shape of all curves, cutting off poles.

    >>> limits([np.array([0.0, 1.0, 2.0])])
    (-0.1, 2.1)
    """
    y = np.concatenate([curve[np.isfinite(curve)] for curve in panel])
    if not y.size:
        return -1.0, 1.0
    low, high = float(y.min()), float(y.max())
    inner = [float(q) for q in np.quantile(y, (0.08, 0.92))]
    reach = 3.0 * max(inner[1] - inner[0], 1e-12)
    if high - low > 4 * reach:
        low, high = max(low, inner[0] - reach), min(high, inner[1] + reach)
    pad = 0.05 * (high - low) or max(abs(low) * 0.5, 0.5)
    return low - pad, high + pad


# A step is a jump if it is large beside the panel and beside the flatter of its neighbours.
STEP, STEEPER = 0.04, 8.0


def jumps(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return after which points the curve jumps, and which points stand alone between two jumps.

    A line through a jump would show values that the loss never takes; the value at a kink, such as
    the gradient 0 of the absolute error at 0, stands alone as a dot.

    >>> jump, alone = jumps(np.array([-1.0, -1.0, 0.0, 1.0, 1.0]))
    >>> jump.tolist(), alone.tolist()
    ([False, True, True, False], [False, False, True, False, False])
    """
    low, high = limits([y])
    with np.errstate(invalid="ignore"):
        step = np.abs(np.diff(y))
        beside = np.minimum(np.append(np.inf, step[:-1]), np.append(step[1:], np.inf))
        jump = (step > STEP * (high - low)) & (step > STEEPER * beside)
    return jump, np.append(False, jump) & np.append(jump, False)
