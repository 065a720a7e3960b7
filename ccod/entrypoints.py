"""What installed distributions offer, read from their files: `importlib.metadata` takes longer than a command may.

It knows the folders of `sys.path`, and in them what `pip` and Debian install; a distribution in an archive is none.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # as in `typing`, whose import costs more than all of this
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

ENDINGS = (".dist-info", ".egg-info")


class Distribution:
    """An installed distribution, by the folder that describes it."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._headers: dict[str, list[str]] | None = None

    @property
    def name(self) -> str:
        return self._header("Name")[0]

    @property
    def version(self) -> str:
        return self._header("Version")[0]

    @property
    def requires(self) -> list[str]:
        """What it requires, each as PEP 508 writes it."""
        return self._header("Requires-Dist")

    def _header(self, name: str) -> list[str]:
        if self._headers is None:
            self._headers = {"Name": [""], "Version": [""], "Requires-Dist": []} | _headers(self._folder)
        return self._headers[name]


class EntryPoint:
    """A name, what stands behind it, such as `package.module:function`, and the distribution that says so."""

    def __init__(self, name: str, value: str, dist: Distribution | None = None) -> None:
        self.name = name
        self.value = value
        self.dist = dist

    def load(self) -> Any:
        """Import what it names."""
        module, _, names = self.value.partition("[")[0].strip().partition(":")
        __import__(module)
        found: Any = sys.modules[module]
        for part in filter(None, names.split(".")):
            found = getattr(found, part)
        return found


def entry_points(group: str) -> Iterator[EntryPoint]:
    """Yield the entry points of a group. Of two distributions of one name the first on the path counts."""
    seen = set()
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for name in names:
            if name.endswith(ENDINGS) and (project := canonical(name.partition("-")[0])) not in seen:
                seen.add(project)
                yield from _offered(os.path.join(folder, name), group)


def canonical(name: str) -> str:
    """Return a distribution's name in the one way in which it may be compared."""
    for mark in "_.":
        name = name.replace(mark, "-")
    while "--" in name:
        name = name.replace("--", "-")
    return name.lower()


def _offered(folder: str, group: str) -> Iterator[EntryPoint]:
    distribution = Distribution(folder)
    _, _, section = f"\n{_text(os.path.join(folder, 'entry_points.txt'))}".partition(f"\n[{group}]")
    for line in section.partition("\n[")[0].splitlines():
        name, equals, value = line.partition("#")[0].partition("=")
        if equals:
            yield EntryPoint(name.strip(), value.strip(), distribution)


def _headers(folder: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    text = _text(os.path.join(folder, "METADATA")) or _text(os.path.join(folder, "PKG-INFO"))
    for line in text.partition("\n\n")[0].splitlines():
        name, _, value = line.partition(":")
        found.setdefault(name, []).append(value.strip())
    return found


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError):
        return ""
