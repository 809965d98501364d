"""What is inside a declared set is accepted; what is outside is refused by a sentence that names
the loss, the argument, the value, its place and the set. Shapes, types and options likewise.
"""

import re

import numpy as np
import pytest

import lossary as L
from libraries import NAMES, Library
from lossary.engine import hints
from lossary.engine.checking import check_data
from lossary.engine.checking import inside as inside_of
from lossary.engine.libraries import library
from lossary.engine.options import options_of
from samples import CLASSES, LOSSES, each_loss, has_sums, of_each_loss, of_rows, sample, those

NAN = float("nan")


def pairs(arguments, values):
    """(loss, argument, value) for the values of a set that `values` chooses."""
    return [
        pytest.param(loss, a, value, id=f"{loss.name}-{a.name}-{value:g}")
        for loss in LOSSES
        for a in getattr(loss, arguments)
        for value in values(a.domain)
    ]


def inside(domain):
    return () if domain.mass else domain.inside


def outside(domain):
    return (*domain.outside, CLASSES) if domain.integer else domain.outside


def put(loss, argument, value):
    """A good call of three elements or rows, with one value exchanged; and the value's place."""
    arrays, parameters = sample(loss, shape=(3,))
    place = (1, 2) if argument.domain.class_axis else (1,)
    row = arrays[loss.inputs.index(argument)]
    if argument.domain.ascending:  # the other corner follows
        row[1, 0] = min(row[1, 0], value) if value == value else row[1, 0]  # noqa: PLR0124
    row[place] = value
    return arrays, parameters, place


def message(call, error=L.DomainError):
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


def set_of(loss, domain):
    return f"a class index from 0 to {CLASSES - 1}" if domain.integer else str(domain)


# ---------------------------------------------------------------------------------------- data


@of_each_loss(pairs("inputs", inside))
def test_a_value_of_the_set_is_accepted(loss, argument, value):
    arrays, parameters, _ = put(loss, argument, value)
    result = loss(*arrays, reduction="none", **parameters)
    assert result.shape == (3,)
    assert not np.isnan(result).any()


@of_each_loss(pairs("inputs", outside))
def test_a_value_outside_the_set_is_refused(loss, argument, value):
    check_refusal(loss, argument, value)


def check_refusal(loss, argument, value):
    arrays, parameters, place = put(loss, argument, value)
    said = message(lambda: loss(*arrays, **parameters))
    start = f"{loss.name}: {argument.name} must be {set_of(loss, argument.domain)}, got {value:g}"
    assert said.startswith(f"{start} at index {place}")
    assert said.endswith(hints.for_value(loss, argument, float(value), CLASSES))
    sums = (loss.sums,) if has_sums(loss) else ()
    for method in (*sums, loss.gradient, loss.value_and_gradient, loss.hessian):
        assert message(lambda call=method: call(*arrays, **parameters)) == said


@of_each_loss(pairs("inputs", outside))
def test_without_the_check_nothing_is_refused(loss, argument, value):
    """Whoever says check=False gets an answer, whatever it is worth."""
    if argument.domain.integer:
        value %= CLASSES  # an index outside its array cannot be computed with
    arrays, parameters, _ = put(loss, argument, value)
    assert loss(*arrays, check=False, reduction="none", **parameters).shape == (3,)


DOMAINS = {a.domain.name: a.domain for loss in LOSSES for a in (*loss.inputs, *loss.parameters)}


@pytest.mark.parametrize(
    "domain", [d for d in DOMAINS.values() if d.interval], ids=lambda d: d.name
)
def test_what_lies_between_two_members_of_an_interval_is_a_member(domain):
    low, high = min(domain.inside), max(domain.inside)
    assert np.all(domain.contains(np.linspace(low, high, 50)))
    ends = [low, high]
    for x in domain.outside:  # so the least and the largest number show each wrong one
        assert not all(domain.contains(end) for end in (np.min([x, *ends]), np.max([x, *ends])))


@pytest.mark.parametrize("name", ["numpy", "torch"])
@pytest.mark.parametrize(
    "domain", [d for d in DOMAINS.values() if not d.mass], ids=lambda d: d.name
)
def test_one_wrong_number_among_many_is_found(domain, name):
    """Many are looked at by their least and largest."""
    loss, argument = next(
        (x, a) for x in LOSSES for a in (*x.inputs, *x.parameters) if a.domain is domain
    )
    many = np.resize(domain.inside, (1 << 13, 2))
    many = many.astype(np.int64 if domain.integer else np.float64)

    def check():
        array = Library(name).array(many, many.dtype.name)
        check_data(library(name), loss, argument, array, CLASSES)

    check()
    for wrong in outside(domain):
        many[777, 1] = wrong
        assert f"got {wrong:.6g} at index (777" in message(check)


def test_the_first_of_several_wrong_values_is_named():
    target = np.ones((3, 2))
    target[1, 1], target[2, 0] = 7.0, 0.3
    assert "got 7 at index (1, 1)" in message(lambda: L.focal(np.zeros((3, 2)), target))


def test_a_number_has_no_index():
    said = message(lambda: L.hinge(0.5, 0.0))
    assert said == (
        "hinge: sign must be -1 or 1, got 0; turn 0/1 labels into signs with 2 * label - 1"
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_sentence_of_the_design_in_every_library(name):
    library = Library(name)
    target = np.ones((4, 2))
    target[2, 0] = 0.3
    with library.wide():
        logit, target = library.array(np.zeros((4, 2))), library.array(target, "float64")
        assert message(lambda: L.focal(logit, target)) == (
            "focal: target must be 0 or 1, got 0.3 at index (2, 0); "
            "for soft targets use binary_cross_entropy"
        )


@each_loss
def test_where_nothing_can_be_raised_it_is_said_which_elements_are_inside(loss):
    check_inside(loss)


def check_inside(loss):
    """What makes an element NaN inside a compiled graph."""
    numpy = library("numpy")
    for i, argument in enumerate(loss.inputs):
        arrays, _ = sample(loss, shape=(3,))
        assert np.all(inside_of(numpy, argument.domain, arrays[i], CLASSES))
        for value in outside(argument.domain):
            arrays, _, place = put(loss, argument, value)
            ok = inside_of(numpy, argument.domain, arrays[i], CLASSES)
            truth = np.ones(ok.shape, bool)
            truth[place[:1] if argument.domain.mass else place] = False
            if argument.domain.by_row:  # the value itself, or the order of its row
                assert not ok[place]
                truth[place[0]] = ok[place[0]]
            assert np.array_equal(ok, truth)


# ------------------------------------------------------------------------------- distributions

MASSES = [
    pytest.param(loss, a, id=f"{loss.name}-{a.name}")
    for loss in LOSSES
    for a in loss.inputs
    if a.domain.mass
]


def row_of(domain, shares):
    with np.errstate(divide="ignore"):
        return np.asarray(shares) if domain.mass == "sum" else np.log(shares)


@pytest.mark.parametrize(("loss", "argument"), MASSES)
@pytest.mark.parametrize(
    "shares", [(1.0, 0, 0, 0), (0, 0.5, 0.5, 0), (0.1, 0.2, 0.3, 0.4)], ids=str
)
def test_a_row_with_sum_1_is_accepted(loss, argument, shares):
    arrays, parameters = sample(loss, shape=(3,))
    arrays[loss.inputs.index(argument)][1] = row_of(argument.domain, shares)
    assert not np.isnan(loss(*arrays, reduction="none", **parameters)).any()


@pytest.mark.parametrize(("loss", "argument"), MASSES)
@pytest.mark.parametrize("total", [0.9, 1.001])
def test_a_row_with_another_sum_is_refused(loss, argument, total):
    arrays, parameters = sample(loss, shape=(3,))
    shares = np.array([0.1, 0.2, 0.3, 0.4]) * total
    arrays[loss.inputs.index(argument)][1] = row_of(argument.domain, shares)
    said = message(lambda: loss(*arrays, **parameters))
    assert f"{loss.name}: {argument.name} must be {argument.domain}" in said
    assert f"got a row with {argument.domain.mass} {total:g} at index (1,)" in said
    rows = arrays[loss.inputs.index(argument)]
    assert said.endswith(f"; {hints.for_row(loss, argument, rows, (1,), total)}")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(("loss", "argument"), MASSES)
def test_a_row_that_was_rounded_is_accepted(loss, argument, dtype):
    """A softmax over many classes in half precision misses the sum 1 by its rounding."""
    rng = np.random.default_rng(1)
    arrays, parameters = sample(loss, shape=(40,), classes=100)
    shares = rng.dirichlet(np.ones(100), 40)
    arrays[loss.inputs.index(argument)] = row_of(argument.domain, shares).astype(dtype)
    loss(*arrays, **parameters)


# --------------------------------------------------------------------------- hyper-parameters


def setting(argument, value):
    """A plain number; for a hyper-parameter with the class axis a row, the value at its end."""
    row = [argument.domain.inside[0]] * (CLASSES - 1)
    return np.asarray([*row, value]) if argument.domain.class_axis else value


@of_each_loss(pairs("parameters", inside))
def test_a_hyper_parameter_of_its_set_is_accepted(loss, argument, value):
    arrays, parameters = sample(loss)
    parameters |= {argument.name: setting(argument, value)}
    assert not np.isnan(loss(*arrays, reduction="none", **parameters)).any()


@of_each_loss(pairs("parameters", outside))
def test_a_hyper_parameter_outside_its_set_is_refused(loss, argument, value):
    check_parameter(loss, argument, value)


def check_parameter(loss, argument, value):
    arrays, parameters = sample(loss, shape=(3,))
    wrong = setting(argument, value)
    said = message(lambda: loss(*arrays, **parameters | {argument.name: wrong}))
    start = f"{loss.name}: {argument.name} must be {argument.domain}, got "
    if argument.domain.class_axis:
        assert said.startswith(f"{start}{value:g} at index ({CLASSES - 1},)")
        return
    assert said.startswith(f"{start}{value}")
    many = np.full(3, argument.domain.inside[0])
    many[1] = value
    said = message(lambda: loss(*arrays, **parameters | {argument.name: many}))
    assert said.startswith(f"{start}{value:g} at index (1,)")


def test_a_hyper_parameter_for_the_classes_has_one_number_for_each():
    data, _ = sample(L.multi_label_soft_margin, shape=(3,))
    for wrong in (2.0, np.ones(CLASSES + 1), np.ones((3, CLASSES))):
        said = message(
            lambda w=wrong: L.multi_label_soft_margin(*data, class_weight=w), L.ShapeError
        )
        assert said.startswith("multi_label_soft_margin: class_weight ")


NOT_NUMBERS = {
    "delta": ("1", 1j, [1j], None, ["a"]),
    "weight": ("1", [1j], [None], [[1.0], [1.0, 2.0]]),
    "mask": ("1", [1j], [None]),
    "denominator": ("1", 1j, [1.0, 2.0]),
}


@pytest.mark.parametrize(
    ("name", "wrong"),
    [(name, wrong) for name, row in NOT_NUMBERS.items() for wrong in row],
    ids=str,
)
def test_an_option_that_is_no_number_is_refused(name, wrong):
    said = message(lambda: L.huber([1.0], [0.0], **{name: wrong}), (TypeError, ValueError))
    assert said.startswith(f"huber: {name} ")


@pytest.mark.parametrize("name", ["axis", "ignore_index"])
def test_an_option_that_counts_is_a_whole_number(name):
    said = message(lambda: L.cross_entropy([[1.0, 2.0]], [0], **{name: 0.5}), TypeError)
    assert said.startswith(f"cross_entropy: {name} ")


# -------------------------------------------------------------------------------------- shapes


@each_loss
def test_prediction_and_target_are_never_broadcast(loss):
    check_shapes(loss)


def check_shapes(loss):
    """Each other input in turn: one element too few, one axis more, one axis less."""
    good, parameters = sample(loss, shape=(3, 2))
    loss(*good, **parameters)
    for i, argument in list(enumerate(loss.inputs))[1:]:
        for wrong in (good[i][:1], good[i][None], good[i][0], good[i][..., None]):
            arrays = [*good]
            arrays[i] = wrong
            said = message(lambda arrays=arrays: loss(*arrays, **parameters), L.ShapeError)
            assert said.startswith(f"{loss.name}: {argument.name} must have the shape")
            assert f"got {wrong.shape}" in said
            assert "\nhint: " in said


def test_the_hint_fits_the_mistake():
    logits, label = np.zeros((5, 3)), np.zeros(5, int)
    column = message(lambda: L.huber(np.zeros((5, 1)), np.zeros(5)), L.ShapeError)
    assert "squeeze(-1)" in column
    assert "squeeze(-1)" in message(lambda: L.huber(np.zeros(5), np.zeros((5, 1))), L.ShapeError)
    assert "squeeze(-1)" in message(lambda: L.cross_entropy(logits, label[:, None]), L.ShapeError)
    one_hot = np.eye(3, dtype=int)[label]
    assert "soft_" in message(lambda: L.cross_entropy(logits, one_hot), L.ShapeError)
    moved = message(lambda: L.soft_cross_entropy(logits, np.ones((3, 5)) / 3), L.ShapeError)
    assert "axis" in moved


@those(lambda loss: loss.class_axis)
def test_a_row_needs_its_classes(loss):
    arrays, parameters = sample(loss, shape=())
    number = [np.asarray(x).ravel()[0] for x in arrays]
    said = message(lambda: loss(*number, **parameters), L.ShapeError)
    what = "positions" if loss.over_positions else "classes"
    assert f"{loss.inputs[0].name} has no axis for the {what}" in said
    none = [
        x[..., :0] if a.domain.class_axis else x for a, x in zip(loss.inputs, arrays, strict=True)
    ]
    assert f"no {what}" in message(lambda: loss(*none, **parameters), L.ShapeError)
    for axis in (1, -2):
        said = message(lambda axis=axis: loss(*arrays, axis=axis, **parameters), L.ShapeError)
        assert f"axis {axis} is outside" in said


# --------------------------------------------------------------------------------------- types


@each_loss
def test_numbers_of_another_kind_are_refused(loss):
    check_types(loss)


def check_types(loss):
    good, parameters = sample(loss, shape=(3,))
    for i, argument in enumerate(loss.inputs):
        for kind in (complex, str, object):
            arrays = [*good]
            arrays[i] = good[i].astype(kind)
            said = message(lambda arrays=arrays: loss(*arrays, **parameters), L.DtypeError)
            assert said.startswith(f"{loss.name}: {argument.name} must be")
    whole = [good[0].round().astype(int), *good[1:]]
    said = message(lambda: loss(*whole, **parameters), L.DtypeError)
    assert said.startswith(f"{loss.name}: {loss.inputs[0].name} must be floating-point")
    assert "int64" in said


@those(lambda loss: any(a.domain.integer for a in loss.inputs))
def test_labels_are_integers_of_any_width(loss):
    (logits, label, *rest), parameters = sample(loss)
    truth = loss(logits, label, *rest, **parameters)
    for kind in ("uint8", "int8", "int32", "uint64"):
        assert loss(logits, label.astype(kind), *rest, **parameters) == truth
    for kind in (float, bool):
        said = message(lambda k=kind: loss(logits, label.astype(k), *rest), L.DtypeError)
        assert said.startswith(f"{loss.name}: label must be integers, got {np.dtype(kind)}")


@those(
    lambda loss: (
        len(loss.inputs) > 1
        and not loss.inputs[1].domain.integer
        and loss.inputs[1].domain.mass != "sum of exponentials"
    )
)
def test_targets_may_be_whole_numbers(loss):
    arrays, parameters = sample(loss)
    whole = [arrays[0], np.zeros_like(arrays[1]), *arrays[2:]]
    if loss.inputs[1].domain.mass:
        whole[1][..., 0] = 1
    if not loss.inputs[1].domain.contains(0.0):
        whole[1][...] = 1 if loss.inputs[1].domain.contains(1.0) else -1
    truth = loss(*whole, **parameters)
    for kind in ("int32", "int64", "uint8" if np.min(whole[1]) >= 0 else "int8"):
        cast = [whole[0], whole[1].astype(kind), *whole[2:]]
        assert loss(*cast, **parameters) == truth


def test_arrays_of_two_libraries_are_refused():
    torch, jax = Library("torch"), Library("jax")
    said = message(lambda: L.huber(torch.array([1.0]), jax.array([0.0])), L.DtypeError)
    assert "jax, torch" in said


def test_the_errors_are_pythons_own_kinds():
    assert issubclass(L.DomainError, ValueError)
    assert issubclass(L.ShapeError, ValueError)
    assert issubclass(L.DtypeError, TypeError)
    assert all(issubclass(e, L.LossaryError) for e in (L.DomainError, L.ShapeError, L.DtypeError))


# ------------------------------------------------------------------------------------- options


@each_loss
def test_a_weight_is_finite_and_not_below_0(loss):
    check_weight(loss)


def check_weight(loss):
    arrays, parameters = sample(loss, shape=(3,))
    for wrong in (-1.0, NAN, float("inf")):
        said = message(lambda w=wrong: loss(*arrays, weight=[1.0, w, 1.0], **parameters))
        start = f"{loss.name}: weight must be a finite number, at least 0, got {wrong:g}"
        assert said.startswith(start)
    said = message(lambda: loss(*arrays, weight=np.ones(2), **parameters), L.ShapeError)
    assert said.startswith(
        f"{loss.name}: weight of shape (2,) does not broadcast to the loss, (3,)"
    )
    said = message(lambda: loss(*arrays, weight=np.ones((1, 3)), **parameters), L.ShapeError)
    assert "does not broadcast" in said


@each_loss
def test_a_mask_is_true_or_false(loss):
    check_mask(loss)


def check_mask(loss):
    arrays, parameters = sample(loss, shape=(3,))
    mask, wrong = of_rows(loss, np.ones(3)), of_rows(loss, np.ones(2, bool))
    said = message(lambda: loss(*arrays, mask=mask, **parameters), (ValueError, TypeError))
    assert said.startswith(f"{loss.name}: mask must be True (keep) or False")
    said = message(lambda: loss(*arrays, mask=wrong, **parameters), L.ShapeError)
    assert said.startswith(f"{loss.name}: mask of shape {wrong.shape} does not broadcast")


def test_a_denominator_is_finite_and_not_below_0():
    for wrong in (-1.0, NAN, float("inf")):
        for given in (wrong, np.float64(wrong), np.asarray(wrong)):
            said = message(lambda d=given: L.huber([1.0], [0.0], denominator=d))
            assert said.startswith("huber: denominator must be a finite number, at least 0")
            assert f"{wrong:g}" in said


@those(lambda loss: "class_weight" in options_of(loss))
def test_a_class_weight_has_one_number_per_class(loss):
    check_class_weight(loss)


def check_class_weight(loss):
    arrays, parameters = sample(loss, shape=(3,))
    for wrong in (np.ones(7), np.float64(2.0), np.ones((1, CLASSES))):
        said = message(lambda w=wrong: loss(*arrays, class_weight=w, **parameters), L.ShapeError)
        assert said.startswith(f"{loss.name}: class_weight must have one number for each of the ")
    for wrong in ({0: 1.0}, "balanced"):
        said = message(lambda w=wrong: loss(*arrays, class_weight=w, **parameters), L.DtypeError)
        assert said.startswith(f"{loss.name}: class_weight must have one number for each of the ")
    count = int(re.search(r"each of the (\d+) classes", said)[1])
    for wrong in (-1.0, NAN):
        table = np.ones(count)
        table[0] = wrong
        said = message(lambda t=table: loss(*arrays, class_weight=t, **parameters))
        assert said.startswith(f"{loss.name}: class_weight must be a finite number, at least 0")


def test_a_choice_lists_what_can_be_chosen():
    said = message(lambda: L.huber([1.0], [0.0], reduction="avg"), ValueError)
    assert said.startswith("huber: reduction must be one of 'mean', 'sum', 'none', got 'avg'\n")
    said = message(lambda: L.huber([1.0], [0.0], empty="nul"), ValueError)
    assert said == "huber: empty must be one of 'zero', 'nan', 'raise', got 'nul'"


def test_an_unknown_word_gets_the_nearest_one():
    said = message(lambda: L.huber([1.0], [0.0], dleta=2.0), TypeError)
    assert said == "huber has no argument 'dleta'\nhint: did you mean delta?"
    said = message(lambda: L.huber([1.0], [0.0], axis=0), TypeError)
    assert said.startswith("huber has no argument 'axis'")
    said = message(lambda: L.huber([1.0], [0.0], 2.0), TypeError)
    assert "takes 2 positional arguments (prediction, target), got 3" in said
    assert "hyper-parameters (delta) and options (weight, mask" in said
    assert message(lambda: L.huber([1.0]), TypeError).startswith("huber needs target\nhint: ")
    said = message(lambda: L.balanced_cross_entropy([1.0], [1.0]), TypeError)
    assert said.startswith("balanced_cross_entropy needs positives, negatives\nhint: ")
    said = message(lambda: L.huber([1.0], [0.0], prediction=[2.0]), TypeError)
    assert said == "huber got 'prediction' twice"
