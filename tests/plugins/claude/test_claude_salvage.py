"""Damaged lines: every complete record is recovered, nothing is invented, and nothing takes long."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccod import Entry, Record, Stream, Unparsed
from ccod_claude.parser import ClaudeParser
from ccod_jsonl.decoding import pair_surrogates
from ccod_jsonl.salvage import MOST_RECORDS

STREAM = Stream("k", "claude", "/p", "s")
ONE = b'{"type":"user","uuid":"one","sessionId":"s","message":{"content":[{"type":"text","text":"{\\"a\\":"}]}}'
TWO = b'{"parentUuid":"one","type":"assistant","uuid":"two","sessionId":"s","message":{"content":[]}}'
SUMMARY = b'{"type":"summary","summary":"x","leafUuid":"one"}'
SNAPSHOT = b'{"type":"file-history-snapshot","messageId":"m","snapshot":{"messageId":"m"}}'
MEGABYTE = 1_000_000


def parse(line: bytes, offset: int = 0) -> list[Entry | Unparsed]:
    return list(ClaudeParser().parse(STREAM, Record(offset, line)))


def shown(line: bytes) -> list[bytes | tuple[bytes, str]]:
    """Return the bytes of each record, and of each rest with its reason."""
    found: list[bytes | tuple[bytes, str]] = []
    for item in parse(line, offset=1000):
        start = item.offset - 1000
        text = line[start : start + item.length]
        found.append(text if isinstance(item, Entry) else (text, item.reason))
    return found


@pytest.mark.parametrize("line", [b"", b"\n", b"\r\n", b"  \t \n", b"\xef\xbb\xbf\n"])
def test_blank_lines_say_nothing(line: bytes) -> None:
    assert shown(line) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (ONE, [ONE]),
        (ONE + b"\r\n", [ONE]),
        (b"  " + ONE + b" \n", [ONE]),
        (b"\xef\xbb\xbf" + ONE + b"\n", [ONE]),
        (ONE + TWO + b"\n", [ONE, TWO]),
        (ONE + b" " + TWO + SUMMARY + b"{}\n", [ONE, TWO, SUMMARY, b"{}"]),
        (b"\x00" * 300 + ONE + b"\n", [(b"\x00" * 300, "NUL bytes"), ONE]),
        (ONE + b"\x00\x00\n", [ONE, (b"\x00\x00", "NUL bytes")]),
        (ONE + b"\x00" + TWO + b"\n", [ONE, (b"\x00", "NUL bytes"), TWO]),
        (b"\x00\x00\n", [(b"\x00\x00", "NUL bytes")]),
        (b"junk" + ONE + b"\n", [(b"junk", "incomplete or garbled"), ONE]),
        (ONE + b"}\n", [ONE, (b"}", "incomplete or garbled")]),
        (b"[1,2]\n", [(b"[1,2]", "not an object")]),
        (b'["a",' + TWO + b"]\n", [(b'["a",' + TWO + b"]", "not an object")]),
        (b'"text"\n', [(b'"text"', "not an object")]),
        (b"null\r\n", [(b"null", "not an object")]),
        (b"{'a':1}\n", [(b"{'a':1}", "incomplete or garbled")]),
        (b'{"type":"user","n":NaN}\n', [(b'{"type":"user","n":NaN}', "incomplete or garbled")]),
        (ONE[:-1] + b"\n", [(ONE[:-1], "incomplete or garbled")]),
        (ONE.decode().encode("utf-16-le"), [(ONE.decode().encode("utf-16-le"), "incomplete or garbled")]),
    ],
)
def test_damage(line: bytes, expected: list[bytes | tuple[bytes, str]]) -> None:
    assert shown(line) == expected


@pytest.mark.parametrize("following", [ONE, TWO, SUMMARY, SNAPSHOT])
@pytest.mark.parametrize("cut", range(1, len(ONE)))
def test_a_record_after_one_that_was_cut(cut: int, following: bytes) -> None:
    rest = (ONE[:cut], "incomplete or garbled")
    assert shown(ONE[:cut] + following + b"\n") == [rest, following]
    assert shown(ONE[:cut] + following + TWO + b"\n") == [rest, following, TWO]
    assert shown(TWO + ONE[:cut] + following + b"\n") == [TWO, rest, following]


def test_deep_nesting() -> None:
    deep = b'{"type":"user","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert shown(deep + b"\n") == [(deep, "nested too deeply")]


def test_what_is_not_storable_is_replaced() -> None:
    (found,) = parse(b'{"type":"custom-title","customTitle":"\\ud83d\xff\\ud83d\\ude00","cwd":"/\xc3\x28","n":1e999}\n')
    assert isinstance(found, Entry)
    assert found.title is not None
    assert (found.title.text, found.cwd) == ("\ufffd\ufffd😀", "/\ufffd(")


def test_duplicate_keys_and_endless_numbers() -> None:
    (found,) = parse(b'{"type":"mode","type":"user","uuid":"u","isMeta":3,"n":' + b"9" * 5000 + b"}\n")
    assert isinstance(found, Entry)
    assert (found.type, found.uuid) == ("user", "u")


HOSTILE = {
    "opened": b'{"a":' * (MEGABYTE // 5),
    "starts": b'{"a' * (MEGABYTE // 3),
    "children": b'{"a":[' + b'{"b":1},' * (MEGABYTE // 8),
    "open parents": b'{"a":1,' * 900 + b'"x":"' + b"y" * MEGABYTE,
    "open lists": b'{"a":[' * 400 + b"1," * (MEGABYTE // 2),
    "records": b"x" + b'{"type":"user","sessionId":"x"' * (MEGABYTE // 30),
    "glued": b"{}" * (MEGABYTE // 2),
    "strings": b'{"a":"b' * (MEGABYTE // 7),
    "backslashes": b'{"t":"' + b"\\" * MEGABYTE + b'\\ud83d"}',
    "surrogates": b'{"x":1,"t":"' + b"\\ud83d" * (MEGABYTE // 6) + b'"}',
    "surrogates apart": b'{"x":1,"t":"' + b"\\ud83d\\n" * (MEGABYTE // 8) + b'"}',
    "NULs": b"\x00" * MEGABYTE,
    "blanks": b" " * MEGABYTE + b"x",
    "braces": b"{ " * (MEGABYTE // 2),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_lines_take_bounded_work(name: str) -> None:
    """The bound, in CPU time, is far from what it takes; work that grows with the square would take minutes."""
    began = time.thread_time()
    parse(HOSTILE[name] + b"\n")
    assert time.thread_time() - began < 10


PIECES = st.sampled_from(
    [ONE, TWO, SUMMARY, b"{", b"}", b'"', b"\\", b"\\ud83d", b"\x00", b"\xff", b'{"a":', b"[1]", b" "]
)
LINES = st.one_of(
    st.binary(max_size=200), st.lists(PIECES, max_size=8).map(b"".join), st.from_regex(rb'\{"[^\n]{0,40}')
)


@given(LINES)
def test_nothing_raises_and_nothing_is_invented(line: bytes) -> None:
    at = 0
    for item in parse(line + b"\n"):
        assert item.offset >= at
        assert not line[at : item.offset].strip(b" \t\r\n\v\f\xef\xbb\xbf")
        at = item.offset + item.length
        text = line[item.offset : at]
        assert text == text.strip(b" \t\r\n")
        if isinstance(item, Entry):
            assert isinstance(json.loads(text.decode("utf-8", "replace")), dict)
            for value in (item.type, item.uuid, item.session, item.cwd):
                (value or "").encode()
    assert not line[at:].strip(b" \t\r\n\v\f\xef\xbb\xbf")


@given(st.lists(st.sampled_from([ONE, TWO, SUMMARY, SNAPSHOT]), min_size=1), st.sampled_from([b"", b" ", b"\x00\x00"]))
def test_every_record_on_a_line_is_found(records: list[bytes], between: bytes) -> None:
    found = parse(between.join(records) + b"\n")
    assert len([item for item in found if isinstance(item, Entry)]) == len(records)


@pytest.mark.parametrize("record", [b"{}", TWO, SUMMARY])
@pytest.mark.parametrize("before", [b"", ONE[:50]])
def test_no_record_is_lost_up_to_the_limit(record: bytes, before: bytes) -> None:
    if before and record == b"{}":
        record = ONE
    found = parse(before + record * MOST_RECORDS + b"\n")
    assert len([item for item in found if isinstance(item, Entry)]) == MOST_RECORDS
    assert len(found) == MOST_RECORDS + bool(before)


def test_what_is_beyond_the_limit_is_kept_as_one_piece() -> None:
    found = parse(TWO * MOST_RECORDS + b" " + (ONE + b"\x00") * 1000 + b"\n", offset=7)
    assert len(found) == MOST_RECORDS + 1
    start = 7 + len(TWO) * MOST_RECORDS + 1
    assert found[-1] == Unparsed(start, 1000 * (len(ONE) + 1), "too many records on one line")


ESCAPES = st.lists(
    st.sampled_from(
        [
            rb"\\",
            rb"\n",
            rb"\"",
            rb"\ud83d",
            rb"\uDBFF",
            rb"\ude00",
            rb"\uDFff",
            rb"\u00e9",
            b"ud83d",
            b"d",
            "é".encode(),
        ]
    ),
    max_size=12,
).map(b"".join)


@given(ESCAPES, st.sampled_from([b"", b"\n"]))
def test_only_half_characters_are_replaced(text: bytes, end: bytes) -> None:
    """`json` decodes a pair to one character, and a half to itself."""
    mended = pair_surrogates(text + end).removesuffix(end)
    assert len(mended) == len(text)
    said = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in json.loads(b'"' + text + b'"'))
    assert json.loads(b'"' + mended + b'"') == said
