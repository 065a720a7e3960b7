"""The split by table that is printed accounts for the whole file."""

from __future__ import annotations

from pathlib import Path

from tests.bench.size import MAP, WHOLE, by_table, lines
from tests.faults.house import empty_database


def test_the_tables_add_up_to_the_file(tmp_path: Path) -> None:
    database = tmp_path / "ccod.db"
    database.write_bytes(empty_database())
    sizes = by_table(database)
    whole = sizes.pop(WHOLE)
    assert whole == database.stat().st_size
    if sizes:  # this SQLite can tell
        assert sum(sizes.values()) == whole
        assert 0 < sizes[MAP] < whole / 50
        assert {"search", "blocks", "entries"} <= sizes.keys()
    assert lines({"blocks": 500, "tiny": 1}, 2000) == ["| blocks | 0.0 MB | 0.250 |"]
