"""Write one page per study by running it: tables, figure, lesson, claims and measurements."""

from __future__ import annotations

from pathlib import Path

from lossary.study import Report, Study, Table, run, studies

COMMITTED = {"mnist"}  # needs files that a documentation build does not have


def write(directory: Path) -> None:
    """Run every study that needs no download and write its page, and the index of all."""
    directory.mkdir(exist_ok=True)
    for name in studies:
        if name not in COMMITTED:
            write_page(directory, name)
    update(directory / "index.md", index(list(studies.values())))


def write_page(directory: Path, name: str, data: Path | None = None) -> None:
    """Run one study and write its page and figure."""
    report = run(name, data=data)
    report.draw(directory / f"{name}.svg")
    update(directory / f"{name}.md", page(report))


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
    lines += ["", "## What the articles say, and what was measured", ""]
    lines += ["| item | said | measured | |", "|---|---|---|---|"]
    lines += [
        f"| {claim.item} | {claim.says} | {claim.measured} | {claim.verdict} |"
        for claim in report.claims
    ]
    settings = ", ".join(f"{name} {value}" for name, value in report.settings.items())
    lines += ["", f"Settings: {settings}; seed {report.seed}."]
    return "\n".join(lines) + "\n"


def rows(table: Table) -> list[str]:
    """A table of a report as Markdown."""
    body = [
        [column.write(cell) for column, cell in zip(table.columns, row, strict=True)]
        for row in table.rows
    ]
    head = [column.name for column in table.columns]
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body)]


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


def update(path: Path, text: str) -> None:
    """Write unless the file already says so, because Sphinx rebuilds what is newer."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
