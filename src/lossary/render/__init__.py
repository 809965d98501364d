"""Expressions to text: one file per target, each with one table of spellings."""

from lossary.render.latex import latex
from lossary.render.target import TARGETS, Program, render

__all__ = ["TARGETS", "Program", "latex", "render"]
