"""What is no longer valid, and what never was, opens nothing; and a WebSocket that it opened is closed."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock
from trio_websocket import wrap_client_stream

from ccod import Peer, User
from ccod.testing.asking import Clock
from ccod_jwt.ledger import ApiKey
from ccod_jwt.logins import Login
from tests.plugins.http.serving import SECRET
from tests.plugins.jwt.desk import Desk, close_code, guarded, refusals
from tests.plugins.jwt.forging import forged
from tests.plugins.jwt.office import OTHER, PASSWORD, known, office

HANDSHAKE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


async def test_no_forged_token_opens_any_route(served: Desk) -> None:
    """Each token at one route for readers and one for administrators, and an eighth of them, in turn, at all others.

    `make faults` tries each at every route.
    """
    login, other = await served.login("me", "admin"), await served.login("you")
    tokens = list(forged(login.access_token, login.refresh_token, SECRET.encode(), other.account.id))
    assert len(tokens) > 80
    bodies = set()
    for turn, (method, path) in enumerate(guarded(served)):
        tried = tokens if path in {"/auth/profile", "/api/users"} else tokens[turn % 8 :: 8]
        bodies |= await refusals(served, method, path, tried)
    assert len(bodies) == 1
    assert (await served.ask("GET", "/auth/profile", token=login.access_token)).status == 200


async def test_no_forged_token_opens_a_websocket(served: Desk) -> None:
    login, other = await served.login("me", "admin"), await served.login("you")
    for name, token in forged(login.access_token, login.refresh_token, SECRET.encode(), other.account.id):
        headers = [f"Authorization: Bearer {token}"]
        if " " not in token and "=" not in token:
            headers.append(f"Sec-WebSocket-Protocol: ccod, bearer.{token}")
        for header in headers:
            assert await handshake(served, header) == b"HTTP/1.1 401", (name, header[:30])
    assert await handshake(served, f"Authorization: Bearer {login.access_token}") == b"HTTP/1.1 101"
    assert await handshake(served, f"Sec-WebSocket-Protocol: ccod, bearer.{login.access_token}") == b"HTTP/1.1 101"


async def handshake(served: Desk, header: str) -> bytes:
    async with await trio.open_tcp_stream("127.0.0.1", served.port) as stream:
        await stream.send_all(
            f"GET /ws HTTP/1.1\r\nHost: localhost:{served.port}\r\n{HANDSHAKE}{header}\r\n\r\n".encode()
        )
        with trio.fail_after(10):
            return bytes(await stream.receive_some())[:12]


@pytest.mark.parametrize(
    "header",
    ["bearer {}", "BEARER {}", "Bearer  {}"],
)
async def test_ways_to_write_a_good_token(served: Desk, header: str) -> None:
    token = (await served.login("me")).access_token
    assert (await served.ask("GET", "/auth/profile", headers={"Authorization": header.format(token)})).status == 200


@pytest.mark.parametrize("header", ["Basic {}", "Bearer", "", "{}", "Bearer Bearer {}", "Bearer {},x"])
async def test_ways_to_write_a_token_wrongly(served: Desk, header: str) -> None:
    token = (await served.login("me")).access_token
    answer = await served.ask("GET", "/auth/profile", headers={"Authorization": header.format(token)})
    assert (answer.status, answer.code) == (401, "AUTH_TOKEN_INVALID"), "and it is not the owner either"


async def test_two_tokens_are_none(served: Desk) -> None:
    token = (await served.login("me")).access_token
    line = f"Authorization: Bearer {token}\r\n"
    async with await trio.open_tcp_stream("127.0.0.1", served.port) as stream:
        await stream.send_all(
            f"GET /auth/profile HTTP/1.1\r\nHost: localhost:{served.port}\r\n{line}{line}\r\n".encode()
        )
        assert bytes(await stream.receive_some())[:12] == b"HTTP/1.1 401"


async def log_out(served: Desk, login: Login) -> None:
    await served.ask("POST", "/auth/logout", token=login.access_token)


async def change_role(served: Desk, login: Login) -> None:
    await served.ask("PUT", f"/api/users/{login.account.id}", {"role": "admin"}, admin=True)


async def set_password(served: Desk, login: Login) -> None:
    await served.ask("PUT", f"/api/users/{login.account.id}", {"password": OTHER}, admin=True)


async def remove(served: Desk, login: Login) -> None:
    await served.ask("DELETE", f"/api/users/{login.account.id}", admin=True)


async def change_elsewhere(served: Desk, login: Login) -> None:
    other = await served.auth.logins.begin(login.account)
    body = {"oldPassword": PASSWORD, "newPassword": OTHER}
    await served.ask("POST", "/auth/password", body, other.access_token)


async def steal(served: Desk, login: Login) -> None:
    for _ in range(2):
        await served.ask("POST", "/auth/refresh", {"refreshToken": login.refresh_token})


@pytest.mark.parametrize("end", [log_out, change_role, set_password, remove, change_elsewhere, steal])
async def test_a_websocket_ends_with_what_opened_it(
    served: Desk, end: Callable[[Desk, Login], Awaitable[None]]
) -> None:
    login = await served.login("me")
    other = await served.login("you")
    bearer = ("Authorization", f"Bearer {login.access_token}")
    async with (
        served.websocket(bearer) as mine,
        served.websocket(protocols=["ccod", f"bearer.{login.access_token}"]) as browser,
        served.websocket(("Authorization", f"Bearer {other.access_token}")) as yours,
        served.websocket() as owners,
    ):
        assert browser.subprotocol == "ccod"
        await end(served, login)
        assert await close_code(mine) == 4401
        assert await close_code(browser) == 4401
        for connection in (yours, owners):
            with trio.move_on_after(0.1) as patience:
                await connection.get_message()
            assert patience.cancelled_caught


async def test_a_websocket_ends_with_its_key(served: Desk) -> None:
    made = await served.ask("POST", "/api/keys", {"name": "tail", "scopes": ["read"]}, admin=True)
    async with served.websocket(("Authorization", f"Bearer {made.data['key']}")) as connection:
        await served.ask("DELETE", f"/api/keys/{made.data['id']}", admin=True)
        assert await close_code(connection) == 4401


async def test_server_sent_events_end_with_their_key(served: Desk) -> None:
    made = await served.ask("POST", "/api/keys", {"name": "listen", "scopes": ["read"]}, admin=True)
    async with served.events(made.data["key"]) as lines:
        assert '"type":"welcome"' in [await anext(lines) for _ in range(3)][-1]
        await served.ask("DELETE", f"/api/keys/{made.data['id']}", admin=True)
        with trio.fail_after(10):
            assert not [line for line in [line async for line in lines] if line], "it ends, and nothing else is said"


async def test_a_ticket_is_worth_no_more_than_what_it_was_got_with(served: Desk) -> None:
    made = await served.ask("POST", "/api/keys", {"name": "listen", "scopes": ["read"]}, admin=True)
    got = await served.ask("POST", "/api/websocket/ticket", token=made.data["key"])
    await served.ask("DELETE", f"/api/keys/{made.data['id']}", admin=True)
    stream = await trio.open_tcp_stream("127.0.0.1", served.port)
    async with stream, trio.open_nursery() as nursery:
        where = f"/ws?ticket={got.data['ticket']}"
        connection = await wrap_client_stream(nursery, stream, f"127.0.0.1:{served.port}", where)
        assert await close_code(connection) == 4401


async def ends(wait: Callable[[User], Awaitable[None]], user: User) -> bool:
    with trio.move_on_after(0.2):
        await wait(user)
        return True
    return False


async def test_time_ends_what_was_presented() -> None:
    clock = Clock()
    async with office(clock=clock, expires_in=60.0) as auth:
        login = await auth.logins.begin(await auth.accounts.add("me@example.com", PASSWORD, "user"))
        user = await known(auth, login.access_token)
        assert not await ends(auth.ended, user)
        clock.now += 59_950
        assert not await ends(auth.ended, user), "the clock stands still"
        clock.now += 50
        assert await ends(auth.ended, user)


async def test_what_was_presented_ends_on_time(autojump_clock: MockClock) -> None:
    async with office(clock=lambda: round(1000 * trio.current_time()), expires_in=90.0) as auth:
        login = await auth.logins.begin(await auth.accounts.add("me@example.com", PASSWORD, "user"))
        user = await known(auth, login.access_token)
        assert user.expires_at is not None
        await auth.ended(user)
        assert 0 <= trio.current_time() - user.expires_at / 1000 < 0.1


async def test_a_key_that_is_used_is_noted_and_goes_on() -> None:
    clock = Clock()
    async with office(clock=clock) as auth:
        owner = await auth.identify(Peer(uid=os.getuid(), unix=True))
        assert owner is not None
        assert not await ends(auth.ended, owner)
        _, text = await auth.keys.make(owner, "name", ["read"], clock.now + 5000)
        user = await known(auth, text)
        clock.now += 1000
        assert await known(auth, text) == user
        assert auth.keys.all()[0].last_used_at == clock.now
        assert auth.ledger.all(ApiKey)[0].last_used_at == clock.now - 1000, "on the disk once an hour"
        assert not await ends(auth.ended, user)
        clock.now += 4000
        assert await ends(auth.ended, user)
        assert await auth.identify(Peer(token=text)) is None
