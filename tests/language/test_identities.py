"""Identities: each is true by itself, and published forms lower to what the catalogue computes."""

import math
import random
import tomllib
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lossary as L
from expressions import EXACT, exact, exactly, interpret
from lossary import functions, identities
from lossary.accuracy.measure import errors
from lossary.accuracy.samples import SUBNORMAL
from lossary.accuracy.truth import truths
from lossary.domain import (
    Binary,
    Embedding,
    Label,
    NonNegative,
    OpenUnit,
    Positive,
    Real,
    Scores,
    Sign,
    Simplex,
    Unit,
    others,
    pairs,
)
from lossary.formula import constant, trace, variable, walk
from lossary.functions import (
    acos,
    cosine,
    exp,
    is_class,
    log,
    pi,
    pick,
    sigmoid,
    softmax,
    sqrt,
    total,
    where,
)
from lossary.identities.normal import Normal
from lossary.rewriting import simplify, substitute

TABLE = identities.table()
WORDS: dict[str, Any] = vars(functions) | {"inf": math.inf, "others": others, "pairs": pairs}


# ------------------------------------------------------------------------------- published forms


def published():
    """Each form with its loss and the settings that it is published for."""
    with (Path(__file__).parents[1] / "published.toml").open("rb") as file:
        text = tomllib.load(file)
    for name, entry in text.items():
        yield from ((name, form, entry.get("given", {})) for form in entry["forms"])
        for part in entry.values():
            if isinstance(part, dict) and "forms" in part:
                yield from ((name, form, part.get("given", {})) for form in part["forms"])


FORMS = list(published())


def written(form, arguments):
    """A function of the arguments that returns the form, as an author would write it."""
    *lines, last = form.split("; ")
    body = "".join(f"    {line}\n" for line in [*lines, f"return {last}"])
    space = dict(WORDS)
    exec(f"def form({', '.join(arguments)}):\n{body}", space)
    return space["form"]


def lowered(loss, form):
    """What a form of a loss is computed by."""
    names = tuple(loss.domains)
    symbols = {name: loss.variable(name) for name in names}
    return loss.lowered(trace(written(form, names), symbols))


@pytest.mark.parametrize(("name", "form", "given"), FORMS, ids=str)
def test_a_published_form_lowers_to_what_the_catalogue_computes(name, form, given):
    loss = L.catalogue[name]
    absent = frozenset(p for p in loss.absent_by_default if p not in form)
    fixed = {loss.variable(n): constant(v) for n, v in given.items()}
    pair = lowered(loss, form), loss.expression(absent)
    if loss.computed:  # by hand, and proved equal to the meaning: the form is what is meant
        pair = (identities.stable(e, loss.sets) for e in (pair[0], loss.lowered(loss.meaning())))
    theirs, ours = (simplify(substitute(e, fixed)) for e in pair)
    assert theirs is ours, f"{theirs}\n{ours}"


def test_there_are_forms_of_every_loss():
    assert {name for name, *_ in FORMS} == set(L.catalogue)
    assert len(FORMS) >= 90


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_table_does_not_matter(seed, monkeypatch):
    shuffled = list(TABLE)
    random.Random(seed).shuffle(shuffled)
    before = [lowered(L.catalogue[name], form) for name, form, _ in FORMS[::4]]
    monkeypatch.setattr(identities, "table", lambda: tuple(shuffled))
    assert all(
        lowered(L.catalogue[name], form) is b
        for (name, form, _), b in zip(FORMS[::4], before, strict=True)
    )


# ----------------------------------------------------------------------------- each by itself

# Numbers for the symbols of an identity; those for which its left side is no real number are left
# out. Probabilities are above 0, rows sum to 1 where they stand for a distribution.
NUMBERS = (0.5, 2.0, 1e-9, 0.03, 3.7, -0.75, -40.0, 60.0, 1e-30)
SHARES = (0.5, 0.03, 1e-9, 1 - 2.0**-40)
ROWS = ((0.3, -1.25, 0.75, 0.1), (2.5, 0.5, -30.0, 1.5), (1e-9, 40.0, -3.0, 0.25))
DISTRIBUTIONS = ((0.125, 0.5, 0.25, 0.125), (0.5, 0.25, 2.0**-30, 0.25 - 2.0**-30))
LABELS = (0.0, 2.0)
CHOICES = ((0.0, 1.0, 1.0, 0.0), (1.0,) * 4, (0.0,) * 4)


def values_of(rule, name):
    """The numbers that a symbol stands for."""
    sets = rule.sets.get(name, frozenset())
    if name.isupper() and "Binaries" in sets:
        return CHOICES
    if name.isupper():
        return DISTRIBUTIONS if sets or name in {"P", "Q", "T"} else ROWS
    if name == "k":
        return LABELS
    if "Binary" in sets:
        return (0.0, 1.0)
    if "Count" in sets:
        return (0.0, 1.0, 7.0)
    if sets & {"Unit", "OpenUnit"}:
        return SHARES
    return tuple(map(abs, NUMBERS)) if sets & {"Positive", "NonNegative"} else NUMBERS


def points_of(rule):
    """Symbols with numbers, at most some hundred of them."""
    names = list(rule.symbols)
    found = list(product(*(values_of(rule, name) for name in names)))
    random.Random(1).shuffle(found)
    for point in found[:150]:
        yield {
            f"?{n}": exactly(np.array([x if n.isupper() else [x]])) if n != "k" else np.array([[x]])
            for n, x in zip(names, point, strict=True)
        }


def value(expression, point):
    """The meaning at a point in so many digits that no cancellation is felt; None for no number."""
    try:
        with np.errstate(all="ignore"):
            found = interpret(expression, point | {"wide": np.zeros((1, 4))}, EXACT)
        numbers = [exact.mpf(x) for x in np.broadcast_to(found, (1, 4)).ravel()]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return numbers if all(map(exact.isfinite, numbers)) else None


DIGITS = {"sum of the other scaled exponentials": 3200}
"""Where e^3600 stands beside what is compared."""


def check_identity(name):
    (rule,) = (pair for pair in identities.table() if pair.name == name)
    seen = 0
    with exact.workdps(DIGITS.get(name, 400)):
        for point in points_of(rule):
            left = value(rule.left, point)
            if left is None:
                continue
            seen += 1
            right = value(rule.right, point)
            assert right is not None, f"{rule.name} at {point}"
            for a, b in zip(left, right, strict=True):
                assert abs(a - b) <= exact.mpf(10) ** -50 * abs(a) + exact.mpf(10) ** -300, (
                    rule.name
                )
    assert seen, f"{rule.name}: no point lies in the domain"


@pytest.mark.parametrize("rule", TABLE, ids=lambda rule: rule.name)
def test_both_sides_mean_the_same(rule):
    check_identity(rule.name)


@pytest.mark.parametrize("rule", TABLE, ids=lambda rule: rule.name)
def test_each_is_found_whichever_others_there_are(rule):
    """No other identity takes the left side to something else: then the order would matter."""
    sets = {f"?{name}": min(of) for name, of in rule.sets.items()}
    normal = Normal(TABLE, sets)
    assert normal(rule.left) is normal(rule.right)


# Numbers that are exact as they are: what is compared has fifty digits.
STEEP = ["exp", "expm1", "cosh", "sinh", "sigmoid", "softplus", "tanh", "ndtr"]
BENT = {
    "log": log,
    "log1p": functions.log1p,
    "log of a multiple": lambda e: log(3 * e),
    "log beside 1": lambda e: log(1 + e),
    "log beside a multiple": lambda e: log(1 + e / 2),
    "log of a square": lambda e: log(e**2 / 8),
    "log of an inverse": lambda e: log(2 / e),
    "log of a ratio": lambda e: functions.log_ratio(e, constant(0.25)),
    "softplus": functions.softplus,
}


@pytest.mark.parametrize("outer", BENT)
@pytest.mark.parametrize("inner", STEEP)
def test_what_is_computed_of_a_function_of_a_function_means_the_same(outer, inner):
    """Whatever logarithms are taken apart into."""
    x = variable("x")
    written = BENT[outer](WORDS[inner](x))
    computed, seen = Normal(TABLE, {"x": "Real"})(written), 0
    with exact.workdps(400):
        for number in (0.3, -0.3, 2.0, -2.0, 40.0, -40.0):
            point = {"x": exactly(np.array([[number]]))}
            meant = value(written, point)
            if meant is None or not meant[0]:
                continue
            seen += 1
            found = value(computed, point)
            assert found is not None
            assert abs(found[0] - meant[0]) <= exact.mpf(10) ** -50 * abs(meant[0])
    assert seen


def test_names_are_unique():
    assert len({rule.name for rule in TABLE}) == len(TABLE)


# ----------------------------------------------------------------- what users write themselves


def user_losses():
    """Losses that are not in the catalogue, as their papers have them."""

    @L.loss(source="Bradley and Terry 1952, doi:10.2307/2334029")
    def bradley_terry(chosen: Real, rejected: Real):
        return -log(sigmoid(chosen - rejected))

    @L.loss(source="Rafailov et al. 2023, arXiv:2305.18290, eq. 7")
    def preference(
        chosen: Real,
        rejected: Real,
        chosen_reference: Real,
        rejected_reference: Real,
        *,
        beta: Positive = 0.1,
    ):
        gain = (chosen - chosen_reference) - (rejected - rejected_reference)
        return -log(sigmoid(beta * gain))

    @L.loss(source="Maechler 2012")
    def complement(hazard: Positive, ignored: Real):
        return -log(1 - exp(-hazard)) + 0 * ignored

    @L.loss(source="Charbonnier et al. 1994, doi:10.1109/ICIP.1994.413553")
    def charbonnier(prediction: Real, target: Real, *, width: Positive = 1e-3):
        return sqrt((prediction - target) ** 2 + width**2) - width

    @L.loss(source="Hartley and Zisserman 2003, app. 6.8")
    def pseudo_huber(prediction: Real, target: Real, *, delta: Positive = 1.0):
        return delta**2 * (sqrt(1 + ((prediction - target) / delta) ** 2) - 1)

    @L.loss(source="Student 1908, without constants")
    def student(prediction: Real, target: Real, *, freedom: Positive = 3.0):
        return (freedom + 1) / 2 * log(1 + (prediction - target) ** 2 / freedom)

    @L.loss(source="logistic log-likelihood")
    def logistic(prediction: Real, target: Real, *, scale: Positive = 1.0):
        z = (target - prediction) / scale
        return z + log(scale) + 2 * log(1 + exp(-z))

    @L.loss(source="van den Oord et al. 2018, arXiv:1807.03748, eq. 4: similarities of one query")
    def info_nce(similarities: Scores, positive: Label):
        return -log(exp(pick(similarities, positive)) / total(exp(similarities)))

    @L.loss(source="Rennie and Srebro 2005")
    def smoothed_hinge(score: Real, sign: Sign):
        z = sign * score
        return where(z <= 0, 0.5 - z, where(z < 1, (1 - z) ** 2 / 2, 0))

    @L.loss(source="Wang et al. 2018, arXiv:1801.09414, eq. 4")
    def cosine_margin(
        cosines: Scores, label: Label, *, scale: Positive = 64.0, margin: NonNegative = 0.35
    ):
        return -log(pick(softmax(scale * (cosines - where(is_class(label), margin, 0))), label))

    @L.loss(source="Hong et al. 2024, arXiv:2403.07691, eq. 6")
    def odds_ratio(chosen: Positive, rejected: Positive):
        log_odds = [-nll - log(1 - exp(-nll)) for nll in (chosen, rejected)]
        return -log(sigmoid(log_odds[0] - log_odds[1]))

    @L.loss(source="Nix and Weigend 1994")
    def gaussian_by_log_scale(mean: Real, log_scale: Real, target: Real):
        return log_scale + (target - mean) ** 2 / (2 * exp(log_scale) ** 2)

    @L.loss(source="Pearson 1894")
    def mixture_of_normals(prediction: Real, target: Real, *, share: OpenUnit = 0.3):
        r = prediction - target
        return -log(share * exp(-(r**2) / 2) + (1 - share) * exp(-(r**2) / 200) / 10)

    return locals().values()


def losses_that_fall_short():
    """Losses of which some digits are lost in float64, each with the place that loses them."""

    @L.loss(source="Weibull 1951: log-likelihood of a log-time; the difference is rounded")
    def weibull(log_time: Real, log_scale: Real, *, shape: Positive = 1.5):
        z = shape * (log_time - log_scale)
        return exp(z) - z - log(shape)

    @L.loss(source="Kendall and Gal 2017, arXiv:1703.04977; a sum that can be near 0")
    def softplus_gaussian(raw: Real, prediction: Real, target: Real):
        deviation = log(1 + exp(raw))
        return log(deviation) + ((target - prediction) / deviation) ** 2 / 2

    @L.loss(source="Shannon 1948: its gradient is a difference of an entropy and a logarithm")
    def entropy(logits: Scores):
        p = softmax(logits)
        return -total(p * log(p))

    @L.loss(source="Tsallis 1988; near a corner of the simplex all digits are lost")
    def tsallis(probabilities: Simplex, *, q: Positive = 1.5):
        return (1 - total(probabilities**q)) / (q - 1)

    @L.loss(source="Hellinger 1909; where two rows agree, what rounding left of 1 is all there is")
    def hellinger(probabilities: Simplex, target: Simplex):
        return sqrt(1 - total(sqrt(probabilities * target)))

    @L.loss(source="Bhattacharyya 1943; as above")
    def bhattacharyya(probabilities: Simplex, target: Simplex):
        return -log(total(sqrt(probabilities * target)))

    @L.loss(source="Rayleigh 1842, the complementary log-log link: exp of an exponential")
    def complementary_log_log(score: Real, target: Binary):
        p = 1 - exp(-exp(score))
        return -(target * log(p) + (1 - target) * log(1 - p))

    @L.loss(source="Kullback and Leibler 1951: as written infinite for large log-odds")
    def divergence_of_log_odds(logit: Real, target: Real):
        p, q = sigmoid(logit), sigmoid(target)
        return p * log(p / q) + (1 - p) * log((1 - p) / (1 - q))

    @L.loss(source="Bishop 1994, mixture density networks: a logarithm of two sums is rounded")
    def mixture_of_three(x: Real, y: Real, z: Real):
        return -log(0.2 * exp(x) + 0.5 * exp(y) + 0.3 * exp(z))

    @L.loss(source="Fisher-Rao distance, Rao 1945; as for Hellinger's distance")
    def geodesic(probabilities: Simplex, target: Simplex):
        return 2 * acos(total(sqrt(probabilities * target)))

    @L.loss(source="Cer et al. 2018, arXiv:1803.11175; a gap between directions can be too small")
    def angle(embedding: Embedding, target: Embedding):
        return acos(cosine(embedding, target)) / pi

    @L.loss(source="Hinton et al. 2015, arXiv:1503.02531; differences of logits are rounded")
    def distillation(logits: Scores, teacher: Scores):
        p, q = softmax(teacher), softmax(logits)
        return total(p * log(p / q))

    return locals().values()


OWN = {loss.name: loss for loss in user_losses()}
SHORT = {loss.name: loss for loss in losses_that_fall_short()}


def worst(loss, dtype):
    parts = errors(loss, "numpy", dtype, truths(loss, dtype, 60))
    return max(p.errors.max() for p in parts if p.kind != SUBNORMAL and p.errors.size)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", OWN)
def test_a_formula_of_ones_own_is_exact(name, dtype):
    """Values and gradients within 4 ulp of what the formula means, also where its parts cancel."""
    assert worst(OWN[name], dtype) <= 4


@pytest.mark.parametrize("name", SHORT)
def test_a_formula_that_falls_short_still_does(name):
    """A strict list: one that comes within 4 ulp belongs to those that stay there."""
    assert worst(SHORT[name], "float64") > 4


@pytest.mark.parametrize("name", ["weibull", "entropy", "complementary_log_log"])
def test_the_tool_says_by_itself_what_falls_short(name):
    report = SHORT[name].accuracy()
    assert max(report.worst.values()) > 4
    assert "no digits are lost" not in str(report)
    assert report.findings or "a few units are lost, of the" in str(report)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", [*OWN, *SHORT])
def test_a_formula_of_ones_own_has_no_nan(name, dtype):
    loss, rng = (OWN | SHORT)[name], np.random.default_rng(5)
    data = [anywhere(argument.domain, dtype, rng) for argument in loss.inputs]
    value, gradient = loss.value_and_gradient(*data, reduction="none")
    assert not np.isnan(value).any()
    assert not np.isnan(gradient).any()


def anywhere(domain, dtype, rng, rows=5000, classes=4):
    """Numbers of every size that the dtype has."""
    if domain.name == "Label":
        return rng.integers(0, classes, rows)
    shape = (rows, classes) if domain.class_axis else (rows,)
    if domain.name in {"Binary", "Binaries"}:
        return rng.integers(0, 2, shape).astype(dtype)
    if domain.name == "Sign":
        return rng.choice([-1.0, 1.0], shape).astype(dtype)
    form = np.finfo(dtype)
    most = 1.0 if domain.name in {"Unit", "OpenUnit", "Cosine"} else form.max / 2
    size = 10.0 ** rng.uniform(np.log10(form.tiny), np.log10(most), shape)
    if domain.name == "Simplex":
        return (size / size.sum(-1, keepdims=True)).astype(dtype)
    if domain.name == "Count":
        return np.floor(np.minimum(size, 1e6)).astype(dtype)
    if domain.name in {"Unit", "NonNegative"}:
        size = np.where(rng.random(shape) < 0.1, 0, size)
    above = {"Positive", "NonNegative", "Unit", "OpenUnit"}
    signs = 1 if domain.name in above else rng.choice([-1, 1], shape)
    return (signs * size).astype(dtype)


EXTREMES = np.array([0.0, -0.0, 1e-300, -1e-300, 40.0, -40.0, 800.0, -800.0, 1e300, -1e300])


def test_textbook_cross_entropies_stay_finite():
    """The four that every course writes, at logits where their own arithmetic overflows."""

    @L.loss(source="Good 1952")
    def binary(logit: Real, target: Unit):
        p = 1 / (1 + exp(-logit))
        return -(target * log(p) + (1 - target) * log(1 - p))

    @L.loss(source="Lin et al. 2017")
    def fading(logit: Real, target: Binary, *, gamma: NonNegative = 2.0):
        p = 1 / (1 + exp(-logit))
        p_t = where(target == 1, p, 1 - p)
        return -((1 - p_t) ** gamma) * log(p_t)

    @L.loss(source="Bridle 1990")
    def multiclass(logits: Scores, label: Label):
        return -log(pick(exp(logits) / total(exp(logits)), label))

    for loss, peer in ((binary, L.binary_cross_entropy), (fading, L.focal)):
        for target in (0.0, 1.0):
            data = EXTREMES, np.full_like(EXTREMES, target)
            for found, known in zip(
                loss.value_and_gradient(*data, reduction="none"),
                peer.value_and_gradient(*data, reduction="none"),
                strict=True,
            ):
                assert np.isfinite(found).all()
                np.testing.assert_array_equal(found, known)
    rows = np.stack([EXTREMES, EXTREMES[::-1]], axis=-1)
    found = multiclass.value_and_gradient(rows, np.zeros(len(rows), int), reduction="none")
    assert all(np.isfinite(part).all() for part in found)


@pytest.mark.parametrize("names", [*permutations("abc")], ids="".join)
def test_the_sign_that_names_choose_does_not_matter(names):
    """Of |x - y| and |y - x| the normal form has one, by the names; a pattern has its own."""
    x, y, z = (variable(name, class_axis=True) for name in names)
    for detour in (
        functions.norm(x - z) + functions.norm(y - z) - functions.norm(x - y),
        functions.norm(z - x) - functions.norm(y - x) + functions.norm(y - z),
    ):
        found = {node.operator for node in walk(identities.stable(detour, {}))}
        assert "gromov_product" in found
