"""The errors that Lossary raises: each says what was seen, where, what is allowed, and the fix."""

from __future__ import annotations

__all__ = [
    "DomainError",
    "DtypeError",
    "FormulaError",
    "LossaryError",
    "MissingExtraError",
    "ShapeError",
]


class LossaryError(Exception):
    """Common base, so that one ``except`` catches whatever Lossary refuses."""


class DomainError(LossaryError, ValueError):
    """A value lies outside the set that its argument is declared in."""


class ShapeError(LossaryError, ValueError):
    """Two arguments do not have the shapes that the loss needs."""


class DtypeError(LossaryError, TypeError):
    """An argument has a type of number that the loss cannot use."""


class FormulaError(LossaryError, TypeError, AttributeError):
    """A definition says something that the formula language does not have."""


class MissingExtraError(LossaryError, ImportError):
    """An optional library is absent; the message holds the command that installs it."""

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f'{purpose} needs an extra: pip install "lossary[{extra}]"')
        self.extra = extra
