"""What the WebSocket says and hears, as AsyncAPI 3, made from the structs of its messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from ccod import __version__
from ccod_http.web import encode
from ccod_ws import protocol
from ccod_ws.channels import Channel

FROM_HUB: Sequence[type[Struct]] = (
    protocol.Welcome,
    protocol.Ping,
    protocol.Pong,
    protocol.Subscribed,
    protocol.Unsubscribed,
    protocol.Lagged,
    protocol.Live,
    protocol.Error,
)
REF = "#/components/schemas/{name}"
ALL_CHANNELS = "All messages. Each broadcast says on which of the hub's channels it comes: "


def describe(channels: Mapping[str, Channel]) -> bytes:
    """Return the document, as JSON."""
    events = {name: event for channel in channels.values() for name, event in channel.events.items()}
    requests = protocol.REQUESTS
    kinds = [*FROM_HUB, *requests.values(), *dict.fromkeys(events.values())]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=REF)
    of_kind = dict(zip(kinds, schemas, strict=True))
    sent = {str(kind.__struct_config__.tag): of_kind[kind] for kind in FROM_HUB}
    for channel in channels.values():
        for name, event in channel.events.items():
            sent[f"{channel.name}.{name}"] = _broadcast(channel, of_kind[event])
    heard = {f"client.{name}": _request(name, of_kind[kind]) for name, kind in requests.items()}
    messages = {name: {"name": name, "payload": payload} for name, payload in (sent | heard).items()}
    listed = "; ".join(f"`{channel.name}`: {channel.description}" for channel in channels.values())
    return encode(
        {
            "asyncapi": "3.0.0",
            "info": {"title": "Claude Code Observatory", "version": __version__, "license": {"name": "MIT"}},
            "defaultContentType": "application/json",
            "channels": {
                "hub": {
                    "address": "/ws",
                    "description": ALL_CHANNELS + listed,
                    "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                }
            },
            "operations": {
                "send": _operation("send", sent),
                "receive": _operation("receive", heard),
            },
            "components": {"messages": messages, "schemas": components},
        }
    )


def _operation(action: str, messages: Mapping[str, Any]) -> dict[str, Any]:
    refs = [{"$ref": f"#/channels/hub/messages/{name}"} for name in messages]
    return {"action": action, "channel": {"$ref": "#/channels/hub"}, "messages": refs}


def _broadcast(channel: Channel, data: Any) -> dict[str, Any]:
    whole = {"type": "integer"}
    return {
        "type": "object",
        "required": ["type", "channel", "data", "timestamp"],
        "properties": {
            "type": {"const": "broadcast"},
            "channel": {"const": channel.name},
            "data": data,
            "timestamp": whole,
            "seq": whole,
            "asOf": whole,
        },
    }


def _request(name: str, fields: Any) -> dict[str, Any]:
    return {
        "allOf": [fields, {"type": "object", "required": ["type"], "properties": {"type": {"const": name}}}],
    }
