"""Times and sizes in three digits."""

from __future__ import annotations


def seconds(x: float) -> str:
    """Return a time in three digits.

    >>> seconds(3.2e-07), seconds(0.0041234), seconds(1.5)
    ('320 ns', '4.12 ms', '1.5 s')
    """
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if x * factor >= 0.9995:
            return f"{x * factor:.3g} {unit}" if x * factor < 999.5 else f"{x * factor:.0f} {unit}"
    return f"{x * 1e9:.3g} ns"


def size(count: float) -> str:
    """Return bytes in three digits, in powers of ten.

    >>> size(120_000_000), size(768), size(19.5e9)
    ('120 MB', '768 B', '19.5 GB')
    """
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= 0.9995 * factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count:.0f} B"
