"""Accounts and keys over HTTP."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from ccod.testing.asking import Clock
from ccod_jwt.backoff import Backoff
from tests.plugins.jwt.desk import Desk, desk
from tests.plugins.jwt.office import OTHER, PASSWORD

ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
ME = {"email": "me@example.com", "password": PASSWORD}


async def test_a_login_has_the_shape_of_the_seed(served: Desk) -> None:
    made = await served.ask("POST", "/auth/register", ME)
    answer = await served.ask("POST", "/auth/login", ME)
    assert (made.status, answer.status) == (201, 200)
    for body in (made.body, answer.body):
        assert list(body) == ["success", "data"]
        assert list(body["data"]) == ["user", "accessToken", "refreshToken", "expiresIn"]
        assert list(body["data"]["user"]) == ["id", "email", "role", "createdAt"]
    data = answer.data
    assert data["expiresIn"] == 86400
    assert re.fullmatch(r"user_\w+", data["user"]["id"])
    assert re.fullmatch(ISO, data["user"]["createdAt"])
    assert (data["user"]["email"], data["user"]["role"]) == ("me@example.com", "admin")
    profile = await served.ask("GET", "/auth/profile", token=data["accessToken"])
    assert profile.data == data["user"] | {"machines": [], "sees": "all"}
    renewed = await served.ask("POST", "/auth/refresh", {"refreshToken": data["refreshToken"]})
    assert renewed.status == 200
    assert renewed.data["user"] == data["user"]
    assert renewed.data["refreshToken"] != data["refreshToken"]


async def test_an_unknown_address_and_a_wrong_password_look_the_same(served: Desk) -> None:
    await served.login("me")
    answers = [
        await served.ask(
            "POST", "/auth/login", {"email": f"{who}@example.com", "password": "x" * 9}, headers={"X-Request-ID": "1"}
        )
        for who in ("me", "no")
    ]
    first, second = (
        (answer.status, {**answer.headers, "date": ""}, {**answer.body, "timestamp": ""}) for answer in answers
    )
    assert first == second
    assert first[0] == 401
    assert answers[0].code == "AUTH_FAILED"


async def test_who_may_register(served: Desk) -> None:
    first = await served.ask("POST", "/auth/register", ME)
    assert first.data["user"]["role"] == "admin"
    page = await served.ask("POST", "/auth/register", ME, headers={"Origin": "http://localhost:5173"})
    assert (page.status, page.code) == (401, "AUTH_REQUIRED")
    second = await served.ask("POST", "/auth/register", {"email": "you@example.com", "password": PASSWORD})
    assert second.data["user"]["role"] == "user"
    theirs = {"email": "they@example.com", "password": PASSWORD}
    refused = await served.ask("POST", "/auth/register", theirs, token=second.data["accessToken"])
    assert (refused.status, refused.code) == (403, "ACCESS_DENIED")
    invalid = await served.ask("POST", "/auth/register", theirs, token="x.y.z")
    assert (invalid.status, invalid.code) == (401, "AUTH_TOKEN_INVALID")
    third = await served.ask("POST", "/auth/register", theirs, token=first.data["accessToken"])
    assert (third.status, third.data["user"]["role"]) == (201, "user")
    again = await served.ask("POST", "/auth/register", {"email": " THEY@example.com ", "password": PASSWORD})
    assert (again.status, again.code) == (409, "RESOURCE_ALREADY_EXISTS")


async def test_strangers_register_where_they_may_and_are_users(tmp_path: Path) -> None:
    async with desk(tmp_path, registration=True) as served:
        made = await served.ask("POST", "/auth/register", ME, headers={"Sec-Fetch-Site": "same-site"})
        assert (made.status, made.data["user"]["role"]) == (201, "user")


async def test_of_many_first_accounts_one_is_an_administrators(served: Desk) -> None:
    roles: list[str] = []

    async def register(number: int) -> None:
        body = {"email": f"user{number}@example.com", "password": PASSWORD}
        roles.append((await served.ask("POST", "/auth/register", body)).data["user"]["role"])

    async with trio.open_nursery() as nursery:
        for number in range(6):
            nursery.start_soon(register, number)
    assert sorted(roles) == ["admin"] + ["user"] * 5


async def test_bodies_that_are_refused(served: Desk) -> None:
    for path, body in (
        ("/auth/register", {**ME, "role": "admin"}),
        ("/auth/register", {**ME, "password": "password123"}),
        ("/auth/register", {**ME, "email": "me"}),
        ("/auth/login", {"email": "me@example.com"}),
        ("/auth/login", {**ME, "password": "x" * 1025}),
        ("/auth/login", {**ME, "password": 12345678}),
        ("/auth/refresh", {"refreshToken": None}),
        ("/auth/refresh", {"refreshToken": "x" * 5000}),
    ):
        answer = await served.ask("POST", path, body)
        assert (answer.status, answer.code) == (422, "VALIDATION_FAILED"), (path, body)
    assert (await served.ask("POST", "/auth/login", {**ME, "password": "x" * 1024})).status == 401
    assert (await served.ask("POST", "/auth/login", ME, headers={"Content-Type": "text/plain"})).status == 415
    assert served.auth.ledger.account_of("me@example.com") is None


@pytest.fixture
async def watched(tmp_path: Path, clock: Clock) -> AsyncIterator[Desk]:
    """Pauses pass by the clock of the test, however long a machine takes over each guess."""
    async with desk(tmp_path, Backoff(lambda: clock.now / 1000)) as running:
        yield running


async def test_guessing_is_slowed_down_before_it_is_tried(watched: Desk, clock: Clock) -> None:
    served = watched
    await served.login("me")
    answers = [await served.ask("POST", "/auth/login", {**ME, "password": "x" * 9}) for _ in range(6)]
    assert [answer.status for answer in answers] == [401] * 5 + [429]
    assert answers[-1].code == "RATE_LIMIT_EXCEEDED"
    assert answers[-1].headers["Retry-After"] == "1"
    assert (await served.ask("POST", "/auth/login", ME)).status == 429
    by_socket = await served.ask("POST", "/auth/login", ME, admin=True)
    assert by_socket.status == 429, "the same local user there and here"
    clock.now += 999
    assert (await served.ask("POST", "/auth/login", ME)).status == 429
    clock.now += 1
    assert (await served.ask("POST", "/auth/login", ME)).status == 200


async def test_many_guesses_at_once_are_counted_before_they_are_tried(watched: Desk) -> None:
    served = watched
    await served.login("me")
    statuses: list[int] = []

    async def guess() -> None:
        statuses.append((await served.ask("POST", "/auth/login", {**ME, "password": "x" * 9})).status)

    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(guess)
    assert sorted(statuses) == [401] * 5 + [429] * 15


async def test_logging_out_ends_a_login_at_once(served: Desk) -> None:
    login, other = await served.login("me"), await served.login("you")
    assert (await served.ask("POST", "/auth/logout", token=login.access_token)).status == 204
    for _ in range(2):
        assert (await served.ask("POST", "/auth/logout", token=login.access_token)).status == 401
    assert (await served.ask("GET", "/api/projects", token=login.access_token)).status == 401
    assert (await served.ask("POST", "/auth/refresh", {"refreshToken": login.refresh_token})).status == 401
    assert (await served.ask("GET", "/api/projects", token=other.access_token)).status == 200
    assert (await served.ask("POST", "/auth/logout")).code == "NO_LOGIN", "the owner has none"


async def test_a_changed_password_ends_the_other_logins(served: Desk) -> None:
    login = await served.login("me")
    other = (await served.ask("POST", "/auth/login", ME)).data
    wrong = {"oldPassword": "not this one", "newPassword": OTHER}
    assert (await served.ask("POST", "/auth/password", wrong, login.access_token)).code == "AUTH_FAILED"
    common = {"oldPassword": PASSWORD, "newPassword": "me@example.com"}
    assert (await served.ask("POST", "/auth/password", common, login.access_token)).code == "VALIDATION_FAILED"
    right = {"oldPassword": PASSWORD, "newPassword": OTHER}
    assert (await served.ask("POST", "/auth/password", right)).code == "NO_LOGIN", "the owner has none"
    key = {"name": "program", "scopes": ["read"]}
    text = (await served.ask("POST", "/api/keys", key, login.access_token)).data["key"]
    assert (await served.ask("POST", "/auth/password", right, text)).code == "NO_LOGIN", "a key is none"
    assert (await served.ask("POST", "/auth/password", right, login.access_token)).status == 204
    assert (await served.ask("GET", "/auth/profile", token=login.access_token)).status == 200
    assert (await served.ask("GET", "/auth/profile", token=other["accessToken"])).status == 401
    assert (await served.ask("POST", "/auth/login", ME)).status == 401
    assert (await served.ask("POST", "/auth/login", {**ME, "password": OTHER})).status == 200


async def test_administrators_make_change_and_remove_accounts(served: Desk) -> None:
    boss = (await served.login("boss", "admin")).access_token
    made = await served.ask("POST", "/api/users", ME, boss)
    assert (made.status, made.data["role"]) == (201, "user")
    path = f"/api/users/{made.data['id']}"
    listed = await served.ask("GET", "/api/users?limit=1&page=2", token=boss)
    assert listed.data == [made.data]
    assert listed.body["pagination"]["total"] == 2
    login = (await served.ask("POST", "/auth/login", ME)).data["accessToken"]
    for method, where, body in (
        ("GET", "/api/users", None),
        ("POST", "/api/users", ME),
        ("PUT", path, {"role": "admin"}),
        ("DELETE", path, None),
    ):
        assert (await served.ask(method, where, body, login)).code == "ACCESS_DENIED"
        assert (await served.ask(method, where, body)).code == "AUTH_REQUIRED"
    assert (await served.ask("PUT", path, {"role": "admin"}, boss)).data["role"] == "admin"
    assert (await served.ask("GET", "/api/users", token=login)).status == 200
    assert (await served.ask("PUT", path, {"role": "user"}, boss)).data["role"] == "user"
    assert (await served.ask("GET", "/api/users", token=login)).status == 403
    assert (await served.ask("PUT", path, {"password": OTHER}, admin=True)).status == 200
    assert (await served.ask("GET", "/auth/profile", token=login)).status == 401
    assert (await served.ask("PUT", path, {"role": "owner"}, boss)).status == 422
    assert (await served.ask("PUT", "/api/users/nobody", {"role": "user"}, boss)).status == 404
    assert (await served.ask("DELETE", path, token=boss)).status == 204
    assert (await served.ask("DELETE", path, token=boss)).status == 404
    last = f"/api/users/{listed.data and (await served.ask('GET', '/api/users', token=boss)).data[0]['id']}"
    assert (await served.ask("DELETE", last, admin=True)).code == "LAST_ADMIN"
    assert (await served.ask("PUT", last, {"role": "user"}, boss)).code == "LAST_ADMIN"


async def test_keys_have_no_more_rights_than_they_were_given(served: Desk) -> None:
    login = (await served.login("me")).access_token
    made = await served.ask("POST", "/api/keys", {"name": "laptop", "scopes": ["read"]}, login)
    assert made.status == 201
    key = made.data.pop("key")
    assert re.fullmatch(r"ccod_[\w-]{43}", key)
    assert (made.data["scopes"], made.data["lastUsedAt"], made.data["expiresAt"]) == (["read"], None, None)
    assert (await served.ask("GET", "/api/projects", token=key)).status == 200
    for method, path, body in (
        ("POST", "/api/keys", {"name": "more", "scopes": ["read"]}),
        ("DELETE", f"/api/keys/{made.data['id']}", None),
        ("GET", "/api/users", None),
    ):
        assert (await served.ask(method, path, body, key)).code == "ACCESS_DENIED"
    (shown,) = (await served.ask("GET", "/api/keys", token=login)).data
    assert re.fullmatch(ISO, shown.pop("lastUsedAt"))
    assert shown == {name: value for name, value in made.data.items() if name != "lastUsedAt"}
    assert key not in str(served.auth.ledger.all(type(served.auth.keys.all()[0])))
    for scopes in (["admin"], ["read", "reveal"]):
        more = await served.ask("POST", "/api/keys", {"name": "more", "scopes": scopes}, login)
        assert more.code == "ACCESS_DENIED"
    assert (await served.ask("DELETE", f"/api/keys/{made.data['id']}", token=login)).status == 204
    assert (await served.ask("GET", "/api/projects", token=key)).status == 401


async def test_keys_are_ones_own(served: Desk) -> None:
    me, you = (await served.login("me")).access_token, (await served.login("you")).access_token
    made = await served.ask("POST", "/api/keys", {"name": "mine", "scopes": ["read", "write"]}, me)
    where = f"/api/keys/{made.data['id']}"
    assert (await served.ask("GET", "/api/keys", token=you)).data == []
    assert (await served.ask("DELETE", where, token=you)).status == 404
    assert [key["id"] for key in (await served.ask("GET", "/api/keys", admin=True)).data] == [made.data["id"]]
    writer = await served.ask("POST", "/api/keys", {"name": "more", "scopes": ["read"]}, made.data["key"])
    assert writer.code == "ACCESS_DENIED", "a key makes no keys, whatever its rights"
    assert (await served.ask("DELETE", where, admin=True)).status == 204


async def test_keys_end_with_their_time_their_account_and_their_owner_s_rights(served: Desk) -> None:
    boss = await served.login("boss", "admin")
    await served.login("other", "admin")
    past = {"name": "old", "scopes": ["read"], "expiresAt": "2020-01-01T00:00:00Z"}
    assert (await served.ask("POST", "/api/keys", past, boss.access_token)).status == 422
    body = {"name": "all", "scopes": ["read", "write", "reveal", "admin"], "expiresAt": "2999-01-01T00:00:00+01:00"}
    made = await served.ask("POST", "/api/keys", body, boss.access_token)
    assert made.data["expiresAt"] == "2998-12-31T23:00:00.000Z"
    key = made.data["key"]
    assert (await served.ask("GET", "/api/users", token=key)).status == 200
    await served.auth.accounts.change(boss.account.id, "user", None)
    assert (await served.ask("GET", "/api/users", token=key)).status == 403
    assert (await served.ask("GET", "/api/projects", token=key)).status == 200
    await served.auth.accounts.remove(boss.account.id)
    assert (await served.ask("GET", "/api/projects", token=key)).status == 401


async def test_names_of_keys(served: Desk) -> None:
    for name in ("", " ", "a\nb", "x" * 101, "\x1b[31m"):
        answer = await served.ask("POST", "/api/keys", {"name": name, "scopes": ["read"]}, admin=True)
        assert answer.status == 422, name
    for name in ("x", "my laptop", "Büro 🐎"):
        assert (await served.ask("POST", "/api/keys", {"name": name, "scopes": ["read"]}, admin=True)).status == 201
    assert (await served.ask("POST", "/api/keys", {"name": "x", "scopes": []}, admin=True)).status == 422
