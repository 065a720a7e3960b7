"""Reads the configuration: defaults < files < credentials < .env < environment < command line, and checks it."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ccod.conversion import Value, convert
from ccod.errors import ConfigError
from ccod.layers import (
    BareLayer,
    CommandLayer,
    CredentialLayer,
    DotEnv,
    Layer,
    OwnLayer,
    TomlLayer,
    Variables,
    near,
    read_secret,
)
from ccod.places import default_file
from ccod.settings import CoreSettings, Field, Settings, expanded, fields

SYSTEM_FILE = Path("/etc/ccod/config.toml")

S = TypeVar("S", bound=msgspec.Struct)
L = TypeVar("L", TomlLayer, DotEnv)

DEFAULT = Value(None, "default")

_SETTING = re.compile(r"(\[[\w.]+\] \w+|\w+): ")


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
        self.local_file = self.file.parent / "conf.d" / "local.toml"
        self._named = file is not None
        self.files = [layer for path in self.candidates() if (layer := self._read(TomlLayer, path))]
        dotenv = self._read(DotEnv, self.file.parent / ".env")
        self._variables = [*([dotenv] if dotenv else []), Variables(environ, "environment")]
        credentials = environ.get("CREDENTIALS_DIRECTORY", "")
        self.layers: list[Layer] = [
            *self.files,
            *([CredentialLayer(credentials)] if credentials else []),
            *map(BareLayer, self._variables),
            *map(OwnLayer, self._variables),
            CommandLayer(overrides or {}),
        ]

    def candidates(self) -> list[Path]:
        """Return the files that are read where they exist, from the weakest to the strongest."""
        folder = self.file.parent / "conf.d"
        try:
            more = sorted(path for path in folder.iterdir() if path.suffix == ".toml")
        except (FileNotFoundError, NotADirectoryError):
            more = []
        except (OSError, ValueError) as error:
            raise ConfigError(f"{folder}: {error}; make it readable, or remove it") from error
        return [SYSTEM_FILE, self.file, *more]

    def core(self) -> CoreSettings:
        """Return the core's own settings; needs no plugin."""
        return self._first(self._struct(CoreSettings, ()))

    def settings(self, schemas: Mapping[str, type[msgspec.Struct]], *, absent: Collection[str] = ()) -> Settings:
        """Check every table against its plugin's class.

        Tables of the plugins in `absent` are passed over. Raises ConfigError for whatever else nobody declared.
        """
        core = self.core()
        for error in self._strangers(schemas, absent):
            raise error
        return Settings(core, {s: self._first(self._struct(s, (table,))) for table, s in schemas.items()})

    def problems(
        self, schemas: Mapping[str, type[msgspec.Struct]], absent: Collection[str] = ()
    ) -> Iterator[ConfigError]:
        """Yield all that is wrong, where `settings` raises the first."""
        yield from self._strangers(schemas, absent)
        for found in (self._struct(CoreSettings, ()), *(self._struct(s, (table,)) for table, s in schemas.items())):
            if isinstance(found, list):
                yield from found

    def faults(self, settings: Settings, schemas: Mapping[str, type[msgspec.Struct]]) -> Iterator[ConfigError]:
        """Yield what is wrong with things that checked settings name, such as files; their classes' `check` looks."""
        for table, schema in schemas.items():
            look = getattr(settings[schema], "check", None)
            try:
                if look is not None:
                    look()
            except ConfigError as error:
                yield self._placed(error, schema, (table,))

    def placed(self, error: ConfigError, schemas: Mapping[str, type[msgspec.Struct]]) -> ConfigError:
        """Put before an error that begins with the name of a setting, as `[http] port: …`, where that was written."""
        field = _named(error, schemas)
        if field is None or self.written(field) is DEFAULT:
            return error
        return ConfigError(f"{self.place(field)}: {error}")

    def written(self, field: Field) -> Value:
        """Return the strongest value that was written for `field`; that of DEFAULT where none was."""
        found = [value for layer in self.layers if (value := layer.value(field)) is not None]
        return found[-1] if found else DEFAULT

    def place(self, field: Field) -> str:
        """Tell where the value of `field` was written, such as `/etc/ccod/config.toml:3`."""
        return self.written(field).origin.removesuffix(f": {field.name}")

    def value(self, field: Field) -> Any:
        """Return the checked value of `field`, or None where none was written."""
        written = self.written(field)
        return None if written is DEFAULT else convert(field, self._resolved(field, written))

    def _read(self, kind: type[L], path: Path) -> L | None:
        """Read a file that may be absent, unless it was named."""
        try:
            return kind(path)
        except (OSError, ValueError) as error:
            if isinstance(error, FileNotFoundError | NotADirectoryError) and not self._must_exist(path):
                return None
            reason = getattr(error, "strerror", None) or error
            raise ConfigError(f"{path}: {reason}; write it, or name another with --config") from error

    def _must_exist(self, path: Path) -> bool:
        return path.is_symlink() or (self._named and path == self.file)

    def _first(self, found: S | list[ConfigError]) -> S:
        if isinstance(found, list):
            raise found[0]
        return found

    def _struct(self, schema: type[S], table: tuple[str, ...]) -> S | list[ConfigError]:
        """Return a table's settings, or all that is wrong with them."""
        tree: dict[str, Any] = {}
        problems: list[ConfigError] = []
        for field in fields(schema, table):
            try:
                value = self.value(field)
            except ConfigError as error:
                problems.append(error)
                continue
            if value is not None:
                *parents, key = field.path[len(table) :]
                branch = tree
                for parent in parents:
                    branch = branch.setdefault(parent, {})
                branch[key] = value
        if problems:
            return problems
        try:
            return msgspec.convert(tree, schema)
        except (msgspec.ValidationError, ConfigError) as error:
            return [self._placed(error, schema, table)]

    def _placed(self, error: Exception, schema: type[msgspec.Struct], table: tuple[str, ...]) -> ConfigError:
        """Tell where the setting was written that a class complains about."""
        schemas = {table[0]: schema} if table else {}
        if _named(error, schemas):
            return self.placed(ConfigError(str(error)), schemas)
        return ConfigError(f"[{'.'.join(table)}]: {error}")

    def _resolved(self, field: Field, written: Value) -> Value:
        """Return a secret that stands elsewhere: `{ file = "/path" }` or `{ env = "NAME" }`."""
        if not (field.secret and isinstance(written.value, dict)):
            return written
        match written.value:
            case {"file": str(name), **rest} if not rest:
                return Value(self._secret_file(name, written.origin), written.origin)
            case {"env": str(name), **rest} if not rest:
                for variables in reversed(self._variables):
                    if found := variables.value(name):
                        return Value(found.value, written.origin)
                raise ConfigError(f"{written.origin}: the variable {name} is not set; set it, or name another")
        raise ConfigError(f'{written.origin}: write a text, {{ file = "/path" }} or {{ env = "NAME" }}')

    def _secret_file(self, name: str, origin: str) -> str:
        path = expanded(name)
        if not path.is_absolute():
            raise ConfigError(f"{origin}: {name!r} is not absolute; begin it with / or ~/")
        return read_secret(path, origin)

    def _strangers(self, schemas: Mapping[str, type[msgspec.Struct]], absent: Collection[str]) -> Iterator[ConfigError]:
        known = declared(schemas)
        for layer in self.layers:
            yield from layer.strangers(known, absent)


def declared(schemas: Mapping[str, type[msgspec.Struct]]) -> list[Field]:
    """Return every setting there is: the core's, and those of each plugin's table."""
    return [*fields(CoreSettings), *(f for table, schema in schemas.items() for f in fields(schema, (table,)))]


def _named(error: Exception, schemas: Mapping[str, type[msgspec.Struct]]) -> Field | None:
    """Return the setting with whose name an error begins."""
    named = _SETTING.match(str(error))
    return next((field for field in declared(schemas) if named and field.name == named[1]), None)


def find(name: str, schemas: Mapping[str, type[msgspec.Struct]]) -> Field:
    """Return the setting of this name, such as `http.port`, or raise ConfigError."""
    known = {".".join(field.path): field for field in declared(schemas)}
    if name not in known:
        raise ConfigError(f"nothing is called {name!r}{near(name, known)}; `ccod config show` lists all")
    return known[name]
