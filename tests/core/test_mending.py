"""The commands that findings name are those by which ccod is kept here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ccod.mending import restart_advice, start_command, upgrade_command


def test_a_service_is_started_by_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert start_command() == "ccod serve"
    assert restart_advice() == "stop the daemon, and start it with `ccod serve`"
    for file in ("systemd/user/ccod.service", "systemd/private"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    assert start_command() == "systemctl --user start ccod"
    assert restart_advice() == "systemctl --user restart ccod"


@pytest.mark.parametrize(
    ("made", "updates"),
    [("pipx_metadata.json", "pipx upgrade ccod"), ("uv-receipt.toml", "uv tool upgrade ccod"), ("x", "-m pip install")],
)
def test_it_is_updated_by_what_installed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str, updates: str
) -> None:
    (tmp_path / made).touch()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert updates in upgrade_command()
