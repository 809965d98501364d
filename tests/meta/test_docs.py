"""The handbook: every page shows how to use what it is about, and the example does what it says."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import inspect
import re
import sys
from functools import cache
from pathlib import Path

import pytest

import lossary as L
from lossary.domain import Positive, Real
from lossary.show import pages
from lossary.show.examples import example

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))

import doors  # noqa: E402  (a script of the documentation)

GUIDES = [guide for guide, _ in doors.PAGES.values() if guide]


@cache
def page(name):
    """The page of a loss, which takes longer to write than to look at."""
    return pages.page(L.catalogue[name])


def code(text):
    """The sessions in a page of Markdown."""
    return "\n".join(re.findall(r"```python\n(>>> .*?)```", text, flags=re.DOTALL))


def run(session, name):
    """Run a session as a doctest, without the leniency that the project's options give."""
    parsed = doctest.DocTestParser().get_doctest(session, {}, name, None, 0)
    assert parsed.examples
    said = []
    doctest.DocTestRunner(verbose=False).run(parsed, out=said.append)
    assert not said, "".join(said)


@pytest.mark.parametrize("name", L.catalogue)
def test_the_page_of_a_loss_has_an_example_that_runs(name):
    session = code(page(name))
    assert f"L.{name}.value_and_gradient(" in session
    run(session, name)
    assert re.search(r"[1-9]", session.rpartition(">>> print")[2]), "a gradient of 0 shows nothing"


def test_a_loss_of_ones_own_has_an_example_without_an_import_from_here():
    @L.loss(source="nobody")
    def half(prediction: Real, target: Real, *, scale: Positive):
        return (prediction - target) ** 2 / (2 * scale)

    text = "\n".join(example(half))
    assert "import lossary" not in text
    assert "half.value_and_gradient(prediction, target, scale=10.0)" in text


@pytest.mark.parametrize("module", doors.PAGES)
def test_what_a_door_offers_is_shown_in_use(module):
    framework = {"lossary.sklearn": "sklearn"}.get(module, module.removeprefix("lossary."))
    if framework in {"torch", "keras", "tensorflow", "optax", "sklearn"}:
        pytest.importorskip(framework)
    text = doors.page(module)
    assert ">>> " in text
    parts = [module, *(f"{module}.{part}" for part in doors.PAGES[module][1])]
    for place in map(importlib.import_module, parts):
        described, short, foreign = doors.objects(place)
        functions = [(name, item) for name, item in described if not inspect.isclass(item)]
        bare = [name for name, item in functions if ">>>" not in (inspect.getdoc(item) or "")]
        assert not bare
        named = [name for name, _ in described + short] + foreign
        assert all(name in text for name in named)


@pytest.mark.parametrize("guide", [*GUIDES, "start.md", "writing.md", "contract.md", "engines.md"])
def test_a_guide_shows_what_it_is_about_in_use(guide):
    assert ">>> " in (DOCS / guide).read_text(encoding="utf-8")


def test_each_part_of_the_api_shows_what_it_is_about_in_use():
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    for part in text.split("\n## ")[1:]:
        modules = re.findall(r"automodule:: (\S+)", part)
        own = [importlib.import_module(name).__doc__ or "" for name in modules]
        assert any(">>> " in words for words in [part, *own]), part.partition("\n")[0]


@pytest.mark.skipif(not importlib.util.find_spec("docutils"), reason="the extra docs is absent")
@pytest.mark.parametrize("name", L.catalogue)
def test_no_formula_prints_a_command_of_latex(name):
    from docutils.utils.math.latex2mathml import tex2mathml

    for formula in re.findall(r"\$\$\n(.*?)\n\$\$", page(name), flags=re.DOTALL):
        plain = re.sub(r"frac(\d)(\d)", r"frac{\1}{\2}", formula).replace(r"\dots", r"\ldots")
        assert "\\" not in re.sub(r"<[^>]*>", "", tex2mathml(plain, as_block=True))


def test_the_font_of_the_formulas_is_shipped_with_its_licence():
    style = (DOCS / "_static/lossary.css").read_text(encoding="utf-8")
    (font,) = re.findall(r'url\("([^"]+\.woff2)"\)', style)
    assert (DOCS / "_static" / font).read_bytes()[:4] == b"wOF2"
    licence = (DOCS / "_static" / font).with_suffix(".txt").read_text(encoding="utf-8")
    assert "GUST Font License" in licence
