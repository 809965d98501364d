"""The suite objects when a rule of the library is wrong.

Each derivative rule, each slope, each stable form, each spelling, each rule of rewriting, each
outcome of weighing, reducing and checking is spoiled in turn (`spoiling.py` lists them from the
tables and the source), and so are the spellings, the plan and each line of the CPU kernels
(`spoiling_kernels.py`). Then checks of this suite run, those nearest to the rule first, until one
objects. A rule that none objects to fails here, by name.
"""

from contextlib import ExitStack
from functools import partial

import numpy as np
import pytest
import test_array_kinds
import test_boxes
import test_calculus
import test_denominators
import test_domains
import test_identities
import test_masks
import test_positions
import test_reductions
import test_render

import lossary as L
import spoiling
import spoiling_kernels
from libraries import Library
from lossary import calculus, identities
from lossary.calculus import PUSHES, REDUCTIONS
from lossary.functions import FUNCTIONS, PRIMITIVES
from lossary.render.numpy import SPELLINGS
from lossary.rewriting import rules as rewrites
from lossary.rewriting.rules import DECISIONS, FOLDS
from samples import LOSSES
from spoiling import clear_caches, every_rule, row

# Losses that together use every way through the engine.
SOME = [
    L.catalogue[name]
    for name in (
        "huber",
        "binary_cross_entropy",
        "soft_margin",
        "cross_entropy",
        "soft_cross_entropy",
        "negative_log_likelihood",
        "categorical_hinge",
        "multi_label_soft_margin",
        "triplet_margin",
    )
]


def language():
    """Checks of the language, by the rows that they look at."""
    for operator, i in test_calculus.PARTIAL_ROWS:
        yield f"partial {operator} ", partial(test_calculus.check_partial, operator, i)
    for operator in PUSHES:
        yield f"choice {operator} ", partial(test_calculus.check_choice, operator)
    for operator in REDUCTIONS:
        yield f"reduction {operator} ", partial(test_calculus.check_reduction, operator)
        yield f"same {operator} ", partial(test_calculus.check_same_everywhere, operator)
    for operator in PRIMITIVES:
        yield f"spelling {operator} ", partial(test_calculus.check_spelling, operator)
    for name, i in test_calculus.SLOPE_ROWS:
        yield f"slope {name} ", partial(test_calculus.check_slope, name, i)
    for name in FUNCTIONS:
        yield f"computed {name} ", partial(test_calculus.check_computed, name)
    for pair in identities.table():
        yield f"identity {pair.name} ", partial(test_identities.check_identity, pair.name)
    for kink in test_calculus.KINKED:
        word = kink.partition(",")[0].partition(" ")[0]
        yield f"kink {word} ", partial(test_calculus.check_kink, kink)
    for operator in FOLDS:
        yield f"fold {operator} ", partial(test_calculus.check_fold, operator)
    for operator in DECISIONS:
        yield f"decision {operator} ", partial(test_calculus.check_decision, operator)
    spare = test_render.test_with_precision_to_spare_what_makes_a_rounding_good_is_left_out
    yield "computed rounding ", spare
    for written in test_render.BRACKETS:
        yield "brackets ", partial(test_render.check_brackets, written)
    for operator in test_calculus.UNARY:
        yield f"single {operator} ", partial(test_calculus.check_single, operator)
    for operator in test_calculus.BINARY:
        yield f"pairs {operator} ", partial(test_calculus.check_pairs, operator)
    yield "pairs where ", test_calculus.check_choices
    rows = test_calculus.ROW_SHAPED + test_calculus.ROW_ONLY
    for case in test_calculus.cases(test_calculus.CLASS_SHAPED + rows):
        yield "expression ", partial(test_calculus.check_derivative, *case.values)
        yield "products ", partial(test_calculus.check_products, *case.values)
    for case in test_calculus.cases(rows):
        yield "hessian ", partial(test_calculus.check_hessian, *case.values)
    yield "language ", test_calculus.test_a_class_shaped_expression_is_no_loss
    yield (
        "language ",
        test_calculus.test_a_reduction_of_one_number_is_rewritten_before_it_is_derived,
    )
    yield "language ", test_calculus.test_what_does_not_depend_on_the_argument_has_derivative_0


def engine():
    """Checks of calls: reductions, weights, masks, domains."""
    of = test_reductions
    for loss in SOME:
        yield "", partial(of.check_reductions, loss)
        yield "", partial(of.check_weights, loss)
        yield "", partial(of.check_masks, loss)
        yield "", partial(of.check_parameter_arrays, loss)
        yield "", partial(of.check_dtype, loss, np.float16, np.float32)
        for how in of.NOTHING:
            yield "", partial(of.check_nothing, loss, how)
        for how in ("mask", "weight", "mask and weight"):
            yield "", partial(test_masks.check_isolation, Library("numpy"), loss, how)
        yield "", partial(test_domains.check_weight, loss)
        yield "", partial(test_domains.check_mask, loss)
        yield "", partial(test_domains.check_shapes, loss)
    for case in of.WAYS_OF:
        if case.values[0] in SOME:
            yield "", partial(of.check_gradient, *case.values)
    for name in of.SOFT:
        yield "", partial(of.check_one_hot, name)
        yield "", partial(of.check_soft_class_weight, of.SOFT[name])
    for name in ("binary_cross_entropy", "soft_margin", "cross_entropy", "categorical_hinge"):
        yield "", partial(of.check_class_weight, L.catalogue[name])
        yield "", partial(test_domains.check_class_weight, L.catalogue[name])
    yield "", partial(of.check_binary_class_weight, "binary_cross_entropy")
    yield "", partial(of.check_ignored, L.cross_entropy)
    yield "", test_domains.test_a_denominator_is_finite_and_not_below_0
    zero = test_denominators
    yield "", zero.test_a_denominator_may_be_an_array_of_no_dimension
    yield "", partial(zero.test_zero_is_refused_where_elements_count, Library("numpy"), L.huber)
    yield (
        "",
        partial(zero.test_zero_of_nothing_follows_the_policy_for_empty_means, "array", L.huber),
    )
    yield "", partial(zero.test_unchecked_it_is_nan_where_elements_count, "array", L.huber)
    yield "", partial(zero.test_in_a_graph_it_is_nan_where_elements_count, "jax")
    kinds = test_array_kinds
    for loss in (L.huber, L.cross_entropy):
        yield "", partial(kinds.test_what_is_masked_in_the_data_does_not_count, loss)
        yield "", partial(kinds.test_a_masked_weight_or_setting_leaves_its_element_out, loss)
    yield "", kinds.test_a_class_cannot_be_masked_alone
    for kind in kinds.strange():
        yield "", partial(kinds.test_what_is_no_plain_array_is_refused_by_name, "weight", kind)
    for name, wrongs in test_domains.NOT_NUMBERS.items():
        for value in wrongs:
            yield "", partial(test_domains.test_an_option_that_is_no_number_is_refused, name, value)
    for case in test_domains.MASSES[:4]:
        for total in (0.9, 1.001):
            yield (
                "",
                partial(test_domains.test_a_row_with_another_sum_is_refused, *case.values, total),
            )
    for case in test_domains.pairs("inputs", test_domains.outside):
        if case.values[0] in SOME:
            yield "", partial(test_domains.check_refusal, *case.values)
    for case in test_domains.pairs("parameters", test_domains.outside):
        if case.values[0] in SOME:
            yield "", partial(test_domains.check_parameter, *case.values)
    for loss in LOSSES:
        yield "", partial(test_domains.check_inside, loss)
    yield "", partial(test_boxes.test_what_is_no_box_is_refused_at_its_place, "numpy")
    yield "", test_positions.test_what_a_weight_or_all_positions_leave_out_does_not_count


def called(check):
    """A check by the name it has in the suite."""
    if isinstance(check, partial):
        return f"{check.func.__name__}{check.args}"
    return check.__name__


CORE = [(name, "language", check) for name, check in language()]
CORE += [(name, "engine", check) for name, check in engine()]
RULES = list(every_rule(test_calculus.arguments_of))

# A failed assertion, a refusal that did not come, and a crash.
OBJECTIONS = (Exception, pytest.fail.Exception)

# Outcomes that no test can tell from the right ones, and why.
HARMLESS = {
    'reduction.divisor_of+11: float("nan")': "NaN stays NaN, whatever it is multiplied by",
    'reduction._zero+11: float("nan")': "NaN stays NaN, whatever it is multiplied by",
    'jacobians.plain+3: raise TypeError(f"expected one number per entry, got {tangen': (
        "guards against a mistake in the calculus itself"
    ),
    'jacobians.reduced+3: raise TypeError(f"{node} reduces what has no class axis, and': (
        "guards against a mistake in the simplification"
    ),
}


def failures(checks):
    """The checks that object, one after the other."""
    for check in checks:
        try:
            check()
        except OBJECTIONS:
            yield check


CONTENT = set()
"""Checks that do not object while every rule is right."""


def assert_content(check):
    """What objects to a spoiled rule does so because it is spoiled."""
    if called(check) not in CONTENT:
        check()
        CONTENT.add(called(check))


def nearest(spoiled, core):
    """The checks that the words of a rule name: those of the first word first."""
    found = [check for word in spoiled.near for name, _, check in core if word in name]
    return list(dict.fromkeys(found))


def objection(spoiled, core=CORE):
    """The first check that objects, None if none does."""
    near = nearest(spoiled, core)
    same = [check for _, part, check in core if part == spoiled.part and check not in near]
    rest = [check for _, part, check in core if part != spoiled.part and check not in near]
    with spoiled():
        return next(failures([*near, *same, *rest]), None)


@pytest.mark.sampled(6)
@pytest.mark.parametrize("spoiled", [r for r in RULES if r.name not in HARMLESS], ids=str)
def test_the_suite_objects_to(spoiled):
    check = objection(spoiled)
    assert check, f"no test objects when {spoiled} is wrong"
    assert_content(check)


def test_every_harmless_rule_exists():
    assert set(HARMLESS) <= {spoiled.name for spoiled in RULES}


# ---------------------------------------------------------------------------------- kernels

KERNEL_RULES = list(spoiling_kernels.every_kernel_rule())


@pytest.mark.sampled(8)
@pytest.mark.parametrize(
    "spoiled", [r for r in KERNEL_RULES if r.name not in spoiling_kernels.HARMLESS], ids=str
)
def test_the_suite_objects_to_a_kernel(spoiled):
    check = spoiling_kernels.objection(spoiled)
    assert check, f"no test objects when {spoiled} is wrong"
    assert_content(check)


def test_every_harmless_line_exists():
    assert set(spoiling_kernels.HARMLESS) <= {spoiled.name for spoiled in KERNEL_RULES}


def every_text():
    return [loss.text("numpy", order) for loss in LOSSES for order in (0, 1)]


def test_everything_is_as_before_after_spoiling():
    before = every_text()
    for spoiled in RULES[:: len(RULES) // 20]:
        with spoiled():
            pass
    clear_caches()
    assert every_text() == before
    assert "wrong" not in SPELLINGS


def test_spoiling_itself_raises_no_objection(monkeypatch):
    """With a wrong value that is right, everything passes: it is the value that is objected to.

    What a rule is exchanged by is the same for all rows of a table: a few of each show it.
    """
    monkeypatch.setattr(spoiling, "FACTOR", 1.0)
    monkeypatch.setattr(spoiling, "OFFSET", 0.0)
    tables = ("PARTIALS", "PUSHES", "slope", "computed")
    slightly = [[r for r in RULES if r.name.startswith(table)] for table in tables]
    for spoiled in [rule for rules in slightly for rule in rules[:: 1 + len(rules) // 8]]:
        near = nearest(spoiled, CORE)
        with spoiled():
            for check in near[:3]:
                check()


def test_a_new_row_is_spoiled_too():
    """The list is read from the tables."""
    tables = ("PARTIALS", "PUSHES", "REDUCTIONS", "FOLDS", "DECISIONS")
    known = {**vars(calculus), **vars(rewrites)}
    with ExitStack() as stack:
        for table in tables:
            stack.enter_context(row(known[table], "new", (lambda x: x,)))
        names = {spoiled.name for spoiled in every_rule(test_calculus.arguments_of)}
    assert {f"{table}.new.0" for table in tables} <= names


def test_a_rule_without_a_test_is_found():
    """A row that nothing reaches survives: this file would report it."""
    quick = [c for c in CORE if c[0].startswith(("partial", "choice"))]
    with row(calculus.PARTIALS, "unused", (lambda x: x,)):
        (spoiled,) = [r for r in every_rule(test_calculus.arguments_of) if "unused" in r.name]
        assert objection(spoiled, quick) is None
