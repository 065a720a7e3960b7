# ruff: noqa: ASYNC240 - what a test does to small local files takes no time

from __future__ import annotations

import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import bcrypt
import pytest
import trio

from ccod import ConfigError, Peer, User
from ccod_basic_auth.auth import BasicAuth
from ccod_basic_auth.passwords import FREE, LONGEST_PAUSE, Checker
from ccod_basic_auth.settings import BasicSettings

SOME = b"$2y$04$" + b"." * 53


def hashed(password: str) -> bytes:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).replace(b"$2b$", b"$2y$")


def shown(name: str, password: str, address: str = "a") -> Peer:
    return Peer(token=base64.b64encode(f"{name}:{password}".encode()).decode(), address=address)


def write(path: Path, *lines: bytes) -> Path:
    """Put another file in its place, as `htpasswd` does."""
    new = path.with_suffix(".new")
    new.write_bytes(b"".join(line + b"\n" for line in lines))
    new.chmod(0o600)
    return new.replace(path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "htpasswd", b"# people", b"ada:" + hashed("lovelace"), b"", b"bob:" + hashed("bäcker:1"))


@asynccontextmanager
async def opened(file: Path, *admins: str) -> AsyncIterator[BasicAuth]:
    async with BasicAuth(BasicSettings(str(file), list(admins)), look_seconds=0.01) as auth:
        yield auth


async def test_names_of_the_file_are_users_by_their_passwords(file: Path) -> None:
    async with opened(file, "ada") as auth:
        ada, bob = await auth.identify(shown("ada", "lovelace")), await auth.identify(shown("bob", "bäcker:1"))
        assert ada is not None
        assert bob is not None
        assert (ada.id, ada.role, bob.id, bob.role) == ("basic/ada", "admin", "basic/bob", "user")
        for wrong in (shown("ada", "bäcker:1"), shown("ada", ""), shown("eve", "lovelace"), shown("ada", "lovelace\0")):
            assert await auth.identify(wrong) is None
        for garbage in ("", "?", base64.b64encode(b"ada").decode(), base64.b64encode(b"\xff:x").decode()):
            assert await auth.identify(Peer(token=garbage)) is None


async def test_the_owner_is_who_the_kernel_says(file: Path) -> None:
    async with opened(file) as auth:
        mine = os.getuid()
        assert await auth.identify(Peer(uid=mine)) == User("owner", "", "owner")
        assert await auth.identify(Peer(uid=mine, unix=True)) == User("owner", "", "admin")
        assert await auth.identify(Peer(uid=mine + 1)) is None
        assert await auth.identify(Peer()) is None


async def test_a_page_of_another_site_is_nobody_whatever_the_browser_adds(file: Path) -> None:
    async with opened(file) as auth:
        token = shown("ada", "lovelace").token
        assert await auth.identify(Peer(token=token, foreign=True)) is None
        assert await auth.identify(Peer(uid=os.getuid(), foreign=True)) is None


async def test_a_changed_file_holds_at_once_and_ends_what_it_took_away(
    file: Path,
) -> None:
    bobs = file.read_bytes().splitlines()[-1]
    async with opened(file) as auth:
        ada, bob = await auth.identify(shown("ada", "lovelace")), await auth.identify(shown("bob", "bäcker:1"))
        assert ada is not None
        assert bob is not None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(auth.ended, bob)
            with trio.fail_after(20):
                async with trio.open_nursery() as waiting:
                    waiting.start_soon(auth.ended, ada)
                    write(file, b"ada:" + hashed("another"), bobs, b"eve:$apr1$x$y")
            await trio.sleep(0.02)
            assert await auth.identify(shown("ada", "lovelace")) is None
            assert await auth.identify(shown("ada", "another")) not in (None, ada)
            assert await auth.identify(shown("bob", "bäcker:1")) == bob
            file.unlink()
            await trio.sleep(0.02)
            assert await auth.identify(shown("ada", "another")) is None
            with trio.fail_after(20):
                await auth.ended(bob)


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([b"ada:$apr1$abc$def"], ":1 has another hash than bcrypt"),
        ([b"ada:" + SOME, b"bob:{SHA}x"], ":2 has another hash than bcrypt"),
        ([b"ada:" + SOME.replace(b"04", b"31")], ":1 has another hash"),
        ([b"ada"], ":1 is no name:hash"),
        ([b"ada:" + SOME, b"ada:" + SOME], ":2 repeats a name"),
    ],
)
async def test_what_is_wrong_with_a_file_is_said_at_start(tmp_path: Path, lines: list[bytes], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        async with opened(write(tmp_path / "htpasswd", *lines)):
            pass


async def test_a_file_must_be_named_be_there_and_be_private(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\[basic\] file: name a htpasswd file"):
        BasicAuth(BasicSettings())
    with pytest.raises(ConfigError, match="No such file"):
        async with opened(tmp_path / "none"):
            pass
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod o-r"):
        async with opened(file):
            pass


async def test_guesses_pause_their_name_and_address_alone() -> None:
    now = 0.0
    checker, kept = Checker(lambda: now), hashed("right")

    async def tried(password: bytes, *, name: str = "ada", address: str = "a", known: bool = True) -> bool:
        return await checker.matches((name, address), password, kept if known else None, SOME)

    assert await tried(b"right", address="home")
    for known in (True, False):
        name = "ada" if known else "nobody"
        for _ in range(FREE + 1):
            assert not await tried(b"wrong", name=name, known=known)
        assert not await tried(b"right", name=name, address="a", known=False)
    now += 0.5
    assert await tried(b"right", address="home"), "who is remembered is not concerned"
    checker._right.clear()
    assert not await tried(b"right"), "in the pause not even the right one is tried"
    assert await tried(b"right", address="elsewhere")
    checker._right.clear()
    now += LONGEST_PAUSE
    assert await tried(b"right")


async def test_many_requests_at_once_check_a_password_once() -> None:
    checker, kept = Checker(), hashed("right")
    found: list[bool] = []

    async def request() -> None:
        found.append(await checker.matches(("ada", "a"), b"right", kept, SOME))

    async with trio.open_nursery() as nursery:
        for _ in range(FREE + 10):
            nursery.start_soon(request)
    assert all(found)
