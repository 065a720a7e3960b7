"""What must be so before the server can be reached from beyond this machine."""

from __future__ import annotations

from ccod import ConfigError
from ccod_http.settings import HttpSettings
from ccod_http.sockets import is_loopback


def check_reach(settings: HttpSettings) -> None:
    """Raise ConfigError where strangers could reach what is not closed to them, or read what passes by."""
    if is_loopback(settings.host):
        return
    if settings.access != "login":
        raise ConfigError(
            f"[http] host: {settings.host!r} is beyond loopback, where access = {settings.access!r} cannot tell who "
            'asks; set [http] access = "login", or serve on localhost and use a tunnel (ssh -L 3000:localhost:3000)'
        )
    if not settings.certfile and not settings.insecure:
        raise ConfigError(
            f"[http] host: {settings.host!r} is beyond loopback, where all can be read on the way; set [http] certfile "
            "and keyfile, or insecure = true, as behind a proxy that serves HTTPS"
        )
