"""A server that sends each of many messages to all who are connected: ccod's hub, or the least that Quart-Trio needs.

python -m tests.bench.fanout_server hub|bare

It says its port, waits for `go COUNT` on its standard input, and sends.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress

import msgspec
import trio
import trio.lowlevel
from hypercorn.config import Config
from hypercorn.trio import serve
from quart import websocket
from quart_trio import QuartTrio

from ccod_ws.channels import Channel
from ccod_ws.settings import WsSettings
from tests.plugins.ws.house import open_house

TEXT = "x" * 1000
AHEAD = 500
"""How many messages may wait for a client, with either of them."""


class Said(msgspec.Struct, tag_field="event", tag="said"):
    number: int
    text: str


async def hub() -> None:
    channel = Channel("bench", "Much.", [Said])
    settings = WsSettings(max_connections=10_000, max_per_address=10_000, ping_interval=0)
    async with open_house(settings, channel) as house:
        for number in range(await _asked(house.port)):
            channel.publish(Said(number, TEXT))
            while max(len(guest.listener.outbox) for guest in house.hub.guests) > AHEAD:
                await trio.lowlevel.checkpoint()
        await trio.sleep_forever()


async def bare() -> None:
    app = QuartTrio("bare")
    clients: set[trio.MemorySendChannel[str]] = set()

    @app.websocket("/ws")
    async def connect() -> None:
        send, receive = trio.open_memory_channel[str](AHEAD)
        clients.add(send)
        await websocket.send("welcome")
        async for text in receive:
            await websocket.send(text)

    config = Config()
    config.bind = ["127.0.0.1:0"]
    config.errorlog = None
    async with trio.open_nursery() as nursery:
        (bound,) = await nursery.start(serve, app, config)
        for number in range(await _asked(int(bound.rpartition(":")[2]))):
            data = {"event": "said", "number": number, "text": TEXT}
            text = json.dumps({"type": "broadcast", "channel": "bench", "data": data, "timestamp": 0})
            for client in clients:
                await client.send(text)
        await trio.sleep_forever()


async def _asked(port: int) -> int:
    """Say the port, and wait until everyone is connected; return how many messages are to be sent."""
    print(port, flush=True)
    return int((await trio.to_thread.run_sync(sys.stdin.readline)).split()[1])


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        trio.run({"hub": hub, "bare": bare}[sys.argv[1]])
