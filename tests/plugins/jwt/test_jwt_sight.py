"""Whose conversations an account, a key and the owner see."""

from __future__ import annotations

import os

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from ccod import Peer, User
from ccod.testing.shelf import Shelf
from ccod_jwt.auth import JwtAuth
from tests.plugins.jwt.desk import Desk
from tests.plugins.jwt.office import PASSWORD, known, office

HERE = Peer(uid=os.getuid())
UNIX = Peer(uid=os.getuid(), unix=True)
MINE = frozenset({"laptop"})


class Shared(Shelf):
    is_shared = True


async def users(auth: JwtAuth) -> dict[str, User]:
    """Return who asks in every way there is."""
    found = {}
    for name in ("user", "admin"):
        account = await auth.accounts.add(f"{name}@example.com", PASSWORD, name, ["laptop"])
        login = await auth.logins.begin(account)
        found[name] = await known(auth, login.access_token)
        _, text = await auth.keys.make(found[name], "key", ["read"], None)
        found[f"key of {name}"] = await known(auth, text)
    for name, peer in (("owner", HERE), ("owner on the Unix socket", UNIX)):
        user = await auth.identify(peer)
        assert user is not None
        found[name] = user
    return found


def sight(found: dict[str, User]) -> dict[str, tuple[object, object]]:
    return {name: (user.machines, user.own) for name, user in found.items()}


@pytest.mark.parametrize(("shelf", "setting"), [(Shelf, "own"), (Shared, "auto"), (Shared, "own")])
async def test_where_machines_are_apart_one_sees_one_s_own(shelf: type[Shelf], setting: str) -> None:
    async with office(shelf(), sight=setting) as auth:
        assert sight(await users(auth)) == {
            "user": (MINE, MINE),
            "key of user": (MINE, MINE),
            "admin": (None, MINE),
            "key of admin": (None, MINE),
            "owner": (frozenset({"here"}), frozenset({"here"})),
            "owner on the Unix socket": (None, frozenset({"here"})),
        }


@pytest.mark.parametrize("setting", ["auto", "all"])
async def test_on_one_s_own_machine_all_is_everybody_s(setting: str) -> None:
    async with office(sight=setting) as auth:
        assert set(sight(await users(auth)).values()) == {(None, None)}


async def test_where_all_see_a_shared_storage_reads_are_noted_all_the_same() -> None:
    async with office(Shared(), sight="all") as auth:
        found = sight(await users(auth))
        assert found["user"] == (None, MINE)


async def test_machines_outlive_the_process_and_another_password() -> None:
    shelf = Shelf()
    async with office(shelf, sight="own") as auth:
        account = await auth.accounts.add("me@example.com", PASSWORD, "user", ["b", "a", "b"])
        await auth.accounts.change(account.id, None, "four other plain words")
        await auth.accounts.change(account.id, "admin", None)
    async with office(shelf, sight="own") as auth:
        (account,) = auth.ledger.all(type(account))
        assert list(account.machines) == ["a", "b"]


async def test_other_machines_end_what_was_presented() -> None:
    """Whoever holds a connection open must begin it anew, to see what is seen now."""
    async with office(sight="own") as auth, trio.open_nursery() as nursery:
        account = await auth.accounts.add("me@example.com", PASSWORD, "user", ["a"])
        user = await known(auth, (await auth.logins.begin(account)).access_token)
        nursery.start_soon(auth.ended, user)
        await wait_all_tasks_blocked()
        assert nursery.child_tasks
        await auth.accounts.change(account.id, None, None, ["b"])


async def test_administrators_give_machines(served: Desk) -> None:
    body = {"email": "me@example.com", "password": PASSWORD, "machines": ["laptop"]}
    made = await served.ask("POST", "/api/users", body, admin=True)
    assert made.data["machines"] == ["laptop"]
    path = f"/api/users/{made.data['id']}"
    changed = await served.ask("PUT", path, {"machines": ["desktop", "laptop"]}, admin=True)
    assert (changed.status, changed.data["machines"]) == (200, ["desktop", "laptop"])
    (listed,) = (await served.ask("GET", "/api/users", admin=True)).data
    assert listed == changed.data
    login = await served.ask("POST", "/auth/login", {"email": "me@example.com", "password": PASSWORD})
    token = login.data["accessToken"]
    profile = await served.ask("GET", "/auth/profile", token=token)
    assert profile.data == login.data["user"] | {"machines": ["desktop", "laptop"], "sees": "all"}
    assert (await served.ask("PUT", path, {"machines": []}, token=token)).status == 403
    for wrong in ([""], ["x" * 256], "laptop", [1], ["x"] * 101):
        assert (await served.ask("PUT", path, {"machines": wrong}, admin=True)).status == 422
