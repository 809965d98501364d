"""Write one page per study by running it: tables, figure, lesson, claims and measurements.

The pages are committed, because some studies take minutes and one needs files that a documentation
build does not have. ``stale`` finds pages whose study has other settings by now.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from lossary.study import Report, Study, draw_report, run, studies
from lossary.tables import Column, Table

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
        lines += ["", f"## {table.title}", "", *table.markdown()]
        if table.note:
            lines += ["", table.note]
    if report.claims:
        lines += ["", "## What the articles say, and what was measured", ""]
        columns = [Column(name) for name in ("item", "said", "measured", "")]
        said = [(c.item, c.says, c.measured, c.verdict) for c in report.claims]
        lines += Table(columns, said).markdown()
    lines += ["", f"{settings(dict(report.settings))} Seed {report.seed}."]
    return "\n".join(lines) + "\n"


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
