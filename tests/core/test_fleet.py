"""What contrib/fleet says is what the programs that read it take; no engine and no image are needed for that."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.daemon import run_ccod
from tests.e2e.home import Home
from tests.e2e.running import run, usual_home

ROOT = Path(__file__).parents[2]
FLEET = ROOT / "contrib" / "fleet"

if not FLEET.exists():
    pytest.skip("the fleet's files are in the source tree", allow_module_level=True)

yaml = pytest.importorskip("yaml")
SERVICE = {
    "command",
    "depends_on",
    "environment",
    "healthcheck",
    "image",
    "networks",
    "ports",
    "restart",
    "secrets",
    "shm_size",
    "tmpfs",
    "volumes",
}


@pytest.fixture
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FLEET / "compose.yaml").read_text())
    return found


def test_services_are_made_of_what_compose_knows_and_of_what_is_there(compose: dict[str, Any]) -> None:
    assert set(compose) == {"name", "x-node", "services", "networks", "volumes", "secrets"}
    assert set(compose["services"]) == {"node-1", "node-2", "proxy", "postgres", "redis"}
    for name, service in compose["services"].items():
        assert set(service) <= SERVICE, name
        assert set(service["secrets"]) <= set(compose["secrets"]), name
        assert set(service["networks"]) <= set(compose["networks"]), name
        assert set(service.get("depends_on", ())) <= set(compose["services"]), name
        for volume in service.get("volumes", ()):
            source, _, target = volume.partition(":")
            assert target.startswith("/")
            assert source in compose["volumes"] or (FLEET / source).is_file(), volume


def test_images_have_a_version_and_come_from_no_named_host(compose: dict[str, Any]) -> None:
    images = {service["image"] for service in compose["services"].values()}
    assert {image.partition(":")[0] for image in images} == {"ccod-fleet", "nginx", "postgres", "redis"}
    assert all(":" in image for image in images - {"ccod-fleet"})


def test_who_is_asked_for_says_whether_it_is_well(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        needed = service.get("depends_on", ())
        for other in needed if isinstance(needed, dict) else ():
            assert needed[other] == {"condition": "service_healthy"}
            assert compose["services"][other]["healthcheck"]["test"], name


def test_only_the_proxy_is_trusted_and_each_secret_is_read(compose: dict[str, Any]) -> None:
    node = tomllib.loads((FLEET / "node.toml").read_text())
    assert node["http"]["trusted_proxies"] == [compose["services"]["proxy"]["networks"]["inside"]["ipv4_address"]]
    named = {node["postgres"]["url"]["file"], node["redis"]["url"]["file"], node["jwt"]["secret"]["file"]}
    assert named == {f"/run/secrets/{name}" for name in compose["x-node"]["secrets"]}


@pytest.mark.parametrize("name", ["node", "collector"])
async def test_ccod_takes_its_configuration(tmp_path: Path, name: str) -> None:
    home = Home(tmp_path)
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o700)
    for each, text in (
        ("postgres_url", "postgresql://ccod@postgres/ccod"),
        ("redis_url", "redis://redis"),
        ("jwt_secret", secrets.token_urlsafe(40)),
    ):
        (folder / each).touch(0o600)
        (folder / each).write_text(text)
    written = (FLEET / f"{name}.toml").read_text()
    for place in ("/run/secrets", "~/.config/ccod"):
        written = written.replace(place, str(folder))
    home.config.write_text(written)
    code, said = await run_ccod(home, "config", "check", "--config", str(home.config))
    assert code == 0, said


def test_a_node_reads_no_transcripts_also_in_the_image(compose: dict[str, Any], tmp_path: Path) -> None:
    """What a variable of the image says is stronger than the file."""
    image = (ROOT / "contrib" / "container" / "Containerfile").read_text()
    of_image = dict(re.findall(r"\b(CCOD_\w+)=(\S+)", image))
    assert of_image["CCOD_CLAUDE__ROOTS"] == "/transcripts"
    home = usual_home(tmp_path)
    home.variables |= {**of_image, **compose["x-node"]["environment"]}
    home.config.write_text("[claude]\nroots = []\n")
    assert json.loads(run(home, "config", "show", "--json").stdout)["settings"]["claude.roots"]["value"] == []


def test_the_image_of_a_fleet_has_the_clients_of_its_servers() -> None:
    pinned = (ROOT / "requirements" / "fleet.txt").read_text()
    run = (ROOT / "requirements" / "run.txt").read_text()
    for package in ("psycopg==", "psycopg-binary==", "redis=="):
        assert f"\n{package}" in pinned
        assert f"\n{package}" not in run


def test_nginx_takes_the_proxy_s_configuration(tmp_path: Path) -> None:
    from tests.e2e.nginx import Nginx, reason_to_skip

    if reason := reason_to_skip():
        pytest.skip(reason)
    nginx = Nginx(tmp_path, [1, 2])
    done = subprocess.run([*nginx.command, "-t"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
