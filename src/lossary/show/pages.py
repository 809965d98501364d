"""The documentation of the catalogue: one Markdown page per loss, and an index.

``python -m lossary.show.pages DIRECTORY`` writes them. A page is made from the record alone, so a
new loss, also a user's own, has its page without further work.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossary.formula import walk
from lossary.losses import FAMILIES as _SUBJECTS
from lossary.tables import Column, Table

if TYPE_CHECKING:
    from lossary.engine import Loss

FAMILIES = {**_SUBJECTS, "custom": "Losses from outside the catalogue"}

HELD = (
    "The derivatives are those of the value with its declared constants held: held(x) has the "
    "value of x, and no derivative."
)

READABLE = 700  # a formula with more LaTeX characters is folded away

LIBRARIES = {
    "torch": "PyTorch",
    "keras": "Keras",
    "tf": "TensorFlow",
    "optax": "Optax",
    "sklearn": "scikit-learn",
    "torchvision": "torchvision",
}


def signature(loss: Loss) -> str:
    """The call as a reader would write it, without the keywords that every loss has.

    >>> import lossary as L
    >>> signature(L.huber)
    'huber(prediction, target, *, delta=1.0)'
    """
    data = [argument.name for argument in loss.inputs]
    parameters = [
        argument.name if argument.required else f"{argument.name}={argument.default!r}"
        for argument in loss.parameters
    ]
    return f"{loss.name}({', '.join([*data, '*', *parameters] if parameters else data)})"


def page(loss: Loss, figure: str | None = None) -> str:
    """The page of one loss as MyST Markdown; ``figure`` is the path of its curves, if drawn.

    >>> import lossary as L
    >>> page(L.huber).splitlines()[0]
    '# huber'
    """
    sections: dict[str, Callable[[Loss], list[str]]] = {
        "Example": _example,
        "Formula": _formula,
        "Arguments": _arguments,
        "From batch to batch": _state,
        "When to choose it": lambda loss: [_prose(loss.choose)] if loss.choose else [],
        "Promises": _promises,
        "Traps": lambda loss: [f"* {_prose(trap)}" for trap in loss.traps],
        "Names elsewhere": _elsewhere,
        "Source": lambda loss: [_references(loss.source)] if loss.source else [],
        "What NumPy runs": _source,
    }
    lines = [f"# {loss.name}", "", _prose(loss.summary), "", "```python", signature(loss), "```"]
    if figure:
        alternative = f"Value, gradient and second derivative of {loss.name}"
        lines += ["", f"![{alternative}]({figure})"]
    for title, section in sections.items():
        body = section(loss)
        if body:
            lines += ["", f"## {title}", "", *body]
    return "\n".join(lines) + "\n"


def _example(loss: Loss) -> list[str]:
    from lossary.show.examples import example

    lines = example(loss)
    return ["```python", *lines, "```"] if lines else []


def _formula(loss: Loss) -> list[str]:
    from lossary.notation.letters import abbreviate

    (value, gradient, hessian), named = loss.written.lettered
    (value, gradient, hessian), letters = abbreviate([value, gradient], [hessian], named=named)
    each = ", for each entry" if loss.class_axis else ""
    second = "Second derivative, the diagonal" if loss.class_axis else "Second derivative"
    lines = [
        *_display(value, "Value"),
        *_display(gradient, f"Derivative with respect to `{loss.inputs[0].name}`{each}"),
        *_display(hessian, second),
    ]
    if any(node.operator == "held" for node in walk(loss.written.value)):
        lines += [HELD, ""]
    if letters:
        lines += ["Here", ""]
    for letter, meaning in letters:
        lines += ["$$", f"{letter} = {meaning}", "$$", ""]
    return lines


def _display(latex: str, title: str) -> list[str]:
    formula = ["$$", latex, "$$", ""]
    if len(latex) < READABLE:
        return [f"{title}:", "", *formula]
    return [
        *_html(f"<details><summary>{title}: {len(latex)} characters of LaTeX</summary>"),
        *formula,
        *_html("</details>"),
    ]


def _html(text: str) -> list[str]:
    return ["```{raw} html", text, "```", ""]


def _arguments(loss: Loss) -> list[str]:
    from lossary.render.latex import latex

    rows = [
        (
            f"`{argument.name}`",
            f"${latex(loss.variable(argument.name))}$",
            f"${argument.domain.symbol}$",
            _sentence(str(argument.domain), argument.description),
            _default(argument),
        )
        for argument in loss.arguments
    ]
    heads = ("argument", "in formulas", "set", "meaning", "default")
    return [*_table(heads, rows), "", _CONTRACT]


_CONTRACT = (
    "Weights, masks, reductions and errors are the same for every loss: "
    "see [the contract](../contract.md)."
)


def _default(argument: Any) -> str:
    if argument.positional or argument.default is inspect.Parameter.empty:
        return "required"
    return f"`{argument.default!r}`"


def _sentence(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _promises(loss: Loss) -> list[str]:
    from lossary.definition import PROMISES

    kept = [f"* *{name.replace('_', ' ')}*: {PROMISES[name]}" for name in sorted(loss.promises)]
    return [*kept, "", "Each promise is tested."] if kept else []


def _state(loss: Loss) -> list[str]:
    """Return how the state after a batch is made, of a loss that has one."""
    if loss.state is None:
        return []
    step = loss.next_state.formula
    names = [a.name for a in step.inputs] + [f"{a.name}={a.default!r}" for a in step.parameters]
    call = f"{loss.name}.next_state({', '.join(names)})"
    return [
        _prose(step.summary),
        *("", "```python", call, "```", ""),
        *_display(step.latex, "The next state, with sums over the C examples u of a batch"),
        _STATE,
    ]


_STATE = (
    "A pure function: nothing is kept, and nothing is differentiated through it. `mask=` and "
    "`weight=` leave examples out; `next_state.sums(...)` of several batches or machines add up, "
    "and `next_state.of_sums(...)` is the state after all of them."
)


def _elsewhere(loss: Loss) -> list[str]:
    def library(name: str) -> str:
        top = name.partition(".")[0]
        return LIBRARIES.get("keras" if name.startswith("tf.keras") else top, top)

    names = sorted(loss.elsewhere, key=library)
    rows = [
        (title, ", ".join(f"`{name}`" for name in group))
        for title, group in groupby(names, key=library)
    ]
    return _table(("library", "name"), rows) if rows else []


def _source(loss: Loss) -> list[str]:
    return [
        "The value of each element, as generated from the definition:",
        *_listing(loss.text("numpy")),
        *_html("<details><summary>And its gradient</summary>"),
        *_listing(loss.text("numpy", order=1)),
        *_html("</details>"),
    ]


def _listing(text: str) -> list[str]:
    return ["", "```python", text.strip(), "```", ""]


_NAME = re.compile(r"(?<![\w`./])[A-Za-z]\w+(?:\.\w\w+)+|(?<![\w`./])[A-Za-z]\w*_\w+")


def _prose(text: str) -> str:
    """Names as code, names of the catalogue as links.

    >>> _prose("half_squared_error is optax.l2_loss, e.g. at 0.5")
    '[`half_squared_error`](half_squared_error.md) is `optax.l2_loss`, e.g. at 0.5'
    """
    from lossary import catalogue

    def dress(found: re.Match[str]) -> str:
        name = found[0]
        return f"[`{name}`]({name}.md)" if name in catalogue else f"`{name}`"

    return text if "`" in text else _NAME.sub(dress, text)


def _references(source: str) -> str:
    """DOI and arXiv numbers as links.

    >>> _references("Lin et al. 2017, arXiv:1708.02002, eq. 4")
    'Lin et al. 2017, [arXiv:1708.02002](https://arxiv.org/abs/1708.02002), eq. 4'
    """
    source = re.sub(r"doi:(10\.[^\s,;]+)", r"[doi:\1](<https://doi.org/\1>)", source)
    return re.sub(r"arXiv:([\d.]+\d)", r"[arXiv:\1](https://arxiv.org/abs/\1)", source)


def _table(heads: Iterable[str], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return Table([Column(head) for head in heads], list(rows)).markdown()


def _families(losses: Iterable[Loss]) -> dict[str, list[Loss]]:
    found: dict[str, list[Loss]] = {}
    for loss in losses:
        found.setdefault(loss.family, []).append(loss)
    return found


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def catalogue_table(losses: Iterable[Loss]) -> str:
    """A row per family, for the README.

    >>> import lossary as L
    >>> print(catalogue_table([L.huber, L.log_cosh]))
    | family | losses |
    | --- | --- |
    | regression: losses of a number against a number | `huber`, `log_cosh` |
    """
    rows = [
        (
            f"{family}: {_lowered(FAMILIES[family])}",
            ", ".join(f"`{loss.name}`" for loss in members),
        )
        for family, members in _families(losses).items()
    ]
    return "\n".join(_table(("family", "losses"), rows))


def index(losses: Iterable[Loss]) -> str:
    """The page that leads to all pages, by family."""
    losses = list(losses)
    lines = ["# Catalogue", "", f"{len(losses)} losses, each from one definition."]
    for family, members in _families(losses).items():
        lines += ["", f"## {family.capitalize()}", "", f"{FAMILIES[family]}.", ""]
        rows = [(f"[`{loss.name}`]({loss.name}.md)", _prose(loss.summary)) for loss in members]
        lines += _table(("loss", "the point of it"), rows)
    names = [loss.name for loss in losses]
    return "\n".join([*lines, "", "```{toctree}", ":hidden:", "", *names, "```", ""])


def write(directory: Path, losses: Iterable[Loss] | None = None, *, figures: bool = True) -> None:
    """Write the index, the pages and their curves; files that would not change are left alone."""
    import lossary

    chosen = list(lossary.catalogue.values() if losses is None else losses)
    directory.mkdir(parents=True, exist_ok=True)
    for loss in chosen:
        figure = _draw(loss, directory) if figures else None
        _update(directory / f"{loss.name}.md", page(loss, figure))
    _update(directory / "index.md", index(chosen))


def _draw(loss: Loss, directory: Path) -> str | None:
    from lossary.show import plot

    path = directory / f"{loss.name}.svg"
    plot.draw([loss], path)
    return path.name


def _update(path: Path, text: str) -> None:
    """Write unless the file already says so, because Sphinx rebuilds what is newer."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m lossary.show.pages DIRECTORY")
    write(Path(sys.argv[1]))
