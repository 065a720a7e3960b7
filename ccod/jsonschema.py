"""The configuration file as JSON Schema, for editors."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import msgspec

from ccod.settings import CoreSettings, Field, fields

TEXT_FORMS = {
    "seconds": r"^[0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d)?$",
    "bytes": r"^[0-9]+(\.[0-9]+)?\s*(B|kB|MB|GB|KiB|MiB|GiB)?$",
}
REFERENCES = [
    {
        "type": "object",
        "properties": {key: {"type": "string"}},
        "required": [key],
        "additionalProperties": False,
    }
    for key in ("file", "env")
]


def json_schema(schemas: Mapping[str, type[msgspec.Struct]]) -> dict[str, Any]:
    """Return the schema of a configuration file with the tables of these plugins."""
    root: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ccod",
        "type": "object",
        "properties": {},
        "additionalProperties": False,
        "$defs": {},
    }
    classes: dict[str, type[msgspec.Struct]] = {"": CoreSettings, **dict(sorted(schemas.items()))}
    for table, schema in classes.items():
        defaults = schema()
        path = (table,) if table else ()
        for field in fields(schema, path):
            default = attrgetter(".".join(field.path[len(path) :]))(defaults)
            _table(root, field.path[:-1])["properties"][field.path[-1]] = _value(field, default, root["$defs"])
    return root


def _table(root: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    table = root
    for name in path:
        empty = {"type": "object", "properties": {}, "additionalProperties": False}
        table = table["properties"].setdefault(name, empty)
    return table


def _value(field: Field, default: object, definitions: dict[str, Any]) -> dict[str, Any]:
    (found,), parts = msgspec.json.schema_components([field.type], ref_template="#/$defs/{name}")
    definitions.update(parts)
    choices = [{key: value for key, value in found.items() if key not in {"description", "default"}}]
    if field.unit in TEXT_FORMS:
        choices.append({"type": "string", "pattern": TEXT_FORMS[field.unit]})
    if field.secret:
        choices += REFERENCES
    value = choices[0] if len(choices) == 1 else {"anyOf": choices}
    shown = {} if field.secret else {"default": msgspec.to_builtins(default)}
    return {"description": field.description, **value, **shown}
