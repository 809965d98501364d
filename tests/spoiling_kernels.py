"""Make the text of a kernel wrong: a spelling, a load or a store, the plan of passes, or a line.

The texts are run by plain Python (`plain_kernels.py`) over small data of losses that together use
every way through the loops, and must give what the array text gives.
"""

import ast
import contextlib
import inspect
from collections import Counter
from dataclasses import replace
from functools import cached_property, partial
from importlib import import_module
from importlib.util import find_spec

import numpy as np

import lossary as L
from engines import agree
from lossary.domain import Real, Scores
from lossary.functions import absolute, cos, floor, sign, sin, total
from lossary.render import passes, walk
from lossary.render.loops import columns, rows
from lossary.render.numba import LOADS, SINGLE, SPELLINGS, STORES
from lossary.render.passes import Plan
from lossary.render.target import SUM
from plain_kernels import NEAR, check_kernel, forget, nothing_compiled
from samples import LOSSES, has_kernels, sample
from spoiling import CONDITIONS, INDICES, Spoiled, patch_row, recompiled, row, where_is

# The reductions along a row are part of the loops: their spellings are never printed.
UNUSED = {"total", "peak", "argpeak", "pick"}


def check_value(name, classes, dtype):
    """A kernel of the value alone, which needs no place of a peak."""
    arrays, _ = sample(L.catalogue[name], shape=(5,), classes=classes, dtype=dtype)
    with nothing_compiled():
        agree(L.catalogue[name], *arrays, near=NEAR, reduction="none")


@L.loss(source="a test of what no loss of the catalogue says")
def stepped(prediction: Real, target: Real):
    """Numbers in whole steps."""
    return floor(prediction - target) * sign(prediction) + (prediction - target) ** 2


@L.loss(source="a test of what no loss of the catalogue says")
def wavy(prediction: Real, target: Real):
    """An angle between two numbers."""
    return 2 - cos(prediction - target) - sin(prediction - target) / 2


@L.loss(source="a test of the sum of a row")
def summed(scores: Scores, target: Scores):
    """The size of a sum in which large numbers cancel."""
    return absolute(total(scores - target))


def check_long_sum():
    """The second number is lost in a plain sum, and a row has more than one block."""
    scores = np.zeros((1, 3000))
    scores[0, [0, 1024, 2048]] = 1e16, 1.0, -1e16
    with nothing_compiled(), L.using(engine="fused"):
        assert summed(scores, np.zeros((1, 3000))) == 1.0


def check_upstream(name, classes):
    """The backward pass of an unreduced loss multiplies by what comes from above."""
    import torch

    loss = L.catalogue[name]
    arrays, _ = sample(loss, shape=(5,), classes=classes)
    x, *others = map(torch.from_numpy, arrays)
    x.requires_grad_()
    above = torch.tensor([1.0, -2.0, 0.5, 3.0, 0.0], dtype=torch.float64)
    found = []
    for engine in ("fused", "array"):
        with nothing_compiled(), L.using(engine=engine):
            value = loss(x, *others, reduction="none", weight=torch.from_numpy(WEIGHT))
            found += torch.autograd.grad(value, x, above)
    np.testing.assert_allclose(*found, rtol=1e-9)


WEIGHT = np.array([0.5, 0.0, 2.0, 1.0, 3.0])
MASK = np.array([True, True, False, True, True])
DATA = ("huber", "focal", "cross_entropy", "soft_cross_entropy", "cosine_embedding")


def check_wrong(name, classes, value, place=-1, dtype="float64"):
    """What lies outside its set is counted, so that the engine can say where it is."""
    loss = L.catalogue[name]
    arrays, parameters = sample(loss, shape=(5,), classes=classes, dtype=dtype)
    arrays[place][2] = value
    with nothing_compiled(), L.using(engine="fused"):
        try:
            loss(*arrays, **parameters)
        except L.DomainError:
            return
    raise AssertionError(f"{name} did not object to {value}")


def check_weight(name, classes):
    loss = L.catalogue[name]
    arrays, parameters = sample(loss, shape=(5,), classes=classes)
    with nothing_compiled(), L.using(engine="fused"):
        try:
            loss(*arrays, weight=-WEIGHT, **parameters)
        except L.DomainError:
            return
    raise AssertionError(f"{name} did not object to a weight below 0")


def checks():
    """All checks of the texts; first those of a few losses in every way, that most rules meet."""
    for name in DATA:
        loss = L.catalogue[name]
        for classes in (4, 150) if loss.class_axis else (0,):
            yield partial(check_kernel, loss, classes)
            yield partial(check_kernel, loss, classes, reduction="mean")
            yield partial(check_kernel, loss, classes, reduction="sum", weight=WEIGHT)
            yield partial(check_kernel, loss, classes, reduction="mean", mask=MASK)
            yield partial(check_kernel, loss, classes, weight=WEIGHT, mask=MASK)
            for dtype in ("float32", "float16", "bfloat16"):
                yield partial(check_kernel, loss, classes, dtype)
            yield partial(check_weight, name, classes)
    for classes in (4, 150):
        for dtype in ("float64", "float32"):
            yield partial(check_value, "categorical_hinge", classes, dtype)
        yield partial(check_kernel, L.cross_entropy, classes, label_smoothing=0.1)
        yield partial(check_wrong, "cross_entropy", classes, 1000)
        yield partial(check_wrong, "cross_entropy", classes, -3)
        yield partial(check_wrong, "cross_entropy", classes, np.nan, 0, "float32")
        yield partial(check_wrong, "soft_cross_entropy", classes, np.nan)
        yield partial(check_wrong, "cosine_embedding", classes, 0.5)
    yield partial(check_wrong, "focal", 0, 0.5)
    yield partial(check_kernel, L.focal, 0, "float32", gamma=2.5)
    yield partial(check_kernel, stepped, 0)
    yield partial(check_kernel, wavy, 0)
    yield check_long_sum
    if find_spec("torch"):
        for name, classes in (("huber", 0), ("cross_entropy", 4), ("cross_entropy", 150)):
            yield partial(check_upstream, name, classes)
    yield partial(check_integers, bool)
    yield partial(check_integers, np.int32)
    for loss in filter(has_kernels, LOSSES):
        for classes in (4, 150) if loss.class_axis else (0,):
            yield partial(check_kernel, loss, classes)


def check_integers(kind):
    arrays, _ = sample(L.focal, shape=(5,))
    with nothing_compiled():
        agree(L.focal.value_and_gradient, arrays[0], arrays[1].astype(kind), near=NEAR)


CHECKS = list(checks())


# ---------------------------------------------------------------------------------------- rules


def spelled():
    """Each spelling of the Numba target, each load and each store."""
    for name, (_, text) in SPELLINGS.items():
        if name in UNUSED:
            continue
        if name in CONDITIONS:
            spoilt = (SUM, f"(not ({text}))")
        elif name in INDICES:
            spoilt = (SUM, f"0 * ({text})")
        else:
            spoilt = (SUM, f"1.1 * ({text}) + 0.1")
        yield Spoiled(f"numba.{name}", patch_row(SPELLINGS, name, spoilt))
    spoilt = (SUM, "float32(1.1) * exp_single({0})")
    yield Spoiled("numba.single.exp", patch_row(SINGLE.spellings, "exp", spoilt))
    for title, table in (("LOADS", LOADS), ("STORES", STORES)):
        for storage, text in table.items():
            spoilt = text.replace("{0}", "(1.1 * ({0}) + 0.1)")
            if title == "LOADS":
                spoilt = f"(1.1 * ({text}) + 0.1)"
            yield Spoiled(f"{title}.{storage}", patch_row(table, storage, spoilt))


@contextlib.contextmanager
def member(name, value):
    """Exchange a member of the plan."""
    kept = vars(Plan)[name]
    if isinstance(kept, cached_property):
        value = cached_property(value)
        value.__set_name__(Plan, name)
    setattr(Plan, name, value)
    try:
        yield
    finally:
        setattr(Plan, name, kept)


def planned():
    """Wrong plans: too few passes, a pass that forgets, too few results, no entry at a label."""
    real = {name: vars(Plan)[name] for name in ("stage", "reductions", "written")}
    wrong = {
        "stage": lambda plan: dict.fromkeys(real["stage"].func(plan), 0),
        "reductions": lambda plan: real["reductions"].func(plan)[1:],
        "written": lambda plan, number: real["written"](plan, number)[1:],
    }
    for name, value in wrong.items():
        yield Spoiled(f"Plan.{name}", partial(member, name, value))
    for name, value in {
        "_entry": lambda expression, label: expression,
        "_without_picks": lambda expression: expression,
    }.items():
        yield Spoiled(f"passes.{name}", partial(function, passes, name, value))


@contextlib.contextmanager
def function(module, name, value):
    """Exchange the code of a function, wherever it was imported to."""
    kept = vars(module)[name].__code__
    vars(module)[name].__code__ = value.__code__
    try:
        yield
    finally:
        vars(module)[name].__code__ = kept


PARTS = [
    import_module(f"lossary.render.loops.{p}") for p in ("elements", "rows", "columns", "shared")
]


def lines():
    """Each line that the loops print, left out; the same line of a function by its number."""
    for module in (*PARTS, walk):
        source = inspect.getsource(module)
        seen = Counter()
        for definition in ast.walk(ast.parse(source)):
            if not isinstance(definition, ast.FunctionDef):
                continue
            for node in ast.walk(definition):
                if isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield | ast.YieldFrom):
                    text = " ".join(ast.get_source_segment(source, node).split())[:60]
                    name = f"{module.__name__.rpartition('.')[2]}.{definition.name}: {text}"
                    seen[name] += 1
                    patch = partial(recompiled, module, where_is(node))
                    yield Spoiled(f"{name} ({seen[name]})", patch)


def reduced():
    """Each line in the tables of reductions, left out."""
    for title, table in (
        ("rows", rows.REDUCES),
        ("exact", columns.EXACT),
        ("spare", columns.SPARE),
    ):
        for kind, reduce in table.items():
            for field, value in vars(reduce).items():
                parts = range(len(value)) if isinstance(value, tuple) else ()
                for i in parts:
                    spoilt = replace(reduce, **{field: (*value[:i], *value[i + 1 :])})
                    name = f"{title}.{kind}.{field}: {value[i].strip()}"
                    yield Spoiled(name, patch_row(table, kind, spoilt))


def every_kernel_rule():
    yield from spelled()
    yield from planned()
    yield from lines()
    yield from reduced()


# Lines that no result can miss, and why.
HARMLESS = {
    "rows._skipped: yield from self._zeros() (2)": (
        "a row whose label is no class makes the call fail"
    ),
    **dict.fromkeys(
        (
            "rows.argpeak.start: place_of_{0} = 0",
            "exact.argpeak.start: place_of_{0}_r[i] = 0",
            "spare.argpeak.start: place_of_{0}_r[i] = 0",
        ),
        "a peak below every number is followed by a larger one, unless all are -inf",
    ),
}


def objection(rule, checks=CHECKS):
    """The first check that objects to a spoiled text, None if none does."""
    with spoilt(rule):
        for check in checks:
            try:
                check()
            except Exception:  # noqa: BLE001  (a text that does not run is an objection too)
                return check
    return None


@contextlib.contextmanager
def spoilt(rule):
    """The rule wrong; what the array library computes stays as it is."""
    with row(SPELLINGS, "wrong", (SUM, "1.1 * ({0}) + 0.1")), rule.patch():
        forget()
        try:
            yield
        finally:
            forget()
