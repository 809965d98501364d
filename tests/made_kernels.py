"""Kernels made by hand from a loss, without an engine: for tests of their texts and of Triton."""

from lossary.engine.program import variant
from lossary.formula import variable
from lossary.functions import exp, pick, total
from lossary.render.kernel import Kernel, Operand, Result


def place(argument, class_axis):
    """Where an argument lies in a kernel."""
    if not argument.positional:
        return "number"
    if argument.domain.integer:
        return "label"
    if argument.domain.class_axis:
        return "class"
    return "row" if class_axis else "element"


def facts_of(argument, tolerance):
    """What an operand must fulfil: its set, its mass and the tolerance of that, its order."""
    domain = argument.domain
    x = variable(argument.name, class_axis=domain.class_axis)
    mass = {"sum": total(x), "sum of exponentials": total(exp(x))}.get(domain.mass)
    orders = tuple(pick(x, i) <= pick(x, j) for i, j in domain.ascending)
    return domain.contains(x), mass, tolerance, orders


def kernel(
    loss, what=("value", "gradient"), parameters=None, storage="float32", over=False, **options
):
    """The kernel of a loss, and its numbers; ``gradient`` is that of the first argument.

    With ``over`` that gradient takes the memory of the argument.
    """
    parameters = {a.name: a.default for a in loss.parameters} | (parameters or {})
    absent = frozenset(name for name, value in parameters.items() if value is None)
    fixed = tuple((n, float(v)) for n, v in parameters.items() if v in {0, 1, 2})
    chosen = variant(loss, absent, fixed)
    operands = []
    for a in loss.arguments:
        if a.name in chosen.arguments:
            spot = place(a, loss.class_axis)
            kind = "integer" if a.domain.integer else "float64" if spot == "number" else storage
            tolerance = {"float64": 2.0**-26, "float32": 2.0**-11.5}.get(storage, 2.0**-3.5)
            plain = spot in {"label", "number"}
            facts = () if plain else facts_of(a, tolerance)
            operands.append(Operand(a.name, spot, kind, *facts))
    results = []
    for name in what:
        kind, _, argument = name.partition(":")
        full = "value" if kind == "value" else f"{kind}:{argument or loss.inputs[0].name}"
        wide = "float64" if storage == "float64" else "float32"
        kept = wide if kind == "value" else storage
        own = full.replace(":", "_of_")
        room = loss.inputs[0].name if over and kind == "gradient" else None
        results.append(Result(own, chosen.result(full), kept, kind != "value", room))
    made = Kernel(loss.name, tuple(operands), tuple(results), loss.class_axis, **options)
    return made, {n: v for n, v in parameters.items() if n in chosen.arguments}
