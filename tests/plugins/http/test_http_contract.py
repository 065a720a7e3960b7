"""The HTTP server keeps the contract of a transport."""

from __future__ import annotations

import pytest

from ccod import Settings
from ccod.settings import CoreSettings
from ccod.testing import TransportContract, Transports
from ccod_http.settings import HttpSettings
from ccod_http.transport import HttpTransport


class TestHttpTransport(TransportContract):
    @pytest.fixture
    def transports(self) -> Transports:
        settings = Settings(CoreSettings(), {HttpSettings: HttpSettings(port=0)})
        return lambda observatory: HttpTransport(settings, observatory)
