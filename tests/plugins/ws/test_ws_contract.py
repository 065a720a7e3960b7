"""The hub keeps the contract of a transport."""

from __future__ import annotations

import pytest

from ccod import Settings
from ccod.settings import CoreSettings
from ccod.testing import TransportContract, Transports
from ccod_ws.hub import hub_of
from ccod_ws.settings import WsSettings
from ccod_ws.transport import WsTransport


class TestWsTransport(TransportContract):
    @pytest.fixture
    def transports(self) -> Transports:
        settings = Settings(CoreSettings(), {WsSettings: WsSettings()})
        return lambda observatory: WsTransport(hub_of(settings, observatory), observatory)
