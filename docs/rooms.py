"""Draw the rooms of the house, from the imports: the picture and the table of docs/architecture.md.

A room is a module or a package directly under ``lossary``. An arrow goes from a room to one that it
imports, and stands only where no chain of other arrows says the same.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from lossary.tables import Column, Table

HERE = Path(__file__).parent
SOURCES = HERE.parent / "src/lossary"
PICTURE = HERE / "figures/rooms.svg"
PAGE = HERE / "architecture.md"

DOORS = (
    "torch",
    "keras",
    "tensorflow",
    "optax",
    "sklearn",
    "boosters",
    "huggingface",
    "patching",
    "doors",
)
LAB = (
    "accuracy", "bench", "study", "information", "show", "cli", "tables", "picture", "terminal",
    "class_weights", "ensembles", "lookup", "pairs", "sequences",
)  # fmt: skip
KINDS = {"the library": "#2a6fb0", "a door": "#b3541e", "lab and tools": "#3f7d3a"}

Graph = Mapping[str, set[str]]


@cache
def rooms() -> tuple[str, ...]:
    """Return the names of all rooms."""
    found = {
        path.stem if path.suffix else path.name for path in SOURCES.iterdir() if _is_room(path)
    }
    return tuple(sorted(found))


def _is_room(path: Path) -> bool:
    if path.is_dir():
        return (path / "__init__.py").exists()
    return path.suffix == ".py" and not path.stem.startswith("__")


def kind(room: str) -> str:
    """Return which of the three kinds a room is."""
    return "a door" if room in DOORS else "lab and tools" if room in LAB else "the library"


def files(room: str) -> list[Path]:
    """Return the modules of a room."""
    folder = SOURCES / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def about(room: str) -> str:
    """Return the first sentence of a room's docstring, as it stands there."""
    folder = SOURCES / room
    path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    words = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(words.partition("\n\n")[0].split()).replace("``", "`")


@cache
def imports() -> Graph:
    """Return for each room those that it imports, other than for annotations."""
    return {
        room: {name for path in files(room) for name in _imported(path)} - {room}
        for room in rooms()
    }


def _imported(path: Path) -> Iterator[str]:
    for node in _at_work(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
            if node.module == "lossary":
                names = [f"lossary.{alias.name}" for alias in node.names]
        for name in names:
            room = name.removeprefix("lossary.").partition(".")[0]
            if name.startswith("lossary.") and room in rooms():
                yield room


def _at_work(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a module, those that only annotations need left out."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            yield node
            yield from _at_work(node)


def direct(graph: Graph) -> dict[str, set[str]]:
    """Return the arrows that no chain of others replaces.

    >>> direct({"a": {"b", "c"}, "b": {"c"}, "c": set()})
    {'a': {'b'}, 'b': {'c'}, 'c': set()}
    """

    @cache
    def below(room: str) -> frozenset[str]:
        return frozenset(graph[room]).union(*(below(other) for other in graph[room]))

    return {
        room: {other for other in found if not any(other in below(via) for via in found)}
        for room, found in graph.items()
    }


def ranks(graph: Graph) -> dict[str, int]:
    """Return how long the longest chain of imports below each room is.

    >>> ranks({"a": {"b", "c"}, "b": {"c"}, "c": set()})
    {'a': 2, 'b': 1, 'c': 0}
    """

    @cache
    def rank(room: str) -> int:
        return max((rank(other) + 1 for other in graph[room]), default=0)

    return {room: rank(room) for room in graph}


def table() -> list[str]:
    """Return the table of rooms, from what everything rests on to the command line."""
    graph = imports()
    order, least = ranks(graph), direct(graph)
    kinds = list(KINDS)
    found = sorted(rooms(), key=lambda room: (kinds.index(kind(room)), order[room], room))
    columns = Column("room", code=True), Column("kind"), Column("what it is"), Column("rests on")
    rows = [
        (room, kind(room), about(room), ", ".join(f"`{other}`" for other in sorted(least[room])))
        for room in found
    ]
    return Table(columns, rows).markdown()


# The picture.

WIDTH, HEIGHT, GAP, STEP, MARGIN = 104, 26, 14, 66, 12


def _lines(graph: Graph) -> list[list[str]]:
    """Return the rooms line by line, the command line first, each above what it imports.

    The lab stands on the right.
    """
    order = ranks(graph)
    lines = [[r for r in rooms() if order[r] == rank] for rank in range(max(order.values()) + 1)]
    place: dict[str, float] = {}
    for line in lines:  # from below: a room stands above the middle of what it rests on
        found = {room: [place[other] for other in graph[room]] or [0.5] for room in line}
        line.sort(key=lambda room, found=found: (room in LAB, sum(found[room]) / len(found[room])))
        place |= {room: (number + 0.5) / len(line) for number, room in enumerate(line)}
    return lines[::-1]


def picture() -> str:
    """Return the picture as SVG."""
    graph = direct(imports())
    lines = _lines(graph)
    wide = max(map(len, lines)) * (WIDTH + GAP) - GAP + 2 * MARGIN
    high = len(lines) * STEP - (STEP - HEIGHT) + 2 * MARGIN + 30
    centre: dict[str, tuple[float, float]] = {}
    for number, line in enumerate(lines):
        left = (wide - len(line) * (WIDTH + GAP) + GAP) / 2
        for place, room in enumerate(line):
            centre[room] = left + place * (WIDTH + GAP) + WIDTH / 2, MARGIN + 30 + number * STEP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" '
        'font-family="sans-serif" font-size="12">',
        "<title>The rooms of Lossary, each above what it imports</title>",
        f'<rect width="{wide}" height="{high}" fill="#ffffff"/>',
    ]
    parts += [_legend(number, *item) for number, item in enumerate(KINDS.items())]
    arrows = [(room, other) for room in sorted(graph) for other in sorted(graph[room])]
    parts += [_arrow(centre[room], centre[other], KINDS[kind(room)]) for room, other in arrows]
    parts += [_box(room, *centre[room]) for room in rooms()]
    return "\n".join([*parts, "</svg>", ""])


def _legend(number: int, name: str, colour: str) -> str:
    x = MARGIN + number * 130
    return (
        f'<rect x="{x}" y="{MARGIN - 4}" width="12" height="12" rx="3" fill="{colour}"/>'
        f'<text x="{x + 18}" y="{MARGIN + 6}" fill="#222222">{name}</text>'
    )


def _arrow(start: tuple[float, float], end: tuple[float, float], colour: str) -> str:
    (x, y), (to, down) = start, end
    y, bend = y + HEIGHT, (down - y - HEIGHT) / 2
    return (
        f'<path d="M{x:g} {y:g} C{x:g} {y + bend:g} {to:g} {down - bend:g} {to:g} {down:g}" '
        f'fill="none" stroke="{colour}" stroke-opacity="0.55"/>'
    )


def _box(room: str, x: float, y: float) -> str:
    colour = KINDS[kind(room)]
    return (
        f'<rect x="{x - WIDTH / 2:g}" y="{y:g}" width="{WIDTH}" height="{HEIGHT}" rx="5" '
        f'fill="#ffffff" stroke="{colour}" stroke-width="1.5"/>'
        f'<text x="{x:g}" y="{y + 17:g}" text-anchor="middle" fill="#222222">{room}</text>'
    )
