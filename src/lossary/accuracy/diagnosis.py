"""What ``loss.accuracy()`` does: where a formula loses digits, by which part, and what would help.

The loss is computed at points of its whole domain and compared with the truth. Where digits are
lost, the part whose local error explains it is named, the region is put into words, and rewrites
are tried at those points. Digits that a rounding of the arguments would cost too are told apart:
no formula can be blamed for them, but a rewrite may still save them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossary import calculus
from lossary.accuracy.causes import Cause, another, cause_of, undefined
from lossary.accuracy.computed import Computed, known, not_finite, sampled
from lossary.accuracy.exact import context, numbers
from lossary.accuracy.findings import Diagnosis, Finding
from lossary.accuracy.local import Nodes, floats
from lossary.accuracy.oracle import Kink
from lossary.accuracy.regions import Feature, region
from lossary.accuracy.rewrites import rewritten
from lossary.accuracy.samples import extremes
from lossary.accuracy.table import number
from lossary.accuracy.truth import measured
from lossary.accuracy.ulps import FORMATS, ulps
from lossary.accuracy.written import written
from lossary.definition import Definition
from lossary.formula import Expression, walk
from lossary.functions.vocabulary import TRUTHS

Array = np.ndarray

ANALYSED = 64  # points of a quantity that lose digits and are looked into
SCREENED = 10_000  # numbers that are computed to see whether anything is not finite
SPARE = 64.0  # times what a rounding of the arguments moves the result
MINOR = 2.0  # times the bar: a bit more is not worth a finding
FINDINGS = 3  # of each of value and gradients
SAVED = 1e6  # times fewer units make a rewrite worth showing


@dataclass(frozen=True, eq=False)
class _Losing:
    """A point at which digits are lost: its call, its row, the error, and what is blamed."""

    sample: Computed
    row: int
    error: float
    part: Expression | None
    explained: bool
    undefined: bool = False
    another: bool = False  # what is computed by hand does not mean what the formula does

    @property
    def kind(self) -> tuple[Any, ...]:
        """What points of one finding share."""
        if self.another:
            return None, False, False, True, True
        return self.part, self.explained, self.undefined, self.error == np.inf, False

    @property
    def point(self) -> dict[str, Any]:
        return self.sample.point(self.row)


def diagnose(
    definition: Definition, dtype: str = "float64", size: int = 400, seed: int = 0
) -> Diagnosis:
    """Return where a loss loses digits in a type, float64 or float32; needs the extra `accuracy`.

    ``size`` is about how many numbers are compared with the truth, ``seed`` chooses them.
    """
    if dtype not in {"float64", "float32"}:
        raise ValueError(f"accuracy is told for float64 and float32, got {dtype!r}")
    context()  # raises MissingExtraError before anything is computed
    names: tuple[str | None, ...] = (None, *measured(definition))
    worst: dict[str, float] = {}
    count = 0
    findings: list[Finding] = []
    ends = extremes(definition, dtype, SCREENED // (10 if definition.class_axis else 1), seed)
    for name in names:
        samples = [*sampled(definition, name, dtype, size, seed)]
        samples += not_finite(definition, name, dtype, ends)
        count += sum(len(s.truth) for s in samples) if name is None else 0
        errors = np.concatenate([s.errors for s in samples])
        worst[samples[0].what] = float(np.nanmax(errors, initial=0.0))
        findings += _findings(samples)
    return Diagnosis(definition.name, dtype, count, worst, tuple(findings))


def _findings(samples: Sequence[Computed]) -> list[Finding]:
    with np.errstate(invalid="ignore"):
        lost = sum(int((s.errors > s.least).any()) for s in samples)
    most = max(4, ANALYSED // max(1, lost))
    losing = [each for s in samples for each in _losing(s, most)]
    groups: dict[tuple[Any, ...], list[_Losing]] = {}
    for each in losing:
        groups.setdefault(each.kind, []).append(each)
    hard = {part for part, explained, *_ in groups if not explained}
    found = []
    for (part, explained, *_), members in groups.items():
        if explained and part in hard:
            continue
        finding = _finding(part, members, samples)
        if finding is not None:
            found.append(finding)
    found.sort(key=lambda f: (f.explained and not f.known, f.ends, -f.worst, -f.count))
    return found[:FINDINGS]


def _losing(sample: Computed, most: int) -> Iterator[_Losing]:
    for row in np.flatnonzero(sample.undefined)[:most]:
        yield _Losing(sample, int(row), np.inf, None, explained=False, undefined=True)
    with np.errstate(invalid="ignore"):
        rows = np.flatnonzero(sample.errors > sample.least)
    if len(rows) > most:
        rows = np.random.default_rng(0).choice(rows, most, replace=False)
    if not len(rows):
        return
    definition = sample.definition
    labels = frozenset(a.name for a in definition.inputs if a.domain.integer)
    nodes = Nodes(
        sample.expression, [sample.point(int(i)) for i in rows], FORMATS[sample.dtype], labels
    )
    if not nodes.exact:
        return
    moving = [a.name for a in definition.arguments if a.name in nodes.points[0]]
    asked = [bool(np.isfinite(sample.errors[rows[i]])) for i in nodes.known]
    moved = nodes.sensitivity([n for n in moving if definition.domains[n].continuous], asked)
    for place, part in enumerate(nodes.culprits(sample.least)):
        row = int(rows[nodes.known[place]])
        error = float(sample.errors[row])
        allowed = sample.least + SPARE * moved[place]
        explained = error < np.inf and (error <= allowed or sample.beside_largest(row) <= allowed)
        differs = definition.computed is not None and _differ(sample, row, nodes.exact[place])
        yield _Losing(sample, row, error, part, explained and not differs, another=differs)


def _differ(sample: Computed, row: int, exact: dict[Expression, Any]) -> bool:
    """Whether what is computed is another number than the truth, without any rounding."""
    form = FORMATS[sample.dtype]
    pairs = zip(numbers(exact[sample.expression]), numbers(sample.truth[row]), strict=True)
    return any(
        ulps(x, t, form) > sample.least
        for x, t in pairs
        if known(t) is not None and not isinstance(t, Kink)
    )


def _finding(
    part: Expression | None, members: Sequence[_Losing], samples: Sequence[Computed]
) -> Finding | None:
    worst = _example(members)
    sample = worst.sample
    definition = sample.definition
    if worst.error < MINOR * sample.least:
        return None
    advice = "" if worst.another else _advice(members)
    cause = undefined(definition.meaning(sample.absent), worst.point) if worst.undefined else None
    if worst.another:
        cause = another(written(sample.expression))
    cause = cause or _cause(part, worst, members)
    ranges, inside, here = _where(members, samples)
    truth = sample.truth[worst.row]
    return Finding(
        what=sample.what,
        part=sample.what if sample.name and part is sample.expression else cause.part,
        cause=cause.name,
        why=cause.why,
        where=ranges,
        worst=worst.error,
        count=here,
        among=inside,
        ends=all(map(_at_an_end, members)),
        explained=worst.explained,
        help=advice or cause.help,
        known=bool(advice),
        example=worst.point,
        computed=_plain(sample.found.reshape(len(sample.truth), -1)[worst.row]),
        true=_plain([_float(t) for t in numbers(truth)]),
    )


def _at_an_end(losing: _Losing) -> bool:
    """Whether an argument is near the largest or the smallest numbers of a float64."""
    sizes = abs(np.hstack([np.ravel(x) for x in losing.point.values()]).astype(float))
    return bool(((sizes > 1e100) | ((sizes < 1e-290) & (sizes > 0))).any())


def _float(t: Any) -> float:
    return np.nan if t is None or isinstance(t, Kink) else float(t)


def _plain(x: Any) -> Any:
    found = [float(v) for v in np.ravel(x)]
    return found[0] if len(found) == 1 else found


def _example(members: Sequence[_Losing]) -> _Losing:
    """Return the point of the shortest numbers, among those that lose about the most."""
    worst = max(m.error for m in members)
    form = FORMATS[members[0].sample.dtype]
    most = min(worst / 2, 2.0 ** (form.digits - 4))
    return min((m for m in members if m.error >= most), key=lambda m: len(str(m.point)))


def _cause(part: Expression | None, losing: _Losing, members: Sequence[_Losing]) -> Cause:
    sample = losing.sample
    labels = frozenset(a.name for a in sample.definition.inputs if a.domain.integer)
    beside = sorted((m for m in members if m.sample is sample), key=lambda m: m.error)
    points = [losing.point, *(m.point for m in beside[:: max(1, len(beside) // 4)])]
    nodes = Nodes(sample.expression, points, FORMATS[sample.dtype], labels)
    return cause_of(part, nodes, sample.definition.meaning(sample.absent))


def _where(
    members: Sequence[_Losing], samples: Sequence[Computed]
) -> tuple[tuple[Any, ...], int, int]:
    """Return the region of some points among all, how many points it has, and how many lose."""
    losing = {(id(m.sample), m.row) for m in members}
    here, features = [], []
    others = {s.absent for s in samples} == {samples[0].absent}
    chosen = [s for s in samples if others or s.absent == members[0].sample.absent]
    with np.errstate(invalid="ignore"):
        for s in chosen:
            lost = (s.errors > s.least) | s.undefined
            own = np.array([(id(s), i) in losing for i in range(len(s.truth))])
            keep = own | ~lost  # points that others are to blame for say nothing
            here.append(own[keep])
            features.append([*_features(s, np.flatnonzero(keep).tolist())])
    flags = np.concatenate(here)
    joined = [
        Feature(column[0].name, np.concatenate([f.values for f in column]))
        for column in zip(*features, strict=True)
    ]
    found, inside = region(joined, flags)
    count, among = int(flags.sum()), int(inside.sum())
    if count < 3 or count < 0.1 * among:  # too few to say where
        return (), len(flags), count
    return found, among, count


def _features(sample: Computed, rows: Sequence[int]) -> Iterator[Feature]:
    """Yield the size of arguments, of their differences, and of the parts of the formula."""
    definition, arrays = sample.definition, sample.arrays(rows)
    data = {a.name: arrays[a.name] for a in definition.inputs}
    with np.errstate(all="ignore"):
        for name, x in data.items():
            if x.shape[-1] == 1:
                yield Feature(name, x[:, 0].astype(float))
            else:
                yield Feature(f"the largest |{name}|", abs(x).max(axis=-1))
                yield Feature(f"the spread of {name}", x.max(axis=-1) - x.min(axis=-1))
        for name in (a.name for a in definition.parameters if a.name in arrays):
            if arrays[name].shape[-1] == 1:
                yield Feature(name, arrays[name][:, 0])
        moving = [(n, x) for n, x in data.items() if definition.domains[n].continuous]
        for i, (name, x) in enumerate(moving):
            for other, y in moving[:i]:
                if x.shape != y.shape:
                    continue
                gap = abs(x - y).max(axis=-1)
                size = np.maximum(abs(x), abs(y)).max(axis=-1)
                largest = "the largest " if x.shape[-1] > 1 else ""
                yield Feature(f"{largest}|{other} - {name}|", gap)
                text = f"|{other} - {name}| / max(|{other}|, |{name}|)"
                yield Feature(text, np.where(size > 0, gap / size, 0))
        for node in walk(definition.meaning(sample.absent)):
            if not node.arguments or node.operator in TRUTHS:
                continue
            x = floats(node, arrays, sample.classes)
            text = written(node)
            if node.class_axis:
                yield Feature(f"the largest |{text}|", abs(x).max(axis=-1).astype(float))
            else:
                yield Feature(text, x[:, 0].astype(float))


def _advice(members: Sequence[_Losing]) -> str:
    """Return the rewrite that saves most at these points, if there is one."""
    best, least = "", np.inf
    by_sample: dict[int, list[_Losing]] = {}
    for m in members:
        if not m.undefined:
            by_sample.setdefault(id(m.sample), []).append(m)
    if not by_sample:
        return ""
    groups = [group for _, group in zip(range(3), by_sample.values(), strict=False)]
    sample = groups[0][0].sample
    definition = sample.definition
    before = float(np.median([min(m.error, 2.0**53) for g in groups for m in g]))
    meaning = definition.meaning(sample.absent)
    for words, value in rewritten(meaning, definition.sets):
        after = []
        for group in groups:
            if group[0].sample.absent == sample.absent:
                after += _tried(value, group)
        worst = float(np.max(after, initial=0.0))
        if worst < least and worst <= max(MINOR * sample.least, before / SAVED):
            best, least = words, worst
    return best and f"{best}: within {number(least)} units there"


def _tried(value: Expression, group: Sequence[_Losing]) -> list[float]:
    """Return the errors of a formula at points of one call."""
    sample = group[0].sample
    rows = [m.row for m in group[:40]]
    if sample.name is not None:
        value = calculus.gradient(value, sample.definition.variable(sample.name))
    found = floats(value, sample.arrays(rows), sample.classes)
    if sample.dtype == "float32":
        with np.errstate(over="ignore"):
            found = found.astype(np.float32)
    return [
        max(
            ulps(float(x), t, FORMATS[sample.dtype]) if known(t) is not None else 0.0
            for x, t in zip(entries, numbers(sample.truth[row]), strict=True)
            if not isinstance(t, Kink)
        )
        for entries, row in zip(found, rows, strict=True)
    ]
