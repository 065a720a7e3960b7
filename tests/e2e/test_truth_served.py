"""A running daemon tells every figure of real transcripts, and gives back every byte of them once they are deleted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner

from ccod.cli import cli
from tests.e2e.daemon import Daemon
from tests.real import ABSENT
from tests.truth import differences, truths
from tests.truth_served import ROUNDED, lay_out, serving, session, told

if not truths():
    pytest.skip(ABSENT, allow_module_level=True)


async def test_every_figure_is_served_and_every_file_is_given_back(tmp_path: Path) -> None:
    written = {key: path.read_bytes() for key, path in lay_out(tmp_path / "written").items()}
    async with serving(tmp_path) as daemon:
        wrong = {}
        for truth in truths():
            found = await told(daemon, session(truth))
            wrong[truth["file"]] = list(differences(truth, found, within=ROUNDED))
            assert found["models"] == truth["models"]
            assert found["tool_uses_by_name"] == truth["tool_uses_by_name"]
        assert {file: lines for file, lines in wrong.items() if lines} == {}

        shutil.rmtree(daemon.home.root)
        await daemon.restart()
        to = tmp_path / "restored"
        for key, body in written.items():
            await trio.to_thread.run_sync(restore, daemon, key, to / key)
            assert (to / key / f"{key}.jsonl").read_bytes() == body


def restore(daemon: Daemon, conversation: str, to: Path) -> None:
    arguments = ["--config", str(daemon.home.config), "restore", conversation, "--to", str(to)]
    done = CliRunner().invoke(cli, arguments, env=daemon.home.environment)
    assert done.exit_code == 0, done.output
