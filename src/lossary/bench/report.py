"""Results for readers, in Markdown; ``terminal`` prints the same words and numbers.

First stands what a reader wants to know: how long we take where the peer takes 1, case by case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from lossary.bench.limits import COPY, TRIAD, Limit
from lossary.bench.pairs import PAIRS, Ratio, ratios
from lossary.bench.results import Absent, Measured, Outcome, Results
from lossary.bench.targets import Verdict, judge
from lossary.bench.units import seconds, size
from lossary.bench.work import BOOSTING, TRAINING, VALUE, Case
from lossary.tables import Column, Styled, Table

T = TypeVar("T")


def grouped(found: Iterable[T], key: Callable[[T], str]) -> dict[str, list[T]]:
    """Return all by a key of theirs, in the order in which the keys come."""
    groups: dict[str, list[T]] = {}
    for one in found:
        groups.setdefault(key(one), []).append(one)
    return groups


def bandwidth(limit: Limit) -> str:
    """Return what moves per second, and who moved it."""
    return f"{limit.bandwidth / 1e9:.3g} GB/s ({limit.by})"


def _spread(row: Measured) -> str:
    """Return the quartiles, with the unit once where both have it."""
    if row.rounds == 1:
        return "one call" if row.calls == 1 else "one round"
    low, high = seconds(row.low), seconds(row.high)
    same = low.split()[1] == high.split()[1]
    return f"{low.split()[0] if same else low}–{high}"


def _against(row: Measured, outcome: Outcome) -> str:
    """Return how often the time of moving the bytes fits into that of the row."""
    return f"{row.seconds / outcome.limit_seconds:.3g}×" if outcome.limit_seconds else "–"


def _rate(row: Measured, case: Case) -> str:
    """Return the bytes that must move by the time, in GB/s."""
    return f"{case.bytes / row.seconds / 1e9:.3g}" if case.bounded else "–"


def _memory(row: Measured) -> str:
    """Return the extra memory."""
    return "–" if row.memory is None else size(row.memory)


def table(outcome: Outcome) -> Table:
    """Return what was measured of each contestant; a star is at those who disagree."""
    numbers = ("median", "quartiles", "× limit", "GB/s", "memory", "first call")
    columns = [Column("contestant"), *(Column(name, numbers=True) for name in numbers)]
    rows = [
        (
            Styled(row.contestant + "*" * bool(row.disagrees), "cyan" if row.ours else ""),
            seconds(row.seconds), _spread(row), _against(row, outcome),
            _rate(row, outcome.case), _memory(row), seconds(row.first),
        )
        for row in outcome.rows
    ]  # fmt: skip
    return Table(columns, rows)


def title(outcome: Outcome) -> str:
    """Return the case in words."""
    case = outcome.case
    if case.kind == TRAINING:
        return f"a training on {case.loss}, batches of {case.shape[0]}"
    sizes = " × ".join(f"{n:,}".replace(",", "\N{NARROW NO-BREAK SPACE}") for n in case.shape)
    if case.kind == BOOSTING:
        return f"{case.loss} in {case.option}, a training on {sizes} rows"
    part = f", {case.ignored:.0%} of rows ignored" if case.ignored else ""
    part += f", with {case.option}=" if case.option else ""
    part += ", the value alone" if case.kind == VALUE else ""
    return f"{case.loss}, {sizes}, {case.dtype}{part}{'' if case.device == 'cpu' else ', GPU'}"


def floor(outcome: Outcome) -> str:
    """Return what must move, and how long a copy or a triad takes for that; or nothing."""
    limit = outcome.limit
    if not limit or not outcome.limit_seconds:
        return ""
    return (
        f"{size(outcome.case.bytes)} must move; at the speed of a {limit.pattern} of such arrays, "
        f"{bandwidth(limit)}, that takes {seconds(outcome.limit_seconds)}"
    )


def machine(results: Results) -> str:
    """Return the machine in words."""
    facts, threads = results.machine, results.settings["threads"]
    words = [str(facts["processor"])]
    words += [str(facts["gpu"])] if facts.get("gpu") else []
    words += [f"{facts['cores']} cores ({facts['architecture']})", f"{threads} threads"]
    words += [f"{facts['memory_gib']:g} GiB"] if facts.get("memory_gib") else []
    cache = facts.get("cache") or {}
    words += [f"{level} {amount}" for level, amount in cache.items()]
    words += [", ".join(facts["simd"])] if facts.get("simd") else []
    return "; ".join([*words, str(facts["system"]), f"Python {facts['python']}"])


def versions(results: Results) -> str:
    """Return what is installed."""
    found = [f"Lossary {results.lossary}", *(f"{k} {v}" for k, v in results.versions.items())]
    return ", ".join(found)


def speed(results: Results) -> str:
    """Return what the machine moves."""
    parts = [
        f"{kind} {bandwidth(results.bandwidth[kind])}"
        for kind in (COPY, TRIAD)
        if kind in results.bandwidth
    ]
    return "Arrays of 40 MB move at: " + ", ".join(parts)


def doubts(results: Results) -> list[str]:
    """Return why these times are not to be believed; nothing of a quiet run."""
    if results.disturbed:
        return [f"Not to be published: {'; '.join(results.disturbed)}."]
    before = results.machine.get("load_before")
    if before is None or before < 0.5 * results.machine["cores"]:
        return []
    return [
        f"Other programs were at work before the run (load {before:g}): do not trust its times."
    ]


RATIOS = (
    "Our time where the peer takes 1: below 1 we are faster, and what we lose is red. Value and "
    "gradient, forward and backward, checks on; medians of alternating rounds of one run."
)


HOW = (
    "Value and gradient of the mean (forward and backward), medians of alternating rounds; the "
    "quartiles beside them. × limit is the time over that in which the bytes that must move do so "
    "in a copy or a triad of arrays of that size, measured in the same rounds on as many threads. "
    "Memory is the peak beyond what was held before, the gradient included; – where the system "
    "cannot see it. Where a first call takes seconds and compiles nothing, it may be the "
    "only one, which the table then says."
)


TARGETS = (
    "Against another contestant: how often faster, or at most how often its time. Limit is the "
    "time in which the bytes move, gradient the memory that the gradient itself takes."
)


def crossovers(results: Results) -> Table:
    """Return the table of sizes."""
    columns = [Column(name) for name in ("loss", "on", "kernel from")]
    rows = [
        (c.loss, c.library, f"{c.above:,} numbers" if c.above else f"not up to {c.sizes[-1]:,}")
        for c in results.crossovers
    ]
    return Table(columns, rows)


def losing(results: Results) -> list[str]:
    """Return the cases in which somebody else is faster than every way through Lossary.

    In a training it is the framework that makes the difference, so there none is named.
    """
    found = []
    for outcome in results.outcomes:
        mine = [row for row in outcome.rows if row.ours and not row.disagrees]
        others = [row for row in outcome.rows if not row.ours and not row.disagrees]
        if not mine or not others or outcome.case.kind == TRAINING:
            continue
        best, other = (min(rows, key=lambda row: row.seconds) for rows in (mine, others))
        if other.seconds < best.seconds:
            found.append(
                f"{title(outcome)}: {other.contestant} {seconds(other.seconds)}, "
                f"{best.contestant} {seconds(best.seconds)}, {best.seconds / other.seconds:.3g}×"
            )
    return found


def _reasons(absent: Iterable[Absent]) -> list[str]:
    """Return a line per reason."""
    groups = grouped(absent, lambda one: one.reason)
    return [f"{'; '.join(a.contestant for a in some)}: {reason}" for reason, some in groups.items()]


def remarks(outcome: Outcome) -> list[str]:
    """Return who disagrees and who did not take part, those with one reason together."""
    found = [
        f"{row.contestant} disagrees: {row.disagrees}" for row in outcome.rows if row.disagrees
    ]
    return found + _reasons(outcome.absent)


def missing(results: Results) -> list[str]:
    """Return who took no part in the run, and which cases found no time."""
    found = _reasons(results.absent)
    if results.skipped:
        found.append(f"no time was left for {', '.join(results.skipped)}")
    return found


def ratio_table(results: Results) -> Table:
    """Return a row of ratios for each case, under the pairs that were measured."""
    found = ratios(results)
    pairs = [pair for pair in PAIRS if any(one.pair == pair for one in found)]
    rows = []
    for outcome in results.outcomes:
        mine = {one.pair: one for one in found if one.outcome is outcome}
        if mine:
            rows.append((outcome.case.name, *(_ratio(mine.get(pair)) for pair in pairs)))
    heads = [f"{pair.ours} / {pair.peer}" for pair in pairs]
    return Table([WORK, *(Column(head, numbers=True, missing="") for head in heads)], rows)


WORK = Column("work", code=True)


def _ratio(one: Ratio | None) -> Styled | None:
    return Styled(one.word, "red bold" if one.lost else "green") if one else None


def markdown(results: Results, level: int = 2, picture: str = "") -> str:
    """Return the results as Markdown, its headings from ``level`` on, below a picture's address."""
    mark = "#" * level
    lines = [*_first(results, picture), "", f"{mark} Targets", "", TARGETS, ""]
    lines += [*_targets(results), "", f"{mark} Where others are faster", ""]
    lines += [f"* {line}" for line in losing(results)] or ["Nowhere in this run."]
    if results.crossovers:
        lines += ["", f"{mark} From which size on the kernel beats the array text", ""]
        lines += crossovers(results).markdown()
    lines += ["", f"{mark} The machine", "", f"{machine(results)}.", "", f"{versions(results)}."]
    lines += ["", f"{speed(results)}.", ""]
    lines += [f"{mark} All cases", "", HOW, ""]
    for key, some in grouped(results.outcomes, lambda o: f"{o.case.loss}, {o.case.dtype}").items():
        lines += [f"{mark}# {key}", "", *_cases(some), ""]
    if absent := missing(results):
        lines += [f"{mark} Who did not take part", "", *(f"* {line}" for line in absent)]
    return "\n".join(lines).rstrip() + "\n"


def _first(results: Results, picture: str) -> list[str]:
    """Return what stands before all else: the picture, and its numbers."""
    lines = [line for doubt in doubts(results) for line in (f"**{doubt}**", "")]
    table = ratio_table(results)
    if not table.rows:
        return [*lines, "No peer was measured beside a way through Lossary."]
    lines += [
        RATIOS,
        f"Measured on {results.date}, with up to {results.settings['rounds']} rounds.",
    ]
    lines += ["", f"![Our time over the peer's, for each size]({picture})"] if picture else []
    return [*lines, "", *table.markdown()]


def verdicts(results: Results) -> list[Verdict]:
    """Return the verdicts on those who were asked to take part."""
    asked = {*results.contestants, *(one.contestant for one in results.absent)}
    return [one for one in judge(results) if one.met is not None or one.target.ours in asked]


def target_table(found: Iterable[Verdict]) -> Table:
    """Return what was asked and what was found."""
    columns = [WORK, *(Column(name) for name in ("by", "against", "asked", "found", ""))]
    styles = {True: "green", False: "red bold", None: "dim"}
    rows = [
        (v.case, v.target.ours, v.target.against, v.target.asked, v.found,
         Styled(f"{v.word}: {v.reason}" if v.reason else v.word, styles[v.met]))
        for v in found
    ]  # fmt: skip
    return Table(columns, rows)


def _targets(results: Results) -> list[str]:
    found = verdicts(results)
    return target_table(found).markdown() if found else ["No target's work is in this run."]


def _cases(outcomes: Iterable[Outcome]) -> list[str]:
    lines = []
    for outcome in outcomes:
        moved = floor(outcome)
        lines += [f"**{title(outcome)}**: {moved}." if moved else f"**{title(outcome)}**", ""]
        lines += [*table(outcome).markdown(), ""]
        lines += [f"* {line}" for line in remarks(outcome)]
        lines += [""] if remarks(outcome) else []
    return lines[:-1]
