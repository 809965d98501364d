"""``import lossary`` stays light: no array library, plotting or statistics beside NumPy."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "torch", "jax", "tensorflow", "keras", "numba", "triton", "matplotlib", "sklearn", "scipy",
    "mpmath", "optax",
}  # fmt: skip


def modules_after(statement):
    """Run a statement in a fresh process and return the modules that it has loaded."""
    code = f"{statement}\nimport json, sys\nsys.stderr.write(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr))


@pytest.mark.parametrize(
    "statement",
    [
        "import lossary",
        "import lossary; lossary.huber([1.0], [0.0])",
        "import lossary.cli; lossary.cli.main(['list'])",
        "import lossary.cli; lossary.cli.main(['show', 'huber', '--text', 'torch'])",
        "import lossary.cli; lossary.cli.main(['eval', 'huber', '3', '0'])",
        "import lossary.cli; lossary.cli.main(['plot', 'huber'])",
    ],
)
def test_nothing_heavy_is_imported(statement):
    assert modules_after(statement).isdisjoint(HEAVY)


def test_importing_reads_no_tables_and_no_signatures():
    """Names of other libraries, prose and arguments are read when they are first asked for."""
    late = {"tomllib", "importlib.resources", "hashlib", "concurrent.futures", "lossary.lookup"}
    assert modules_after("import lossary").isdisjoint(late)
    assert modules_after("import lossary; lossary.find('mse')") >= {"tomllib", "lossary.lookup"}
    read = "[x for x in (*L.catalogue.values(), *definitions.values()) if 'arguments' in vars(x)]"
    code = f"import lossary as L; from lossary.losses import definitions; print({read})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_of_a_loss_adds_no_name_to_the_package():
    """Doctest and its like ask each thing of a module for its help while they go through them."""
    code = "import lossary as L; [x.__doc__ for x in vars(L).values()]"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_that_test_can_fail():
    assert modules_after("import lossary, matplotlib") & HEAVY == {"matplotlib"}


def test_listing_does_not_even_load_the_plots():
    statement = "import lossary.cli; lossary.cli.main(['list'])"
    assert modules_after(statement).isdisjoint({"lossary.show.plot", "lossary.show.curves"})


ROOT = Path(__file__).parents[2]
READERS = [*ROOT.glob("src/**/*.py"), *ROOT.glob("tests/**/*.py"), *ROOT.glob("docs/*.*")]


def test_a_list_of_public_names_stands_only_where_something_reads_it():
    """A package says what it offers; of a module ``import *``, a page or a test must ask for it."""
    read = "\n".join(path.read_text("utf-8") for path in READERS if path.suffix in {".py", ".md"})
    idle = []
    for path in ROOT.glob("src/**/*.py"):
        text = path.read_text("utf-8")
        module = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
        asked = (
            rf'\b{path.stem}\.__all__|from {module} import \*|automodule:: {module}\b|"{module}"'
        )
        if "\n__all__ = " in text and path.name != "__init__.py" and not re.search(asked, read):
            idle.append(module)
    assert idle == []
