"""A folder of transcripts, for tests of single parts of the tailer."""

from __future__ import annotations

from pathlib import Path

import pytest

LINE = b'{"type":"user"}\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "p").mkdir(parents=True)
    return tmp_path / "root"


@pytest.fixture
def file(root: Path) -> Path:
    path = root / "p" / "a.jsonl"
    path.write_bytes(LINE)
    return path
