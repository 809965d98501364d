"""Make one rule of the library wrong, for as long as a `with` block lasts.

A rule is a row of a table, or one outcome of a function: what it returns at one place, what it
stores, what it refuses. Wrong means off by a thousandth (and a little, for zeros): a formula's
value becomes 1.001 x + 0.0017, a condition its opposite, a refusal silence. The lists are read
from the tables and the source, so that a new rule is spoiled without being mentioned here.
"""

import ast
import contextlib
import dataclasses
import inspect
from dataclasses import dataclass
from functools import partial
from types import CodeType, FunctionType

import numpy as np

import expressions
from lossary import calculus, identities, rewriting
from lossary.calculus import PARTIALS, PUSHES, jacobians
from lossary.engine import checking, program, reduction, weighing
from lossary.formula import Expression, apply, constant
from lossary.functions import FUNCTIONS, Jacobian, NoSlope
from lossary.render import lowering
from lossary.render.numpy import SPELLINGS, TARGET
from lossary.render.target import SUM
from lossary.rewriting import rules as rewrites
from samples import LOSSES

FACTOR, OFFSET = 1.001, 0.0017


def clear_caches():
    """Forget every expression and text that was derived under the rules as they were."""
    for known in (rewriting._settled, rewriting._simple, calculus._tangents):
        known.clear()
    for known in lowering._lowered.values():
        known.clear()
    calculus._derived.cache_clear()
    program.variant.cache_clear()
    program.compiled.cache_clear()
    for loss in LOSSES:
        vars(loss).pop("_traced", None)


@dataclass(frozen=True)
class Spoiled:
    """A rule and the way to make it wrong; `near` are words of the checks closest to it."""

    name: str
    patch: object
    near: tuple[str, ...] = ()
    part: str = "language"

    def __str__(self):
        return self.name

    @contextlib.contextmanager
    def __call__(self):
        with understood(), self.patch():
            clear_caches()
            try:
                yield
            finally:
                clear_caches()


@contextlib.contextmanager
def understood():
    """Teach printer, calculus and interpreter the operator that stands for a wrong value."""
    with contextlib.ExitStack() as stack:
        for table in (expressions.FLOATS, expressions.EXACT):
            stack.enter_context(row(table, "wrong", lambda x: FACTOR * x + OFFSET))
        stack.enter_context(row(SPELLINGS, "wrong", (SUM, f"{FACTOR} * ({{0}}) + {OFFSET}")))
        stack.enter_context(row(PARTIALS, "wrong", (lambda x: constant(FACTOR),)))
        yield


@contextlib.contextmanager
def row(table, key, value):
    """Exchange one row of a table."""
    absent = object()
    kept = table.get(key, absent)
    table[key] = value
    try:
        yield
    finally:
        if kept is absent:
            del table[key]
        else:
            table[key] = kept


def wrong(x):
    """The wrong counterpart of whatever a rule hands out; None stays None."""
    if isinstance(x, Expression):
        return apply("wrong", x)
    if isinstance(x, Jacobian):
        outer = tuple((wrong(column), across) for column, across in x.outer)
        return dataclasses.replace(x, diagonal=wrong(x.diagonal), outer=outer, chains=())
    if isinstance(x, bool):
        return not x
    if isinstance(x, np.ndarray | np.generic) and x.dtype.kind == "b":
        return ~x
    if isinstance(x, np.ndarray | np.generic) and x.dtype.kind in "iu":
        return x + 1
    if isinstance(x, np.ndarray | np.generic):
        return (x * FACTOR + OFFSET).astype(x.dtype)
    if isinstance(x, int):
        return x + 1
    if isinstance(x, float):
        return x * FACTOR + OFFSET
    if isinstance(x, str):
        return f"{x}, or not"
    if isinstance(x, tuple):
        return tuple(map(wrong, x))
    if hasattr(x, "dtype"):  # an array of another library
        return ~x if "bool" in str(x.dtype) else x * FACTOR + OFFSET
    return x


def wronged(function):
    return lambda *arguments: wrong(function(*arguments))


# -------------------------------------------------------------------------------------- tables


def entries(table, name, *near):
    """A table whose rows are functions, or tuples of functions (None for no rule)."""
    for key, value in table.items():
        close = (f"{key} ", *near)
        if not isinstance(value, tuple):
            yield Spoiled(f"{name}.{key}", patch_row(table, key, wronged(value)), close)
            continue
        for i, function in enumerate(value):
            if function is not None:
                spoilt = (*value[:i], wronged(function), *value[i + 1 :])
                yield Spoiled(f"{name}.{key}.{i}", patch_row(table, key, spoilt), close)


def patch_row(table, key, value):
    return lambda: row(table, key, value)


SIDES = ("over", "by")  # what all of a Jacobian is divided and multiplied by


def slopes(arguments_of):
    """Each slope of each named function; of a Jacobian its diagonal and each outer product."""
    for name, function in FUNCTIONS.items():
        slope_of = function.slope or partial(calculus.slopes_of_meaning, name)
        for i, slope in enumerate(slope_of(*arguments_of(name))):
            if isinstance(slope, Jacobian):
                parts = [p for p in ("diagonal",) if slope.diagonal is not None]
                parts += [f"outer{j}" for j in range(len(slope.outer))]
                parts += [f"{side}{j}" for side in SIDES for j in range(len(getattr(slope, side)))]
            else:
                parts = [] if slope is None or isinstance(slope, NoSlope) else ["slope"]
            for part in parts:
                spoilt = dataclasses.replace(function, slope=wrong_part(slope_of, i, part))
                title = f"slope.{name}.{i}.{part}"
                yield Spoiled(title, patch_row(FUNCTIONS, name, spoilt), (f"{name} ",))


def wrong_part(function, i, part):
    def spoilt(*arguments):
        found = list(function(*arguments))
        if part == "slope":
            found[i] = wrong(found[i])
        elif part == "diagonal":
            found[i] = dataclasses.replace(found[i], diagonal=wrong(found[i].diagonal))
        elif side := next(filter(part.startswith, SIDES), ""):
            numbers = list(getattr(found[i], side))
            j = int(part.removeprefix(side))
            numbers[j] = wrong(numbers[j])
            found[i] = dataclasses.replace(found[i], **{side: tuple(numbers)})
        else:
            outer = list(found[i].outer)
            j = int(part.removeprefix("outer"))
            outer[j] = (wrong(outer[j][0]), outer[j][1])
            found[i] = dataclasses.replace(found[i], outer=tuple(outer))
        return tuple(found)

    return spoilt


def computed():
    """Each stable form."""
    for name, function in FUNCTIONS.items():
        spoilt = dataclasses.replace(function, computed=wronged_form(function.computed))
        yield Spoiled(f"computed.{name}", patch_row(FUNCTIONS, name, spoilt), (f"{name} ",))


def wronged_form(form):
    spoilt = wronged(form)
    spoilt.__signature__ = inspect.signature(form)
    return spoilt


def pairs():
    """Each identity: its computed side."""
    table = identities.table()
    for place, pair in enumerate(table):
        spoilt = dataclasses.replace(pair, computed=wronged(pair.computed))
        changed = (*table[:place], spoilt, *table[place + 1 :])
        patch = partial(attribute_of, identities, "table", lambda changed=changed: changed)
        yield Spoiled(f"identity.{pair.name}", patch, (f"identity {pair.name} ",))


@contextlib.contextmanager
def attribute_of(module, name, value):
    """Exchange one name of a module."""
    kept = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, kept)


CONDITIONS = {"less", "less_equal", "equal", "logical_and", "logical_or", "logical_not"}
INDICES = {"argpeak", "class_index"}


def spellings():
    """Each spelling of the NumPy target, and its cast."""
    for name, (_, text) in SPELLINGS.items():
        if name in CONDITIONS:
            spoilt = (SUM, f"~({text})")
        elif name in INDICES:
            spoilt = (SUM, f"0 * ({text})")
        else:
            spoilt = (SUM, f"{FACTOR} * ({text}) + {OFFSET}")
        yield Spoiled(f"spelling.{name}", patch_row(SPELLINGS, name, spoilt), (f"{name} ",))
    spoilt = f"({FACTOR} * {TARGET.cast})"
    yield Spoiled("spelling.cast", lambda: attribute(TARGET, "cast", spoilt), ("where",))


@contextlib.contextmanager
def attribute(owner, name, value):
    """Exchange one field of a frozen record."""
    kept = getattr(owner, name)
    object.__setattr__(owner, name, value)
    try:
        yield
    finally:
        object.__setattr__(owner, name, kept)


# ------------------------------------------------------------------------- outcomes of functions


class _Outcomes(ast.NodeVisitor):
    """Where a function decides: parts of what it returns, what it stores, what it refuses."""

    def __init__(self):
        self.found = []
        self.inner = set()

    def visit_FunctionDef(self, node):
        self.inner.add(node.name)
        self.generic_visit(node)

    def visit_Return(self, node):
        self._parts(node.value)

    def _parts(self, value):
        if isinstance(value, ast.IfExp):
            self._parts(value.body)
            self._parts(value.orelse)
        elif isinstance(value, ast.Tuple):
            for part in value.elts:
                self._parts(part)
        elif isinstance(value, ast.Name) and value.id in self.inner:
            return  # a maker of rules hands out the rule, whose own outcomes are listed
        elif value is not None and not isinstance(value, ast.Constant):
            self.found.append(value)

    def visit_Raise(self, node):
        self.found.append(node)

    def visit_Assign(self, node):
        if isinstance(node.targets[0], ast.Subscript):
            self.found.append(node)


class _Change(ast.NodeTransformer):
    """Spoil one node: a value becomes wrong, a statement is left out."""

    def __init__(self, place):
        self.place = place

    def visit(self, node):
        if getattr(node, "lineno", None) is None or where_is(node) != self.place:
            return self.generic_visit(node)
        if isinstance(node, ast.stmt):
            return ast.copy_location(ast.Pass(), node)
        call = ast.Call(ast.Name("__wrong__", ast.Load()), [node], [])
        return ast.copy_location(call, node)


def where_is(node):
    return type(node).__name__, node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


def outcomes(module, near, part="language"):
    """One spoiled rule for each outcome of the functions of a module that `near` names."""
    source = inspect.getsource(module)
    for definition in ast.parse(source).body:
        if not isinstance(definition, ast.FunctionDef) or definition.name not in near:
            continue
        visitor = _Outcomes()
        visitor.visit(definition)
        for node in visitor.found:
            text = " ".join(ast.get_source_segment(source, node).split())[:60]
            short = module.__name__.rpartition(".")[2]
            name = f"{short}.{definition.name}+{node.lineno - definition.lineno}: {text}"
            patch = partial(recompiled, module, where_is(node))
            yield Spoiled(name, patch, near[definition.name], part)


@contextlib.contextmanager
def recompiled(module, place):
    """Give the functions of a module the code they would have with one node spoiled."""
    tree = ast.fix_missing_locations(_Change(place).visit(ast.parse(inspect.getsource(module))))
    codes = dict(all_codes(compile(tree, module.__file__, "exec")))
    kept = {f: f.__code__ for f in own(module)}
    vars(module)["__wrong__"] = wrong
    try:
        for function, code in kept.items():
            function.__code__ = codes[code.co_qualname, code.co_firstlineno]
        yield
    finally:
        for function, code in kept.items():
            function.__code__ = code
        del vars(module)["__wrong__"]


def all_codes(code):
    """Every code object inside another, by qualified name and line."""
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield (part.co_qualname, part.co_firstlineno), part
            yield from all_codes(part)


def own(module):
    """The functions of a module: its own names, methods, and the closures that its tables hold."""
    for value in vars(module).values():
        for item in walk_table(value):
            if getattr(item, "__module__", None) == module.__name__:
                members = vars(item).values() if isinstance(item, type) else (item,)
                yield from filter(None, (written(member, module) for member in members))


def written(member, module):
    """The function that stands in the text of a module, None for what is no such function."""
    member = getattr(member, "fget", None) or getattr(member, "func", None) or member
    plain = inspect.unwrap(member) if callable(member) else member
    if not isinstance(plain, FunctionType) or plain.__name__ == "<lambda>":
        return None
    return plain if plain.__code__.co_filename == module.__file__ else None


def walk_table(value):
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple):
        for item in value:
            yield from walk_table(item)
    else:
        yield value


def makers():
    """The functions, and makers of functions, that stand in RULES, and the checks nearest them."""
    found = {}
    for operator, rules in rewrites.RULES.items():
        for rule in rules:
            name = rule.__qualname__.partition(".")[0]
            checks = (f"pairs {operator} ", f"single {operator} ", f"{operator} ")
            found[name] = (*found.get(name, ()), *checks)
    return found


def lambdas():
    """The rules that are written in the table itself."""
    for key, rules in rewrites.RULES.items():
        for i, rule in enumerate(rules):
            if rule.__name__ == "<lambda>":
                spoilt = (*rules[:i], wronged(rule), *rules[i + 1 :])
                patch = patch_row(rewrites.RULES, key, spoilt)
                yield Spoiled(f"RULES.{key}.{i}", patch, (f"single {key} ", "pairs power "))


# The checks nearest to the functions of the calculus.
CHAIN = ("expression ", "hessian ", "products ")
NEAR = {
    "gradient": ("language ", *CHAIN),
    "reduced": ("language ", *CHAIN),
    "pullback": ("language ", "products "),
    "pushforward": ("language ", "products "),
}


def every_rule(arguments_of):
    """All that can be spoiled, from the tables and from the source."""
    yield from entries(PARTIALS, "PARTIALS")
    yield from entries(PUSHES, "PUSHES")
    yield from entries(calculus.REDUCTIONS, "REDUCTIONS")
    yield from slopes(arguments_of)
    yield from computed()
    yield from pairs()
    yield from spellings()
    yield from entries(rewrites.FOLDS, "FOLDS")
    yield from entries(rewrites.COMPLEMENTS, "COMPLEMENTS", "pairs subtract ")
    yield from entries(rewrites.DECISIONS, "DECISIONS")
    yield from lambdas()
    yield from outcomes(rewrites, makers())
    for module in (calculus, jacobians):
        yield from outcomes(module, {f.__name__: NEAR.get(f.__name__, CHAIN) for f in own(module)})
    yield from outcomes(lowering, {"lower": ("computed ",)})
    for module in (reduction, weighing, checking):
        yield from outcomes(module, {f.__name__: () for f in own(module)}, "engine")
