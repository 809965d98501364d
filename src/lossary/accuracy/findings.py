"""What a diagnosis found: plain fields for programs, and words for people."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import inf, isinf, isnan, log10
from textwrap import wrap
from typing import Any

from lossary.accuracy.regions import Range
from lossary.accuracy.table import number
from lossary.accuracy.ulps import FORMATS

WIDTH = 88
FEW = 4.0  # units in the last place, up to which nothing is said


@dataclass(frozen=True)
class Finding:
    """One region of one quantity in which digits are lost, and the part that loses them.

    ``where`` are the conditions that hold in the region; ``count`` of its ``among`` numbers lose
    digits. ``ends`` says that it happens at the ends of the type only, at subnormal numbers and
    near the largest; ``explained`` that a rounding of the arguments would cost as many digits;
    ``known`` that ``help`` is a rewrite that was tried at these numbers. ``worst`` is in units of
    the last place.
    """

    what: str
    part: str
    cause: str
    why: str
    where: tuple[Range, ...]
    worst: float
    count: int
    among: int
    ends: bool
    explained: bool
    help: str
    known: bool
    example: dict[str, Any]
    computed: Any
    true: Any

    @property
    def region(self) -> str:
        """The conditions in words."""
        return " and ".join(map(str, self.where)) or "here and there"

    def digits(self, dtype: str) -> float:
        """Return how many decimal digits are right in the worst case."""
        return max(0.0, FORMATS[dtype].digits * log10(2) - log10(max(self.worst, 1.0)))


@dataclass(frozen=True)
class Diagnosis:
    """How exact a loss is in a type, and where it is not.

    ``worst`` maps "value", "gradient by prediction" … to the largest error in units of the last
    place, out of ``numbers`` numbers and a search for what is not finite. ``good`` is whether no
    digits are lost that a better formula could save.
    """

    loss: str
    dtype: str
    numbers: int
    worst: dict[str, float]
    findings: tuple[Finding, ...]

    @property
    def good(self) -> bool:
        """Whether nothing is lost but what a rounding of the arguments costs anyway."""
        return all(f.explained and not f.known for f in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Return plain numbers and words."""
        return {
            "loss": self.loss,
            "dtype": self.dtype,
            "numbers": self.numbers,
            "good": self.good,
            "worst": self.worst,
            "findings": [
                {**asdict(f), "region": f.region, "digits": round(f.digits(self.dtype), 1)}
                for f in self.findings
            ],
        }

    def __str__(self) -> str:
        return "\n".join(self._lines())

    __repr__ = __str__

    def _lines(self) -> list[str]:
        verdict = "digits are lost"
        if all(f.ends for f in self.findings if not f.explained or f.known):
            verdict += ", at the ends of the type only"
        if self.good:
            verdict = "as exact as its arguments" if self.findings else self._few()
        width = max(map(len, self.worst))
        lines = [f"{self.loss} in {self.dtype}: {verdict}", ""]
        lines += [f"  {what:{width}}  {_ulp(error)}" for what, error in self.worst.items()]
        for place, finding in enumerate(self.findings, 1):
            lines += ["", *self._finding(place, finding)]
        return lines

    def _few(self) -> str:
        """Say which quantities are off by more than a well kept sum, though no digit is lost."""
        less = [what for what, error in self.worst.items() if error > FEW]
        return (
            f"a few units are lost, of the {', the '.join(less)}" if less else "no digits are lost"
        )

    def _finding(self, place: int, f: Finding) -> list[str]:
        head = f"{place}. {f.what}: {self._lost(f)} where {f.region}"
        if not f.where:
            head = f"{place}. {f.what}: {self._lost(f)} here and there"
        rows = [
            ("seen", f"at {f.count} of {f.among} numbers{' there' if f.where else ''}"),
            ("part", f.part),
            ("because", f.why),
            ("example", f"{_spelled(f.example)} gives {self._result(f)}"),
        ]
        if f.explained:
            rows.append(("note", "a rounding of the arguments would cost as many digits"))
        if f.known or not f.explained:
            rows.append(("tried" if f.known else "help", f.help))
        lines = wrap(head, WIDTH, subsequent_indent="   ")
        for title, text in rows:
            first, *more = wrap(text, WIDTH - 13) or [""]
            lines += [f"   {title:9} {first}", *(f"   {'':9} {line}" for line in more)]
        return lines

    def _result(self, f: Finding) -> str:
        """Say what came out and what is true, in as many digits as show the difference."""
        digits = 17 if f.digits(self.dtype) > 4 else 6
        found, true = (_given(x, digits) for x in (f.computed, f.true))
        return found if f.cause == "undefined" else f"{found}, truly {true}"

    def _lost(self, f: Finding) -> str:
        kept, all_ = f.digits(self.dtype), FORMATS[self.dtype].digits * log10(2)
        if f.cause == "undefined":
            return "not a number"
        if isinf(f.worst):
            found = f.computed if isinstance(f.computed, list) else [f.computed]
            return "NaN" if any(map(isnan, found)) else "infinite, or lost altogether,"
        if kept < 1:
            return "no digit is right"
        return f"as few as {kept:.0f} of {all_:.0f} digits are right"


def _ulp(error: float) -> str:
    if error == inf:
        return "not finite, or of another size altogether, somewhere"
    return f"within {number(error)} units in the last place"


def _spelled(example: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {_given(value)}" for name, value in example.items())


def _given(x: Any, digits: int = 17) -> str:
    if hasattr(x, "tolist"):
        x = x.tolist()
    if isinstance(x, (list, tuple)):
        shown = [_given(v, digits) for v in x[:6]]
        return f"[{', '.join(shown)}{', …' if len(x) > 6 else ''}]"
    return str(x).removesuffix(".0") if digits == 17 else f"{x:.{digits}g}"
