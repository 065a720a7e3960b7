"""Sockets from the service manager are used, unless strangers could get in by them."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccod import ConfigError
from ccod_http.inherited import inherited_sockets

MINE = str(os.getpid())


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


def handed(sock: socket.socket, **environ: str) -> list[socket.socket]:
    return inherited_sockets({"LISTEN_FDS": "1", "LISTEN_PID": MINE} | environ, sock.fileno())


def test_a_copy_of_each_is_returned_every_time(listening: socket.socket) -> None:
    for _ in range(2):  # the transport may be restarted
        (copy,) = handed(listening)
        with copy:
            assert copy.getsockname() == listening.getsockname()
            assert copy.fileno() != listening.fileno()
            assert copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000
    assert not listening.get_inheritable()


@pytest.mark.parametrize(
    "environ", [{"LISTEN_PID": "1"}, {"LISTEN_FDS": ""}, {"LISTEN_FDS": "x"}, {"LISTEN_FDS": "-1"}]
)
def test_what_is_meant_for_others_is_left_alone(listening: socket.socket, environ: dict[str, str]) -> None:
    assert handed(listening, **environ) == []


def test_what_is_no_socket_is_refused() -> None:
    with Path(os.devnull).open() as file, pytest.raises(ConfigError, match="is no socket"):
        inherited_sockets({"LISTEN_FDS": "1", "LISTEN_PID": MINE}, file.fileno())
    with pytest.raises(ConfigError, match="is no socket"):
        inherited_sockets({"LISTEN_FDS": "1", "LISTEN_PID": MINE}, 100_000)


def test_a_socket_that_does_not_listen_is_refused() -> None:
    with socket.socket() as sock, pytest.raises(ConfigError, match="is no listening stream"):
        handed(sock)
    with socket.socket(type=socket.SOCK_DGRAM) as sock, pytest.raises(ConfigError, match="is no listening stream"):
        handed(sock)


def test_a_socket_beyond_loopback_is_refused() -> None:
    with socket.create_server(("0.0.0.0", 0)) as sock, pytest.raises(ConfigError, match="beyond loopback"):
        handed(sock)
