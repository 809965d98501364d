"""Formulas as plain text: they mean what the engine computes, and read like a textbook."""

from __future__ import annotations

import math
import re

import mpmath
import numpy as np
import pytest

import expressions
import lossary as L
import samples
from lossary.calculus import derivative, diagonal, gradient
from lossary.formula import apply, variable, walk
from lossary.functions import exp, log, maximum, norm, pick, softmax, total, where
from lossary.notation import lines
from lossary.notation.letters import abbreviate
from lossary.notation.lines import read
from lossary.render.textbook import BEND, TOLD, textbook
from lossary.render.unicode import plain, symbol
from lossary.rewriting import substitute

X, Y, D = variable("prediction"), variable("target"), variable("delta")
Z, T = variable("logits", class_axis=True), variable("label")


# What they mean.


def softmax_of(x):
    mass = np.exp(x - x.max(-1, keepdims=True))
    return mass / mass.sum(-1, keepdims=True)


def sparsemax_of(x):
    """By bisection of the threshold."""
    low, high = x.max(-1, keepdims=True) - 1, x.max(-1, keepdims=True)
    for _ in range(200):
        middle = (low + high) / 2
        enough = np.maximum(x - middle, 0).sum(-1, keepdims=True) > 1
        low, high = np.where(enough, middle, low), np.where(enough, high, middle)
    return np.maximum(x - low, 0)


def entmax_root_of(x):
    """By bisection of the threshold."""
    half = x / 2
    low, high = half.max(-1, keepdims=True) - 1, half.max(-1, keepdims=True)
    for _ in range(200):
        middle = (low + high) / 2
        enough = (np.maximum(half - middle, 0) ** 2).sum(-1, keepdims=True) > 1
        low, high = np.where(enough, middle, low), np.where(enough, high, middle)
    return np.maximum(half - low, 0)


def tempered_normalizer_of(x, t):
    """By bisection between the largest score, and what it is if all are as large."""
    low, alike = x.max(-1, keepdims=True), x.shape[-1] ** (t - 1) - 1
    high = low + np.where(t == 1, np.log(x.shape[-1]), alike / np.where(t == 1, 1, t - 1))
    for _ in range(200):
        middle = (low + high) / 2
        enough = tempered_exp_of(x - middle, t).sum(-1, keepdims=True) > 1
        low, high = np.where(enough, middle, low), np.where(enough, high, middle)
    return low


def tempered_exp_of(x, t):
    base = np.maximum(1 + (1 - t) * x, 0)
    return np.where(t == 1, np.exp(x), base ** (1 / np.where(t == 1, 1, 1 - t)))


# The few functions that a textbook formula keeps, in NumPy as anybody would write them.
WORDS = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "log_sigmoid": lambda x: -np.log1p(np.exp(-x)),
    "cosh": np.cosh,
    "erf": lambda x: np.frompyfunc(math.erf, 1, 1)(x).astype(float),
    "lgamma": lambda x: np.frompyfunc(math.lgamma, 1, 1)(x).astype(float),
    "digamma": lambda x: np.frompyfunc(lambda v: float(mpmath.digamma(v)), 1, 1)(x).astype(float),
    "trigamma": lambda x: np.frompyfunc(lambda v: float(mpmath.psi(1, v)), 1, 1)(x).astype(float),
    "i0e": lambda x: np.frompyfunc(
        lambda v: float(mpmath.besseli(0, v) * mpmath.exp(-abs(v))), 1, 1
    )(x).astype(float),
    "i1e": lambda x: np.frompyfunc(
        lambda v: float(mpmath.besseli(1, v) * mpmath.exp(-abs(v))), 1, 1
    )(x).astype(float),
    "betainc": lambda a, b, x: np.frompyfunc(
        lambda a, b, x: float(mpmath.betainc(a, b, 0, x, regularized=True)), 3, 1
    )(a, b, x).astype(float),
    "gammainc": lambda a, x: np.frompyfunc(
        lambda a, x: float(mpmath.gammainc(a, 0, x, regularized=True)), 2, 1
    )(a, x).astype(float),
    "gammaincc": lambda a, x: np.frompyfunc(
        lambda a, x: float(mpmath.gammainc(a, x, regularized=True)), 2, 1
    )(a, x).astype(float),
    "ndtr": lambda x: np.frompyfunc(math.erfc, 1, 1)(-x / np.sqrt(2)).astype(float) / 2,
    "rank": lambda x: 1.0 + np.argsort(np.argsort(-x, axis=-1, kind="stable"), axis=-1),
    "softmax": softmax_of,
    "log_softmax": lambda x: np.log(softmax_of(x)),
    "atan": np.arctan,
    "acos": np.arccos,
    "sparsemax": sparsemax_of,
    "entmax_root": entmax_root_of,
    "tempered_normalizer": tempered_normalizer_of,
    "tempered_softmax": lambda x, t: tempered_exp_of(x - tempered_normalizer_of(x, t), t),
    "norm": lambda x: np.linalg.norm(x, axis=-1, keepdims=True),
    "cosine": lambda x, y: (
        (x * y).sum(-1, keepdims=True)
        / (np.linalg.norm(x, axis=-1, keepdims=True) * np.linalg.norm(y, axis=-1, keepdims=True))
    ),
}


def evaluate(expression, values, classes, first=None):
    """Compute a textbook formula node by node; ``first`` is what told derivatives are by."""
    table = expressions.FLOATS | WORDS
    done = {}
    for node in walk(expression):
        operands = expressions.laid_out(node, [done[a] for a in node.arguments])
        if node.operator == "variable":
            done[node] = values[node.payload]
        elif node.operator in expressions.PAIRS:
            done[node] = expressions.of_pairs(node, operands[0], classes)
        elif node.operator == "constant":
            done[node] = np.asarray(node.payload)[..., None]
        elif node.operator == "class_index":
            done[node] = np.arange(classes)
        elif node.operator == "class_count":
            done[node] = np.asarray([classes])
        elif node.operator in TOLD:
            slope = gradient(node.arguments[0], first)
            wanted = diagonal(derivative(slope, first)) if node.operator == BEND else slope
            done[node] = evaluate(textbook(wanted), values, classes)
        else:
            done[node] = table[node.operator](*operands)
    return done[expression]


def first_of(loss, data):
    return data[loss.inputs[0].name]


def some_of(loss, first):
    """Numbers for the parameters that may be absent: readers see the formula that has them."""
    each = np.linspace(0.2, 0.9, first.shape[-1])
    return {a.name: each if a.domain.class_axis else 0.25 for a in loss.parameters if a.optional}


@samples.each_loss
def test_textbook_formulas_mean_what_the_engine_computes(loss):
    rng = np.random.default_rng(7)
    data = dict(zip((a.name for a in loss.inputs), samples.arrays(loss, rng), strict=True))
    given = samples.parameters(loss, rng) | some_of(loss, first_of(loss, data))
    rows = {
        a.name: data[a.name]
        if a.domain.class_axis or not loss.class_axis
        else data[a.name][..., None]
        for a in loss.inputs
    }
    values = rows | {name: np.atleast_1d(number) for name, number in given.items()}
    first = data[loss.inputs[0].name]
    for formula, expected in (
        (loss.written.value, loss(**data, **given, reduction="none")),
        (loss.written.gradient, loss.gradient(**data, **given, reduction="sum")),
        (loss.written.hessian, loss.hessian(**data, **given, reduction="sum")),
    ):
        with np.errstate(
            divide="ignore", invalid="ignore"
        ):  # in the branch of a case that is not taken
            by = loss.variable(loss.inputs[0].name)
            found = np.asarray(evaluate(textbook(formula), values, first.shape[-1], by))
        if loss.class_axis and np.ndim(expected) < first.ndim:
            found = found[..., 0]
        np.testing.assert_allclose(
            np.broadcast_to(found, np.shape(expected)), expected, rtol=1e-8, atol=1e-10
        )


@samples.each_loss
def test_letters_stand_for_what_they_replace(loss, monkeypatch):
    """With every letter put back, the abbreviated formula is the formula."""
    named = {}

    def recorded(expression, replacements):
        named.update(replacements)
        return substitute(expression, replacements)

    monkeypatch.setattr(lines, "substitute", recorded)
    roots = [loss.written.value, loss.written.gradient]
    formulas, letters = read(*roots)
    back = {letter: part for part, letter in named.items()}
    assert {str(letter.payload) for letter in back} >= {name[0] for name, _ in letters}
    for root, formula in zip(roots, formulas, strict=True):
        short = substitute(textbook(root), named)
        for _ in back:
            short = substitute(short, back)
        assert short is textbook(root)
        assert formula.lines


# How they look.


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ((X - Y) * (X - Y), "(ŷ - y)²"),
        ((X - Y) / 2 * (X - Y), "½ (ŷ - y)²"),
        ((X - Y) * (X - Y) / D, "(ŷ - y)²/δ"),
        (X / Y / D, "ŷ/(y δ)"),
        (X / (Y / D), "ŷ δ/y"),
        (1 / X / X, "1/ŷ²"),
        (X - (Y - D), "ŷ - y + δ"),
        (X - (Y + D), "ŷ - y - δ"),
        (X + -Y, "ŷ - y"),
        (-X + Y, "-ŷ + y"),
        (-(X + Y) * D, "-δ (ŷ + y)"),
        (X - 1 - 1, "ŷ - 2"),
        (2 * (X * 3), "6 ŷ"),
        (X**Y, "ŷ^y"),
        ((X + 1) ** (Y - 1), "(ŷ + 1)^(y - 1)"),
        ((-X) ** D, "(-ŷ)^δ"),
        (2 ** (X * Y), "2^(ŷ y)"),
        (exp(-X), "exp(-ŷ)"),
        (log(X) * log(X), "log(ŷ)²"),
        (maximum(1 - X * Y, 0), "max(1 - ŷ y, 0)"),
        (apply("less", 0, X), "ŷ > 0"),
        (apply("less_equal", X, 0), "ŷ ≤ 0"),
        (softmax(Z), "softmax(z)_c"),
        (pick(softmax(Z), T), "softmax(z)_t"),
        (-log(pick(Z, T)), "-log(z_t)"),
        (total(Z * Z), "Σ_j z_j²"),
        (Z - total(Z), "z_c - Σ_j z_j"),
        (total(Z) / 2 + 1, "½ (Σ_j z_j) + 1"),
        (total(Z * total(Z * Z)), "Σ_j z_j Σ_k z_k²"),
        (norm(Z - total(Z)), "‖z - Σ_j z_j‖"),
        (where(X < Y, X, Y), "[ŷ if ŷ < y; y]"),
        (1 - (1 - X), "ŷ"),
        (X * 0 + 0, "0 ŷ"),
    ],
)
def test_plain(expression, text):
    assert plain(expression) == text


@pytest.mark.parametrize(
    ("name", "value", "gradient"),
    [
        ("soft_margin", "log(1 + exp(-y s))", "-y (1 - σ(s y))"),
        (
            "binary_cross_entropy",
            "-(w₊ y log(p) + (1 - y) log(1 - p))",
            "p (1 - y) - w₊ y (1 - p)",
        ),
        ("focal", "-[α if y = 1; 1 - α] (1 - p_t)^γ log(p_t)", None),
        ("categorical_focal", "-(1 - p_t)^γ log(p_t)", None),
        ("soft_cross_entropy", "-Σ_j y_j log(softmax(z)_j)", "softmax(z)_c - y_c"),
        ("multi_label_soft_margin", None, "w_c (p_c - y_c)/C"),
        ("hinge", "max(0, 1 - y s)", "[-y if 1 - s y > 0; 0]"),
        ("log_cosh", "log(cosh(ŷ - y))", "tanh(ŷ - y)"),
        ("poisson", "exp(η) - y η", "exp(η) - y"),
        ("euclidean_distance", "‖ŷ - y‖", "(ŷ_c - y_c)/‖ŷ - y‖"),
        ("cosine_distance", "1 - (Σ_j ŷ_j y_j)/(‖ŷ‖ ‖y‖)", None),
        ("negative_log_likelihood", "-ℓ_t", "-[c = t]"),
        ("kl_divergence", "Σ_j y_j (log(y_j) - ℓ_j)", "-y_c"),
    ],
)  # fmt: skip
def test_formulas_of_textbooks(name, value, gradient):
    formulas, _ = L.catalogue[name].written.lettered
    assert value in {None, plain(formulas[0])}
    assert gradient in {None, plain(formulas[1])}


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("soft_cross_entropy", "softmax(z)_c (1 - softmax(z)_c)"),
        ("binary_cross_entropy", "p (1 + w₊ y - y) (1 - p)"),
        ("squared_hinge", "[2 if 1 - s y > 0; 0]"),
        ("generalized_cross_entropy_from_probabilities", "(1 - q) p_t^(q - 2) [c = t]"),
    ],
)
def test_second_derivatives_are_simplified(name, second):
    formulas, _ = L.catalogue[name].written.lettered
    assert plain(formulas[2]) == second


@samples.each_loss
def test_no_number_is_what_a_rounding_left(loss):
    """Of parts that cancel nothing is printed, though their numbers, 2 / sqrt(pi), are rounded."""
    for formula in (loss.latex, loss.gradient_latex, loss.hessian_latex):
        assert not re.search(r"10\^\{-?1[4-9]\}", formula)


LONG = {"bi_tempered"}
"""Losses whose second derivative is longer than 600 characters even with letters: a strict list."""


@samples.each_loss
def test_formulas_are_short_or_abbreviated(loss):
    """Of LaTeX, a value has 300 characters at most and a derivative 600, letters apart."""
    (value, gradient, hessian), named = loss.written.lettered
    texts, letters = abbreviate([value, gradient], [hessian], named=named)
    assert len(texts[0]) <= 300
    assert len(texts[1]) <= 600
    assert (len(texts[2]) > 600) == (loss.name in LONG)
    assert all(
        len(meaning) <= 310 or loss.name in {"entmax", "multi_margin", "normal_interval"}
        for _, meaning in letters
    )


def test_a_long_formula_has_letters_with_what_they_stand_for():
    """The second derivative had 20,012 characters; an IoU reads as its paper has it."""
    text = L.focal_efficient_iou.hessian_latex
    assert len(text) < 2500
    assert text.startswith(r"\begin{aligned} & ")
    assert r"\frac{\mathrm{common}}{\mathrm{union}} & \text{if } 0 < \mathrm{union}" in text
    assert r"\mathrm{union} &= \mathrm{area\ of\ prediction} + \mathrm{area\ of\ target}" in text
    assert r"\text{with } " in L.focal.latex
    assert "aligned" not in L.huber.latex


@samples.each_loss
def test_every_parameter_stands_in_the_formula(loss):
    used = {n.payload for n in walk(loss.written.value) if n.operator == "variable"}
    assert used >= {a.name for a in loss.arguments}


def test_cases_stand_below_each_other():
    (formula,), letters = read(where(X < 0, -X, where(X < 1, 0, X - 1)))
    assert letters == []
    assert formula.lines == ["⎧ -ŷ     if ŷ < 0", "⎨ 0      if ŷ < 1", "⎩ ŷ - 1  otherwise"]


def test_cases_within_cases_join_their_conditions():
    (formula,), _ = read(where(X < 0, where(Y < 0, 1, 2), 3))
    assert formula.lines == ["⎧ 1  if ŷ < 0 and y < 0", "⎨ 2  if ŷ < 0", "⎩ 3  otherwise"]


def test_letters_within_letters_are_told_too():
    p, h = variable("p"), variable("h")
    _, letters = read(log(p), named=[(h, X - Y), (p, exp(h))])
    assert [(name, *meaning.lines) for name, meaning in letters] == [
        ("h", "ŷ - y"),
        ("p", "exp(h)"),
    ]


def test_letters_avoid_those_of_the_arguments():
    u = variable("u")
    size = where(u < 0, -u, u)
    _, letters = read(exp(size) + size)
    assert [letter for letter, _ in letters] == ["v"]


@samples.each_loss
def test_no_function_is_left_unspelled(loss):
    """Every function of the catalogue has a notation; names with an underscore are not one."""
    text = " ".join(
        line
        for formula in read(loss.expression(loss.absent_by_default))[0]
        for line in formula.lines
    )
    assert not re.search(r"[a-z]{2,}_[a-z]{2,}", text)


@samples.each_loss
def test_help_says_the_formula_and_whose_letter_each_is(loss):
    said = loss.__doc__.split("\nOptions")[0]
    formula, _, arguments = said.partition("Formula\n")[2].partition("\nArguments\n")
    assert "\\" not in said  # no LaTeX
    (value, *_), named = loss.written.lettered
    (first, *_), letters = read(value, named=named)
    shown = [line.strip() for line in formula.splitlines()]
    assert shown[0] == first.lines[0].strip()
    assert all(any(line.startswith(letter) for line in shown) for letter, _ in letters)
    for argument, line in zip(loss.arguments, arguments.splitlines(), strict=True):
        assert line.split()[:2] == [argument.name, lines.letter(argument)]


def test_symbols():
    assert [symbol(n) for n in ("log_rate", "positives", "label_smoothing")] == ["η", "n₊", "ε"]
