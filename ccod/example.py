"""Writes configuration files from the settings classes: the example, and a person's first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import attrgetter

import msgspec
import tomli_w

from ccod.settings import CoreSettings, Field, fields

HEADER = """\
# Every setting of ccod with its default. Copy this file to ~/.config/ccod/config.toml
# and take the `#` from what you change. Stronger than that file, in this order: conf.d/*.toml and .env
# beside it, the environment, the command line.
# A duration is a number of seconds or text such as "24h"; a size is a number of bytes or text such as "16MiB".
"""


def example(schemas: Mapping[str, type[msgspec.Struct]], values: Mapping[str, object] | None = None) -> str:
    """Return a configuration file that shows every setting: those of `values` set, the others commented out."""
    classes: list[tuple[tuple[str, ...], type[msgspec.Struct]]] = [((), CoreSettings)]
    classes += (((name,), schema) for name, schema in sorted(schemas.items()))
    parts = (part for table, schema in classes for part in _tables(schema, table, values or {}))
    return HEADER + "".join(parts).rstrip() + "\n"


def _tables(schema: type[msgspec.Struct], table: tuple[str, ...], values: Mapping[str, object]) -> Iterator[str]:
    defaults = schema()
    found = sorted(fields(schema, table), key=lambda field: len(field.path))
    for path, group in groupby(found, key=lambda field: field.path[:-1]):
        yield f"[{'.'.join(path)}]\n\n" if path else "\n"
        for field in group:
            default = attrgetter(".".join(field.path[len(table) :]))(defaults)
            name = ".".join(field.path)
            yield _comment(field)
            yield f"{assignment(field, values[name])}\n\n" if name in values else f"# {assignment(field, default)}\n\n"


def assignment(field: Field, value: object) -> str:
    """Return one line of TOML that sets a value."""
    return f"{field.path[-1]} = {_inline(value)}"


def _inline(value: object) -> str:
    if isinstance(value, dict):
        parts = [f"{_key(key)} = {_inline(inner)}" for key, inner in value.items()]
        return f"{{ {', '.join(parts)} }}" if parts else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    return tomli_w.dumps({"x": value}).removeprefix("x = ").rstrip("\n")


def _key(key: str) -> str:
    return tomli_w.dumps({key: 0}).removesuffix(" = 0\n")


def _comment(field: Field) -> str:
    names = " or ".join(filter(None, (field.variable, field.env)))
    return f"# {field.description}\n# Environment: {names}\n"
