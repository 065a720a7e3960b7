"""HTTPS with a real certificate: what is served, and which files are refused."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from trio_websocket import open_websocket_url

from ccod import ConfigError
from ccod_http.tls import server_context
from tests.plugins.http.serving import Server, read_all, serving

KEY = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


class Files:
    """A certificate and its key, made by openssl, for localhost and box.test."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = folder / "cert.pem", folder / "key.pem"
        names = "subjectAltName=DNS:localhost,DNS:box.test,IP:127.0.0.1"
        self.openssl(*KEY, "-keyout", self.key, "-out", self.certificate, "-subj", "/CN=localhost", "-addext", names)

    @staticmethod
    def openssl(*arguments: str | Path) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    @property
    def settings(self) -> dict[str, str]:
        return {"certfile": str(self.certificate), "keyfile": str(self.key)}

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("tls"))


@asynccontextmanager
async def serving_tls(files: Files, **settings: Any) -> AsyncIterator[tuple[Server, httpx.AsyncClient]]:
    async with serving(**files.settings, allowed_hosts=["box.test"], **settings) as server:
        url = f"https://127.0.0.1:{server.port}"
        async with httpx.AsyncClient(base_url=url, verify=files.trust(), trust_env=False) as client:
            yield server, client


async def test_https_is_served_to_its_owner(files: Files) -> None:
    async with serving_tls(files) as (_, client):
        answer = await client.get("/api/projects")
        assert (answer.status_code, answer.http_version) == (200, "HTTP/1.1")
        own = str(client.base_url).rstrip("/")
        assert (await client.get("/api/projects", headers={"Origin": own})).status_code == 200
        plain = own.replace("https", "http")
        assert (await client.get("/api/projects", headers={"Origin": plain})).status_code == 403


@pytest.mark.parametrize(
    ("host", "bound"), [("box.test", True), ("localhost", False), ("127.0.0.1", False), ("[::1]:{port}", False)]
)
async def test_names_of_this_machine_alone_are_not_bound_to_https(files: Files, host: str, bound: bool) -> None:
    async with serving_tls(files) as (server, client):
        answer = await client.get("/health", headers={"Host": host.format(port=server.port)})
        assert answer.status_code == 200
        headers = answer.headers
        assert ("Strict-Transport-Security" in headers) == bound


async def test_plain_http_reads_are_sent_on_and_nothing_else_is_served(files: Files) -> None:
    async with serving_tls(files) as (server, _), server.client() as plain:
        answer = await plain.get("/api/projects?limit=3")
        assert answer.status_code == 308
        assert answer.headers["Location"] == f"https://127.0.0.1:{server.port}/api/projects?limit=3"
        refused = await plain.post("/api/projects", json={})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "HTTPS_REQUIRED")
        assert (await plain.get("/api/projects", headers={"Host": "evil.example"})).status_code == 421
        assert (await server.handshake("/echo", b"Host: localhost\r\n")).startswith(b"HTTP/1.1 403")


async def test_websockets_are_served_over_tls(files: Files) -> None:
    async with serving_tls(files) as (server, _):
        url = f"wss://127.0.0.1:{server.port}/echo"
        with trio.fail_after(10):
            async with open_websocket_url(url, ssl_context=files.trust()) as socket:
                await socket.send_message("hello")
                assert await socket.get_message() == "hello"


async def test_old_versions_of_tls_are_refused(files: Files) -> None:
    context = files.trust()
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with serving_tls(files) as (server, client):
        async with trio.SSLStream(await server.connect(), context, server_hostname="localhost") as stream:
            with pytest.raises(trio.BrokenResourceError):
                await stream.do_handshake()
        assert (await client.get("/health")).status_code == 200


@pytest.mark.parametrize(
    "greeting", [b"\x16", b"\x16\x03\x01\xff\xff" + bytes(100), b"\x16" * 20_000, b"\x80\x00", b""]
)
async def test_what_is_no_handshake_ends_its_own_connection(files: Files, greeting: bytes) -> None:
    async with serving_tls(files) as (server, client):
        async with await server.connect() as stream:
            await stream.send_all(greeting)
            await stream.send_eof()
            await read_all(stream)
        assert (await client.get("/health")).status_code == 200


async def test_an_answer_reaches_who_sends_too_much(files: Files) -> None:
    async with serving_tls(files, max_body=1000) as (_, client):
        assert (await client.post("/health", content=b"x" * 4000)).status_code == 413
        assert (await client.get("/health")).status_code == 200


def test_files_that_are_not_set_serve_no_https() -> None:
    assert server_context("", "") is None


def test_one_file_without_the_other_is_refused(files: Files) -> None:
    for certificate, key, given in ((files.certificate, "", "certfile"), ("", files.key, "keyfile")):
        with pytest.raises(ConfigError, match=rf"^\[http\] {given}: is set, but"):
            server_context(str(certificate), str(key))


def test_files_that_cannot_be_used_are_named_with_the_remedy(files: Files, tmp_path: Path) -> None:
    def refusal(certificate: Path, key: Path) -> str:
        with pytest.raises(ConfigError) as caught:
            server_context(str(certificate), str(key))
        assert "\n" not in str(caught.value)
        return str(caught.value)

    other = Files(tmp_path)
    encrypted, noise = tmp_path / "encrypted.pem", tmp_path / "noise.pem"
    files.openssl("pkey", "-in", files.key, "-aes256", "-passout", "pass:secret", "-out", encrypted)
    noise.write_bytes(b"noise")
    for path in (encrypted, noise):
        path.chmod(0o600)
    assert "No such file" in refusal(tmp_path / "absent", files.key)
    assert "No such file" in refusal(files.certificate, tmp_path / "absent")
    assert "directory" in refusal(tmp_path, files.key)
    assert "is not the key of the certificate" in refusal(files.certificate, other.key)
    assert f"{encrypted}: is encrypted; write it plain" in refusal(files.certificate, encrypted)
    assert "holds no key" in refusal(files.certificate, noise)
    assert "holds no certificate" in refusal(noise, files.key)
    assert "holds no certificate" in refusal(files.key, files.key)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    files = Files(tmp_path)
    files.key.chmod(mode)
    with pytest.raises(ConfigError, match=r"others than its owner may read it; run: chmod 600"):
        server_context(**files.settings)
