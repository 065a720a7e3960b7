"""Clients of a daemon that begin something and never go on."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

from tests.e2e.daemon import Daemon


def connect(daemon: Daemon) -> socket.socket:
    client = socket.socket(socket.AF_INET)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(5)
    client.connect(("127.0.0.1", urlsplit(daemon.url).port))
    return client


def never_reading_websocket(daemon: Daemon) -> socket.socket:
    """Subscribe by hand, and never read again."""
    client = connect(daemon)
    headers = {
        "Host": urlsplit(daemon.url).netloc,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    client.sendall(b"GET /ws HTTP/1.1\r\n" + b"".join(f"{k}: {v}\r\n".encode() for k, v in headers.items()) + b"\r\n")
    assert b" 101 " in client.recv(4096).split(b"\r\n")[0]
    text = json.dumps({"type": "subscribe", "channel": "conversations"}).encode()
    client.sendall(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)
    return client


def half_a_request(daemon: Daemon, data: bytes = b"GET /health HTT") -> socket.socket:
    client = connect(daemon)
    client.sendall(data)
    return client
