"""The texts of all kernels are those that were read, measured and compiled: any change is seen.

They stand in `golden/`; `tests/kernel_texts.py` says what its files hold, and writes them.
"""

import numpy as np
import pytest

import lossary as L
from covering import covering, parts_of
from kernel_texts import ASKED, FOLDER, SHOWN, STORAGES, digest, pictures, texts
from lossary.accuracy.samples import settings
from plain_kernels import check_kernel
from samples import CLASSES, LOSSES, REPRESENTATIVE, each_with_kernels, has_kernels


@each_with_kernels
def test_the_texts_are_those_that_were_read(loss, lane):
    """How numbers are stored changes reading and writing: one loss of each kind shows it."""
    if loss.name in REPRESENTATIVE | SHOWN.keys() or lane:
        for name, text in pictures(loss).items():
            assert (FOLDER / name).read_text(encoding="utf-8") == text, name
        return
    kept = (FOLDER / f"{loss.name}.txt").read_text(encoding="utf-8").splitlines(keepends=True)
    found = [digest(name, text) for name, text in texts(loss, ("float32",))]
    assert found == [line for line in kept if ".float32." in line]


@each_with_kernels
def test_a_text_gives_what_the_array_text_gives(loss):
    """Run by plain Python, at every setting; `covering.py` says what is compiled."""
    classes = len(loss.entries) or CLASSES
    check_kernel(loss, classes, "float64")
    for setting in settings(loss):
        if not any(map(np.ndim, setting.values())):  # a number for each class is for array texts
            check_kernel(loss, classes, "float32", **setting)


def test_the_losses_that_are_compiled_hold_every_part_of_a_text():
    whole = set().union(*map(parts_of, filter(has_kernels, LOSSES)))
    held = {name: parts_of(L.catalogue[name]) for name in covering()}
    assert set().union(*held.values()) == whole
    for word in ("log1p", "tanh", "power_of_positive"):
        assert any(part == word for _, part in whole)
    needed = [
        name
        for name in covering() - REPRESENTATIVE
        if held[name] - set().union(*(held[other] for other in held if other != name))
    ]
    assert len(needed) > len(covering() - REPRESENTATIVE) / 2


def test_every_file_belongs_to_a_loss():
    names = {path.name for path in FOLDER.iterdir()}
    assert {name.partition(".")[0] for name in names} == {
        loss.name for loss in filter(has_kernels, LOSSES)
    }
    shown = {name for loss in SHOWN for name in pictures(L.catalogue[loss])}
    assert {name for name in names if name.count(".") > 1} <= shown


@pytest.mark.parametrize("language", ["numba", "triton"])
def test_what_is_asked_shows_in_the_text(language):
    """No two of the texts that a loss has in a language are the same."""
    found = [text for name, text in texts(L.cross_entropy) if name.startswith(language)]
    assert len(found) == len(set(found)) == 2 * len(STORAGES) * len(ASKED)
