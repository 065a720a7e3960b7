"""The OpenAPI document as a page for people: it loads nothing, runs nothing, and so needs no network."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from html import escape
from importlib import resources
from typing import Any

Json = dict[str, Any]

STYLE = resources.files("ccod_http").joinpath("page.css").read_text(encoding="utf-8")
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def page(document: Json) -> str:
    """Return the page."""
    info, schemas = document["info"], document["components"]["schemas"]
    sections = [(tag["name"], list(_operations(document, tag["name"]))) for tag in document["tags"]]
    links = "".join(_links(name, operations) for name, operations in sections)
    articles = "".join(_section(name, operations) for name, operations in sections)
    types = "".join(_type(name, schema) for name, schema in sorted(schemas.items()))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(info['title'])} API</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<div class="frame">\n<nav aria-label="Routes">{links}<h2><a href="#types">types</a></h2></nav>\n<main>\n'
        f"<h1>{escape(info['title'])} API <small>{escape(info['version'])}</small></h1>\n{_prose(info['description'])}"
        f'<p>The same for programs: <a href="openapi.json">openapi.json</a>, OpenAPI {document["openapi"]}.</p>\n'
        f'{articles}<section id="types"><h2>Types</h2>\n{types}</section>\n</main>\n</div>\n</body>\n</html>\n'
    )


def _operations(document: Json, tag: str) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if tag in operation["tags"]:
                yield "socket" if "101" in operation["responses"] else method, path, operation


def _links(name: str, operations: list[tuple[str, str, Json]]) -> str:
    items = "".join(
        f'<li><a href="#{escape(operation["operationId"])}"><span class="method {method}">{_verb(method)}</span>'
        f"<span>{escape(_short(path))}</span></a></li>"
        for method, path, operation in operations
    )
    return f'<h2><a href="#tag-{escape(name)}">{escape(name)}</a></h2><ul>{items}</ul>\n'


def _section(name: str, operations: list[tuple[str, str, Json]]) -> str:
    articles = "".join(_article(*each) for each in operations)
    return f'<section id="tag-{escape(name)}"><h2>{escape(name)}</h2>\n{articles}</section>\n'


def _short(path: str) -> str:
    return re.sub(r"{\w+}", ":id", path.removeprefix("/api"))


def _verb(method: str) -> str:
    return "SOCKET" if method == "socket" else method.upper()


def _article(method: str, path: str, operation: Json) -> str:
    parts = [
        f'<article id="{escape(operation["operationId"])}">\n<h3><span class="access">{operation["x-access"]}</span>'
        f'<span class="method {method}">{_verb(method)}</span><span class="path">{escape(path)}</span></h3>\n',
        _prose(operation["summary"]),
        _prose(operation["description"]),
    ]
    if operation["parameters"]:
        rows = "".join(_parameter(each) for each in operation["parameters"])
        parts.append(f'<h4>Parameters</h4><div class="scroll"><table>{rows}</table></div>\n')
    if body := operation.get("requestBody"):
        parts.append(f"<h4>Body</h4><p>{_kind(body['content']['application/json']['schema'])}</p>\n")
    parts.append(f"<h4>Answers</h4>{_answers(operation['responses'])}</article>\n")
    return "".join(parts)


def _parameter(parameter: Json) -> str:
    where = "" if parameter["in"] == "query" else f" in the {parameter['in']}"
    needed = f"{where}, required" if parameter["required"] else where
    about = _inline(parameter.get("description", ""))
    return (
        f"<tr><td><code>{escape(parameter['name'])}</code></td>"
        f'<td>{_kind(parameter["schema"])}<span class="soft">{escape(needed)}</span></td><td>{about}</td></tr>'
    )


def _answers(responses: Json) -> str:
    shown = []
    errors = []
    for status, response in responses.items():
        if "$ref" in response:
            errors.append(f"<code>{escape(status)}</code>")
            continue
        content = response.get("content", {})
        kinds = ", ".join(_data(media, each) for media, each in content.items()) or escape(response["description"])
        shown.append(f"<p><code>{escape(status)}</code> {kinds}</p>")
        examples = (each["example"] for each in content.values() if "example" in each)
        shown += [f"<details><summary>Example</summary>{_json(example)}</details>" for example in examples]
    return "".join(shown) + f'<p class="soft">Errors {" ".join(errors)}</p>'


def _data(media: str, content: Json) -> str:
    properties = content.get("schema", {}).get("properties", {})
    if "data" not in properties:
        return f"<code>{escape(media)}</code>"
    return _kind(properties["data"]) + (", a page at a time" if "pagination" in properties else "")


def _type(name: str, schema: Json) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code></td><td>{_kind(each)}</td>"
        f"<td>{_inline(each.get('description', ''))}</td></tr>"
        for field, each in schema.get("properties", {}).items()
    )
    return (
        f'<article id="type-{escape(name)}"><h3>{escape(name)}</h3>{_prose(schema.get("description", ""))}'
        f'<div class="scroll"><table>{rows}</table></div></article>\n'
    )


def _kind(schema: Json) -> str:
    """Return in a few words what a schema says."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#type-{name}">{name}</a>'
    if "anyOf" in schema and "type" not in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"]) + _default(schema)
    if values := [schema["const"]] if "const" in schema else schema.get("enum"):
        return ", ".join(f"<code>{escape(json.dumps(each))}</code>" for each in values) + _default(schema)
    return _type_of(schema) + _limits(schema) + _default(schema)


def _type_of(schema: Json) -> str:
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_kind(schema['additionalProperties'])}"
    return escape(kind)


def _limits(schema: Json) -> str:
    if "minimum" in schema and "maximum" in schema:
        return f" from {schema['minimum']:,} to {schema['maximum']:,}"
    if "maxLength" in schema:
        return f" of at most {schema['maxLength']:,} characters"
    return ""


def _default(schema: Json) -> str:
    return f", default <code>{escape(json.dumps(schema['default']))}</code>" if "default" in schema else ""


def _json(value: Any) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre>"


def _prose(text: str) -> str:
    return "".join(f"<p>{_inline(each)}</p>\n" for each in text.split("\n\n") if each.strip())


def _inline(text: str) -> str:
    """Return text as HTML; what stands between backquotes is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
