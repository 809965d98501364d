"""A user's own loss: what it gets, and what an author who slips is told."""

import inspect
import linecache
import math
import re
import types
from inspect import signature
from typing import Annotated

import numpy as np
import pytest

import lossary as L
from lossary import slips
from lossary.domain import (
    Binaries,
    ClassWeights,
    Label,
    Logits,
    Positive,
    Real,
    Scores,
    Simplex,
    Unit,
    classes,
)
from lossary.formula import Expression
from lossary.functions import (
    cumulate,
    exp,
    is_class,
    log,
    log1p,
    log1p_total_exp,
    log_softmax,
    logsumexp,
    maximum,
    norm,
    peak,
    pick,
    softmax,
    total,
    where,
)


@L.loss(source="Dennis and Welsch 1978, doi:10.1080/03610917808812083")
def levelling(prediction: Real, target: Real, *, scale: Positive = 1.0):
    """Squared error near zero that saturates for outliers."""
    return scale**2 / 2 * (1 - exp(-(((prediction - target) / scale) ** 2)))


# ------------------------------------------------------------------------ what everyone gets


def textbook(x, y, scale=1.0):
    return scale**2 / 2 * -np.expm1(-(((x - y) / scale) ** 2))


X, Y = np.array([0.5, -2.0, 3.0, 0.1]), np.array([0.0, 1.0, 2.5, 0.1])


def test_its_value():
    np.testing.assert_allclose(levelling(X, Y, reduction="none"), textbook(X, Y), rtol=1e-14)
    assert levelling(X, Y, scale=2.0) == pytest.approx(textbook(X, Y, 2.0).mean(), rel=1e-14)
    assert levelling([3.0], [0.0]) == pytest.approx(0.49993829509795666, rel=1e-15)


def test_its_derivatives():
    error, scale = X - Y, 1.5
    slope = error * np.exp(-((error / scale) ** 2))
    curve = (1 - 2 * (error / scale) ** 2) * np.exp(-((error / scale) ** 2))
    call = {"scale": scale, "reduction": "sum"}
    np.testing.assert_allclose(levelling.gradient(X, Y, **call), slope, rtol=1e-14)
    np.testing.assert_allclose(levelling.gradient(X, Y, wrt="target", **call), -slope, rtol=1e-14)
    np.testing.assert_allclose(levelling.hessian(X, Y, **call), curve, rtol=1e-13)


def test_its_options():
    weight = np.array([1.0, 0.0, 2.0, 1.0])
    each = textbook(X, Y)
    assert levelling(X, Y, weight=weight) == pytest.approx((weight * each).sum() / 4, rel=1e-14)
    spoiled = np.where(weight > 0, X, np.nan)
    assert levelling(spoiled, Y, weight=weight) == levelling(X, Y, weight=weight)
    assert levelling(X, Y, mask=weight > 0) == pytest.approx(each[weight > 0].mean(), rel=1e-14)
    assert levelling(input=X, y_true=Y) == levelling(X, Y)
    assert levelling(X.astype(np.float16), Y.astype(np.float16)).dtype == np.float32


def test_its_errors():
    with pytest.raises(
        L.DomainError, match="levelling: scale must be a finite number above 0, got -1"
    ):
        levelling(X, Y, scale=-1.0)
    with pytest.raises(
        L.DomainError, match=r"levelling: target must be a finite number, got inf at"
    ):
        levelling(X, [0.0, np.inf, 0.0, 0.0])
    with pytest.raises(L.ShapeError, match=r"levelling: target must have the shape of prediction"):
        levelling(X, Y[:2])
    with pytest.raises(
        TypeError, match=r"levelling has no argument 'scal'\nhint: did you mean scale\?"
    ):
        levelling(X, Y, scal=1.0)


def test_its_record():
    assert (levelling.name, levelling.family) == ("levelling", "custom")
    assert levelling.summary == "Squared error near zero that saturates for outliers."
    assert levelling.source.startswith("Dennis")
    assert levelling.differentiable == ("prediction", "target")
    assert levelling.domains["scale"].name == "Positive"
    assert str(inspect.signature(levelling)).startswith(
        "(prediction, target, *, scale=1.0, weight=None"
    )
    assert "above 0; a number, or an array that broadcasts" in levelling.__doc__
    assert r"e^{" in levelling.latex
    for target in ("numpy", "torch", "jax", "tensorflow"):
        assert levelling.text(target, 1).count("exp(") == 1
    assert "levelling" not in L.catalogue


def test_a_traceback_shows_the_text_that_ran():
    """The generated source is known to Python, line by line."""
    levelling(X, Y, scale=1.25)
    kept = [linecache.getlines(name) for name in linecache.cache if "levelling" in name]
    assert any("def levelling(prediction, target" in "".join(lines) for lines in kept)


def test_a_loss_over_classes():
    @L.loss(source="nobody")
    def mine(logits: Logits, label: Label):
        """Negative log-probability, by hand."""
        return -pick(log_softmax(logits), label)

    rng = np.random.default_rng(0)
    logits, label = rng.normal(size=(5, 3)), rng.integers(0, 3, 5)
    assert mine(logits, label) == pytest.approx(L.cross_entropy(logits, label), rel=1e-14)
    np.testing.assert_allclose(
        mine.gradient(logits, label), L.cross_entropy.gradient(logits, label), rtol=1e-12
    )
    np.testing.assert_allclose(
        mine.hessian(logits, label), L.cross_entropy.hessian(logits, label), rtol=1e-12
    )
    with pytest.raises(L.DomainError, match="label must be a class index from 0 to 2, got 9 at"):
        mine(logits, np.full(5, 9))
    assert mine(logits, np.where(label == 1, -9, label), ignore_index=-9) > 0


def test_an_optional_parameter_is_none_to_the_formula():
    @L.loss(source="nobody")
    def tilted(prediction: Real, target: Real, *, tilt: Unit | None = None):
        """Absolute error, tilted if asked for."""
        error = target - prediction
        if tilt is None:
            return abs(error)
        return where(error > 0, tilt * error, (tilt - 1) * error)

    assert tilted([1.0], [3.0]) == 2
    assert tilted([1.0], [3.0], tilt=0.25) == 0.5
    assert tilted([5.0], [3.0], tilt=np.array([0.25])) == 1.5
    assert tilted.gradient([5.0], [3.0], tilt=0.25) == [0.75]
    assert tilted.gradient([5.0], [3.0], tilt=None) == [1.0]
    assert tilted.absent_by_default == {"tilt"}
    with pytest.raises(L.DomainError, match=r"tilted: tilt must be a number in \[0, 1\], got 2"):
        tilted([1.0], [3.0], tilt=2.0)


def test_a_definition_may_sit_in_any_scope_and_call_plain_functions():
    scale = 3.0

    def bend(x):
        return log1p(x * x / scale) * scale

    @L.loss(source="nobody")
    def cauchy(prediction: Real, target: Real):
        """Logarithm of the squared error."""
        return bend(prediction - target)

    assert cauchy([2.0], [1.0]) == pytest.approx(3 * math.log(4 / 3), rel=1e-15)


# --------------------------------------------------------------------- what an author is told


def refused(formula, *words):
    """The mistake is refused where it is made; the message names line and fix."""
    with pytest.raises(L.FormulaError) as caught:
        L.loss(source="nobody")(formula)
    said = str(caught.value)
    assert "\nhint: " in said, said
    for word in words:
        assert word in said, said
    return said


def names_the_line(said, line):
    """The file, the number of the line and its source stand in the message."""
    assert f"{__file__}:" in said
    assert line in said


def test_pythons_if():
    def stepped(prediction: Real, target: Real):
        """Wrong."""
        if prediction > target:
            return prediction
        return target

    said = refused(stepped, "a formula has no truth value", "where(prediction > target, a, b)")
    names_the_line(said, "if prediction > target:")


@pytest.mark.parametrize(
    ("slip", "instead"),
    [
        ("and", "write (prediction > 0) & (target > 0)"),
        ("or", "write (prediction > 0) | (target > 0)"),
        ("not", "write ~(prediction > 0)"),
        ("min", "write minimum(prediction, target); from lossary.functions import minimum"),
        ("max", "write maximum(prediction - target, 0); from lossary.functions import maximum"),
        ("chain", "write (0 < prediction) & (prediction < 1) for 0 < prediction < 1"),
        ("choice", "write where(prediction > 0, 1, target); from lossary.functions import where"),
    ],
)
def test_other_places_where_python_asks_for_a_truth_value(slip, instead):
    def formula(prediction: Real, target: Real):
        """Wrong."""
        return {
            "and": lambda: where(prediction > 0 and target > 0, 1, 0),
            "or": lambda: where(prediction > 0 or target > 0, 1, 0),
            "not": lambda: where(not prediction > 0, 1, 0),
            "min": lambda: min(prediction, target),
            "max": lambda: max(prediction - target, 0),
            "chain": lambda: where(0 < prediction < 1, 1, 0),
            "choice": lambda: 1 if prediction > 0 else target,
        }[slip]()

    said = refused(formula, "a formula has no truth value", f"hint: {instead}")
    names_the_line(said, f'"{slip}": lambda:')


def test_an_unknown_function():
    def unknown(prediction: Real, target: Real):
        """Wrong."""
        return sofplus(prediction - target)  # noqa: F821

    said = refused(unknown, "'sofplus'", "did you mean softplus?", "lossary.functions")
    names_the_line(said, "return sofplus(prediction - target)")


def test_a_name_that_is_nothing_like_one_of_ours():
    def unknown(prediction: Real, target: Real):
        """Wrong."""
        return zzz(prediction)  # noqa: F821

    assert "did you mean" not in refused(unknown, "'zzz'", "import it from lossary.functions")


def test_the_hint_lists_textbook_words_the_nearest_first():
    def unknown(prediction: Real, target: Real):
        """Wrong."""
        return log_sigmiod(prediction)  # noqa: F821

    listed = refused(unknown).rpartition("which has ")[2].split(", ")
    assert listed[0] == "log_sigmoid"
    assert set(listed) == set(slips.WORDS)
    assert set(listed) <= set(vars(L.functions))


def test_a_word_that_was_not_imported():
    def unknown(prediction: Real, target: Real):
        """Wrong."""
        return cosh(prediction) + np_missing.clip(target, 0, 1)  # noqa: F821

    assert refused(unknown).endswith("hint: from lossary.functions import cosh")

    def library(prediction: Real, target: Real):
        """Wrong."""
        return np_missing.clip(target - prediction, 0, 1)  # noqa: F821

    refused(library, "hint: write minimum(maximum(target - prediction, 0), 1);")


def test_a_word_that_lacks_an_argument():
    """The hint is no call that raises again."""

    def tails(prediction: Scores, target: Scores):
        """Wrong."""
        return total(abs(cumulate(prediction - target)))

    said = refused(tails, "missing 1 required positional argument: 'by'")
    assert "hint: write cumulate(prediction - target, by=class_index());" in said


@pytest.mark.parametrize("word", slips.WORDS)
def test_a_word_is_told_with_all_the_arguments_that_it_needs(word):
    needed = [
        p
        for p in signature(getattr(L.functions, word)).parameters.values()
        if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
    ]
    template = slips._INSTEAD[word]
    assert len(needed) <= len(set(re.findall(r"\{\d\}|by=", template)))


def test_the_first_argument_has_the_axis_that_any_has():
    def beside(prediction: Real, others: Scores):
        """Wrong: the shape of the first is what the others are compared with."""
        return total(exp(others - prediction))

    refused(beside, "prediction stands first and has no classes, which others has")
    refused(beside, "hint: put others first")


FOREIGN = {
    np.exp: "write exp(prediction - target); from lossary.functions import exp",
    np.square: "write (prediction - target)**2",
    np.linalg.norm: "write norm(prediction - target); from lossary.functions import norm",
    np.sum: "leave sum out: a formula is the loss of one element",
    np.sinc: "formulas have no sinc; lossary.functions has sin, sign, sinh, ",
}


@pytest.mark.parametrize("function", FOREIGN, ids=lambda function: function.__name__)
def test_a_function_of_numpy(function):
    def foreign(prediction: Real, target: Real):
        """Wrong."""
        return function(prediction - target)

    said = refused(foreign, "is not in the formula language", FOREIGN[function])
    names_the_line(said, "return function(prediction - target)")


def test_a_function_of_any_library():
    """Libraries raise what they like when a symbol comes; the call says what was meant."""
    source = "def broken(*_, **__): raise ValueError('cannot convert a symbol to a tensor')"
    exec(compile(source, "library.py", "exec"), space := {})
    library = types.SimpleNamespace(clamp=space["broken"], softplus=space["broken"])

    def clamped(prediction: Real, target: Real):
        """Wrong."""
        return library.clamp(prediction - target, min=0.5)

    said = refused(clamped, "library.clamp is not in the formula language")
    assert "hint: write maximum(prediction - target, 0.5);" in said
    names_the_line(said, "return library.clamp(prediction - target, min=0.5)")

    def soft(prediction: Real, target: Real):
        """Wrong."""
        return library.softplus(prediction) + target

    refused(soft, "hint: write softplus(prediction); from lossary.functions import softplus")

    def own(prediction: Real, target: Real):
        """An error that the author raises stays what it is."""
        raise ValueError("not today")

    with pytest.raises(ValueError, match="not today"):
        L.loss(own)


def test_methods_operators_and_texts():
    def method(prediction: Real, target: Real):
        """Wrong."""
        return (prediction - target).exp()

    refused(method, "no method 'exp'", "write exp(prediction - target);")

    def product(prediction: Scores, target: Scores):
        """Wrong."""
        return prediction @ target

    refused(product, "no @", "write total(prediction * target);")

    def rest(prediction: Real, target: Real):
        """Wrong."""
        return (prediction - target) % 2

    refused(rest, "no %", "write (prediction - target) - 2 * floor((prediction - target) / 2);")

    def printed(prediction: Real, target: Real):
        """Wrong."""
        assert f"{prediction - target}" == "subtract(prediction, target)"
        return prediction * float(f"{target:.2f}")

    refused(printed, "no digits to format", "leave the format out")


def test_a_choice_and_a_number_of_numpy():
    def chosen(prediction: Real, target: Real):
        """Wrong."""
        return np.where(prediction > target, 1.0, 0.0)

    names_the_line(refused(chosen, "numpy.where is not in the formula language"), "np.where(")

    @L.loss
    def scaled(prediction: Real, target: Real):
        """A number of NumPy is a number."""
        return np.log(2) * abs(prediction - target) / np.float32(4) ** np.int64(2)

    assert scaled([3.0], [1.0]) == pytest.approx(math.log(2) / 8, rel=1e-15)

    def arrays(prediction: Real, target: Real):
        """Wrong."""
        return np.arange(2.0) * abs(prediction - target)

    names_the_line(refused(arrays, "cannot contain an array"), "return np.arange(2.0) *")


def test_a_division_by_zero_names_the_line():
    def divided(prediction: Real, target: Real):
        """Wrong."""
        return (prediction - target) ** 2 / 0

    names_the_line(refused(divided, "divided by 0"), "return (prediction - target) ** 2 / 0")


def test_a_function_of_the_math_module():
    def foreign(prediction: Real, target: Real):
        """Wrong."""
        return math.exp(prediction - target)

    said = refused(foreign, "a formula is not a number", "lossary.functions")
    names_the_line(said, "return math.exp(prediction - target)")


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ("np.exp(x)", "write exp(x); from lossary.functions import exp"),
        ("math.exp(x)", "use the functions of lossary.functions"),
        ("x.exp()", "write exp(x); from lossary.functions import exp"),
        ("max(x, 0)", "write where(condition, a, b), and &, |, ~, minimum, maximum"),
        ("sum(x)", "use total, peak or pick along the class axis"),
        ("clip(x, 0, 1)", "write minimum(maximum(x, y), z); from lossary.functions import"),
        ("x @ y", "write total(x * y); from lossary.functions import total"),
    ],
)
def test_without_the_source_the_hint_is_general(body, hint):
    """Code that was typed or made has no file to look into."""
    text = f"@L.loss\ndef made(x: Real, y: Real):\n    return {body}\n"
    with pytest.raises(L.FormulaError) as caught:
        exec(text, {"L": L, "np": np, "math": math, "Real": Real})
    assert f"\nhint: {hint}" in str(caught.value)


def test_the_wrong_number_of_arguments():
    def formula(prediction: Real, target: Real):
        """Wrong."""
        return maximum(prediction)

    names_the_line(refused(formula, "maximum() missing 1 required"), "return maximum(prediction)")


SOME = {
    "total": (lambda x, t: total(x, where=t == 1), lambda x: x.sum()),
    "peak": (lambda x, t: peak(x, where=t == 1), lambda x: x.max(initial=-math.inf)),
    "logsumexp": (lambda x, t: logsumexp(x, where=t == 1), lambda x: np.log(np.exp(x).sum())),
    "by hand": (lambda x, t: log(total(exp(x), where=t == 1)), lambda x: np.log(np.exp(x).sum())),
    "the others": (lambda x, t: log(total(where(t == 0, 0, exp(x)))),
                   lambda x: np.log(np.exp(x).sum())),
    "log1p_total_exp": (lambda x, t: log1p_total_exp(x, where=t == 1),
                        lambda x: np.log1p(np.exp(x).sum())),
    "softmax": (lambda x, t: total(softmax(x, where=t == 1) * x),
                lambda x: (np.exp(x) * x).sum() / (np.exp(x).sum() or 1)),
}  # fmt: skip


@pytest.mark.parametrize("word", SOME)
def test_a_word_over_some_entries_does_not_see_the_others(word):
    over_some, of_entries = SOME[word]

    @L.loss
    def formula(scores: Scores, target: Binaries):
        """A word over the present classes."""
        return over_some(scores, target)

    scores = np.array([[1.0, -2.0, 0.5], [3.0, 2.5, -1.0], [0.25, 1.0, 4.0]])
    target = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    with np.errstate(divide="ignore"):
        wanted = [of_entries(x[t == 1]) for x, t in zip(scores, target, strict=True)]
    np.testing.assert_allclose(formula(scores, target, reduction="none"), wanted, rtol=1e-14)
    slope = formula.gradient(scores, target, reduction="sum")
    assert np.all(slope[target == 0] == 0)
    assert np.all(np.isfinite(slope))
    far = np.where(target == 1, scores, 1e300)
    same = formula(far, target, reduction="none")
    assert np.array_equal(same, formula(scores, target, reduction="none"))


def test_what_has_no_neutral_entry_has_no_where():
    def formula(scores: Scores, target: Binaries):
        """Wrong."""
        return norm(scores, where=target == 1)

    said = refused(formula, "norm has no where=", "where(condition, x, y)")
    names_the_line(said, "return norm(scores, where=target == 1)")


def test_an_array_inside_a_formula():
    def formula(prediction: Real, target: Real):
        """Wrong."""
        return prediction * [1.0, 2.0]

    said = refused(formula, "cannot contain list [1.0, 2.0]", "pass data as an argument")
    names_the_line(said, "return prediction * [1.0, 2.0]")


def test_a_reduction_inside_a_formula():
    def formula(prediction: Real, target: Real):
        """Wrong."""
        return abs(prediction - target).mean()

    said = refused(formula, "no method 'mean'", "leave mean out")
    names_the_line(said, "return abs(prediction - target).mean()")


def test_an_index_and_a_loop():
    def indexed(logits: Logits, label: Label):
        """Wrong."""
        return logits[0]

    names_the_line(refused(indexed, "cannot be indexed", "pick(values, label)"), "return logits[0]")

    def looped(logits: Logits, label: Label):
        """Wrong."""
        return sum(logits)

    names_the_line(refused(looped, "cannot be looped over", "write total(logits);"), "sum(logits)")


def test_a_missing_domain():
    def bare(prediction: Real, target):
        """Wrong."""
        return abs(prediction - target)

    said = refused(bare, "bare", "'target' has no domain", "target: Real", "lossary.domain")
    assert f"{__file__}:{bare.__code__.co_firstlineno}" in said

    def mistyped(prediction: Real, target: float):
        """Wrong."""
        return abs(prediction - target)

    refused(mistyped, "'target' has no domain")


def test_any_set_of_numbers_has_rows():
    def rates(rate: Annotated[Positive, classes], share: Annotated[Simplex, classes]):
        """A Poisson likelihood for each class."""
        return total(rate - share * log(rate))

    loss = L.loss(rates)
    one, other = (argument.domain for argument in loss.inputs)
    assert one.axes == other.axes == ("classes",)
    found = loss.value_and_gradient([[1.0, 2.0]], [[0.25, 0.75]], reduction="none")
    np.testing.assert_allclose(found[0], [3 - 0.75 * np.log(2)], rtol=1e-15)
    np.testing.assert_allclose(found[1], [[0.75, 0.625]], rtol=1e-15)
    with pytest.raises(L.DomainError, match=r"rate must be .* above 0 at each class"):
        loss([[1.0, -2.0]], [[0.25, 0.75]])


@pytest.mark.parametrize("axis", [("classes",), "classes", ["positions"], ClassWeights])
def test_an_axis_that_is_none(axis):
    def rates(rate, share: Simplex):
        """Wrong."""
        return total(rate - share * log(rate))

    rates.__annotations__["rate"] = Annotated[Positive, axis]
    refused(rates, "argument 'rate'", "which is no axis", "rate: Annotated[Positive, classes]")


@pytest.mark.parametrize("kind", ["args", "kwargs"])
def test_arguments_without_number(kind):
    def many(prediction: Real, *args):
        """Wrong."""
        return prediction

    def words(prediction: Real, **kwargs):
        """Wrong."""
        return prediction

    said = refused({"args": many, "kwargs": words}[kind], f"{kind} has no domain", "each argument")
    assert f"{__file__}:" in said


def test_no_data_at_all():
    def empty(*, delta: Positive = 1.0):
        """Wrong."""
        return delta

    refused(empty, "empty has no positional argument", "prediction: Real")


def test_a_value_per_class():
    def per_class(logits: Logits, label: Label):
        """Wrong."""
        return softmax(logits)

    refused(per_class, "per_class has one value per class", "total, peak or pick")


def test_a_result_that_is_no_formula():
    def constant(prediction: Real, target: Real):
        """Wrong."""
        return 1.0

    refused(constant, "constant returned 1.0, not a formula")

    def forgotten(prediction: Real, target: Real):
        """Wrong."""
        prediction - target

    refused(forgotten, "forgotten returned None, not a formula")


def test_errors_are_also_pythons_own():
    """`hasattr` and `except TypeError` work as usual."""
    assert issubclass(L.FormulaError, TypeError)
    assert not hasattr(Expression, "mean")


def test_the_word_loss_takes_facts_only_by_name():
    with pytest.raises(TypeError):
        L.loss("a source")
    with pytest.raises(TypeError):
        L.loss(sauce="typed wrongly")(levelling.formula)


def test_a_formula_keeps_its_sums_and_rows_apart():
    """total() of a row-shaped number counts every class."""

    @L.loss(source="nobody")
    def spread(logits: Logits, label: Label):
        """Sum over the classes of the distance to the score of the label."""
        return total(abs(logits - pick(logits, label)))

    assert spread([[1.0, 4.0, 6.0]], [0]) == 8
    assert spread.gradient([[1.0, 4.0, 6.0]], [0]).tolist() == [[-2.0, 1.0, 1.0]]


def test_the_number_of_a_class_at_a_place_is_that_place():
    @L.loss
    def margin_of_the_others(scores: Scores, label: Label):
        raised = scores + where(is_class(label), 0, 1)
        return logsumexp(raised) - pick(raised, label)

    scores, label = np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]]), np.array([0, 1])
    raised = scores + (np.arange(3) != label[:, None])
    expected = np.log(np.exp(raised).sum(-1)) - scores[[0, 1], label]
    np.testing.assert_allclose(margin_of_the_others(scores, label, reduction="none"), expected)
