"""The page of peers says what was answered, and Lossary answers the same today."""

import importlib.metadata
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import lossary as L

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))
import side_by_side  # noqa: E402

KEYS = side_by_side.packages()
ROWS = [(key, row) for key in KEYS for row in side_by_side.content(key)["comparison"]]
LEAST = 60  # comparisons

each_package = pytest.mark.parametrize("key", KEYS)
pytestmark = pytest.mark.together  # they share what one run has answered


def numbers(answer):
    """The numbers of an answer, or None of an exception."""
    if "Error: " in answer:
        return None
    words = re.split(r"; |, | to ", answer)
    return np.array([float(w) if w != "no limit" else np.nan for w in words])


def size_of(x):
    """The largest finite number."""
    return np.abs(x[np.isfinite(x)]).max(initial=0)


def alike(today, kept):
    """Whether two answers agree but for the noise of their last digits, part by part."""
    if numbers(today) is None or numbers(kept) is None:
        return today == kept
    parts = [list(map(numbers, answer.split("; "))) for answer in (today, kept)]
    return len(parts[0]) == len(parts[1]) and all(
        a.shape == b.shape
        and np.allclose(
            a, b, rtol=0, atol=1e-3 * np.abs(b[np.isfinite(b)]).max(initial=0), equal_nan=True
        )
        for a, b in zip(*parts, strict=True)
    )


def same(found, kept, answers):
    """Compare answers, and the digits, of which rounding may take one."""
    for dtype, digits in kept["digits"].items():
        if digits is None:
            assert found["digits"][dtype] is None
        else:
            assert np.subtract(digits, found["digits"][dtype]).max() <= 1, (found["digits"], dtype)
    for today, before in zip(found["cases"], kept["cases"], strict=True):
        for name in answers:
            assert alike(today[name], before[name]), (today, before)
        right = "ours is right" if "ours" in answers else "theirs is right"
        assert today[right] == before[right], today


def test_the_page_is_what_was_answered():
    assert list(side_by_side.answers()) == KEYS
    assert side_by_side.PAGE.read_text(encoding="utf-8") == side_by_side.page(), (
        "run `python docs/generate.py`"
    )


def test_there_are_comparisons_enough():
    assert len(ROWS) >= LEAST
    assert sum(len(row.get("case", ())) for _, row in ROWS) >= LEAST


@pytest.fixture(scope="module")
def own():
    """What Lossary answers, and what is exact, by package."""
    pytest.importorskip("torch")
    return side_by_side.run(*KEYS, "--own")


@each_package
def test_lossary_answers_today_what_the_page_says(key, own):
    kept = side_by_side.answers()[key]
    for today, before in zip(own[key]["rows"], kept["rows"], strict=True):
        assert today["own"]["ours"] == before["own"]["ours"]
        same(today["own"], before["own"], ("ours", "exact"))


@each_package
def test_the_package_answers_today_what_the_page_says(key):
    content, kept = side_by_side.content(key), side_by_side.answers()[key]
    if not side_by_side.installed(key):
        pytest.skip(f"{content['title']} is not installed: pip install -e '.[peers]'")
    version = importlib.metadata.version(content["distribution"])
    if version.partition("+")[0] != kept["version"]:
        pytest.skip(f"{version} is installed, the page has {kept['version']}")
    for today, before in zip(side_by_side.run(key)[key]["rows"], kept["rows"], strict=True):
        same(today["beside"], before["beside"], ("theirs",))
        drawn = [Counter(answer["beside"]["drawn"]) for answer in (today, before)]
        assert (drawn[0] - drawn[1]).total() <= 2, drawn  # at the edge of what counts as right


@each_package
def test_who_raises_is_said_why(key):
    for row, kept in zip(
        side_by_side.content(key)["comparison"], side_by_side.answers()[key]["rows"], strict=True
    ):
        raised = any(digits is None for digits in kept["beside"]["digits"].values())
        assert raised == ("raises" in row), row["name"]
        for case, found in zip(row.get("case", ()), kept["own"]["cases"], strict=True):
            refused = found["ours"].startswith("DomainError: ")
            assert refused == ("is refused" in case["why"]), row["name"]
            assert refused or "Error: " not in found["ours"], found


@each_package
def test_on_ordinary_input_all_digits_are_right_here(key):
    for kept in side_by_side.answers()[key]["rows"]:
        for dtype, least in (("float32", 6), ("float64", 14)):
            assert min(kept["own"]["digits"][dtype]) >= least, kept["own"]["ours"]


@each_package
def test_on_ordinary_input_both_are_the_same_loss(key):
    """Five digits: what an epsilon of 1e-5 in a denominator leaves of them."""
    for kept in side_by_side.answers()[key]["rows"]:
        found = kept["beside"]["digits"]["float32"]
        assert found is None or min(found) >= 5, kept["beside"]["name"]


@pytest.mark.parametrize(("key", "row"), ROWS, ids=lambda x: x if isinstance(x, str) else x["name"])
def test_the_name_of_the_peer_leads_to_the_loss(key, row):
    assert L.find(row["name"]).name == row["loss"].rpartition(".")[2]


@each_package
def test_the_reason_agrees_with_the_answers(key):
    """Where both are right the page says that they are the same, and else what is not."""
    for loss, *_, verdict in side_by_side.judged(key):
        same_words = verdict.why.startswith("The same")
        assert same_words == (verdict.who == "both"), (loss, verdict)


@pytest.mark.parametrize(
    ("found", "right"),
    [
        ("0.5; -1, 0.25", True), ("0.500001; -1, 0.25", True), ("0.51; -1, 0.25", False),
        ("0.5; -1, 0.3", False), ("nan; -1, 0.25", False), ("0.5; -1", False),
    ],
)  # fmt: skip
def test_answers_that_differ_are_noticed(found, right):
    assert alike(found, "0.5; -1, 0.25") == right


def test_an_answer_between_the_ends_of_a_corner_is_right():
    """The rule by which the page judges, on numbers that are plain."""
    script = (
        "from lossary.accuracy.oracle import Kink\n"
        "from tests.peers.answer import Answer, digits, right\n"
        "import numpy as np\n"
        "exact = Answer(0.0, np.array([Kink(-1, 1), 2.0], object))\n"
        "verdicts = [right(Answer(v, np.array(g)), exact, 'float64') for v, g in (\n"
        "    (0.0, [0.5, 2.0]), (0.0, [1.5, 2.0]), (0.0, [0.5, 2.001]), (1e-9, [0.5, 2.0]),\n"
        "    (0.0, [float('nan'), 2.0]))]\n"
        "print(verdicts, digits(3e-7, 'float32'), digits(0.0, 'float64'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=DOCS.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["[True,", "False,", "False,", "False,", "False]", "6", "16"]


def test_the_answers_are_those_of_the_files():
    kept = json.loads(side_by_side.ANSWERS.read_text(encoding="utf-8"))
    for key, row in ROWS:
        names = [found["beside"]["name"] for found in kept[key]["rows"]]
        assert row["name"] in names
