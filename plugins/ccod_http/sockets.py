"""The listening sockets."""

from __future__ import annotations

import errno
import ipaddress
import socket

from ccod import ConfigError, UnavailableError
from ccod_http import sockettable

SILENCE_SECONDS = 30
"""How long the kernel waits for a peer that takes nothing, or says nothing when it is probed."""

UNREAD_BYTES = 256 * 1024
"""How much the kernel keeps for a peer that reads slowly; by itself it would take megabytes."""

_OPTIONS: tuple[tuple[int, str, int], ...] = (
    (socket.SOL_SOCKET, "SO_REUSEADDR", 1),
    (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
    (socket.SOL_SOCKET, "SO_SNDBUF", UNREAD_BYTES),
    (socket.IPPROTO_TCP, "TCP_NODELAY", 1),
    (socket.IPPROTO_TCP, "TCP_KEEPIDLE", SILENCE_SECONDS),
    (socket.IPPROTO_TCP, "TCP_KEEPINTVL", SILENCE_SECONDS // 3),
    (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", SILENCE_SECONDS * 1000),
)


def addresses(host: str) -> list[str]:
    """Return the addresses that `host` stands for, or raise ConfigError."""
    if host.lower() == "localhost":
        return ["127.0.0.1", "::1"]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise ConfigError(
            f"[http] host: {host!r} is no address; write `localhost`, an IP address of this machine, or `::` for "
            "every one (or CCOD_HTTP__HOST=localhost where the shell sets HOST)"
        ) from None
    if address.version == 6 and (address.ipv4_mapped or address.scope_id):
        raise ConfigError(f"[http] host: {host!r} cannot be served on; write the plain address")
    return ["0.0.0.0", "::"] if host == "::" else [address.compressed]  # noqa: S104


def is_loopback(host: str) -> bool:
    """Tell whether nobody but this machine can reach `host`."""
    return all(ipaddress.ip_address(address).is_loopback for address in addresses(host))


def open_sockets(host: str, port: int, name: str = "[http] port", option: str = "--port") -> list[socket.socket]:
    """Return a bound socket for each address of `host`, all of one port. Names are content with what there is.

    Raises UnavailableError for a port that is not to be had; `name` and `option` are what it is set by.
    """
    first, *others = addresses(host)
    try:
        sockets = [_bind(first, port, name, option)]
    except OSError as error:
        raise UnavailableError(
            f"[http] host: {host!r}: {error.strerror or error}; write `localhost`, or an address of this machine"
        ) from error
    for address in others:
        try:
            sockets.append(_bind(address, sockets[0].getsockname()[1], name, option))
        except UnavailableError:
            if port:
                _close(sockets)
                raise
        except OSError:
            continue  # this machine has no IPv6
    return sockets


def tune(sock: socket.socket) -> None:
    """Let the kernel find out about peers that are gone."""
    for level, name, value in _OPTIONS:
        if hasattr(socket, name):
            sock.setsockopt(level, getattr(socket, name), value)


def _bind(address: str, port: int, name: str, option: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        tune(sock)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
    except OSError as error:
        sock.close()
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            raise UnavailableError(f"{name}: {_refusal(port, error)} with {option}") from None
        raise
    return sock


def _refusal(port: int, error: OSError) -> str:
    if error.errno == errno.EACCES:
        return f"{port} needs more rights than this user has; choose one above 1023"
    found = sockettable.listener(port)
    if not found and sockettable.only_connected(port):
        return f"{port} is in use by a connection, not by a server; try again in a minute, or choose another port"
    holder = f"process {found[0]} ({found[1][:80]})" if found else "another user's process"
    return f"{port} is in use by {holder}; stop it, or choose another port"


def _close(sockets: list[socket.socket]) -> None:
    for sock in sockets:
        sock.close()
