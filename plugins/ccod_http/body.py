"""Request bodies: read away in any case, and JSON that is what a struct says or refused."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar

import msgspec
import trio
from msgspec import Struct
from quart import g, request

from ccod_http.problems import Problem

SECONDS = 15.0
DEEPEST = 32
MOST_KEYS = 1000


class Body(Struct, forbid_unknown_fields=True, rename="camel"):
    """The JSON body of a request; a subclass says which fields it has."""


B = TypeVar("B", bound=Body)


async def drain_body(limit: int) -> None:
    """Read the body away before anything is answered: its rest would stand in the way of the next request.

    One that is too long is still read to a point, so that the client sees why it is refused.
    """
    size = 0
    parts: list[bytes] = []
    with trio.move_on_after(SECONDS) as scope:
        async for part in request.body:
            size += len(part)
            if size <= limit:
                parts.append(part)
            elif size > 8 * limit:
                break
    if scope.cancelled_caught:
        raise Problem(HTTPStatus.REQUEST_TIMEOUT, "REQUEST_TIMEOUT", "The body did not arrive in time.")
    if size > limit:
        message = f"The body is longer than {limit} bytes, which [http] max_body allows."
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "PAYLOAD_TOO_LARGE", message)
    g.body = b"".join(parts)


def read_body(schema: type[B] | None) -> B | None:
    """Return the JSON body of the current request; None stands for a route that takes none."""
    body: bytes = g.body
    if not body and schema is None:
        return None
    if body and request.mimetype != "application/json":
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "A body must be JSON, and say so: Content-Type: application/json.",
        )
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "A body is taken as it is, not compressed: leave Content-Encoding out.",
        )
    if schema is None:
        raise Problem(HTTPStatus.BAD_REQUEST, "VALIDATION_FAILED", "This route takes no body.")
    _check_form(body)
    try:
        return msgspec.json.decode(body, type=schema)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        _refuse(reason, path.strip("`."))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _malformed(str(error)) from None


def _check_form(body: bytes) -> None:
    """Refuse what JSON decoders do not agree on, and what is made to keep them busy."""
    keys = 0

    def check_keys(members: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal keys
        keys += len(members)
        if keys > MOST_KEYS:
            _refuse(f"more than {MOST_KEYS} keys")
        value = dict(members)
        if len(value) < len(members):
            names = [name for name, _ in members]
            twice = next(name for name in names if names.count(name) > 1)
            raise _malformed(f"{twice[:64]!a} stands twice in an object")
        return value

    try:
        value = json.loads(body.decode(), object_pairs_hook=check_keys)
    except ValueError as error:
        raise _malformed(str(error)) from None
    except RecursionError:
        _refuse(f"nested more than {DEEPEST} deep")
    _check_depth(value)


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [each for each in level if isinstance(each, dict | list)]
        if not level:
            return
        level = [inner for each in level for inner in _members(each)]
    _refuse(f"nested more than {DEEPEST} deep")


def _members(value: dict[str, Any] | list[Any]) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value


def _refuse(reason: str, field: str = "") -> NoReturn:
    details = [{"field": field, "problem": reason}]
    where = f" at {field!r}" if field else ""
    message = f"The body is wrong{where}: {reason}."
    raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "VALIDATION_FAILED", message, details)


def _malformed(reason: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "MALFORMED_JSON", f"The body is no JSON that can be relied on: {reason}.")
