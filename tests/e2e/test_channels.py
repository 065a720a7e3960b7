"""A plugin of somebody else's with a channel of its own, as docs/plugins shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.daemon import open_daemon
from tests.guide import GUIDE, example

if not GUIDE.exists():
    pytest.skip("the documentation is there on the source tree only", allow_module_level=True)


async def test_a_plugin_publishes_on_its_own_channel(tmp_path: Path) -> None:
    async with open_daemon(tmp_path, start=False) as daemon:
        daemon.home.install("weather", example("weather").replace("after(60)", "after(0.05)"))
        await daemon.start()
        async with daemon.websocket("weather") as listener:
            assert (await listener.event("weather_changed"))["degrees"] == 21
        described = await daemon.get("/asyncapi.json")
        payload = described["components"]["messages"]["weather.weather_changed"]["payload"]
        assert payload["properties"]["channel"] == {"const": "weather"}
        assert "Degrees" not in described["components"]["schemas"]


async def test_a_second_channel_of_one_name_is_left_out_and_named(tmp_path: Path) -> None:
    async with open_daemon(tmp_path, start=False) as daemon:
        daemon.home.install("weather", example("weather").replace('"weather"', '"files"'))
        await daemon.start()
        failed = await daemon.logged("plugin failed")
        assert failed["plugin"] == "weather"
        assert "there is a channel 'files' already; choose another name" in failed["reason"]
