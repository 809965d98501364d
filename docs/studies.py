"""Write one page per study by running it: tables, figure, lesson, claims and measurements.

The pages are committed, because some studies take minutes and one needs files that a documentation
build does not have. ``stale`` finds pages whose study has other settings by now.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from lossary.study import Report, Study, Table, draw_report, run, studies

HERE = Path(__file__).parent / "studies"


def write(name: str, data: Path | None = None) -> None:
    """Run one study and write its page and figure, and the index of all."""
    HERE.mkdir(exist_ok=True)
    report = run(name, data=data)
    draw_report(report, HERE / f"{name}.svg")
    (HERE / f"{name}.md").write_text(page(report), encoding="utf-8")
    (HERE / "index.md").write_text(index(list(studies.values())), encoding="utf-8")


def stale() -> list[str]:
    """Studies without a page, or with a page made under other settings."""
    pages = {name: HERE / f"{name}.md" for name in studies}
    return [
        name
        for name, path in pages.items()
        if not path.exists()
        or settings(asdict(studies[name].settings)) not in path.read_text(encoding="utf-8")
    ]


def settings(values: dict[str, object]) -> str:
    """The settings of a study in one line."""
    return f"Settings: {', '.join(f'{name} {value}' for name, value in values.items())}."


def page(report: Report) -> str:
    """The report of a study as Markdown."""
    lines = [
        f"({report.study})=",
        f"# {report.title}",
        "",
        "```sh",
        f"lossary study {report.study} -o {report.study}.png",
        "```",
        "",
        report.learned,
        "",
        f"![The figure of the study {report.study}]({report.study}.svg)",
    ]
    for table in report.tables:
        lines += ["", f"## {table.title}", "", *rows(table)]
        if table.note:
            lines += ["", table.note]
    if report.claims:
        lines += ["", "## What the articles say, and what was measured", ""]
        lines += ["| item | said | measured | |", "|---|---|---|---|"]
    lines += [
        row([claim.item, claim.says, claim.measured, claim.verdict]) for claim in report.claims
    ]
    lines += ["", f"{settings(dict(report.settings))} Seed {report.seed}."]
    return "\n".join(lines) + "\n"


def rows(table: Table) -> list[str]:
    """A table of a report as Markdown."""
    body = [
        [column.write(cell) for column, cell in zip(table.columns, cells, strict=True)]
        for cells in table.rows
    ]
    head = [column.name for column in table.columns]
    return [row(cells) for cells in (head, ["---"] * len(head), *body)]


def row(cells: list[str]) -> str:
    """One row of a Markdown table."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def index(found: list[Study]) -> str:
    """The page that leads to all studies."""
    lines = [
        "# Studies",
        "",
        "Small experiments that anyone can repeat.",
        "All training uses Lossary's own values and gradients on NumPy.",
        "",
    ]
    lines += [f"* [{study.name}]({study.name}.md): {study.purpose}" for study in found]
    names = [study.name for study in found]
    return "\n".join([*lines, "", "```{toctree}", ":hidden:", "", *names, "```", ""])
