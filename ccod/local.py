"""The settings that `ccod config set` writes: `conf.d/local.toml`, so that a hand-written file keeps its comments."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import tomli_w

from ccod.errors import ConfigError
from ccod.files import read_small, write_private

HEADER = "# Written by `ccod config set` and `ccod config unset`, which keep no comments.\n"


class LocalFile:
    """Raises ConfigError for a file that cannot be read, or written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._tree: dict[str, Any] = tomllib.loads(read_small(path)[0].decode("utf-8-sig"))
        except FileNotFoundError:
            self._tree = {}
        except (OSError, ValueError, RecursionError) as error:
            raise ConfigError(f"{path}: {error}; correct or remove it") from error

    def set(self, name: tuple[str, ...], value: object) -> None:
        *tables, key = name
        branch = self._tree
        for table in tables:
            inner = branch.setdefault(table, {})
            if not isinstance(inner, dict):
                raise ConfigError(f"{self.path}: {table!r} is no table; correct or remove it")
            branch = inner
        branch[key] = value
        self._write()

    def unset(self, name: tuple[str, ...]) -> bool:
        """Remove a setting; tell whether it was there."""
        found = _removed(self._tree, name)
        if found:
            self._write()
        return found

    def _write(self) -> None:
        try:
            write_private(self.path, (HEADER + tomli_w.dumps(self._tree)).encode())
        except OSError as error:
            raise ConfigError(f"{self.path}: {error.strerror or error}; make its folder writable") from error
        except RecursionError as error:
            raise ConfigError(f"{self.path}: its tables are too deep; correct or remove it") from error


def _removed(tree: dict[str, Any], name: tuple[str, ...]) -> bool:
    """Remove a key, and the tables that are empty then."""
    key, *rest = name
    if not rest:
        return tree.pop(key, None) is not None
    inner = tree.get(key)
    found = isinstance(inner, dict) and _removed(inner, tuple(rest))
    if inner == {}:
        del tree[key]
    return found
