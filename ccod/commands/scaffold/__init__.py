"""Writes the beginning of a plugin: the templates beside this file with a plugin's names in them."""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from string import Template

from ccod.entrypoints import entry_points
from ccod.errors import CcodError
from ccod.settings import CoreSettings
from ccod.version import __version__

NAME = re.compile(r"(?!.{41})[a-z][a-z0-9]*(_[a-z0-9]+)*")


class ScaffoldError(CcodError):
    """There is something in the way."""


def write(name: str, role: str, directory: Path) -> Path:
    """Write a distribution for a plugin called `name` into a new folder in `directory`, and return that folder."""
    if not NAME.fullmatch(name):
        raise ScaffoldError(f"{name!r} is no name for a plugin; use a-z, 0-9 and single _, and begin with a letter")
    if taken := _taken(name):
        raise ScaffoldError(f"{name!r} is taken: {taken}; choose another name")
    folder = directory / f"ccod-{name.replace('_', '-')}"
    if folder.exists():
        raise ScaffoldError(f"{folder}: is there already; choose another name, or remove it")
    words = {
        "name": name,
        "role": role,
        "Name": "".join(part.title() for part in name.split("_")),
        "version": __version__,
        "distribution": folder.name,
    }
    try:
        for path, template in _files(name, role).items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(Template(files(__package__).joinpath(template).read_text()).substitute(words))
    except OSError as error:
        raise ScaffoldError(f"{error.filename}: {error.strerror}") from error
    return folder


def _taken(name: str) -> str | None:
    """Return who has a name already, so that a plugin called so would not be loaded, or would overwrite another."""
    if name in CoreSettings.__struct_fields__:
        return "the core has a setting of that name"
    if any(entry.name == name for entry in entry_points("ccod")):
        return "there is a plugin of that name"
    if find_spec(f"ccod_{name}"):
        return f"there is a module ccod_{name}"
    return None


def _files(name: str, role: str) -> dict[str, str]:
    """Return the files of a plugin, and what each is made from."""
    return {
        "pyproject.toml": "pyproject.toml.txt",
        "README.md": "README.md.txt",
        f"ccod_{name}/__init__.py": f"{role}.py.txt",
        f"ccod_{name}/py.typed": "py.typed.txt",
        "tests/conftest.py": "conftest.py.txt",
        f"tests/test_{name}.py": f"test_{role}.py.txt",
    }
