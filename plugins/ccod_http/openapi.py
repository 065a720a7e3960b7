"""The OpenAPI document, made of what the routes declare.

Everything that a route takes and answers stands in it, and so does every error; what is not declared is not served.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from ccod import __version__
from ccod_http.problems import Failure
from ccod_http.replies import Pagination
from ccod_http.routes import Route
from ccod_http.table import Row

Json = dict[str, Any]

REFERENCE = "#/components/schemas/{name}"
INTRODUCTION = """\
Every answer is an envelope: `success` and `data`, and `pagination` for lists, or else `error`, which is at the same \
time a problem document of RFC 9457. Times are ISO 8601 in UTC.

Reading needs no token for the owner, that is, for processes of the user who runs ccod, on this machine. Everything \
else needs one, as the header `Authorization`; on the Unix socket the owner is an admin.

A route is `public` or asks for a right. `read`: to see what is stored, secrets masked; the owner and every user have \
it. `write`: to change what people say of it, such as a project's name; users have it. `reveal`: to see secrets. \
`admin`: all that concerns other users or cannot be undone. Admins have all; a key has those that it was made with.\
"""
PRESENTED = """\
What is presented in the header `Authorization`, such as an access token or an API key. Where an operation also allows \
none, the owner needs none: the kernel tells that the caller is a process of the user who runs ccod.\
"""
ERRORS = {
    400: "A parameter is wrong, or the body is no JSON; the message names it.",
    401: "There is no token, or it is not valid.",
    403: "The caller does not have the right, or no machine to see anything of; or a page of another origin asks.",
    404: "What the path names is not there.",
    408: "The body did not arrive in time.",
    413: "The body is longer than `[http] max_body`.",
    415: "The body is of another type than application/json.",
    421: "The server does not answer to this Host.",
    414: "The target is longer than a server must read.",
    422: "The body is JSON, but not what is expected; the message names the field.",
    429: "The caller asks more often than `[http.limits]` allows; `Retry-After` says when to come again.",
    431: "The headers are more, or longer, than a server must read.",
    500: "A fault of ccod.",
    503: "The storage is not to be had now.",
}
"""What the statuses mean that several routes answer with."""
NOT_MODIFIED = "The answer whose `ETag` is shown as `If-None-Match` is still true."
ALWAYS = (400, 403, 408, 413, 414, 421, 431, 500, 503)


def document(rows: Sequence[Row], scheme: str) -> Json:
    """Return the document of all these routes, to which tokens are presented by this scheme of HTTP."""
    types = [Failure, Pagination]
    for row in rows:
        types += [each for each in (row.route.data, row.route.body) if each is not None]
    schemas, components = msgspec.json.schema_components(types, ref_template=REFERENCE)
    schema_of = {id(each): schema for each, schema in zip(types, schemas, strict=True)}
    failure = _named(schema_of[id(Failure)], components)
    failure["required"] = [name for name in failure["properties"] if name != "instance"]
    paths: dict[str, Json] = {}
    for row in rows:
        method = "get" if row.route.method == "WEBSOCKET" else row.route.method.lower()
        paths.setdefault(_template(row.path), {})[method] = _operation(row, schema_of, scheme)
    statuses = sorted({status for row in rows for status in errors_of(row.route)})
    return {
        "openapi": "3.1.0",
        "info": {"title": "ccod", "version": __version__, "description": INTRODUCTION, "license": {"name": "MIT"}},
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(map(tag_of, rows))],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {str(status): _failure(status, schema_of[id(Failure)]) for status in statuses},
            "securitySchemes": {scheme: {"type": "http", "scheme": scheme, "description": PRESENTED}},
        },
    }


def errors_of(route: Route) -> list[int]:
    """Return every status of an error that a route can answer with."""
    statuses = {*ALWAYS, *route.errors}
    if route.access != "public":
        statuses.add(401)
    if route.pace != "any":
        statuses.add(429)
    if route.method not in {"GET", "WEBSOCKET"}:
        statuses.add(415)
    if route.body is not None:
        statuses.add(422)
    return sorted(statuses)


def tag_of(row: Row) -> str:
    """Return what a route belongs to: what it says, or the first word of its path."""
    return row.route.tag or row.path.removeprefix("/api").strip("/").partition("/")[0]


def _operation(row: Row, schema_of: Mapping[int, Json], scheme: str) -> Json:
    route = row.route
    operation: Json = {
        "operationId": row.name,
        "tags": [tag_of(row)],
        "summary": route.summary,
        "description": route.description,
        "security": _security(route, scheme),
        "parameters": [*_path_parameters(row.path), *_query_parameters(route)],
        "responses": {
            str(int(route.status)): _answer(route, schema_of),
            **({"304": {"description": NOT_MODIFIED}} if route.stored else {}),
            **{str(status): {"$ref": f"#/components/responses/{status}"} for status in errors_of(route)},
        },
        "x-access": route.access,
    }
    if route.body is not None:
        content = {"application/json": {"schema": schema_of[id(route.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _security(route: Route, scheme: str) -> list[Json]:
    if route.access == "public":
        return []
    return [*([{}] if route.access == "read" else []), {scheme: [route.access]}]


def _answer(route: Route, schema_of: Mapping[int, Json]) -> Json:
    answer: Json = {"description": HTTPStatus(route.status).phrase}
    if route.media:
        answer["content"] = {media: {} for media in route.media}
    elif route.data is not None:
        properties = {"success": {"const": True}, "data": schema_of[id(route.data)]}
        if route.paged:
            properties["pagination"] = schema_of[id(Pagination)]
        schema = {"type": "object", "properties": properties, "required": list(properties)}
        content: Json = {"schema": schema}
        if route.example is not None:
            content["example"] = _example(route)
        answer["content"] = {"application/json": content}
    return answer


def _example(route: Route) -> Json:
    example = {"success": True, "data": msgspec.to_builtins(route.example)}
    if route.paged:
        example["pagination"] = msgspec.to_builtins(Pagination(1, 20, 1, 1, has_next=False, has_prev=False))
    return example


def _failure(status: int, schema: Json) -> Json:
    return {
        "description": ERRORS.get(status, HTTPStatus(status).phrase),
        "content": {"application/problem+json": {"schema": schema}},
    }


def _template(path: str) -> str:
    """Return a path as OpenAPI writes it: `/a/{b}` for `/a/<int:b>`."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)


def _path_parameters(path: str) -> Iterator[Json]:
    for kind, name in re.findall(r"<(?:(\w+):)?(\w+)>", path):
        schema: Json = {"type": "integer", "minimum": 0} if kind == "int" else {"type": "string", "minLength": 1}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(route: Route) -> Iterator[Json]:
    schemas, components = msgspec.json.schema_components([route.query], ref_template=REFERENCE)
    struct = _named(schemas[0], components)
    for name, schema in struct["properties"].items():
        described = _without_null(schema)
        parameter: Json = {"name": name, "in": "query", "required": name in struct["required"]}
        if description := described.pop("description", None):
            parameter["description"] = description
        yield {**parameter, "schema": described}


def _named(reference: Json, components: Mapping[str, Json]) -> Json:
    """Return the schema that is meant; of two types of one name, each has a longer one."""
    return components[reference["$ref"].removeprefix(REFERENCE.format(name=""))]


def _without_null(schema: Json) -> Json:
    """Return the schema of a parameter: one that is None inside is simply not there."""
    kept = {key: value for key, value in schema.items() if not (key == "default" and value is None)}
    others = [each for each in kept.get("anyOf", ()) if each != {"type": "null"}]
    if len(others) == 1:
        del kept["anyOf"]
        kept |= others[0]
    if None in kept.get("enum", ()):
        kept["enum"] = [value for value in kept["enum"] if value is not None]
    return kept
