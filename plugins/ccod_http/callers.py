"""Where a request comes from: the peer itself, or for whom a trusted proxy says that it asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from quart import Quart, g

from ccod import ConfigError
from ccod_http.problems import current

Address = IPv4Address | IPv6Address

_FORWARDED = ("forwarded", "x-forwarded-", "x-real-ip")


def client_address() -> Address | None:
    """Return the address of the current caller, None on the Unix socket."""
    address: Address | None = g.address
    return address


def client_network() -> str:
    """Return the address of the current caller; of IPv6 the network, for whoever has one address of it has them all."""
    address = client_address()
    if address is None:
        return "unix"
    return str(ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


def is_proxied() -> bool:
    """Tell whether a proxy speaks for somebody else, trusted or not."""
    proxied: bool = g.proxied
    return proxied


def scheme() -> str:
    """Return "https" where the caller came by it, to this server or to a trusted proxy; else "http"."""
    name: str = g.scheme
    return name


class Callers:
    """Finds out who calls, before anything is checked."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self._trusted = [_network(each) for each in trusted]

    def install(self, app: Quart) -> None:
        app.before_request(self.note)
        app.before_websocket(self.note)

    async def note(self) -> None:
        asked = current()
        client = asked.scope["client"]
        g.address = _address(client[0]) if client else None
        g.scheme = asked.scheme.replace("ws", "http")
        trusted = self._trusts(g.address)
        g.proxied = trusted or any(name.lower().startswith(_FORWARDED) for name in dict(asked.headers))
        if trusted:
            for address in self._forwarded_for():
                g.address = address
            if asked.headers.getlist("X-Forwarded-Proto")[-1:] == ["https"]:
                g.scheme = "https"

    def _forwarded_for(self) -> Iterator[Address]:
        """Yield by whom each proxy says it was asked, the nearest first, up to the first that is not trusted."""
        chain = ",".join(current().headers.getlist("X-Forwarded-For")).split(",")
        for text in reversed(chain):
            address = _address(text.strip())
            if address is None:
                return
            yield address
            if not self._trusts(address):
                return

    def _trusts(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ConfigError(
            f"[http] trusted_proxies: {error}; write an address such as 10.0.0.5, or a network such as 10.0.0.0/24"
        ) from None
