"""Expressions as LaTeX, in the notation of the textbooks."""

from __future__ import annotations

import re
from functools import reduce
from math import pi
from operator import add

from lossary.formula import Expression
from lossary.identities.terms import SUMS
from lossary.render.textbook import (
    RANKED,
    among,
    comparisons,
    is_strict,
    meaning_of,
    of_member,
    of_pairs,
    summand,
    with_indices,
)
from lossary.rewriting import is_bracket, simplify

SYMBOLS = {
    "prediction": r"\hat y", "target": "y", "logit": "z", "logits": "z", "label": "t",
    "score": "s", "scores": "s", "sign": "y", "probability": "p", "probabilities": "p",
    "log_probabilities": r"\ell", "log_rate": r"\eta", "distance": "d", "first": "a",
    "second": "b", "anchor": "a", "positive": "p", "negative": "n", "delta": r"\delta",
    "beta": r"\beta", "gamma": r"\gamma", "alpha": r"\alpha", "quantile": "q", "margin": "m",
    "label_smoothing": r"\varepsilon", "positive_weight": "w_+", "positives": "n_+",
    "negatives": "n_-", "p": "p", "scale": "c", "class_index": "c", "class_count": "C",
    "class_weight": "w", "rate": r"\lambda", "mean": r"\mu", "variance": "v", "q": "q",
    "log_target": r"\tau", "smooth": "s", "epsilon": r"\varepsilon", "temperature": "T",
    "loss_temperature": "t_1", "tail_temperature": "t_2", "distances": "d", "momentum": "m",
    "reward": "R", "group": "g", "clip_low": r"\varepsilon_-", "clip_high": r"\varepsilon_+",
    "chosen": r"\ell_w", "rejected": r"\ell_l", "reference_chosen": r"\rho_w",
    "reference_rejected": r"\rho_l", "log_probability": r"\ell", "reference": r"\rho",
    "old_log_probability": r"\ell_0", "baseline": "z_0", "desirable": r"\lambda_+",
    "undesirable": r"\lambda_-", "advantage": "A", "clip": r"\varepsilon", "width": "w",
    "curvature": r"\varepsilon", "expectile": r"\tau", "log_mean": r"\eta", "power": "p",
    "dispersion": r"\alpha", "location": r"\mu", "lower": "l", "upper": "u", "log_zero": "A",
    "tau": r"\tau", "class_counts": "n", "margins": r"\Delta", "similarity": "s", "bias": "b",
    "mu": r"\mu", "levels": "y", "event": r"\delta", "logit_scale": "s", "ceiling": "t",
    "win_probability": r"\hat{P}", "eta": r"\eta", "similarities": "s", "roles": "r",
    "cosines": "x", "base": r"\lambda", "tilt": "a", "boundary": "b",
    "true_weight": "k", "height": "M", "positive_gamma": r"\gamma_{+}",
    "negative_gamma": r"\gamma_{-}", "shift": "m", "relevance": "y", "offset": r"\Delta",
    "log_hazard": r"\eta", "log_hazards": r"\eta", "time": "t", "times": "t",
    "events": r"\delta", "members": "x",
    "log_time": r"\ell", "embedding": "x", "center": r"\mu", "student_temperature": "T",
    "teacher_temperature": r"\tau", "quantiles": "q", "quantile_levels": r"\tau",
    "sharpness": r"\gamma", "shape": r"\alpha", "mitigation": "p", "compensation": "q",
    "degrees_of_freedom": r"\nu", "sensitivity_share": r"\lambda",
    "query": "q", "stratum": "s", "strata": "s", "region": "k",
    "correlations": "x", "covariances": "x", "feature": "x", "deviation": r"\gamma",
    "redundancy_weight": r"\lambda", "concentration": r"\kappa",
    "incidences": "f", "own_incidence": "F", "outlived": "A", "sigma": r"\sigma", "mean_size": "S",
    "draw": "x", "other_draw": "x'", "member": "x", "other_member": "x'", "other_target": "y'",
    "signals": "x", "data_range": "L", "k1": "K_1", "k2": "K_2",
}  # fmt: skip

ATOM, POWER, PREFIX, PRODUCT, SUM, COMPARE, LOGIC = 9, 8, 7, 6, 5, 4, 3

# Operator: how tightly it binds, its template, and what each argument's place demands.
TEMPLATES: dict[str, tuple[int, str, tuple[int, ...]]] = {
    "add": (SUM, "{0} + {1}", (SUM, SUM)),
    "subtract": (SUM, "{0} - {1}", (SUM, PRODUCT)),
    "multiply": (PRODUCT, r"{0} \, {1}", (PRODUCT, PRODUCT)),
    "divide": (ATOM, r"\frac{{{0}}}{{{1}}}", (0, 0)),
    "negative": (SUM, "-{0}", (PRODUCT,)),
    "power": (POWER, "{{{0}}}^{{{1}}}", (ATOM, 0)),
    "absolute": (ATOM, r"\left|{0}\right|", (0,)),
    "sign": (ATOM, r"\operatorname{{sgn}}\left({0}\right)", (0,)),
    "floor": (ATOM, r"\left\lfloor {0} \right\rfloor", (0,)),
    "sqrt": (ATOM, r"\sqrt{{{0}}}", (0,)),
    "exp": (POWER, "e^{{{0}}}", (0,)),
    "log": (PREFIX, r"\log {0}", (POWER,)),
    "tanh": (PREFIX, r"\tanh\left({0}\right)", (0,)),
    "sin": (PREFIX, r"\sin\left({0}\right)", (0,)),
    "cos": (PREFIX, r"\cos\left({0}\right)", (0,)),
    "maximum": (ATOM, r"\max\left({0},\, {1}\right)", (0, 0)),
    "minimum": (ATOM, r"\min\left({0},\, {1}\right)", (0, 0)),
    "less": (COMPARE, "{0} < {1}", (SUM, SUM)),
    "less_equal": (COMPARE, r"{0} \le {1}", (SUM, SUM)),
    "equal": (COMPARE, "{0} = {1}", (SUM, SUM)),
    "logical_and": (LOGIC, r"{0} \wedge {1}", (COMPARE, COMPARE)),
    "logical_or": (LOGIC, r"{0} \vee {1}", (COMPARE, COMPARE)),
    "logical_not": (PREFIX, r"\neg {0}", (ATOM,)),
    "held": (ATOM, r"\operatorname{{held}}\left({0}\right)", (0,)),
    "weighted": (PRODUCT, r"{0} \, {1}", (PRODUCT, PRODUCT)),
    "total": (PREFIX, r"\sum_c {0}", (PRODUCT,)),
    "peak": (PREFIX, r"\max_c {0}", (PRODUCT,)),
    "argpeak": (PREFIX, r"\operatorname{{argmax}}_c {0}", (PRODUCT,)),
    "pick": (ATOM, "{{{0}}}_{{{1}}}", (ATOM, 0)),
    "slope": (PREFIX, r"\partial_c {0}", (POWER,)),
    "bend": (PREFIX, r"\partial_c^2 {0}", (POWER,)),
    "class_index": (ATOM, "c", ()),
    "class_count": (ATOM, "C", ()),
}

# Functions that textbooks have a sign for; of all others a reader sees what they mean.
WORDS: dict[str, tuple[int, str, tuple[int, ...]]] = {
    "sigmoid": (ATOM, r"\sigma\left({0}\right)", (0,)),
    "log_sigmoid": (PREFIX, r"\log\sigma\left({0}\right)", (0,)),
    "softmax": (ATOM, r"\operatorname{{softmax}}\left({0}\right)", (0,)),
    "log_softmax": (ATOM, r"\log\operatorname{{softmax}}\left({0}\right)", (0,)),
    "entmax_root": (ATOM, r"\sqrt{{\operatorname{{entmax}}\left({0}\right)}}", (0,)),
    "tempered_softmax": (ATOM, r"\operatorname{{softmax}}_{{{1}}}\left({0}\right)", (0, 0)),
    "tempered_normalizer": (ATOM, r"\lambda_{{{1}}}\left({0}\right)", (0, 0)),
    "sparsemax": (ATOM, r"\operatorname{{sparsemax}}\left({0}\right)", (0,)),
    "rank": (ATOM, r"\operatorname{{rank}}\left({0}\right)", (0,)),
    "cosh": (PREFIX, r"\cosh\left({0}\right)", (0,)),
    "asinh": (PREFIX, r"\operatorname{{arsinh}}\left({0}\right)", (0,)),
    "sinh": (PREFIX, r"\sinh\left({0}\right)", (0,)),
    "lgamma": (PREFIX, r"\log\Gamma\left({0}\right)", (0,)),
    "digamma": (PREFIX, r"\psi\left({0}\right)", (0,)),
    "trigamma": (PREFIX, r"\psi'\left({0}\right)", (0,)),
    "erf": (PREFIX, r"\operatorname{{erf}}\left({0}\right)", (0,)),
    "erfc": (PREFIX, r"\operatorname{{erfc}}\left({0}\right)", (0,)),
    "ndtr": (PREFIX, r"\Phi\left({0}\right)", (0,)),
    "log_ndtr": (PREFIX, r"\log\Phi\left({0}\right)", (0,)),
    "i0e": (PRODUCT, r"e^{{-\left|{0}\right|}} \, I_0\left({0}\right)", (0,)),
    "i1e": (PRODUCT, r"e^{{-\left|{0}\right|}} \, I_1\left({0}\right)", (0,)),
    "gammainc": (PREFIX, r"P\left({0},\, {1}\right)", (0, 0)),
    "betainc": (PREFIX, r"I_{{{2}}}\left({0},\, {1}\right)", (0, 0, 0)),
    "gammaincc": (PREFIX, r"Q\left({0},\, {1}\right)", (0, 0)),
    "atan": (PREFIX, r"\arctan\left({0}\right)", (0,)),
    "acos": (PREFIX, r"\arccos\left({0}\right)", (0,)),
    "norm": (ATOM, r"\left\lVert {0} \right\rVert", (0,)),
    "cosine": (ATOM, r"\cos\left({0},\, {1}\right)", (0, 0)),
}


_OVER = frozenset({"total", "peak", "argpeak"})
"""What goes over an axis: c in classes, u in positions."""


def latex(expression: Expression) -> str:
    """Return the formula in LaTeX, without delimiters."""
    if expression.paired:
        expression = with_indices(expression, _own_index(expression), "j")
    text = _BRACED.sub(r"\1", _printed(expression, 0))
    return _INDEXED.sub(r"\1", _INDEX.sub(r"_\1", text))


# A letter with an index or an exponent needs no braces, nor does an index that is a letter.
_BRACED = re.compile(r"(?<![\\A-Za-z_^}])\{([A-Za-z])\}(?=[_^])")
_INDEX = re.compile(r"_\{([A-Za-z])\}")
_INDEXED = re.compile(r"(?<![\\A-Za-z_^}])\{([A-Za-z]_[A-Za-z])\}(?=\^)")


def _printed(node: Expression, binding: int) -> str:
    tightness, text = _spell(node)
    return rf"\left({text}\right)" if tightness < binding else text


def _spell(node: Expression) -> tuple[int, str]:
    if node.operator == "variable":
        return ATOM, _letter(str(node.payload))
    if node.operator == "constant":
        return _number(float(node.payload or 0))
    if is_bracket(node):
        return ATOM, rf"\left[{_printed(node.arguments[0], 0)}\right]"
    if node.operator == "where":
        return _cases(node)
    if node.operator == "logical_not" and node.arguments[0].operator == "equal":
        return COMPARE, r" \ne ".join(_printed(a, SUM) for a in node.arguments[0].arguments)
    if node.operator == "multiply" and (fraction := _over(node)):
        return fraction
    if node.operator == "multiply" and node.arguments[0].operator == "negative":
        return SUM, f"-{_printed(node.arguments[0].arguments[0] * node.arguments[1], PRODUCT)}"
    if node.operator in SUMS:  # a sum whose rounding only the machine needs to know
        return _spell(simplify(reduce(add, node.arguments)))
    if node.operator in RANKED:
        return _ranked(node)
    if node.operator == "total_of_others":
        return _of_others(node)
    meaning = meaning_of(node.operator, node.arguments)
    if meaning is not None:
        return _spell(meaning)
    known = TEMPLATES.get(node.operator) or WORDS[node.operator]
    tightness, template, places = known
    letter = "c"
    if node.operator in _OVER and "positions" in node.arguments[0].axes:
        letter, template = "u", template.replace("_c", "_u")
    if some := among(node):
        which = _printed(some[0], 0).replace("{", "{{").replace("}", "}}")
        template = template.replace(f"_{letter}", rf"_{{{{{letter} :\; {which}}}}}", 1)
        return tightness, template.format(_printed(some[1], *places))
    texts = [_printed(a, place) for a, place in zip(node.arguments, places, strict=True)]
    return tightness, template.format(*texts)


_COMPARED = {">=": r"\ge", "<=": r"\le"}
_BESIDE = {"": "", "others": r",\, j \ne {0}", "before": r",\, j < {0}"}


def _ranked(node: Expression) -> tuple[int, str]:
    """Print a sum along an order, with the comparison of keys below the sign."""
    _, beside = RANKED[node.operator]
    own = _own_index(node)
    told = r",\, ".join(
        f"{_at(key, 'j')} {_COMPARED.get(sign, sign)} {_at(key, own)}"
        for key, sign in comparisons(node)
    )
    below = rf"j :\, {told}{_BESIDE[beside].format(own)}"
    word = r"\max" if node.operator == "peak_from" else r"\sum"
    text = rf"{word}_{{{below}}} {_printed(of_member(summand(node), 'j'), PRODUCT)}"
    if node.operator.endswith("_exp"):
        return PRODUCT, rf"e^{{{_printed(-node.arguments[2], 0)}}} \, {text}"
    return PREFIX, text


def _of_others(node: Expression) -> tuple[int, str]:
    """Print a sum over the other members of pairs."""
    own = _own_index(node)
    condition, body = of_pairs(node, own, "j")
    which = rf"j \ne {own}"
    if condition is not None:
        told = _printed(condition, 0)
        which = rf"j :\, {told}" + ("" if is_strict(condition) else rf",\, {which}")
    return PREFIX, rf"\sum_{{{which}}} {_printed(body, PRODUCT)}"


def _own_index(node: Expression) -> str:
    return "u" if "positions" in node.axes else "c"


def _at(key: Expression, place: str) -> str:
    """Print the key of a member."""
    return place if key.operator == "class_index" else f"{{{_printed(key, ATOM)}}}_{place}"


def _letter(name: str) -> str:
    if re.fullmatch(r"[A-Za-z](_[a-z0-9])?", name):  # that of an author
        return SYMBOLS.get(name, name)
    words = name.replace("_", r"\ ")  # a plain space is none in a formula
    return SYMBOLS.get(name, rf"\mathrm{{{words}}}")


def _number(value: float) -> tuple[int, str]:
    if value in {float("inf"), float("-inf")}:
        return SUM, r"\infty" if value > 0 else r"-\infty"
    if value == pi:
        return ATOM, r"\pi"
    if value == 0.5:
        return ATOM, r"\tfrac12"
    digits, power, exponent = f"{value:g}".partition("e")
    if power:
        ten = f"10^{{{int(exponent)}}}"
        return (POWER, ten) if digits == "1" else (PRODUCT, rf"{digits} \cdot {ten}")
    return (ATOM if value >= 0 else SUM), digits


def _over(node: Expression) -> tuple[int, str] | None:
    """Print a x as a square when both factors are one expression."""
    x, y = node.arguments
    if x is y:
        return POWER, f"{{{_printed(x, ATOM)}}}^2"
    halves = x.operator == "multiply" and x.arguments[1] is y
    if halves and x.arguments[0].operator == "constant":
        return PRODUCT, rf"{_printed(x.arguments[0], PRODUCT)} {{{_printed(y, ATOM)}}}^2"
    return None


def _cases(node: Expression) -> tuple[int, str]:
    """Print nested choices as one list of cases."""
    rows = []
    while node.operator == "where" and not is_bracket(node):
        condition, value, node = node.arguments
        rows.append(rf"{_printed(value, 0)} & \text{{if }} {_printed(condition, 0)}")
    rows.append(rf"{_printed(node, 0)} & \text{{otherwise}}")
    return ATOM, r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"
