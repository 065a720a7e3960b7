"""Tables of commands: whole where a program reads, and as wide as the terminal at most."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from ccod_http.columns import Column, table_lines

COLUMNS = (Column("id"), Column("state", drop=1), Column("cost", right=True, drop=2), Column("title", least=8))
ROWS = (("a9a62e83", "active", "$12.58", "mend the till of the shop"), ("43222df2", "waiting", "$0.12", "名前 of all"))
NARROWEST = 8 + 2 + 8


def test_without_a_terminal_nothing_is_cut() -> None:
    assert [*table_lines(COLUMNS, ROWS, None)] == [
        "id        state      cost  title",
        "a9a62e83  active   $12.58  mend the till of the shop",
        "43222df2  waiting   $0.12  名前 of all",
    ]


def test_at_a_terminal_columns_go_before_anything_is_cut_short() -> None:
    assert [*table_lines(COLUMNS, ROWS, 40, heads=False)] == [
        "a9a62e83  active   $12.58  mend the til…",
        "43222df2  waiting   $0.12  名前 of all",
    ]
    assert [*table_lines(COLUMNS, ROWS, 30, heads=False)] == [
        "a9a62e83  active   mend the t…",
        "43222df2  waiting  名前 of all",
    ]
    assert [*table_lines(COLUMNS, ROWS, 20, heads=False)] == ["a9a62e83  mend the …", "43222df2  名前 of a…"]


@given(st.lists(st.tuples(*[st.text(max_size=40)] * 4), min_size=1), st.integers(NARROWEST, 200))
def test_no_line_is_wider_than_the_terminal(rows: list[tuple[str, ...]], width: int) -> None:
    named = [("a9a62e83", *rest) for _, *rest in rows]
    lines = [*table_lines(COLUMNS, named, width)]
    assert len(lines) == len(rows) + 1
    assert all(cell_len(line) <= width and line.isprintable() for line in lines)
