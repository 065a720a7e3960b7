"""Where reading stands at the end of a file that may go on, and what of it is read again."""

from __future__ import annotations

import pytest

from ccod import Record
from ccod_jsonl.reading import CHUNK, MOST_RECORDS, Position, Read, read_chunk, read_records, read_unended

LINE = b'{"type":"user"}\n'
MAX_LINE = 4 * CHUNK


def reader(content: bytes, asked: list[int] | None = None) -> Read:
    """Return what reads `content`, and notes from where on it was asked to."""

    def read(at: int, size: int) -> bytes:
        if asked is not None:
            asked.append(at)
        assert at >= 0
        assert size <= MAX_LINE
        return content[at : at + size]

    return read


def test_a_batch_has_so_many_lines_and_the_next_begins_behind_them() -> None:
    assert Position() == (0, 0, 0)
    content = LINE * (MOST_RECORDS + 2) + LINE[:3]
    records, position = read_records(reader(content), Position(), MAX_LINE)
    end = MOST_RECORDS * len(LINE)
    assert (len(records), position) == (MOST_RECORDS, Position(end, 0, end))
    assert records[-1] == Record(end - len(LINE), LINE)
    records, position = read_records(reader(content), position, MAX_LINE)
    assert records == [Record(end, LINE), Record(end + len(LINE), LINE)]
    assert position == Position(end + 2 * len(LINE), 0, len(content))


@pytest.mark.parametrize(("there", "again"), [(CHUNK - 1, 0), (CHUNK + 1, CHUNK + 1)])
def test_only_a_short_line_is_read_again_while_it_is_open(there: int, again: int) -> None:
    """What its writer took back of a short line is seen, and what a long one costs does not grow with it."""
    content = b"x" * there
    records, position = read_records(reader(content), Position(), MAX_LINE)
    assert (records, position) == ([], Position(0, 0, there))
    asked: list[int] = []
    content += b"y\n"
    records, position = read_records(reader(content, asked), position, MAX_LINE)
    assert records == [Record(0, content)]
    assert position == Position(len(content), 0, len(content))
    assert asked[0] == again


def test_what_is_too_long_goes_on_in_pieces_from_any_position() -> None:
    content = b"x" * 25 + b"\n" + b"y\n"
    position, found = Position(), []
    while True:
        records, position = read_records(reader(content), position, 10)
        if not records:
            break
        found += records
        assert position.piece == (0 if records[-1].body.endswith(b"\n") else records[-1].piece)
    assert [(record.offset, record.piece) for record in found] == [(0, 1), (10, 2), (20, 3), (26, 0)]
    assert position == Position(28, 0, 28)


@pytest.mark.parametrize("body", [b"{}", b'{"a":{"b":"}"}}', b'  {"a":1}'])
def test_a_whole_record_at_the_end_is_read(body: bytes) -> None:
    start, end = len(LINE), len(LINE) + len(body)
    records, position = read_unended(reader(LINE + body), Position(start, 0, end))
    assert (records, position) == ([Record(start, body)], Position(end, 0, end))


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a":1', b'{"a":}', b'{"a":1}}', b"1}", b'{"a":1}\n ', b'{"a":' * 100_000 + b"}" * 100_000]
)
def test_what_is_no_whole_record_at_the_end_waits(body: bytes) -> None:
    position = Position(len(LINE), 0, len(LINE) + len(body))
    assert read_unended(reader(LINE + body), position) == ([], position)


def test_the_end_of_a_line_in_pieces_is_no_record() -> None:
    position = Position(len(LINE), 2, len(LINE) + 2)
    assert read_unended(reader(LINE + b"{}"), position) == ([], position)


def test_what_has_no_lines_is_read_as_it_comes() -> None:
    content = b"a\nb" * CHUNK
    first, position = read_chunk(reader(content), Position(), MAX_LINE)
    assert (first, position) == ([Record(0, content[:CHUNK])], Position(CHUNK, 0, CHUNK))
    second, position = read_chunk(reader(content), position, MAX_LINE)
    assert (second[0].offset, position.offset) == (CHUNK, 2 * CHUNK)
    at_end = Position(len(content), 0, len(content))
    assert read_chunk(reader(content), at_end, MAX_LINE) == ([], at_end)


def test_the_shortest_pieces_have_one_byte() -> None:
    for max_line in (0, 1):
        records, _ = read_records(reader(b"ab\n"), Position(), max_line)
        assert records == [Record(0, b"a", 1)]
