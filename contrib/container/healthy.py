"""Asks the daemon's Unix socket whether it lives: exit code 0, or 1."""

import os
import socket
import sys

REQUEST = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

try:
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(4)
        door.connect(os.environ["CCOD_HTTP__SOCKET"])
        door.sendall(REQUEST)
        answer = door.recv(64)
except OSError as error:
    sys.exit(f"{error}")
sys.exit(0 if answer.startswith(b"HTTP/1.1 200") else answer.decode(errors="replace"))
