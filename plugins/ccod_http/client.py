"""Asks the running daemon over HTTP, through the first of its doors that is open."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from ccod import CcodError, Settings, UnavailableError
from ccod_http.doors import knock
from ccod_http.settings import HttpSettings

SECONDS = 60.0
IMPATIENT_SECONDS = 3.0
"""For those who only want to know whether somebody answers."""
PORTION = 64 * 1024


class RefusedError(CcodError):
    """The daemon answered with an error; `status` and `code` are its own."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class WrongRequestError(RefusedError):
    """The daemon found wrong what was asked, and so how the command was called."""

    exit_code = 2


def get(settings: Settings, path: str, **query: object) -> Any:
    """Return the data that a reading route answers with. A parameter that is None is left out."""
    return send(settings, "GET", _with_query(path, query))


def pages(settings: Settings, path: str, **query: object) -> Iterator[Any]:
    """Yield the items of a list, however many pages they take."""
    cursor = None
    while True:
        with _asked(settings, "GET", _with_query(path, query | {"cursor": cursor})) as response:
            answer = _decoded(response)
        yield from answer.get("data") or ()
        cursor = (answer.get("pagination") or {}).get("nextCursor")
        if cursor is None:
            return


def send(settings: Settings, method: str, path: str, body: Any = None) -> Any:
    """Send a request, its body as JSON, and return the data of the answer, None where that has none."""
    with _asked(settings, method, path, body) as response:
        return None if response.status == HTTPStatus.NO_CONTENT else _decoded(response).get("data")


@lru_cache(maxsize=1)
def trouble(settings: Settings) -> str:
    """Return why no daemon answers, or nothing where one does. It is found out once, and soon."""
    tells = "rest" not in settings.core.disable  # else there is no such route
    try:
        answered = status(settings, "/health")
        return "" if answered == (HTTPStatus.OK if tells else HTTPStatus.NOT_FOUND) else "what answers there is no ccod"
    except CcodError as error:
        return str(error)


def status(settings: Settings, path: str, headers: Mapping[str, str] = MappingProxyType({})) -> int:
    """Return the status of the answer to a request with these headers, and leave what comes behind it unread."""
    connection = _Connection(settings[HttpSettings], IMPATIENT_SECONDS)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    except (OSError, HTTPException) as error:
        raise UnavailableError(
            f"what answers at {connection.name} is no ccod, or does not work: {str(error) or type(error).__name__}"
        ) from error
    finally:
        connection.close()


def stream(settings: Settings, path: str, **query: object) -> Iterator[bytes]:
    """Yield the body of an answer, a portion at a time."""
    with _asked(settings, "GET", _with_query(path, query)) as response:
        while portion := response.read(PORTION):
            yield portion


@contextmanager
def _asked(settings: Settings, method: str, path: str, body: Any = None) -> Iterator[HTTPResponse]:
    """Open an answer that went well; every other one, and none at all, is an error of one line."""
    connection = _Connection(settings[HttpSettings])
    content = None if body is None else json.dumps(body).encode()
    headers = {} if content is None else {"Content-Type": "application/json"}
    try:
        connection.request(method, path, content, headers)
        response = connection.getresponse()
        if response.status >= 400:
            raise _refusal(response)
        yield response
    except (OSError, HTTPException) as error:
        raise UnavailableError(f"the daemon did not answer in full: {str(error) or type(error).__name__}") from error
    finally:
        connection.close()


class _Connection(HTTPConnection):
    """A connection through the first door that is open."""

    def __init__(self, http: HttpSettings, seconds: float = SECONDS) -> None:
        self._door, sock = knock(http, seconds)
        super().__init__(self._door.host, self._door.port, timeout=seconds)
        try:
            self.sock = self._door.tls.wrap_socket(sock) if self._door.tls else sock
        except OSError as error:
            sock.close()
            raise self._door.distrusted(error) from error

    @property
    def name(self) -> str:
        return self._door.name


def _refusal(response: HTTPResponse) -> CcodError:
    error = _decoded(response).get("error") or {}
    message = error.get("message") or f"the daemon answered {response.status} {response.reason}"
    code = error.get("code", "")
    kind = WrongRequestError if code == "VALIDATION_FAILED" else RefusedError
    return kind(response.status, code, message)


def _decoded(response: HTTPResponse) -> dict[str, Any]:
    try:
        decoded = json.loads(response.read())
    except ValueError:
        decoded = None
    if not isinstance(decoded, dict):
        raise UnavailableError("what answers there does not speak as ccod does; is it ccod's port? see [http] port")
    return decoded


def _with_query(path: str, query: dict[str, object]) -> str:
    given = {name: _written(value) for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
