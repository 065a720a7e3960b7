"""The key that signs: strong, or refused; made once, for the owner's eyes only."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

import pytest

from ccod import ConfigError
from ccod.testing.shelf import Shelf
from ccod_jwt.auth import JwtAuth
from ccod_jwt.settings import JwtSettings
from ccod_jwt.signing import FILE, made_key, signing_keys
from ccod_jwt.strength import weakness
from tests.plugins.http.serving import SECRET


@pytest.mark.parametrize(
    "text",
    [
        *(
            "short",
            "x" * 31,
            "your-secret-key-here",
            "your-production-secret",
            "your-super-secret-jwt-key-at-least-32-c",
        ),
        *("x" * 64, "ab" * 32, "0123456789" * 4, "abcdefghijklmnopqrstuvwxyz0123456789", "change-me-" + SECRET),
        *("This-Is-My-Very-Secret_Key-1234567890!", "please replace this with something long", "1" * 20 + "2" * 20),
    ],
)
def test_a_key_that_could_be_guessed_is_refused(text: str) -> None:
    assert weakness(text)
    with pytest.raises(ConfigError, match=r"\[jwt\] secret: .*openssl rand") as refused:
        JwtAuth(JwtSettings(secret=text), Shelf())
    assert text not in str(refused.value)
    with pytest.raises(ConfigError, match="previous_secret"):
        JwtAuth(JwtSettings(previous_secret=text), Shelf())


@pytest.mark.parametrize(
    "words",
    [
        *("your-secret", "your_super_secret", "your.production.secret", "yourJwtSecret", "SUPER-SECRET", "secret_key"),
        *("change-me", "change_this", "Change it!", "replaceMe", "replace-this", "placeholder", "example", "Password"),
        "keyboard cat",
    ],
)
def test_a_key_with_words_of_a_sample_is_refused(words: str) -> None:
    assert weakness(f"{words}-{SECRET}") == "it is a text from a sample"


def test_the_shortest_key_has_32_bytes() -> None:
    assert weakness(SECRET) is None
    assert weakness(SECRET[:-1]) == "31 bytes are too few, 32 are the least"
    assert weakness(SECRET[:-2] + "é") is None


def test_keys_of_chance_are_taken() -> None:
    for _ in range(200):
        for text in (secrets.token_hex(16), secrets.token_hex(32), secrets.token_urlsafe(32)):
            assert weakness(text) is None, text


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        key = made_key(tmp_path / FILE)
    finally:
        os.umask(before)
    assert len(bytes.fromhex(key)) == 32
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert made_key(tmp_path / FILE) == key
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    made_key(tmp_path / FILE)
    (tmp_path / FILE).chmod(mode)
    with pytest.raises(ConfigError, match="others may read"):
        made_key(tmp_path / FILE)


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 64, b"0" * 64])
def test_a_damaged_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    (tmp_path / FILE).chmod(0o600)
    with pytest.raises(ConfigError, match="holds no key"):
        made_key(tmp_path / FILE)


def test_a_place_that_holds_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        made_key(tmp_path / "gone" / FILE)
    (tmp_path / FILE).mkdir()
    with pytest.raises(ConfigError, match="directory"):
        made_key(tmp_path / FILE)


def test_two_keys_live_while_they_are_changed(tmp_path: Path) -> None:
    old = signing_keys(JwtSettings(), tmp_path)
    both = signing_keys(JwtSettings(secret=SECRET, previous_secret=made_key(tmp_path / FILE)), tmp_path)
    assert list(both.values()) == [SECRET.encode(), *old.values()]
    assert list(both)[1:] == list(old)
