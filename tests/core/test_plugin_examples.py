"""The examples of docs/plugins keep the contracts of their roles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ccod import Observatory, Parser, Prices
from ccod.testing import (
    AuthContract,
    Auths,
    CacheContract,
    Caches,
    ParserContract,
    PricesContract,
    SinkContract,
    Sinks,
    TransportContract,
    Transports,
)
from tests.guide import GUIDE, example

if not GUIDE.is_dir():
    pytest.skip("the documentation is checked on the source tree", allow_module_level=True)


def offered(plugin: str, hook: str) -> Any:
    """Return what an example answers a hook with."""
    names: dict[str, Any] = {"__name__": f"ccod_{plugin}"}
    exec(example(plugin), names)
    return names[hook]


class TestBox(CacheContract):
    @pytest.fixture
    def caches(self) -> Caches:
        caches: Caches = offered("box", "ccod_cache")
        return caches


class TestGuest(AuthContract):
    @pytest.fixture
    def auths(self) -> Auths:
        auths: Auths = offered("guest", "ccod_auth")
        return auths


class TestFlat(PricesContract):
    @pytest.fixture
    def prices(self) -> Prices:
        prices: Prices = offered("flat", "ccod_prices")()
        return prices


class TestPlain(ParserContract):
    @pytest.fixture
    def parser(self) -> Parser:
        parser: Parser = next(iter(offered("plain", "ccod_parsers")()))
        return parser

    @pytest.fixture
    def sample(self) -> Sequence[bytes]:
        return [b"user: hello\n", b"agent: good morning\n"]


class TestBell(SinkContract):
    @pytest.fixture
    def sinks(self) -> Sinks:
        return lambda: next(iter(offered("bell", "ccod_sinks")()))


class TestBeats(TransportContract):
    @pytest.fixture
    def transports(self) -> Transports:
        def make(observatory: Observatory) -> Any:
            return next(iter(offered("beats", "ccod_transports")(observatory)))

        return make
