"""How bytes become records does not depend on when they come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ccod import Record
from ccod_jsonl.reading import Position, read_records

CONTENT = st.lists(st.sampled_from([b"a", b"bb", b"\n", b"\r\n", b"\x00", b"\xe2\x80\xa8", b"c" * 20])).map(b"".join)


def read_all(content: bytes, cuts: list[int], max_line: int, *, forgetful: bool) -> tuple[list[Record], Position]:
    """Read a file that grows to each of `cuts`, and to its end; a forgetful reader restarts from its checkpoint."""
    records: list[Record] = []
    position = Position()
    for there in [*sorted(cut for cut in cuts if cut < len(content)), len(content)]:
        grown = content[:there]

        def read(at: int, size: int, grown: bytes = grown) -> bytes:
            return grown[at : at + size]

        while True:
            found, following = read_records(read, position, max_line)
            if following == position:
                break
            records += found
            position = following
        if forgetful:
            position = position._replace(searched=position.offset)
    return records, position


@given(CONTENT, st.lists(st.integers(0, 200)), st.integers(0, 40), st.booleans())
def test_any_growth_gives_the_same_records(content: bytes, cuts: list[int], max_line: int, forgetful: bool) -> None:
    records, position = read_all(content, cuts, max_line, forgetful=forgetful)
    at_once, _ = read_all(content, [], max_line, forgetful=False)
    assert records == at_once
    joined = b"".join(record.body for record in records)
    assert content.startswith(joined)
    assert position.offset == len(joined)
    assert [record.offset for record in records] == offsets(records)
    whole = joined.rpartition(b"\n")
    assert whole[0] + whole[1] == content[: content.rfind(b"\n") + 1]


@given(CONTENT, st.integers(1, 40))
def test_lines_are_whole_or_too_long(content: bytes, max_line: int) -> None:
    records, _ = read_all(content, [], max_line, forgetful=False)
    piece = 0
    for record in records:
        assert len(record.body) <= max_line
        if record.piece == 0:
            assert record.body.endswith(b"\n")
            assert piece == 0
        else:
            assert record.piece == piece + 1
        piece = 0 if record.body.endswith(b"\n") else record.piece


def test_a_line_is_too_long_as_soon_as_its_end_cannot_be_near_enough() -> None:
    for length, expected in ((9, []), (10, [Record(0, b"x" * 10, 1)])):
        content = b"x" * length
        records, _ = read_records(lambda at, size, there=content: there[at : at + size], Position(), 10)  # type: ignore[misc]
        assert records == expected


def test_a_line_that_is_as_long_as_allowed_is_whole() -> None:
    content = b"x" * 9 + b"\n"
    records, _ = read_all(content, [], 10, forgetful=False)
    assert records == [Record(0, content)]
    records, _ = read_all(b"x" + content, [], 10, forgetful=False)
    assert [record.piece for record in records] == [1, 2]


def test_a_long_line_that_is_cut_while_it_is_read_is_read_again() -> None:
    there = [b"x" * 10, b"x" * 3]
    records, position = read_records(lambda at, size: there.pop(0)[at : at + size], Position(), 10)
    assert (records, position) == ([], Position())
    assert not there


def test_a_batch_is_bounded() -> None:
    content = b"\n" * 5000
    records, position = read_records(lambda at, size: content[at : at + size], Position(), 1000)
    assert 0 < len(records) <= 2000
    assert position.offset == len(records)


def offsets(records: list[Record]) -> list[int]:
    total, found = 0, []
    for record in records:
        found.append(total)
        total += len(record.body)
    return found
