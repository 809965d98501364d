"""What to write instead, for an author who wrote what a formula cannot hold.

A formula is called once, with symbols. So Python's ``if``, and the functions of other libraries,
find a symbol where they want a number. The place in the source says what was meant.
"""

from __future__ import annotations

import ast
import difflib
import linecache
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from types import CodeType, FrameType, TracebackType

WORDS = (
    "absolute", "acos", "argpeak", "asinh", "atan", "betainc", "beyond", "class_count",
    "class_index", "cos", "cosh", "cosine", "cumulate", "digamma", "earlier_ties", "erf",
    "erfc", "exp", "expm1", "floor", "gammainc", "gammaincc", "held", "hypot", "i0e", "i1e",
    "is_class", "lgamma", "log", "log1mexp", "log1p", "log_ndtr", "log_sigmoid", "log_softmax",
    "logsumexp", "logsumexp_from", "maximum", "minimum", "ndtr", "next_above", "norm", "other",
    "peak", "pick", "rank", "sigmoid", "sign", "sin", "sinh", "softmax", "softplus", "sqrt",
    "tanh", "tied", "total", "trigamma", "unit", "where",
)  # fmt: skip
"""The functions that formulas are written in, as textbooks have them."""

# What stands for the functions of other libraries; {0}, {1} are their arguments.
_INSTEAD = {
    **{word: f"{word}({{0}})" for word in WORDS},
    **{
        word: f"{word}({{0}}, by=class_index())"
        for word in ("beyond", "cumulate", "earlier_ties", "logsumexp_from", "next_above", "tied")
    },
    **{word: f"{word}({{0}}, {{1}})" for word in ("cosine", "gammainc", "gammaincc")},
    "betainc": "betainc({0}, {1}, {2})",
    "abs": "abs({0})", "fabs": "abs({0})", "absolute": "abs({0})",
    "max": "maximum({0}, {1})", "min": "minimum({0}, {1})", "fmax": "maximum({0}, {1})",
    "fmin": "minimum({0}, {1})", "maximum": "maximum({0}, {1})", "minimum": "minimum({0}, {1})",
    "relu": "maximum({0}, 0)", "leaky_relu": "where({0} > 0, {0}, 0.01 * {0})",
    "clip": "minimum(maximum({0}, {1}), {2})", "clamp": "minimum(maximum({0}, {1}), {2})",
    "clip_by_value": "minimum(maximum({0}, {1}), {2})", "clamp_min": "maximum({0}, {1})",
    "clamp_max": "minimum({0}, {1})",
    "where": "where({0}, {1}, {2})", "select": "where({0}, {1}, {2})",
    "cond": "where({0}, {1}, {2})",
    "sum": "total({0})", "reduce_sum": "total({0})", "fsum": "total({0})",
    "mean": "total({0}) / class_count()", "reduce_mean": "total({0}) / class_count()",
    "average": "total({0}) / class_count()",
    "amax": "peak({0})", "reduce_max": "peak({0})", "amin": "-peak(-{0})",
    "reduce_min": "-peak(-{0})",
    "argmax": "argpeak({0})", "len": "class_count()", "size": "class_count()",
    "linalg_norm": "norm({0})", "vector_norm": "norm({0})", "normalize": "unit({0})",
    "l2_normalize": "unit({0})", "dot": "total({0} * {1})", "inner": "total({0} * {1})",
    "vdot": "total({0} * {1})", "matmul": "total({0} * {1})", "tensordot": "total({0} * {1})",
    "cosine_similarity": "cosine({0}, {1})", "hypot": "hypot({0}, {1})",
    "gather": "pick({0}, {1})", "take": "pick({0}, {1})", "take_along_axis": "pick({0}, {1})",
    "one_hot": "is_class({0})", "pick": "pick({0}, {1})", "stop_gradient": "held({0})",
    "square": "{0}**2", "pow": "{0}**{1}", "power": "{0}**{1}", "float_power": "{0}**{1}",
    "exp2": "2**{0}", "log2": "log({0}) / log(2)", "log10": "log({0}) / log(10)",
    "reciprocal": "1 / {0}", "rsqrt": "1 / sqrt({0})", "cbrt": "{0}**(1 / 3)", "neg": "-{0}",
    "negative": "-{0}", "add": "{0} + {1}", "sub": "{0} - {1}", "subtract": "{0} - {1}",
    "mul": "{0} * {1}", "multiply": "{0} * {1}", "div": "{0} / {1}", "divide": "{0} / {1}",
    "true_divide": "{0} / {1}", "greater": "{0} > {1}", "less": "{0} < {1}", "gt": "{0} > {1}",
    "lt": "{0} < {1}", "ge": "{0} >= {1}", "le": "{0} <= {1}", "eq": "{0} == {1}",
    "equal": "{0} == {1}", "logical_and": "{0} & {1}", "logical_or": "{0} | {1}",
    "logical_not": "~({0})", "expit": "sigmoid({0})", "logistic": "sigmoid({0})",
    "logit": "log({0} / (1 - {0}))", "logsigmoid": "log_sigmoid({0})",
    "log_expit": "log_sigmoid({0})",
    "log_cosh": "log(cosh({0}))", "logaddexp": "log(exp({0}) + exp({1}))",
    "logcosh": "log(cosh({0}))", "reduce_logsumexp": "logsumexp({0})", "xlogy": "{0} * log({1})",
    "xlog1py": "{0} * log1p({1})", "rel_entr": "{0} * log({0} / {1})", "sech": "1 / cosh({0})",
    "tan": "sin({0}) / cos({0})", "arctan": "atan({0})", "arccos": "acos({0})",
    "arcsinh": "asinh({0})", "acosh": "log({0} + sqrt({0}**2 - 1))",
    "gammaln": "lgamma({0})", "psi": "digamma({0})", "int": "floor({0})",
    "trunc": "sign({0}) * floor(abs({0}))",
    "round": "floor({0} + 0.5)", "ceil": "-floor(-{0})", "float": "{0}", "sgn": "sign({0})",
    "fmod": "{0} - {1} * floor({0} / {1})", "mod": "{0} - {1} * floor({0} / {1})",
    "remainder": "{0} - {1} * floor({0} / {1})", "zeros_like": "0", "ones_like": "1",
    "full_like": "{1}", "as_tensor": "{0}", "tensor": "{0}", "asarray": "{0}", "array": "{0}",
    "convert_to_tensor": "{0}", "nan_to_num": "{0}", "type": "{0}", "astype": "{0}", "cast": "{0}",
    "to": "{0}", "item": "{0}", "numpy": "{0}", "squeeze": "{0}", "reshape": "{0}", "view": "{0}",
    "flatten": "{0}", "ravel": "{0}", "unsqueeze": "{0}", "expand_dims": "{0}",
    "cumsum": "cumulate({0}, by=key)", "logcumsumexp": "logsumexp_from({0}, by=key)",
    "argsort": "cumulate({0}, by=key)", "any": "", "all": "", "sorted": "", "sort": "",
}  # fmt: skip

_GENERIC = ("x", "y", "z")


@dataclass(frozen=True)
class Place:
    """What was at work in the source: the piece of it, and the syntax around, innermost first."""

    filename: str
    line: int
    text: str
    around: tuple[ast.AST, ...]

    @classmethod
    def of_frame(cls, frame: FrameType) -> Place:
        """Return where a frame is."""
        return cls.of(frame.f_code, frame.f_lasti, frame.f_lineno)

    @classmethod
    def of_traceback(cls, trail: TracebackType) -> Place:
        """Return where a traceback ends."""
        return cls.of(trail.tb_frame.f_code, trail.tb_lasti, trail.tb_lineno)

    @classmethod
    def of(cls, code: CodeType, instruction: int, line: int) -> Place:
        """Return the place of an instruction; without its source only the line is known."""
        first, last, start, end = next(
            islice(code.co_positions(), instruction // 2, None), (None,) * 4
        )
        source = "".join(linecache.getlines(code.co_filename))
        if first is None or last is None or start is None or end is None or not source:
            return cls(code.co_filename, line, "", ())
        try:
            tree = ast.parse(source)
        except SyntaxError:  # the file was changed since
            return cls(code.co_filename, line, "", ())
        span = (first, start), (last, end)
        around = tuple(reversed([n for n in _walk(tree) if _covers(n, *span)]))
        text = ast.unparse(around[0]) if around and isinstance(around[0], ast.expr) else ""
        return cls(code.co_filename, line, text, around)

    @property
    def call(self) -> ast.Call | None:
        """The call of a function that is at work, if one is."""
        return next((n for n in self.around[:2] if isinstance(n, ast.Call)), None)

    @property
    def library(self) -> str:
        """The dotted name of the library's function that is called, if it is one."""
        function = self.call.func if self.call else None
        text = ast.unparse(function) if isinstance(function, ast.Attribute) else ""
        return text if re.fullmatch(r"[\w.]+", text) else ""

    def __str__(self) -> str:
        source = linecache.getline(self.filename, self.line).strip()
        return (
            f"{self.filename}:{self.line}: {source}\n"
            if source
            else f"{self.filename}:{self.line}: "
        )


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _walk(child)


def _covers(node: ast.AST, start: tuple[int, int], end: tuple[int, int]) -> bool:
    if not isinstance(node, (ast.expr, ast.stmt)):
        return False
    first = (node.lineno, node.col_offset)
    last = (node.end_lineno or node.lineno, node.end_col_offset or 0)
    return first <= start and end <= last


def for_call(place: Place | None, name: str = "", *, rows: bool = True) -> str:
    """Return what to write in place of a call of another library's function.

    ``name`` is that of the function, where the source does not say it; ``rows`` whether what it
    is called with has a class axis.
    """
    call = place.call if place else None
    arguments = _arguments(call) if call else {}
    name = name or (_called(call) if call else "")
    return _said(name, arguments, rows=rows) if name else "use the functions of lossary.functions"


def for_method(place: Place | None, name: str, *, rows: bool = True) -> str:
    """Return what to write in place of ``x.exp()``."""
    node, *outer = (place and place.around) or (None,)
    receiver = ast.unparse(node.value) if isinstance(node, ast.Attribute) else "x"
    call = outer[0] if outer and isinstance(outer[0], ast.Call) else None
    return _said(name, {"0": receiver, **_arguments(call, 1)}, rows=rows)


def _arguments(call: ast.Call | None, start: int = 0) -> dict[str, str]:
    """Return the arguments of a call by their places and names."""
    given = enumerate(call.args if call else (), start)
    placed = {str(i): ast.unparse(a) for i, a in given if not isinstance(a, ast.GeneratorExp)}
    return placed | {k.arg: ast.unparse(k.value) for k in (call.keywords if call else ()) if k.arg}


def _said(name: str, arguments: dict[str, str], *, rows: bool) -> str:
    if name in _ALONG and not rows:
        return (
            f"leave {name} out: a formula is the loss of one element, and the mean or the sum is "
            "taken when the loss is called"
        )
    if name in {"max", "min"} and len(arguments) == 1:
        name = f"a{name}"
    if name in {"clip", "clamp"} and len(arguments) == 2:
        side = {"min": "maximum", "max": "minimum"}
        name = next((side[key] for key in arguments if key in side), "maximum")
    texts = list(arguments.values())
    if _INSTEAD.get(name):
        text = _filled(_INSTEAD[name], texts)
        return f"write {text}{_import(text)}"
    return f"formulas have no {name}; lossary.functions has {', '.join(nearest(name))}"


# Functions that would add up all elements, where there is no class axis.
_ALONG = frozenset({"sum", "reduce_sum", "fsum", "mean", "reduce_mean", "average"})


def for_operator(place: Place | None, template: str) -> str:
    """Return what to write in place of an operator of two operands."""
    node = place.around[0] if place and place.around else None
    operands = (
        [ast.unparse(node.left), ast.unparse(node.right)] if isinstance(node, ast.BinOp) else ()
    )
    text = _filled(template, operands)
    return f"write {text}{_import(text)}"


def is_known(name: str) -> bool:
    """Whether other libraries have a function of that name, and a formula something for it."""
    return name in _INSTEAD


def _called(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Attribute):
        owner = function.value
        inner = isinstance(owner, ast.Attribute) and owner.attr == "linalg"
        return f"linalg_{function.attr}" if inner else function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _filled(template: str, arguments: Sequence[str]) -> str:
    """Put arguments in, in brackets where the template is more than a call."""
    count = len(set(re.findall(r"\{(\d)\}", template)))
    given = list(arguments[:count]) if len(arguments) >= count else list(_GENERIC[:count])

    def put(found: re.Match[str]) -> str:
        text = given[int(found[1])]
        before, after = template[: found.start()], template[found.end() :]
        alone = before.endswith("(") or (not before and not after)
        inside = before.endswith(", ") and after[:1] in {")", ","}
        safe = re.fullmatch(r"[\w.]+(\([^()]*\))?", text)
        first = alone and after[:1] in {"", ")", ","}
        return text if safe or inside or first else f"({text})"

    return re.sub(r"\{(\d)\}", put, template)


def _import(text: str) -> str:
    used = [word for word in dict.fromkeys(re.findall(r"[a-z_0-9]+(?=\()", text)) if word in WORDS]
    return f"; from lossary.functions import {', '.join(used)}" if used else ""


def for_name(name: str, place: Place | None) -> str:
    """Return what to write in place of a name that nothing is called by."""
    outer = place.around[1] if place and len(place.around) > 1 else None
    if isinstance(outer, ast.Attribute):  # a library that was not imported
        call = place.around[2] if place and len(place.around) > 2 else None
        return _said(
            outer.attr, _arguments(call if isinstance(call, ast.Call) else None), rows=True
        )
    if name in WORDS:
        return f"from lossary.functions import {name}"
    if _INSTEAD.get(name):
        return for_call(place, name)
    close = difflib.get_close_matches(name, WORDS, n=1)
    start = f"did you mean {close[0]}? " if close else ""
    return f"{start}import it from lossary.functions, which has {', '.join(nearest(name))}"


def nearest(name: str) -> list[str]:
    """Return all words, those most alike first.

    >>> nearest("softpluss")[:2]
    ['softplus', 'softmax']
    """
    return sorted(
        WORDS, key=lambda word: -difflib.SequenceMatcher(None, name.lower(), word).ratio()
    )


def for_truth(place: Place | None) -> str:
    """Return what to write where Python asked a formula whether it is true."""
    for node, outer in pairwise((*(place.around if place else ()), None)):
        if isinstance(node, ast.Call) and _called(node) in {"max", "min", "any", "all", "sorted"}:
            return for_call(place if place and place.call is node else None, _called(node))
        if isinstance(node, ast.Compare) and len(node.ops) > 1:
            return f"write {_chain(node)} for {ast.unparse(node)}"
        if isinstance(node, ast.BoolOp):
            sign = " & " if isinstance(node.op, ast.And) else " | "
            return f"write {sign.join(f'({ast.unparse(v)})' for v in node.values)}"
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return f"write ~({ast.unparse(node.operand)})"
        if isinstance(outer, ast.IfExp):
            parts = (outer.test, outer.body, outer.orelse)
            text = ", ".join(map(ast.unparse, parts))
            return f"write where({text}){_import('where(')}"
        if isinstance(outer, ast.If):
            test = ast.unparse(outer.test)
            text = f"where({test}, a, b)"
            return f"write {text}, with a where it holds and b elsewhere{_import(text)}"
        if isinstance(outer, ast.Assert):
            return "leave it out: arguments are checked to lie in the sets of the signature"
    return "write where(condition, a, b), and &, |, ~, minimum, maximum"


def _chain(node: ast.Compare) -> str:
    """Return a chain of comparisons as pairs."""
    signs = {
        ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    }  # fmt: skip
    parts = [ast.unparse(part) for part in (node.left, *node.comparators)]
    pairs = zip(pairwise(parts), node.ops, strict=True)
    return " & ".join(f"({x} {signs.get(type(op), '?')} {y})" for (x, y), op in pairs)
