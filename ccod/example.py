"""Writes the example configuration from the settings classes: `python -m ccod.example > ccod.toml.example`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import attrgetter

import msgspec
import tomli_w

from ccod.manager import Manager
from ccod.settings import CoreSettings, Field, fields

HEADER = """\
# Every setting of ccod with its default. Copy this file to ~/.config/ccod/config.toml
# and take the `#` from what you change. Stronger than that file, in this order: conf.d/*.toml and .env
# beside it, the environment, the command line.
# A duration is a number of seconds or text such as "24h"; a size is a number of bytes or text such as "16MiB".
"""


def example(schemas: Mapping[str, type[msgspec.Struct]]) -> str:
    """Return a configuration file that shows every setting, commented out."""
    classes: list[tuple[tuple[str, ...], type[msgspec.Struct]]] = [((), CoreSettings)]
    classes += (((name,), schema) for name, schema in sorted(schemas.items()))
    return HEADER + "".join(part for table, schema in classes for part in _tables(schema, table)).rstrip() + "\n"


def _tables(schema: type[msgspec.Struct], table: tuple[str, ...]) -> Iterator[str]:
    defaults = schema()
    found = sorted(fields(schema, table), key=lambda field: len(field.path))
    for path, group in groupby(found, key=lambda field: field.path[:-1]):
        yield f"[{'.'.join(path)}]\n\n" if path else "\n"
        for field in group:
            yield _lines(field, attrgetter(".".join(field.path[len(table) :]))(defaults))


def _lines(field: Field, default: object) -> str:
    names = " or ".join(filter(None, (field.variable, field.env)))
    value = tomli_w.dumps({field.path[-1]: default}).strip() if default != {} else f"{field.path[-1]} = {{}}"
    on_one_line = re.sub(r",?\n\s*", "", value)
    return f"# {field.description}\n# Environment: {names}\n# {on_one_line}\n\n"


if __name__ == "__main__":
    sys.stdout.write(example(Manager().schemas()))
