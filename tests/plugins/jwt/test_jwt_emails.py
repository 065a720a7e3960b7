"""One address, one spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccod_jwt.emails import checked, normal
from ccod_jwt.refusals import RefusedError

LABEL = "x" * 63
LONGEST = f"{'a' * 64}@{LABEL}.{LABEL}.{'y' * 61}"
"""An address with as much in each of its parts, and in all, as is allowed."""


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("user@example.com", "user@example.com"),
        ("  User@Example.COM\n", "user@example.com"),
        ("me@localhost", "me@localhost"),
        ("a.b+tag@sub.example.co.uk", "a.b+tag@sub.example.co.uk"),
        ("Jose\u0301@example.com", "jos\u00e9@example.com"),
        ("ÜSER@BÜCHER.example", "üser@bücher.example"),
        (LONGEST, LONGEST),
    ],
)
def test_an_address_has_one_spelling(written: str, kept: str) -> None:
    assert checked(written) == kept


@pytest.mark.parametrize(
    "written",
    [
        *("", "user", "@example.com", "user@", "a@b@c", "a b@example.com", "a@example..com", "a@-example.com", "a@b-"),
        *(
            "<a@example.com>",
            "a@example.com,b@example.com",
            "a\0@example.com",
            "a\n@example.com",
            "a\u202e@example.com",
        ),
        *("a@example.com\u200b", "x" * 65 + "@example.com", "a@" + "x" * 64 + ".com", "a@" + "x.y" * 130),
        LONGEST + "y",
    ],
)
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(RefusedError):
        checked(written)


@given(st.text())
def test_the_spelling_of_a_spelling_is_itself(text: str) -> None:
    assert normal(normal(text)) == normal(text)
