"""Routes that say of themselves what they take, what they answer, and who may ask."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence, Set
from http import HTTPStatus
from typing import Any, Literal, TypedDict, TypeVar, Unpack, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct
from quart import Blueprint, Response

from ccod import Access
from ccod_http.body import Body, read_body
from ccod_http.query import NoParameters, read_query
from ccod_http.replies import Paged, ok

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "WEBSOCKET"]
Pace = Literal["read", "write", "strict", "any"]
"""Which quota a request counts to. `strict`: what passwords can be guessed by. `any`: none."""

Handler = TypeVar("Handler", bound=Callable[..., Awaitable[Any]])


class Sayings(TypedDict, total=False):
    """What a route may say of itself beside its access.

    `status` is that of an answer that went well: 200, or 204 for a handler that returns None. `errors` are the statuses
    of the Problems that the handler raises. `media` are the media types of a handler that makes its own `Response`.
    `example` is an answer's data. `tag` names what the route belongs to, if that is not the first word of its path.
    `pace` is "read" for GET and WEBSOCKET, else "write". `stored` says that an answer follows from the address, the
    caller and what the storage holds, and from nothing else, such as the time: it is then given again while nothing is
    stored. `secret` says that it bears a secret, such as a token: it is never compressed, nor kept by anybody.
    `unasked` says of a public route that it does not even find out who the caller is.
    """

    status: int
    errors: Sequence[int]
    media: Sequence[str]
    example: Any
    tag: str
    pace: Pace
    stored: bool
    secret: bool
    unasked: bool


class Route(Struct, frozen=True, kw_only=True):
    """All that is known of a route. `data` is the type of the answer's `data`, None where the answer is no envelope.

    `takes` are the names of what its handler takes.
    """

    method: Method
    access: Access
    takes: Set[str]
    query: type[Struct]
    body: type[Body] | None
    data: Any
    paged: bool
    status: int
    errors: Sequence[int]
    media: Sequence[str]
    example: Any
    tag: str
    pace: Pace
    stored: bool
    secret: bool
    unasked: bool
    summary: str
    description: str


class Routes(Blueprint):
    """A blueprint whose routes declare who may ask; the types of a handler declare the rest.

    A handler may take the struct of its parameters as `query`, the struct of its JSON body, a subclass of `Body`, as
    `body`, and whatever its path names. It returns the `data` of the answer, `Paged` data, None, or a `Response`. Its
    docstring's first line is the summary that the documentation shows.
    """

    def __init__(self, name: str, import_name: str, url_prefix: str | None = None) -> None:
        super().__init__(name, import_name, url_prefix=url_prefix)
        self.declared: dict[str, Route] = {}

    def get(self, rule: str, *, access: Access, **says: Unpack[Sayings]) -> Callable[[Handler], Handler]:  # type: ignore[override]
        return self._adder("GET", rule, access, says)

    def post(self, rule: str, *, access: Access, **says: Unpack[Sayings]) -> Callable[[Handler], Handler]:  # type: ignore[override]
        return self._adder("POST", rule, access, says)

    def put(self, rule: str, *, access: Access, **says: Unpack[Sayings]) -> Callable[[Handler], Handler]:  # type: ignore[override]
        return self._adder("PUT", rule, access, says)

    def patch(self, rule: str, *, access: Access, **says: Unpack[Sayings]) -> Callable[[Handler], Handler]:  # type: ignore[override]
        return self._adder("PATCH", rule, access, says)

    def delete(self, rule: str, *, access: Access, **says: Unpack[Sayings]) -> Callable[[Handler], Handler]:  # type: ignore[override]
        return self._adder("DELETE", rule, access, says)

    def websocket(self, rule: str, *, access: Access, **says: Unpack[Sayings]) -> Callable[[Handler], Handler]:  # type: ignore[override]
        return self._adder("WEBSOCKET", rule, access, says)

    def _adder(self, method: Method, rule: str, access: Access, says: Sayings) -> Callable[[Handler], Handler]:
        def add(handler: Handler) -> Handler:
            name = handler.__name__
            self.declared[name] = route = describe(handler, method, access, says)
            if method == "WEBSOCKET":
                self.add_websocket(rule, name, _answering(handler, route))
            else:
                view = _answering(handler, route)
                self.add_url_rule(rule, name, view, methods=[method], provide_automatic_options=False)
            return handler

        return add


def describe(handler: Callable[..., Awaitable[Any]], method: Method, access: Access, says: Sayings) -> Route:
    """Return what a handler declares. Raises TypeError for types that say less than a route needs, or no JSON."""
    if access not in get_args(Access):
        raise TypeError(f"{handler.__qualname__}: {access!r} is no access")
    if says.get("unasked") and (access, says.get("pace")) != ("public", "any"):
        raise TypeError(f"{handler.__qualname__}: only a public route of any pace asks for nobody")
    hints = get_type_hints(handler, include_extras=True)
    if "return" not in hints:
        raise TypeError(f"{handler.__qualname__} must say by its type what it returns")
    answer, body = hints["return"], hints.get("body")
    if body is not None and not (isinstance(body, type) and issubclass(body, Body)):
        raise TypeError(f"{handler.__qualname__}: the type of `body` must be a subclass of Body")
    own = answer is Response
    if own != bool(says.get("media")):
        raise TypeError(f"{handler.__qualname__}: a handler names `media` if, and only if, it returns a Response")
    empty = answer is type(None)
    paged = get_origin(answer) is Paged
    data = None if own or empty else get_args(answer)[0] if paged else answer
    msgspec.json.schema_components([each for each in (data, body, hints.get("query")) if each is not None])
    summary, _, description = (inspect.getdoc(handler) or "").partition("\n")
    return Route(
        method=method,
        access=access,
        takes=inspect.signature(handler).parameters.keys(),
        query=hints.get("query", NoParameters),
        body=body,
        data=data,
        paged=paged,
        status=says.get("status", _usual_status(method, empty)),
        errors=says.get("errors", ()),
        media=says.get("media", ()),
        example=says.get("example"),
        tag=says.get("tag", ""),
        pace=says.get("pace", "read" if method in {"GET", "WEBSOCKET"} else "write"),
        stored=says.get("stored", False),
        secret=says.get("secret", False),
        unasked=says.get("unasked", False),
        summary=summary.strip(),
        description=description.strip(),
    )


def _usual_status(method: Method, empty: bool) -> int:
    if method == "WEBSOCKET":
        return HTTPStatus.SWITCHING_PROTOCOLS
    return HTTPStatus.NO_CONTENT if empty else HTTPStatus.OK


def _answering(handler: Callable[..., Awaitable[Any]], route: Route) -> Callable[..., Awaitable[Any]]:
    """Give a handler what it takes, checked, and put what it returns into the envelope."""

    async def answer(**given: Any) -> Response | None:
        query = read_query(route.query)
        if "query" in route.takes:
            given["query"] = query
        if route.method not in {"GET", "WEBSOCKET"}:
            body = read_body(route.body)
            if body is not None:
                given["body"] = body
        result = await handler(**given)
        if route.method == "WEBSOCKET" or isinstance(result, Response):
            return result  # type: ignore[no-any-return]
        if result is None:
            return Response(b"", route.status)
        if isinstance(result, Paged):
            return ok(result.data, result.pagination, route.status)
        return ok(result, status=route.status)

    return answer
