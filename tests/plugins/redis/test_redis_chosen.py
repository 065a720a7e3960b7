"""What a person is told who chose Redis: by `ccod doctor`, and where the client is not installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ccod import ConfigError, Settings
from ccod.settings import CoreSettings
from ccod_redis.checks import findings
from ccod_redis.settings import RedisSettings, require_client
from tests.redisserver import reason_to_skip, running


def chosen(url: str, cache: str = "redis") -> Settings:
    return Settings(CoreSettings(cache=cache), {RedisSettings: RedisSettings(url=url)})


def test_who_did_not_choose_it_is_told_nothing() -> None:
    assert not [*findings(chosen("redis://localhost:1", "memory"))]


def test_the_doctor_tries_the_server() -> None:
    if reason := reason_to_skip():
        pytest.skip(reason)
    with running() as server:
        (well,) = findings(chosen(server.url))
        assert (well.code, well.state) == ("cache", "ok")
        assert well.text.startswith(f"Redis at 127.0.0.1:{server.port}: Redis ")
        server.kill()
        (amiss,) = findings(chosen(server.url))
        assert (amiss.code, amiss.state) == ("cache", "problem")
        assert amiss.text.endswith("; start it, and look at the network between")


def test_without_the_client_one_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "redis", raising=False)
    with pytest.raises(ConfigError, match=r'pip install "ccod\[redis\]"'):
        require_client()
