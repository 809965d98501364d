"""``loss.accuracy()`` finds a formula that loses digits, with the region, the part, a way out."""

import json
from math import factorial

import numpy as np
import pytest
from test_identities import points_of, value

import lossary as L
from expressions import exact
from lossary.accuracy.findings import Diagnosis
from lossary.accuracy.regions import Feature, region
from lossary.accuracy.rewrites import REWRITES, rewritten
from lossary.accuracy.written import written
from lossary.domain import Exponent, Label, Logit, Logits, NonNegative, Positive, Real, Scores, Unit
from lossary.formula import variable
from lossary.functions import cosh, exp, log, pick, sigmoid, sqrt, tanh, total, where

SIZE = 130


def bad_losses():
    """Formulas that no identity saves, with what must be said of them."""

    @L.loss(source="an error less what an activation leaves of it")
    def flattened(prediction: Real, target: Real):
        error = abs(prediction - target)
        return error - tanh(error)

    @L.loss(source="speeds that were reached in a fall, of heights")
    def fall(prediction: NonNegative, target: NonNegative):
        return (sqrt(2 * prediction) - sqrt(2 * target)) ** 2

    @L.loss(source="Barron 2019, arXiv:1701.03077, eq. 1 for alpha = 1")
    def barron(prediction: Real, target: Real, *, alpha: Positive = 0.5):
        inner = (prediction - target) ** 2 / abs(alpha - 2) + 1
        return abs(alpha - 2) / alpha * (inner ** (alpha / 2) - 1)

    @L.loss(source="a distance after an activation")
    def activated(prediction: Real, target: Real):
        return abs(tanh(prediction) - tanh(target))

    @L.loss(source="length by a power")
    def p_norm(prediction: Scores, target: Scores, *, p: Exponent = 3.0):
        return total(abs(prediction - target) ** p) ** (1 / p)

    cancels = "cancellation"
    return {
        "flattened": (flattened, cancels, " - tanh(abs(prediction - target))", ""),
        "fall": (
            fall,
            cancels,
            "sqrt(2 * prediction) - sqrt(2 * target)",
            "write 2 * (prediction - target) / (sqrt(2 * prediction) + sqrt(2 * target)) for ",
        ),
        "barron": (barron, cancels, "**(alpha / 2) - 1", "write expm1(0.5 * alpha * log("),
        "activated": (activated, cancels, "tanh(prediction) - tanh(target)", "write where("),
        "p_norm": (
            p_norm,
            "overflow",
            "total(abs(prediction - target)**p)**(1 / p)",
            "write peak(abs(prediction - target)) * ",
        ),
    }


def good_losses():
    """Textbook formulas that identities make exact."""

    @L.loss
    def yes_or_no(logit: Logit, target: Unit):
        p = 1 / (1 + exp(-logit))
        return -(target * log(p) + (1 - target) * log(1 - p))

    @L.loss
    def preference(chosen: Real, rejected: Real, *, beta: Positive = 0.1):
        return -log(sigmoid(beta * (chosen - rejected)))

    @L.loss
    def charbonnier(prediction: Real, target: Real):
        return sqrt((prediction - target) ** 2 + 1) - 1

    @L.loss
    def classes(logits: Logits, label: Label):
        return -log(exp(pick(logits, label)) / total(exp(logits)))

    @L.loss
    def huber(prediction: Real, target: Real):
        size = abs(prediction - target)
        return where(size < 1, size**2 / 2, size - 1 / 2)

    return {loss.name: loss for loss in (yes_or_no, preference, charbonnier, classes, huber)}


BAD, GOOD = bad_losses(), good_losses()
found: dict[str, Diagnosis] = {}


def diagnosis(loss) -> Diagnosis:
    """What a loss is told, once for all tests."""
    if loss.name not in found:
        found[loss.name] = loss.accuracy(size=SIZE)
    return found[loss.name]


@pytest.mark.parametrize("name", BAD)
def test_a_formula_that_cannot_be_saved_is_found(name):
    loss, cause, part, advice = BAD[name]
    report = diagnosis(loss)
    assert not report.good
    findings = [f for f in report.findings if f.what == "value" and f.cause == cause]
    assert findings, report
    first = findings[0]
    assert part in first.part
    assert first.where, report
    assert first.count >= 3
    assert first.worst > 1e9
    assert first.help.startswith(advice) if advice else not first.known


@pytest.mark.parametrize("name", GOOD)
def test_a_good_formula_is_left_alone(name):
    report = diagnosis(GOOD[name])
    assert report.good, report
    assert report.worst["value"] <= 4, report
    assert not [f for f in report.findings if f.what == "value"]


@pytest.mark.parametrize("name", BAD)
def test_the_example_shows_it(name):
    """What is said of the example is true: the numbers come out of the loss itself."""
    loss = BAD[name][0]
    for finding in diagnosis(loss).findings:
        point = {n: [x] if n in ("prediction", "target") else x for n, x in finding.example.items()}
        if finding.what == "value":
            with np.errstate(all="ignore"):
                assert np.isclose(loss(**point), finding.computed, rtol=1e-12, equal_nan=True)
        assert not np.array_equal(finding.computed, finding.true)


def test_a_region_is_where_it_happens():
    report = diagnosis(BAD["flattened"][0])
    (where_,) = report.findings[0].where
    assert where_.name == "|prediction - target|"
    assert 1e-5 < where_.high < 1


def test_a_rewrite_that_is_shown_does_save_the_digits():
    """An author who follows the advice is told that all is well."""

    @L.loss
    def mended(prediction: Positive, target: Positive):
        return ((prediction - target) / (sqrt(prediction) + sqrt(target))) ** 2

    report = mended.accuracy(size=SIZE)
    assert not [f for f in report.findings if not f.ends], report


def test_where_the_formula_is_no_number():
    @L.loss
    def entropy(rate: NonNegative, target: NonNegative):
        return abs(rate - target) / (rate - target)

    report = entropy.accuracy(size=SIZE)
    finding = next(f for f in report.findings if f.cause == "undefined")
    assert finding.what == "value"
    assert "abs(rate - target) is 0" in finding.why
    assert "where(condition, a, b)" in finding.help


def test_a_report_reads_well_and_has_plain_fields():
    report = diagnosis(BAD["fall"][0])
    text = str(report)
    assert text == repr(report)
    assert text.startswith("fall in float64: digits are lost\n\n  value  ")
    assert all(len(line) <= 88 for line in text.splitlines())
    for word in ("seen", "part", "because", "example", "tried"):
        assert f"\n   {word} " in text
    data = json.loads(json.dumps(report.to_json(), default=str))
    assert data["loss"] == "fall"
    assert data["findings"][0]["region"] in " ".join(text.split())
    assert set(report.worst) == {"value", "gradient by prediction"}


def test_other_types_and_settings():
    narrow = BAD["fall"][0].accuracy("float32", size=SIZE)
    assert narrow.good  # it is computed in float64 and rounded
    with pytest.raises(ValueError, match="float64 and float32, got 'float16'"):
        L.huber.accuracy("float16")
    again = L.huber.accuracy(size=100, seed=3)
    assert again == L.huber.accuracy(size=100, seed=3)
    assert again.good


@pytest.mark.parametrize("rule", REWRITES, ids=lambda rule: rule.name)
def test_a_rewrite_means_the_same(rule):
    """Both sides agree wherever both are numbers; the right one may be none at 0 / 0."""
    seen = 0
    with exact.workdps(400):
        for point in points_of(rule):
            left, right = value(rule.left, point), value(rule.right, point)
            if left is None or right is None:
                continue
            seen += 1
            for a, b in zip(left, right, strict=True):
                assert abs(a - b) <= exact.mpf(10) ** -50 * abs(a) + exact.mpf(10) ** -300
    assert seen


@pytest.mark.parametrize("rule", REWRITES, ids=lambda rule: rule.name)
def test_a_rewrite_is_found_where_it_is_written(rule):
    names = {n: variable(n, class_axis=n.isupper()) for n in rule.symbols}
    formula = rule.means(*names.values())
    sets = dict.fromkeys(names, "Real")
    words = [text for text, _ in rewritten(formula, sets, (rule,))]
    assert any(text.startswith("write ") for text in words)


def test_a_set_that_would_help_is_named():
    x, width = variable("prediction"), variable("width")
    sets = {"prediction": "Real", "width": "Real"}
    words = [text for text, _ in rewritten(sqrt(x**2 + width**2) - width, sets, ())]
    assert words == ["if width is of the set Positive, annotate it so"]


def test_regions_in_words():
    x = np.linspace(-10, 10, 201)
    (above,), inside = region([Feature("x", x)], x > 3.05)
    assert (str(above), inside.sum()) == ("x is above about 3", (x > 3.05).sum())
    (small,), _ = region([Feature("x", x)], abs(x) < 2.05)
    assert str(small) == "|x| is below about 2"
    y = np.tile(x, 2)
    flag = np.repeat([0.0, 1.0], 201)
    both, _ = region([Feature("y", y), Feature("flag", flag)], (y > 3.05) & (flag == 1))
    assert {range_.name for range_ in both} == {"y", "flag"}


def test_formulas_as_authors_write_them():
    x, y = variable("x"), variable("y")
    for formula, text in [
        (x - (y - 1), "x - (y - 1)"),
        (-((x - y) ** 2), "-(x - y)**2"),
        ((-x) ** 2, "(-x)**2"),
        (x / (y * 2), "x / (y * 2)"),
        (2 ** (x**y), "2**x**y"),
        ((x < 1) & ~(y == 0), "(x < 1) & ~(y == 0)"),
        (where(x < y, abs(x), 0.1), "where(x < y, abs(x), 0.1)"),
    ]:
        assert written(formula) == text
        assert eval(written(formula), {"x": x, "y": y, "where": where}) is formula


# ------------------------------------------------------------------- a stable form by hand


def error_less_its_tanh(prediction, target):
    """e - tanh(e) = (e cosh(e) - sinh(e)) / cosh(e), near 0 by the series of the numerator."""
    error = abs(prediction - target)
    series = 0
    for k in range(12, 0, -1):
        series = 2 * k / factorial(2 * k + 1) + error * error * series
    return where(error < 1, error**3 * series / cosh(error), error - tanh(error))


def flattened_by(computed):
    @L.loss(computed=computed)
    def flattened(prediction: Real, target: Real):
        error = abs(prediction - target)
        return error - tanh(error)

    return flattened


def test_a_stable_form_by_hand_saves_the_digits():
    loss = flattened_by(error_less_its_tanh)
    assert loss([1e-9], [0.0]) == pytest.approx(1e-27 / 3, rel=1e-8)
    assert loss.gradient([1e-9], [0.0]) == pytest.approx([1e-18], rel=1e-8)
    report = loss.accuracy(size=SIZE)
    assert not [f for f in report.findings if not f.explained], report
    assert report.worst["value"] < diagnosis(BAD["flattened"][0]).worst["value"] / 1e9
    assert loss.meaning() is BAD["flattened"][0].meaning()


def test_a_form_by_hand_that_means_something_else_is_refused():
    """Wrong in the fourth digit, and near 0 only: no rounding could explain it."""

    def wrong(prediction, target):
        error = abs(prediction - target)
        return where(error < 0.03, error**3 / 3, error - tanh(error))

    report = flattened_by(wrong).accuracy(size=400)
    assert not report.good
    finding = next(f for f in report.findings if f.what == "value")
    assert finding.cause == "another formula", report
    assert "computed= is another formula" in finding.why
    assert "where(abs(prediction - target) < 0.03" in finding.part
    assert not [
        f
        for f in flattened_by(error_less_its_tanh).accuracy(size=SIZE).findings
        if f.cause == "another formula"
    ]


def test_a_form_by_hand_takes_the_arguments_of_the_formula():
    with pytest.raises(L.FormulaError, match=r"computed= takes x, y\nhint: .*prediction, target"):
        flattened_by(lambda x, y: x - y)


def test_a_textbook_word_that_would_help_is_named():
    @L.loss
    def squashed(prediction: Real, target: Real):
        error = prediction - target
        return abs(1 - tanh(error) ** 2)

    report = squashed.accuracy(size=SIZE)
    assert not report.good
    assert report.findings[0].help.startswith("write 1 / cosh(prediction - target)**2 for ")


def test_formulas_at_the_ends_of_the_exponential_take_seconds():
    """The oracle takes e to a huge integer at once; a slope may be one number at a setting."""

    @L.loss
    def survival(rate: Positive, time: Positive, *, shape: Positive = 1.5):
        return -log(1 - exp(-((rate * time) ** shape)))

    @L.loss
    def tilted(prediction: Real, target: Real, *, tilt: Real = 1.5):
        error = prediction - target
        return exp(tilt * error) - tilt * error - 1

    assert not survival.accuracy(size=40).good
    assert tilted.accuracy(size=40).good


def test_what_a_rounding_of_the_arguments_costs_is_told():
    """Such a loss is no worse than its arguments, and its reader sees where and by how much."""

    @L.loss
    def gaussian(mean: Real, log_scale: Real, target: Real):
        return log_scale + (target - mean) ** 2 / (2 * exp(log_scale) ** 2)

    report = gaussian.accuracy()
    assert report.good
    assert "a rounding of the arguments would cost as many digits" in str(report)
