"""Frames that are made once are frames that any client understands."""

from __future__ import annotations

import json

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage
from wsproto.extensions import PerMessageDeflate

from ccod_http.web import Frame
from tests.plugins.ws.house import LIMIT, UPGRADE, House, added, open_house

SIZES = st.sampled_from([0, 1, 125, 126, 127, 1023, 1024, 65_535, 65_536, 200_000])


def client(*, deflates: bool) -> Connection:
    extension = PerMessageDeflate()
    if deflates:
        extension.finalize("permessage-deflate; server_no_context_takeover; client_no_context_takeover")
    return Connection(ConnectionType.CLIENT, [extension] if deflates else [])


def understood(connection: Connection, data: bytes) -> list[str]:
    connection.receive_data(data)
    texts, part = [], ""
    for event in connection.events():
        assert isinstance(event, TextMessage)
        part += event.data
        if event.message_finished:
            texts.append(part)
            part = ""
    return texts


@given(st.lists(st.tuples(st.text(min_size=1, max_size=9), SIZES), min_size=1, max_size=5), st.booleans())
def test_a_client_reads_what_was_framed(parts: list[tuple[str, int]], deflates: bool) -> None:
    texts = [(text * (size // len(text) + 1))[:size] for text, size in parts]
    frames = [Frame(text.encode()) for text in texts]
    sent = b"".join(frame.deflated if deflates else frame.plain for frame in frames)
    assert understood(client(deflates=deflates), sent) == texts
    assert [frame.body.decode() for frame in frames] == texts
    assert all(len(frame.deflated) <= frame.size for frame in frames)


async def connect(house: House, *headers: str) -> tuple[trio.SocketStream, str]:
    stream = await trio.open_tcp_stream("127.0.0.1", house.port)
    lines = [f"Host: localhost:{house.port}", *(f"{name}: {value}" for name, value in UPGRADE.items()), *headers]
    await stream.send_all("\r\n".join(["GET /ws HTTP/1.1", *lines, "", ""]).encode())
    answer = b""
    with trio.fail_after(LIMIT):
        while b"\r\n\r\n" not in answer:
            answer += await stream.receive_some(1)
    return stream, answer.decode().lower()


@pytest.mark.parametrize(
    ("offer", "compressed"),
    [
        ("permessage-deflate", True),
        ("permessage-deflate; client_max_window_bits", True),
        ("permessage-deflate; server_max_window_bits=10", False),
        ("x-unknown", False),
    ],
)
async def test_who_offers_compression_gets_it_where_it_fits(offer: str, compressed: bool) -> None:
    async with open_house() as house:
        stream, answer = await connect(house, f"Sec-WebSocket-Extensions: {offer}")
        async with stream:
            assert ("permessage-deflate" in answer) == offer.startswith("permessage")
            reader = client(deflates="permessage-deflate" in answer)
            subscribe = json.dumps({"type": "subscribe", "channel": "conversations"})
            await stream.send_all(client(deflates=False).send(TextMessage(subscribe)))
            texts: list[str] = []
            size = 0
            with trio.fail_after(LIMIT):
                while len(texts) < 3:
                    part = await stream.receive_some()
                    size += len(part)
                    texts += understood(reader, part)
                    if len(texts) == 2 and not house.storage.all_events:
                        house.store(added(1, "all the same " * 1000))
        assert json.loads(texts[2])["data"]["message"]["content"] == "all the same " * 1000
        assert (size < 3000) == compressed


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [("ccod, bearer.x", "ccod"), ("bearer.x, ccod", "ccod"), ("bearer.x", None), ("", None)],
)
async def test_a_browser_is_answered_with_a_subprotocol_of_those_it_offers(offered: str, chosen: str | None) -> None:
    async with open_house() as house:
        stream, answer = await connect(house, *([f"Sec-WebSocket-Protocol: {offered}"] if offered else []))
        async with stream:
            said = [line for line in answer.splitlines() if line.startswith("sec-websocket-protocol")]
            assert said == ([f"sec-websocket-protocol: {chosen}"] if chosen else [])
