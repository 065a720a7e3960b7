"""How commands print tables: all where a program reads, what there is room for at a terminal. Others may use it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import click

from ccod_http.printing import printable

GAP = "  "


class Column(NamedTuple):
    """A column of a table: its head, and what becomes of it at a terminal that is too narrow.

    Columns go there until the others have room, the one with the highest `drop` first; 0 stays. What stays may be cut,
    down to `least` characters; 0 is never cut. `right` is for numbers.
    """

    head: str
    right: bool = False
    drop: int = 0
    least: int = 0


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[str]], *, heads: bool = True) -> None:
    """Print rows one to a line. Nothing is left out or cut but at a terminal."""
    for line in table_lines(columns, rows, terminal_width(), heads=heads):
        click.echo(line)


def terminal_width() -> int | None:
    """Return how many characters a line has, None where that does not matter."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table_lines(
    columns: Sequence[Column], rows: Iterable[Sequence[str]], width: int | None, *, heads: bool = True
) -> Iterator[str]:
    """Yield the lines of a table that is `width` wide at most."""
    from rich.cells import cell_len

    written = [[column.head for column in columns]] if heads else []
    written += [[printable(cell) for cell in row] for row in rows]
    natural = [max(map(cell_len, column)) for column in zip(*written, strict=True)]
    sizes = _sizes(columns, natural, width)
    for row in written:
        cells = (_fitted(row[i], size, right=columns[i].right) for i, size in sizes.items())
        yield GAP.join(cells).rstrip()


def _sizes(columns: Sequence[Column], natural: Sequence[int], width: int | None) -> dict[int, int]:
    """Return how wide each column is that is shown, by its number."""
    sizes = dict(enumerate(natural))
    if width is None:
        return sizes
    least = {i: min(size, columns[i].least or size) for i, size in sizes.items()}
    while sum(least.values()) + len(GAP) * (len(least) - 1) > width:
        last = max(least, key=lambda i: columns[i].drop)
        if not columns[last].drop:
            break
        del least[last]
    spare = max(0, width - sum(least.values()) - len(GAP) * (len(least) - 1))
    for i, size in least.items():
        more = min(spare, natural[i] - size)
        least[i], spare = size + more, spare - more
    return least


def _fitted(cell: str, size: int, *, right: bool) -> str:
    from rich.cells import cell_len, set_cell_size

    if cell_len(cell) > size:
        return f"{set_cell_size(cell, size - 1)}…"
    blank = " " * (size - cell_len(cell))
    return blank + cell if right else cell + blank
