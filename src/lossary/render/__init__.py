"""Expressions to text: one file per target, each with one table of spellings."""

from lossary.render.latex import latex
from lossary.render.target import TARGETS
from lossary.render.text import Program, render

__all__ = ["TARGETS", "Program", "latex", "render"]
