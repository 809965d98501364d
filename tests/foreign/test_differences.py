"""The page of differences holds what the doors and their frameworks answer today."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))
import differences  # noqa: E402

NEEDS = {"sklearn_differences": ("sklearn",), "keras_differences": ("keras", "tensorflow", "jax")}


@pytest.mark.parametrize("module", differences.modules())
def test_the_page_is_what_the_doors_say_and_every_row_differs(module):
    framework = module.removesuffix("_differences")
    for name in NEEDS.get(module, (framework,)):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    section = differences.section(module)
    assert section in differences.PAGE.read_text(encoding="utf-8"), (
        "run `python docs/generate.py --differences`"
    )
    calls = [
        re.split(r"(?<!\\\\) \| ", line) for line in section.splitlines() if line.startswith("| `")
    ]
    rows = [cells for cells in calls if len(cells) == 5]
    assert rows
    for call, own, peer, *_ in rows:
        assert own != peer, f"no difference any more: {call}"
