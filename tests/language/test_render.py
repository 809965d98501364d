"""The texts: some as snapshots to read (`tests/shown_texts.py` writes them), all of them parsed and
looked through.
"""

import ast
import functools
import importlib
import re
from collections import Counter
from inspect import signature

import numpy as np
import pytest

import lossary as L
from libraries import Library
from lossary.engine.program import text, variant
from lossary.formula import apply, constant, variable
from lossary.functions import FUNCTIONS, PRIMITIVES, class_index
from lossary.render import TARGETS, Program, latex, render
from lossary.render.latex import SYMBOLS, TEMPLATES
from lossary.render.lowering import lower
from lossary.render.target import ALONG_AN_ORDER, IN_PAIRS
from lossary.render.target import target as target_of
from lossary.render.textbook import TOLD
from samples import by, each_loss, of_each_loss, sample
from shown_texts import FOLDER, ORDERS, pictures

each_target = pytest.mark.parametrize("target", TARGETS)


@pytest.mark.parametrize("file", sorted(pictures()))
def test_a_text_is_the_one_that_was_read(file):
    assert (FOLDER / file).read_text() == pictures()[file]


def test_every_snapshot_belongs_to_a_text():
    assert {path.name for path in FOLDER.iterdir()} == set(pictures())


# --------------------------------------------------------------------------------- every text


def texts(loss, target):
    """The texts of a loss that differ."""
    return dict.fromkeys(every_text(loss, target))


def every_text(loss, target):
    """Every text of a loss: by argument, with optional parameters, with small numbers fixed."""
    absent = loss.absent_by_default
    ones = tuple((a.name, 1.0) for a in loss.parameters if not a.optional)
    for chosen in (
        variant(loss, absent, ()),
        variant(loss, frozenset(), ()),
        variant(loss, absent, ones),
    ):
        yield text(chosen, ("value",), target)
        for name in loss.differentiable:
            yield text(chosen, ("value", f"gradient:{name}"), target)
            yield text(chosen, (f"hessian:{name}",), target)
        first = loss.differentiable[0]
        for other in loss.differentiable:
            yield text(chosen, (f"pullback:{first}:{other}",), target)
            yield text(chosen, (f"pushforward:{first}:{other}",), target)


@functools.cache
def imported(module):
    return pytest.importorskip(module)


def named(node):
    """The dotted name of an attribute, as parts."""
    if isinstance(node, ast.Attribute):
        return [*named(node.value), node.attr]
    return [node.id] if isinstance(node, ast.Name) else [None]


@each_target
@each_loss
def test_every_text_knows_its_names_and_computes_nothing_twice(loss, target):
    for source in texts(loss, target):
        tree = ast.parse(source)
        check_names(source, tree)
        check_sharing(source, tree, target)


def beside(library):
    """Where a text that goes along an order, or over pairs, gets its sums from, by their name."""
    rooms = {"ordered": "orders", "paired": "pairs"}
    library = library.partition(".")[0]
    return {
        name: f"from lossary.kernels.{room}.{library} import {name}" for name, room in rooms.items()
    }


def check_names(source, tree):
    """It is Python without unknown names."""
    imports, *more, function = tree.body
    assert isinstance(imports, ast.Import)
    (alias,) = imports.names
    lines = [ast.unparse(line) for line in more]
    words = [name for name, line in beside(alias.name).items() if line in lines]
    assert lines == [beside(alias.name)[name] for name in words]
    arguments = {a.arg for a in function.args.args}
    known = {alias.asname or alias.name, "float", *arguments, *words}
    module = imported(alias.name)
    for statement in function.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                assert node.id in known, f"{node.id} in\n{source}"
            if isinstance(node, ast.Attribute) and named(node)[0] == (alias.asname or alias.name):
                functools.reduce(getattr, named(node)[1:], module)
        if isinstance(statement, ast.Assign):
            (name,) = statement.targets
            assert name.id not in known
            known.add(name.id)
    assert isinstance(function.body[-1], ast.Return)


# Calls that are names in disguise: the number of a class, a cast of a constant.
FREE = re.compile(r"arange|range|shape|new_full|float\(|tf\.constant|logical_not")


def check_sharing(source, tree, target):
    """Each temporary is read at least twice, and no other computation stands twice in a text."""
    body = tree.body[-1].body
    read = Counter(
        node.id
        for statement in body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    )
    stored = [s.targets[0].id for s in body if isinstance(s, ast.Assign)]
    assert all(read[name] >= 2 for name in stored), source
    assert stored == [f"t{i}" for i in range(len(stored))]
    if target in {"numpy", "torch"}:  # one spelling per primitive, so that no parts repeat
        twice = [part for part in map(ast.unparse, repeated(body)) if not FREE.search(part)]
        assert not twice, source


def repeated(body):
    """One of each computation that stands in statements more than once."""
    known = {}

    def number(part):
        """Equal parts of a tree have one number, which is found from those of their parts."""
        if isinstance(part, list):
            return tuple(map(number, part))
        if not isinstance(part, ast.AST):
            return repr(part)
        key = (type(part), *(number(getattr(part, field)) for field in part._fields))
        place, *_ = known.setdefault(key, (len(known), []))
        known[key][1].append(part)
        return place

    number(body)
    computations = (ast.Call, ast.BinOp, ast.Compare)
    return [
        parts[0] for _, parts in known.values() if parts[1:] and isinstance(parts[0], computations)
    ]


@of_each_loss(by(ORDERS))
def test_the_text_of_a_loss_is_what_runs(loss, order):
    """`loss.text` can be pasted into a file; its arguments are those of the loss, in order."""
    source = loss.text("numpy", order)
    function = ast.parse(source).body[-1]
    absent = loss.absent_by_default
    assert [a.arg for a in function.args.args] == [
        a.name for a in loss.arguments if a.name not in absent
    ]
    assert function.name.startswith(loss.name)
    words = (ast.get_docstring(function) or "").split("\n\n")
    assert (words[0] == loss.summary) == (order == 0)
    assert (words[-1].startswith("Shapes: ")) == loss.class_axis
    namespace = {}
    exec(source, namespace)
    assert callable(namespace[function.name])


@pytest.mark.parametrize(
    ("target", "order"), [*((t, 0) for t in TARGETS), ("numpy", 1), ("numpy", 2)]
)
@each_loss
def test_a_text_says_the_shapes_that_it_wants(loss, target, order):
    """Pasted, and called with arrays of the shapes in its docstring, it computes the loss."""
    source = loss.text(target, order)
    function = ast.parse(source).body[-1]
    told = dict(re.findall(r"(\w+) (\([^)]*\))", ast.get_docstring(function) or ""))
    namespace = {}
    exec(source, namespace)
    data, needed = sample(loss)
    given = dict(zip((a.name for a in loss.inputs), data, strict=True))
    given |= {a.name: needed.get(a.name, a.default) for a in loss.parameters}
    given = {name: x for name, x in given.items() if name not in loss.absent_by_default}
    library = Library(target)
    shaped = {}
    for name, x in given.items():
        assert (name in told) == loss.class_axis
        wide = x[:, np.newaxis] if told.get(name) == "(..., 1)" else x
        integer = loss.domains[name].integer
        shaped[name] = library.labels(wide) if integer else library.array(wide, "float64")
    with np.errstate(all="ignore"):  # of branches that are not taken
        found = library.plain(namespace[function.name](**shaped))
    method = (loss, loss.gradient, loss.hessian)[order]
    expected = method(**given, reduction="sum" if order else "none")
    found = found[:, 0] if loss.class_axis and not order else np.broadcast_to(found, expected.shape)
    bits = 1e-5 if target == "jax" else 1e-13  # JAX has float32 by default
    np.testing.assert_allclose(found, expected, rtol=bits, atol=bits)


def test_a_target_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="choose from numpy, torch"):
        L.huber.text("fortran")


# --------------------------------------------------------------------------- tables and printing


@each_target
def test_a_target_spells_every_primitive_and_nothing_else(target):
    language = target_of(target)
    every = PRIMITIVES | ALONG_AN_ORDER | IN_PAIRS.keys()
    # PyTorch may differentiate a text itself, and must see then what is held.
    assert set(language.spellings) == every | ({"held"} if target == "torch" else set())
    with pytest.raises(ValueError, match="missing"):
        type(language)(target, language.imports, {}, language.cast)


x, y, z = variable("x"), variable("y"), variable("z")

# Formulas whose parentheses matter, and what they must evaluate to at x = 3, y = 5, z = 7.
BRACKETS = {
    "x - (y - z)": (x - (y - z), 5),
    "(x - y) - z": (x - y - z, -9),
    "x - (y + z)": (x - (y + z), -9),
    "x / (y / z)": (x / (y / z), 4.2),
    "(x / y) / z": (x / y / z, 3 / 35),
    "x * (y + z)": (x * (y + z), 36),
    "x / (y * z)": (x / (y * z), 3 / 35),
    "-(x + y)": (-(x + y), -8),
    "(-x) ** y": ((-x) ** y, -243),
    "-(x ** y)": (-(x**y), -243),
    "x ** (y / z)": (x ** (y / z), 3 ** (5 / 7)),
    "(x ** y) ** z": ((x**y) ** (z / 7), 243),
    "x ** -y": (x**-y, 3**-5),
    "x ** 2": ((x + y) ** 2, 64),
    "(x - y) / z ** 2": ((x - y) / z**2, -2 / 49),
}


@pytest.mark.parametrize("written", BRACKETS)
def test_parentheses_stand_where_they_must(written):
    check_brackets(written)


def check_brackets(written):
    expression, value = BRACKETS[written]
    namespace = {}
    exec(render(Program("f", ("x", "y", "z"), (expression,)), "numpy"), namespace)
    assert namespace["f"](3.0, 5.0, 7.0) == pytest.approx(value, rel=1e-15)


def test_with_precision_to_spare_what_makes_a_rounding_good_is_left_out():
    lost = apply("rounding", x - y)
    assert lower(z + lost) is z + (x - y)
    assert lower(z + lost, spare=True) is z


def test_numbers_are_printed_to_the_last_bit():
    for number in (0.1, 1 / 3, 1e-300, 5e-324, 1.7976931348623157e308, -2.5):
        namespace = {}
        exec(
            render(Program("f", ("x",), (apply("maximum", x, constant(number)),)), "numpy"),
            namespace,
        )
        assert namespace["f"](-1.8e308) == number


# --------------------------------------------------------------------------------------- LaTeX


def formulas(loss):
    return (loss.latex, loss.gradient_latex, loss.hessian_latex)


@each_loss
def test_latex_is_balanced(loss):
    for formula in formulas(loss):
        check_latex(formula)


def check_latex(formula):
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", formula):
        depth += 1 if brace == "{" else -1
        assert depth >= 0, formula
    assert depth == 0, formula
    assert formula.count(r"\left") - formula.count(r"\leftarrow") == formula.count(r"\right"), (
        formula
    )
    begun = re.findall(r"\\begin\{(\w+)\}", formula)
    assert sorted(begun) == sorted(re.findall(r"\\end\{(\w+)\}", formula))
    assert "  " not in formula
    assert not re.search(r"(?<![\\\w])(nan|inf|None|where|np\.)(?!\w)", formula), formula
    # A sign never follows another operator without a bracket.
    assert not re.search(r"[-+] -|(?<!,)\\, -|--", formula), formula
    # No number in Python's exponent notation, and no second index or power on one symbol.
    assert not re.search(r"\d[eE][-+]?\d", formula), formula
    assert not re.search(r"\^(\{[^{}]*\}|\w)\s*\^", formula), formula


@each_loss
def test_every_argument_has_its_own_symbol(loss):
    symbols = [SYMBOLS.get(a.name) for a in loss.arguments]
    assert None not in symbols
    assert len(set(symbols)) == len(symbols)
    assert not loss.class_axis or SYMBOLS["class_index"] not in symbols


def test_every_function_of_the_language_has_a_notation():
    assert set(TEMPLATES) | {"where", "log1p", "expm1"} == PRIMITIVES | {"weighted", "held", *TOLD}
    for name, function in FUNCTIONS.items():
        parameters = signature(function.computed).parameters
        symbols = [variable(n, class_axis=function.shape != "elementwise") for n in parameters]
        check_latex(latex(apply(name, *symbols, class_axis=function.shape == "class")))


PRINTED = {
    r"a \, \left(b + c\right)": lambda a, b, c: a * (b + c),
    r"a - \left(b - c\right)": lambda a, b, c: a - (b - c),
    r"a - b - c": lambda a, b, c: a - b - c,
    r"\frac{a + b}{c}": lambda a, b, c: (a + b) / c,
    r"{\left(a + b\right)}^{c}": lambda a, b, c: (a + b) ** c,
    r"-\left(a + b\right)": lambda a, b, c: -(a + b),
    r"-a \, b": lambda a, b, c: -a * b,
    r"-\left(a + b\right) \, c": lambda a, b, c: -(a + b) * c,
    r"\left|a - b\right|": lambda a, b, c: abs(a - b),
    r"\tfrac12 \, a": lambda a, b, c: 0.5 * a,
}


@pytest.mark.parametrize("printed", PRINTED)
def test_latex_keeps_the_order_of_operations(printed):
    symbols = [variable("first"), variable("second"), variable("scale")]
    assert latex(PRINTED[printed](*symbols)) == printed


def test_the_class_axis_is_written_as_an_index():
    assert latex(class_index()) == "c"
    assert importlib.import_module("lossary.render.latex").latex is latex
