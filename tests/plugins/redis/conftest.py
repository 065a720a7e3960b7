from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.redisserver import RedisServer, reason_to_skip, running


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """A server for all tests of a module: each takes a prefix of its own."""
    if reason := reason_to_skip():
        pytest.skip(reason)
    with running() as server:
        yield server
