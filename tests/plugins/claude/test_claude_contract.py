"""The source and the parser of Claude Code keep their contracts; the sample is what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccod import Parser
from ccod.testing import ParserContract, SourceContract, World
from ccod_claude.parser import ClaudeParser
from ccod_claude.samples import Session, conversation
from ccod_claude.settings import ClaudeSettings
from ccod_claude.source import ClaudeSource


class TestClaudeParser(ParserContract):
    @pytest.fixture
    def parser(self) -> Parser:
        return ClaudeParser()

    @pytest.fixture
    def sample(self) -> list[bytes]:
        return conversation()


class Projects:
    """A folder of transcripts, in which one grows."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lines = iter(conversation())
        self._file = root / Session(0).path
        self._file.parent.mkdir()

    def source(self) -> ClaudeSource:
        return ClaudeSource(ClaudeSettings(roots=[str(self._root)], scan_interval=0.02, watcher="none"))

    def write(self) -> bytes:
        line = next(self._lines)
        with self._file.open("ab") as file:
            file.write(line)
        return line


class TestClaudeSource(SourceContract):
    @pytest.fixture
    def world(self, tmp_path: Path) -> World:
        return Projects(tmp_path)


def test_the_sample_is_the_same_each_time_and_others_are_others() -> None:
    assert conversation() == conversation()
    other = conversation(1)
    assert not {*other} & {*conversation()}
