"""The places where settings are written. Each knows what it says of a setting, where, and what nobody declared."""

from __future__ import annotations

import io
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from ccod.conversion import Value
from ccod.errors import ConfigError
from ccod.files import read_small, require_private
from ccod.positions import positions, stumbling_block
from ccod.settings import Field

LONGEST_SECRET = 64 * 1024

_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)\Z")


class Layer(Protocol):
    """One place where settings are written."""

    def value(self, field: Field) -> Value | None:
        """Return what is written here for `field`. Raises ConfigError for a secret that others may read."""

    def strangers(self, known: Collection[Field], absent: Collection[str]) -> Iterator[ConfigError]:
        """Yield an error for each name that no field of `known` has, but for those of the plugins in `absent`."""


class TomlLayer:
    """A configuration file."""

    def __init__(self, path: Path) -> None:
        """Raises OSError or ConfigError."""
        self.path = path
        content, self._status = read_small(path)
        self._text, self.tree = _parsed(path, content)

    def value(self, field: Field) -> Value | None:
        found: Any = self.tree
        for part in field.path:
            found = found.get(part) if isinstance(found, dict) else None
        if found is None:
            return None
        if field.secret and isinstance(found, str) and found:
            require_private(self.path, self._status)
        return Value(found, f"{self._place(field.path)}: {field.name}")

    def strangers(self, known: Collection[Field], absent: Collection[str]) -> Iterator[ConfigError]:
        names = {".".join(field.path) for field in known}
        for unknown in _unknown(self.tree, (), {field.path for field in known}):
            if unknown[0] not in absent:
                name = ".".join(unknown)
                yield ConfigError(
                    f"{self._place(unknown)}: nothing is called {name!r}{near(name, names)}; correct or remove it"
                )

    def _place(self, path: tuple[str, ...]) -> str:
        line = self._positions.get(path)
        return f"{self.path}:{line}" if line else str(self.path)

    @cached_property
    def _positions(self) -> dict[tuple[str, ...], int]:
        return positions(self._text)


class CredentialLayer:
    """The folder in which systemd's LoadCredential puts secrets, each named as its setting: `jwt.secret`."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def value(self, field: Field) -> Value | None:
        path = self._folder / ".".join(field.path)
        if not field.secret or not path.exists():
            return None
        return Value(read_secret(path, "credential", guarded=True), f"credential: {path.name}")

    def strangers(self, known: Collection[Field], absent: Collection[str]) -> Iterator[ConfigError]:  # noqa: ARG002
        yield from ()  # other programs' credentials may lie there


class Variables:
    """The environment, or an .env file."""

    def __init__(self, variables: Mapping[str, str], place: str) -> None:
        self.variables = variables
        self._place = place

    def value(self, name: str) -> Value | None:
        text = self.variables.get(name, "")
        return Value(text, f"{self.place_of(name)}: {name}", text=True) if text else None

    def place_of(self, _name: str) -> str:
        return self._place


class DotEnv(Variables):
    """An .env file. What it says is taken literally: no `${NAME}` in it is replaced."""

    def __init__(self, path: Path) -> None:
        """Raises OSError or ConfigError."""
        self._path = path
        content, self._status = read_small(path)
        from dotenv.parser import parse_stream  # costs more than all of this where there is no file

        found: dict[str, str] = {}
        self._lines: dict[str, int] = {}
        for binding in parse_stream(io.StringIO(_decoded(path, content))):
            line = binding.original.line + len(binding.original.string) - len(binding.original.string.lstrip("\n"))
            if binding.error:
                raise ConfigError(f"{path}:{line}: not NAME=VALUE; correct or remove it")
            if binding.key is not None and binding.value is not None:
                found[binding.key] = binding.value
                self._lines[binding.key] = line
        super().__init__(found, str(path))

    def place_of(self, name: str) -> str:
        return f"{self._path}:{self._lines[name]}"

    def require_private(self) -> None:
        require_private(self._path, self._status)


class BareLayer:
    """The bare names among some variables, such as `PORT`: a shell may set them for another program."""

    def __init__(self, variables: Variables) -> None:
        self._variables = variables

    def value(self, field: Field) -> Value | None:
        written = _variable(self._variables, field.env, field)
        if written is None or field.env_unit != "ms" or not written.value.isdigit():
            return written
        return Value(f"{written.value}ms", written.origin, text=True)

    def strangers(self, known: Collection[Field], absent: Collection[str]) -> Iterator[ConfigError]:  # noqa: ARG002
        yield from ()


class OwnLayer:
    """The names among some variables that begin with `CCOD_`."""

    def __init__(self, variables: Variables) -> None:
        self._variables = variables

    def value(self, field: Field) -> Value | None:
        return _variable(self._variables, field.variable, field)

    def strangers(self, known: Collection[Field], absent: Collection[str]) -> Iterator[ConfigError]:
        names = {field.variable for field in known}
        for name in self._variables.variables:
            table = name.removeprefix("CCOD_").partition("__")[0].lower()
            if name.startswith("CCOD_") and name not in names and table not in absent:
                place = self._variables.place_of(name)
                yield ConfigError(f"{place}: no setting answers to {name}{near(name, names)}; unset it")


class CommandLayer:
    """Values from the command line by name, as `http.port`."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def value(self, field: Field) -> Value | None:
        name = ".".join(field.path)
        text = self._values.get(name, "")
        return Value(text, f"command line: {name}", text=True) if text else None

    def strangers(self, known: Collection[Field], absent: Collection[str]) -> Iterator[ConfigError]:  # noqa: ARG002
        names = {".".join(field.path) for field in known}
        for name in self._values:
            if name not in names:
                yield ConfigError(f"command line: nothing is called {name!r}{near(name, names)}")


def near(name: str, names: Collection[str]) -> str:
    """Return a hint at what may have been meant, or nothing."""
    import difflib

    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def read_secret(path: Path, origin: str, *, guarded: bool = False) -> str:
    """Return the text of a file without the line end that editors add. `guarded`: its folder keeps others out."""
    try:
        content, status = read_small(path, LONGEST_SECRET)
        if not guarded:
            require_private(path, status)
        text = content.decode().rstrip("\r\n")
        if not text:
            raise ConfigError(f"{path}: is empty; write the secret into it")
        return text
    except ConfigError as error:
        raise ConfigError(f"{origin}: {error}") from None
    except OSError as error:
        raise ConfigError(f"{origin}: {path}: {error.strerror or error}; write it, or name another file") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{origin}: {path} is no UTF-8 text; write the secret as text, such as base64") from None


def _variable(variables: Variables, name: str | None, field: Field) -> Value | None:
    written = variables.value(name) if name else None
    if written is not None and field.secret and isinstance(variables, DotEnv):
        variables.require_private()
    return written


def _parsed(path: Path, content: bytes) -> tuple[str, dict[str, Any]]:
    text = _decoded(path, content)
    try:
        return text, tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        problem = _PLACE.sub("", str(error)).partition("; ")[0]
        line = _line(text, error)
        raise ConfigError(f"{path}{f':{line}' if line else ''}: not valid TOML: {problem}; correct it") from error


def _line(text: str, error: Exception) -> int | None:
    """Return the line on which the parser found an error."""
    place = _PLACE.search(str(error))
    if place is None:
        return stumbling_block(text)
    return int(place[1]) if place[1] else text.rstrip().count("\n") + 1


def _decoded(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8 text; write it again as such") from error


def _unknown(
    tree: Mapping[str, Any], at: tuple[str, ...], known: Collection[tuple[str, ...]]
) -> Iterator[tuple[str, ...]]:
    for key, value in tree.items():
        path = (*at, key)
        if path in known:
            continue
        is_table = any(other[: len(path)] == path for other in known)
        if is_table and isinstance(value, dict):
            yield from _unknown(value, path, known)
        else:
            yield path
