"""Every key is found on the line where it begins."""

from __future__ import annotations

from ccod.positions import positions, stumbling_block

TEXT = '''\
# a comment with key = 1
top = """
[not] a header
fake = 1
"""

[http] # header
port = 1
"quoted key".inner = [
  1, # port = 2
  2,
]
limits = { window = 3 }
[[many]]
a = 1
[a.b."c d"]
e = 1
'''


def test_keys_are_found_where_their_statement_begins() -> None:
    assert positions(TEXT) == {
        ("top",): 2,
        ("http",): 7,
        ("http", "port"): 8,
        ("http", "quoted key"): 9,
        ("http", "quoted key", "inner"): 9,
        ("http", "limits"): 13,
        ("http", "limits", "window"): 13,
        ("many",): 14,
        ("many", "a"): 15,
        ("a",): 16,
        ("a", "b"): 16,
        ("a", "b", "c d"): 16,
        ("a", "b", "c d", "e"): 17,
    }


def test_carriage_returns_and_a_missing_last_line_end_change_nothing() -> None:
    assert positions(TEXT.replace("\n", "\r\n").rstrip()) == positions(TEXT)


def test_a_statement_without_end_ends_the_search() -> None:
    assert positions("a = 1\nb = [\n" + "1,\n" * 100_000 + "]\nc = 1") == {("a",): 1}


def test_who_makes_the_parser_stumble_is_found_but_not_in_a_statement_without_end() -> None:
    deep = "[" * 10_000 + "]" * 10_000
    assert stumbling_block(f"a = 1\n[b]\nc = {deep}\n") == 3
    assert stumbling_block("a = 1\n") is None
    assert stumbling_block("a = [\n" + "1,\n" * 100_000) is None
