"""Errors as clients see them: one envelope, which is at the same time a problem document of RFC 9457."""

from __future__ import annotations

import math
import re
import secrets
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import quote

import structlog
from msgspec import UNSET, Struct, UnsetType
from quart import Quart, Response, g, has_request_context, request, websocket
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from ccod import NoMachinesError, StorageUnavailableError, UnseenError, WrongKeyError
from ccod_http.departed import DEPARTED
from ccod_http.encoding import encode
from ccod_http.times import epoch_ms, iso

log = structlog.get_logger("ccod.http")


CODES = {
    413: "PAYLOAD_TOO_LARGE",
    414: "REQUEST_URI_TOO_LONG",
    416: "REQUESTED_RANGE_NOT_SATISFIABLE",
    422: "UNPROCESSABLE_ENTITY",
    500: "INTERNAL_ERROR",
}
"""Where `HTTPStatus` has another name, or one that depends on the version of Python."""


class Problem(Exception):  # noqa: N818
    """Raise it to answer with an error: `code` is for programs, `message` says what is wrong and how to mend it.

    `wait` is the number of seconds after which to try again, where that helps.
    """

    def __init__(self, status: int, code: str, message: str, details: Any = None, wait: float = 0) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.wait = wait


class Error(Struct, frozen=True):
    code: str
    message: str
    details: Any | UnsetType = UNSET


class Failure(Struct, frozen=True, kw_only=True, rename="camel"):
    success: Literal[False] = False
    error: Error
    timestamp: str
    request_id: str
    title: str
    status: int
    detail: str
    instance: str | UnsetType = UNSET
    type: Literal["about:blank"] = "about:blank"


def envelope(problem: Problem, request_id: str, instance: str | UnsetType = UNSET) -> bytes:
    """Return a problem as JSON."""
    details = UNSET if problem.details is None else problem.details
    failure = Failure(
        error=Error(problem.code, problem.message, details),
        timestamp=iso(epoch_ms()),
        request_id=request_id,
        title=HTTPStatus(problem.status).phrase,
        status=problem.status,
        detail=problem.message,
        instance=instance,
    )
    return encode(failure)


def wrong_cursor() -> Problem:
    message = (
        "Parameter 'cursor' is none of this list: take 'nextCursor' of an answer to the same path and parameters, "
        "of which only 'limit' may change, or begin anew without a cursor."
    )
    return Problem(400, "VALIDATION_FAILED", message, [{"parameter": "cursor", "problem": "is none of this list"}])


def plain_problem(status: int) -> Problem:
    """Return the problem that a bare status stands for."""
    meaning = HTTPStatus(status)
    return Problem(status, CODES.get(status, meaning.name), f"{meaning.description or meaning.phrase}.")


def nothing_there() -> Problem:
    """Return the problem of a path that no route has: it may be one of a plugin that is left out, or not chosen."""
    return Problem(404, "NOT_FOUND", f"Nothing is served at {_path()}: no plugin in use has such a route.")


def request_id() -> str:
    """Return the id of the current request: the client's own X-Request-ID where it is a plain word."""
    if "request_id" not in g:
        given = current().headers.get("X-Request-Id", "")
        g.request_id = given if re.fullmatch(r"[\w.\-]{1,64}", given, re.ASCII) else new_request_id()
    return str(g.request_id)


def new_request_id() -> str:
    return secrets.token_hex(8)


def _path() -> str:
    return quote(current().path, errors="replace")


def current() -> Any:
    """Return the current request or WebSocket handshake."""
    return request if has_request_context() else websocket


def install_error_handlers(app: Quart) -> None:
    app.register_error_handler(Problem, answer)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(StorageUnavailableError, _answer_unavailable)
    app.register_error_handler(WrongKeyError, _answer_wrong_key)
    app.register_error_handler(UnseenError, _answer_unseen)
    app.register_error_handler(NoMachinesError, _answer_no_machines)
    app.register_error_handler(DEPARTED, _answer_nobody)
    app.register_error_handler(Exception, _answer_unexpected)


async def answer(problem: Problem) -> Response:
    """Answer the current request with a problem."""
    body = envelope(problem, request_id(), _path())
    response = Response(body, problem.status, content_type="application/problem+json")
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = g.get("challenge", "Bearer")
    if problem.wait > 0:
        response.headers["Retry-After"] = str(math.ceil(problem.wait))
    return response


async def _answer_http(error: HTTPException) -> Response:
    response = await answer(nothing_there() if isinstance(error, NotFound) else plain_problem(error.code or 500))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


async def _answer_unavailable(error: StorageUnavailableError) -> Response:
    log.warning("storage is unavailable", request=request_id(), reason=str(error))
    return await answer(Problem(503, "SERVICE_UNAVAILABLE", "The storage is not to be had now; try again.", wait=5))


async def _answer_wrong_key(_: WrongKeyError) -> Response:
    return await answer(wrong_cursor())


async def _answer_unseen(error: Exception) -> Response:
    return await answer(Problem(404, "NOT_FOUND", str(error)))


async def _answer_no_machines(error: Exception) -> Response:
    return await answer(Problem(403, "NO_MACHINES", f"{error}."))


async def _answer_nobody(_: Exception) -> Response:
    return await answer(plain_problem(400))


async def _answer_unexpected(error: Exception) -> Response:
    log.error("request failed", request=request_id(), exc_info=error)
    return await answer(plain_problem(500))
