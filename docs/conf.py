"""Sphinx settings. One page per loss is written before each build."""

import re
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

import lossary
from lossary.show import pages

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import docstrings  # noqa: E402  (stands beside this file)

import doors  # noqa: E402  (same)

project = "Lossary"
author = "The Lossary authors"
project_copyright = "The Lossary authors, Apache-2.0"
release = version = lossary.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
html_math_renderer = "mathml"  # browsers draw it without a script; mistakes show when building
exclude_patterns = ["_build"]
myst_enable_extensions = ["attrs_inline", "colon_fence", "dollarmath"]
myst_heading_anchors = 3
nitpicky = False

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # annotations of losses are sets of numbers; their pages print them

html_theme = "furo"
html_title = f"Lossary {release}"
html_static_path = ["_static"]
html_css_files = ["lossary.css"]


def mathml(node: Any, *, as_block: bool) -> str:
    """Return the MathML of a formula; one that cannot be converted is a warning, so an error."""
    # The converter reads the 12 of \frac12 as one number, and knows \ldots but not \dots.
    latex = re.sub(r"frac(\d)(\d)", r"frac{\1}{\2}", node.astext()).replace(r"\dots", r"\ldots")
    try:
        return tex2mathml(latex, as_block=as_block)
    except MathError as error:
        logging.getLogger(__name__).warning("formula: %s", error, location=node)
        return ""


def visit_math(translator: Any, node: Any) -> None:
    """Write an inline formula."""
    translator.body.append(mathml(node, as_block=False))
    raise nodes.SkipNode


def visit_math_block(translator: Any, node: Any) -> None:
    """Write a displayed formula."""
    translator.body.append(f'<div class="math">{mathml(node, as_block=True)}</div>')
    raise nodes.SkipNode


def write_pages(app: Any) -> None:
    """Write the pages that are made from the catalogue and from docstrings."""
    pages.write(HERE / "losses")
    doors.write(HERE / "api")


def setup(app: Any) -> None:
    """Connect the generator to the start of a build, docstrings to autodoc, formulas to MathML."""
    app.connect("builder-inited", write_pages)
    app.connect("autodoc-process-docstring", docstrings.process)
    app.add_html_math_renderer(
        "mathml", inline_renderers=(visit_math, None), block_renderers=(visit_math_block, None)
    )
