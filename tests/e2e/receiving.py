"""A server that takes whatever is posted, for plugins that send what was stored to another program."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import h11
import trio

PORTION = 64 * 1024


class Receiver:
    """Answers each request with 204; `taken` says how many came whole."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.taken = 0

    async def answer(self, stream: trio.SocketStream) -> None:
        """Take one request; the sender closes in its midst where it ends."""
        connection = h11.Connection(h11.SERVER)
        async with stream:
            try:
                while not isinstance(event := connection.next_event(), h11.EndOfMessage):
                    if event is h11.NEED_DATA:
                        connection.receive_data(await stream.receive_some(PORTION))
                    elif isinstance(event, h11.ConnectionClosed):
                        return
                self.taken += 1
                reply = h11.Response(status_code=204, headers=[("Connection", "close")])
                await stream.send_all((connection.send(reply) or b"") + (connection.send(h11.EndOfMessage()) or b""))
            except (trio.BrokenResourceError, h11.RemoteProtocolError):
                return


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Serve on a free port meanwhile."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    receiver = Receiver(f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/")
    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, receiver.answer, listeners)
        yield receiver
        nursery.cancel_scope.cancel()
