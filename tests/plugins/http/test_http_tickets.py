"""A ticket is good once, for a while, and as long as not too many wait."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from ccod import User
from ccod_http.tickets import MOST, SECONDS, Tickets

USER = User("user_1", "me@example.com", "user")


async def test_a_ticket_is_good_once() -> None:
    tickets = Tickets()
    issued = tickets.issue(USER)
    assert issued.expires_in == SECONDS
    assert tickets.redeem("another") is None
    assert tickets.redeem(issued.ticket) == USER
    assert tickets.redeem(issued.ticket) is None


async def test_a_ticket_is_void_after_its_time(autojump_clock: MockClock) -> None:
    tickets = Tickets()
    used, late = tickets.issue(USER), tickets.issue(USER)
    await trio.sleep(SECONDS - 0.001)
    assert tickets.redeem(used.ticket) == USER
    await trio.sleep(0.001)
    assert tickets.redeem(late.ticket) is None


async def test_of_too_many_the_oldest_is_void() -> None:
    tickets = Tickets()
    issued = [tickets.issue(USER).ticket for _ in range(MOST + 1)]
    assert [tickets.redeem(ticket) for ticket in issued] == [None] + [USER] * MOST
