"""Who gets in, how many, and what an administrator sees of them."""

from __future__ import annotations

import pytest
import trio

from ccod import User
from ccod_http.web import Problem
from ccod_ws.client import Client
from ccod_ws.guests import Origin
from ccod_ws.settings import WsSettings
from tests.plugins.ws.house import LIMIT, UPGRADE, House, Line, added, make_house, open_house
from tests.plugins.ws.test_ws_sse import ask, listening


async def connect(house: House, query: str) -> int:
    """Ask for a WebSocket, and return the status of the answer."""
    async with await trio.open_tcp_stream("127.0.0.1", house.port) as stream:
        headers = "".join(f"{name}: {value}\r\n" for name, value in UPGRADE.items())
        await stream.send_all(f"GET /ws{query} HTTP/1.1\r\nHost: localhost:{house.port}\r\n{headers}\r\n".encode())
        with trio.fail_after(LIMIT):
            return int((await stream.receive_some()).split()[1])


async def test_a_ticket_lets_in_once_and_only_where_it_is_good_for() -> None:
    async with open_house() as house:
        issued = await ask(house, "/api/websocket/ticket", "POST")
        assert issued.status_code == 201
        assert issued.headers["Cache-Control"] == "no-store"
        assert issued.json()["data"]["expiresIn"] == 30
        house.auth.strict = True
        query = f"?ticket={issued.json()['data']['ticket']}"
        assert await connect(house, query) == 101
        assert await connect(house, query) == 401
        assert await connect(house, "?ticket=") == 401
        refusal = await ask(house, f"/api/events{query}")
        assert refusal.json()["error"]["code"] == "AUTH_TICKET_INVALID"
        assert (await ask(house, "/api/websocket/ticket", "POST")).status_code == 401


async def test_a_ticket_is_no_key_to_anything_else() -> None:
    async with open_house() as house:
        ticket = (await ask(house, "/api/websocket/ticket", "POST")).json()["data"]["ticket"]
        house.auth.role = "admin"
        answer = await ask(house, f"/api/websocket/status?ticket={ticket}")
        assert answer.status_code in {400, 401}
        assert await connect(house, "?token=abc") == 400


async def test_an_administrator_sees_who_is_connected_and_nobody_else_does() -> None:
    async with open_house() as house, house.listener("conversations") as client:
        await client.say(type="subscribe", channel="projects", filter={"projectId": "p1"})
        await client.hear()
        house.store(added(1))
        await client.hear()
        for path in ("/api/websocket/status", "/api/websocket/clients"):
            assert (await ask(house, path)).status_code == 401
        house.auth.role = "admin"
        status = (await ask(house, "/api/websocket/status")).json()["data"]
        assert (status["connections"], status["seq"], status["epoch"]) == (1, 1, "shelf")
        (shown,) = (await ask(house, "/api/websocket/clients")).json()["data"]
        assert (shown["id"], shown["kind"], shown["address"]) == ("client_1", "websocket", "127.0.0.1")
        assert shown["bytesSent"] > 0
        assert shown["queue"] == {"frames": 0, "bytes": 0, "stalledMs": 0}
        assert {each["channel"]: each["projectIds"] for each in shown["subscriptions"]} == {
            "conversations": [],
            "projects": ["p1"],
        }


@pytest.mark.parametrize(
    ("origins", "refused"),
    [
        ([Origin("a"), Origin("a"), Origin("b")], [False, False, False]),
        ([Origin("a"), Origin("a"), Origin("a"), Origin("b")], [False, False, True, False]),
        ([Origin("a", User("u", "", "user")), Origin("b", User("u", "", "user"))], [False, True]),
        ([Origin("a", User("u", "", "user")), Origin("b", User("v", "", "user"))], [False, False]),
        ([Origin("a", User("o", "", "owner")), Origin("b", User("o", "", "owner"))], [False, False]),
        ([Origin(each) for each in "abcde"], [False, False, False, False, True]),
    ],
)
async def test_places_are_shared(origins: list[Origin], refused: list[bool]) -> None:
    house = make_house(WsSettings(max_connections=4, max_per_address=2, max_per_account=1))
    house.hub.begin(await house.storage.position())
    outcome = []
    for origin in origins:
        try:
            house.hub.join(Client(house.hub, Line(), origin, WsSettings()))
        except Problem:
            outcome.append(True)
        else:
            outcome.append(False)
    assert outcome == refused


async def test_nobody_is_let_in_before_the_hub_knows_where_events_are() -> None:
    house = make_house()
    with pytest.raises(Problem) as refusal:
        house.hub.join(Client(house.hub, Line(), Origin(), WsSettings()))
    assert refusal.value.status == 503


async def test_who_is_not_authorised_any_more_is_let_go() -> None:
    async with open_house() as house, house.listener("files") as client, listening(house) as events:
        house.auth.revoked.set()
        assert await client.rest() == []
        assert client.closed == (4401, "no longer authorised")
        with pytest.raises(EOFError):
            await events.next()
