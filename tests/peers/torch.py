"""Run PyTorch's own samples against the doors of ``lossary.torch``.

    python -m tests.peers.torch [--filter NAME] [--dtype float32] [--spoil 0.01] [--verbose]

Value and gradient must be those of PyTorch's operator (and of its reference, where it has one)
within the tolerances of ``torch.testing``, or, as PyTorch tests its own second implementations,
at least as near to the result in float64 as PyTorch's ("nearer"). A call that must fail has to fail
with PyTorch's type and words. Any other difference needs a reason in ``torch.toml``, and an entry
that nothing uses fails the run.
"""

# ruff: noqa: T201  (a command that talks to a terminal)

from __future__ import annotations

import argparse
import re
import sys
import tomllib
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from lossary.torch import computing

from .torch_samples import DTYPES, Sample, door_of, peer_of, samples

LEDGER = Path(__file__).with_suffix(".toml")


@dataclass
class Outcome:
    """What one sample showed: no trouble, or what was wrong, and who computed it."""

    sample: Sample
    road: str
    trouble: str = ""
    nearer: bool = False
    reason: str = ""

    @property
    def state(self) -> str:
        """In which column of the table it counts."""
        if not self.trouble:
            return "passed"
        return "nearer" if self.nearer else "explained" if self.reason else "failed"


@dataclass
class Result:
    """A value with the gradients of everything that asked for one."""

    value: Tensor
    gradients: list[Tensor | None] = field(default_factory=list)


class Counting:
    """Counts the calls that reach the core, and scales what the doors return."""

    def __init__(self, spoil: float) -> None:
        self.calls, self.factor = 0, 1 + spoil
        self.original = computing.Asked

    def __enter__(self) -> Self:
        def counted(*args: Any) -> Any:
            self.calls += 1
            return self.original(*args)

        computing.Asked = counted
        return self

    def __exit__(self, *_: object) -> None:
        computing.Asked = self.original


def tensors_of(tree: Any) -> list[Tensor]:
    """Return the tensors in nested arguments."""
    return [x for x in tree_leaves(tree) if isinstance(x, Tensor)]


def wide(tree: Any) -> Any:
    """Return nested arguments with all that is floating in float64."""

    def widened(x: Any) -> Any:
        if isinstance(x, Tensor):
            y = x.detach().double() if x.is_floating_point() else x.detach()
            return y.requires_grad_(x.requires_grad)
        return torch.float64 if isinstance(x, torch.dtype) else x

    return tree_map(widened, tree)


def detached(tree: Any) -> Any:
    """Return nested arguments without their graphs."""
    return tree_map(lambda x: x.detach() if isinstance(x, Tensor) else x, tree)


def call(sample: Sample, what: Any, state: Any = None, scale: float = 1.0, up: bool = False) -> Any:
    """Return (module or None, result) of one call; ``up`` computes it in float64."""
    args, kwargs = wide((sample.args, sample.kwargs)) if up else (sample.args, sample.kwargs)
    module, function = None, what
    if sample.construct is not None:
        made, named = wide(sample.construct) if up else sample.construct
        module = function = what(*made, **named)
        if sample.error is None:
            module.to(torch.float64 if up else sample.dtype)
        if state is not None:
            module.load_state_dict(state)
    value = function(*args, **kwargs) * scale
    owners = [x for x in tensors_of((args, kwargs)) if x.requires_grad]
    owners += list(module.parameters()) if module is not None else []
    result = Result(value.detach())
    if owners and value.requires_grad:
        steps = torch.linspace(0.5, 1.5, max(value.numel(), 1), dtype=torch.float64)
        # Rounded as in the sample's own dtype, also on the way to the result in float64.
        upstream = steps[: value.numel()].to(sample.dtype).reshape(value.shape).to(value.dtype)
        result.gradients = list(torch.autograd.grad(value, owners, upstream, allow_unused=True))
    return module, result


def pairs(ours: Result, theirs: Result) -> list[tuple[str, Tensor | None, Tensor | None]]:
    """Return values and gradients side by side."""
    own = ours.gradients or [None] * len(theirs.gradients)
    gradients = enumerate(zip(own, theirs.gradients, strict=True))
    return [
        ("value", ours.value, theirs.value),
        *((f"gradient {i}", a, b) for i, (a, b) in gradients),
    ]


def difference(a: Tensor | None, b: Tensor | None, **tolerance: float) -> str:
    """Return how two tensors differ beyond PyTorch's tolerances."""
    if a is None or b is None:
        # A gradient that is missing on one side has to be zero on the other.
        rest = a if b is None else b
        return "missing on one side" if rest is not None and bool((rest != 0).any()) else ""
    try:
        torch.testing.assert_close(a, b, equal_nan=True, **tolerance)
    except AssertionError as error:
        return " ".join(str(error).split())
    return ""


def distance(a: Tensor, truth: Tensor) -> float:
    """Return the sum of errors; where both are the same infinity or NaN there is none."""
    a = a.double()
    same = (a == truth) | (a.isnan() & truth.isnan())
    return float(torch.where(same, 0, (a - truth).abs()).sum())


def compare(sample: Sample, ours: Result, theirs: Result, state: Any) -> tuple[str, bool]:
    """Return (what is wrong, whether the door is the nearer one wherever they differ).

    PyTorch's own rule for a second implementation (its tests of ``torch._refs``): it may differ
    where it is at least as near to the result in float64.
    """
    found = [(n, d, a, b) for n, a, b in pairs(ours, theirs) if (d := difference(a, b))]
    if not found:
        return "", False
    _, truth = call(sample, peer_of(sample), state, up=True)
    exact = {name: x for name, x, _ in pairs(truth, truth)}
    words, nearer = [], True
    for name, text, a, b in found:
        if a is None or b is None or (t := exact[name]) is None or a.shape != t.shape:
            words.append(f"{name}: {text}")
            nearer = False
            continue
        mine, its = distance(a, t), distance(b, t)
        if mine > its and sample.tolerance and not difference(a, b, **sample.tolerance):
            continue
        nearer = nearer and mine <= its
        words.append(f"{name}: {text} (errors to float64: door {mine:.3g}, peer {its:.3g})")
    return "; ".join(words), nearer


def judge(sample: Sample, counting: Counting) -> Outcome | None:
    """Run one sample; None if PyTorch itself cannot."""
    before = counting.calls
    if sample.error is not None:
        trouble = _judge_error(sample)
        return Outcome(sample, "error", trouble)
    try:
        module, theirs = call(sample, peer_of(sample))
    except (RuntimeError, NotImplementedError):
        return None
    state = None if module is None else module.state_dict()
    try:
        own, ours = call(sample, door_of(sample), state, counting.factor)
    except Exception as error:  # noqa: BLE001  (whatever it is, it is the finding)
        return Outcome(sample, "core", f"{type(error).__name__}: {error}")
    road = "core" if counting.calls > before else "peer"
    trouble, nearer = compare(sample, ours, theirs, state)
    if sample.reference is not None:
        args, kwargs = detached((sample.args, sample.kwargs))
        value = sample.reference(own, *args, **kwargs).detach()
        if text := difference(ours.value, value, **sample.tolerance):
            trouble, nearer = f"{trouble}; reference: {text}".strip("; "), False
    return Outcome(sample, road, trouble, nearer)


def _judge_error(sample: Sample) -> str:
    kind, pattern = sample.error or (Exception, "")
    try:
        call(sample, door_of(sample))
    except Exception as error:  # noqa: BLE001  (whatever it is, it is the finding)
        if not isinstance(error, kind):
            return f"raised {type(error).__name__} ({error}) instead of {kind}"
        return "" if re.search(pattern, str(error)) else f"{error!s} does not match {pattern}"
    return f"raised nothing instead of {kind}"


def explain(outcome: Outcome, ledger: list[dict[str, Any]], used: Counter[int]) -> None:
    """Look a failure up in the ledger."""
    for i, entry in enumerate(ledger):
        dtype = str(outcome.sample.dtype).removeprefix("torch.")
        if entry["door"] != outcome.sample.door or dtype not in entry["dtypes"]:
            continue
        if re.search(entry.get("about", ""), outcome.sample.label):
            outcome.reason = entry["reason"]
            used[i] += 1
            return


def run(filter_: str, dtypes: list[torch.dtype], spoil: float) -> tuple[list[Outcome], list[str]]:
    """Return the outcome of every sample, and the reasons that no failure needed."""
    ledger = tomllib.loads(LEDGER.read_text(encoding="utf-8")).get("difference", [])
    used: Counter[int] = Counter()
    outcomes = []
    with Counting(spoil) as counting, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for sample in samples(filter_, dtypes):
            outcome = judge(sample, counting)
            if outcome is None:
                continue
            if outcome.trouble and not outcome.nearer:
                explain(outcome, ledger, used)
            outcomes.append(outcome)
    whole = not filter_ and len(dtypes) == len(DTYPES)
    stale = [e["reason"] for i, e in enumerate(ledger) if whole and not spoil and not used[i]]
    return outcomes, stale


def report(outcomes: list[Outcome], stale: list[str], verbose: bool) -> int:
    """Print counts and failures; return the exit code."""
    doors: dict[str, Counter[str]] = {}
    for o in outcomes:
        doors.setdefault(o.sample.door, Counter()).update([o.state, o.road])
    head = ("passed", "nearer", "explained", "failed", "core", "peer", "error")
    print(f"{'':36}" + "".join(f"{h:>11}" for h in head))
    for door, counts in doors.items():
        print(f"{door:36}" + "".join(f"{counts[h]:>11}" for h in head))
    total: Counter[str] = sum(doors.values(), Counter())
    print(f"{'total':36}" + "".join(f"{total[h]:>11}" for h in head))
    for o in outcomes:
        if o.state == "failed" or (verbose and o.trouble):
            print(f"{o.state.upper()}: {o.sample.label}: {o.trouble}")
            print(f"    {o.reason}" if o.reason else "")
    for reason in stale:
        print(f"STALE: nothing needs this entry of the ledger any more: {reason}")
    if not outcomes:
        print("no sample called a door")
    return 1 if total["failed"] or stale or not outcomes else 0


def main(argv: list[str] | None = None) -> int:
    """Run the harness from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--filter", default="", help="only doors whose name contains this")
    parser.add_argument("--dtype", action="append", choices=DTYPES, help="default: all three")
    parser.add_argument("--spoil", type=float, default=0.0, help="scale every door; must fail")
    parser.add_argument("--verbose", action="store_true", help="list explained failures too")
    options = parser.parse_args(argv)
    chosen = [DTYPES[name] for name in options.dtype or DTYPES]
    torch.manual_seed(0)
    outcomes, stale = run(options.filter, chosen, options.spoil)
    return report(outcomes, stale, options.verbose)


if __name__ == "__main__":
    sys.exit(main())
