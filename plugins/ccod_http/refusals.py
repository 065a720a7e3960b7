"""What is answered below the application, where it cannot answer for itself."""

from __future__ import annotations

import structlog

from ccod_http.problems import envelope, new_request_id, plain_problem
from ccod_http.safety import HEADERS

log = structlog.get_logger("ccod.http.request")


def error_answer(status: int, *more: tuple[bytes, bytes]) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return the headers and the body that answer where no application does, and log that it was refused."""
    request_id = new_request_id()
    log.info("request", method="", route="", status=status, ms=0.0, request=request_id)
    body = envelope(plain_problem(status), request_id)
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", request_id.encode()),
        (b"connection", b"close"),
        *((name.lower().encode(), value.encode()) for name, value in HEADERS.items()),
        *more,
    ]
    return headers, body
