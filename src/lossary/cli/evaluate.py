"""``lossary eval NAME``: a command per loss, whose options are made from its signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

import lossary
from lossary.cli import values
from lossary.cli.names import find
from lossary.cli.output import emit_json, page
from lossary.cli.own import is_own

if TYPE_CHECKING:
    from lossary.definition import Argument
    from lossary.engine import Loss


class _Evaluate(click.Group):
    """A group whose commands are the losses, under all their names."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(lossary.catalogue)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name.startswith("-"):
            return None
        loss = find(cmd_name)
        return _command(loss, cmd_name if is_own(cmd_name) else loss.name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Leave the names to ``lossary list``."""


class _Command(click.Command):
    """A command that takes negative numbers for what they are."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, values.hide_minus(args))


@click.group(
    "eval",
    cls=_Evaluate,
    short_help="Compute a loss and its derivatives.",
    subcommand_metavar="NAME [VALUES]...",
    no_args_is_help=False,
)
def evaluate() -> None:
    """Compute a loss, its gradient and its second derivative.

    VALUES fill the loss's data in order: prediction, target. Everything also has an option;
    `lossary eval NAME --help` lists those of one loss.

    lossary eval huber 3 0
    lossary eval huber --prediction 3 --target 0 --delta 2
    lossary eval huber 1,2,-3 0,0,0 --reduction none
    lossary eval cross_entropy 17,0 0             one row of logits, its label
    lossary eval cross_entropy '1,2;3,4' 0,1      two rows, two labels
    lossary eval mine.py:my_loss 3 0              a loss of your own
    """


def _command(loss: Loss, called: str) -> click.Command:
    """Make the command of one loss, under the name that it was called by."""
    spelled = [f"{_option(a.name)} {_example(loss, a)}" for a in loss.inputs]
    some = [a for a in loss.parameters if a.required] or loss.parameters[:1]
    spelled += [f"{_option(a.name)} {_example(loss, a)}" for a in some]
    summary = loss.summary.replace("``", "")
    return _Command(
        called,
        help="\n".join(
            [
                summary,
                "",
                "\b",
                _shortest(loss, called),
                f"lossary eval {called} {' '.join(spelled)}",
            ]
        ),
        short_help=summary,
        params=[click.Argument(["positional"], nargs=-1, metavar="[VALUES]..."), *_options(loss)],
        callback=lambda **given: _run(loss, called, **given),
        context_settings={"token_normalize_func": lambda name: name.replace("_", "-")},
    )


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


_ROWS = {
    "Simplex": "0.7,0.3", "LogSimplex": "-0.693147181,-0.693147181", "Binaries": "1,0",
    "Cosines": "0.8,-0.3", "Levels": "0.1,0.9", "Units": "0.8,0.3",
}  # fmt: skip


def _example(loss: Loss, argument: Argument) -> str:
    """Return a value of the argument for the help."""
    domain = argument.domain
    if not argument.positional:
        return _ROWS.get(domain.name, "1,2") if domain.class_axis else f"{domain.inside[-1]:g}"
    if domain.class_axis:
        first = argument is loss.inputs[0]
        rows = dict(_ROWS)
        if domain.name in {"Unit", "OpenUnit"}:
            rows[domain.name] = "0.8,0.3" if first else "1,0"
        rows["Box"] = "0,0,4,3" if first else "1,1,5,4"
        rows["RotatedBox"] = "0,0,4,3,0" if first else "1,1,4,2,0.5"
        return rows.get(domain.name, "2,-1" if first else "1,0")
    if domain.name in {"Binary", "Sign", "Unit"}:
        return "0.8" if argument is loss.inputs[0] else "1"
    usual = 0 if domain.integer else 3 if argument is loss.inputs[0] else 1
    return f"{usual if domain.contains(usual) else domain.inside[-1]:g}"


def _options(loss: Loss) -> list[click.Parameter]:
    from lossary.show.tables import default

    own = []
    for a in loss.arguments:
        words = [a.description, default(a)]
        text = "; ".join([str(a.domain), *(word for word in words if word)])
        metavar = "NUMBERS" if a.positional or a.domain.class_axis else "NUMBER"
        own.append(click.Option([_option(a.name), a.name], metavar=metavar, help=text))
    return [*own, *_common(loss), JSON_OPTION]


JSON_OPTION = click.Option(["--json", "as_json"], is_flag=True, help="Print JSON for programs.")


def _common(loss: Loss) -> list[click.Parameter]:
    """Return the options of the contract that this loss has."""
    from lossary.engine.options import options_of

    known = {
        "weight": {"metavar": "NUMBERS", "help": "At least 0; 0 leaves the element out."},
        "mask": {"metavar": "0/1,...", "help": "0 leaves the element out."},
        "reduction": {"type": click.Choice(["mean", "sum", "none"]), "help": "Default: mean."},
        "denominator": {"type": float, "help": "Divide the sum by this instead."},
        "empty": {"type": click.Choice(["zero", "nan", "raise"]), "help": "The mean of nothing."},
        "axis": {"type": int, "help": "Where the classes lie; by default last."},
        "class_weight": {"metavar": "NUMBERS", "help": "One number per class."},
        "ignore_index": {"type": int, "help": "Leave out rows with this label."},
    }
    options: list[click.Parameter] = [
        click.Option([_option(name), name], **known[name])
        for name in options_of(loss)
        if name in known
    ]
    if len(loss.differentiable) > 1:
        options.append(
            click.Option(
                ["--wrt"], type=click.Choice(loss.differentiable),
                help=f"Derivatives with respect to this; by default {loss.inputs[0].name}.",
            )
        )  # fmt: skip
    dtypes = click.Choice(["float64", "float32", "float16"])
    return [*options, click.Option(["--dtype"], type=dtypes, default="float64", show_default=True)]


def _run(
    loss: Loss, called: str, positional: tuple[str, ...], as_json: bool, dtype: str, **given: Any
) -> None:
    data, options = _sort(loss, called, positional, dtype, given)
    wrt = given.get("wrt") or loss.inputs[0].name
    try:
        value = loss(**data, **options)
        result = {
            "value": value,
            "each": loss(**data, **{**options, "reduction": "none"}),
            "gradient": loss.gradient(**data, **options, wrt=wrt),
            "second_derivative": loss.hessian(**data, **options, wrt=wrt),
        }
    except lossary.LossaryError:
        raise
    except (TypeError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    if as_json:
        emit_json({"loss": loss.name, "arguments": data, "options": options, "wrt": wrt, **result})
        return
    from lossary.show.evaluation import print_result

    with page() as console:
        print_result(loss, data, options, result, wrt, console)


def _sort(
    loss: Loss, called: str, positional: tuple[str, ...], dtype: str, given: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arguments as arrays and the options, after filling the positional values in."""
    texts = {a.name: given[a.name] for a in loss.arguments if given[a.name] is not None}
    open_names = [a.name for a in loss.inputs if a.name not in texts]
    if len(positional) > len(open_names):
        extra = " ".join(positional[len(open_names) :]).replace(values.MINUS, "-")
        raise click.UsageError(
            f"{loss.name} has no place for {extra}\nhint: {_takes(loss, called)}"
        )
    texts |= dict(zip(open_names, positional, strict=False))
    missing = [a for a in loss.arguments if a.required and a.name not in texts]
    if missing:
        words = ", ".join(f"{_option(a.name)} ({a.domain})" for a in missing)
        raise click.UsageError(f"{loss.name} needs {words}\nhint: {_takes(loss, called)}")
    data = {}
    for a in loss.arguments:
        if a.name in texts:
            array = values.numbers(texts[a.name], a.name, whole=a.domain.integer, dtype=dtype)
            data[a.name] = float(array) if not a.positional and not array.ndim else array
    return data, _chosen({name: value for name, value in given.items() if name not in data})


def _chosen(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options of the contract that were given."""
    options = {}
    for name in ("reduction", "denominator", "empty", "axis", "ignore_index"):
        if given.get(name) is not None:
            options[name] = given[name]
    for name in ("weight", "class_weight"):
        if given.get(name) is not None:
            options[name] = values.numbers(given[name], name)
    if given.get("mask") is not None:
        options["mask"] = values.truths(given["mask"], "mask")
    return options


def _takes(loss: Loss, called: str) -> str:
    return f"for example {_shortest(loss, called)}"


def _shortest(loss: Loss, called: str) -> str:
    """Return a command line with no more than the loss needs."""
    words = [_example(loss, a) for a in loss.inputs]
    words += [f"{_option(a.name)} 3" for a in loss.parameters if a.required]
    return " ".join(["lossary eval", called, *words])
