"""Formulas for readers: as written, with derivatives that are simplified for reading only."""

from lossary.notation.written import Written

__all__ = ["Written"]
