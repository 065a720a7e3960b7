"""What the hub tells bears no secret."""

from __future__ import annotations

import json
from pathlib import Path

import trio
from trio_websocket import open_websocket

from ccod_http.web import HttpSettings
from tests.plugins.redact.canaries import canaries
from tests.plugins.redact.test_redact_rules import core
from tests.plugins.rest.library import library


async def test_no_canary_is_told(tmp_path: Path) -> None:
    secrets = canaries(3)
    async with library(tmp_path / "ccod.db") as house:
        port = house.settings[HttpSettings].port
        async with open_websocket("127.0.0.1", port, "/ws", use_ssl=False) as socket:
            await socket.send_message('{"type":"subscribe","channel":"conversations"}')
            told = ""
            while '"subscribed"' not in told:
                told += str(await socket.get_message())
            lines = [{"type": "custom-title", "customTitle": f"On {secret}"} for secret in list(secrets.values())[:1]]
            for secret in secrets.values():
                use = {"type": "tool_use", "id": secret[:9], "name": "Bash", "input": {"command": f"echo {secret}"}}
                lines.append(house.said("assistant", [{"type": "text", "text": f"it is {secret}"}, use]))
            await house.add(*lines, index=False)
            with trio.fail_after(60):
                while told.count('"message_added"') < len(secrets) or '"conversation_updated"' not in told:
                    told += str(await socket.get_message())
    assert [kind for kind, secret in secrets.items() if core(secret) in told.replace("\\", "")] == []
    assert told.count("redacted:") + json.dumps(told).count("u00abredacted:") >= 2 * len(secrets)
