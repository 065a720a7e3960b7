"""Hears what other daemons tell, on a connection of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import psycopg
import structlog
import trio

from ccod import Stored
from ccod_sql.postgres import notices
from ccod_sql.postgres.turns import CHANNEL
from ccod_sql.telling import joined

MOST_WAITING = 1000
"""Notices that are kept until they are told of; the oldest are left out. Events are in the database."""

log = structlog.get_logger("ccod.sql")


class Listening:
    """The connection is made and closed by the thread that writes, and heard in trio's, never both at a time.

    `heard` is called with each revision that another daemon than `node` tells of.
    """

    def __init__(
        self, connect: Callable[[], psycopg.Connection[Any]], node: str, heard: Callable[[int], object]
    ) -> None:
        self._connect = connect
        self._node = node
        self._heard = heard
        self._connection: psycopg.Connection[Any] | None = None
        self._waiting: deque[Stored] = deque(maxlen=MOST_WAITING)

    @property
    def is_there(self) -> bool:
        return self._connection is not None

    def begin(self) -> None:
        """Listen, unless that is so. Raises the driver's error."""
        if self._connection is None:
            connection = self._connect()
            try:
                connection.autocommit = True
                (channel,) = connection.execute(f"SELECT {CHANNEL}").fetchone() or ("",)
                connection.execute(f'LISTEN "{channel}"')
            except BaseException:
                connection.close()
                raise
            self._connection = connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def take(self) -> Stored | None:
        """Return what was heard, as far as one change of a file at a time can be told."""
        some: list[Stored] = []
        while self._waiting:
            some.append(self._waiting.popleft())
            if some[-1].file is not None:
                break
        return joined(some) if some else None

    async def called(self) -> None:
        """Return once something was heard, or where the connection was lost, so that it is made again."""
        while not self._waiting:
            if self._connection is None:
                await trio.sleep_forever()  # until somebody calls `begin`, as upkeep does
            elif not await self._hear(self._connection):
                self.close()
                return

    async def _hear(self, connection: psycopg.Connection[Any]) -> bool:
        """Wait for notices; return False where the connection was lost."""
        try:
            await trio.lowlevel.wait_readable(connection.fileno())
            connection.pgconn.consume_input()
        except psycopg.OperationalError as error:
            log.info("what other daemons store is heard late: the connection was lost", reason=str(error).strip())
            return False
        while notification := connection.pgconn.notifies():
            notice = notices.read(notification.extra)
            if notice is not None and notice.node != self._node:
                self._heard(notice.revision)
                if notice.stored is not None:
                    self._waiting.append(notice.stored)
        return True
