"""Where plugins are found: entry points of distributions, and the files of a folder."""

from __future__ import annotations

import importlib.util
import os
import stat
import sys
from collections.abc import Collection
from contextlib import suppress
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

from ccod.entrypoints import Distribution, EntryPoint, canonical, entry_points
from ccod.errors import ConfigError, PluginError
from ccod.faults import Stranger
from ccod.version import __version__

OWN = "ccod"
"""The distribution that brings the built-in plugins."""


class PluginFile:
    """A plugin of one file, named after it. Looks to a manager like an entry point."""

    dist = None

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self.value = str(path)
        self._path = path

    def load(self) -> ModuleType:
        """Import the file. Raises PluginError where another user could have written it."""
        if problem := _danger(self._path):
            raise PluginError(self.name, f"{self._path}: {problem}")
        name = f"ccod_plugins_dir_{self.name}"
        spec = importlib.util.spec_from_file_location(name, self._path)
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


Found = EntryPoint | PluginFile


def installed() -> list[Found]:
    return [*entry_points("ccod")]


def in_folder(folder: Path) -> list[Found]:
    """Return the plugins of a folder: every `*.py` that begins with neither `_` nor `.`.

    Raises ConfigError where there is no such folder, or where another user could put plugins into it.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".py" and path.name[0] not in "._")
    except OSError as error:
        raise ConfigError(f"plugins_dir: {folder}: {error.strerror}; make it, or name another") from error
    if problem := _danger(folder):
        raise ConfigError(f"plugins_dir: {folder}: {problem}")
    return [PluginFile(path) for path in files]


def is_own(found: Found) -> bool:
    """Tell whether a plugin is one of ccod's own."""
    return found.dist is not None and canonical(found.dist.name) == OWN


def strangers(found: Collection[Found]) -> list[Stranger]:
    """Return the plugins of others, none of which is imported for that."""
    return [_stranger(each) for each in found if not is_own(each)]


def _stranger(found: Found) -> Stranger:
    if found.dist is not None:
        return Stranger(found.name, found.dist.version, _place(found.value.partition(":")[0]))
    with suppress(OSError):  # a file has no version: what tells two contents of it apart
        return Stranger(found.name, f"of {Path(found.value).stat().st_mtime_ns}", found.value)
    return Stranger(found.name, "", found.value)


def _place(module: str) -> str:
    """Return the file of a module, or the folder of its package: of the outermost that is not only a namespace."""
    name, path = "", None
    for part in module.split("."):
        name = f"{name}.{part}".lstrip(".")
        with suppress(ImportError, ValueError):
            spec = PathFinder.find_spec(name, path) if path else importlib.util.find_spec(name)
            if spec is None:
                break
            if spec.origin:
                return str(Path(spec.origin).parent) if spec.submodule_search_locations else spec.origin
            path = spec.submodule_search_locations
    return module


def describe_found(found: Found) -> str:
    """Name a plugin's distribution, or its file."""
    return f"{found.dist.name} {found.dist.version}" if found.dist else found.value


def wanted(found: Found, distributions: Collection[str]) -> bool:
    """Tell whether a plugin is to be loaded where only some distributions' are: the built-ins and single files are."""
    named = {canonical(name) for name in distributions}
    return found.dist is None or "*" in named or canonical(found.dist.name) in named | {OWN}


def unknown(distributions: Collection[str], found: Collection[Found]) -> list[str]:
    """Return those of some names that no plugin's distribution bears."""
    there = {canonical(each.dist.name) for each in found if each.dist is not None}
    return [name for name in distributions if name != "*" and canonical(name) not in there | {OWN}]


def require_fit(name: str, distribution: Distribution | None) -> None:
    """Raise PluginError where a plugin's distribution requires another version of ccod than this."""
    if distribution is None or canonical(distribution.name) == OWN:
        return
    from packaging.requirements import InvalidRequirement, Requirement

    for text in distribution.requires:
        with suppress(InvalidRequirement):  # an installer's affair
            need = Requirement(text)
            applies = need.marker is None or need.marker.evaluate({"extra": ""})
            if canonical(need.name) == OWN and applies and not need.specifier.contains(__version__, prereleases=True):
                built = f"{distribution.name} {distribution.version} was built for ccod {need.specifier}"
                raise PluginError(
                    name,
                    f"{built}, and this is {__version__}; install one that fits, "
                    f'or leave it out with disable = ["{name}"]',
                )


def _danger(path: Path) -> str:
    """Tell what lets another user write a file or folder whose code would be run; nothing if that is safe."""
    status = path.stat()
    if status.st_uid not in {0, os.geteuid()}:
        return "belongs to another user, whose code would be run; chown it, or move it away"
    if stat.S_IMODE(status.st_mode) & 0o022:
        return f"may be written by others, whose code would be run; chmod go-w {path}"
    return ""
