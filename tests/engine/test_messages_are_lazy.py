"""No message is built before it is needed: printing an array costs more than any loss of it."""

import ast
import builtins
import contextlib
from pathlib import Path

import numpy as np
import pytest

import lossary as L
from libraries import NAMES, Library
from samples import CLASSES, each_loss, has_sums, of_rows, sample

SOURCES = [*Path(L.__file__).parent.rglob("*.py")]


def early(tree):
    """Lines at which an error is made that is neither raised nor returned at once."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not isinstance(parents[node], ast.Raise | ast.Return):
            name = ast.unparse(node.func).rpartition(".")[2]
            kind = getattr(L.errors, name, getattr(builtins, name, None))
            if isinstance(kind, type) and issubclass(kind, BaseException):
                yield node.lineno


def test_an_error_is_made_where_it_is_raised():
    assert len(SOURCES) > 50
    found = [f"{path}:{line}" for path in SOURCES
             for line in early(ast.parse(path.read_text(encoding="utf-8")))]  # fmt: skip
    assert not found


def test_an_error_that_waits_to_be_raised_is_found():
    waits = "def f(x):\n    refusal = DomainError(f'got {x}')\n    if x: raise refusal"
    assert list(early(ast.parse(waits))) == [2]
    assert not list(early(ast.parse("def f(x):\n    if x: raise DomainError(f'got {x}')")))


class PrintedError(AssertionError):
    """An array was printed."""


@contextlib.contextmanager
def unprintable(name, monkeypatch):
    """Arrays of a library cannot be turned into text here."""
    library = Library(name)

    def refuse(*args, **kwargs):
        raise PrintedError(f"an array of {name} was printed")

    with monkeypatch.context() as patch:
        if name == "numpy":
            for words in ("array_repr", "array_str", "array2string"):
                patch.setattr(np, words, refuse)
        else:
            kind = type(library.array([1.0]))
            for words in ("__repr__", "__str__", "__format__"):
                patch.setattr(kind, words, refuse)
        yield


class Silent(np.ndarray):
    """An array of NumPy that does not let itself be printed."""

    def _refuse(self, *args):
        raise PrintedError("an array of numpy was printed")

    __repr__ = __str__ = __format__ = _refuse


def options_of(loss, convert):
    """Each option and hyper-parameter that may be an array, as one."""
    given = [
        {"weight": convert(np.full(5, 2.0)), "mask": convert(of_rows(loss, np.arange(5) < 4))},
        {"weight": convert(np.array([1.0, 0.0, 2.0, 1.0, 1.0])), "denominator": convert(3.0)},
    ]
    if "class_weight" in loss.__signature__.parameters and "class_weight" not in loss.domains:
        domain = loss.inputs[1].domain
        classes = CLASSES if domain.integer or domain.class_axis else 2
        given.append({"class_weight": convert(np.arange(1.0, classes + 1))})
    own = [a for a in loss.parameters if not a.domain.class_axis]
    return given + [{a.name: convert(np.full(5, a.domain.inside[-1]))} for a in own]


@pytest.mark.parametrize("name", NAMES)
@each_loss
def test_no_array_is_printed_on_the_way_to_a_loss(name, loss, monkeypatch):
    library = Library(name)
    data, settings = sample(loss)

    def convert(x):
        x = np.asarray(x)
        if name == "numpy":
            return x.view(Silent)
        return library.array(x, {"b": "bool", "i": "int64"}.get(x.dtype.kind, "float32"))

    if name == "jax":
        data = [x.astype(np.float32) if x.dtype.kind == "f" else x for x in data]
        convert = library.module.numpy.asarray
    data = [convert(x) for x in data]
    given = options_of(loss, convert)
    given = given if name == "numpy" else given[:1] + given[2:]
    with unprintable(name, monkeypatch):
        for options in given:
            loss(*data, **settings | options)
            if name == "numpy":
                loss.value_and_gradient(*data, **settings | options)
                if has_sums(loss) and not (loss.over_positions and "weight" in options):
                    loss.sums(*data, **settings | options)


def test_what_prints_an_array_is_noticed(monkeypatch):
    for name in NAMES:
        x = Library(name).array([1.0])
        x = x.view(Silent) if name == "numpy" else x
        with unprintable(name, monkeypatch), pytest.raises(PrintedError):
            str(x)
