"""What every parser must do. Tests inherit `ParserContract` and offer the fixtures `parser` and `sample`."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from ccod import Content, Entry, Parser, Record, Stream, Unparsed

ODD = [b"", b"\n", b"\r\n", b" \t\n", b"\0\n", b"\xff\xfe\n", b"{\n", b"{}\n", b"[]\n", b"1e999\n", b"[" * 100_000]


class ParserContract:
    """The role `Parser`, observed from outside. `sample` is some sound lines of its format, terminators included."""

    @pytest.fixture
    def stream(self, parser: Parser) -> Stream:
        return Stream("key", parser.format, "/nowhere/key", "conversation")

    def test_it_says_what_it_understands(self, parser: Parser) -> None:
        assert parser.format
        assert parser.version.replace(".", "").isdigit()

    def test_sound_lines_are_understood(self, parser: Parser, stream: Stream, sample: Sequence[bytes]) -> None:
        understood = [each for line in sample for each in parser.parse(stream, Record(0, line))]
        assert any(isinstance(each, Entry) and each.role for each in understood), "no line of the sample is a message"
        assert not [each for each in understood if isinstance(each, Unparsed)]

    def test_an_entry_lies_in_its_record(self, parser: Parser, stream: Stream, sample: Sequence[bytes]) -> None:
        for line in sample:
            end = 7
            for each in parser.parse(stream, Record(7, line)):
                assert each.offset >= end, "entries overlap"
                end = each.offset + each.length
                assert each.length > 0
            assert end <= 7 + len(line)

    def test_the_same_line_says_the_same(self, parser: Parser, stream: Stream, sample: Sequence[bytes]) -> None:
        first = [[*parser.parse(stream, Record(0, line))] for line in sample]
        for line in reversed(sample):
            assert [*parser.parse(stream, Record(0, line))] == first[sample.index(line)]

    def test_a_message_says_something(self, parser: Parser, stream: Stream, sample: Sequence[bytes]) -> None:
        said = [
            parser.content(line[each.offset : each.offset + each.length])
            for line in sample
            for each in parser.parse(stream, Record(0, line))
            if isinstance(each, Entry) and each.role
        ]
        assert all(isinstance(content, Content) for content in said)
        assert any(content.text or content.blocks for content in said)

    def test_a_blank_line_is_nothing(self, parser: Parser, stream: Stream) -> None:
        assert [*parser.parse(stream, Record(0, b"\n"))] == []

    @pytest.mark.parametrize("line", ODD, ids=range(len(ODD)))
    def test_no_line_is_too_odd(self, parser: Parser, stream: Stream, line: bytes) -> None:
        _check(parser, stream, line)
        assert isinstance(parser.content(line), Content)

    def test_no_damage_makes_it_raise(self, parser: Parser, stream: Stream, sample: Sequence[bytes]) -> None:
        """Cut, flip and mix the sample's bytes, in the same way each time."""
        dice = random.Random(7)
        for line in sample:
            for _ in range(50):
                damaged = bytearray(line)
                for _ in range(dice.randint(1, 4)):
                    damaged[dice.randrange(len(damaged))] = dice.randrange(256)
                _check(parser, stream, bytes(damaged))
                _check(parser, stream, line[: dice.randrange(len(line))])
                assert isinstance(parser.content(bytes(damaged)), Content)


def _check(parser: Parser, stream: Stream, line: bytes) -> None:
    for each in parser.parse(stream, Record(0, line)):
        assert isinstance(each, Entry | Unparsed)
        assert 0 <= each.offset <= each.offset + each.length <= len(line)
