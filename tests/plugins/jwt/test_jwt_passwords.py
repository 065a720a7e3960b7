"""Passwords: which are taken, and that nothing of them is cut off."""

from __future__ import annotations

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from ccod_jwt.passwords import WAITING, Hasher, check
from ccod_jwt.refusals import RefusedError

EMAIL = "ada.lovelace@example.com"
ODD = [
    "wörd" * 255 + "wxyz",
    "a\0b" + "c" * 8,
    "пароль из слов",
    "🐎" * 3 + "staple",
    "\ud800 half of a pair",
    " " * 9 + "space",
]


@pytest.mark.parametrize("password", ["horse battery staple", "Tr0ub4dor&3", "b9$kQ2!x", *ODD])
def test_good_passwords_are_taken(password: str) -> None:
    check(password, EMAIL)


@pytest.mark.parametrize(
    "password",
    [
        *("", "short", "1234567", "x" * 1025, "é" * 7),
        *("password", "Passw0rd!", "PASSWORD123", "p@$$w0rd2024", "admin2024", "Welcome1!", "iloveyou!!", "letmein99"),
        *("12345678", "1234567890", "87654321", "qwertyuiop", "qwerty123", "qwertyqwerty", "asdfghjk", "1qaz2wsx"),
        *(
            "aaaaaaaa",
            "abababab",
            "abcabcabc",
            "x7k2x7k2",
            "abcdefgh",
            "qwertyuiop!1",
            "11111111",
            "changeme1",
            "claudecode",
        ),
        *(EMAIL, EMAIL.upper(), "ada.lovelace"),
    ],
)
def test_bad_passwords_are_refused(password: str) -> None:
    with pytest.raises(RefusedError) as refused:
        check(password, EMAIL)
    assert refused.value.code == "VALIDATION_FAILED"


@pytest.mark.parametrize("password", ODD)
async def test_every_character_counts(password: str) -> None:
    hasher = Hasher(4)
    kept = await hasher.hash(password)
    assert await hasher.matches(password, kept)
    for other in (password + "x", password[:-1], password.replace("\0", ""), password.swapcase() + "\0"):
        if other != password:
            assert not await hasher.matches(other, kept)


async def test_the_same_letter_in_two_forms_is_the_same() -> None:
    hasher = Hasher(4)
    kept = await hasher.hash("cafe\u0301 au lait")
    assert await hasher.matches("caf\u00e9 au lait", kept)
    assert not await hasher.matches("cafe au lait", kept)
    assert not await hasher.matches("caf\u00e9 au \uff4cait", kept), "wide letters are others"


async def test_nobody_has_a_password() -> None:
    assert not await Hasher(4).matches("", None)


async def test_a_hash_of_another_cost_is_known() -> None:
    kept = await Hasher(4).hash("horse battery staple")
    assert Hasher(5).is_outdated(kept)
    assert not Hasher(4).is_outdated(kept)


async def test_too_many_who_wait_are_refused() -> None:
    hasher = Hasher(9)
    refused = 0

    async def ask() -> None:
        nonlocal refused
        try:
            await hasher.hash("horse battery staple")
        except RefusedError as error:
            refused += (error.code, error.wait) == ("SERVICE_UNAVAILABLE", 5)

    async with trio.open_nursery() as nursery:
        for _ in range(WAITING + 5):
            nursery.start_soon(ask)
    assert refused == 4, "one is worked on, sixteen wait"


@given(st.text(max_size=60))
def test_a_password_is_taken_or_refused_and_nothing_else(password: str) -> None:
    try:
        check(password, EMAIL)
    except RefusedError:
        return
    assert len(password) >= 8
