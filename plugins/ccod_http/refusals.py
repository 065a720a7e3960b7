"""What is answered below the application, where it cannot answer for itself."""

from __future__ import annotations

from ccod_http.problems import envelope, new_request_id, plain_problem
from ccod_http.safety import HEADERS


def error_answer(status: int, *more: tuple[bytes, bytes]) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return the headers and the body that answer where no application does."""
    request_id = new_request_id()
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
