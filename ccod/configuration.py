"""Reads the configuration: defaults < files < .env < environment < command line; checks it against the classes."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec

from ccod.errors import ConfigError
from ccod.settings import CoreSettings, Field, Settings, fields

SYSTEM_FILE = Path("/etc/ccod/config.toml")
QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)")
UNITS: dict[str, dict[str, float]] = {
    "seconds": {"": 1, "ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400},
    "bytes": {"": 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30},
}

LONGEST_SECRET = 64 * 1024

NOT_YET = (
    "ENABLE_METRICS",
    "METRICS_PORT",
)
"""Variables that are promised and do nothing yet: metrics are to come."""

S = TypeVar("S", bound=msgspec.Struct)


class Value(msgspec.Struct, frozen=True):
    """A value as somebody wrote it, and where. `text` came from where everything is text."""

    value: Any
    origin: str
    text: bool = False


class Configuration:
    """Everything that was written about settings, from the weakest layer to the strongest."""

    def __init__(
        self,
        file: Path | None = None,
        environ: Mapping[str, str] = os.environ,
        overrides: Mapping[str, str] | None = None,
    ) -> None:
        """`file` replaces the user's file; `overrides` are values from the command line by name, as `http.port`."""
        self.file = file or default_file(environ)
        self._files = [
            (path, _read_toml(path))
            for path in (SYSTEM_FILE, self.file, *sorted(self.file.parent.glob("conf.d/*.toml")))
            if path.exists() or path == file
        ]
        dotenv = self.file.parent / ".env"
        self._variables = ((_read_dotenv(dotenv), str(dotenv)), (environ, "environment"))
        self._overrides = overrides or {}

    def core(self) -> CoreSettings:
        """Return the core's own settings; needs no plugin."""
        return self._struct(CoreSettings, ())

    def settings(self, schemas: Mapping[str, type[msgspec.Struct]], *, absent: Collection[str] = ()) -> Settings:
        """Check every table against its plugin's class.

        Tables of the plugins in `absent` are passed over. Raises ConfigError for whatever else nobody declared.
        """
        core = self.core()
        known = [
            *fields(CoreSettings),
            *(f for table, schema in schemas.items() for f in fields(schema, (table,))),
        ]
        self._refuse_unknown(known, absent)
        return Settings(core, {schema: self._struct(schema, (table,)) for table, schema in schemas.items()})

    def unused(self) -> list[str]:
        """Return the variables that somebody set and that do nothing yet."""
        return [name for name in NOT_YET if any(written.get(name) for written, _ in self._variables)]

    def _struct(self, schema: type[S], table: tuple[str, ...]) -> S:
        tree: dict[str, Any] = {}
        for field in fields(schema, table):
            for written in list(self._written(field))[-1:]:
                *parents, key = field.path[len(table) :]
                branch = tree
                for parent in parents:
                    branch = branch.setdefault(parent, {})
                branch[key] = _convert(field, self._resolved(field, written))
        try:
            return msgspec.convert(tree, schema)
        except msgspec.ValidationError as error:
            raise ConfigError(f"[{'.'.join(table)}]: {error}") from error

    def _written(self, field: Field) -> Iterator[Value]:
        """Every value written for `field`, weakest first."""
        for path, tree in self._files:
            found: Any = tree
            for part in field.path:
                found = found.get(part) if isinstance(found, dict) else None
            if found is not None:
                yield Value(found, f"{path}: {field.name}")
        for name in (field.env, field.variable):  # a shell may set the bare name for another program
            for variables, place in self._variables:
                if name and (text := variables.get(name, "")):
                    scaled = f"{text}ms" if name == field.env and field.env_unit == "ms" and text.isdigit() else text
                    yield Value(scaled, f"{place}: {name}", text=True)
        if (text := self._overrides.get(".".join(field.path), "")) != "":
            yield Value(text, f"command line: {'.'.join(field.path)}", text=True)

    def _resolved(self, field: Field, written: Value) -> Value:
        """Return a secret that stands elsewhere: `{ file = "/path" }` or `{ env = "NAME" }`."""
        if not (field.secret and isinstance(written.value, dict)):
            return written
        match written.value:
            case {"file": str(name), **rest} if not rest:
                return Value(_read_secret(name, written.origin), written.origin)
            case {"env": str(name), **rest} if not rest:
                for variables, _ in reversed(self._variables):
                    if text := variables.get(name, ""):
                        return Value(text, written.origin)
                raise ConfigError(f"{written.origin}: the variable {name} is not set; set it, or name another")
        raise ConfigError(f'{written.origin}: write a text, {{ file = "/path" }} or {{ env = "NAME" }}')

    def _refuse_unknown(self, known: Collection[Field], absent: Collection[str]) -> None:
        paths = {field.path for field in known}
        for path, tree in self._files:
            for unknown in _unknown(tree, (), paths):
                if unknown[0] not in absent:
                    hint = _near(".".join(unknown), {".".join(field.path) for field in known})
                    raise ConfigError(f"{path}: nothing is called {'.'.join(unknown)!r}{hint}; correct or remove it")
        variables = {field.variable for field in known}
        for written, place in self._variables:
            for name in written:
                table = name.removeprefix("CCOD_").partition("__")[0].lower()
                if name.startswith("CCOD_") and name not in variables and table not in absent:
                    raise ConfigError(f"{place}: no setting answers to {name}{_near(name, variables)}; unset it")
        names = {".".join(field.path) for field in known}
        for name in self._overrides:
            if name not in names:
                raise ConfigError(f"command line: nothing is called {name!r}{_near(name, names)}")


def default_file(environ: Mapping[str, str]) -> Path:
    """Return the user's configuration file, whether it exists or not."""
    home = environ.get("XDG_CONFIG_HOME", "")
    base = Path(home) if home.startswith("/") else Path("~/.config").expanduser()
    return base / "ccod" / "config.toml"


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}; write it, or name another with --config") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


def _read_dotenv(path: Path) -> Mapping[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        return {name: text for name, text in dotenv_values(path, interpolate=False).items() if text is not None}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error


def _read_secret(name: str, origin: str) -> str:
    """Return the text of a file without the line end that editors add."""
    path = Path(name).expanduser()
    if not path.is_absolute():
        raise ConfigError(f"{origin}: {name!r} is not absolute; begin it with / or ~/")
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_SECRET + 1)
        if len(content) > LONGEST_SECRET:
            raise ConfigError(
                f"{origin}: {path} is longer than {LONGEST_SECRET} bytes; name a file with the secret alone"
            )
        return content.decode().rstrip("\r\n")
    except OSError as error:
        raise ConfigError(f"{origin}: {path}: {error.strerror or error}; write it, or name another file") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{origin}: {path} is no UTF-8 text; write the secret as text, such as base64") from None


def _convert(field: Field, written: Value) -> Any:
    value = written.value
    try:
        if written.text and _is_list(field.type):
            value = msgspec.json.decode(value) if value.startswith("[") else [v.strip() for v in value.split(",")]
        if field.unit and isinstance(value, str):
            value = _quantity(value, field.unit)
        return msgspec.convert(value, field.type, strict=not written.text)
    except (msgspec.MsgspecError, ValueError) as error:
        shown = "" if field.secret else f" = {written.value!r}"
        raise ConfigError(f"{written.origin}{shown}: {error}{_choices(field.type)}") from error


def _is_list(kind: Any) -> bool:
    return any(get_origin(part) is list for part in (kind, *get_args(kind)[:1]))


def _choices(kind: Any) -> str:
    """Name what is allowed, where that is a short list."""
    literals = [part for part in (kind, *get_args(kind)[:1]) if get_origin(part) is Literal]
    return f"; choose from: {', '.join(map(str, get_args(literals[0])))}" if literals else ""


def _quantity(text: str, unit: str) -> float:
    match = QUANTITY.fullmatch(text.strip())
    scale = UNITS[unit].get(match[2]) if match else None
    if match is None or scale is None:
        raise ValueError(f"expected a number of {unit}, or one followed by {', '.join(filter(None, UNITS[unit]))}")
    number = float(match[1]) * scale
    return int(number) if unit == "bytes" else number


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


def _near(name: str, names: Collection[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""
