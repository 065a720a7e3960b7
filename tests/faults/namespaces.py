"""Networks of their own for processes, with a way to this machine that can be cut. Linux, and root's."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct


class Namespace(Struct, frozen=True):
    """A network namespace; this machine is `host` to it."""

    name: str
    link: str
    host: str

    @property
    def entering(self) -> list[str]:
        """The command before one that is to run there."""
        return ["ip", "netns", "exec", self.name]

    def cut(self) -> None:
        _ip("link", "set", self.link, "down")

    def join(self) -> None:
        _ip("link", "set", self.link, "up")


def reason_to_skip() -> str | None:
    """Return why there can be none."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return "network namespaces need root, and `ip`"
    name = f"ccod-try-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], check=False, capture_output=True).returncode:
        return "network namespaces are not allowed here"
    _ip("netns", "delete", name)
    return None


@contextmanager
def namespace(number: int) -> Iterator[Namespace]:
    """Make a namespace. `number` tells it from others of this process, and is part of its addresses."""
    name, link = f"ccod-{os.getpid()}-{number}", f"cc{os.getpid() % 100_000}x{number}"
    host, guest = f"10.213.{number}.1", f"10.213.{number}.2"
    _ip("netns", "add", name)
    try:
        _ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("address", "add", f"{host}/30", "dev", link)
        _ip("link", "set", link, "up")
        for words in (("address", "add", f"{guest}/30", "dev", "eth0"), ("link", "set", "eth0", "up")):
            _ip("-netns", name, *words)
        _ip("-netns", name, "link", "set", "lo", "up")
        yield Namespace(name, link, host)
    finally:
        _ip("netns", "delete", name)  # and the link with it


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
