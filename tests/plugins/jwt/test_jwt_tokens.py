"""A token is valid by the clock of the plugin, and from its beginning to its end with ten seconds to spare."""

from __future__ import annotations

import pytest

from ccod.testing.asking import Clock
from ccod_jwt.tokens import LEEWAY_SECONDS, Claims, Tokens
from tests.plugins.http.serving import SECRET

SPARE = 1000 * LEEWAY_SECONDS


def tokens(clock: Clock) -> Tokens:
    return Tokens({"key": SECRET.encode()}, "here", clock)


def claims(until: int) -> Claims:
    return Claims("user_1", "login_1", "access_1", until)


@pytest.mark.parametrize("now", [1_000_000_000, 4_102_444_800_000])
def test_no_clock_but_the_own_counts(now: int) -> None:
    clock = Clock()
    clock.now = now
    said = claims(now + 60_000)
    text = tokens(clock).write("access", said)
    assert tokens(clock).read("access", text) == said
    assert tokens(clock).read("refresh", text) is None


@pytest.mark.parametrize("read_before", [True, False])
def test_a_token_ends_ten_seconds_late(read_before: bool) -> None:
    clock = Clock()
    clock.now = 1_700_000_000_000
    reader, said = tokens(clock), claims(clock.now + 60_000)
    text = reader.write("access", said)
    assert not read_before or reader.read("access", text)
    clock.now = said.expires_at + SPARE - 1
    assert reader.read("access", text) == said
    clock.now += 1
    assert reader.read("access", text) is None


def test_a_token_begins_ten_seconds_early() -> None:
    clock = Clock()
    clock.now = 1_700_000_000_000
    text = tokens(clock).write("access", claims(clock.now + 60_000))
    clock.now -= SPARE + 1
    assert tokens(clock).read("access", text) is None
    clock.now += 1
    assert tokens(clock).read("access", text)
