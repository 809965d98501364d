"""The command ``lossary``: results on stdout, talk and progress on stderr.

Exit codes: 0 fine, 1 a problem was found, 2 the command was used wrongly, 3 an optional package is
missing, 130 interrupted.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Sequence
from inspect import cleandoc

import click

import lossary
from lossary.cli.bench import bench
from lossary.cli.evaluate import evaluate
from lossary.cli.lab import accuracy, study
from lossary.cli.look import find, list_, show
from lossary.cli.output import say, tolerate_any_encoding
from lossary.cli.picture import plot
from lossary.cli.warm import warm
from lossary.errors import LossaryError, MissingExtraError

__all__ = ["main", "program"]

FINE, PROBLEM, USAGE, MISSING, INTERRUPTED = 0, 1, 2, 3, 130


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88},
)
@click.version_option(lossary.__version__, message="lossary %(version)s")
@click.pass_context
def program(context: click.Context) -> None:
    """The handbook of loss functions that runs.

    lossary list                              all losses, by family
    lossary show huber                        all about one of them
    lossary find torch.nn.SmoothL1Loss        by its name in any library
    lossary eval cross_entropy 17,0 0         value, gradient, second derivative
    lossary plot huber absolute_error         curves, here or into a file
    lossary study neuron                      an experiment that you can repeat
    lossary accuracy mine.py:my_loss          where a loss of your own loses digits
    lossary bench                             speed, beside the libraries installed
    lossary warm huber                        compile its kernels ahead

    Every command has its own --help with examples, and --json for programs.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for command in (list_, find, show, evaluate, plot, study, accuracy, bench, warm):
    program.add_command(command)
for command in (program, *program.commands.values()):
    # Paragraphs of examples keep their lines: click's mark for that is a backspace.
    command.help = re.sub(r"\n\n(?=lossary )", "\n\n\b\n", cleandoc(command.help or ""))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    >>> main(["--version"])
    lossary ...
    0
    """
    tolerate_any_encoding()
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        result = program.main(args=words, prog_name="lossary", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        say("\ninterrupted")
        return INTERRUPTED
    except click.ClickException as error:
        return _report(_message(error), _help(error, words))
    except MissingExtraError as error:
        command = str(error).partition(": ")[2]
        say(f"error: {str(error).partition(': ')[0]}\nhint: {command}")
        return MISSING
    except LossaryError as error:
        return _report(str(error), _help(None, words))
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        say(f"error: {place}{error.strerror or error}\nhint: check the path and its permissions")
        return PROBLEM
    return result if isinstance(result, int) else FINE


def _message(error: click.ClickException) -> str:
    """Return a click error in this command's words, with the nearest name as its hint."""
    if isinstance(error, click.MissingParameter) and error.param:
        return f"{(error.param.human_readable_name or '').upper().strip('.')} is missing"
    if isinstance(error, click.NoSuchOption):
        names = [p for param in error.ctx.command.params for p in param.opts] if error.ctx else []
        return f"there is no option {error.option_name}{_near(error.option_name, names)}"
    if error.format_message() == "Missing command.":
        return "NAME is missing"
    if unknown := re.match(r"No such command '([^']+)'", error.format_message()):
        return f"there is no command {unknown[1]}{_near(unknown[1], list(program.commands))}"
    return error.format_message()


def _near(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    return f"\nhint: did you mean {close[0]}?" if close else ""


def _help(error: click.ClickException | None, words: list[str]) -> str:
    """Return the help that fits: of the command that failed, or that the words begin with."""
    context = getattr(error, "ctx", None)
    if context:
        return f"{context.command_path} --help"
    most = 2 if words[:1] == ["eval"] else 1
    return " ".join(["lossary", *words[:most], "--help"])


def _report(message: str, where: str) -> int:
    """Print an error whose last line says what to do."""
    problem, _, hint = message.partition("\nhint: ")
    if not hint and ", got " in message:
        # The engine's sentences: what must be, what it got; what to do.
        must, _, got = message.partition(", got ")
        seen, _, hint = got.partition("; ")
        problem = f"{must}, got {seen}"
    hint = hint or f"{where} shows what it takes"
    say(f"error: {problem}\nhint: {hint}")
    return USAGE


if __name__ == "__main__":
    sys.exit(main())
