"""The table `[webhook]`."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Struct, field

from ccod import Bytes, ConfigError, EventKind, FilePath, Seconds, setting


class WebhookSettings(Struct, forbid_unknown_fields=True):
    """Where events go."""

    url: Annotated[str, setting("Where events are posted to; nowhere when empty.")] = ""
    secret: Annotated[
        str, setting("Key of the signature, 16 characters at least; the receiver knows it.", secret=True)
    ] = ""
    events: Annotated[list[EventKind], setting("Kinds of events to send; all when empty.", live=True)] = field(
        default_factory=list
    )
    content: Annotated[bool, setting("Send what messages say too, with secrets masked.", live=True)] = False
    plain_http: Annotated[bool, setting("Allow http:// to other machines, where all can be read on the way.")] = False
    timeout: Annotated[Seconds, setting("Time for one request.", live=True)] = 10.0
    max_body: Annotated[Bytes, setting("Largest body of a request, 4 KiB at least.")] = 1024 * 1024
    give_up_after: Annotated[
        Seconds, setting("How long the receiver may fail before events go to the file of dead letters.", live=True)
    ] = 86_400.0
    dead_letters: Annotated[
        FilePath,
        setting("File of what the receiver refused; webhook-dead-letters.jsonl beside the database when empty."),
    ] = ""

    def __post_init__(self) -> None:
        if not self.url:
            return
        try:
            parts = urlsplit(self.url)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise ConfigError(f"[webhook] url: {error}; write https://host/path") from error
        if parts.scheme not in {"https", "http"} or not host:
            raise ConfigError("[webhook] url: is no address; write https://host/path")
        if parts.username or parts.password:
            raise ConfigError("[webhook] url: holds a password, which logs would show; use the signature instead")
        if parts.scheme == "http" and not self.plain_http and not _is_here(host):
            raise ConfigError("[webhook] url: http:// to another machine can be read by others; write https://")
        if self.max_body < 4096:
            raise ConfigError("[webhook] max_body: is less than 4 KiB, in which an event may not have room")
        if len(self.secret) < 16:
            raise ConfigError("[webhook] secret: needs 16 characters at least; `openssl rand -hex 32` makes one")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
