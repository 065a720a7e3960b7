"""What a daemon does with settings that it reads again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import pytest
import structlog.testing

from ccod.configuration import Configuration
from ccod.errors import ConfigError
from ccod.reloading import Reloader
from ccod.settings import Reloaded, Settings, setting


class Limits(msgspec.Struct, forbid_unknown_fields=True):
    window: Annotated[float, setting("Window.", live=True)] = 1.0


class Door(msgspec.Struct, forbid_unknown_fields=True):
    port: Annotated[int, setting("Port.")] = 3000
    names: Annotated[list[str], setting("Names.", live=True)] = msgspec.field(default_factory=list)
    limits: Limits = msgspec.field(default_factory=Limits)


class House:
    """A configuration file, the settings that were read of it once, and what reads them again."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "config.toml"
        self.file.write_text("")
        self.settings = self._read()
        self.reload = Reloader(self.settings, {"door": Door}, self._read)

    def _read(self) -> Settings:
        return Configuration(self.file, {}).settings({"door": Door})


async def test_live_settings_change_in_place_and_others_wait(tmp_path: Path) -> None:
    house = House(tmp_path)
    door, limits = house.settings[Door], house.settings[Door].limits
    house.file.write_text(
        "[door]\nport = 1\nnames = ['a']\nlimits.window = 2\n[log]\nlevel = 'error'\nformat = 'text'\n"
    )
    for _ in range(2):  # what waits for a restart is told each time
        reloaded = await house.reload()
        assert reloaded.restart == ["log.format", "door.port"]
    assert (door.port, door.names, limits.window) == (3000, ["a"], 2.0)
    house.file.write_text("")
    assert await house.reload() == Reloaded(["log.level", "door.names", "door.limits.window"], [])
    assert door == Door()


async def test_wrong_settings_change_nothing(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.file.write_text("[door]\nnames = ['a']\nport = 'x'\n")
    with structlog.testing.capture_logs() as logs, pytest.raises(ConfigError, match=r"config.toml:3: \[door\] port"):
        await house.reload()
    assert house.settings[Door] == Door()
    assert [entry["log_level"] for entry in logs] == ["error"]


async def test_the_service_manager_hears_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket
    import time

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", listener.getsockname())
        house = House(tmp_path)
        house.file.write_text("[door]\nport = 1\n")
        before = time.clock_gettime(time.CLOCK_MONOTONIC)
        await house.reload()
        first, *others = (listener.recv(1000).decode() for _ in range(3))
    reloading, stamp = first.split("\n")
    assert reloading == "RELOADING=1"
    name, _, microseconds = stamp.partition("=")
    assert name == "MONOTONIC_USEC"
    assert before <= int(microseconds) / 1e6 + 1e-6 <= time.clock_gettime(time.CLOCK_MONOTONIC)
    assert others == ["STATUS=serving; to be restarted for door.port", "READY=1"]
