"""What can be set. Each plugin declares a msgspec struct for its table; a field tells all of its setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from msgspec import Meta, Struct, field

from ccod.errors import ConfigError

S = TypeVar("S", bound=Struct)

Seconds = Annotated[float, Meta(ge=0, extra={"unit": "seconds"})]
"""A duration: a number of seconds, or text such as "24h" or "500ms"."""

Bytes = Annotated[int, Meta(ge=0, extra={"unit": "bytes"})]
"""A size: a number of bytes, or text such as "16MiB"."""

FilePath = Annotated[str, Meta(extra={"unit": "path"})]
"""The path of a file or folder, which may begin with `~`: see `expanded`."""


def expanded(path: str) -> Path:
    """Return a path with the home folder in place of `~`. Raises ConfigError where there is none."""
    try:
        if "\0" in path:
            raise ConfigError(f"{path!r} is no path; write one without a NUL")
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"{path!r}: no home folder is known; set HOME, or begin it with /") from error


def setting(  # noqa: PLR0913
    description: str,
    *,
    env: str | None = None,
    env_unit: Literal["ms"] | None = None,
    option: str | None = None,
    secret: bool = False,
    live: bool = False,
    **limits: Any,
) -> Meta:
    """Describe a field of a settings class, as `port: Annotated[int, setting("…", env="PORT", le=65535)] = 3000`.

    `env` is a bare variable that sets it beside `CCOD_<TABLE>__<KEY>`, in `env_unit` if its number is no seconds.
    A `secret` is shown nowhere, and may stand elsewhere: `{ file = "/path" }` or `{ env = "NAME" }`.
    `option` makes it an option of `ccod serve`. A `live` setting changes in its object when the daemon reads its
    settings again: look at the object whenever you need the value, and keep no copy.
    `limits` are msgspec's own (`ge`, `le`, `pattern`, …).
    """
    extra = {"env": env, "env_unit": env_unit, "option": option, "secret": secret, "live": live}
    return Meta(description=description, extra={k: v for k, v in extra.items() if v}, **limits)


Level = Literal["debug", "info", "warning", "error"]


class LogSettings(Struct, forbid_unknown_fields=True):
    """Logging."""

    level: Annotated[Level, setting("Least severity that is logged.", env="LOG_LEVEL", live=True)] = "info"
    levels: Annotated[
        dict[str, Level],
        setting('Levels of parts, by the name that a line bears after "ccod.": { http = "debug" }.', live=True),
    ] = field(default_factory=dict)
    format: Annotated[
        Literal["auto", "text", "json"],
        setting("`auto` is text on a terminal or in development, JSON elsewhere."),
    ] = "auto"


class CoreSettings(Struct, forbid_unknown_fields=True):
    """The keys above every table, and the tables of the core itself."""

    storage: Annotated[str, setting("Plugin that stores everything.")] = "sqlite"
    auth: Annotated[str, setting("Plugin that says who is asking.")] = "jwt"
    cache: Annotated[str, setting("Plugin that keeps answers to be given again.")] = "memory"
    prices: Annotated[str, setting("Plugin that knows list prices.")] = "pricelist"
    disable: Annotated[list[str], setting("Plugins to leave out.")] = field(default_factory=list)
    load_plugins: Annotated[
        list[str],
        setting('Distributions whose plugins are loaded beside ccod\'s own; "*" is every one.'),
    ] = field(default_factory=lambda: ["*"])
    plugins_dir: Annotated[
        FilePath, setting("Folder in which each `*.py` is a plugin, named after the file; none when empty.")
    ] = ""
    trace_plugins: Annotated[bool, setting("Tell on stderr which plugin was asked what, and how long it took.")] = False
    environment: Annotated[
        Literal["production", "development"],
        setting("`development` makes logs readable.", env="NODE_ENV"),
    ] = "production"
    machine: Annotated[str, setting("Name of this machine in every row; its host name when empty.")] = ""
    log: LogSettings = field(default_factory=LogSettings)

    @property
    def machine_name(self) -> str:
        """What this machine is called in every row."""
        import socket  # here, so that commands start without it

        return self.machine or socket.gethostname()


class Settings:
    """Checked settings, looked up by their class: `settings[HttpSettings].port`."""

    def __init__(self, core: CoreSettings, plugins: Mapping[type[Struct], Struct]) -> None:
        self.core = core
        self._plugins = plugins

    def __getitem__(self, schema: type[S]) -> S:
        """Return the settings of a plugin. Raises ConfigError where that is left out, which another may build upon."""
        value = self._plugins.get(schema)
        if value is None:
            module, names = schema.__module__.partition(".")[0], ", ".join(self.core.disable)
            raise ConfigError(f"disable: this needs the plugin of {module}, which is left out ({names}); keep it")
        assert isinstance(value, schema)
        return value


class Reloaded(Struct, frozen=True):
    """What reading the settings again changed: names of settings, such as `http.port`.

    `applied` hold from now on. `restart` were changed in the files, and hold once the daemon is restarted.
    """

    applied: list[str]
    restart: list[str]


class Field(Struct, frozen=True):
    """One setting: `path` is its table and key, such as `("http", "limits", "window")`."""

    path: tuple[str, ...]
    type: Any
    description: str
    env: str | None
    env_unit: str | None
    unit: str | None
    option: str | None
    secret: bool
    live: bool

    @property
    def variable(self) -> str:
        """The environment variable that always sets it, such as `CCOD_HTTP__LIMITS__WINDOW`."""
        return "CCOD_" + "__".join(part.upper() for part in self.path)

    @property
    def name(self) -> str:
        """The setting as a person writes of it, such as `[http] port`."""
        *table, key = self.path
        return f"[{'.'.join(table)}] {key}" if table else key


def fields(schema: type[Struct], table: Sequence[str] = ()) -> Sequence[Field]:
    """Return every setting of a settings class, those of its sub-tables too."""
    return _fields(schema, tuple(table))


@cache
def _fields(schema: type[Struct], table: tuple[str, ...]) -> Sequence[Field]:
    """Do as `fields`, once for each class: what its annotations mean is worked out from their text."""
    found: list[Field] = []
    for key, hint in get_type_hints(schema, include_extras=True).items():
        kind, metas = _split(hint)
        if isinstance(kind, type) and issubclass(kind, Struct):
            found += fields(kind, (*table, key))
            continue
        extra: dict[str, Any] = {}
        for meta in (*_item(kind), *metas):
            extra |= meta.extra or {}
        description = next((meta.description for meta in reversed(metas) if meta.description), "")
        found.append(
            Field(
                (*table, key),
                hint,
                description,
                extra.get("env"),
                extra.get("env_unit"),
                extra.get("unit"),
                extra.get("option"),
                extra.get("secret", False),
                extra.get("live", False),
            )
        )
    return tuple(found)


def _item(kind: Any) -> list[Meta]:
    """Return what is known of the items of a list."""
    return _split(get_args(kind)[0])[1] if get_origin(kind) is list else []


def _split(hint: Any) -> tuple[Any, list[Meta]]:
    if get_origin(hint) is Annotated:
        kind, *metas = get_args(hint)
        return kind, [meta for meta in metas if isinstance(meta, Meta)]
    return hint, []
