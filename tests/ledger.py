"""Measure how far losses miss their accuracy bars and write that to gaps.toml.

All losses take half an hour; of losses that are named only their own lines change. A gap keeps its
reason, or takes that of its nearest relative in the old ledger; a gap without any gets the reason
"?", which the tests refuse until someone has found out.
"""

import argparse
import math
import sys
from pathlib import Path

from lossary.accuracy.samples import CANCELLING, RANGE, SUBNORMAL
from oracle_cases import CASES, EVERY, GAPS, LEDGER, has_subnormal_numbers, parts, worst

HEAD = """\
# Where a loss misses its accuracy bar (`lossary.accuracy.bars`), with the worst error measured in
# ulps of the true value, by the inputs of `test_oracle.py`. A gap that closes or widens fails the
# run until its line goes or is brought up to date: `python tests/ledger.py`. "all" stands for
# every loss of a library.
"""
WORDS = {RANGE: "", CANCELLING: f" {CANCELLING}", SUBNORMAL: f" {SUBNORMAL}"}
WHOLE = {key: gap for key, gap in GAPS.items() if key[0] == EVERY}


def measured(losses):
    """Yield every case above its bar, but for those of a library that flushes."""
    before = None
    for name, library, dtype in (case.values[0] for case in CASES if case.values[0][0] in losses):
        if name != before:
            print(name, file=sys.stderr)  # noqa: T201  (progress)
        before = name
        for what in ("value", "gradient"):
            for kind, end in WORDS.items():
                size, share = worst(parts(name, library, dtype, step=1), what, kind)
                if share > 1 and (kind != SUBNORMAL or has_subnormal_numbers(library, dtype)):
                    yield (name, library, dtype, what + end), size


def because(case):
    """The reason of the old gap that agrees in most words, those at the left first."""
    name, _, _, what = case
    relatives = [gap for key, gap in GAPS.items() if key[0] == name]
    relatives.sort(
        key=lambda gap: (gap["what"] == what, gap["what"].split()[0] == what.split()[0]),
        reverse=True,
    )
    return GAPS.get(case, relatives[0] if relatives else {"because": "?"})["because"]


def lines_of(gaps):
    lines = []
    for (loss, library, dtype, what), (size, reason) in gaps.items():
        number = "inf" if math.isinf(size) else f"{size:.2g}"
        lines.append(
            f'    {{ loss = "{loss}", library = "{library}", dtype = "{dtype}", '
            f'what = "{what}", worst = {number}, because = "{reason}" }},'
        )
    return lines


def write(gaps):
    used = {reason for _, reason in gaps.values()}
    reasons = [f'{key} = "{text}"' for key, text in LEDGER["reasons"].items() if key in used]
    text = "\n".join([HEAD + "gaps = [", *lines_of(gaps), "]", "", "[reasons]", *reasons, ""])
    Path(__file__).with_name("gaps.toml").write_text(text, encoding="utf-8")


def main():
    losses = sorted({case.values[0][0] for case in CASES})
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("loss", nargs="*", choices=[*losses, []], metavar="LOSS")
    chosen = set(parser.parse_args().loss or losses)
    kept = {key: gap for key, gap in GAPS.items() if key in WHOLE or key[0] not in chosen}
    gaps = {key: (gap["worst"], gap["because"]) for key, gap in kept.items()}
    for case, size in measured(chosen):
        gaps[case] = size, because(case)
        print(*case, f"{size:.2g}", sep="\t", flush=True)  # noqa: T201  (what an interrupted run has found)
    write(gaps)


if __name__ == "__main__":
    main()
