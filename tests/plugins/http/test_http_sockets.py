"""Where the server listens, and who holds its port."""

from __future__ import annotations

import os
import socket

import pytest

from ccod import ConfigError, UnavailableError
from ccod_http.sockets import addresses, open_sockets
from tests.plugins.http.serving import serving


@pytest.mark.parametrize("host", ["example.org", "", "localhost.", "::ffff:127.0.0.1", "fe80::1%lo", "127.0.0.1/8"])
def test_what_is_no_plain_address_is_refused_with_the_remedy(host: str) -> None:
    with pytest.raises(ConfigError, match=r"^\[http\] host: .*; write .*address"):
        addresses(host)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", ["127.0.0.1", "::1"]),
        ("LOCALHOST", ["127.0.0.1", "::1"]),
        ("127.0.0.2", ["127.0.0.2"]),
        ("::1", ["::1"]),
        ("0.0.0.0", ["0.0.0.0"]),
        ("::", ["0.0.0.0", "::"]),
    ],
)
def test_names_and_addresses_are_taken(host: str, expected: list[str]) -> None:
    assert addresses(host) == expected


def test_localhost_is_one_port_on_every_loopback_address() -> None:
    sockets = open_sockets("localhost", 0)
    try:
        assert sockets[0].getsockname()[0] == "127.0.0.1"
        assert len({sock.getsockname()[1] for sock in sockets}) == 1
    finally:
        for sock in sockets:
            sock.close()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_port_in_use_is_named_with_its_holder_and_the_remedy(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        expected = rf"^\[http\] port: {port} is in use by process {os.getpid()} \(.+\); stop it, or .*--port$"
        with pytest.raises(UnavailableError, match=expected):
            open_sockets(host, port)


def test_a_port_that_only_a_connection_holds_is_no_other_users() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.bind(("127.0.0.1", 0))
        client.connect(server.getsockname())
        port = client.getsockname()[1]
        with pytest.raises(UnavailableError, match=rf"{port} is in use by a connection, not by a server; try again"):
            open_sockets("127.0.0.1", port)


async def test_localhost_serves_both_addresses() -> None:
    async with serving(host="localhost") as server, server.client() as client:
        assert (await client.get("/health")).status_code == 200
        try:
            socket.create_connection(("::1", server.port)).close()
        except OSError as error:
            pytest.skip(f"no IPv6 here: {error}")
        assert (await client.get(f"http://[::1]:{server.port}/api/projects")).status_code == 200


@pytest.mark.parametrize("host", ["203.0.113.7", "fe80::1"])
def test_an_address_that_this_machine_has_not_is_one_line(host: str) -> None:
    with pytest.raises(UnavailableError, match=r"^\[http\] host: .*; write .* address of this machine"):
        open_sockets(host, 0)
